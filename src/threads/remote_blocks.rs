//! The blocks of a heap that threads which do not use it have released: a stack that all push to, and of which the heap's user
//! takes everything at once (Treiber 1986, without a pop and so without its ABA problem).

use super::sync::AtomicU32;
use crate::memory::linear::LinearMemory;
use core::sync::atomic::Ordering;

#[cfg(test)]
#[path = "tests/peek.rs"]
mod peek;

/// Where a block has what lies under it on the stack.
const NEXT_OFFSET: u32 = 0;

/// What lies in a block's address, a multiple of 8, beside it: whether the block was asked for with a size class.
const HAS_CLASS: u32 = 1;

/// Released blocks, the last one first, which one thread has for itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RemoteBlocks(u32);

impl RemoteBlocks {
    /// Whether there is none.
    pub(crate) const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The first block, and whether it was asked for with a size class; none if there is no block. It is no longer among them then.
    pub(crate) fn pop<M: LinearMemory>(&mut self, memory: &M) -> Option<(u32, bool)> {
        if self.is_empty() {
            return None;
        }
        let (block, has_class) = (self.0 & !HAS_CLASS, self.0 & HAS_CLASS != 0);
        // SAFETY: the first word of a block on the stack says what lies under it, and is in no other use.
        self.0 = unsafe { memory.read_word(block, NEXT_OFFSET) };
        Some((block, has_class))
    }
}

/// The stack; 0 when there is nothing on it.
pub(crate) struct RemoteStack(AtomicU32);

impl RemoteStack {
    /// A stack without blocks.
    pub(crate) const fn new() -> Self {
        RemoteStack(AtomicU32::new(0))
    }

    /// Whether there was nothing on it just now.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.0.load(Ordering::Relaxed) == 0
    }

    /// Puts a released block on it. Never waits: the exchange is tried again only when another thread's has succeeded.
    ///
    /// # Safety
    ///
    /// The caller must give up the block, which must be of this stack's heap. `has_class` must say whether the request that it
    /// was allocated for has a size class.
    pub(crate) unsafe fn push<M: LinearMemory>(&self, memory: &mut M, block: u32, has_class: bool) {
        let mut top = self.0.load(Ordering::Relaxed);
        loop {
            // SAFETY: the caller gives up the block, so its words are nobody's.
            unsafe { memory.write_word(block, NEXT_OFFSET, top) };
            let new_top = block | u32::from(has_class);
            match self
                .0
                .compare_exchange_weak(top, new_top, Ordering::Release, Ordering::Relaxed)
            {
                Ok(_) => return,
                Err(changed) => top = changed,
            }
        }
    }

    /// Takes everything off it.
    pub(crate) fn take(&self) -> RemoteBlocks {
        RemoteBlocks(self.0.swap(0, Ordering::Acquire))
    }
}
