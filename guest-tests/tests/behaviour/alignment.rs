//! Alignments from 1 byte to 64 KiB: addresses that are really aligned, and memory that comes back.

use guest_tests::{Block, assert_no_growth};
use wasm_bindgen_test::wasm_bindgen_test;

/// 1, 2, 4 and so on to 64 KiB.
fn alignments() -> impl Iterator<Item = usize> {
    (0..=16).map(|shift| 1 << shift)
}

/// Sizes below, at and above an alignment, none of them 0.
fn sizes_around(alignment: usize) -> [usize; 6] {
    [
        1,
        alignment.div_ceil(2),
        (alignment - 1).max(1),
        alignment,
        alignment + 1,
        3 * alignment,
    ]
}

#[wasm_bindgen_test]
fn blocks_of_every_alignment_to_64_kib_are_aligned_and_keep_their_bytes() {
    let mut blocks = Vec::new();
    for alignment in alignments() {
        for size in sizes_around(alignment) {
            blocks.push(Block::new(size, alignment, blocks.len() as u8));
        }
    }
    for block in &blocks {
        block.check();
    }
}

#[wasm_bindgen_test]
fn blocks_between_aligned_blocks_do_not_touch_them() {
    let mut blocks = Vec::new();
    for alignment in alignments() {
        blocks.push(Block::new(1, 1, 0x11));
        blocks.push(Block::new(24, alignment, 0x22));
        blocks.push(Block::new(40, 8, 0x33));
    }
    let mut gaps: Vec<Block> = (1..400).map(|size| Block::new(size, 1, 0x44)).collect();
    gaps.retain(|block| block.address() % 16 == 0);
    blocks.extend((1..400).map(|size| Block::new(size, 4, 0x55)));
    for block in blocks.iter().chain(&gaps) {
        block.check();
    }
}

#[wasm_bindgen_test]
fn aligned_blocks_are_reused_after_release_without_creep() {
    for alignment in alignments() {
        assert_no_growth(2, 100, || {
            let blocks: Vec<Block> = sizes_around(alignment)
                .iter()
                .map(|&size| Block::new(size, alignment, size as u8))
                .collect();
            drop(blocks);
        });
    }
}

#[wasm_bindgen_test]
fn realloc_keeps_alignment_and_bytes() {
    for alignment in alignments() {
        let mut block = Block::new(alignment, alignment, alignment.trailing_zeros() as u8);
        for size in [2 * alignment, 1, alignment + 1, 5 * alignment, alignment.div_ceil(3)] {
            block.resize(size);
            block.check();
        }
    }
}

#[wasm_bindgen_test]
fn zeroed_blocks_of_every_alignment_are_zero_after_dirty_ones() {
    for alignment in alignments() {
        for size in sizes_around(alignment) {
            drop(Block::new(size, alignment, 0xff));
            drop(Block::new_zeroed(size, alignment, 0xff));
        }
    }
}
