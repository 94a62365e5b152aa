//! What several workers of one module do at once: a section of its own, with its own date and versions, so that it can be
//! published alone.

use super::style::{Style, drawn, heading, picture};
use crate::render::charts::workers::{self, Bars};
use crate::render::words::{short_commit, with_commas};
use crate::results::figure::Figure;
use crate::results::statistics::Summary;
use crate::results::threads::{Pace, ThreadCell, ThreadColumn, ThreadRow, Threads};
use crate::shared::catalogue::Compares;
use comfy_table::Table;
use std::fmt::Write;

/// The allocator whose losses are listed.
const OUR_DEFAULT: &str = "freeing-bump";

/// The heading of the section.
const TITLE: &str = "Threads: several workers of one module";

/// The section as text. Where nothing could be measured it says why.
pub fn section(threads: &Figure<Threads>, style: Style) -> String {
    let mut out = String::new();
    heading(&mut out, style, 2, TITLE);
    let threads = match threads {
        Figure::Measured(threads) => threads,
        Figure::Missing(reason) => {
            // Writing to a string cannot fail.
            let _ = writeln!(out, "{reason}");
            return out;
        }
    };
    out.push_str(&explanation(threads));
    out.push('\n');
    for column in &threads.allocators {
        let _ = writeln!(out, "- {}: {}{}", column.name, column.description, version(column));
        if let Some(reason) = &column.unsupported {
            let _ = writeln!(out, "  Not measured: {reason}.");
        }
    }
    if let (Style::Markdown, Some(bars)) = (style, Bars::of(threads)) {
        out.push('\n');
        picture(&mut out, workers::FILE, &bars.alternative(), workers::LEGEND);
    } else {
        out.push('\n');
    }
    for sentence in sentences(threads) {
        let _ = writeln!(out, "- {sentence}");
    }
    for row in &threads.rows {
        heading(&mut out, style, 3, &row.name);
        let _ = writeln!(out, "{}\n", row.about);
        let table = match row.compares {
            Compares::Work => table_of_work(threads, row),
            Compares::HandOver => table_of_hand_over(threads, row),
            Compares::Memory => table_of_memory(threads, row),
        };
        out.push_str(&drawn(table, style));
    }
    if !threads.sizes.is_empty() {
        heading(&mut out, style, 3, "Code and static data, with threads and without");
        out.push_str(&drawn(table_of_sizes(threads), style));
    }
    heading(&mut out, style, 3, "Where FreeingBump loses with threads");
    let losses = losses(threads);
    if losses.is_empty() {
        out.push_str("In none of these figures.\n");
    }
    for loss in losses {
        let _ = writeln!(out, "- {loss}");
    }
    out
}

fn explanation(threads: &Threads) -> String {
    format!(
        "Each worker is a thread with an instance of its own over one shared memory, in V8 with --no-liftoff. Workers start\n\
         together. ns are from one operation to the next, of all workers together: half as many with two workers is twice the\n\
         work. × is what workers do together over what one does. A time is the median of {} interleaved rounds, each in a\n\
         fresh memory and after a warm-up. ± is half the distance between the quartiles. Heaps are in pages of 64 KiB, without\n\
         stacks and static data. Modules and their standard library are compiled with opt-level 3 for\n\
         wasm32-unknown-unknown, with the target feature `atomics`. \"Without threads\" is the same program without it, by the\n\
         same compiler.\n\
         \n\
         Measured by `{}` at commit {} on {}: {}, {}, {}.\n",
        threads.rounds,
        threads.command,
        short_commit(&threads.commit),
        threads.date,
        threads.machine,
        threads.engine,
        threads.rustc,
    )
}

fn version(column: &ThreadColumn) -> String {
    match column.version.is_empty() {
        true => String::new(),
        false => format!(" ({})", column.version),
    }
}

/// What a person would say of the figures: a sentence or two for each allocator.
pub fn sentences(threads: &Threads) -> Vec<String> {
    threads
        .measured()
        .filter_map(|column| sentence(threads, column))
        .collect()
}

