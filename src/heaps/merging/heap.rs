//! `MergingHeap` decides where a block comes from.
//!
//! | request | where its block lies | what a release does |
//! |---|---|---|
//! | up to 512 bytes, aligned to 16 at most | in one of the [`Runs`] of its size class | pushes it on a list; a run that is all free goes back |
//! | above | a block of the [`ChunkHeap`] | merges it with its neighbours |
//!
//! Both are O(1). At the memory's limit a small request can get a block of the [`ChunkHeap`] too, which the [`Runs`] note.

use super::chunk::span_for;
use super::chunk_heap::{ChunkHeap, Effort};
use super::runs::Runs;
use super::size_class::SizeClass;
use crate::heaps::{Request, UncheckedHeap};
use crate::memory::Growth;
use crate::memory::linear::LinearMemory;
#[cfg(any(
    all(target_arch = "wasm32", any(feature = "malloc", for_threads)),
    all(test, not(feature = "malloc"))
))]
use crate::memory::linear::{PackedGrowth, PageLimit};
use crate::stats::HeapStats;

#[cfg(test)]
#[path = "tests/borrowing.rs"]
mod borrowing;
#[cfg(any(test, fuzzing))]
#[path = "tests/subject.rs"]
mod subject;
#[cfg(feature = "walk")]
#[path = "walk/heap.rs"]
mod walk;

/// The state: all zero before its first use.
#[cfg_attr(feature = "malloc", repr(C))]
pub(crate) struct MergingHeap<M> {
    pub(super) chunks: ChunkHeap<M>,
    pub(super) runs: Runs,
}

impl<M: LinearMemory> MergingHeap<M> {
    /// A heap that has taken nothing of `memory` yet, and grows it as `growth` says.
    pub(crate) const fn new(memory: M, growth: Growth) -> Self {
        MergingHeap {
            runs: Runs::new(),
            chunks: ChunkHeap::new(memory, growth),
        }
    }

    /// Lets the memory grow to `pages` pages and no further.
    #[cfg(any(all(target_arch = "wasm32", not(any(feature = "malloc", for_threads))), test))]
    pub(crate) const fn limit_pages(&mut self, pages: u32) {
        self.chunks.limit_pages(pages);
    }

    /// Has the memory grow in this way, and within this limit, from now on.
    #[cfg(any(
        all(target_arch = "wasm32", any(feature = "malloc", for_threads)),
        all(test, not(feature = "malloc"))
    ))]
    pub(crate) const fn set_policy(&mut self, growth: PackedGrowth, limit: PageLimit) {
        self.chunks.set_policy(growth, limit);
    }

    /// The part of `allocate` that is O(1) and never grows: the first block of the list of the request's class; 0 where that is
    /// empty, and for a request without a class.
    #[cfg(any(
        all(target_arch = "wasm32", any(feature = "malloc", for_threads)),
        all(test, not(feature = "malloc"))
    ))]
    #[inline]
    pub(crate) fn allocate_listed(&mut self, request: Request) -> u32 {
        match SizeClass::of(request) {
            Some(class) => self.runs.pop(&self.chunks.memory, class),
            None => 0,
        }
    }

    /// As `allocate`, where [`allocate_listed`](Self::allocate_listed) has no block.
    #[inline(never)]
    pub(crate) fn allocate_anew(&mut self, request: Request) -> u32 {
        match SizeClass::of(request) {
            Some(class) => self.runs.refill(&mut self.chunks, class),
            None => self.allocate_large(span_for(request.size), request.align),
        }
    }

    /// A block of the chunk heap, of this span and alignment; 0 if there is no memory for it. Before the memory grows, idle
    /// runs are released. O(1), unless growth is refused: see [`Effort::Exhaustive`].
    fn allocate_large(&mut self, span: u32, align: u32) -> u32 {
        let mut block = self.chunks.reuse(span, align);
        if block != 0 {
            return block;
        }
        block = self.chunks.allocate(span, align, Effort::AtHand);
        if block != 0 {
            return block;
        }
        self.runs.release_idle(&mut self.chunks);
        self.chunks.allocate(span, align, Effort::Growing)
    }

    /// The part of `deallocate` that is inlined into a program with threads: takes back a block with a class, unless some of those
    /// lie in no run. Whether it did.
    ///
    /// # Safety
    ///
    /// As for [`deallocate`](UncheckedHeap::deallocate).
    #[cfg(any(for_threads, all(test, not(feature = "malloc"))))]
    #[inline]
    pub(crate) unsafe fn deallocate_in_run(&mut self, block: u32, request: Request) -> bool {
        if !SizeClass::serves(request) || self.runs.have_strays() {
            return false;
        }
        // SAFETY: the caller gives up a block with a class, and each of those lies in a run.
        unsafe { self.runs.push(&mut self.chunks, block) };
        true
    }

    /// As `deallocate`, for a caller that knows only whether the request for the block had a class.
    ///
    /// # Safety
    ///
    /// As for [`deallocate`](UncheckedHeap::deallocate).
    #[cfg(any(for_threads, all(test, not(feature = "malloc"))))]
    pub(crate) unsafe fn deallocate_with(&mut self, block: u32, has_class: bool) {
        if has_class {
            // SAFETY: the caller gives up the block, which was allocated for a class.
            unsafe { self.runs.deallocate(&mut self.chunks, block) }
        } else {
            // SAFETY: the caller gives up the block. One without a class is of the chunk heap.
            unsafe { self.chunks.deallocate(block) }
        }
    }

    /// Whether a block was cut from the tail and nothing after it.
    ///
    /// # Safety
    ///
    /// The block must be live, and have been allocated for a request without a class.
    #[cfg(any(for_threads, all(test, not(feature = "malloc"))))]
    pub(crate) unsafe fn is_last(&self, block: u32) -> bool {
        // SAFETY: a block without a class is one of the chunk heap, and it is live.
        unsafe { self.chunks.is_last(block) }
    }

    /// Whether a block serves so many bytes where it is. What lies after it changes for that, and the memory may grow.
    ///
    /// # Safety
    ///
    /// As for [`deallocate`](UncheckedHeap::deallocate).
    #[cfg(not(feature = "malloc"))]
    #[inline(always)]
    pub(crate) unsafe fn resize_in_place(&mut self, block: u32, request: Request, new_size: u32) -> bool {
        let (class, new_class) = (SizeClass::of(request), SizeClass::of(request.with_size(new_size)));
        match (class, new_class) {
            // SAFETY: the caller passes a live block. One without a class is of the chunk heap.
            (None, None) => unsafe { self.chunks.resize(block, span_for(new_size)) },
            _ => class == new_class,
        }
    }

    /// How many of the first `size` bytes of a new large block can be other than 0. `fresh` is the address from which on
    /// memory was never used before the block was made.
    ///
    /// # Safety
    ///
    /// The block must be live, and one of the chunk heap.
    unsafe fn used_bytes(&self, block: u32, size: u32, fresh: u32) -> u32 {
        // The host may have written to the initial memory. A region that reaches the top of the address space ends at 0.
        let last_initial = self.chunks.memory.initial_region().end.wrapping_sub(1);
        // Only a block that ends at the bump pointer is fresh: what was left after that pointer when the memory grew
        // elsewhere may hold anything.
        // SAFETY: the block is live, and one of the chunk heap.
        if block > last_initial && unsafe { self.chunks.is_last(block) } {
            size.min(fresh.saturating_sub(block))
        } else {
            size
        }
    }
}

