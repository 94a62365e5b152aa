//! The report's charts as SVG: `canvas` is what they are drawn on, and each of the others draws one chart or a part of
//! charts.

mod axis;
pub mod canvas;
pub mod code_sizes;
mod labels;
mod marks;
pub mod time_and_memory;

use crate::render::overview::Overview;
use crate::results::report::Report;
use anyhow::{Context, Result};
use canvas::Format;
use std::fs;
use std::path::Path;

/// The folder of the charts beside a document that shows them.
pub const FOLDER: &str = "charts";

/// Writes the charts of `report` for documents into `folder`.
pub fn write(report: &Report, folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let charts = [
        (
            time_and_memory::FILE,
            time_and_memory::draw(&Overview::of(report), Format::WIDE)?,
        ),
        (code_sizes::FILE, code_sizes::draw(report, Format::WIDE)?),
    ];
    for (name, chart) in charts {
        let path = folder.join(name);
        fs::write(&path, chart).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}
