//! The files of a run, in `target/report/`: the report as a page, as Markdown with its charts, and as JSON.

use super::tables::{Style, render};
use super::{charts, page};
use crate::results::report::Report;
use crate::shared::places::Places;
use anyhow::{Context, Result};
use std::fs;

/// Writes the report for people and, as `report.json`, for programs.
pub fn write(report: &Report, places: &Places) -> Result<()> {
    charts::write(report, &places.report.join(charts::FOLDER))?;
    let files = [
        ("report.md", render(report, Style::Markdown)),
        ("report.json", serde_json::to_string_pretty(report)?),
        ("index.html", page::render(report, places)?),
    ];
    for (name, content) in files {
        let path = places.report.join(name);
        fs::write(&path, content).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}
