//! The command-line program: a host with WASI.

use crate::{build, wasi};
use std::io::{Read, Write};
use wasmtime::Result;

/// Builds the program and runs it to its end; returns its status.
///
/// # Errors
///
/// When the program traps.
pub fn run(input: impl Read + 'static, output: impl Write + 'static, errors: impl Write + 'static) -> Result<i32> {
    wasi::run(&build("word-count", "", "wasm32-wasip1", &[]), input, output, errors)
}
