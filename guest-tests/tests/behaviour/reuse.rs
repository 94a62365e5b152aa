//! Freed memory serves later requests: a program that repeats itself does not make the memory grow.

use guest_tests::{Block, assert_no_growth};
use wasm_bindgen_test::wasm_bindgen_test;

/// Runs `round` many times. From the fifth on the memory must not grow.
fn assert_no_growth_after_the_first_rounds(round: impl FnMut()) {
    assert_no_growth(4, 200, round);
}

fn mixed_blocks() -> Vec<Block> {
    (0..150)
        .map(|index| Block::new(1 + index * 53 % 3_000, 8, index as u8))
        .collect()
}

#[wasm_bindgen_test]
fn blocks_freed_last_in_first_out_are_reused() {
    assert_no_growth_after_the_first_rounds(|| {
        let mut blocks = mixed_blocks();
        while blocks.pop().is_some() {}
    });
}

#[wasm_bindgen_test]
fn blocks_freed_first_in_first_out_are_reused() {
    assert_no_growth_after_the_first_rounds(|| drop(mixed_blocks()));
}

#[wasm_bindgen_test]
fn blocks_freed_in_scattered_order_are_reused() {
    assert_no_growth_after_the_first_rounds(|| {
        let mut blocks = mixed_blocks();
        let mut index = 0;
        while !blocks.is_empty() {
            index = (index * 31 + 7) % blocks.len();
            blocks.swap_remove(index);
        }
    });
}

#[wasm_bindgen_test]
fn two_large_blocks_freed_in_the_order_they_were_made_are_reused() {
    assert_no_growth_after_the_first_rounds(|| {
        let first = Block::new(85_196, 1, 1);
        let second = Block::new(80_000, 1, 2);
        drop(first);
        drop(second);
    });
}

#[wasm_bindgen_test]
fn a_large_state_that_is_replaced_while_small_records_live_on_is_reused() {
    let mut records: Vec<Box<[u8]>> = Vec::new();
    let mut state: Vec<String> = Vec::new();
    let mut generation = 0u32;
    assert_no_growth_after_the_first_rounds(|| {
        let record = vec![generation as u8; 40].into_boxed_slice();
        if records.len() < 16 {
            records.push(record);
        } else {
            records[generation as usize % 16] = record;
        }
        state = (0..500).map(|index| "x".repeat(index % 97)).collect();
        generation += 1;
    });
    assert_eq!(state.len(), 500);
    assert!(
        records
            .iter()
            .all(|record| record.iter().all(|byte| *byte == record[0]))
    );
}

#[wasm_bindgen_test]
fn buffers_that_move_between_sizes_are_reused() {
    let mut text = String::new();
    assert_no_growth_after_the_first_rounds(|| {
        for word in 0..500 {
            text.push_str(&word.to_string());
        }
        text = text.split_off(text.len() - 10);
        text.shrink_to_fit();
    });
    assert_eq!(text.len(), 10);
}
