//! The tables of the workloads made after reports: one for each, with a line for each allocator.

use crate::results::figure::Figure;
use crate::results::report::Report;
use crate::results::workload::{Cell, Row};
use comfy_table::Table;

/// What stands before the tables.
pub const EXPLANATION: &str = "\
Pages are of 64 KiB, at the end or after the rounds that the heading names. Where the memory has a limit, a line has the
bytes and blocks that were served before the first refusal and, after some were released, before the next. Times are
milliseconds in V8. Ratios are to the reference. An allocator that serves more also executes more.
";

/// What a cell says that has no figure, where another cell of its line says why.
const NONE: &str = "-";

/// The table of one workload, with ratios to the allocator `reference`.
pub fn table(report: &Report, row: &Row, reference: &str) -> Table {
    let mut headings = vec!["allocator".to_owned(), "pages".to_owned(), "ratio".to_owned()];
    headings.extend(row.points().iter().map(|rounds| format!("pages after {rounds}")));
    if row.limit_pages.is_some() {
        headings.extend(["kB served", "blocks", "then kB", "blocks"].map(str::to_owned));
    }
    headings.extend(["ms", "ratio", "instructions"].map(str::to_owned));
    if report.full {
        headings.extend(["JavaScriptCore", "wasmtime"].map(str::to_owned));
    }
    let mut table = Table::new();
    table.set_header(&headings);
    for column in &report.allocators {
        let mut line = vec![column.name.clone()];
        line.extend(match row.cells.get(&column.id) {
            None => vec!["not measured".to_owned()],
            Some(cell) => figures(cell, row, reference, report.full),
        });
        line.resize(headings.len(), NONE.to_owned());
        table.add_row(line);
    }
    table
}

/// The cells of one line after the allocator's name, or the reason why there are none.
fn figures(cell: &Cell, row: &Row, reference: &str, full: bool) -> Vec<String> {
    let memory = match &cell.memory {
        Figure::Measured(memory) => memory,
        Figure::Missing(reason) => return vec![reason.clone()],
    };
    let mut line = vec![
        memory.pages.to_string(),
        ratio(pages(row, reference).map(|theirs| f64::from(memory.pages) / f64::from(theirs))),
    ];
    for (number, rounds) in row.points().into_iter().enumerate() {
        line.push(match (cell.pages_after(rounds), &cell.curve) {
            (Some(pages), _) => pages.to_string(),
            (None, Some(Figure::Missing(reason))) if number == 0 => reason.clone(),
            (None, _) => NONE.to_owned(),
        });
    }
    if row.limit_pages.is_some() {
        let served = cell.served.unwrap_or_default();
        line.extend([
            kilobytes(served.bytes_before_refusal),
            served.blocks_before_refusal.to_string(),
            kilobytes(served.bytes_after_release),
            served.blocks_after_release.to_string(),
        ]);
    }
    match &cell.v8 {
        Figure::Missing(reason) => line.extend([reason.clone(), NONE.to_owned()]),
        Figure::Measured(time) => line.extend([format!("{:.3}", time.milliseconds.median), ratio(time.ratio)]),
    }
    line.push(match &cell.instructions {
        Figure::Missing(reason) => reason.clone(),
        Figure::Measured(count) => ratio(count.ratio),
    });
    if full {
        for time in [&cell.javascriptcore, &cell.wasmtime] {
            line.push(match time {
                Figure::Missing(reason) => reason.clone(),
                Figure::Measured(time) => ratio(time.ratio),
            });
        }
    }
    line
}

fn ratio(ratio: Option<f64>) -> String {
    ratio.map_or(NONE.to_owned(), |ratio| format!("{ratio:.2}"))
}

fn kilobytes(bytes: u32) -> String {
    format!("{:.1}", f64::from(bytes) / 1000.0)
}

fn pages(row: &Row, allocator: &str) -> Option<u32> {
    match &row.cells.get(allocator)?.memory {
        Figure::Measured(memory) => Some(memory.pages),
        Figure::Missing(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::table;
    use crate::results::figure::{Figure, Memory};
    use crate::results::outcome::Served;
    use crate::results::report::Report;
    use crate::results::workload::{Cell, Row};
    use crate::shared::catalogue::Family;

    fn lines(limit_pages: Option<u32>, cells: &[(&str, Cell)]) -> Vec<Vec<String>> {
        let row = Row {
            name: "row".to_owned(),
            family: Family::Reported,
            about: String::new(),
            report: None,
            limit_pages,
            peak_live_bytes: 1,
            cells: cells
                .iter()
                .map(|(id, cell)| ((*id).to_owned(), cell.clone()))
                .collect(),
        };
        let table = table(&Report::sample(), &row, "dlmalloc");
        let text = |line: &comfy_table::Row| line.cell_iter().map(comfy_table::Cell::content).collect();
        table.row_iter().map(text).collect()
    }

    fn cell(pages: u32, served: Option<Served>, curve: Option<Vec<(u32, u32)>>) -> Cell {
        Cell {
            memory: Figure::Measured(Memory { pages, heap_base: 0 }),
            curve: curve.map(Figure::Measured),
            ..Cell::sample(Figure::Missing("no time".to_owned()), served)
        }
    }

    fn line_of<'a>(lines: &'a [Vec<String>], allocator: &str) -> &'a [String] {
        &lines.iter().find(|line| line[0] == allocator).unwrap()[1..]
    }

    #[test]
    fn pages_come_with_their_ratio_and_with_those_after_some_rounds() {
        let dlmalloc = cell(50, None, Some(vec![(3, 40), (1000, 50)]));
        let lines = lines(
            None,
            &[
                ("dlmalloc", dlmalloc),
                ("freeing-bump", cell(100, None, Some(vec![(3, 60)]))),
            ],
        );
        assert_eq!(line_of(&lines, "FreeingBump")[..4], ["100", "2.00", "60", "-"]);
        assert_eq!(line_of(&lines, "dlmalloc")[..4], ["50", "1.00", "40", "50"]);
    }

    #[test]
    fn a_program_that_stopped_before_the_last_point_says_why_once() {
        let stopped = Cell {
            curve: Some(Figure::Missing("out of memory".to_owned())),
            ..cell(50, None, None)
        };
        let other = cell(50, None, Some(vec![(3, 40), (1000, 50)]));
        let lines = lines(None, &[("freeing-bump", stopped), ("dlmalloc", other)]);
        assert_eq!(line_of(&lines, "FreeingBump")[2..4], ["out of memory", "-"]);
    }

    #[test]
    fn at_a_limit_a_line_says_what_was_served_in_both_parts() {
        let served = Served {
            blocks_before_refusal: 30,
            bytes_before_refusal: 3720,
            blocks_after_release: 2,
            bytes_after_release: 200,
        };
        let lines = lines(Some(18), &[("freeing-bump", cell(18, Some(served), None))]);
        assert_eq!(
            line_of(&lines, "FreeingBump")[..6],
            ["18", "-", "3.7", "30", "0.2", "2"]
        );
    }

    #[test]
    fn an_allocator_without_figures_says_why() {
        let failed = Cell {
            memory: Figure::Missing("takes more than 2 s".to_owned()),
            ..cell(1, None, None)
        };
        let lines = lines(None, &[("freeing-bump", failed)]);
        assert_eq!(line_of(&lines, "FreeingBump")[0], "takes more than 2 s");
        assert_eq!(line_of(&lines, "dlmalloc")[0], "not measured");
        assert!(lines.iter().flatten().all(|text| !text.is_empty()));
    }
}
