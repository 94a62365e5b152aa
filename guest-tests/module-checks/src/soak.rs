//! A service-like load that runs for many rounds in one instance. After the first ones the memory must not grow.

use crate::engine::{Engine, Limits};
use crate::guest::Guest;
use std::process::ExitCode;

/// From this round on the memory must not grow.
pub const SETTLED: u32 = 100;

/// More than the service needs.
const MAX_PAGES: usize = 1_000;

/// The pages of the memory after some number of rounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Point {
    /// Rounds served.
    pub rounds: u32,
    /// Pages of the memory.
    pub pages: usize,
}

/// Runs the service of `driver-module` in V8 for `rounds` rounds. Returns the pages after round 1, 10, 100 and so on, and
/// after the last. Calls `progress` now and then. Every block is checked when it is released, and all live blocks are
/// checked at each point.
///
/// With `steady_sizes` each kind of block keeps to one power of two.
///
/// # Panics
///
/// When a check in the module fails, or a request is refused.
pub fn soak(module: &[u8], seed: u32, steady_sizes: bool, rounds: u32, mut progress: impl FnMut(Point)) -> Vec<Point> {
    let mut guest = Guest::new(Engine::V8, module, Limits::pages(MAX_PAGES));
    let context = format!("the service with FREEING_BUMP_SEED={seed}");
    guest.drive("begin_service", &[seed, steady_sizes.into()], &context);
    let portion = (rounds / 50).max(1);
    let mut points = Vec::new();
    let mut done = 0;
    let mut next_point = 1;
    while done < rounds {
        let more = portion.min(next_point - done).min(rounds - done);
        guest.drive("serve", &[more], &context);
        done += more;
        let point = Point {
            rounds: done,
            pages: guest.pages(),
        };
        if done == next_point || done == rounds {
            guest.drive("check_service", &[], &context);
            points.push(point);
            next_point = next_point.saturating_mul(10);
        }
        progress(point);
    }
    points
}

/// The points after the first [`SETTLED`] rounds at which the memory was larger than it was then.
pub fn growth(points: &[Point]) -> Vec<Point> {
    let settled = points
        .iter()
        .find(|point| point.rounds == SETTLED)
        .expect("a run is longer than that");
    points
        .iter()
        .copied()
        .filter(|point| point.rounds > SETTLED && point.pages > settled.pages)
        .collect()
}

/// Says that no block has lost a byte, with the `seed` that plays the same again, and which memories have `grown`. A command that
/// runs for many rounds ends with what it returns: a failure if any has.
pub fn verdict(seed: u32, grown: &[String]) -> ExitCode {
    println!("every block kept its bytes; seed {seed}");
    for message in grown {
        eprintln!("error: {message}");
    }
    if grown.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
