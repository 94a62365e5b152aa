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

/// What the C library's start code for modules like this one does, and rustc links into programs alone. The host calls it once,
/// before all else.
#[unsafe(no_mangle)]
extern "C" fn _initialize() {
    unsafe extern "C" {
        /// Makes the record of the main thread, to which those of others are linked.
        safe fn __wasi_init_tp();
        /// Runs the constructors. Since this names it, the linker does not put a call of it before each export.
        safe fn __wasm_call_ctors();
    }
    __wasi_init_tp();
    __wasm_call_ctors();
}
