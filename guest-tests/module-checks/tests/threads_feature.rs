//! The feature `threads` in modules for one thread: it changes nothing.

use module_checks::{
    ALLOCATORS, Engine, Guest, Limits, Scenario, TARGET, build_allocator_module, build_threads_module, seed,
};

fn build(features: &str) -> Vec<u8> {
    build_allocator_module(env!("CARGO_TARGET_TMPDIR"), features, "size")
}

#[test]
fn a_module_for_one_thread_is_byte_for_byte_the_same_with_the_feature() {
    for allocator in ALLOCATORS {
        assert!(
            build(allocator) == build(&format!("{allocator},threads")),
            "{allocator}: the module differs with the feature `threads`"
        );
    }
}

#[test]
fn in_a_module_for_one_thread_giving_the_heap_up_changes_nothing() {
    let module = build_threads_module(env!("CARGO_TARGET_TMPDIR"), TARGET, "freeing-bump");
    let pages = [Scenario::Exchange, Scenario::Ends].map(|scenario| {
        let mut guest = Guest::new(Engine::Wasmtime, &module, Limits::pages(1_000));
        guest.drive("prepare", &[1], "one thread");
        assert_eq!(
            guest.drive("worker", &[scenario as u32, 0, 5_000, seed()], "one thread"),
            0
        );
        guest.pages()
    });
    // Only the requests differ.
    assert!(pages[1] <= pages[0] + pages[0] / 4, "{pages:?}");
}
