//! The report as one HTML page that needs no other file: `index.html`.

use super::charts::canvas::Format;
use super::charts::time_and_memory;
use crate::render::overview::Overview;
use crate::render::story;
use crate::results::report::Report;
use crate::shared::catalogue::Family;
use crate::shared::places::Places;
use anyhow::{Context, Result};
use serde::Serialize;
use std::fs;
use std::path::Path;

/// What the page shows beside the report itself.
#[derive(Serialize)]
struct Answers {
    /// What a person would say of the numbers.
    story: Vec<String>,
    overall: Answer,
    families: Vec<(Family, Answer)>,
    legend: &'static str,
}

/// The numbers of the allocators and their picture, as SVG for a wide screen and for a phone.
#[derive(Serialize)]
struct Answer {
    overview: Overview,
    wide: String,
    narrow: String,
}

impl Answer {
    fn of(overview: Overview) -> Result<Self> {
        Ok(Answer {
            wide: time_and_memory::draw(&overview, Format::WIDE)?,
            narrow: time_and_memory::draw(&overview, Format::NARROW)?,
            overview,
        })
    }
}

impl Answers {
    fn of(report: &Report) -> Result<Self> {
        let families = report
            .families()
            .into_iter()
            .map(|family| Ok((family, Answer::of(Overview::of_family(report, family))?)));
        let overview = Overview::of(report);
        Ok(Answers {
            story: story::of(&overview.lines),
            overall: Answer::of(overview)?,
            families: families.collect::<Result<_>>()?,
            legend: time_and_memory::LEGEND,
        })
    }
}

/// The page with the report, its style, its script and the libraries that it uses inside.
pub fn render(report: &Report, places: &Places) -> Result<String> {
    let folder = places.compare.join("page");
    let libraries = places.packages();
    let mut page = read(&folder.join("index.html"))?;
    let parts = [
        ("page.css", read(&folder.join("page.css"))?),
        ("report.json", data(report)?),
        ("answers.json", data(&Answers::of(report)?)?),
        (
            "plotly",
            library(&libraries.join("plotly.js-basic-dist-min/plotly-basic.min.js"))?,
        ),
        (
            "sortable",
            library(&libraries.join("sortable-tablesort/dist/sortable.min.js"))?,
        ),
        ("page.js", read(&folder.join("page.js"))?),
    ];
    for (name, content) in parts {
        page = page.replacen(&format!("/*{{{name}}}*/"), &content, 1);
    }
    Ok(page)
}

/// Data as JSON, in which nothing ends the element that it is put into.
fn data(data: &impl Serialize) -> Result<String> {
    Ok(serde_json::to_string(data)?.replace("</", "<\\/"))
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

/// A library's text, in which nothing ends the element that it is put into.
fn library(path: &Path) -> Result<String> {
    let text = read(path).context("run `cargo make report`, which installs the page's libraries with npm")?;
    Ok(text.replace("</script", "<\\/script"))
}

#[cfg(test)]
mod tests {
    use super::render;
    use crate::results::sample;
    use crate::shared::places::Places;
    use std::fs;

    #[test]
    #[ignore = "needs the page's libraries: `cargo make test-page` installs them and opens what this writes in Chromium"]
    fn a_page_of_every_allocator_and_workload_is_written() {
        let places = Places::of_this_checkout();
        let folder = places.report.join("sample");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("index.html"), render(&sample::report(), &places).unwrap()).unwrap();
    }
}
