//! Zero-filled memory, fresh from the engine and used before.

use guest_tests::{Block, PAGE_BYTES};
use wasm_bindgen_test::wasm_bindgen_test;

/// Every size to 600 bytes, then the sizes around each power of two to 1 MiB.
fn sizes() -> impl Iterator<Item = usize> {
    let around_powers = (10..=20).flat_map(|shift| {
        let power = 1usize << shift;
        [power - 8, power - 1, power, power + 1, power + 8]
    });
    (1..=600).chain(around_powers)
}

#[wasm_bindgen_test]
fn zeroed_blocks_are_zero_where_a_block_of_the_same_size_was_dirty() {
    for size in sizes() {
        drop(Block::new(size, 8, 0xff));
        drop(Block::new_zeroed(size, 8, 0xff));
    }
}

#[wasm_bindgen_test]
fn zeroed_blocks_are_zero_where_blocks_of_other_sizes_were_dirty() {
    let dirty: Vec<Block> = sizes().map(|size| Block::new(size, 1, 0xff)).collect();
    drop(dirty);
    let zeroed: Vec<Block> = sizes()
        .map(|size| Block::new_zeroed(size + size / 3, 1, 0xff))
        .collect();
    for block in &zeroed {
        block.check();
    }
}

#[wasm_bindgen_test]
fn zeroed_blocks_are_zero_when_they_are_live_together() {
    for _ in 0..3 {
        let zeroed: Vec<Block> = sizes().map(|size| Block::new_zeroed(size, 1, 0xff)).collect();
        for block in &zeroed {
            block.check();
        }
    }
}

#[wasm_bindgen_test]
fn zeroed_blocks_larger_than_all_that_was_freed_are_zero() {
    for pages in [1, 3, 16, 60] {
        let size = pages * PAGE_BYTES + 24;
        drop(Block::new_zeroed(size, 8, 0xff));
        drop(Block::new_zeroed(size, 8, 0xff));
    }
}

#[wasm_bindgen_test]
fn zeroed_vectors_are_zero() {
    for length in [0, 1, 1_000, 100_000, 1_000_000] {
        let mut numbers = vec![0u64; length];
        assert!(numbers.iter().all(|&number| number == 0));
        numbers.fill(u64::MAX);
    }
}