fn sentence(threads: &Threads, column: &ThreadColumn) -> Option<String> {
    let work = || {
        let rows = threads.rows.iter().filter(|row| row.compares == Compares::Work);
        rows.filter_map(|row| Some((row, row.cells.get(&column.id)?)))
    };
    let two: Vec<String> = work()
        .filter_map(|(row, cell)| Some(format!("{:.2} (`{}`)", cell.scaling(2)?, row.name)))
        .collect();
    let price: Vec<String> = work()
        .filter_map(|(row, cell)| Some(format!("{:.2} (`{}`)", cell.price()?, row.name)))
        .collect();
    let mut parts = Vec::new();
    if !two.is_empty() {
        parts.push(format!("two workers do {} times the work of one", listed(&two)));
    }
    if !price.is_empty() {
        parts.push(format!(
            "one worker takes {} times the time of a build without threads",
            listed(&price)
        ));
    }
    (!parts.is_empty()).then(|| format!("{}: {}.", column.name, parts.join("; ")))
}

/// Words with commas between them, and "and" before the last.
fn listed(words: &[String]) -> String {
    match words {
        [before @ .., last] if !before.is_empty() => format!("{} and {last}", before.join(", ")),
        _ => words.concat(),
    }
}

fn workers_text(workers: u32) -> String {
    match workers {
        1 => "1 worker".to_owned(),
        _ => format!("{workers} workers"),
    }
}

/// Nanoseconds or, where they are many, microseconds from one operation to the next.
fn time_text(pace: &Pace) -> String {
    let nanoseconds = pace.nanoseconds();
    let spread = pace.operations_per_second.spread() * 100.0;
    let mark = if pace.operations_per_second.is_wide() { "~" } else { "" };
    match nanoseconds {
        10_000.0.. => format!("{mark}{:.1} µs ±{spread:.0} %", nanoseconds / 1000.0),
        _ => format!("{mark}{nanoseconds:.1} ns ±{spread:.0} %"),
    }
}

fn text_of(figure: Option<&Figure<Pace>>, text: impl FnOnce(&Pace) -> String) -> String {
    match figure {
        None => "not measured".to_owned(),
        Some(Figure::Missing(reason)) => reason.clone(),
        Some(Figure::Measured(pace)) => text(pace),
    }
}

/// The lines of one row's table, one for each allocator that was measured.
fn lines<'threads>(
    threads: &'threads Threads,
    row: &'threads ThreadRow,
) -> impl Iterator<Item = (&'threads str, &'threads ThreadCell)> {
    let cell = |column: &'threads ThreadColumn| Some((column.name.as_str(), row.cells.get(&column.id)?));
    threads.measured().filter_map(cell)
}

fn table_of_work(threads: &Threads, row: &ThreadRow) -> Table {
    let mut table = Table::new();
    let mut header = vec![format!("a {}", row.operation), "without threads".to_owned()];
    header.extend(row.workers.iter().map(|&workers| workers_text(workers)));
    header.extend(
        row.workers
            .iter()
            .map(|&workers| format!("heap, {}", workers_text(workers))),
    );
    table.set_header(header);
    for (name, cell) in lines(threads, row) {
        let mut line = vec![name.to_owned(), text_of(cell.one_thread.as_ref(), time_text)];
        line.extend(row.workers.iter().map(|&workers| {
            let factor = match (workers, cell.price(), cell.scaling(workers)) {
                (1, Some(price), _) => format!(" ({price:.2} of that)"),
                (2.., _, Some(scaling)) => format!(" ({scaling:.2} ×)"),
                _ => String::new(),
            };
            text_of(cell.workers.get(&workers), |pace| time_text(pace) + &factor)
        }));
        line.extend(
            row.workers
                .iter()
                .map(|workers| text_of(cell.workers.get(workers), heap_text)),
        );
        table.add_row(line);
    }
    table
}

fn heap_text(pace: &Pace) -> String {
    format!("{:.0}", pace.heap_pages())
}

fn table_of_hand_over(threads: &Threads, row: &ThreadRow) -> Table {
    let mut table = Table::new();
    let mut header = vec![format!("a {}", row.operation)];
    for &workers in &row.workers {
        header.extend([workers_text(workers), format!("heap, {}", workers_text(workers))]);
    }
    table.set_header(header);
    for (name, cell) in lines(threads, row) {
        let mut line = vec![name.to_owned()];
        for workers in &row.workers {
            let figure = cell.workers.get(workers);
            line.extend([text_of(figure, time_text), text_of(figure, heap_text)]);
        }
        table.add_row(line);
    }
    table
}