impl<M: LinearMemory> UncheckedHeap for MergingHeap<M> {
    type Memory = M;

    fn memory(&mut self) -> &mut M {
        &mut self.chunks.memory
    }

    #[inline]
    fn allocate(&mut self, request: Request) -> u32 {
        if let Some(class) = SizeClass::of(request) {
            let block = self.runs.pop(&self.chunks.memory, class);
            if block != 0 {
                return block;
            }
        }
        self.allocate_anew(request)
    }

    #[inline(never)]
    fn allocate_zeroed(&mut self, request: Request) -> u32 {
        let fresh = self.chunks.fresh();
        let block = self.allocate(request);
        if block == 0 {
            return 0;
        }
        match SizeClass::of(request) {
            // SAFETY: the block was just allocated for this class.
            Some(class) => unsafe { self.chunks.memory.clear_small(block, class.bytes()) },
            None => {
                // SAFETY: the block was just allocated without a class, so it is one of the chunk heap.
                let used = unsafe { self.used_bytes(block, request.size, fresh) };
                if used != 0 {
                    // SAFETY: these are no more bytes than were asked for.
                    unsafe { self.chunks.memory.clear(block, used) };
                }
            }
        }
        block
    }

    #[inline]
    unsafe fn deallocate(&mut self, block: u32, request: Request) {
        #[cfg(not(feature = "malloc"))]
        match SizeClass::of(request) {
            // SAFETY: the caller gives up the block, which was allocated for a class.
            Some(_) => unsafe { self.runs.deallocate(&mut self.chunks, block) },
            // SAFETY: the caller gives up the block. One without a class is of the chunk heap.
            None => unsafe { self.chunks.deallocate(block) },
        }
        #[cfg(feature = "malloc")]
        {
            let _ = request;
            // SAFETY: the caller gives up the block.
            unsafe { self.release(block) };
        }
    }

    #[cfg(feature = "malloc")]
    #[inline]
    unsafe fn reallocate(&mut self, block: u32, request: Request, new_size: u32) -> u32 {
        // SAFETY: the caller passes a live block.
        unsafe { self.resize(block, request.with_size(new_size)) }
    }

    #[cfg(not(feature = "malloc"))]
    #[inline(never)]
    unsafe fn reallocate(&mut self, block: u32, request: Request, new_size: u32) -> u32 {
        // SAFETY: the caller passes a live block with its request.
        if unsafe { self.resize_in_place(block, request, new_size) } {
            return block;
        }
        // SAFETY: the caller passes a live block with its request, and it has not moved.
        unsafe { self.relocate(block, request, new_size) }
    }

    /// Tags, the headers of runs, and what blocks were rounded up by count as live, because the heap cannot tell them from
    /// blocks in use. O(free blocks).
    fn stats(&self) -> HeapStats {
        let mut stats = self.chunks.stats();
        for class in SizeClass::all() {
            let free_bytes = self.runs.free_bytes(&self.chunks, class);
            stats.free_bytes += free_bytes;
            stats.live_bytes -= free_bytes;
        }
        stats
    }
}
