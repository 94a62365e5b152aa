//! The allocator of the tests, which refuses blocks as a memory with a maximum does.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

struct LimitedHeap;

thread_local! {
    static LIVE: Cell<isize> = const { Cell::new(0) };
    static MOST: Cell<isize> = const { Cell::new(isize::MAX) };
}

// SAFETY: every call that is not refused goes to the system's allocator unchanged.
unsafe impl GlobalAlloc for LimitedHeap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let live = LIVE.get() + layout.size() as isize;
        if live > MOST.get() {
            return std::ptr::null_mut();
        }
        LIVE.set(live);
        // SAFETY: the caller's promises are the system's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        LIVE.set(LIVE.get() - layout.size() as isize);
        // SAFETY: the block came from the system's allocator.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static GLOBAL: LimitedHeap = LimitedHeap;

/// Runs `work`, which may hold at most `bytes` at once; returns its result, and the bytes that it still holds.
pub fn with_bytes<T>(bytes: usize, work: impl FnOnce() -> T) -> (T, usize) {
    LIVE.set(0);
    MOST.set(bytes as isize);
    let result = work();
    MOST.set(isize::MAX);
    (result, LIVE.get() as usize)
}
