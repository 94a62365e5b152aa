//! The figures of a heap without headers, whose allocator the including file calls `ALLOCATOR`.

use crate::ALLOCATOR;
use freeing_bump::HeapStats;
use guest_tests::{Block, PAGE_BYTES, memory_pages};
use wasm_bindgen_test::wasm_bindgen_test;

/// The figures now, after a check that they are consistent with each other and with the memory.
fn stats() -> HeapStats {
    let stats = ALLOCATOR.stats();
    assert_eq!(
        stats.live_bytes + stats.free_bytes + stats.tail_bytes,
        stats.address_space_bytes
    );
    assert!(stats.largest_free_bytes <= stats.free_bytes + stats.tail_bytes);
    assert!(stats.address_space_bytes as usize <= memory_pages() * PAGE_BYTES);
    stats
}

#[wasm_bindgen_test]
fn live_bytes_follow_the_blocks_that_are_in_use() {
    for size in [1, 24, 1_000, 70_000, 2_000_000] {
        // The heap's own bytes for blocks of this size count as live from the first block on.
        drop(Block::new(size, 8, 0x5a));
        let before = stats();
        let block = Block::new(size, 8, 0x5a);
        let during = stats();
        drop(block);
        let after = stats();

        let block_bytes = (during.live_bytes - before.live_bytes) as usize;
        assert!(block_bytes >= size);
        assert!(
            block_bytes <= 2 * size.max(8),
            "{block_bytes} bytes for a request of {size}"
        );
        assert_eq!(after.live_bytes, before.live_bytes);
    }
}

#[wasm_bindgen_test]
fn released_blocks_are_counted_as_free_until_they_are_used_again() {
    let blocks: Vec<Block> = (0..50).map(|index| Block::new(3_000, 8, index)).collect();
    let during = stats();
    drop(blocks);
    let after = stats();
    assert!(after.free_bytes + after.tail_bytes >= during.free_bytes + during.tail_bytes + 50 * 3_000);
    assert!(after.largest_free_bytes >= 3_000);
    assert_eq!(after.address_space_bytes, during.address_space_bytes);
}

#[wasm_bindgen_test]
fn address_space_follows_the_growth_of_the_memory() {
    let before = stats();
    let pages_before = memory_pages();
    let block = Block::new(before.largest_free_bytes as usize + 1_000_000, 8, 0x5a);
    let added_bytes = (memory_pages() - pages_before) * PAGE_BYTES;
    let after = stats();
    assert!(added_bytes > 0);
    assert_eq!(
        (after.address_space_bytes - before.address_space_bytes) as usize,
        added_bytes
    );
    drop(block);
    assert_eq!(stats().address_space_bytes, after.address_space_bytes);
}

#[wasm_bindgen_test]
fn an_allocator_that_is_formatted_shows_its_figures() {
    let shown = format!("{ALLOCATOR:?}");
    let (_, rest) = shown.split_once("FreeingBump(HeapStats { live_bytes: ").expect(&shown);
    let live_bytes: u32 = rest
        .split(',')
        .next()
        .and_then(|digits| digits.parse().ok())
        .expect(&shown);
    assert!(live_bytes > 0, "{shown}");
}
