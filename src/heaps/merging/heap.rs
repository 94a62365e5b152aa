//! The engine of `FreeingBump`: small blocks from runs, all others from a heap that merges what is free.
//!
//! | request | where its block lies | what a release does |
//! |---|---|---|
//! | up to 512 bytes, aligned to 16 at most | in one of the [`Runs`] of its size class | pushes it on a list; a run that is all free goes back |
//! | above | a block of the [`ChunkHeap`] | merges it with its neighbours |
//!
//! Both are O(1). This file only decides which it is. At the memory's limit a small request can get a block of the
//! [`ChunkHeap`] too, which the [`Runs`] note.

use super::chunk_heap::{ChunkHeap, span_for};
use super::runs::Runs;
use super::size_class::SizeClass;
use crate::heaps::UncheckedHeap;
use crate::memory::Growth;
use crate::memory::linear::LinearMemory;
use crate::stats::HeapStats;

#[cfg(any(test, fuzzing))]
#[path = "tests/subject.rs"]
mod subject;

/// The state: all zero before its first use.
pub(crate) struct MergingHeap {
    runs: Runs,
    heap: ChunkHeap,
}

impl MergingHeap {
    /// A heap without memory, which grows as `growth` says.
    pub(crate) const fn new(growth: Growth) -> Self {
        MergingHeap {
            runs: Runs::new(),
            heap: ChunkHeap::new(growth),
        }
    }

    /// Lets the memory grow to so many pages and no further.
    #[cfg(any(target_arch = "wasm32", test))]
    pub(crate) const fn limit_pages(&mut self, pages: u32) {
        self.heap.limit_pages(pages);
    }

    /// As `allocate`, where the class's list, if there is one, is empty.
    #[inline(never)]
    fn allocate_anew<M: LinearMemory>(&mut self, memory: &mut M, size: u32, align: u32) -> u32 {
        match SizeClass::of(size, align) {
            Some(class) => self.runs.refill(memory, &mut self.heap, class),
            None => self.runs.make_room(memory, &mut self.heap, span_for(size), align),
        }
    }

    /// How many of the first `size` bytes of a new large block can be other than 0. `fresh` is from where on memory was
    /// never used before the block was made.
    fn used_bytes<M: LinearMemory>(&self, memory: &M, block: u32, size: u32, fresh: u32) -> u32 {
        // The host may have written to the initial memory. A region that reaches the top of the address space ends at 0.
        let last_initial = memory.initial_region().end.wrapping_sub(1);
        // Only a block that ends at the bump pointer is fresh: what was left behind that pointer when the memory grew
        // elsewhere may hold anything.
        if block > last_initial && self.heap.is_last(memory, block) {
            size.min(fresh.saturating_sub(block))
        } else {
            size
        }
    }
}

impl UncheckedHeap for MergingHeap {
    #[inline]
    fn allocate<M: LinearMemory>(&mut self, memory: &mut M, size: u32, align: u32) -> u32 {
        if let Some(class) = SizeClass::of(size, align) {
            let block = self.runs.pop(memory, class);
            if block != 0 {
                return block;
            }
        }
        self.allocate_anew(memory, size, align)
    }

    #[inline(never)]
    fn allocate_zeroed<M: LinearMemory>(&mut self, memory: &mut M, size: u32, align: u32) -> u32 {
        let fresh = self.heap.fresh();
        let block = self.allocate(memory, size, align);
        if block == 0 {
            return 0;
        }
        // SAFETY: the block was just allocated, with at least `size` bytes.
        unsafe {
            match SizeClass::of(size, align) {
                Some(class) => memory.clear_small(block, class.bytes()),
                None => {
                    let used = self.used_bytes(memory, block, size, fresh);
                    if used != 0 {
                        memory.clear(block, used);
                    }
                }
            }
        }
        block
    }

    #[inline]
    unsafe fn deallocate<M: LinearMemory>(&mut self, memory: &mut M, block: u32, size: u32, align: u32) {
        // SAFETY: the caller gives up the block, which lies where its layout says.
        unsafe {
            match SizeClass::of(size, align) {
                Some(_) => self.runs.deallocate(memory, &mut self.heap, block),
                None => self.heap.deallocate(memory, block),
            }
        }
    }

    #[inline(never)]
    unsafe fn reallocate<M: LinearMemory>(
        &mut self,
        memory: &mut M,
        block: u32,
        size: u32,
        align: u32,
        new_size: u32,
    ) -> u32 {
        let (class, new_class) = (SizeClass::of(size, align), SizeClass::of(new_size, align));
        // SAFETY: passed on from the caller; a block without a class is one of the merging heap.
        unsafe {
            let stays = match (class, new_class) {
                (None, None) => self.heap.resize(memory, block, span_for(new_size)),
                _ => class == new_class,
            };
            if stays {
                block
            } else {
                self.relocate(memory, block, size, align, new_size)
            }
        }
    }

    /// What no block in use could be told from counts as live: tags, the headers of runs, and what a block was rounded
    /// up by. O(free blocks).
    fn stats<M: LinearMemory>(&self, memory: &M) -> HeapStats {
        let mut stats = self.heap.stats(memory);
        for class in SizeClass::all() {
            let free_bytes = self.runs.free_blocks(memory, &self.heap, class) * class.bytes();
            stats.free_bytes += free_bytes;
            stats.live_bytes -= free_bytes;
        }
        stats
    }
}
