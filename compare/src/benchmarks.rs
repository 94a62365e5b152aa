//! `BENCHMARKS.md`: the report as Markdown, with what the workloads favour and where our default allocator loses.

use crate::catalogue::Role;
use crate::charts;
use crate::places::Places;
use crate::report::{EARLY, Figure, LATE, LongLifeRow, Report};
use crate::tables::{self, Style};
use anyhow::{Context, Result};
use std::fs;

/// The allocator that the README shows first: the one whose losses are listed.
const OUR_DEFAULT: &str = "freeing-bump";

/// Writes the committed benchmark page.
pub fn write(report: &Report, places: &Places) -> Result<()> {
    let notes = places.compare.join("notes.md");
    let notes = fs::read_to_string(&notes).with_context(|| format!("cannot read {}", notes.display()))?;
    charts::write(report, &places.compare.join(charts::FOLDER))?;
    let charts = |folder: &str| format!("]({folder}{}/", charts::FOLDER);
    let page = format!(
        "{}\n{notes}\n{}",
        tables::render(report, Style::Markdown).replace(&charts(""), &charts("compare/")),
        losses(report)
    );
    let path = places.repository.join("BENCHMARKS.md");
    fs::write(&path, page).with_context(|| format!("cannot write {}", path.display()))?;
    println!(
        "{} and compare/{} hold this report: commit them",
        path.display(),
        charts::FOLDER
    );
    Ok(())
}

/// What `losses` lists; it stands under the heading.
const WHAT_COUNTS: &str = "\
In time in V8 and in linear memory: every workload in which another allocator has less. In memory over time: every
program whose memory rises with FreeingBump, or is more than with dlmalloc in the end. In code size: every allocator
with less code after wasm-opt -Oz. Allocators that never free are left out, and so are the others of this repository.
";

/// Everything in which our default allocator is worse than another that frees, as `WHAT_COUNTS` says.
fn losses(report: &Report) -> String {
    let mut list = Vec::new();
    for row in &report.workloads {
        let time = |id: &str| match &row.cells.get(id)?.v8 {
            Figure::Measured(time) => time.ratio,
            Figure::Missing(_) => None,
        };
        let memory = |id: &str| match &row.cells.get(id)?.memory {
            Figure::Measured(memory) => Some(memory.mebibytes()),
            Figure::Missing(_) => None,
        };
        list.extend(loss(report, &format!("`{}`, time", row.name), "", 2, time));
        list.extend(loss(report, &format!("`{}`, memory", row.name), " MiB", 2, memory));
    }
    list.extend(report.long_lives.iter().filter_map(|row| loss_over_time(report, row)));
    for profile in tables::profiles(report) {
        let bytes = |id: &str| {
            let mut sizes = report.sizes.iter();
            let size = sizes.find(|size| size.profile == profile && size.allocator == id)?;
            Some(size.over_floor.optimized as f64)
        };
        list.extend(loss(
            report,
            &format!("code size, profile `{profile}`"),
            " bytes",
            0,
            bytes,
        ));
    }
    if list.is_empty() {
        list.push("None of these.\n".to_owned());
    }
    format!("## Where FreeingBump loses\n\n{WHAT_COUNTS}\n{}", list.concat())
}

/// The line of one comparison, unless no other allocator that frees has a smaller figure; the best comes first.
fn loss(
    report: &Report,
    what: &str,
    unit: &str,
    digits: usize,
    figure: impl Fn(&str) -> Option<f64>,
) -> Option<String> {
    let ours = figure(OUR_DEFAULT)?;
    let mut better: Vec<(&str, f64)> = report
        .allocators
        .iter()
        .filter(|column| column.role != Role::Ours && column.frees)
        .filter_map(|column| Some((column.name.as_str(), figure(&column.id)?)))
        .filter(|(_, theirs)| *theirs < ours)
        .collect();
    if better.is_empty() {
        return None;
    }
    better.sort_by(|one, other| one.1.total_cmp(&other.1));
    let others: Vec<String> = better
        .iter()
        .map(|(name, figure)| format!("{name} {figure:.digits$}"))
        .collect();
    Some(format!("- {what}: {ours:.digits$}{unit}; {}\n", others.join(", ")))
}

/// The line of one long-lived program, unless its memory is steady, and no more than with the reference.
fn loss_over_time(report: &Report, row: &LongLifeRow) -> Option<String> {
    let reference = report.allocators.iter().find(|column| column.role == Role::Reference)?;
    let (ours, theirs) = (row.cells.get(OUR_DEFAULT)?, row.cells.get(&reference.id)?);
    let pages = |curve: &Figure<Vec<(u32, u32)>>, cycle| match curve {
        Figure::Measured(curve) => tables::pages_after(curve, cycle),
        Figure::Missing(_) => None,
    };
    let late = pages(ours, LATE);
    // One that did not get there has no figure, which is worse than any.
    let steady = late.is_some() && late == pages(ours, EARLY);
    let more = pages(theirs, LATE).is_some_and(|theirs| late.is_none_or(|late| late > theirs));
    (!steady || more).then(|| {
        format!(
            "- `{}`, memory over time: {}; {} {}\n",
            row.name,
            tables::curve_text(ours),
            reference.name,
            tables::curve_text(theirs)
        )
    })
}

#[cfg(test)]
mod tests {
    use super::losses;
    use crate::report::{EARLY, Figure, LATE, LongLifeRow, Report};
    use crate::sizes::{CodeSize, Size};
    use std::collections::BTreeMap;

    fn with_memory_over_time(ours: (u32, u32), dlmalloc: (u32, u32)) -> Report {
        let curve = |(early, late)| Figure::Measured(vec![(EARLY, early), (LATE, late)]);
        let mut report = Report::sample();
        report.long_lives.push(LongLifeRow {
            name: "service".to_owned(),
            about: String::new(),
            cells: BTreeMap::from([
                ("freeing-bump".to_owned(), curve(ours)),
                ("dlmalloc".to_owned(), curve(dlmalloc)),
            ]),
        });
        report
    }

    #[test]
    fn memory_that_rises_or_ends_above_dlmallocs_is_a_loss() {
        let rises = losses(&with_memory_over_time((16, 32), (32, 48)));
        assert!(
            rises.contains("- `service`, memory over time: 1.0 to 2.0 MiB; dlmalloc 2.0 to 3.0 MiB"),
            "{rises}"
        );
        let more = losses(&with_memory_over_time((32, 32), (16, 16)));
        assert!(
            more.contains("- `service`, memory over time: 2.0 MiB, no growth; dlmalloc 1.0 MiB"),
            "{more}"
        );
        let neither = losses(&with_memory_over_time((16, 16), (16, 16)));
        assert!(neither.contains("None of these."), "{neither}");
    }

    #[test]
    fn less_code_is_a_loss_but_not_that_of_an_allocator_that_never_frees() {
        let mut report = Report::sample();
        for (allocator, bytes) in [("freeing-bump", 2000), ("talc-claim", 1000), ("bump-floor", 100)] {
            report.sizes.push(CodeSize {
                allocator: allocator.to_owned(),
                profile: "size".to_owned(),
                over_floor: Size {
                    raw: bytes,
                    optimized: bytes,
                    gzipped: bytes,
                },
            });
        }
        let text = losses(&report);
        assert!(
            text.contains("- code size, profile `size`: 2000 bytes; talc claim 1000\n"),
            "{text}"
        );
    }
}
