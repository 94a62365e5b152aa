//! `BENCHMARKS.md`: the report as Markdown, with what the workloads favour and where our default allocator loses.

use crate::render::charts;
use crate::render::marked_part::MarkedPart;
use crate::render::tables::{self, Style};
use crate::results::figure::{Figure, pages_after};
use crate::results::long_life::{EARLY, LATE, LongLifeRow};
use crate::results::product::{CallFigures, PRODUCT_CALLS, ProductCell, ProductRow};
use crate::results::report::Report;
use crate::results::workload::Row;
use crate::shared::catalogue::Role;
use anyhow::Result;

/// The allocator that the README shows first: the one whose losses are listed.
const OUR_DEFAULT: &str = "freeing-bump";

/// Where the section on threads stands, which can be measured and written alone.
const THREADS: MarkedPart = MarkedPart {
    file: "BENCHMARKS.md",
    before: "<!-- threads: written by cargo make benchmarks and cargo make benchmarks-threads -->",
    after: "<!-- end of threads -->",
};

/// The committed benchmark page, with the `notes` that are the same for every run.
///
/// Where the report has no figures of threads, the section on them stays as it is in `old`, the page before: it says itself
/// when it was measured.
pub fn render(report: &Report, notes: &str, old: Option<&str>) -> String {
    let has_threads = matches!(report.threads, Some(Figure::Measured(_)));
    let kept = old
        .and_then(|old| THREADS.find(old).ok())
        .map(|[_, part, _]| part.trim());
    let threads = match kept {
        Some(kept) if !has_threads && !kept.is_empty() => format!("{kept}\n"),
        _ => threads_section(report),
    };
    format!(
        "{}\n{}\n\n{threads}\n{}\n\n{notes}\n{}",
        beside_the_root(&tables::without_threads(report, Style::Markdown)),
        THREADS.before,
        THREADS.after,
        losses(report)
    )
}

/// The benchmark page `old` with the figures of threads in `report`, and nothing else changed.
pub fn with_threads(old: &str, report: &Report) -> Result<String> {
    THREADS.replace(old, &threads_section(report))
}

fn threads_section(report: &Report) -> String {
    let section = report
        .threads
        .as_ref()
        .map_or(String::new(), |threads| tables::threads(threads, Style::Markdown));
    beside_the_root(section.trim_start())
}

/// The same text in a document in the root folder.
fn beside_the_root(text: &str) -> String {
    let charts = |folder: &str| format!("]({folder}{}/", charts::FOLDER);
    text.replace(&charts(""), &charts("compare/"))
}

/// What `losses` lists; it stands under the heading.
const WHAT_COUNTS: &str = "\
A workload is listed where another allocator takes less time in V8 or less linear memory. Where a workload runs into a
limit of its memory, the bytes that were served are compared instead of the memory, and the time only with allocators that
serve at least as much. Memory over time is listed where it rises with FreeingBump, or is more than with dlmalloc in the
end. A product is listed where a time, the memory, or the module after wasm-opt -Oz and gzip is less with another
allocator. Code size is listed where another allocator has less code after wasm-opt -Oz. Allocators that never free are
left out, and so are the others of this repository.
";

/// Everything in which our default allocator is worse than another that frees, as `WHAT_COUNTS` says.
fn losses(report: &Report) -> String {
    let mut list = Vec::new();
    for row in &report.workloads {
        list.extend(losses_of(report, row));
    }
    list.extend(report.long_lives.iter().filter_map(|row| loss_over_time(report, row)));
    for row in &report.products {
        list.extend(product_losses(report, row));
    }
    for profile in tables::profiles(report) {
        let bytes = |id: &str| {
            let mut sizes = report.sizes.iter();
            let size = sizes.find(|size| size.profile == profile && size.allocator == id)?;
            Some(size.over_floor.optimized as f64)
        };
        let what = format!("code size, profile `{profile}`");
        list.extend(loss(report, &what, Unit(" bytes", 0), Better::Less, bytes));
    }
    if list.is_empty() {
        list.push("None of these.\n".to_owned());
    }
    format!("## Where FreeingBump loses\n\n{WHAT_COUNTS}\n{}", list.concat())
}

