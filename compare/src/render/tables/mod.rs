//! The report as tables: once for the terminal and once as Markdown, with the same content. Profiles of heaps as tables.

mod heap_profile;
mod products;
mod reported;
mod style;
mod threads;

pub use heap_profile::text as heap_profile;
pub use style::{Style, drawn};
use style::{heading, picture};
pub use threads::section as threads;

use crate::render::charts::memory_over_rounds::{self, Curves};
use crate::render::charts::{code_sizes, time_and_memory};
use crate::render::overview::Overview;
use crate::results::figure::{Figure, Memory, Time, pages_after};
use crate::results::long_life::{EARLY, LATE};
use crate::results::product::PRODUCT_CALLS;
use crate::results::report::{Column, Report};
use crate::results::size::CodeSize;
use crate::results::statistics::WIDE_SPREAD;
use crate::results::workload::{Cell, JSC_WARM_UP_RUNS, Row};
use crate::shared::catalogue::{Family, Role};
use comfy_table::Table;
use std::fmt::Write;

/// One kind of table: what its cells say, and what its last line averages.
struct Measure {
    title: &'static str,
    in_quick_mode: bool,
    of_programs_only: bool,
    text: fn(&Row, &Cell) -> String,
    ratio: fn(&Row, &Cell) -> Option<f64>,
}

impl Measure {
    /// Whether a report has such a table of this family.
    fn is_in(&self, report: &Report, family: Family) -> bool {
        (report.full || self.in_quick_mode) && (family == Family::Programs || !self.of_programs_only)
    }
}

const MEASURES: [Measure; 8] = [
    Measure {
        title: "time in V8 and linear memory",
        in_quick_mode: true,
        of_programs_only: false,
        text: |_, cell| time_and_memory_text(&cell.v8, &cell.memory),
        ratio: |_, cell| time_ratio(&cell.v8),
    },
    Measure {
        title: "executed instructions",
        in_quick_mode: true,
        of_programs_only: false,
        text: |_, cell| match &cell.instructions {
            Figure::Missing(reason) => reason.clone(),
            Figure::Measured(count) => match count.ratio {
                Some(ratio) => format!("{ratio:.3}"),
                None => format!("{} in all", count.instructions),
            },
        },
        ratio: |_, cell| match &cell.instructions {
            Figure::Measured(count) => count.ratio,
            Figure::Missing(_) => None,
        },
    },
    Measure {
        title: "instructions beyond the program's own work",
        in_quick_mode: true,
        of_programs_only: false,
        text: |_, cell| match &cell.allocation {
            Figure::Missing(reason) => reason.clone(),
            Figure::Measured(ratio) => format!("{ratio:.2}"),
        },
        ratio: |_, cell| match &cell.allocation {
            Figure::Measured(ratio) => Some(*ratio),
            Figure::Missing(_) => None,
        },
    },
    Measure {
        title: "heap over the most live bytes asked for",
        in_quick_mode: true,
        of_programs_only: false,
        text: |row, cell| match &cell.memory {
            Figure::Measured(memory) => format!("{:.2}", memory.heap_ratio(row.peak_live_bytes)),
            Figure::Missing(reason) => reason.clone(),
        },
        ratio: |row, cell| match &cell.memory {
            Figure::Measured(memory) => Some(memory.heap_ratio(row.peak_live_bytes)),
            Figure::Missing(_) => None,
        },
    },
    Measure {
        title: "time in V8 and linear memory after 100 rounds in one instance",
        in_quick_mode: false,
        of_programs_only: true,
        text: |_, cell| time_and_memory_text(&cell.v8_later, &cell.memory_later),
        ratio: |_, cell| time_ratio(&cell.v8_later),
    },
    Measure {
        title: "time in V8 with default tiering",
        in_quick_mode: false,
        of_programs_only: false,
        text: |_, cell| time_text(&cell.v8_tiered),
        ratio: |_, cell| time_ratio(&cell.v8_tiered),
    },
    Measure {
        title: "time in JavaScriptCore",
        in_quick_mode: false,
        of_programs_only: false,
        text: |_, cell| time_text(&cell.javascriptcore),
        ratio: |_, cell| time_ratio(&cell.javascriptcore),
    },
    Measure {
        title: "time in wasmtime",
        in_quick_mode: false,
        of_programs_only: false,
        text: |_, cell| time_text(&cell.wasmtime),
        ratio: |_, cell| time_ratio(&cell.wasmtime),
    },
];

/// The whole report as text.
pub fn render(report: &Report, style: Style) -> String {
    let mut out = without_threads(report, style);
    if let Some(figures) = &report.threads {
        out.push_str(&threads(figures, style));
    }
    out
}

