//! At the ends of the address space, of the memory and of the sizes there are.

use super::kit::{Watched, roomy};
use crate::memory::PAGE_BYTES;
use crate::tests::model::Subject;
use crate::tests::simulated_memory::SimulatedMemory;
use std::vec::Vec;

/// The last 16 pages of the address space.
fn top() -> SimulatedMemory {
    SimulatedMemory::pages(65_520, 65_536)
}

/// talc 5.0.4, and by reading emmalloc: rounding an address near 2^32 up to the alignment gave 0, and the next request
/// was served from the first addresses of the memory.
pub(super) fn an_aligned_request_beside_the_top_of_the_address_space_is_never_served_from_low_addresses<S: Subject>(
    new: fn(SimulatedMemory) -> S,
) {
    for log2 in 3..=20 {
        let mut heap = Watched::new(new(top()));
        let last = heap.fill(16_384, 8).pop().unwrap();
        if S::SERVES_AFTER_REFUSAL {
            heap.release(last);
        }
        // The oracle refuses a block outside the heap.
        for _ in 0..5 {
            heap.try_allocate(16, 1 << log2);
        }
        let mut heap = Watched::new(new(top()));
        heap.fill(100, 1 << log2);
        let mut heap = Watched::new(new(top()));
        heap.fill(1 << log2, 1 << log2);
    }
}

/// mini-alloc 1.0.0: the end of such a block was stored as 0, which meant "not set up". wee_alloc too hands out blocks
/// that end at 2^32.
pub(super) fn a_heap_that_reaches_four_gib_does_not_begin_again<S: Subject>(new: fn(SimulatedMemory) -> S) {
    for size in [1, 8, 24, 1000, 1024, PAGE_BYTES - 8, PAGE_BYTES, 4 * PAGE_BYTES] {
        let mut heap = Watched::new(new(top()));
        for block in heap.fill(size, 1) {
            assert!(
                block.checked_add(size).is_some(),
                "the block at {block:#x} ends at 2^32"
            );
        }
        for _ in 0..3 {
            heap.try_allocate(size, 1);
        }
    }
}

/// lol_alloc: the end of the last page wrapped to 0. It was never used, and the page below was lost too.
pub(super) fn the_last_pages_below_four_gib_are_used<S: Subject>(new: fn(SimulatedMemory) -> S) {
    let mut heap = Watched::new(new(top()));
    let blocks = heap.fill(4000, 8);
    assert!(
        blocks.iter().any(|&block| block >= 0xFFFF_0000),
        "the last page was not used"
    );
    if S::SERVES_AFTER_REFUSAL {
        heap.release_all();
        assert_eq!(heap.fill(4000, 8).len(), blocks.len());
    }
}

/// dlmalloc 0.2.9 (Rust issue 144199): a block touched the last byte, and releasing it never ended.
pub(super) fn the_last_block_below_four_gib_is_released_like_any_other<S: Subject>(new: fn(SimulatedMemory) -> S) {
    let mut heap = Watched::new(new(top()));
    let served = heap.fill(1024, 8).len() as u32;
    if S::SERVES_AFTER_REFUSAL {
        let last = heap.oracle.first_from(0xFFFF_F000).unwrap().0;
        heap.release(last);
        assert_eq!(heap.allocate(1024, 8), last);
        heap.release_all();
    } else {
        let mut heap = Watched::new(new(top()));
        let blocks: Vec<u32> = (0..served).map(|_| heap.try_allocate(1024, 8).unwrap()).collect();
        heap.release(*blocks.last().unwrap());
        assert_eq!(heap.allocate(1024, 8), *blocks.last().unwrap());
        heap.release_all();
    }
}

/// wee_alloc issue 100, emscripten commit eca1581b: the request failed, and the memory had grown.
pub(super) fn a_request_near_two_gib_that_is_refused_does_not_grow_the_memory<S: Subject>(
    new: fn(SimulatedMemory) -> S,
) {
    for (size, align) in [
        (i32::MAX as u32, 1),
        ((1 << 31) - PAGE_BYTES, PAGE_BYTES),
        ((1 << 31) - 16, 16),
        ((1 << 30) + 1, 8),
        (1 << 30, 1 << 30),
    ] {
        let mut heap = Watched::new(new(roomy(1)));
        heap.allocate(100, 8);
        for _ in 0..3 {
            assert_eq!(heap.try_allocate(size, align), None);
        }
        assert_eq!(heap.pages(), 9, "{size} aligned to {align}");
        heap.oracle.check_all_contents(heap.subject.memory());
    }
}

/// emscripten issues 9809, 11047 and 13442: the end of the memory was a signed number.
pub(super) fn addresses_above_two_gib_are_used_like_any_others<S: Subject>(new: fn(SimulatedMemory) -> S) {
    let mut heap = Watched::new(new(SimulatedMemory::pages(32_766, 32_800)));
    for size in [60_000, 60_000, 100, 200_000, 8, 4096] {
        heap.allocate(size, 16);
    }
    assert!(heap.oracle.first_from(1 << 31).is_some());
    heap.release_all();
    assert!(heap.allocate(60_000, 16) < 32_800 * PAGE_BYTES);
}

/// linked-list-allocator, CVE-2022-36086: regions smaller than the metadata were written past their end.
pub(super) fn a_heap_of_a_few_bytes_is_not_written_past_its_end<S: Subject>(new: fn(SimulatedMemory) -> S) {
    for bytes in (8..=128).step_by(8) {
        for size in [1, 8, 9, 16, 40, 64, 100] {
            // The simulated memory ends after these bytes, and panics if anything is written there.
            let mut heap = Watched::new(new(SimulatedMemory::new(2 * PAGE_BYTES - bytes, 1, 2)));
            heap.fill(size, 8);
            let mut heap = Watched::new(new(SimulatedMemory::new(2 * PAGE_BYTES - bytes, 1, 4)));
            heap.allocate(size, 8);
            heap.subject.memory().foreign_grow(1);
            heap.fill(size.max(2000), 8);
            heap.oracle.check_the_memory_of_others(heap.subject.memory());
        }
    }
}

/// lol_alloc commit c081b09: an underflow at low addresses.
pub(super) fn a_heap_may_start_in_the_first_page_or_the_last<S: Subject>(new: fn(SimulatedMemory) -> S) {
    for memory in [
        || SimulatedMemory::new(8, 1, 2),
        || SimulatedMemory::new(16, 1, 2),
        || SimulatedMemory::pages(1, 3),
        || SimulatedMemory::pages(65_535, 65_536),
        || SimulatedMemory::pages(65_534, 65_536),
        || SimulatedMemory::new(65_534 * PAGE_BYTES + 65_528, 1, 65_536),
    ] {
        for size in [1, 8, 100, 20_000] {
            let mut heap = Watched::new(new(memory()));
            let served = heap.fill(size, 8).len() as u32;
            assert!(
                served * size >= 20_000 || size < 100 && served > 1000,
                "{served} blocks of {size}"
            );
        }
    }
}
