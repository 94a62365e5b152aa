//! What `TinyHeap` does, one behaviour at a time.

use super::super::*;
use crate::tests::simulated_memory::SimulatedMemory;
use std::vec::Vec;

/// Where the heap of these tests begins.
const BASE: u32 = 0x1_0000;

fn heap_with_pages(initial_pages: u32, limit_pages: u32) -> TinyHeap<SimulatedMemory> {
    TinyHeap::new(SimulatedMemory::new(BASE, initial_pages, 1 + limit_pages))
}

const fn request(size: u32, align: u32) -> Request {
    Request { size, align }
}

fn release(heap: &mut TinyHeap<SimulatedMemory>, block: u32, size: u32, align: u32) {
    // SAFETY: the tests pass live blocks with their layouts.
    unsafe { heap.deallocate(block, request(size, align)) }
}

fn resize(heap: &mut TinyHeap<SimulatedMemory>, block: u32, (size, align): (u32, u32), new_size: u32) -> u32 {
    // SAFETY: as in `release`.
    unsafe { heap.reallocate(block, request(size, align), new_size) }
}

#[test]
fn a_block_is_the_smallest_power_of_two_that_holds_size_and_alignment() {
    for log2 in 3..31 {
        let power = 1 << log2;
        for (size, align, bytes) in [
            (power, 1, power),
            (power / 2 + 1, 1, power),
            (1, power, power),
            (power, power, power),
            (power + 1, 1, 2 * power),
        ] {
            assert_eq!(
                PowerOfTwo::of(request(size, align)).mask(),
                bytes - 1,
                "{size} aligned to {align}"
            );
        }
    }
    assert_eq!(PowerOfTwo::of(request(1, 1)).mask(), 7);
}

#[test]
fn the_largest_request_that_a_layout_can_make_has_a_class_of_its_own() {
    assert_eq!(PowerOfTwo::of(request(i32::MAX as u32, 1)).0, 1);
    assert_eq!(PowerOfTwo::of(request(1 << 30, 1 << 30)).0, 2);
    assert_eq!(PowerOfTwo::of(request(1, 1)).0, 29);
}

#[test]
fn blocks_of_one_size_follow_each_other_from_the_heap_base_on() {
    let mut heap = heap_with_pages(1, 1);
    let blocks: Vec<u32> = (0..4).map(|_| heap.allocate(request(13, 1))).collect();
    assert_eq!(blocks, [BASE, BASE + 16, BASE + 32, BASE + 48]);
}

#[test]
fn the_last_block_released_is_the_first_to_be_handed_out_again() {
    let mut heap = heap_with_pages(1, 1);
    let blocks: Vec<u32> = (0..3).map(|_| heap.allocate(request(24, 8))).collect();
    for &block in &blocks {
        release(&mut heap, block, 24, 8);
    }
    // Any request of the class will do: 17 to 32 bytes.
    let again: Vec<u32> = [17, 32, 20].map(|size| heap.allocate(request(size, 1))).into();
    assert_eq!(again, [blocks[2], blocks[1], blocks[0]]);
}

#[test]
fn a_free_block_serves_its_own_class_only() {
    let mut heap = heap_with_pages(1, 1);
    let block = heap.allocate(request(64, 1));
    release(&mut heap, block, 64, 1);
    assert_ne!(heap.allocate(request(32, 1)), block);
    assert_ne!(heap.allocate(request(65, 1)), block);
    assert_eq!(heap.allocate(request(33, 1)), block);
}

#[test]
fn the_bytes_skipped_before_an_aligned_block_go_to_the_lists_of_their_sizes() {
    // The worked example at the top of `heap.rs`.
    let mut heap = heap_with_pages(1, 1);
    assert_eq!(heap.allocate(request(8, 1)), 0x1_0000);
    assert_eq!(heap.allocate(request(40, 1)), 0x1_0040);
    assert_eq!(heap.stats().free_bytes, 8 + 16 + 32);
    assert_eq!(heap.allocate(request(32, 1)), 0x1_0020);
    assert_eq!(heap.allocate(request(16, 1)), 0x1_0010);
    assert_eq!(heap.allocate(request(8, 1)), 0x1_0008);
    assert_eq!(heap.stats().free_bytes, 0);
}

