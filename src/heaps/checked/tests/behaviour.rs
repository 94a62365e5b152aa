//! What `CheckedHeap` does for right use, and when it runs out of memory. What it reports for misuse is in
//! `misuse.rs`.

use super::super::*;
use crate::original::HEADER_BYTES;
use crate::tests::simulated_memory::SimulatedMemory;

/// Where the heap of these tests begins: the first header.
pub(super) const BASE: u32 = 1024;

/// The heap in one page with 1024 bytes of static data, which may grow to 64.
pub(super) fn heap() -> CheckedHeap<SimulatedMemory> {
    CheckedHeap::over(SimulatedMemory::new(BASE, 1, 64))
}

pub(super) const fn request(size: u32, align: u32) -> Request {
    Request { size, align }
}

/// A request for 64 bytes: what the tests use when the size does not matter.
pub(super) const SOME: Request = request(64, 8);

pub(super) fn word(heap: &CheckedHeap<SimulatedMemory>, address: u32) -> u64 {
    heap.memory.read_le_u64(address).unwrap()
}

/// Asserts that nothing is served any more, and that every call returns [`Error::Poisoned`].
pub(super) fn assert_poisoned(heap: &mut CheckedHeap<SimulatedMemory>, live: u32) {
    assert!(heap.is_poisoned());
    let before = heap.memory.memory.all().to_vec();
    assert_eq!(heap.allocate(request(1, 1)), Err(Error::Poisoned));
    assert_eq!(heap.reallocate(live, SOME, 63), Err(Error::Poisoned));
    assert_eq!(heap.reallocate(live, SOME, 1000), Err(Error::Poisoned));
    assert_eq!(heap.deallocate(live, SOME), Err(Error::Poisoned));
    assert_eq!(heap.deallocate(live, request(64, 64)), Err(Error::Poisoned));
    assert!(
        heap.memory.memory.all() == before,
        "a poisoned heap has written to the memory"
    );
}

#[test]
fn the_first_block_lies_after_its_header_at_the_heap_base() {
    let mut heap = heap();
    assert_eq!(heap.allocate(request(100, 8)), Ok(BASE + HEADER_BYTES));
    assert_eq!(word(&heap, BASE), 1 << 32 | 4);
    assert_eq!(heap.stats().bytes_allocated, 8 + 128);
}

#[test]
fn a_released_block_carries_a_stamp_until_it_is_handed_out_again() {
    let mut heap = heap();
    let block = heap.allocate(SOME).unwrap();
    heap.deallocate(block, SOME).unwrap();
    assert_eq!(word(&heap, block), free_stamp(block, 64));
    for bit in 3..32 {
        assert_ne!(free_stamp(block, 64), free_stamp(block, 64 ^ 1 << bit));
        assert_ne!(free_stamp(block, 64), free_stamp(block ^ 1 << bit, 64));
    }
    assert_eq!(heap.allocate(SOME), Ok(block));
    assert_eq!(word(&heap, block - HEADER_BYTES), 1 << 32 | 3);
}

#[test]
fn every_alignment_gets_a_block_with_room_and_a_marker_in_front() {
    let mut heap = heap();
    for log2 in 0..=16 {
        for size in [1, 8, 40, 1000] {
            let request = request(size, 1 << log2);
            let pointer = heap.allocate(request).unwrap();
            assert!(pointer % request.align == 0);
            if request.align <= BLOCK_ALIGN {
                continue;
            }
            let block = marked_block(&heap.memory, pointer, request.align).unwrap();
            assert_eq!(
                word(&heap, pointer - WORD_BYTES),
                u64::from(!block) << 32 | u64::from(block)
            );
            let block_bytes = heap.block_bytes_for(request).unwrap();
            assert!(block + 2 * WORD_BYTES <= pointer);
            assert!(
                pointer + size <= block + block_bytes,
                "{size} aligned to {}",
                request.align
            );
            heap.deallocate(pointer, request).unwrap();
        }
    }
    assert!(!heap.is_poisoned());
}

#[test]
fn resizing_keeps_an_over_aligned_block_aligned_and_its_bytes() {
    let mut heap = heap();
    for (align, old, new) in [(16, 20, 2000), (64, 2000, 20), (4096, 1, 9000), (16, 8, 9)] {
        let pointer = heap.allocate(request(old, align)).unwrap();
        heap.memory.memory.slice(pointer, old).fill(7);
        let resized = heap.reallocate(pointer, request(old, align), new).unwrap();
        assert!(resized % align == 0);
        let kept = old.min(new);
        assert!(heap.memory.memory.slice(resized, kept).iter().all(|&byte| byte == 7));
        heap.deallocate(resized, request(new, align)).unwrap();
    }
    assert_eq!(heap.stats().bytes_allocated, 0);
}

#[test]
fn resizing_within_an_order_stays_in_place() {
    let mut heap = heap();
    let block = heap.allocate(request(33, 1)).unwrap();
    assert_eq!(heap.reallocate(block, request(33, 1), 64), Ok(block));
    assert_eq!(heap.reallocate(block, request(64, 1), 40), Ok(block));
    assert_eq!(heap.memory.memory.copied_bytes, 0);
    let larger = heap.reallocate(block, request(40, 1), 65).unwrap();
    assert_ne!(larger, block);
    assert_eq!(heap.memory.memory.copied_bytes, 40);
    assert_eq!(heap.allocate(SOME), Ok(block));
}

