//! A heap with the blocks that others have released and that it has not taken back yet.

use super::heap_memory::HeapMemory;
use super::pages::Owner;
use super::remote_blocks::{RemoteBlocks, RemoteStack};
use super::shared_memory::SharedMemory;
use crate::heaps::merging::{MergingHeap, has_class};
use crate::heaps::{Request, UncheckedHeap};
use crate::memory::PAGE_SHIFT;
use crate::memory::linear::{PackedGrowth, PageLimit};
use crate::stats::HeapStats;

/// How many blocks are taken back at once, which bounds the work of a call. No run has more: so a heap takes back
/// at least as many as it hands out between two times.
const MOST_TAKEN_BACK: u32 = 1024;

/// The address of a new block, a multiple of 8, with 1 more if its bytes are 0.
#[derive(Clone, Copy)]
pub(super) struct NewBlock(u32);

impl NewBlock {
    /// There is no memory.
    pub(super) const NONE: Self = NewBlock(0);

    const IS_ZERO: u32 = 1;

    const fn new(address: u32, is_zero: bool) -> Self {
        NewBlock(address | if is_zero { Self::IS_ZERO } else { 0 })
    }

    /// The block's address, or 0.
    pub(super) const fn address(self) -> u32 {
        self.0 & !Self::IS_ZERO
    }

    /// Whether nothing was ever written to it.
    pub(super) const fn is_zero(self) -> bool {
        self.0 & Self::IS_ZERO != 0
    }
}

/// How a heap's memory grows, and to what ceiling.
#[derive(Clone, Copy)]
pub(crate) struct Rule {
    pub(crate) growth: PackedGrowth,
    pub(crate) limit: PageLimit,
}

/// A heap that one thread at a time uses. Its size is a multiple of 16: so is the address after it at the beginning of a page.
#[repr(align(16))]
pub(crate) struct ThreadHeap<M: SharedMemory> {
    heap: MergingHeap<HeapMemory<M>>,
    /// What was taken off the stack and is still to be released.
    remote: RemoteBlocks,
}

impl<M: SharedMemory> ThreadHeap<M> {
    /// Begins a heap with a number, a first page, and a rule.
    ///
    /// # Safety
    ///
    /// As for [`HeapMemory::begin`].
    pub(super) unsafe fn begin(&mut self, shared: M, owner: Owner, page: u32, end_of_state: u32, rule: Rule) {
        // SAFETY: as the caller says.
        unsafe { self.heap.memory().begin(shared, owner, page, end_of_state) };
        self.heap.set_policy(rule.growth, rule.limit);
    }

    /// Whose heap it is.
    pub(super) fn owner(&mut self) -> Owner {
        self.heap.memory().owner()
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

    /// A block for the request, at 0 if there is no memory for it, after blocks from the stack were taken back.
    pub(super) fn allocate(&mut self, stack: &RemoteStack, request: Request) -> NewBlock {
        self.take_back(stack);
        let end_page = self.heap.memory().end_page();
        let block = self.heap.allocate(request);
        // Pages after those that were there hold zeros, but for a free chunk that a block was perhaps cut from.
        // SAFETY: the block is live, and allocated without a class.
        let is_fresh = block >> PAGE_SHIFT >= end_page && unsafe { !has_class(request) && self.heap.is_last(block) };
        NewBlock::new(block, is_fresh)
    }

    /// What the heap's memory is used for.
    pub(super) fn stats(&self) -> HeapStats {
        self.heap.stats()
    }

    /// Releases what others have put on the heap's stack: up to 1,024 blocks.
    #[inline]
    pub(crate) fn take_back(&mut self, stack: &RemoteStack) {
        // Built for size, the module does without a look at what is empty for the most part: to take nothing changes nothing.
        if self.remote.is_empty() && (cfg!(for_size) || !stack.is_empty()) {
            self.remote = stack.take();
        }
        if cfg!(for_size) || !self.remote.is_empty() {
            self.take_some_back();
        }
    }

    #[cold]
    #[inline(never)]
    fn take_some_back(&mut self) {
        for _ in 0..MOST_TAKEN_BACK {
            let Some((block, has_class)) = self.remote.pop(self.heap.memory()) else {
                return;
            };
            // SAFETY: the thread that released the block has given it up, and it is this heap's.
            unsafe { self.heap.deallocate_with(block, has_class) };
        }
    }

    /// Releases all that others have put on the heap's stack. O(blocks).
    pub(crate) fn take_back_all(&mut self, stack: &RemoteStack) {
        while !self.remote.is_empty() || !stack.is_empty() {
            self.take_back(stack);
        }
    }
}