/// The unit that figures are written with, and their digits after the point.
struct Unit(&'static str, usize);

/// Which of two figures is the better one.
#[derive(Clone, Copy)]
enum Better {
    Less,
    More,
}

/// The lines of one workload.
fn losses_of(report: &Report, row: &Row) -> Vec<String> {
    let cell = |id: &str| row.cells.get(id);
    let served = |id: &str| cell(id)?.served.map(|served| served.bytes());
    let memory = |id: &str| match &cell(id)?.memory {
        Figure::Measured(memory) => Some(memory.mebibytes()),
        Figure::Missing(_) => None,
    };
    let time = |id: &str| match &cell(id)?.v8 {
        Figure::Measured(time) if served(id) >= served(OUR_DEFAULT) => time.ratio,
        _ => None,
    };
    let what = |what: &str| format!("`{}`, {what}", row.name);
    let mut list = vec![loss(report, &what("time"), Unit("", 2), Better::Less, time)];
    if row.limit_pages.is_some() {
        let kilobytes = |id: &str| Some(served(id)? as f64 / 1000.0);
        list.push(loss(report, &what("served"), Unit(" kB", 1), Better::More, kilobytes));
    } else {
        list.push(loss(report, &what("memory"), Unit(" MiB", 2), Better::Less, memory));
    }
    if let Some(rounds) = row.last_point() {
        let pages = |id: &str| cell(id)?.pages_after(rounds).map(f64::from);
        let what = what(&format!("memory after {rounds} rounds"));
        list.push(loss(report, &what, Unit(" pages", 0), Better::Less, pages));
    }
    list.into_iter().flatten().collect()
}

/// The lines of one product.
fn product_losses(report: &Report, row: &ProductRow) -> Vec<String> {
    let name = &row.name;
    let last = format!("call {PRODUCT_CALLS}");
    let mut lines = call_losses(report, row, "the first call", |cell| &cell.first);
    lines.extend(call_losses(report, row, &last, |cell| &cell.last));
    let gzipped = |id: &str| Some(row.cells.get(id)?.size.gzipped as f64 / 1000.0);
    let module = format!("`{name}`, module after wasm-opt -Oz and gzip");
    lines.extend(loss(report, &module, Unit(" kB", 1), Better::Less, gzipped));
    lines
}

/// The lines of one of a product's calls.
fn call_losses(report: &Report, row: &ProductRow, which: &str, call: fn(&ProductCell) -> &CallFigures) -> Vec<String> {
    let name = &row.name;
    let time = |id: &str| call(row.cells.get(id)?).milliseconds();
    let pages = |id: &str| call(row.cells.get(id)?).pages().map(f64::from);
    let time = loss(
        report,
        &format!("`{name}`, time of {which}"),
        Unit(" ms", 1),
        Better::Less,
        time,
    );
    let memory = loss(
        report,
        &format!("`{name}`, memory after {which}"),
        Unit(" pages", 0),
        Better::Less,
        pages,
    );
    time.into_iter().chain(memory).collect()
}

/// The line of one comparison, unless no other allocator that frees has a better figure; the best comes first.
fn loss(
    report: &Report,
    what: &str,
    Unit(unit, digits): Unit,
    better: Better,
    figure: impl Fn(&str) -> Option<f64>,
) -> Option<String> {
    let rank = |figure: f64| match better {
        Better::Less => figure,
        Better::More => -figure,
    };
    let ours = figure(OUR_DEFAULT)?;
    let mut others: Vec<(&str, f64)> = report
        .allocators
        .iter()
        .filter(|column| column.role != Role::Ours && column.frees)
        .filter_map(|column| Some((column.name.as_str(), figure(&column.id)?)))
        .filter(|(_, theirs)| rank(*theirs) < rank(ours))
        .collect();
    if others.is_empty() {
        return None;
    }
    others.sort_by(|one, other| rank(one.1).total_cmp(&rank(other.1)));
    let others: Vec<String> = others
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
        Figure::Measured(curve) => pages_after(curve, cycle),
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
    use super::{losses, render, with_threads};
    use crate::results::figure::{Figure, Memory, Time};
    use crate::results::long_life::{EARLY, LATE, LongLifeRow};
    use crate::results::outcome::Served;
    use crate::results::product::{CallFigures, ProductCell, ProductRow};
    use crate::results::report::Report;
    use crate::results::sample;
    use crate::results::size::{CodeSize, Size};
    use crate::results::statistics::Summary;
    use crate::results::workload::{Cell, Row};
    use crate::shared::catalogue::Family;
    use std::collections::BTreeMap;

    #[test]
    fn the_section_on_threads_stays_where_a_report_has_none_and_is_replaced_alone_where_it_has_nothing_else() {
        let report = sample::report();
        let page = render(&report, "## Notes\n", None);
        assert!(page.contains("](compare/charts/workers.svg)"), "{page}");
        let mut without = report.clone();
        for missing in [None, Some(Figure::Missing("SKIPPED".to_owned()))] {
            without.threads = missing;
            assert_eq!(render(&without, "## Notes\n", Some(&page)), page);
        }
        let mut alone = Report::sample();
        alone.threads = report.threads.clone();
        assert_eq!(with_threads(&page, &alone).unwrap(), page);
        if let Some(Figure::Measured(threads)) = &mut alone.threads {
            threads.date = "2027-07-07".to_owned();
        }
        let changed = with_threads(&page, &alone).unwrap();
        assert_eq!(changed.replace("2027-07-07", "2026-02-02 12:00 UTC"), page);
        assert_ne!(changed, page);
    }

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

    /// A report with one workload, in which each allocator served these bytes, in this multiple of the reference's time.
    fn with_limit(cells: &[(&str, u32, f64)]) -> Report {
        let cell = |&(id, bytes, ratio): &(&str, u32, f64)| {
            let milliseconds = Summary::of(&[ratio]).unwrap();
            let time = Time {
                milliseconds,
                ratio: Some(ratio),
            };
            let served = Served {
                bytes_before_refusal: bytes,
                ..Served::default()
            };
            (id.to_owned(), Cell::sample(Figure::Measured(time), Some(served)))
        };
        let mut report = Report::sample();
        report.workloads.push(Row {
            name: "full".to_owned(),
            family: Family::Reported,
            about: String::new(),
            report: None,
            limit_pages: Some(64),
            peak_live_bytes: 1,
            cells: cells.iter().map(cell).collect(),
        });
        report
    }

    #[test]
    fn at_a_limit_less_that_is_served_is_a_loss() {
        let text = losses(&with_limit(&[
            ("freeing-bump", 1000, 1.0),
            ("dlmalloc", 3000, 1.0),
            ("rlsf", 500, 1.0),
        ]));
        assert!(text.contains("- `full`, served: 1.0 kB; dlmalloc 3.0\n"), "{text}");
        assert!(
            !text.contains("`full`, time") && !text.contains("`full`, memory"),
            "{text}"
        );
    }

    #[test]
    fn at_a_limit_less_time_is_a_loss_only_against_one_that_serves_as_much() {
        let text = losses(&with_limit(&[
            ("freeing-bump", 1000, 1.0),
            ("dlmalloc", 1000, 0.5),
            ("rlsf", 500, 0.25),
        ]));
        assert!(text.contains("- `full`, time: 1.00; dlmalloc 0.50\n"), "{text}");
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

    #[test]
    fn a_product_that_needs_more_of_anything_than_with_another_allocator_is_a_loss() {
        let cell = |milliseconds: f64, pages: u32, gzipped: i64| {
            let call = CallFigures {
                time: Figure::Measured(Time {
                    milliseconds: Summary::of(&[milliseconds]).unwrap(),
                    ratio: None,
                }),
                memory: Figure::Measured(Memory { pages, heap_base: 0 }),
            };
            ProductCell {
                first: call.clone(),
                last: call,
                size: Size {
                    raw: 0,
                    optimized: 0,
                    gzipped,
                },
            }
        };
        let mut report = Report::sample();
        report.products.push(ProductRow {
            name: "jaq".to_owned(),
            about: String::new(),
            cells: BTreeMap::from([
                ("freeing-bump".to_owned(), cell(25.0, 30, 593_000)),
                ("talc-extend".to_owned(), cell(30.0, 29, 588_000)),
            ]),
        });
        let text = losses(&report);
        assert!(
            text.contains("- `jaq`, memory after the first call: 30 pages; talc extend 29\n"),
            "{text}"
        );
        assert!(
            text.contains("- `jaq`, memory after call 50: 30 pages; talc extend 29\n"),
            "{text}"
        );
        assert!(
            text.contains("- `jaq`, module after wasm-opt -Oz and gzip: 593.0 kB; talc extend 588.0\n"),
            "{text}"
        );
        assert!(!text.contains("`jaq`, time"), "{text}");
    }
}
