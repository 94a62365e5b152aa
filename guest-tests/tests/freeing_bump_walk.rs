//! Walks through the heap of `FreeingBump`, by visitors that allocate and release in it. Run with `cargo make test-guest`.
#![cfg(target_arch = "wasm32")]

use freeing_bump::{FreeingBump, HeapRange, HeapSummary, RangeKind};
use guest_tests::{Block, PAGE_BYTES};
use wasm_bindgen_test::wasm_bindgen_test;

#[global_allocator]
static ALLOCATOR: FreeingBump = FreeingBump::new();

/// Asserts that the ranges have neither gaps nor overlaps, and returns how many bytes they have.
fn bytes_of(ranges: &[HeapRange]) -> u32 {
    for pair in ranges.windows(2) {
        assert_eq!(pair[0].address + pair[0].bytes, pair[1].address);
    }
    ranges.iter().map(|range| range.bytes).sum()
}

fn kind_at(ranges: &[HeapRange], address: usize) -> Option<(RangeKind, usize)> {
    let range = ranges.iter().find(|range| range.address as usize == address)?;
    Some((range.kind, range.bytes as usize))
}

#[wasm_bindgen_test]
fn a_visitor_that_pushes_to_a_vector_is_told_each_address_and_each_block() {
    let blocks: Vec<Block> = (1..3000).map(|number| Block::new(number, 8, 0x5a)).collect();
    let bytes = ALLOCATOR.stats().address_space_bytes;
    let mut ranges = Vec::new();
    ALLOCATOR.walk(|range| ranges.push(range));
    assert_eq!(bytes_of(&ranges), bytes);
    for block in &blocks {
        let (kind, bytes) = kind_at(&ranges, block.address()).expect("a range begins at each block");
        assert_eq!(kind, RangeKind::Live);
        assert!(bytes >= block.size() && bytes <= block.size().max(16) * 2);
    }
}

#[wasm_bindgen_test]
fn a_visitor_that_allocates_and_releases_is_told_each_address_once() {
    let mut blocks: Vec<Block> = (0..2000).map(|number| Block::new(8 + number % 2000, 8, 0x5a)).collect();
    let bytes = ALLOCATOR.stats().address_space_bytes;
    let mut at = None;
    let mut told = 0;
    ALLOCATOR.walk(|range| {
        assert_eq!(*at.get_or_insert(range.address), range.address);
        at = Some(range.address + range.bytes);
        told += range.bytes;
        let number = told as usize % blocks.len();
        let size = blocks[number].size();
        blocks.swap_remove(number);
        blocks.push(Block::new(size * 7 % 3001 + 1, 8, 0x5a));
    });
    assert_eq!(told, bytes);
}

#[wasm_bindgen_test]
fn a_walk_within_a_walk_tells_the_same() {
    let _blocks: Vec<Block> = (0..50).map(|number| Block::new(900 + number, 8, 0x5a)).collect();
    let mut outer = HeapSummary::default();
    ALLOCATOR.walk(|range| {
        outer.add(range);
        if outer.live_blocks % 16 == 1 {
            let mut inner = HeapSummary::default();
            ALLOCATOR.walk(|range| inner.add(range));
            assert_eq!(inner.tail_bytes, ALLOCATOR.stats().tail_bytes);
        }
    });
    let mut again = HeapSummary::default();
    ALLOCATOR.walk(|range| again.add(range));
    assert_eq!(outer, again);
}

#[wasm_bindgen_test]
fn pages_that_others_add_are_told_as_theirs() {
    let mut before = HeapSummary::default();
    ALLOCATOR.walk(|range| before.add(range));
    core::arch::wasm32::memory_grow::<0>(2);
    // More than the heap has free: it grows behind the pages of others.
    let _block = Block::new(before.largest_free_bytes as usize + 1_000_000, 8, 0x5a);
    let mut after = HeapSummary::default();
    ALLOCATOR.walk(|range| after.add(range));
    assert_eq!((after.foreign_bytes - before.foreign_bytes) as usize, 2 * PAGE_BYTES);
    let stats = ALLOCATOR.stats();
    assert_eq!(after.free_bytes, stats.free_bytes);
    assert_eq!(after.tail_bytes, stats.tail_bytes);
    assert_eq!(
        after.live_bytes + after.own_bytes + after.foreign_bytes,
        stats.live_bytes
    );
}