#[test]
fn every_block_up_to_64_kib_is_aligned_to_its_size_and_larger_ones_to_64_kib() {
    let mut heap = heap_with_pages(1, 200);
    for log2 in (3..20).chain((3..20).rev()) {
        let size = 1 << log2;
        let block = heap.allocate(request(size, 1));
        assert_ne!(block, 0);
        assert_eq!(block % size.min(PAGE_BYTES), 0, "{size} at {block:#x}");
    }
}

#[test]
fn a_block_on_the_list_that_is_not_aligned_enough_is_left_there() {
    let mut heap = heap_with_pages(1, 16);
    // At page 1, which is aligned to 64 KiB and no more.
    let block = heap.allocate(request(2 * PAGE_BYTES, 1));
    assert_eq!(block, PAGE_BYTES);
    release(&mut heap, block, 2 * PAGE_BYTES, 1);
    let aligned = heap.allocate(request(2 * PAGE_BYTES, 2 * PAGE_BYTES));
    assert_eq!(aligned, 4 * PAGE_BYTES);
    assert_eq!(heap.allocate(request(2 * PAGE_BYTES, PAGE_BYTES)), block);
}

#[test]
fn resizing_within_a_class_keeps_the_block_and_copies_nothing() {
    let mut heap = heap_with_pages(1, 1);
    let block = heap.allocate(request(33, 4));
    for new_size in [64, 40, 33] {
        assert_eq!(resize(&mut heap, block, (33, 4), new_size), block);
    }
    // Here the alignment makes the class.
    let block = heap.allocate(request(1, 64));
    assert_eq!(resize(&mut heap, block, (1, 64), 60), block);
    assert_eq!(heap.memory.copied_bytes, 0);
}

#[test]
fn resizing_to_another_class_copies_what_both_hold_and_releases_the_old_block() {
    let mut heap = heap_with_pages(1, 1);
    let block = heap.allocate(request(20, 1));
    heap.memory.slice(block, 20).copy_from_slice(b"twenty bytes of text");
    let larger = resize(&mut heap, block, (20, 1), 100);
    assert_eq!(heap.memory.slice(larger, 20), b"twenty bytes of text");
    assert_eq!(heap.allocate(request(32, 1)), block);
    let smaller = resize(&mut heap, larger, (100, 1), 6);
    assert_eq!(heap.memory.slice(smaller, 6), b"twenty");
    assert_eq!(heap.memory.copied_bytes, 20 + 6);
    assert_eq!(heap.allocate(request(128, 1)), larger);
}

#[test]
fn a_refused_resizing_leaves_the_block_as_it_is() {
    let mut heap = heap_with_pages(1, 1);
    let block = heap.allocate(request(20, 1));
    heap.memory.slice(block, 20).copy_from_slice(b"twenty bytes of text");
    assert_eq!(resize(&mut heap, block, (20, 1), PAGE_BYTES), 0);
    assert_eq!(heap.memory.slice(block, 20), b"twenty bytes of text");
    assert_ne!(heap.allocate(request(20, 1)), block);
}

#[test]
fn zeroed_memory_is_cleared_where_the_host_or_an_earlier_block_may_have_written() {
    let mut heap = heap_with_pages(1, 1);
    let block = heap.allocate_zeroed(request(100, 1));
    assert_eq!(heap.memory.slice(block, 100), [0; 100]);
    assert_eq!(heap.memory.cleared_bytes, 100);
    heap.memory.slice(block, 100).fill(0xFF);
    release(&mut heap, block, 100, 1);
    assert_eq!(heap.allocate_zeroed(request(90, 1)), block);
    assert_eq!(heap.memory.slice(block, 90), [0; 90]);
    assert_eq!(heap.memory.cleared_bytes, 190);
}

