//! `FreeingBump` inside `Profiled` as the global allocator of a program that leaks. Run with `cargo make test-guest`.
#![cfg(target_arch = "wasm32")]

use freeing_bump::profile::{Place, SizeClass, Snapshot};
use freeing_bump::{FreeingBump, Profiled};
use guest_tests::Block;
use std::alloc::Layout;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fmt::{self, Write};
use wasm_bindgen_test::wasm_bindgen_test;

#[global_allocator]
static ALLOCATOR: Profiled<FreeingBump> = Profiled::new(FreeingBump::new(), place);

const NAMES: [&str; 4] = ["elsewhere", "reading", "sessions", "remembering"];
const READING: u64 = 1;
const SESSIONS: u64 = 2;
const REMEMBERING: u64 = 3;

thread_local! {
    static WORK: Cell<u64> = const { Cell::new(0) };
    static REMEMBERED: RefCell<BTreeMap<u32, Box<str>>> = const { RefCell::new(BTreeMap::new()) };
}

/// What the program is about. It allocates as well, as one that asks JavaScript for its stack does.
fn place(layout: Layout) -> u64 {
    assert_eq!(vec![layout.size()].len(), 1);
    WORK.get()
}

fn name(place: u64, out: &mut dyn Write) -> fmt::Result {
    out.write_str(NAMES[place as usize])
}

/// Runs `work` at a place.
fn at<Returned>(place: u64, work: impl FnOnce() -> Returned) -> Returned {
    let before = WORK.replace(place);
    let returned = work();
    WORK.set(before);
    returned
}

/// A request to the program: it reads a text, keeps a session until the answer, and forgets to forget what it remembers.
fn serve(number: u32) -> usize {
    let words = at(READING, || {
        let text = "some words of a request ".repeat(20);
        text.split(' ').map(str::to_owned).collect::<Vec<_>>()
    });
    let session = at(SESSIONS, || Block::new(1_000, 16, number as u8));
    at(REMEMBERING, || {
        REMEMBERED.with_borrow_mut(|remembered| {
            remembered.insert(number, format!("request number {number:09}").into_boxed_str())
        })
    });
    session.check();
    words.len()
}

fn snapshot() -> Snapshot<'static, FreeingBump> {
    ALLOCATOR.snapshot().expect("there is memory for a copy of the counts")
}

#[wasm_bindgen_test]
fn the_place_of_a_leak_is_named_and_no_other() {
    (0..10).for_each(|number| assert!(serve(number) > 0));
    ALLOCATOR.mark();
    (10..40).for_each(|number| assert!(serve(number) > 0));
    let snapshot = snapshot();
    let kept = |place| {
        snapshot
            .row(Some(Place::Number(place)), None)
            .map_or(0, |row| row.kept.blocks)
    };
    assert_eq!((kept(READING), kept(SESSIONS)), (0, 0));
    let strings = snapshot
        .row(Some(Place::Number(REMEMBERING)), Some(SizeClass::holding(24)))
        .expect("each request leaks a text of 24 bytes");
    assert_eq!((strings.kept.blocks, strings.kept.bytes), (30, 30 * 24));
    assert!(snapshot.is_complete());

    let mut table = String::new();
    snapshot
        .write_table(&mut table, &name)
        .expect("a String takes everything");
    let first = table.lines().nth(1).expect("there are places");
    assert!(first.ends_with("  remembering"), "{table}");
    let mut json = String::new();
    snapshot
        .write_kept_dhat(&mut json, "requests", &name)
        .expect("a String takes everything");
    assert!(json.contains("\"remembering\"") && json.contains(",\"fs\":["), "{json}");
}

#[wasm_bindgen_test]
fn a_vector_counts_where_it_last_grew_and_keeps_what_it_holds() {
    let of = |place| {
        let snapshot = snapshot();
        snapshot
            .row(Some(Place::Number(place)), None)
            .map_or(0, |row| row.live.bytes)
    };
    let before = (of(READING), of(SESSIONS));
    let mut numbers: Vec<u32> = at(READING, || (0..1_000).collect());
    assert_eq!((of(READING), of(SESSIONS)), (before.0 + 4_000, before.1));
    at(SESSIONS, || numbers.reserve_exact(9_000));
    assert_eq!((of(READING), of(SESSIONS)), (before.0, before.1 + 40_000));
    assert!(numbers.iter().copied().eq(0..1_000));
}

#[wasm_bindgen_test]
fn what_the_place_function_allocates_counts_as_asking() {
    let blocks = || {
        snapshot()
            .row(Some(Place::Asking), None)
            .map_or(0, |row| row.total.blocks)
    };
    let before = blocks();
    drop(std::hint::black_box(Box::new([0_u8; 100])));
    assert_eq!(blocks(), before + 1);
}

#[wasm_bindgen_test]
fn every_alignment_is_kept_and_blocks_of_zeros_are_zero() {
    let first = Block::new(5_000, 4_096, 0x77);
    let zeros = vec![0_u8; 10_000];
    assert!(zeros.iter().all(|&byte| byte == 0));
    drop(first);
    let again = vec![0_u8; 5_000];
    assert!(again.iter().all(|&byte| byte == 0));
    for log2 in 0..12 {
        Block::new(100, 1 << log2, log2).check();
    }
}
