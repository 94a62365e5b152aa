//! Blocks that Rust or C allocates, resizes and releases, as a coin decides each time.
//!
//! The functions have the signatures of C's, and C code is given them in place of those.

use crate::c_heap;
use alloc::alloc::{alloc, alloc_zeroed, dealloc, realloc};
use alloc::collections::BTreeMap;
use core::alloc::Layout;
use core::ffi::c_void;
use core::ptr;
use fastrand::Rng;
use guest_tests::Exclusive;

/// What C's `malloc` promises.
const ALIGN: usize = 16;

struct Blocks {
    coin: Rng,
    /// The size of each live block by its address, which Rust must say when it resizes or releases one.
    sizes: BTreeMap<usize, usize>,
}

static BLOCKS: Exclusive<Blocks> = Exclusive::new(Blocks {
    coin: Rng::with_seed(0),
    sizes: BTreeMap::new(),
});

/// Chooses the sequence of coins.
pub(crate) fn begin(seed: u64) {
    BLOCKS.with(|blocks| blocks.coin.seed(seed));
}

/// Asserts that each block was released.
pub(crate) fn assert_none_is_live() {
    BLOCKS.with(|blocks| assert!(blocks.sizes.is_empty(), "these were not released: {:?}", blocks.sizes));
}

pub(crate) extern "C" fn allocate(size: usize) -> *mut c_void {
    let block = match (size, flip()) {
        // Rust has no blocks of no bytes.
        (0, _) | (_, Side::C) => {
            // SAFETY: any size may be asked for.
            unsafe { c_heap::malloc(size) }
        }
        (_, Side::Rust) => {
            // SAFETY: the size is not 0.
            unsafe { alloc(layout(size)).cast() }
        }
    };
    remember(block, size);
    block
}

pub(crate) extern "C" fn allocate_zeroed(count: usize, size: usize) -> *mut c_void {
    let bytes = count.checked_mul(size).expect("the libraries ask for sizes that exist");
    let block = match (bytes, flip()) {
        (0, _) | (_, Side::C) => {
            // SAFETY: any size may be asked for.
            unsafe { c_heap::calloc(count, size) }
        }
        (_, Side::Rust) => {
            // SAFETY: the size is not 0.
            unsafe { alloc_zeroed(layout(bytes)).cast() }
        }
    };
    remember(block, bytes);
    block
}

/// # Safety
///
/// `block` must be null, or from here and live.
pub(crate) unsafe extern "C" fn resize(block: *mut c_void, size: usize) -> *mut c_void {
    if block.is_null() {
        return allocate(size);
    }
    let old_size = forget(block);
    let resized = match (old_size, size, flip()) {
        (0, ..) | (_, 0, _) | (.., Side::C) => {
            // SAFETY: the block is live, and given up for the new one.
            unsafe { c_heap::realloc(block, size) }
        }
        (.., Side::Rust) => {
            // SAFETY: the block is live, was allocated with that size, and neither size is 0.
            unsafe { realloc(block.cast(), layout(old_size), size).cast() }
        }
    };
    remember(resized, size);
    resized
}

/// # Safety
///
/// `block` must be null, or from here and live.
pub(crate) unsafe extern "C" fn release(block: *mut c_void) {
    if block.is_null() {
        return;
    }
    match (forget(block), flip()) {
        (0, _) | (_, Side::C) => {
            // SAFETY: the block is live, and given up.
            unsafe { c_heap::free(block) }
        }
        (size, Side::Rust) => {
            // SAFETY: the block is live, was allocated with that size, and is given up.
            unsafe { dealloc(block.cast(), layout(size)) }
        }
    }
}

/// `allocate` for libraries that hand their own data to their allocator.
pub(crate) extern "C" fn allocate_with(_: *mut c_void, size: usize) -> *mut c_void {
    allocate(size)
}

/// `release` for libraries that hand their own data to their allocator.
///
/// # Safety
///
/// `block` must be null, or from here and live.
pub(crate) unsafe extern "C" fn release_with(_: *mut c_void, block: *mut c_void) {
    // SAFETY: the caller says the same.
    unsafe { release(block) }
}

/// A block with these bytes, of which there must be one.
pub(crate) fn copy_of(bytes: &[u8]) -> *mut c_void {
    let block = allocate(bytes.len());
    // SAFETY: the block is new, and has room for all of them.
    unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), block.cast(), bytes.len()) };
    block
}

enum Side {
    C,
    Rust,
}

fn flip() -> Side {
    BLOCKS.with(|blocks| if blocks.coin.bool() { Side::C } else { Side::Rust })
}

fn layout(size: usize) -> Layout {
    Layout::from_size_align(size, ALIGN).expect("the libraries ask for sizes that exist")
}

fn remember(block: *mut c_void, size: usize) {
    assert!(!block.is_null(), "{size} bytes were refused");
    assert_eq!(block.addr() % ALIGN, 0, "the alignment of the block at {block:p}");
    let before = BLOCKS.with(|blocks| blocks.sizes.insert(block.addr(), size));
    assert_eq!(before, None, "the block at {block:p} was handed out twice");
}

fn forget(block: *mut c_void) -> usize {
    BLOCKS
        .with(|blocks| blocks.sizes.remove(&block.addr()))
        .unwrap_or_else(|| panic!("a library gives back {block:p}, which is not from here"))
}
