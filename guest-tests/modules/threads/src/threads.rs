//! Makes threads with the standard library.

use crate::exports::worker;
use std::thread;

/// Enough for a worker that is not optimized.
const STACK_BYTES: usize = 128 << 10;

/// Makes a thread that calls [`worker`] with these arguments. Returns whether that was possible. The host sees the end of the
/// thread, so nothing here waits for it.
#[unsafe(no_mangle)]
extern "C" fn spawn(scenario: u32, index: u32, rounds: u32, seed: u32) -> bool {
    let thread = thread::Builder::new().stack_size(STACK_BYTES);
    thread.spawn(move || worker(scenario, index, rounds, seed)).is_ok()
}
