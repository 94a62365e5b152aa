//! What is written of a report into the README: five rows beside three other allocators, where they come from, and the
//! charts.

use super::charts::memory_over_rounds::Curves;
use super::charts::{self, code_sizes, memory_over_rounds, time_and_memory};
use super::marked_part::MarkedPart;
use super::overview::Overview;
use super::tables::{self, Style};
use super::words::{short_commit, with_commas};
use crate::results::figure::Figure;
use crate::results::report::Report;
use crate::results::size::CodeSize;
use crate::results::workload::{Cell, Row};
use crate::shared::catalogue::{Family, Role};
use crate::shared::profile::Profile;
use anyhow::Result;
use comfy_table::Table;

/// The parts of the README that are written, in their order.
const PARTS: [Part; 3] = [
    Part::new(
        "<!-- figures: written by cargo make benchmarks -->",
        "<!-- end of figures -->",
        figures,
    ),
    Part::new(
        "<!-- chart: written by cargo make benchmarks -->",
        "<!-- end of chart -->",
        chart,
    ),
    Part::new(
        "<!-- more charts: written by cargo make benchmarks -->",
        "<!-- end of more charts -->",
        more_charts,
    ),
];

/// The product whose module stands for what a whole program pays in code.
const PRODUCT: &str = "jaq";

/// The allocators that are shown, with the headings of their columns.
const COLUMNS: [(&str, &str); 4] = [
    ("freeing-bump", "FreeingBump"),
    ("dlmalloc", "dlmalloc, the default"),
    ("talc-extend", "talc"),
    ("wasmalloc", "wasmalloc"),
];

/// What a cell says whose figure the report does not have.
const MISSING: &str = "not measured";

/// One row of the table: what it states, and its figure for an allocator.
struct Line {
    title: fn(&Report) -> String,
    figure: fn(&Report, &Overview, &str) -> Option<String>,
}

const LINES: [Line; 5] = [
    Line {
        title: |report| format!("time, allocation only ({})", workloads(report, &[Family::Allocator])),
        figure: |report, _, id| time(report, Family::Allocator, id),
    },
    Line {
        title: |report| format!("time, programs ({})", workloads(report, &[Family::Programs])),
        figure: |report, _, id| time(report, Family::Programs, id),
    },
    Line {
        title: |report| format!("memory ({})", workloads(report, &report.families())),
        figure: |_, overview, id| {
            let line = overview
                .lines
                .iter()
                .find(|line| line.id == id && line.mark.is_empty())?;
            line.memory.map(ratio)
        },
    },
    Line {
        title: |_| "code, built for size".to_owned(),
        figure: |report, _, id| Some(format!("{} bytes", with_commas(code(report, id)?.over_floor.optimized))),
    },
    Line {
        title: |_| "a jq, whole module, gzipped".to_owned(),
        figure: |report, _, id| {
            let product = report.products.iter().find(|product| product.name == PRODUCT)?;
            let bytes = product.cells.get(id)?.size.gzipped;
            Some(format!("{:.1} kB", bytes as f64 / 1000.0))
        },
    },
];

/// The text of the README with the figures and charts of `report`, and nothing else changed.
pub fn with_figures(readme: &str, report: &Report) -> Result<String> {
    let mut written = readme.to_owned();
    for part in &PARTS {
        written = part.marks.replace(&written, &(part.text)(report))?;
    }
    Ok(written)
}

/// Whether the README has the marks between which figures and charts are written.
pub fn check(readme: &str) -> Result<()> {
    PARTS.iter().try_for_each(|part| part.marks.find(readme).map(drop))
}

/// A part of the README, and what is written there.
struct Part {
    marks: MarkedPart,
    text: fn(&Report) -> String,
}

impl Part {
    const fn new(before: &'static str, after: &'static str, text: fn(&Report) -> String) -> Self {
        let marks = MarkedPart {
            file: "README.md",
            before,
            after,
        };
        Part { marks, text }
    }
}