/// The report without the section on threads, which has versions of its own.
pub fn without_threads(report: &Report, style: Style) -> String {
    let mut out = String::new();
    heading(&mut out, style, 1, "Allocators for wasm32 modules, compared");
    out.push_str(&answer(report, style));
    heading(&mut out, style, 2, "How to read the tables");
    out.push_str(&explanation(report));
    if style == Style::Markdown {
        heading(&mut out, style, 2, "Allocators");
        for column in &report.allocators {
            // Writing to a string cannot fail.
            let _ = writeln!(out, "- {}: {}", column.name, column.description);
        }
    }
    for family in report.families() {
        if style == Style::Markdown {
            heading(&mut out, style, 2, family.title());
            for row in report.rows(family) {
                // Writing to a string cannot fail.
                let _ = writeln!(out, "- `{}`: {}", row.name, row.about);
            }
        }
        for measure in MEASURES.iter().filter(|measure| measure.is_in(report, family)) {
            heading(&mut out, style, 3, &format!("{}: {}", family.title(), measure.title));
            for columns in groups(report, style) {
                out.push_str(&drawn(workload_table(report, family, &columns, measure), style));
            }
        }
    }
    if report.rows(Family::Reported).next().is_some() {
        out.push_str(&reported_tables(report, style));
    }
    if !report.long_lives.is_empty() {
        let title = format!("Memory over time: after cycle {EARLY} and after cycle {LATE}");
        heading(&mut out, style, 2, &title);
        if style == Style::Markdown {
            for row in &report.long_lives {
                // Writing to a string cannot fail.
                let _ = writeln!(out, "- `{}`: {}", row.name, row.about);
            }
            out.push('\n');
        }
        for columns in groups(report, style) {
            out.push_str(&drawn(long_life_table(report, &columns), style));
        }
    }
    if !report.products.is_empty() {
        out.push_str(&product_tables(report, style));
    }
    if style == Style::Markdown && !report.sizes.is_empty() {
        heading(&mut out, style, 2, "Code size");
        let alternative = code_sizes::alternative(report);
        picture(&mut out, code_sizes::FILE, &alternative, code_sizes::LEGEND);
    }
    for profile in profiles(report) {
        let title = format!("Code size, profile `{profile}`");
        heading(&mut out, style, 2, &title);
        out.push_str(&drawn(size_table(report, &profile), style));
    }
    heading(&mut out, style, 2, "Versions");
    out.push_str(&versions(report));
    out
}

/// The three numbers of each allocator, and what they mean.
fn answer(report: &Report, style: Style) -> String {
    let overview = Overview::of(report);
    let number = |number: Option<f64>| number.map_or("none".to_owned(), |number| format!("{number:.2}"));
    let mut table = Table::new();
    table.set_header(["allocator", "time", "memory", "code in bytes"]);
    for line in &overview.lines {
        table.add_row([
            line.marked_name(),
            number(line.time),
            number(line.memory),
            line.code_bytes.map_or("none".to_owned(), |bytes| bytes.to_string()),
        ]);
    }
    let mut out = String::new();
    if style == Style::Markdown {
        let alternative = time_and_memory::alternative(&overview);
        picture(&mut out, time_and_memory::FILE, &alternative, time_and_memory::LEGEND);
    }
    out.push_str(&drawn(table, style));
    out.push('\n');
    for sentence in overview.meaning.iter().chain(&overview.remarks) {
        // Writing to a string cannot fail.
        let _ = writeln!(out, "- {sentence}");
    }
    out
}

fn product_tables(report: &Report, style: Style) -> String {
    let mut out = String::new();
    heading(&mut out, style, 2, "Products");
    let reference = report
        .allocators
        .iter()
        .find(|column| column.role == Role::Reference)
        .map_or("", |column| &column.id);
    // Writing to a string cannot fail.
    let _ = writeln!(
        out,
        "Programs that people ship, in thin wrappers, compiled with opt-level 3 and fat LTO: the times of the first call in\n\
         an instance and of call {PRODUCT_CALLS}, the pages after each, and the size of the module. Ratios are in brackets. The engine\n\
         has compiled the module before the first call."
    );
    for row in &report.products {
        heading(&mut out, style, 3, &format!("{}: {}", row.name, row.about));
        out.push_str(&drawn(products::of_product(report, row, reference), style));
    }
    if report.products.len() > 1 {
        heading(&mut out, style, 3, "All products: geometric means of the ratios");
        out.push_str(&drawn(products::of_means(report, reference), style));
    }
    out
}

