//! `FreeingBump` inside `OnRefusal` as the global allocator, under a ceiling. Run with `cargo make test-guest`.
#![cfg(target_arch = "wasm32")]

use freeing_bump::{FreeingBump, OnRefusal};
use guest_tests::{Block, memory_pages};
use std::alloc::Layout;
use std::cell::Cell;
use std::sync::{Mutex, MutexGuard};
use wasm_bindgen_test::wasm_bindgen_test;

const CEILING_PAGES: u32 = 600;

#[global_allocator]
static ALLOCATOR: OnRefusal<FreeingBump> =
    OnRefusal::new(FreeingBump::new().with_max_pages(CEILING_PAGES), release_the_reserve);

const RESERVE_BYTES: usize = 300_000;

static RESERVE: Mutex<Vec<u8>> = Mutex::new(Vec::new());

thread_local! {
    static CALLS: Cell<u32> = const { Cell::new(0) };
    static REFUSED: Cell<Option<Layout>> = const { Cell::new(None) };
}

fn release_the_reserve(refused: Layout) -> bool {
    CALLS.set(CALLS.get() + 1);
    REFUSED.set(Some(refused));
    // What the hook asks for is refused as well, without another call.
    assert!(Vec::<u8>::new().try_reserve_exact(1 << 30).is_err());
    take_the_reserve().capacity() != 0
}

fn reserve() -> MutexGuard<'static, Vec<u8>> {
    RESERVE
        .try_lock()
        .expect("nothing is asked of the allocator while the lock is held")
}

fn take_the_reserve() -> Vec<u8> {
    std::mem::take(&mut *reserve())
}

/// Sets a new reserve aside.
fn set_a_reserve_aside() {
    let reserve = Vec::with_capacity(RESERVE_BYTES);
    *self::reserve() = reserve;
    CALLS.set(0);
}

/// Vectors of `bytes`, up to the one for which the hook was called.
fn reserve_until_the_hook_is_called(bytes: usize) -> Vec<Vec<u8>> {
    let mut reserved = Vec::with_capacity(CEILING_PAGES as usize * 65_536 / bytes);
    while CALLS.get() == 0 {
        let mut vector = Vec::new();
        vector.try_reserve_exact(bytes).expect("there is a reserve");
        reserved.push(vector);
    }
    reserved
}

#[wasm_bindgen_test]
fn a_program_that_runs_out_goes_on_from_its_reserve_and_reports() {
    for bytes in [5_000, 70_000] {
        set_a_reserve_aside();
        let reserved = reserve_until_the_hook_is_called(bytes);
        assert_eq!(CALLS.get(), 1);
        assert_eq!(REFUSED.get(), Layout::array::<u8>(bytes).ok());
        assert!(memory_pages() <= CEILING_PAGES as usize);

        let saved = Block::new(100_000, 8, 0x5a);
        let report = format!("{} blocks of {bytes} bytes, and no more", reserved.len());
        assert!(report.starts_with(&reserved.len().to_string()));
        saved.check();
        assert_eq!(CALLS.get(), 1, "what the report needs comes from the reserve");
    }
}

#[wasm_bindgen_test]
fn without_a_reserve_the_request_stays_refused_and_its_vector_unchanged() {
    set_a_reserve_aside();
    let reserved = reserve_until_the_hook_is_called(70_000);
    let mut numbers: Vec<u32> = (0..1_000).collect();
    assert!(numbers.try_reserve_exact(1 << 28).is_err());
    assert_eq!(CALLS.get(), 2);
    assert_eq!(REFUSED.get().map(|layout| layout.size()), Some(4 * (1_000 + (1 << 28))));
    assert!(numbers.iter().copied().eq(0..1_000));
    drop(reserved);
    numbers.reserve_exact(1_000);
    assert!(numbers.iter().copied().eq(0..1_000));
}

#[wasm_bindgen_test]
fn a_vector_that_grows_gets_the_reserve_and_keeps_what_it_holds() {
    drop(take_the_reserve());
    let mut numbers: Vec<u32> = (0..10_000).collect();
    let guard = Block::new(1_000, 8, 0x21);
    let mut reserved = Vec::with_capacity(CEILING_PAGES as usize * 4);
    for bytes in [100_000, 20_000] {
        let mut vector = Vec::<u8>::new();
        while vector.try_reserve_exact(bytes).is_ok() {
            reserved.push(std::mem::take(&mut vector));
        }
    }
    *reserve() = reserved.swap_remove(0);
    CALLS.set(0);
    numbers.reserve_exact(10_000);
    assert_eq!(CALLS.get(), 1);
    assert_eq!(REFUSED.get(), Layout::array::<u32>(20_000).ok());
    assert!(numbers.iter().copied().eq(0..10_000));
    guard.check();
}
