//! The last page below 4 GiB, where the address after a block can wrap around to 0.

use guest_tests::{Block, ForeignPages, memory_pages};
use wasm_bindgen_test::wasm_bindgen_test;

/// All the pages that 32 bits can address.
const ALL_PAGES: usize = 1 << 16;

/// Puts blocks into the spare capacity of `blocks` until that or the memory is used up.
fn fill(blocks: &mut Vec<Block>, size: usize, alignment: usize) {
    while blocks.len() < blocks.capacity() {
        match Block::try_new(size, alignment, blocks.len() as u8) {
            Some(block) => blocks.push(block),
            None => return,
        }
    }
}

/// Checks that the blocks are in the heap, apart from each other, and do not contain the last byte below 4 GiB, after
/// which no address exists.
fn assert_in_the_heap_and_apart(blocks: &mut [Block], heap_start: usize) {
    blocks.sort_unstable_by_key(Block::address);
    for block in &*blocks {
        assert!(
            block.address() >= heap_start,
            "the block at {:#x} is below the heap, which starts at {heap_start:#x}",
            block.address()
        );
        assert_ne!(block.last_address(), usize::MAX);
        block.check();
    }
    for pair in blocks.windows(2) {
        assert!(
            pair[0].last_address() < pair[1].address(),
            "the blocks at {:#x} and {:#x} overlap",
            pair[0].address(),
            pair[1].address()
        );
    }
}

#[wasm_bindgen_test]
fn no_block_wraps_around_the_end_of_the_address_space() {
    unsafe extern "C" {
        safe static __heap_base: u8;
    }
    let heap_start = (&raw const __heap_base).addr();
    // What the test harness allocates after the heap is full: a few blocks of each size that it may want.
    let for_the_harness: Vec<Block> = (0..52).map(|index| Block::new(8 << (index / 4), 8, 0)).collect();
    let mut held = Vec::with_capacity(1_000);
    let mut probes = Vec::with_capacity(1_000);

    ForeignPages::grow_untouched(ALL_PAGES - memory_pages() - 50);
    fill(&mut held, 60_000, 8);
    assert_eq!(
        memory_pages(),
        ALL_PAGES,
        "an allocator must ask for the pages that are left before it refuses"
    );
    assert_in_the_heap_and_apart(&mut held, heap_start);

    for keep_one_in in [usize::MAX, 3, 2] {
        let mut index = 0;
        held.retain(|_| {
            index += 1;
            index % keep_one_in != 0
        });
        for shift in 0..=16 {
            for size in [1, 16, 1_000, 30_000] {
                fill(&mut probes, size, 1 << shift);
                assert_in_the_heap_and_apart(&mut probes, heap_start);
                for block in &held {
                    block.check();
                }
                probes.clear();
            }
        }
    }

    let count = held.len();
    held.clear();
    fill(&mut held, 60_000, 8);
    assert!(
        held.len() >= count,
        "{count} blocks of 60,000 bytes were live, and only {} fit again",
        held.len()
    );
    assert_in_the_heap_and_apart(&mut held, heap_start);
    drop(for_the_harness);
}
