//! The tables of products: one for each, and one of the means, with a line for each allocator.

use crate::results::figure::Figure;
use crate::results::product::{CallFigures, PRODUCT_CALLS, ProductCell, ProductRow};
use crate::results::report::{Column, Report};
use crate::results::size::Size;
use crate::results::statistics::geometric_mean;
use comfy_table::Table;

/// One kind of figure.
struct Measure {
    title: fn() -> String,
    text: fn(&ProductCell, Option<&ProductCell>) -> String,
    ratio: fn(&ProductCell, &ProductCell) -> Option<f64>,
}

const MEASURES: [Measure; 7] = [
    Measure {
        title: || "first call".to_owned(),
        text: |cell, _| time_text(&cell.first),
        ratio: |cell, _| cell.first.time_ratio(),
    },
    Measure {
        title: || "pages".to_owned(),
        text: |cell, base| pages_text(&cell.first, base.map(|base| &base.first)),
        ratio: |cell, base| pages_ratio(&cell.first, &base.first),
    },
    Measure {
        title: || format!("call {PRODUCT_CALLS}"),
        text: |cell, _| time_text(&cell.last),
        ratio: |cell, _| cell.last.time_ratio(),
    },
    Measure {
        title: || "pages".to_owned(),
        text: |cell, base| pages_text(&cell.last, base.map(|base| &base.last)),
        ratio: |cell, base| pages_ratio(&cell.last, &base.last),
    },
    Measure {
        title: || "module, kB".to_owned(),
        text: |cell, base| size_text(cell, base, |size| size.raw),
        ratio: |cell, base| Some(size_ratio(cell, base, |size| size.raw)),
    },
    Measure {
        title: || "wasm-opt -Oz".to_owned(),
        text: |cell, base| size_text(cell, base, |size| size.optimized),
        ratio: |cell, base| Some(size_ratio(cell, base, |size| size.optimized)),
    },
    Measure {
        title: || "and gzip".to_owned(),
        text: |cell, base| size_text(cell, base, |size| size.gzipped),
        ratio: |cell, base| Some(size_ratio(cell, base, |size| size.gzipped)),
    },
];

/// The table of one product, with ratios to the allocator `reference`.
pub fn of_product(report: &Report, row: &ProductRow, reference: &str) -> Table {
    let base = row.cells.get(reference);
    let mut table = empty();
    for column in columns(report) {
        if let Some(cell) = row.cells.get(&column.id) {
            let texts = MEASURES.iter().map(|measure| (measure.text)(cell, base));
            table.add_row(std::iter::once(column.name.clone()).chain(texts));
        }
    }
    table
}

/// The table of the geometric means of all products' ratios to the allocator `reference`.
pub fn of_means(report: &Report, reference: &str) -> Table {
    let mut table = empty();
    for column in columns(report) {
        let means = MEASURES.iter().map(|measure| {
            let ratio = |row: &ProductRow| (measure.ratio)(row.cells.get(&column.id)?, row.cells.get(reference)?);
            let ratios: Option<Vec<f64>> = report.products.iter().map(ratio).collect();
            let mean = ratios.and_then(|ratios| geometric_mean(&ratios));
            mean.map_or("not all ran".to_owned(), |mean| format!("{mean:.3}"))
        });
        table.add_row(std::iter::once(column.name.clone()).chain(means));
    }
    table
}

fn empty() -> Table {
    let mut table = Table::new();
    table.set_header(std::iter::once("allocator".to_owned()).chain(MEASURES.iter().map(|measure| (measure.title)())));
    table
}

/// The allocators that ran products.
fn columns(report: &Report) -> impl Iterator<Item = &Column> {
    let ran = |column: &&Column| report.products.iter().any(|row| row.cells.contains_key(&column.id));
    report.allocators.iter().filter(ran)
}

fn time_text(call: &CallFigures) -> String {
    match &call.time {
        Figure::Missing(reason) => reason.clone(),
        Figure::Measured(time) => {
            let mark = if time.milliseconds.is_wide() { "~" } else { "" };
            let text = format!("{mark}{:.1} ms", time.milliseconds.median);
            with_ratio(text, time.ratio)
        }
    }
}

