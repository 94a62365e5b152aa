//! `BENCHMARKS.md`: the report as Markdown, with what the workloads favour and where our default allocator loses.

use crate::catalogue::Role;
use crate::places::Places;
use crate::report::{Cell, Figure, Report, Row};
use crate::tables::{self, Style};
use anyhow::{Context, Result};
use std::fmt::Write;
use std::fs;

/// The allocator that the README shows first: the one whose losses are listed.
const OUR_DEFAULT: &str = "freeing-bump";

/// Writes the committed benchmark page.
pub fn write(report: &Report, places: &Places) -> Result<()> {
    let notes = places.compare.join("notes.md");
    let notes = fs::read_to_string(&notes).with_context(|| format!("cannot read {}", notes.display()))?;
    let page = format!(
        "{}\n{notes}\n{}",
        tables::render(report, Style::Markdown),
        losses(report)
    );
    let path = places.repository.join("BENCHMARKS.md");
    fs::write(&path, page).with_context(|| format!("cannot write {}", path.display()))?;
    println!("{} holds this report: commit it", path.display());
    Ok(())
}

/// Every workload in which another allocator that frees is faster, or gets by with less memory.
fn losses(report: &Report) -> String {
    let mut out = String::from("## Where FreeingBump loses\n\n");
    let before = out.len();
    for row in &report.workloads {
        let Some(Cell { v8, memory, .. }) = row.cells.get(OUR_DEFAULT) else {
            continue;
        };
        let time = match v8 {
            Figure::Measured(time) => time.ratio,
            Figure::Missing(_) => None,
        };
        let pages = match memory {
            Figure::Measured(memory) => Some(f64::from(memory.pages)),
            Figure::Missing(_) => None,
        };
        let faster = better(report, row, time, |cell| match &cell.v8 {
            Figure::Measured(time) => time.ratio,
            Figure::Missing(_) => None,
        });
        let smaller = better(report, row, pages, |cell| match &cell.memory {
            Figure::Measured(memory) => Some(f64::from(memory.pages)),
            Figure::Missing(_) => None,
        });
        for (what, unit, ours, others) in [
            ("time", "", time, faster),
            ("memory", " MiB", pages.map(mebibytes), {
                smaller
                    .into_iter()
                    .map(|(name, pages)| (name, mebibytes(pages)))
                    .collect()
            }),
        ] {
            if let Some(ours) = ours
                && !others.is_empty()
            {
                let list: Vec<String> = others
                    .iter()
                    .map(|(name, figure)| format!("{name} {figure:.2}"))
                    .collect();
                // Writing to a string cannot fail.
                let _ = writeln!(out, "- `{}`, {what}: {ours:.2}{unit}; {}", row.name, list.join(", "));
            }
        }
    }
    if out.len() == before {
        out.push_str("In no workload of this report is another allocator faster or smaller.\n");
    }
    out
}

fn mebibytes(pages: f64) -> f64 {
    pages / 16.0
}

/// The allocators of others whose figure is below `ours`, with it, the best one first.
fn better(report: &Report, row: &Row, ours: Option<f64>, figure: impl Fn(&Cell) -> Option<f64>) -> Vec<(String, f64)> {
    let mut better: Vec<(String, f64)> = report
        .allocators
        .iter()
        .filter(|column| column.role != Role::Ours)
        .filter_map(|column| Some((column.name.clone(), figure(row.cells.get(&column.id)?)?)))
        .filter(|(_, theirs)| ours.is_some_and(|ours| *theirs < ours))
        .collect();
    better.sort_by(|one, other| one.1.total_cmp(&other.1));
    better
}
