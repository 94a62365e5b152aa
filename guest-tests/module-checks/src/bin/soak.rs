//! Runs a service-like load on each allocator in V8 for many rounds. Fails if a memory goes on growing.

use comfy_table::Table;
use comfy_table::presets::ASCII_MARKDOWN;
use module_checks::{ALLOCATORS, Point, SETTLED, build_driver_module, growth, merges, repository, seed, soak, verdict};
use std::process::ExitCode;
use std::time::Instant;

const ROUNDS: u32 = 1_000_000;

/// The number of rounds that the arguments ask for.
fn rounds(arguments: impl IntoIterator<Item = String>) -> Result<u32, String> {
    let arguments: Vec<String> = arguments.into_iter().collect();
    match arguments.as_slice() {
        [] => Ok(ROUNDS),
        [rounds] => rounds.parse().ok().filter(|&rounds| rounds > SETTLED).ok_or(format!(
            "{rounds:?} is not a number of rounds: give a whole number above {SETTLED}"
        )),
        _ => Err("give one number of rounds, or none for a million".to_owned()),
    }
}

fn main() -> ExitCode {
    let rounds = match rounds(std::env::args().skip(1)) {
        Ok(rounds) => rounds,
        Err(message) => {
            eprintln!("error: {message}");
            return ExitCode::FAILURE;
        }
    };
    let seed = seed();
    let scratch = repository().join("target/tmp");
    let mut table = Table::new();
    table.load_style(ASCII_MARKDOWN);
    let mut grown = Vec::new();
    for allocator in ALLOCATORS {
        let module = build_driver_module(&scratch.to_string_lossy(), allocator, &[]);
        let start = Instant::now();
        let points = soak(&module, seed, !merges(allocator), rounds, |point| {
            let seconds = start.elapsed().as_secs();
            println!(
                "{allocator}: {} of {rounds} rounds, {} pages, {seconds} s",
                point.rounds, point.pages
            );
        });
        if table.header().is_none() {
            let headings = points.iter().map(|point| point.rounds.to_string());
            table.set_header(["pages after rounds".to_owned()].into_iter().chain(headings));
        }
        let pages = points.iter().map(|point| point.pages.to_string());
        table.add_row([allocator.to_owned()].into_iter().chain(pages));
        grown.extend(growth(&points).last().map(|&Point { rounds, pages }| {
            format!("the memory of {allocator} was larger after {rounds} rounds than after {SETTLED}: {pages} pages")
        }));
    }
    println!("{table}");
    verdict(seed, &grown)
}
