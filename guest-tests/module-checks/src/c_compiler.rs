//! The compiler that C code in modules needs, which no task installs.

use std::io::{Write, stderr};
use std::process::{Command, Stdio};

/// Whether clang is there, compiles for wasm32 and finds the headers of wasi-libc. If not, says SKIPPED, and why.
pub fn can_compile_c() -> bool {
    let compiler = Command::new("clang")
        .args(["--target=wasm32-wasi", "-fsyntax-only", "-x", "c", "-"])
        .stdin(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let compiles = compiler.is_ok_and(|mut compiler| {
        let mut source = compiler.stdin.take().expect("the pipe was asked for");
        // What it does not read any more it does not compile either.
        let _ = source.write_all(b"#include <stdlib.h>\n#include <malloc.h>\n");
        drop(source);
        compiler.wait().is_ok_and(|status| status.success())
    });
    if !compiles {
        // Written past the test runner, which keeps what a test that passes prints to itself.
        let _ = writeln!(
            stderr(),
            "SKIPPED: C code, since clang for wasm32 or the headers of wasi-libc are missing: install them from your \
             operating system (on Debian: apt-get install clang wasi-libc)"
        );
    }
    compiles
}
