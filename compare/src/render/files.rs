//! The files of a run, in `target/report/`: the report as a page, as Markdown with its charts, and as JSON.

use super::tables::{Style, render};
use super::{charts, page};
use crate::results::report::Report;
use crate::shared::places::Places;
use anyhow::{Context, Result};
use std::fs;

/// Writes the report for people and, as `report.json`, for programs.
pub fn write(report: &Report, places: &Places) -> Result<()> {
    let folder = places.report.join(charts::FOLDER);
    fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let charts = charts::draw(report)?.into_iter();
    let mut files: Vec<_> = charts.map(|chart| (folder.join(chart.file), chart.svg)).collect();
    files.extend([
        (places.report.join("report.md"), render(report, Style::Markdown)),
        (places.report.join("report.json"), serde_json::to_string_pretty(report)?),
        (places.report.join("index.html"), page::render(report, places)?),
    ]);
    for (path, content) in files {
        fs::write(&path, content).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}
