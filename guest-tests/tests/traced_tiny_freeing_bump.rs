//! `TinyFreeingBump` inside `Traced` as the global allocator. Run with `cargo make test-guest`.
#![cfg(target_arch = "wasm32")]

use freeing_bump::{Action, Event, TinyFreeingBump, Traced};
use std::alloc::{Layout, alloc, alloc_zeroed, dealloc, realloc};
use std::cell::{Cell, RefCell};
use std::hint::black_box;
use wasm_bindgen_test::wasm_bindgen_test;

#[global_allocator]
static ALLOCATOR: Traced<TinyFreeingBump> = Traced::new(TinyFreeingBump::new(), record);

thread_local! {
    static RECORDING: Cell<bool> = const { Cell::new(false) };
    static EVENTS: RefCell<Vec<Event>> = const { RefCell::new(Vec::new()) };
}

/// Keeps the event in a vector, whose own allocations are calls from within the hook.
fn record(event: &Event) {
    if RECORDING.get() {
        EVENTS.with_borrow_mut(|events| events.push(*event));
    }
}

/// The events of `work`, and what it returns.
fn events_of<Returned>(work: impl FnOnce() -> Returned) -> (Vec<Event>, Returned) {
    RECORDING.set(true);
    let returned = black_box(work());
    RECORDING.set(false);
    (EVENTS.take(), returned)
}

#[wasm_bindgen_test]
fn each_call_is_reported_with_its_address_and_layout() {
    let small = Layout::from_size_align(100, 8).expect("a layout");
    let large = Layout::from_size_align(900, 8).expect("a layout");
    let (events, [first, second, zeroed]) = events_of(|| {
        // SAFETY: both layouts have bytes, and each block is released once, with the layout that it has then.
        unsafe {
            let first = black_box(alloc(small));
            let second = black_box(realloc(first, small, large.size()));
            let zeroed = black_box(alloc_zeroed(small));
            dealloc(second, large);
            dealloc(zeroed, small);
            [first, second, zeroed].map(|block| block.addr())
        }
    });
    let reported: Vec<_> = events
        .iter()
        .map(|event| (event.action, event.address, event.layout))
        .collect();
    let reallocated = Action::Reallocated {
        old_address: first,
        old_layout: small,
    };
    assert_eq!(
        reported,
        [
            (Action::Allocated, first, small),
            (reallocated, second, large),
            (Action::AllocatedZeroed, zeroed, small),
            (Action::Released, second, large),
            (Action::Released, zeroed, small),
        ]
    );
}

#[wasm_bindgen_test]
fn the_heap_size_follows_what_live_blocks_were_asked_for() {
    let (events, ()) = events_of(|| {
        let mut bytes = black_box(vec![1_u8; 1_000]);
        bytes.reserve_exact(4_000);
        drop(black_box(Box::new([0_u32; 25])));
        drop(black_box(bytes));
    });
    // Between the events, the recording itself has allocated a vector of events, which counts as well.
    let own_bytes = |count: usize| count.next_power_of_two().max(4) * size_of::<Event>();
    let sizes: Vec<usize> = events.iter().map(|event| event.heap_size).collect();
    assert_eq!(sizes.len(), 5);
    let base = sizes[0] - 1_000;
    assert_eq!(sizes[1] - base, 5_000 + own_bytes(1));
    assert_eq!(sizes[2] - base, 5_100 + own_bytes(2));
    assert_eq!(sizes[3] - base, 5_000 + own_bytes(3));
    assert_eq!(sizes[4] - base, own_bytes(4));
}

#[wasm_bindgen_test]
fn a_refused_request_is_reported_as_such() {
    let (events, refused) = events_of(|| {
        // Two of them cannot fit into 4 GiB beside the module.
        let mut vectors = [const { Vec::<u8>::new() }; 2];
        vectors
            .iter_mut()
            .any(|vector| vector.try_reserve_exact(isize::MAX as usize).is_err())
    });
    assert!(refused);
    let refusal = events
        .iter()
        .find(|event| event.action == Action::Refused)
        .expect("a refusal must be reported");
    assert_eq!(refusal.address, 0);
    assert_eq!(refusal.layout.size(), isize::MAX as usize);
}
