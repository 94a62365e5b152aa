//! How the parts of a document look: for a terminal, and in Markdown.

use crate::render::charts;
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

/// Begins a part of the document.
pub fn heading(out: &mut String, style: Style, level: usize, text: &str) {
    // Writing to a string cannot fail.
    let _ = match style {
        Style::Markdown if level == 1 => writeln!(out, "# {text}\n"),
        Style::Markdown => writeln!(out, "\n{} {text}\n", "#".repeat(level)),
        Style::Terminal(_) => writeln!(out, "\n{text}\n"),
    };
}

/// A chart that lies beside the document, with the words that explain it.
pub fn picture(out: &mut String, file: &str, alternative: &str, legend: &str) {
    out.push_str(&charts::in_markdown(charts::FOLDER, file, alternative, legend));
    out.push('\n');
}

/// The text of a table, whose cells are aligned to the right except those of the first column.
pub fn drawn(mut table: Table, style: Style) -> String {
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table.load_style(match style {
        Style::Terminal(_) => UTF8_FULL_CONDENSED,
        Style::Markdown => ASCII_MARKDOWN,
    });
    format!("{table}\n")
}
