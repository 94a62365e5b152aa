//! What the tests put within the wrapper: the system's allocator, which refuses on demand, and a place that they set.

use core::alloc::{GlobalAlloc, Layout};
use core::cell::Cell;
use core::ptr::null_mut;
use std::alloc::System;
use std::thread_local;

thread_local! {
    /// What [`place`] returns in this thread, which is that of one test.
    pub(super) static PLACE: Cell<u64> = const { Cell::new(0) };
}

pub(super) fn place(_: Layout) -> u64 {
    PLACE.get()
}

/// The system's allocator.
#[derive(Default)]
pub(super) struct Inner {
    /// How many requests it refuses from now on.
    pub(super) refusals: Cell<u32>,
    /// The blocks that are live in it.
    pub(super) live: Cell<usize>,
}

impl Inner {
    fn answer(&self, request: impl FnOnce() -> *mut u8) -> *mut u8 {
        match self.refusals.get().checked_sub(1) {
            Some(left) => {
                self.refusals.set(left);
                null_mut()
            }
            None => request(),
        }
    }
}

// SAFETY: each call is passed on as it is, or refused.
unsafe impl GlobalAlloc for Inner {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        self.answer(|| {
            self.live.set(self.live.get() + 1);
            // SAFETY: the size of the layout is not 0, as the caller must see to.
            unsafe { System.alloc(layout) }
        })
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        self.answer(|| {
            self.live.set(self.live.get() + 1);
            // SAFETY: the size of the layout is not 0, as the caller must see to.
            unsafe { System.alloc_zeroed(layout) }
        })
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        self.live.set(self.live.get() - 1);
        // SAFETY: the block comes from the system's allocator, with this layout, and is live.
        unsafe { System.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: the block comes from the system's allocator, with this layout, and is live.
        self.answer(|| unsafe { System.realloc(block, layout, new_size) })
    }
}
