//! Libraries written in C that take their memory from `FreeingBump`, in modules of each target that has room for them.
//!
//! `c-code-module` gives each library random work and checks what comes of it. `FREEING_BUMP_SEED=7` chooses other work, and
//! `FREEING_BUMP_C_STEPS=1000000` more of it; a failure tells both.
//!
//! Where clang or wasi-libc's headers are missing, the tests say SKIPPED and pass.

use module_checks::{Engine, Guest, Limits, build_module, can_compile_c, number, repository, seed};
use std::path::Path;
use wasmparser::{KnownCustom, Name, Parser, Payload};

/// More than any of the libraries needs.
const MANY_PAGES: usize = 2_000;

/// What the heap may take for itself: a few bytes for each run of small blocks that it has kept.
const RUNS_KEPT: u32 = 4_096;

/// What has a library do its work, and how much.
const LIBRARIES: [(&str, u32); 3] = [("play_sqlite", 10_000), ("play_tree_sitter", 300), ("play_zstd", 200)];

#[test]
fn sqlite_tree_sitter_and_zstd_share_the_heap_of_rust_on_wasm32_unknown_unknown() {
    check("wasm32-unknown-unknown", &[]);
}

#[test]
fn sqlite_tree_sitter_and_zstd_share_the_heap_of_rust_on_wasm32_wasip1() {
    check("wasm32-wasip1", &[]);
}

/// In the module that a component is made from: no interface of components says what the functions are that are called here.
#[test]
fn sqlite_tree_sitter_and_zstd_share_the_heap_of_rust_on_wasm32_wasip2() {
    check(
        "wasm32-wasip2",
        &[
            "--config",
            "target.wasm32-wasip2.rustflags = ['-Clink-arg=--skip-wit-component']",
        ],
    );
}

/// Has each library do its work in the module for this target, and do it again, which must leave nothing in the heap. There
/// must be no other heap.
fn check(target: &str, options: &[&str]) {
    if !can_compile_c() {
        return;
    }
    let folder = repository().join("guest-tests/modules/c-code");
    let target_dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("c-code");
    let arguments = [&["--release", "--features", "libraries"], options].concat();
    let module = build_module(&folder, target, &target_dir, &arguments);
    assert_has_one_heap(&module);

    let seed = seed();
    let steps = number("FREEING_BUMP_C_STEPS");
    // The C library would write to files that there are none of: what is tested calls none of its functions for that.
    let limits = Limits {
        traps_on_imports: true,
        ..Limits::pages(MANY_PAGES)
    };
    let mut guest = Guest::new(Engine::Wasmtime, &module, limits);
    for (play, usual_steps) in LIBRARIES {
        let steps = steps.unwrap_or(usual_steps);
        let context = format!("{target}, FREEING_BUMP_SEED={seed} FREEING_BUMP_C_STEPS={steps}");
        guest.drive(play, &[seed, steps], &context);
        let live = guest.drive("live_bytes", &[], &context);
        guest.drive(play, &[seed, steps], &context);
        let live_after = guest.drive("live_bytes", &[], &context);
        assert!(
            live_after <= live + RUNS_KEPT,
            "{context}: after {play} {live} bytes are in use, and {live_after} when it has played once more"
        );
    }
}

/// Asserts that no function of wasi-libc's own heap is in the module.
fn assert_has_one_heap(module: &[u8]) {
    let functions = function_names(module);
    assert!(functions.iter().any(|name| name == "sqlite3_open"), "{functions:?}");
    for name in ["dlmalloc", "dlfree", "internal_memalign", "try_realloc_chunk", "sbrk"] {
        assert!(
            !functions.iter().any(|function| function == name),
            "{name} is in the module"
        );
    }
}

/// The names of the functions of a module that was not stripped.
fn function_names(module: &[u8]) -> Vec<String> {
    Parser::new(0)
        .parse_all(module)
        .filter_map(|payload| match payload.expect("rustc must have made a valid module") {
            Payload::CustomSection(section) => Some(section.as_known()),
            _ => None,
        })
        .filter_map(|section| match section {
            KnownCustom::Name(names) => Some(names),
            _ => None,
        })
        .flatten()
        .filter_map(|name| match name.expect("rustc must have made a valid section") {
            Name::Function(functions) => Some(functions),
            _ => None,
        })
        .flatten()
        .map(|naming| naming.expect("rustc must have made a valid name").name.to_owned())
        .collect()
}