fn table_of_memory(threads: &Threads, row: &ThreadRow) -> Table {
    let base = |workers| row.cells.get(&threads.base)?.pace(workers).map(Pace::heap_pages);
    let mut table = Table::new();
    let mut header = vec!["heap in the end".to_owned()];
    header.extend(row.workers.iter().map(|&workers| workers_text(workers)));
    if !row.in_step {
        let time = |&workers: &u32| format!("a {}, {}", row.operation, workers_text(workers));
        header.extend(row.workers.iter().map(time));
    }
    table.set_header(header);
    for (name, cell) in lines(threads, row) {
        let times = row.workers.iter().filter(|_| !row.in_step);
        let times = times.map(|workers| text_of(cell.workers.get(workers), time_text));
        let texts = row.workers.iter().map(|&workers| {
            text_of(cell.workers.get(&workers), |pace| {
                let ratio = base(workers).map_or(String::new(), |base| format!(" ({:.2})", pace.heap_pages() / base));
                format!("{}{ratio}", pages_text(&pace.pages, pace.heap_pages()))
            })
        });
        table.add_row(std::iter::once(name.to_owned()).chain(texts).chain(times));
    }
    table
}

/// Pages of a heap, with the quartiles of the rounds.
fn pages_text(pages: &Summary, heap: f64) -> String {
    let below = pages.median - heap;
    let (lower, upper) = (pages.lower_quartile - below, pages.upper_quartile - below);
    format!("{heap:.0} pages, {lower:.0} to {upper:.0}")
}

fn table_of_sizes(threads: &Threads) -> Table {
    let mut table = Table::new();
    table.set_header([
        "bytes over an allocator that always fails",
        "profile",
        "without threads",
        "for threads",
        "more",
        "more static data",
    ]);
    for size in &threads.sizes {
        let column = threads.allocators.iter().find(|column| column.id == size.allocator);
        let bytes = |size: &crate::results::size::Size| {
            format!(
                "{} ({} gzipped)",
                with_commas(size.optimized),
                with_commas(size.gzipped)
            )
        };
        let static_bytes = threads.static_bytes(&size.allocator);
        table.add_row([
            column.map_or(size.allocator.clone(), |column| column.name.clone()),
            size.profile.clone(),
            bytes(&size.one_thread),
            bytes(&size.threads),
            (size.threads.optimized - size.one_thread.optimized).to_string(),
            static_bytes.map_or("not measured".to_owned(), with_commas),
        ]);
    }
    table
}

/// Every figure in which another allocator needs less than ours.
fn losses(threads: &Threads) -> Vec<String> {
    let mut list = Vec::new();
    for row in &threads.rows {
        for &workers in &row.workers {
            let what = |what: &str| format!("`{}`, {}, {what}", row.name, workers_text(workers));
            let pace = |id: &str| row.cells.get(id)?.pace(workers);
            if !row.in_step {
                let time = |id: &str| pace(id).map(Pace::nanoseconds);
                list.extend(loss(threads, &what("ns"), 1, time));
            }
            let heap = |id: &str| pace(id).map(Pace::heap_pages);
            list.extend(loss(threads, &what("pages of the heap"), 0, heap));
        }
    }
    let mut profiles: Vec<&str> = threads.sizes.iter().map(|size| size.profile.as_str()).collect();
    profiles.dedup();
    for profile in profiles {
        let bytes = |id: &str| {
            let mut sizes = threads.sizes.iter();
            let size = sizes.find(|size| size.profile == profile && size.allocator == id)?;
            Some(size.threads.optimized as f64)
        };
        list.extend(loss(threads, &format!("bytes of code, profile `{profile}`"), 0, bytes));
    }
    list
}

