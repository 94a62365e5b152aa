//! Release and resizing without a layout, with the feature `malloc`: what a block is follows from its address.
//!
//! | the [`RunMap`](super::run_map) says | the block is | its size is in |
//! |---|---|---|
//! | a run lies there | one of the run | the header of the run |
//! | none does | one of the chunk heap: large, aligned to more than 16, or small where there was no room for a run | its tag |
//!
//! So it works for every block of the heap, whatever the request that made it. Headers and tags are the heap's own. The bytes
//! of blocks are never read.

use super::chunk::{TAG_BYTES, span_for};
use super::heap::MergingHeap;
use super::size_class::SizeClass;
use crate::heaps::{Request, UncheckedHeap};
use crate::memory::linear::LinearMemory;

#[cfg(any(test, fuzzing))]
#[path = "tests/two_sides.rs"]
pub(crate) mod two_sides;

impl<M: LinearMemory> MergingHeap<M> {
    /// How many bytes a live block has: what was asked for, and what that was rounded up by. All of them may be used. O(1).
    ///
    /// # Safety
    ///
    /// `block` must be live.
    pub(crate) unsafe fn bytes_of(&self, block: u32) -> u32 {
        // SAFETY: the caller passes a live block.
        match unsafe { self.runs.class_at(&self.chunks.memory, block) } {
            Some(class) => class.bytes(),
            // SAFETY: what lies in no run is a block of the chunk heap.
            None => unsafe { self.chunks.span_in_use(block) - TAG_BYTES },
        }
    }

    /// Takes back a block. False, and nothing has changed, for some of the addresses that are no live block's: below the heap;
    /// and outside of runs those that are no multiple of 16, and blocks that are free. O(1).
    ///
    /// # Safety
    ///
    /// `block` must be live, or be one of these addresses.
    pub(crate) unsafe fn release(&mut self, block: u32) -> bool {
        if self.runs.have(block) {
            // SAFETY: the caller gives up the block, and the map says that it lies in a run.
            unsafe { self.runs.push(&mut self.chunks, block) };
            return true;
        }
        // SAFETY: what lies in no run is a block of the chunk heap, or one of the addresses that are found there.
        unsafe { self.chunks.release(block) }
    }

    /// The address of a block for this request that begins with the bytes of `block` as far as both go. `block` is
    /// released if it is another one. Or 0 if there is no memory, and then `block` is as before. O(1), or O(bytes copied).
    ///
    /// # Safety
    ///
    /// `block` must be live.
    #[inline(never)]
    pub(crate) unsafe fn resize(&mut self, block: u32, request: Request) -> u32 {
        // SAFETY: the caller passes a live block.
        let class = unsafe { self.runs.class_at(&self.chunks.memory, block) };
        if block % request.align == 0 {
            let stays = match (class, SizeClass::of(request)) {
                (Some(class), Some(new_class)) => new_class.fills_more_than_half_of(class),
                // SAFETY: the caller passes a live block, which lies in no run.
                (None, None) => unsafe { self.chunks.resize(block, span_for(request.size)) },
                _ => false,
            };
            if stays {
                return block;
            }
        }
        let new_block = self.allocate(request);
        if new_block != 0 {
            // SAFETY: the block is live.
            let bytes = unsafe { self.bytes_of(block) };
            // SAFETY: both blocks are live, so they do not overlap. Both have the bytes that are copied.
            unsafe { self.memory().copy(block, new_block, request.size.min(bytes)) };
            // SAFETY: the caller gives up the old block.
            unsafe { self.release(block) };
        }
        new_block
    }
}
