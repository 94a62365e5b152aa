//! Lets threads exchange, resize and release blocks of each other on wasm32-wasip1-threads for many rounds. Fails if a block
//! loses a byte, or if a memory goes on growing.

use module_checks::{
    Scenario, THREADS_TARGET, ThreadedGuest, ThreadsModule, build_threads_module, repository, seed, verdict,
};
use std::process::ExitCode;
use std::time::Instant;

/// The rounds of each thread in all.
const ROUNDS: u32 = 1_000_000;

/// The rounds after which all threads end, and new ones go on in the same memory.
const PORTION: u32 = 10_000;

/// More than the scenarios need.
const MANY_PAGES: u32 = 4_000;

/// The number of portions that the arguments ask for.
fn portions(arguments: impl IntoIterator<Item = String>) -> Result<u32, String> {
    let arguments: Vec<String> = arguments.into_iter().collect();
    let rounds = match arguments.as_slice() {
        [] => ROUNDS,
        [rounds] => rounds
            .parse()
            .ok()
            .filter(|&rounds| rounds >= 10 * PORTION)
            .ok_or(format!(
                "{rounds:?} is not a number of rounds: give a whole number of at least {}",
                10 * PORTION
            ))?,
        _ => return Err("give one number of rounds, or none for a million".to_owned()),
    };
    Ok(rounds / PORTION)
}

/// Calls `play` with the seed of each portion. Returns the pages after a fifth of the portions, and after all.
fn soak(
    name: &str,
    portions: u32,
    guest: &mut ThreadedGuest,
    mut play: impl FnMut(&mut ThreadedGuest, u32),
) -> (u32, u32) {
    let start = Instant::now();
    let mut settled = 0;
    for portion in 0..portions {
        play(guest, seed().wrapping_add(portion));
        if portion == portions / 5 {
            settled = guest.pages();
        }
        println!(
            "{name}: {} of {portions} portions, {} pages, {} s",
            portion + 1,
            guest.pages(),
            start.elapsed().as_secs()
        );
    }
    (settled, guest.pages())
}

fn main() -> ExitCode {
    let portions = match portions(std::env::args().skip(1)) {
        Ok(portions) => portions,
        Err(message) => {
            eprintln!("error: {message}");
            return ExitCode::FAILURE;
        }
    };
    let scratch = repository().join("target/tmp");
    let module = build_threads_module(&scratch.to_string_lossy(), THREADS_TARGET, "freeing-bump");
    let module = ThreadsModule::new(&module);
    let mut grown = Vec::new();
    let mut check = |name: &str, (settled, pages)| {
        // Sizes are random, and so is which heap a block is from: the most of all comes late.
        if pages > settled + settled / 4 {
            grown.push(format!("{name}: {settled} pages after a fifth became {pages}"));
        }
    };
    for workers in [2, 4, 8] {
        for scenario in Scenario::COMPLETE {
            let name = format!("{scenario:?} with {workers} threads");
            let max_pages = if scenario == Scenario::Refusals {
                20 + 10 * workers
            } else {
                MANY_PAGES
            };
            let mut guest = ThreadedGuest::new(&module, max_pages);
            let pages = soak(&name, portions, &mut guest, |guest, seed| {
                guest.play(scenario, workers, PORTION, seed);
            });
            check(&name, pages);
        }
        let name = format!("Storm with {workers} threads at a time");
        let mut guest = ThreadedGuest::new(&module, MANY_PAGES);
        let pages = soak(&name, portions, &mut guest, |guest, seed| {
            guest.play_in_succession(workers, 50, seed);
        });
        check(&name, pages);
    }
    verdict(seed(), &grown)
}