/// The table, what its numbers mean, and where they come from.
fn figures(report: &Report) -> String {
    let overview = Overview::of(report);
    let mut table = Table::new();
    table.set_header(std::iter::once("").chain(COLUMNS.iter().map(|column| column.1)));
    for line in &LINES {
        let figures = COLUMNS.map(|(id, _)| (line.figure)(report, &overview, id).unwrap_or(MISSING.to_owned()));
        table.add_row(std::iter::once((line.title)(report)).chain(figures));
    }
    format!(
        "{}\n{MEANING}\n\n{}\n",
        tables::drawn(table, Style::Markdown),
        source(report)
    )
}

/// What the numbers of the table mean; it stands below it.
const MEANING: &str = "\
Ratios (×) are geometric means over dlmalloc, the crate behind the standard library's default: below 1.00 is less. Time is
that of V8's optimizing compiler. Memory is the heap at the end, which is also its peak: the linear memory without stack and
static data. In its mean each family of workloads weighs the same. Code is what the allocator adds to a module that is built
with opt-level \"z\", after wasm-opt -Oz. The jq is jaq, built with opt-level 3 and fat LTO, after wasm-opt -Oz and gzip.";

/// Time against memory.
fn chart(report: &Report) -> String {
    let alternative = time_and_memory::alternative(&Overview::of(report));
    in_readme(time_and_memory::FILE, &alternative, time_and_memory::LEGEND)
}

/// The code sizes, and the memory over the rounds.
fn more_charts(report: &Report) -> String {
    let mut text = in_readme(code_sizes::FILE, &code_sizes::alternative(report), code_sizes::LEGEND);
    if let Some(curves) = Curves::of(report) {
        text.push('\n');
        text.push_str(&in_readme(
            memory_over_rounds::FILE,
            &curves.alternative(),
            &curves.legend(),
        ));
    }
    text
}

fn in_readme(file: &str, alternative: &str, legend: &str) -> String {
    charts::in_markdown(&format!("compare/{}", charts::FOLDER), file, alternative, legend)
}

/// Where the figures come from.
fn source(report: &Report) -> String {
    let versions = &report.versions;
    let crates = COLUMNS
        .iter()
        .filter_map(|(id, _)| versions.allocators.get(*id))
        .map(|version| format!("{version}, "));
    let default = versions.allocators.get("std").map_or(String::new(), |version| {
        format!(" The default of this Rust is {version}: BENCHMARKS.md has it too.")
    });
    format!(
        "Measured by `{}` at commit {} on {}: {}, V8 {} of Node {}, {}, {}{}.{default}",
        report.command,
        short_commit(&versions.commit),
        report.date,
        versions.machine,
        versions.v8,
        versions.node,
        versions.rustc,
        crates.collect::<String>(),
        versions.wasm_opt,
    )
}

/// The number of workloads of these families that count.
fn workloads(report: &Report, families: &[Family]) -> String {
    let reference = report.allocators.iter().find(|column| column.role == Role::Reference);
    let counts = |row: &&Row| {
        reference.is_some_and(|column| row.cells.get(&column.id).is_some_and(|cell| time_ratio(cell).is_some()))
    };
    let rows = families.iter().flat_map(|&family| report.rows(family)).filter(counts);
    format!("{} workloads", rows.count())
}

fn time(report: &Report, family: Family, id: &str) -> Option<String> {
    report.mean(family, id, |_, cell| time_ratio(cell)).map(ratio)
}

fn time_ratio(cell: &Cell) -> Option<f64> {
    match &cell.v8 {
        Figure::Measured(time) => time.ratio,
        Figure::Missing(_) => None,
    }
}

fn ratio(ratio: f64) -> String {
    format!("{ratio:.2} ×")
}

fn code<'report>(report: &'report Report, id: &str) -> Option<&'report CodeSize> {
    let is_it = |size: &&CodeSize| size.allocator == id && size.profile == Profile::Size.name();
    report.sizes.iter().find(is_it)
}

#[cfg(test)]
mod tests {
    use super::{PARTS, check, with_figures};
    use crate::results::report::Report;
    use crate::results::sample;