fn explanation(report: &Report) -> String {
    let name_of = |role| {
        let column = report.allocators.iter().find(|column| column.role == role);
        column.map_or("none", |column| &column.name)
    };
    let (reference, floor) = (name_of(Role::Reference), name_of(Role::Floor));
    format!(
        "Times and instructions are ratios to {reference}: below 1 is faster. ± is half the distance between the quartiles,\n\
         and `~` marks one of more than {:.0} %. A time is the median of up to {} interleaved runs after a warm-up, each in\n\
         a fresh instance. Unless the table says otherwise, the engine is V8 with --no-liftoff. JavaScriptCore has no such\n\
         switch: it is timed with its own tiering, after {JSC_WARM_UP_RUNS} runs that warm it up. MiB is the linear memory at the end,\n\
         with stack and static data. It never shrinks, so this is the peak. Instructions are counted as wasmtime's fuel\n\
         counter counts them. Those with {floor} count as the program's own work. A cell without figures says why.\n",
        WIDE_SPREAD * 100.0,
        report.runs,
    )
}

/// The tables of the workloads made after reports, which have no ratios in common that could be averaged.
fn reported_tables(report: &Report, style: Style) -> String {
    let mut out = String::new();
    heading(&mut out, style, 2, Family::Reported.title());
    out.push_str(reported::EXPLANATION);
    let reference = report.allocators.iter().find(|column| column.role == Role::Reference);
    let reference = reference.map_or("", |column| &column.id);
    for row in report.rows(Family::Reported) {
        heading(&mut out, style, 3, &row.name);
        let source = row
            .report
            .as_deref()
            .map_or(String::new(), |address| format!(" ({address})"));
        // Writing to a string cannot fail.
        let _ = writeln!(out, "{}{source}\n", row.about);
        if let (Style::Markdown, memory_over_rounds::WORKLOAD, Some(curves)) =
            (style, row.name.as_str(), Curves::of(report))
        {
            let alternative = curves.alternative();
            picture(&mut out, memory_over_rounds::FILE, &alternative, &curves.legend());
        }
        out.push_str(&drawn(reported::table(report, row, reference), style));
    }
    out
}

/// The columns of each table: all of them in Markdown, as many as fit on a terminal.
fn groups(report: &Report, style: Style) -> Vec<Vec<Column>> {
    const ROW_NAME_WIDTH: usize = 28;
    const COLUMN_WIDTH: usize = 23;
    match style {
        Style::Markdown => vec![report.allocators.clone()],
        Style::Terminal(width) => {
            let fitting = (width.saturating_sub(ROW_NAME_WIDTH) / COLUMN_WIDTH).max(2);
            report.allocators.chunks(fitting).map(<[Column]>::to_vec).collect()
        }
    }
}

fn workload_table(report: &Report, family: Family, columns: &[Column], measure: &Measure) -> Table {
    let mut table = Table::new();
    table.set_header(std::iter::once("workload").chain(columns.iter().map(|column| column.name.as_str())));
    for row in report.rows(family) {
        let cells = columns.iter().map(|column| match row.cells.get(&column.id) {
            Some(cell) => (measure.text)(row, cell),
            None => "not measured".to_owned(),
        });
        table.add_row(std::iter::once(row.name.clone()).chain(cells));
    }
    let means = columns.iter().map(|column| {
        report
            .mean(family, &column.id, measure.ratio)
            .map_or("not all have one".to_owned(), |mean| format!("{mean:.2}"))
    });
    table.add_row(std::iter::once("geometric mean".to_owned()).chain(means));
    table
}

fn long_life_table(report: &Report, columns: &[Column]) -> Table {
    let mut table = Table::new();
    table.set_header(std::iter::once("program").chain(columns.iter().map(|column| column.name.as_str())));
    for row in &report.long_lives {
        let cells = columns.iter().map(|column| match row.cells.get(&column.id) {
            Some(curve) => curve_text(curve),
            None => "not measured".to_owned(),
        });
        table.add_row(std::iter::once(row.name.clone()).chain(cells));
    }
    table
}

/// A table's text for one curve.
pub fn curve_text(curve: &Figure<Vec<(u32, u32)>>) -> String {
    let mebibytes = |pages| f64::from(pages) / 16.0;
    match curve {
        Figure::Missing(reason) => reason.clone(),
        Figure::Measured(curve) => match (pages_after(curve, EARLY), pages_after(curve, LATE)) {
            (Some(early), Some(late)) if early == late => format!("{:.1} MiB, no growth", mebibytes(late)),
            (Some(early), Some(late)) => format!("{:.1} to {:.1} MiB", mebibytes(early), mebibytes(late)),
            _ => "stopped early".to_owned(),
        },
    }
}

fn time_and_memory_text(time: &Figure<Time>, memory: &Figure<Memory>) -> String {
    match memory {
        Figure::Measured(memory) => format!("{}, {:.1} MiB", time_text(time), memory.mebibytes()),
        Figure::Missing(_) => time_text(time),
    }
}

