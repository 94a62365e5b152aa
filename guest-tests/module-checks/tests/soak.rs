//! The short form of `cargo make soak`: the memory of a service that runs on and on does not grow, and its data is intact.

use module_checks::{ALLOCATORS, build_driver_module, growth, merges, seed, soak};

const ROUNDS: u32 = 5_000;

#[test]
fn the_memory_of_a_service_stays_flat_and_its_data_intact() {
    for allocator in ALLOCATORS {
        let module = build_driver_module(env!("CARGO_TARGET_TMPDIR"), allocator, &[]);
        let points = soak(&module, seed(), !merges(allocator), ROUNDS, |_| ());
        assert_eq!(growth(&points), [], "{allocator}: {points:?}");
    }
}