    fn readme() -> String {
        let part = |part: &super::Part| format!("{}\nold\n{}\n\nWords.\n", part.marks.before, part.marks.after);
        format!("# A crate\n\n{}", PARTS.iter().map(part).collect::<String>())
    }

    /// The cells of the table's row that begins with `title`.
    fn row(text: &str, title: &str) -> Vec<String> {
        let line = text.lines().find(|line| line.starts_with(&format!("| {title}")));
        let line = line.unwrap_or_else(|| panic!("no row {title} in {text}"));
        let cells = line.trim_matches('|').split('|');
        cells.map(|cell| cell.trim().to_owned()).skip(1).collect()
    }

    #[test]
    fn the_figures_replace_what_stands_between_the_marks_and_nothing_else() {
        let text = with_figures(&readme(), &sample::report()).unwrap();
        assert!(!text.contains("old"), "{text}");
        assert!(
            text.starts_with(&format!("# A crate\n\n{}\n\n|", PARTS[0].marks.before)),
            "{text}"
        );
        assert!(
            text.ends_with(&format!("\n{}\n\nWords.\n", PARTS[2].marks.after)),
            "{text}"
        );
        assert_eq!(text.matches("\n\nWords.\n").count(), 3);
        assert_eq!(with_figures(&text, &sample::report()).unwrap(), text);
    }

    #[test]
    fn each_of_the_five_rows_has_a_figure_with_its_unit_for_each_of_the_four_allocators() {
        let text = with_figures(&readme(), &sample::report()).unwrap();
        for (title, unit) in [
            ("time, allocation only (12 workloads)", " ×"),
            ("time, programs (7 workloads)", " ×"),
            ("memory (23 workloads)", " ×"),
            ("code, built for size", " bytes"),
            ("a jq", " kB"),
        ] {
            let cells = row(&text, title);
            assert_eq!(cells.len(), 4, "{cells:?}");
            assert!(cells.iter().all(|cell| cell.ends_with(unit)), "{cells:?}");
        }
        assert_eq!(row(&text, "memory")[1], "1.00 ×");
    }

    #[test]
    fn a_figure_that_the_report_does_not_have_is_said_to_be_missing() {
        let mut report = sample::report();
        report.products.clear();
        let text = with_figures(&readme(), &report).unwrap();
        assert_eq!(row(&text, "a jq"), ["not measured"; 4]);
    }

    #[test]
    fn every_chart_is_shown_with_its_numbers_in_words() {
        let text = with_figures(&readme(), &sample::report()).unwrap();
        for file in ["time-and-memory", "code-sizes", "memory-over-rounds"] {
            let shown = |line: &str| line.starts_with("![") && line.ends_with(&format!("](compare/charts/{file}.svg)"));
            assert!(text.lines().any(shown), "{file} in {text}");
        }
    }

    #[test]
    fn the_source_names_the_commit_the_date_and_the_versions() {
        let mut report = sample::report();
        report.versions.commit = "0123456789012345678901234567890123456789".to_owned();
        let text = with_figures(&readme(), &report).unwrap();
        assert!(text.contains("at commit 0123456 on 2026-01-01 12:00 UTC: "), "{text}");
    }

    #[test]
    fn a_readme_without_one_of_the_marks_is_refused_with_the_line_that_it_lacks() {
        for mark in PARTS.iter().flat_map(|part| [part.marks.before, part.marks.after]) {
            let readme = readme().replace(mark, "");
            for refused in [check(&readme), with_figures(&readme, &Report::sample()).map(drop)] {
                let error = refused.unwrap_err().to_string();
                assert!(error.contains(mark) && error.contains("add it"), "{error}");
            }
        }
        let twice = readme() + PARTS[1].marks.after;
        assert!(check(&twice).unwrap_err().to_string().contains("more than once"));
        let swapped = format!("{}\n{}\n", PARTS[0].marks.after, PARTS[0].marks.before);
        assert!(check(&swapped).unwrap_err().to_string().contains("swap them"));
        check(&readme()).unwrap();
    }
}