fn loss(threads: &Threads, what: &str, digits: usize, figure: impl Fn(&str) -> Option<f64>) -> Option<String> {
    let ours = figure(OUR_DEFAULT)?;
    let mut others: Vec<(&str, f64)> = threads
        .measured()
        .filter(|column| column.id != OUR_DEFAULT)
        .filter_map(|column| Some((column.name.as_str(), figure(&column.id)?)))
        .filter(|(_, theirs)| format!("{theirs:.digits$}") != format!("{ours:.digits$}") && *theirs < ours)
        .collect();
    others.sort_by(|one, other| one.1.total_cmp(&other.1));
    let others: Vec<String> = others
        .iter()
        .map(|(name, theirs)| format!("{name} {theirs:.digits$}"))
        .collect();
    (!others.is_empty()).then(|| format!("{what}: {ours:.digits$}; {}", others.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::{losses, section, sentences};
    use crate::render::tables::style::Style;
    use crate::results::figure::Figure;
    use crate::results::sample;
    use crate::results::threads::Threads;
    use crate::shared::catalogue::Compares;

    #[test]
    fn a_machine_that_builds_nothing_for_threads_says_why_and_the_section_ends_there() {
        let missing = Figure::Missing("SKIPPED: there is no nightly Rust".to_owned());
        let text = section(&missing, Style::Markdown);
        assert_eq!(
            text,
            "\n## Threads: several workers of one module\n\nSKIPPED: there is no nightly Rust\n"
        );
    }

    #[test]
    fn each_workload_has_a_table_and_the_section_says_when_and_with_what_it_was_measured() {
        let threads = sample::threads();
        for style in [Style::Markdown, Style::Terminal(120)] {
            let text = section(&Figure::Measured(threads.clone()), style);
            for row in &threads.rows {
                assert!(text.contains(&format!("{}\n", row.name)), "{}", row.name);
            }
            for part in [&threads.date, &threads.commit, &threads.rustc, &threads.engine] {
                assert!(text.contains(part.as_str()), "{part}: {text}");
            }
        }
    }

    #[test]
    fn an_allocator_that_cannot_be_used_is_named_with_the_reason_and_has_no_line() {
        let text = section(&Figure::Measured(sample::threads()), Style::Markdown);
        assert!(
            text.contains("  Not measured: its part for WebAssembly is written for one thread"),
            "{text}"
        );
        assert!(!text.contains("| rusty_alloc"), "{text}");
    }

    #[test]
    fn a_cell_has_the_time_and_what_workers_do_together() {
        // The made-up figures: 10 ns without threads, 12.5 with one worker, 6.4 with two.
        let text = section(&Figure::Measured(sample::threads()), Style::Markdown);
        for part in ["10.0 ns ±", "12.5 ns ±0 % (1.25 of that)", "6.4 ns ±0 % (1.95 ×)"] {
            assert!(text.contains(part), "{part}: {text}");
        }
        let sentences = sentences(&sample::threads()).join("\n");
        assert!(
            sentences.contains("FreeingBump: two workers do 1.95 (`workers-small-blocks`), 1.95"),
            "{sentences}"
        );
        assert!(
            sentences.contains("one worker takes 1.25 (`workers-small-blocks`)"),
            "{sentences}"
        );
    }

    #[test]
    fn what_another_allocator_needs_less_of_is_listed() {
        let losses = losses(&sample::threads()).join("\n");
        assert!(
            losses.contains("`workers-exchange`, 4 workers, pages of the heap: 450; std's default 350"),
            "{losses}"
        );
        assert!(
            losses.contains("bytes of code, profile `size`: 5000; std's default 2000, talc claim 2000"),
            "{losses}"
        );
        assert!(!losses.contains("`workers-small-blocks`, 2 workers, ns"), "{losses}");
    }

    #[test]
    fn workers_that_wait_for_each_other_all_the_time_have_memory_and_no_time() {
        let mut threads = sample::threads();
        threads.rows.retain(|row| row.compares == Compares::Memory);
        let shows_time =
            |threads: &Threads| section(&Figure::Measured(threads.clone()), Style::Markdown).contains(" ns ±");
        assert!(shows_time(&threads));
        threads.rows.retain(|row| row.in_step);
        assert_eq!(threads.rows.len(), 1);
        assert!(!shows_time(&threads));
    }
}
