//! A place in static data through which a block goes from one thread to another. Nobody waits at it: a thread that its host
//! stops here blocks this slot alone.

use crate::stamped::StampedBlock;
use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicU32, Ordering};

const FREE: u32 = 0;
const BUSY: u32 = 1;
const FULL: u32 = 2;

pub(crate) struct Slot {
    state: AtomicU32,
    block: UnsafeCell<Option<StampedBlock>>,
}

// SAFETY: only the thread that has made the state busy touches the block, and a block may go to another thread.
unsafe impl Sync for Slot {}

impl Slot {
    pub(crate) const fn new() -> Self {
        Slot {
            state: AtomicU32::new(FREE),
            block: UnsafeCell::new(None),
        }
    }

    /// Whether the slot is free now: then a [`put`](Self::put) succeeds, unless another thread puts a block in first.
    pub(crate) fn is_free(&self) -> bool {
        self.state.load(Ordering::Acquire) == FREE
    }

    /// Whether there is a block in it now: then a [`take`](Self::take) succeeds, unless another thread takes the block first.
    pub(crate) fn is_full(&self) -> bool {
        self.state.load(Ordering::Acquire) == FULL
    }

    /// Puts the block in; gives it back if the slot is not free.
    pub(crate) fn put(&self, block: StampedBlock) -> Option<StampedBlock> {
        if !self.enter(FREE) {
            return Some(block);
        }
        // SAFETY: this thread has just made the state busy.
        let previous = unsafe { (*self.block.get()).replace(block) };
        self.state.store(FULL, Ordering::Release);
        previous
    }

    /// Takes the block out, if there is one.
    pub(crate) fn take(&self) -> Option<StampedBlock> {
        if !self.enter(FULL) {
            return None;
        }
        // SAFETY: this thread has just made the state busy.
        let block = unsafe { (*self.block.get()).take() };
        self.state.store(FREE, Ordering::Release);
        block
    }

    /// Makes the state busy, if it is `state`.
    fn enter(&self, state: u32) -> bool {
        self.state
            .compare_exchange(state, BUSY, Ordering::Acquire, Ordering::Relaxed)
            .is_ok()
    }
}