fn pages_text(call: &CallFigures, base: Option<&CallFigures>) -> String {
    let ratio = base.and_then(|base| pages_ratio(call, base));
    call.pages()
        .map_or("-".to_owned(), |pages| with_ratio(pages.to_string(), ratio))
}

fn pages_ratio(call: &CallFigures, base: &CallFigures) -> Option<f64> {
    Some(f64::from(call.pages()?) / f64::from(base.pages()?))
}

fn size_text(cell: &ProductCell, base: Option<&ProductCell>, bytes: fn(&Size) -> i64) -> String {
    let kilobytes = format!("{:.1}", bytes(&cell.size) as f64 / 1000.0);
    with_ratio(kilobytes, base.map(|base| size_ratio(cell, base, bytes)))
}

fn size_ratio(cell: &ProductCell, base: &ProductCell, bytes: fn(&Size) -> i64) -> f64 {
    bytes(&cell.size) as f64 / bytes(&base.size) as f64
}

fn with_ratio(text: String, ratio: Option<f64>) -> String {
    match ratio {
        Some(ratio) => format!("{text} ({ratio:.2})"),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::{of_means, of_product};
    use crate::results::figure::{Figure, Memory, Time};
    use crate::results::product::{CallFigures, ProductCell, ProductRow};
    use crate::results::report::Report;
    use crate::results::size::Size;
    use crate::results::statistics::Summary;
    use std::collections::BTreeMap;

    /// A cell whose calls take `milliseconds`, that of dlmalloc taking 10.
    fn cell(milliseconds: f64, pages: u32, bytes: i64) -> ProductCell {
        let call = CallFigures {
            time: Figure::Measured(Time {
                milliseconds: Summary::of(&[milliseconds]).unwrap(),
                ratio: Some(milliseconds / 10.0),
            }),
            memory: Figure::Measured(Memory { pages, heap_base: 0 }),
        };
        ProductCell {
            first: call.clone(),
            last: call,
            size: Size {
                raw: bytes,
                optimized: bytes,
                gzipped: bytes,
            },
        }
    }

    fn report(names: &[&str]) -> Report {
        let mut report = Report::sample();
        report.products = names
            .iter()
            .map(|name| ProductRow {
                name: (*name).to_owned(),
                about: String::new(),
                cells: BTreeMap::from([
                    ("dlmalloc".to_owned(), cell(10.0, 20, 1_000_000)),
                    ("freeing-bump".to_owned(), cell(8.0, 19, 1_010_000)),
                ]),
            })
            .collect();
        report
    }

    #[test]
    fn a_line_has_each_figure_and_its_ratio_and_allocators_that_did_not_run_have_none() {
        let report = report(&["jaq"]);
        let text = of_product(&report, &report.products[0], "dlmalloc").to_string();
        for figure in ["8.0 ms (0.80)", "19 (0.95)", "1010.0 (1.01)", "10.0 ms (1.00)"] {
            assert!(text.contains(figure), "{figure}: {text}");
        }
        assert!(!text.contains("wee_alloc"), "{text}");
    }

    #[test]
    fn an_allocator_that_failed_says_why_and_has_no_mean() {
        let mut report = report(&["jaq", "resvg"]);
        let cell = report.products[1].cells.get_mut("freeing-bump").unwrap();
        cell.first.time = Figure::Missing("trap: unreachable".to_owned());
        let text = of_product(&report, &report.products[1], "dlmalloc").to_string();
        assert!(text.contains("trap: unreachable"), "{text}");
        assert!(of_means(&report, "dlmalloc").to_string().contains("not all ran"));
    }

    #[test]
    fn the_means_are_over_all_products() {
        let text = of_means(&report(&["jaq", "resvg"]), "dlmalloc").to_string();
        assert!(text.contains("0.800") && text.contains("0.950"), "{text}");
    }
}
