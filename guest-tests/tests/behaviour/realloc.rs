//! Reallocation: every byte that both sizes have in common is kept, and nothing else is touched.

use guest_tests::{Block, assert_no_growth};
use wasm_bindgen_test::wasm_bindgen_test;

#[wasm_bindgen_test]
fn growing_and_shrinking_one_byte_at_a_time_keeps_the_bytes() {
    let mut block = Block::new(1, 1, 0x77);
    for size in (2..=700).chain((1..700).rev()) {
        block.resize(size);
    }
}

#[wasm_bindgen_test]
fn growing_and_shrinking_in_large_steps_keeps_the_bytes() {
    let mut block = Block::new(24, 8, 0x31);
    for size in [100, 1_000, 9, 65_536, 65_535, 1_000_000, 4_097, 3_000_000, 1, 131_072] {
        block.resize(size);
        block.check();
    }
}

#[wasm_bindgen_test]
fn neighbours_stay_intact_while_blocks_are_resized() {
    let mut blocks: Vec<Block> = (0..64).map(|index| Block::new(16 + index, 8, index as u8)).collect();
    for step in 1..200 {
        let index = step * 37 % blocks.len();
        let size = 1 + step * 7_919 % 6_000;
        blocks[index].resize(size);
        for block in &blocks {
            block.check();
        }
    }
}

#[wasm_bindgen_test]
fn the_newest_block_is_resized_although_a_block_of_the_new_size_is_free() {
    // A reallocation in place that asks its own allocator for the new size must not get that free block.
    for size in [8, 64, 1_024, 40_000] {
        let free = Block::new(2 * size, 8, 0x10);
        let mut newest = Block::new(size, 8, 0x20);
        drop(free);
        newest.resize(2 * size);
        newest.check();
    }
}

#[wasm_bindgen_test]
fn vectors_that_grow_by_pushes_keep_their_elements() {
    let mut bytes = Vec::new();
    let mut words = Vec::new();
    let mut wide = Vec::new();
    for number in 0..200_000u32 {
        bytes.push(number as u8);
        words.push(number);
        if number % 16 == 0 {
            wide.push([u64::from(number); 4]);
        }
    }
    assert!(bytes.iter().copied().eq((0..200_000u32).map(|number| number as u8)));
    assert!(words.iter().copied().eq(0..200_000));
    assert!(
        wide.iter()
            .enumerate()
            .all(|(index, words)| *words == [index as u64 * 16; 4])
    );
    bytes.truncate(10);
    bytes.shrink_to_fit();
    assert_eq!(bytes, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
}

#[wasm_bindgen_test]
fn resizing_up_and_down_again_and_again_needs_no_more_memory() {
    let mut blocks: Vec<Block> = (0..20).map(|index| Block::new(50, 8, index)).collect();
    assert_no_growth(2, 50, || {
        for size in [60, 600, 6_000, 60_000, 6_000, 600, 50] {
            for block in &mut blocks {
                block.resize(size);
            }
        }
    });
}
