//! What a heap that refuses a request must do: say so, touch nothing that is live, and go on serving.
//!
//! For the allocators that stay usable when memory runs out. `CheckedFreeingBump` refuses everything from then on.

use guest_tests::{Block, memory_pages};
use wasm_bindgen_test::wasm_bindgen_test;

const GIB: usize = 1 << 30;

/// Reserves vectors of `bytes` until one is refused, and returns those that were not.
fn reserve_until_refused(bytes: usize) -> Vec<Vec<u8>> {
    let mut reserved = Vec::with_capacity(8);
    loop {
        let mut vector = Vec::new();
        if vector.try_reserve_exact(bytes).is_err() {
            return reserved;
        }
        reserved.push(vector);
        assert!(reserved.len() < 8, "32 bits cannot address this much");
    }
}

#[wasm_bindgen_test]
fn a_request_past_what_memory_holds_is_an_error_that_touches_nothing_live() {
    let live: Vec<Block> = (0..200)
        .map(|index| Block::new(1 + index * 97, 8, index as u8))
        .collect();
    let reserved = reserve_until_refused(GIB);
    assert!(!reserved.is_empty(), "one GiB must fit into 4 GiB");
    let pages = memory_pages();
    for _ in 0..10 {
        assert!(Vec::<u8>::new().try_reserve_exact(GIB).is_err());
    }
    assert_eq!(memory_pages(), pages, "a refused request must not grow the memory");
    for block in &live {
        block.check();
    }
}

#[wasm_bindgen_test]
fn further_requests_are_served_after_one_was_refused() {
    let reserved = reserve_until_refused(GIB);
    let blocks: Vec<Block> = (1..500).map(|index| Block::new(index * 13, 16, index as u8)).collect();
    let zeroed = Block::new_zeroed(300_000, 8, 0x5a);
    drop(reserved);
    for block in &blocks {
        block.check();
    }
    zeroed.check();
}

#[wasm_bindgen_test]
fn what_a_refused_vector_holds_is_kept() {
    let mut numbers: Vec<u32> = (0..10_000).collect();
    let reserved = reserve_until_refused(GIB);
    assert!(numbers.try_reserve_exact(GIB / 4).is_err());
    assert!(numbers.iter().copied().eq(0..10_000));
    numbers.push(10_000);
    drop(reserved);
    assert!(numbers.iter().copied().eq(0..=10_000));
}

#[wasm_bindgen_test]
fn large_blocks_are_reused_after_memory_ran_out() {
    let first = reserve_until_refused(GIB);
    let pages = memory_pages();
    let count = first.len();
    drop(first);
    for _ in 0..5 {
        assert_eq!(reserve_until_refused(GIB).len(), count);
    }
    assert_eq!(memory_pages(), pages);
}

#[wasm_bindgen_test]
fn requests_near_the_largest_layout_neither_wrap_nor_grow_the_memory_twice() {
    let largest = isize::MAX as usize;
    assert!(Vec::<u8>::new().try_reserve_exact(largest + 1).is_err());
    assert!(Vec::<u64>::new().try_reserve_exact(usize::MAX).is_err());

    let kept = Block::new(1_000, 8, 0x21);
    for bytes in [largest, largest - 7, largest - 65_535, largest / 2 + 2] {
        let reserved = reserve_until_refused(bytes);
        assert!(reserved.len() < 4, "{bytes} bytes cannot fit four times");
        let pages = memory_pages();
        assert!(Vec::<u8>::new().try_reserve_exact(bytes).is_err());
        assert_eq!(memory_pages(), pages);
    }
    kept.check();
}