#[test]
fn zeroed_memory_is_cleared_in_an_initial_memory_that_reaches_the_top_of_the_address_space() {
    let memory = SimulatedMemory::new(65_530 * PAGE_BYTES + 16, 6, 65_536);
    let mut heap = TinyHeap::new(memory);
    let block = heap.allocate_zeroed(request(100, 1));
    assert_eq!(heap.memory.slice(block, 100), [0; 100]);
    let block = heap.allocate_zeroed(request(2 * PAGE_BYTES, 1));
    assert!(heap.memory.slice(block, 2 * PAGE_BYTES).iter().all(|&byte| byte == 0));
}

#[test]
fn pages_fresh_from_the_engine_are_not_cleared_and_reused_ones_are() {
    let mut heap = heap_with_pages(0, 64);
    let first = heap.allocate_zeroed(request(1000, 8));
    let second = heap.allocate_zeroed(request(3 * PAGE_BYTES, 1));
    let third = heap.allocate_zeroed(request(16, 16));
    assert!(first != 0 && second != 0 && third != 0);
    assert_eq!(heap.memory.cleared_bytes, 0);
    // The 64 bytes that were skipped before the first aligned block were never handed out, but have links in them.
    release(&mut heap, second, 3 * PAGE_BYTES, 1);
    assert_eq!(heap.allocate_zeroed(request(3 * PAGE_BYTES, 1)), second);
    assert_eq!(heap.memory.cleared_bytes, u64::from(3 * PAGE_BYTES));
}

#[test]
fn skipped_bytes_hold_links_and_are_cleared_for_a_zeroed_block() {
    let mut heap = heap_with_pages(0, 64);
    let pieces: Vec<u32> = (0..4)
        .map(|_| {
            heap.allocate(request(8, 1));
            heap.allocate(request(16, 16))
        })
        .collect();
    assert_eq!(pieces.len(), 4);
    while heap.free_lists[29] != 0 {
        let piece = heap.allocate_zeroed(request(8, 1));
        assert_eq!(heap.memory.slice(piece, 8), [0; 8]);
    }
}

#[test]
fn the_initial_memory_is_used_up_before_the_memory_grows() {
    let mut heap = heap_with_pages(2, 64);
    for _ in 0..31 {
        assert_ne!(heap.allocate(request(4096, 1)), 0);
    }
    assert_eq!(heap.memory.grow_calls, []);
    // The last block of the memory waits for the byte after it.
    let last = heap.allocate(request(4096, 1));
    assert_eq!(last, BASE + 31 * 4096);
    assert_eq!(heap.memory.grow_calls, [1]);
}

#[test]
fn the_memory_grows_by_the_need_and_an_eighth_and_by_the_bare_need_where_that_is_refused() {
    // The pages below the heap count too: 80 in all.
    let mut heap = heap_with_pages(79, 99);
    while heap.memory.grow_calls.is_empty() {
        assert_ne!(heap.allocate(request(PAGE_BYTES, 1)), 0);
    }
    assert_eq!(heap.memory.grow_calls, [1 + 80 / 8]);
    assert_eq!(heap.memory.end_page(), 91);
    while heap.memory.end_page() < 100 {
        assert_ne!(heap.allocate(request(PAGE_BYTES, 1)), 0);
    }
    // The nine that are left are then taken one by one.
    assert_eq!(heap.memory.grow_calls[1..3], [1 + 91 / 8, 1]);
}

