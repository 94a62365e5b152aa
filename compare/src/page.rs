//! The report as one HTML page that needs no other file: `index.html`.

use crate::places::Places;
use crate::report::Report;
use anyhow::{Context, Result};
use std::fs;
use std::path::Path;

/// The page with the report, its style, its script and the libraries that it uses inside.
pub fn render(report: &Report, places: &Places) -> Result<String> {
    let folder = places.compare.join("page");
    let libraries = places.compare.join("node_modules");
    let data = serde_json::to_string(report)?;
    let mut page = read(&folder.join("index.html"))?;
    let parts = [
        ("page.css", read(&folder.join("page.css"))?),
        ("report.json", data.replace("</", "<\\/")),
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

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

/// A library's text, in which nothing ends the element that it is put into.
fn library(path: &Path) -> Result<String> {
    let text = read(path).context("run `cargo make report`, which installs the page's libraries with npm")?;
    Ok(text.replace("</script", "<\\/script"))
}
