//! The report's charts as SVG: `canvas` is what they are drawn on, and each of the others draws one chart or a part of
//! charts.

mod axis;
pub mod canvas;
pub mod code_sizes;
mod frame;
mod labels;
mod marks;
pub mod memory_over_rounds;
pub mod time_and_memory;
pub mod workers;

use crate::render::overview::Overview;
use crate::results::figure::Figure;
use crate::results::report::Report;
use anyhow::Result;
use canvas::Format;
use memory_over_rounds::Curves;
use workers::Bars;

/// The folder of the charts beside a document that shows them.
pub const FOLDER: &str = "charts";

/// A chart that documents show.
pub struct Chart {
    /// The name of its file.
    pub file: &'static str,
    /// What the file holds.
    pub svg: String,
}

/// The charts of `report` that it has the figures for.
pub fn draw(report: &Report) -> Result<Vec<Chart>> {
    let mut charts = vec![
        Chart {
            file: time_and_memory::FILE,
            svg: time_and_memory::draw(&Overview::of(report), Format::WIDE)?,
        },
        Chart {
            file: code_sizes::FILE,
            svg: code_sizes::draw(report, Format::WIDE)?,
        },
    ];
    if let Some(curves) = Curves::of(report) {
        charts.push(Chart {
            file: memory_over_rounds::FILE,
            svg: curves.draw(Format::WIDE)?,
        });
    }
    charts.extend(draw_threads(report)?);
    Ok(charts)
}

/// The chart of the workers of `report`, if it has the figures for it.
pub fn draw_threads(report: &Report) -> Result<Option<Chart>> {
    let threads = report.threads.as_ref().and_then(Figure::measured);
    let draw = |bars: Bars| {
        anyhow::Ok(Chart {
            file: workers::FILE,
            svg: bars.draw(Format::WIDE)?,
        })
    };
    threads.and_then(Bars::of).map(draw).transpose()
}

/// A chart in a Markdown document, in `folder` beside it: its numbers in words, and the words that explain it below.
pub fn in_markdown(folder: &str, file: &str, alternative: &str, legend: &str) -> String {
    format!("![{alternative}]({folder}/{file})\n\n{legend}\n")
}
