//! A heap with the blocks that others have released and that it has not taken back yet.

use super::heap_memory::HeapMemory;
use super::remote_blocks::{RemoteBlocks, RemoteStack};
use super::shared_memory::SharedMemory;
use crate::heaps::merging::MergingHeap;
use crate::heaps::{Request, UncheckedHeap};
use crate::stats::HeapStats;

/// How many blocks are taken back at once, which bounds the work of a call. No run has more: so a heap takes back
/// at least as many as it hands out between two times.
const MOST_TAKEN_BACK: u32 = 1024;

/// Requests with a size class, and without one: a release asks for no more.
const WITH_CLASS: Request = Request { size: 8, align: 8 };
const WITHOUT_CLASS: Request = Request {
    size: i32::MAX as u32,
    align: 16,
};

/// A new block, and how many of its first bytes can be other than 0.
#[derive(Clone, Copy)]
pub(super) struct Uncleared {
    pub(super) block: u32,
    pub(super) used: u32,
}

impl Uncleared {
    /// There is no memory.
    pub(super) const NONE: Self = Uncleared { block: 0, used: 0 };
}

/// A heap that one thread at a time uses.
pub(crate) struct ThreadHeap<M: SharedMemory> {
    heap: MergingHeap<HeapMemory<M>>,
    /// What was taken off the stack and is still to be released.
    remote: RemoteBlocks,
}

impl<M: SharedMemory> ThreadHeap<M> {
    /// A heap over this memory, which has taken nothing of it yet.
    pub(crate) const fn new(heap: MergingHeap<HeapMemory<M>>) -> Self {
        ThreadHeap {
            heap,
            remote: RemoteBlocks::NONE,
        }
    }

    /// The heap itself.
    #[inline]
    pub(super) const fn heap(&mut self) -> &mut MergingHeap<HeapMemory<M>> {
        &mut self.heap
    }

    /// What was taken off the stack and is still to be released.
    #[cfg(test)]
    pub(super) const fn remote(&self) -> RemoteBlocks {
        self.remote
    }

    /// A block for the request; that at 0 if there is no memory for it.
    pub(super) fn allocate_uncleared(&mut self, request: Request) -> Uncleared {
        let (block, used) = self.heap.allocate_uncleared(request);
        Uncleared { block, used }
    }

    /// What the heap's memory is used for.
    pub(super) fn stats(&self) -> HeapStats {
        self.heap.stats()
    }

    /// Releases what others have put on the heap's stack: up to 1,024 blocks.
    pub(crate) fn take_back(&mut self, stack: &RemoteStack) {
        if self.remote.is_empty() {
            if stack.is_empty() {
                return;
            }
            self.remote = stack.take();
        }
        for _ in 0..MOST_TAKEN_BACK {
            let Some((block, has_class)) = self.remote.pop(self.heap.memory()) else {
                return;
            };
            let request = if has_class { WITH_CLASS } else { WITHOUT_CLASS };
            // SAFETY: the thread that released the block has given it up. It is this heap's, and of such a request.
            unsafe { self.heap.deallocate(block, request) };
        }
    }

    /// Releases all that others have put on the heap's stack. O(blocks).
    pub(crate) fn take_back_all(&mut self, stack: &RemoteStack) {
        while !self.remote.is_empty() || !stack.is_empty() {
            self.take_back(stack);
        }
    }
}
