//! Which runs the blocks of a size lie in: those of the next power of two, or its own.

use super::super::run::run_around;
use super::*;
use crate::memory::PAGE_BYTES;
use crate::tests::simulated_memory::SimulatedMemory;
use std::vec::Vec;

/// Blocks of 128 bytes that a run has.
const BLOCKS_OF_128: usize = 63;

fn request(size: u32) -> Request {
    Request { size, align: 8 }
}

/// A heap in a memory of `limit_pages` pages that begins with one.
struct Small {
    heap: MergingHeap<SimulatedMemory>,
}

impl Small {
    fn new(limit_pages: u32) -> Self {
        let memory = SimulatedMemory::new(1040, 1, limit_pages);
        Small {
            heap: MergingHeap::new(memory, Growth::THIRTY_SECOND),
        }
    }

    fn allocate(&mut self, size: u32) -> u32 {
        let block = self.heap.allocate(request(size));
        assert_ne!(block, 0, "a request of {size} bytes is refused");
        block
    }

    fn fill(&mut self, size: u32, count: usize) -> Vec<u32> {
        (0..count).map(|_| self.allocate(size)).collect()
    }

    fn release(&mut self, blocks: Vec<u32>, size: u32) {
        for block in blocks {
            // SAFETY: the simulated memory checks addresses, and each block is released once.
            unsafe { self.heap.deallocate(block, request(size)) };
        }
    }

    /// The bytes of the blocks of the run that this block lies in.
    fn bytes_in_run(&self, block: u32) -> u64 {
        let extent = self.heap.extent_of(block, request(1));
        extent.end - extent.start
    }
}

#[test]
fn sizes_that_few_blocks_are_made_of_share_a_run() {
    let mut heap = Small::new(16);
    let first = heap.allocate(128);
    for size in (72..=128).step_by(8) {
        for block in heap.fill(size, 3) {
            assert_eq!(run_around(block), run_around(first), "{size} bytes");
            assert_eq!(heap.bytes_in_run(block), 128);
        }
    }
}

#[test]
fn a_size_that_has_borrowed_4_kib_gets_a_run_of_its_own_where_the_shared_runs_are_full() {
    let mut heap = Small::new(16);
    for block in heap.fill(72, BLOCKS_OF_128) {
        assert_eq!(heap.bytes_in_run(block), 128);
    }
    for block in heap.fill(72, 10) {
        assert_eq!(heap.bytes_in_run(block), 72);
    }
}

#[test]
fn a_size_with_runs_of_its_own_does_not_borrow_any_more() {
    let mut heap = Small::new(16);
    let borrowed = heap.fill(72, BLOCKS_OF_128);
    let first = heap.allocate(72);
    let blocks = heap.fill(72, 200);
    assert_ne!(run_around(blocks[199]), run_around(first));
    heap.release(borrowed, 72);
    for block in heap.fill(72, 200) {
        assert_eq!(heap.bytes_in_run(block), 72);
    }
}

/// The bytes of the blocks in the run that serves a request of 72 bytes, when a shared run is full of `borrowed` blocks for
/// such requests and of others.
fn bytes_in_run_after(borrowed: usize) -> u64 {
    let mut heap = Small::new(16);
    heap.fill(72, borrowed);
    heap.fill(128, BLOCKS_OF_128 - borrowed);
    let block = heap.allocate(72);
    heap.bytes_in_run(block)
}

#[test]
fn a_size_that_has_borrowed_less_than_4_kib_gets_another_shared_run() {
    // 3,968 and 4,480 bytes. The first block is not borrowed, since a run was made for it. Then come one, the two that are listed
    // after it, and four at a time.
    assert_eq!(bytes_in_run_after(32), 128);
    assert_eq!(bytes_in_run_after(36), 72);
}

#[test]
fn what_a_size_has_borrowed_counts_from_the_last_time_that_a_shared_run_was_idle() {
    let mut heap = Small::new(16);
    let borrowed = heap.fill(72, BLOCKS_OF_128);
    // The second run is the current one then, so that the first goes back with its last block.
    heap.fill(128, BLOCKS_OF_128);
    heap.release(borrowed, 72);
    for block in heap.fill(72, BLOCKS_OF_128) {
        assert_eq!(heap.bytes_in_run(block), 128);
    }
    // It has borrowed a whole run since.
    let block = heap.allocate(72);
    assert_eq!(heap.bytes_in_run(block), 72);
}

#[test]
fn a_size_that_is_used_again_and_again_does_not_get_runs_while_the_shared_ones_have_free_blocks() {
    let mut heap = Small::new(16);
    for _ in 0..if cfg!(miri) { 20 } else { 1000 } {
        let blocks = heap.fill(72, 20);
        assert_eq!(heap.bytes_in_run(blocks[19]), 128);
        heap.release(blocks, 72);
    }
    assert_eq!(heap.heap.chunks.memory.grow_calls, []);
}

