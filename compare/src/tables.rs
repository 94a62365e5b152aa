//! The report as tables: once for the terminal and once as Markdown, with the same content.

use crate::catalogue::{Family, Role};
use crate::report::{Cell, Column, Report};
use crate::sizes::CodeSize;
use crate::statistics::WIDE_SPREAD;
use comfy_table::presets::{ASCII_MARKDOWN, UTF8_FULL_CONDENSED};
use comfy_table::{CellAlignment, Table};
use std::fmt::Write;

/// How tables are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Boxes for a terminal of this many columns; wide tables are split.
    Terminal(usize),
    /// Markdown, where a table may be as wide as it likes.
    Markdown,
}

/// The whole report as text.
pub fn render(report: &Report, style: Style) -> String {
    let mut out = String::new();
    heading(&mut out, style, 1, "Allocators for wasm32 modules, compared");
    out.push_str(&explanation(report));
    for family in report.families() {
        heading(&mut out, style, 2, family.title());
        for columns in groups(report, style) {
            out.push_str(&drawn(workload_table(report, family, &columns), style));
        }
        if style == Style::Markdown {
            out.push('\n');
            for row in report.rows(family) {
                // Writing to a string cannot fail.
                let _ = writeln!(out, "- `{}`: {}", row.name, row.about);
            }
        }
    }
    for profile in profiles(report) {
        let title = format!("Code size, profile `{profile}`");
        heading(&mut out, style, 2, &title);
        out.push_str(&drawn(size_table(report, &profile), style));
    }
    heading(&mut out, style, 2, "Versions");
    out.push_str(&versions(report));
    out
}

fn explanation(report: &Report) -> String {
    let reference = report
        .allocators
        .iter()
        .find(|column| column.role == Role::Reference)
        .map_or("the reference", |column| &column.name);
    format!(
        "Each cell: time as a ratio to {reference} (below 1 is faster), ± half the distance between the quartiles;\n\
         linear memory at the end in MiB, stack and static data included (it never shrinks, so this is the peak).\n\
         Medians of up to {} runs in V8 with --no-liftoff, fresh instance each, interleaved, after a warm-up.\n\
         `~` marks a spread of more than {:.0} %. A cell that has no figures says why.\n",
        report.runs,
        WIDE_SPREAD * 100.0
    )
}

/// The columns of each table: all of them in Markdown, as many as fit on a terminal.
fn groups(report: &Report, style: Style) -> Vec<Vec<Column>> {
    const ROW_NAME_WIDTH: usize = 28;
    const COLUMN_WIDTH: usize = 21;
    match style {
        Style::Markdown => vec![report.allocators.clone()],
        Style::Terminal(width) => {
            let fitting = (width.saturating_sub(ROW_NAME_WIDTH) / COLUMN_WIDTH).max(2);
            report.allocators.chunks(fitting).map(<[Column]>::to_vec).collect()
        }
    }
}

fn workload_table(report: &Report, family: Family, columns: &[Column]) -> Table {
    let mut table = Table::new();
    table.set_header(std::iter::once("workload").chain(columns.iter().map(|column| column.name.as_str())));
    for row in report.rows(family) {
        let cells = columns.iter().map(|column| cell_text(row.cells.get(&column.id)));
        table.add_row(std::iter::once(row.name.clone()).chain(cells));
    }
    let means = columns.iter().map(|column| {
        report
            .mean_ratio(family, &column.id)
            .map_or("did not run all".to_owned(), |mean| format!("{mean:.2}"))
    });
    table.add_row(std::iter::once("geometric mean".to_owned()).chain(means));
    table
}

fn cell_text(cell: Option<&Cell>) -> String {
    match cell {
        None => "not chosen".to_owned(),
        Some(Cell::Failed(reason)) => reason.clone(),
        Some(Cell::Measured(figures)) => {
            let mark = if figures.time.is_wide() { "~" } else { "" };
            let spread = figures.time.spread() * 100.0;
            let time = match figures.time_ratio {
                Some(ratio) => format!("{ratio:.2}"),
                None => format!("{:.1} ms", figures.time.median),
            };
            format!("{mark}{time} ±{spread:.0} %, {:.1} MiB", figures.mebibytes())
        }
    }
}

fn profiles(report: &Report) -> Vec<String> {
    let mut profiles: Vec<String> = report.sizes.iter().map(|size| size.profile.clone()).collect();
    profiles.dedup();
    profiles
}

fn size_table(report: &Report, profile: &str) -> Table {
    let mut table = Table::new();
    table.set_header([
        "bytes over an allocator that always fails",
        "raw",
        "wasm-opt -Oz",
        "wasm-opt -Oz, gzip",
    ]);
    let mut sizes: Vec<&CodeSize> = report.sizes.iter().filter(|size| size.profile == profile).collect();
    sizes.sort_by_key(|size| size.over_floor.optimized);
    for size in sizes {
        let name = report
            .allocators
            .iter()
            .find(|column| column.id == size.allocator)
            .map_or(size.allocator.as_str(), |column| &column.name);
        let over = size.over_floor;
        table.add_row([
            name.to_owned(),
            over.raw.to_string(),
            over.optimized.to_string(),
            over.gzipped.to_string(),
        ]);
    }
    table
}

fn versions(report: &Report) -> String {
    let versions = &report.versions;
    let mut out = format!(
        "- date: {}\n- command: `{}`\n- machine: {}\n- {}\n- node {}, V8 {}\n- {}\n",
        report.date, report.command, versions.machine, versions.rustc, versions.node, versions.v8, versions.wasm_opt
    );
    for column in &report.allocators {
        if let Some(version) = versions.allocators.get(&column.id) {
            // Writing to a string cannot fail.
            let _ = writeln!(out, "- {}: {version}", column.name);
        }
    }
    out
}

fn heading(out: &mut String, style: Style, level: usize, text: &str) {
    // Writing to a string cannot fail.
    let _ = match style {
        Style::Markdown if level == 1 => writeln!(out, "# {text}\n"),
        Style::Markdown => writeln!(out, "\n{} {text}\n", "#".repeat(level)),
        Style::Terminal(_) => writeln!(out, "\n{text}\n"),
    };
}

fn drawn(mut table: Table, style: Style) -> String {
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table.load_style(match style {
        Style::Terminal(_) => UTF8_FULL_CONDENSED,
        Style::Markdown => ASCII_MARKDOWN,
    });
    format!("{table}\n")
}