fn time_text(time: &Figure<Time>) -> String {
    match time {
        Figure::Missing(reason) => reason.clone(),
        Figure::Measured(time) => {
            let mark = if time.milliseconds.is_wide() { "~" } else { "" };
            let spread = time.milliseconds.spread() * 100.0;
            match time.ratio {
                Some(ratio) => format!("{mark}{ratio:.2} ±{spread:.0} %"),
                None => format!("{mark}{:.1} ms ±{spread:.0} %", time.milliseconds.median),
            }
        }
    }
}

fn time_ratio(time: &Figure<Time>) -> Option<f64> {
    match time {
        Figure::Measured(time) => time.ratio,
        Figure::Missing(_) => None,
    }
}

/// The profiles whose code sizes the report has, in their order.
pub fn profiles(report: &Report) -> Vec<String> {
    let mut profiles: Vec<String> = report.sizes.iter().map(|size| size.profile.clone()).collect();
    profiles.dedup();
    profiles
}

fn size_table(report: &Report, profile: &str) -> Table {
    let mut table = Table::new();
    table.set_header([
        "bytes over an allocator that always fails",
        "raw",
        "wasm-opt -Oz",
        "wasm-opt -Oz, gzip",
    ]);
    let mut sizes: Vec<&CodeSize> = report.sizes.iter().filter(|size| size.profile == profile).collect();
    sizes.sort_by_key(|size| size.over_floor.optimized);
    for size in sizes {
        let name = report
            .allocators
            .iter()
            .find(|column| column.id == size.allocator)
            .map_or(size.allocator.as_str(), |column| &column.name);
        let over = size.over_floor;
        table.add_row([
            name.to_owned(),
            over.raw.to_string(),
            over.optimized.to_string(),
            over.gzipped.to_string(),
        ]);
    }
    table
}

fn versions(report: &Report) -> String {
    let versions = &report.versions;
    let mut out = format!(
        "- date: {}\n- command: `{}`\n- commit: {}\n- machine: {}\n- {}\n- node {}, V8 {}\n{}{}- {}\n",
        report.date,
        report.command,
        versions.commit,
        versions.machine,
        versions.rustc,
        versions.node,
        versions.v8,
        versions
            .javascriptcore
            .as_ref()
            .map_or(String::new(), |engine| format!("- {engine}\n")),
        versions
            .wasmtime
            .as_ref()
            .map_or(String::new(), |version| format!("- wasmtime {version}\n")),
        versions.wasm_opt
    );
    for column in &report.allocators {
        if let Some(version) = versions.allocators.get(&column.id) {
            // Writing to a string cannot fail.
            let _ = writeln!(out, "- {}: {version}", column.name);
        }
    }
    for (product, version) in &versions.products {
        // Writing to a string cannot fail.
        let _ = writeln!(out, "- the product {product}: {version}");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{MEASURES, Style, curve_text, render};
    use crate::results::figure::Figure;
    use crate::results::long_life::{EARLY, LATE};
    use crate::results::report::Report;
    use crate::results::sample;
    use crate::results::workload::EARLIER_ROUNDS;

    #[test]
    fn the_markdown_says_of_each_allocator_what_it_is() {
        let text = render(&Report::sample(), Style::Markdown);
        assert!(
            text.contains("- talc claim: The variant that talc's documentation gives for the least code"),
            "{text}"
        );
    }

    #[test]
    fn the_answer_comes_before_the_explanation() {
        for style in [Style::Terminal(120), Style::Markdown] {
            let text = render(&sample::report(), style);
            let places = ["code in bytes", "below 1 is smaller", "How to read the tables"].map(|part| text.find(part));
            assert!(places[0].is_some() && places.is_sorted(), "{places:?} in {text}");
        }
    }

    #[test]
    fn the_markdown_shows_every_chart_with_its_numbers_in_words() {
        let text = render(&sample::report(), Style::Markdown);
        for (words, file) in [
            ("less is better: ", "time-and-memory.svg"),
            ("for speed: ", "code-sizes.svg"),
            ("rounds: ", "memory-over-rounds.svg"),
        ] {
            let shown = |line: &str| line.contains(words) && line.ends_with(&format!("](charts/{file})"));
            assert!(text.lines().any(shown), "{file} in {text}");
        }
    }

    #[test]
    fn the_table_of_programs_that_have_run_for_long_names_the_rounds_before() {
        let named = |title: &str| title.contains(&format!("after {EARLIER_ROUNDS} rounds"));
        assert_eq!(MEASURES.iter().filter(|measure| named(measure.title)).count(), 1);
    }

    #[test]
    fn growth_between_the_two_points_shows_and_its_absence_too() {
        let curve = |late| Figure::Measured(vec![(1, 16), (EARLY, 32), (LATE, late)]);
        assert_eq!(curve_text(&curve(32)), "2.0 MiB, no growth");
        assert_eq!(curve_text(&curve(320)), "2.0 to 20.0 MiB");
    }
}
