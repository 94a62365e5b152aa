//! The bytes of blocks, their alignment, and the figures about them.

use super::kit::{Watched, roomy};
use crate::heaps::Request;
use crate::memory::PAGE_BYTES;
use crate::tests::model::Subject;
use crate::tests::simulated_memory::SimulatedMemory;
use std::vec::Vec;

/// talc before 5.0.4: bit 24 of a free block's size was read as a tag.
pub(super) fn a_free_block_above_16_mib_at_the_top_is_not_overlapped_when_the_memory_grows<S: Subject>(
    new: fn(SimulatedMemory) -> S,
) {
    let mut heap = Watched::new(new(roomy(1)));
    heap.allocate(100, 8);
    let top = heap.allocate(24 << 20, 8);
    heap.release(top);
    for size in [1000, 20 << 20, 24 << 20, 40, 17 << 20] {
        heap.allocate(size, 8);
    }
    heap.release_all();
}

/// picoalloc 5.1.0 without its default features: 4,096 bytes were copied into a block of 32. bumpalo 3.2.1 and
/// tree-sitter's library for wasm (pull request 5261) had the same.
pub(super) fn a_shrinking_realloc_copies_no_more_than_the_new_size<S: Subject>(new: fn(SimulatedMemory) -> S) {
    let mut heap = Watched::new(new(roomy(1)));
    let small: Vec<u32> = (0..4).map(|_| heap.allocate(32, 8)).collect();
    let large = heap.allocate(4096, 8);
    heap.release(small[1]);
    heap.reallocate(large, 32);
    heap.oracle.check_all_contents(heap.subject.memory());
}

/// emmalloc commit ad7409ae: resizing the block before an aligned one corrupted its end marker.
pub(super) fn an_aligned_block_made_from_a_released_one_leaves_its_neighbour_alone<S: Subject>(
    new: fn(SimulatedMemory) -> S,
) {
    let mut heap = Watched::new(new(roomy(1)));
    let first = heap.allocate(20, 8);
    heap.allocate(30, 8);
    heap.release(first);
    heap.allocate(20, 32);
    heap.allocate(20, 8);
    heap.release_all();
}

/// wasi-libc issue 421: doubling one block read before the heap. emmalloc commits 326600a3 and 0a0cd05b: gaps between
/// growths kept regions from joining.
pub(super) fn a_block_doubled_from_1_byte_to_64_kib_takes_little_more_than_its_sizes<S: Subject>(
    new: fn(SimulatedMemory) -> S,
) {
    let mut heap = Watched::new(new(roomy(1)));
    let mut block = heap.allocate(1, 1);
    for log2 in 1..=16 {
        block = heap.reallocate(block, 1 << log2);
    }
    heap.release(block);
    // Blocks for 128 KiB in all, up to a page between them, and an eighth of the memory to spare.
    assert!(heap.pages() <= 8 + 4 + 1, "{} pages", heap.pages());
}

/// ink issue 2100: a `u128` after a `u8` was misaligned. ink 5: an alignment of 128 KiB is only one of 64 KiB after growth.
pub(super) fn each_alignment_holds_after_blocks_of_any_size<S: Subject>(new: fn(SimulatedMemory) -> S) {
    for log2 in 0..=19 {
        for before in [1, 8, 9, 100, 5000, PAGE_BYTES] {
            let mut heap = Watched::new(new(roomy(1)));
            heap.allocate(before, 1);
            heap.allocate(16, 1 << log2);
            heap.allocate(1, 1 << log2);
            heap.allocate(before, 1 << log2);
        }
    }
}

/// m1n1 issue 168, mimalloc_rust pull request 64, libc_alloc issue 2, hardened_malloc commit 3bee8d3: the alignment was lost.
/// rlsf 0.1.1 and bumpalo 3.15.0: too many bytes were copied, or ones that overlapped.
pub(super) fn realloc_keeps_the_alignment_and_the_bytes<S: Subject>(new: fn(SimulatedMemory) -> S) {
    let sizes = [1, 3, 5, 8, 9, 16, 17, 100, 1000, 4096, 5000, 70_000];
    let mut heap = Watched::new(new(roomy(1)));
    for align in [1, 8, 16, 64, 4096, PAGE_BYTES] {
        for old in sizes {
            for new_size in sizes {
                let block = heap.allocate(old, align);
                let guard = heap.allocate(old, 1);
                let resized = heap.reallocate(block, new_size);
                heap.release(resized);
                heap.release(guard);
            }
        }
    }
}

/// tree-sitter pull request 5276: growing the last block in place called `malloc`, which answered from the free list.
pub(super) fn the_last_block_that_moves_into_a_hole_keeps_its_bytes<S: Subject>(new: fn(SimulatedMemory) -> S) {
    for (hole, old, new_size) in [(200, 100, 200), (64, 64, 65), (128, 60, 128), (128, 64, 100)] {
        let mut heap = Watched::new(new(roomy(1)));
        let hole = heap.allocate(hole, 8);
        let last = heap.allocate(old, 8);
        heap.release(hole);
        heap.reallocate(last, new_size);
        heap.oracle.check_all_contents(heap.subject.memory());
    }
}

/// mimalloc 1.9.7 and 2.2.7, issue 750: memory that was taken for zero was not.
pub(super) fn zeroed_memory_is_zero_wherever_it_comes_from<S: Subject>(new: fn(SimulatedMemory) -> S) {
    // The host's bytes, then fresh pages, those of others in between, and all of it once more after use.
    let mut heap = Watched::new(new(roomy(1)));
    for round in 0..3 {
        for size in [1, 8, 24, 1000, 30_000, 70_000, 8, 24] {
            for align in [1, 16, 4096] {
                let request = Request { size, align };
                let address = heap.subject.allocate_zeroed(request).unwrap();
                let bytes = heap.subject.memory().slice(address, size);
                assert!(
                    bytes.iter().all(|&byte| byte == 0),
                    "{size} aligned to {align}, round {round}"
                );
                heap.oracle.place(heap.subject.memory(), address, request);
            }
        }
        if round == 1 {
            heap.subject.memory().foreign_grow(1);
        } else {
            heap.release_all();
        }
    }
}

/// hardened_malloc commit 903cba5: the first call was `realloc`, which skipped the set-up.
pub(super) fn the_first_call_may_be_alloc_zeroed<S: Subject>(new: fn(SimulatedMemory) -> S) {
    for initial_pages in [0, 1] {
        let mut heap = Watched::new(new(roomy(initial_pages)));
        let request = Request { size: 100, align: 8 };
        let address = heap.subject.allocate_zeroed(request).unwrap();
        assert_eq!(heap.subject.memory().slice(address, 100), [0; 100]);
        heap.oracle.place(heap.subject.memory(), address, request);
        heap.oracle.check(&mut heap.subject);
    }
}

/// hardened_malloc commit 646baa3, mimalloc commit 26b792d9: the path of aligned blocks was not counted.
pub(super) fn statistics_count_aligned_blocks_too<S: Subject>(new: fn(SimulatedMemory) -> S) {
    let mut heap = Watched::new(new(roomy(1)));
    // The oracle compares the figures after each call.
    for align in [16, 32, 4096, PAGE_BYTES, 2 * PAGE_BYTES] {
        let block = heap.allocate(100, align);
        heap.reallocate(block, 5000);
    }
    heap.release_all();
}
