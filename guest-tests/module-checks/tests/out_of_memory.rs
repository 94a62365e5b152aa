//! What happens when the engine refuses to grow the memory, at whichever page that is.

use module_checks::{Engine, Guest, Limits, PAGE_BYTES, build_allocator_module};

/// The memory that `allocator-module` starts with, and what it may have at the end.
const INITIAL_PAGES: usize = 17;
const LIMITS: std::ops::Range<usize> = INITIAL_PAGES..INITIAL_PAGES + 9;

fn guest(features: &str, max_pages: usize) -> Guest {
    let module = build_allocator_module(env!("CARGO_TARGET_TMPDIR"), features, "release");
    let mut guest = Guest::new(Engine::Wasmtime, &module, Limits::pages(max_pages));
    assert_eq!(guest.pages(), INITIAL_PAGES);
    guest
}

/// Allocates blocks of `size` until one is refused, each filled with a byte of its own.
fn fill(guest: &mut Guest, size: u32) -> Vec<u32> {
    let mut blocks = Vec::new();
    loop {
        let block = guest.alloc(size, 8).expect("a request must not trap");
        if block == 0 {
            return blocks;
        }
        guest.fill(block, size, blocks.len() as u8);
        blocks.push(block);
    }
}

fn assert_intact(guest: &mut Guest, blocks: &[u32], size: u32) {
    for (index, &block) in blocks.iter().enumerate() {
        assert!(guest.is_filled(block, size, index as u8));
    }
}

#[test]
fn every_page_that_the_engine_grants_is_used_before_a_request_is_refused() {
    for features in ["freeing-bump", "tiny", "report-errors"] {
        for max_pages in LIMITS {
            let mut guest = guest(features, max_pages);
            let blocks = fill(&mut guest, 1_000);
            assert_eq!(guest.pages(), max_pages, "{features}");
            assert_intact(&mut guest, &blocks, 1_000);
            assert!(
                blocks.len() * 1_000 * 10 > (max_pages - INITIAL_PAGES) * PAGE_BYTES * 9,
                "{features} with {max_pages} pages served only {} blocks",
                blocks.len()
            );
        }
    }
}

#[test]
fn a_heap_that_has_refused_a_request_goes_on() {
    for features in ["freeing-bump", "tiny"] {
        for max_pages in LIMITS {
            let mut guest = guest(features, max_pages);
            let blocks = fill(&mut guest, 5_000);
            assert_intact(&mut guest, &blocks, 5_000);
            for &block in &blocks {
                assert_eq!(guest.dealloc(block, 5_000, 8), Ok(()));
            }
            assert_eq!(fill(&mut guest, 5_000).len(), blocks.len(), "{features}");
        }
    }
}

#[test]
fn the_checked_heap_refuses_everything_after_it_ran_out_and_touches_nothing_live() {
    for max_pages in LIMITS {
        let mut guest = guest("report-errors", max_pages);
        let blocks = fill(&mut guest, 5_000);
        assert!(guest.is_poisoned());
        assert_eq!(guest.text(), "", "running out is not misuse");

        let pages = guest.pages();
        assert_eq!(guest.alloc(8, 8), Ok(0));
        assert_eq!(guest.alloc_zeroed(8, 8), Ok(0));
        assert_intact(&mut guest, &blocks, 5_000);
        assert_eq!(guest.pages(), pages);
    }
}

#[test]
fn the_checked_heap_lets_live_blocks_be_dropped_after_it_ran_out() {
    let mut guest = guest("report-errors", INITIAL_PAGES + 3);
    let blocks = fill(&mut guest, 5_000);
    for &block in &blocks {
        assert_eq!(guest.dealloc(block, 5_000, 8), Ok(()));
    }
    assert_eq!(guest.text(), "");
    assert_eq!(guest.alloc(5_000, 8), Ok(0));
}

#[test]
fn the_checked_heap_refuses_requests_above_16_mib_and_then_everything() {
    let mut guest = guest("report-errors", 2_000);
    let largest = guest.alloc(1 << 24, 8).expect("a request must not trap");
    assert_ne!(largest, 0);
    assert_eq!(guest.alloc((1 << 24) + 1, 8), Ok(0));
    assert!(guest.is_poisoned());
    assert_eq!(guest.text(), "");
    assert_eq!(guest.alloc(8, 8), Ok(0));
}

#[test]
fn the_checked_heap_keeps_away_from_pages_that_the_host_has_grown() {
    let mut guest = guest("report-errors", 500);
    let mut foreign = Vec::new();
    for round in 0..10 {
        let start = (guest.pages() * PAGE_BYTES) as u32;
        guest.grow(1);
        guest.fill(start, PAGE_BYTES as u32, 0xee);
        foreign.push(start);
        for size in [100, 40_000, 100_000, 8] {
            let block = guest.alloc(size, 8).expect("a request must not trap");
            assert_ne!(block, 0);
            guest.fill(block, size, round);
        }
        for &start in &foreign {
            assert!(guest.is_filled(start, PAGE_BYTES as u32, 0xee));
        }
    }
}
