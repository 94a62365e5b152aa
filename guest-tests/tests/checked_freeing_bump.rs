//! `CheckedFreeingBump` as the global allocator. Run with `cargo make test-guest`.
//!
//! A poisoned heap would end the test harness, which allocates in the same heap. So the tests that poison one are in
//! `module-checks`, where each runs a module of its own.
#![cfg(target_arch = "wasm32")]

mod behaviour;

use freeing_bump::CheckedFreeingBump;
use guest_tests::Block;
use wasm_bindgen_test::wasm_bindgen_test;

#[global_allocator]
static ALLOCATOR: CheckedFreeingBump = CheckedFreeingBump::new();

#[wasm_bindgen_test]
fn statistics_count_blocks_with_their_headers() {
    for (size, block_bytes) in [(1, 8), (8, 8), (9, 16), (1_000, 1_024), (70_000, 131_072)] {
        let before = ALLOCATOR.stats();
        let block = Block::new(size, 8, 0x5a);
        let during = ALLOCATOR.stats();
        drop(block);
        let after = ALLOCATOR.stats();

        let bytes = block_bytes + 8;
        assert_eq!(during.bytes_allocated, before.bytes_allocated + bytes);
        assert_eq!(
            during.bytes_allocated_sum,
            before.bytes_allocated_sum + u64::from(bytes)
        );
        assert!(during.bytes_allocated_peak >= during.bytes_allocated);
        assert_eq!(after.bytes_allocated, before.bytes_allocated);
        assert_eq!(after.bytes_allocated_sum, during.bytes_allocated_sum);
        assert_eq!(after.bytes_allocated_peak, during.bytes_allocated_peak);
        assert_eq!(after.address_space_used, during.address_space_used);
    }
}

#[wasm_bindgen_test]
fn the_peak_is_the_most_that_was_in_use_at_once() {
    let before = ALLOCATOR.stats();
    let size = before.bytes_allocated_peak as usize / 8 + 100_000;
    let blocks: Vec<Block> = (0..16).map(|index| Block::new(size, 8, index)).collect();
    let during = ALLOCATOR.stats();
    drop(blocks);
    assert!(during.bytes_allocated_peak > before.bytes_allocated_peak);
    assert_eq!(during.bytes_allocated_peak, during.bytes_allocated);
    assert_eq!(ALLOCATOR.stats().bytes_allocated_peak, during.bytes_allocated_peak);
}

#[wasm_bindgen_test]
fn correct_use_does_not_poison() {
    let text: String = (0..1_000).map(|number| number.to_string()).collect();
    assert_eq!(text.len(), 2_890);
    assert!(!ALLOCATOR.is_poisoned());
}

#[wasm_bindgen_test]
fn an_allocator_that_is_formatted_shows_its_figures() {
    let shown = format!("{ALLOCATOR:?}");
    assert!(
        shown.starts_with("CheckedFreeingBump(Stats { bytes_allocated: "),
        "{shown}"
    );
}