/// The bytes that a size borrows before it gets runs of its own, where `shared_runs` of 128 bytes always have free blocks, and how
/// far the heap extends then. The heap has a block of `large` bytes. No bytes if they are more than 200 KiB.
fn borrowed_while_shared_runs_have_free_blocks(large: u32, shared_runs: usize) -> (Option<u32>, u32) {
    let mut heap = Small::new(128);
    heap.allocate(large);
    heap.fill(128, (shared_runs - 1) * BLOCKS_OF_128 + 1);
    // One block the first time, and then as many as 512 bytes are.
    let mut borrowed = 0;
    for bytes in [128].into_iter().chain(core::iter::repeat_n(512, 400)) {
        let extent = heap.heap.chunks.extent();
        let blocks = heap.fill(72, bytes as usize / 128);
        if heap.bytes_in_run(blocks[blocks.len() - 1]) == 72 {
            return (Some(borrowed), extent);
        }
        borrowed += bytes;
        heap.release(blocks, 72);
    }
    (None, heap.heap.chunks.extent())
}

#[test]
#[cfg_attr(miri, ignore = "megabytes of memory")]
fn a_busy_size_gets_runs_of_its_own_although_the_shared_ones_have_free_blocks() {
    for large in [600_000, 4_000_000] {
        let (borrowed, extent) = borrowed_while_shared_runs_have_free_blocks(large, 4);
        assert!((large..large + large / 4).contains(&extent));
        assert!(borrowed.unwrap().abs_diff(extent / 32) <= 512, "{borrowed:?}");
    }
}

#[test]
fn no_size_is_busy_while_it_shares_fewer_than_four_runs() {
    let (borrowed, _) = borrowed_while_shared_runs_have_free_blocks(600_000, 3);
    assert_eq!(borrowed, None);
}

#[test]
fn no_size_is_busy_in_a_heap_of_less_than_512_kib() {
    let (borrowed, extent) = borrowed_while_shared_runs_have_free_blocks(420_000, 4);
    assert!((420_000..1 << 19).contains(&extent));
    assert_eq!(borrowed, None);
}

#[test]
fn a_size_is_not_busy_where_a_shared_run_is_idle_in_each_round() {
    let mut heap = Small::new(128);
    heap.allocate(600_000);
    // The last of these runs is the current one, and has no other blocks.
    heap.fill(128, 4 * BLOCKS_OF_128);
    for _ in 0..if cfg!(miri) { 5 } else { 1000 } {
        let blocks = heap.fill(72, BLOCKS_OF_128);
        assert_eq!(heap.bytes_in_run(blocks[BLOCKS_OF_128 - 1]), 128);
        heap.release(blocks, 72);
    }
}

#[test]
fn the_first_block_that_a_size_borrows_is_borrowed_alone() {
    let mut heap = Small::new(16);
    let first = heap.allocate(72);
    assert_eq!(heap.allocate(80), first + 128);
    assert_eq!(heap.allocate(88), first + 256);
}

#[test]
fn at_most_256_blocks_of_a_run_are_listed_at_once() {
    let mut heap = Small::new(16);
    heap.allocate(200_000);
    // Runs of 510, 255 and 15 blocks.
    for (size, blocks) in [(16, 256), (32, 255), (512, 15)] {
        heap.allocate(size);
        let MergingHeap { chunks, runs } = &heap.heap;
        let class = SizeClass::of(request(size)).unwrap();
        assert_eq!(1 + runs.listed_blocks(chunks, class), blocks, "{size} bytes");
    }
}

#[test]
fn a_run_of_which_blocks_are_only_borrowed_becomes_memory_for_anything_before_the_memory_grows() {
    let mut heap = Small::new(16);
    let blocks = heap.fill(72, 5);
    let listed = heap
        .heap
        .runs
        .free_bytes(&heap.heap.chunks, SizeClass::of(request(72)).unwrap());
    assert_eq!(listed, 3 * 128);
    heap.release(blocks, 72);
    heap.allocate(PAGE_BYTES - 1040 - 64);
    assert_eq!(heap.heap.chunks.memory.grow_calls, []);
}

#[test]
fn what_other_sizes_have_borrowed_serves_its_own_size_at_the_limit() {
    let mut heap = Small::new(1);
    let run = run_around(heap.allocate(128));
    // No more is free than the rest of the run, from here on.
    for size in [1000, 500] {
        while heap.heap.allocate(request(size)) != 0 {}
    }
    heap.fill(72, 5);
    let mut served = 0;
    loop {
        let block = heap.heap.allocate(request(128));
        if block == 0 {
            break;
        }
        served += usize::from(run_around(block) == run);
    }
    assert_eq!(1 + 5 + served, BLOCKS_OF_128);
}
