//! The memory that a module starts with is served before any page is added, whatever is asked for first.

use module_checks::{ALLOCATORS, Engine, Guest, Limits, PAGE_BYTES, TARGET, build_allocator_module_with, link_flags};
use std::path::Path;

/// 4 MiB, most of which is free: the stack takes 1 MiB, and the module has hardly any data.
const INITIAL_PAGES: usize = 64;

fn guest_with_large_initial_memory(allocator: &str) -> Guest {
    let initial_memory = format!("--initial-memory={}", INITIAL_PAGES * PAGE_BYTES);
    let flags = link_flags(&[&initial_memory, "--export=__heap_base"]);
    let target_dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("initial-memory-{allocator}"));
    let arguments = ["--release", "--features", allocator, "--config", &flags];
    let module = build_allocator_module_with(&target_dir, TARGET, &arguments);
    let mut guest = Guest::new(Engine::Wasmtime, &module, Limits::pages(4 * INITIAL_PAGES));
    assert_eq!(guest.pages(), INITIAL_PAGES);
    guest
}

#[test]
fn the_initial_memory_is_used_before_it_grows() {
    for allocator in ALLOCATORS {
        let mut guest = guest_with_large_initial_memory(allocator);
        let heap_base = guest.heap_base();
        let mut served = 0;
        while guest.pages() == INITIAL_PAGES {
            let block = guest.alloc(10_000, 8).expect("a request must not trap");
            assert!(block >= heap_base, "{allocator}: {block:#x} is below the heap");
            served += 10_000;
        }
        let free_bytes = INITIAL_PAGES * PAGE_BYTES - heap_base as usize;
        // Rounding to powers of two takes two thirds more than was asked for.
        assert!(
            served * 2 > free_bytes,
            "{allocator} served {served} bytes from the {free_bytes} of the initial memory, and then grew it"
        );
    }
}

#[test]
fn the_initial_memory_is_not_lost_when_the_first_request_is_too_large_for_it() {
    for allocator in ALLOCATORS {
        let mut guest = guest_with_large_initial_memory(allocator);
        let mut served = 4_000_000;
        let large = guest.alloc(4_000_000, 8).expect("a request must not trap");
        assert_ne!(large, 0);
        let pages = guest.pages();
        loop {
            guest.alloc(3_000, 8).expect("a request must not trap");
            if guest.pages() > pages {
                break;
            }
            served += 3_000;
        }
        let heap_bytes = pages * PAGE_BYTES - guest.heap_base() as usize;
        assert!(
            served * 2 > heap_bytes,
            "{allocator} served {served} of {heap_bytes} bytes after a large request, and then grew the memory"
        );
    }
}