#[test]
fn a_refused_request_changes_nothing_and_the_rest_is_served() {
    let mut heap = heap_with_pages(1, 1);
    let block = heap.allocate(request(64, 1));
    release(&mut heap, block, 64, 1);
    let before = heap.stats();
    for (size, align) in [
        (PAGE_BYTES, 1),
        (10 * PAGE_BYTES, 8),
        (i32::MAX as u32, 1),
        (1 << 30, 1 << 30),
    ] {
        assert_eq!(heap.allocate(request(size, align)), 0);
        assert_eq!(heap.stats(), before, "{size} aligned to {align}");
    }
    assert_eq!(heap.allocate(request(64, 1)), block);
    assert_ne!(heap.allocate(request(8, 1)), 0);
    assert_ne!(heap.allocate(request(PAGE_BYTES / 4, 1)), 0);
}

#[test]
fn a_request_grows_the_memory_once_for_the_block_and_the_bytes_skipped_before_it() {
    let mut heap = heap_with_pages(1, 64);
    assert_ne!(heap.allocate(request(8, 1)), 0);
    assert_eq!(heap.allocate(request(8 * PAGE_BYTES, 8 * PAGE_BYTES)), 8 * PAGE_BYTES);
    assert_eq!(heap.memory.grow_calls, [15]);
}

#[test]
fn a_request_that_does_not_fit_together_with_the_bytes_before_it_does_not_grow_the_memory() {
    let mut heap = heap_with_pages(1, 8);
    assert_ne!(heap.allocate(request(8, 1)), 0);
    assert_eq!(heap.allocate(request(4 * PAGE_BYTES, 8 * PAGE_BYTES)), 0);
    assert_eq!(heap.memory.end_page(), 2);
}

#[test]
fn the_pages_of_others_are_passed_over_and_what_was_left_before_them_stays_unused() {
    let mut heap = heap_with_pages(1, 64);
    let first = heap.allocate(request(8, 8));
    let foreign = heap.memory.foreign_grow(2);
    let second = heap.allocate(request(PAGE_BYTES, 1));
    assert_eq!((first, foreign.start, second), (BASE, 2 * PAGE_BYTES, 4 * PAGE_BYTES));
    let stats = heap.stats();
    assert_eq!(
        stats.free_bytes + stats.tail_bytes + stats.live_bytes,
        stats.address_space_bytes
    );
    // The bytes between the first block and the end of its page went to the lists in front of a block aligned to 64 KiB.
    assert!(stats.free_bytes < PAGE_BYTES);
}

#[test]
fn releasing_everything_leaves_no_live_byte_in_the_statistics() {
    let mut heap = heap_with_pages(1, 64);
    assert_eq!(heap.stats().tail_bytes, PAGE_BYTES);
    let layouts = [(8, 1), (100, 64), (5000, 4096), (70_000, 8), (1, 65_536)];
    let blocks = layouts.map(|(size, align)| heap.allocate(request(size, align)));
    assert_eq!(heap.stats().live_bytes, 8 + 128 + 8192 + 131_072 + 65_536);
    for ((size, align), block) in layouts.into_iter().zip(blocks) {
        release(&mut heap, block, size, align);
    }
    let stats = heap.stats();
    assert_eq!(stats.live_bytes, 0);
    assert_eq!(stats.address_space_bytes, (heap.memory.end_page() - 1) * PAGE_BYTES);
    assert_eq!(stats.largest_free_bytes, stats.tail_bytes.max(131_072));
}

#[test]
fn the_largest_free_bytes_are_served_without_growth_and_one_more_is_not() {
    for taken in [0, 8, 5000, 100_000] {
        let mut heap = heap_with_pages(5, 64);
        if taken != 0 {
            heap.allocate(request(taken, 1));
        }
        let largest = heap.stats().largest_free_bytes;
        assert_ne!(heap.allocate(request(largest, 8)), 0);
        assert_eq!(heap.memory.grow_calls, [], "{taken} bytes taken, {largest} free");

        let mut heap = heap_with_pages(5, 64);
        if taken != 0 {
            heap.allocate(request(taken, 1));
        }
        assert_ne!(heap.allocate(request(largest + 1, 8)), 0);
        assert_ne!(heap.memory.grow_calls, [], "{taken} bytes taken, {largest} free");
    }
}