#[test]
fn the_heap_passes_over_the_pages_of_others() {
    let mut heap = heap();
    let block = heap.allocate(SOME).unwrap();
    heap.memory.memory.foreign_grow(2);
    let after = heap.allocate(request(60_000, 8)).unwrap();
    assert_eq!(after, 3 * 65_536 + HEADER_BYTES);
    heap.deallocate(after, request(60_000, 8)).unwrap();
    heap.deallocate(block, SOME).unwrap();
}

#[test]
fn the_memory_grows_by_an_eighth_and_by_the_bare_need_where_that_is_refused() {
    let mut heap = CheckedHeap::over(SimulatedMemory::new(BASE, 32, 37));
    // A block of 2 MiB and its header, of which the initial memory has 1024 bytes too few.
    heap.allocate(request(32 * 65_536, 8)).unwrap();
    assert_eq!(heap.memory.memory.grow_calls, [4]);
    heap.allocate(request(65_536, 8)).unwrap();
    heap.allocate(request(65_536, 8)).unwrap();
    heap.allocate(request(65_536, 8)).unwrap();
    assert_eq!(heap.memory.memory.grow_calls, [4]);
    heap.allocate(request(65_536, 8)).unwrap();
    assert_eq!(heap.memory.memory.grow_calls, [4, 4, 1]);
}

#[test]
fn the_memory_grows_by_the_bare_need_where_a_step_would_go_beyond_the_ceiling() {
    for growth in [Growth::DOUBLING, Growth::Step { pages: u32::MAX }] {
        let mut memory = SimulatedMemory::new(BASE, 4, 4096);
        // The test ends if the engine is asked for more.
        memory.ceiling_pages = 6;
        let mut heap = CheckedHeap::over(memory);
        heap.growth = growth;
        heap.limit_pages(6);
        while heap.allocate(request(32_000, 8)).is_ok() {}
        assert_eq!(heap.memory.memory.grow_calls, [1, 1], "{growth:?}");
        assert!(heap.is_poisoned());
    }
}

#[test]
pub(super) fn words_across_eight_byte_bounds_or_after_the_heap_are_refused() {
    let mut heap = heap();
    heap.allocate(SOME).unwrap();
    heap.memory.memory.foreign_grow(1);
    for address in [BASE + 1, BASE + 4, BASE + 7, 65_536, 65_540, 0xFFFF_FFF8, 0xFFFF_FFFF] {
        assert_eq!(heap.memory.read_le_u64(address), Err(Error::InvalidAddress { address }));
        assert_eq!(
            heap.memory.write_le_u64(address, 0),
            Err(Error::InvalidAddress { address })
        );
    }
    assert!(heap.memory.read_le_u64(65_528).is_ok());
}

#[test]
fn running_out_of_memory_poisons_and_leaves_what_lives_as_it_is() {
    let mut heap = CheckedHeap::over(SimulatedMemory::new(BASE, 1, 1));
    let block = heap.allocate(SOME).unwrap();
    heap.memory.memory.slice(block, 64).fill(9);
    assert_eq!(heap.allocate(request(65_536, 8)), Err(Error::AllocatorOutOfSpace));
    assert_poisoned(&mut heap, block);
    assert_eq!(heap.memory.memory.slice(block, 64), [9; 64]);
}

#[test]
fn a_resizing_for_which_there_is_no_memory_leaves_the_block_as_it_is() {
    let mut heap = CheckedHeap::over(SimulatedMemory::new(BASE, 1, 1));
    let block = heap.allocate(SOME).unwrap();
    heap.memory.memory.slice(block, 64).fill(9);
    let header = word(&heap, block - HEADER_BYTES);
    assert_eq!(heap.reallocate(block, SOME, 65_536), Err(Error::AllocatorOutOfSpace));
    assert_eq!(heap.memory.memory.slice(block, 64), [9; 64]);
    assert_eq!(word(&heap, block - HEADER_BYTES), header);
    assert_poisoned(&mut heap, block);
}

#[test]
fn a_request_above_the_largest_block_poisons_and_the_largest_block_can_be_raised() {
    for too_large in [
        request((1 << 24) + 1, 1),
        request(1 << 24, 16),
        request(1, 1 << 24),
        request(i32::MAX as u32, 1),
    ] {
        let mut heap = heap();
        let block = heap.allocate(SOME).unwrap();
        assert_eq!(heap.allocate(too_large), Err(Error::RequestedAllocationTooLarge));
        assert_eq!(heap.memory.memory.grow_calls, []);
        assert_poisoned(&mut heap, block);
    }
    let mut heap = CheckedHeap::over(SimulatedMemory::new(BASE, 1, 1024));
    heap.max_allocation = 1 << 25;
    assert_eq!(heap.allocate(request((1 << 24) + 1, 1)), Ok(BASE + HEADER_BYTES));
}

#[test]
fn requests_of_up_to_two_gib_with_their_alignment_are_the_largest_that_there_can_be() {
    let mut heap = heap();
    heap.max_allocation = u32::MAX;
    assert_eq!(
        heap.allocate(request(1 << 30, 1 << 29)),
        Err(Error::AllocatorOutOfSpace)
    );
    let mut heap = self::heap();
    heap.max_allocation = u32::MAX;
    assert_eq!(
        heap.allocate(request(1 << 30, 1 << 30)),
        Err(Error::RequestedAllocationTooLarge)
    );
}
