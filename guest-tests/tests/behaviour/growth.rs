//! Growth of the memory, by the allocator and by other code in between.

use guest_tests::{Block, ForeignPages, PAGE_BYTES, assert_no_growth, memory_pages};
use wasm_bindgen_test::wasm_bindgen_test;

#[wasm_bindgen_test]
fn blocks_keep_their_bytes_while_the_memory_grows_by_hundreds_of_pages() {
    let pages_before = memory_pages();
    let mut blocks = Vec::new();
    while memory_pages() < pages_before + 300 {
        let count = blocks.len();
        assert!(
            count < 10_000,
            "{count} blocks of 20,000 bytes must have grown the memory by 300 pages"
        );
        blocks.push(Block::new(20_000, 8, count as u8));
    }
    for block in &blocks {
        block.check();
    }
}

#[wasm_bindgen_test]
fn a_block_of_many_pages_is_served_by_one_request() {
    let block = Block::new(12 * 1024 * 1024, 8, 0x5a);
    assert!(block.last_address() < memory_pages() * PAGE_BYTES);
    block.check();
}

#[wasm_bindgen_test]
fn pages_that_other_code_adds_keep_their_bytes() {
    let mut foreign = Vec::new();
    let mut blocks = Vec::new();
    for round in 0..12 {
        foreign.push(ForeignPages::grow(1 + round % 3, 0xa0 + round as u8));
        let pages = memory_pages();
        // Enough to make the allocator grow past the foreign pages.
        while memory_pages() == pages {
            assert!(
                blocks.len() * 200_000 < pages * PAGE_BYTES,
                "the allocator must run out of its own pages"
            );
            blocks.push(Block::new(200_000, 16, round as u8));
        }
        blocks.push(Block::new(150_000, 8, round as u8));
        blocks.truncate(blocks.len() / 2);
        for pages in &foreign {
            pages.check();
        }
    }
    for block in &blocks {
        block.check();
    }
    drop(blocks);
    for pages in &foreign {
        pages.check();
    }
}

#[wasm_bindgen_test]
fn blocks_on_both_sides_of_foreign_pages_are_reused() {
    let round = || {
        let blocks: Vec<Block> = (0..100).map(|index| Block::new(10_000, 8, index)).collect();
        drop(blocks);
    };
    round();
    let foreign = ForeignPages::grow(2, 0xee);
    assert_no_growth(2, 50, round);
    foreign.check();
}
