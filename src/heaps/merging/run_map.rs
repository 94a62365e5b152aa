//! Where the runs lie, with the feature `malloc`: a bit for each slot of the address space, the 8 KiB aligned to 8 KiB in which
//! a run can lie. So the address of a block tells how it is released, whatever request it was made for.
//!
//! A run fills its slot, except for the tag of the chunk after it. So no other block begins where a bit is set. The bytes of
//! blocks are not read, since a program may write anything there. The map also tells which small blocks lie in no run. So it
//! takes the place of `StrayBlocks`, with the same functions.
//!
//! The map is part of the heap's state and takes 64 KiB of address space.

use super::chunk_heap::{ChunkHeap, Effort};
use super::run::RUN_SHIFT;
use crate::memory::linear::LinearMemory;

/// log2 of the bytes of address space that a word stands for.
const WORD_SHIFT: u32 = RUN_SHIFT + u32::BITS.trailing_zeros();

/// The words for all addresses of 32 bits. An address shifted by [`WORD_SHIFT`] is always less, so that no bounds check, which
/// can panic, is needed.
const WORDS: usize = 1 << (u32::BITS - WORD_SHIFT);

/// The map; all zero while there is no run.
pub(super) struct RunMap([u32; WORDS]);

impl RunMap {
    /// A map without runs.
    pub(super) const fn new() -> Self {
        RunMap([0; WORDS])
    }

    /// Whether a block at this address lies in a run. O(1).
    #[inline]
    pub(super) fn has_run_around(&self, block: u32) -> bool {
        self.0[(block >> WORD_SHIFT) as usize] & Self::bit(block) != 0
    }

    /// A block of `span` from `heap` that lies in no run; 0 if there is no memory for it. O(1), except for the search before a
    /// refusal.
    pub(super) fn allocate<M: LinearMemory>(&mut self, heap: &mut ChunkHeap<M>, span: u32) -> u32 {
        heap.allocate(span, 1, Effort::Exhaustive)
    }

    /// Notes that a run begins at this address. O(1).
    pub(super) fn begin_run<M: LinearMemory>(&mut self, _: &mut M, run: u32) {
        self.flip(run);
    }

    /// Notes that the run at this address is none any more. O(1).
    pub(super) fn end_run(&mut self, run: u32) {
        self.flip(run);
    }

    /// Changes the bit of an address. Never inlined: two copies would take more code.
    #[inline(never)]
    fn flip(&mut self, address: u32) {
        self.0[(address >> WORD_SHIFT) as usize] ^= Self::bit(address);
    }

    /// The bit of an address in its word. The modulus spares a check that the shift is less than 32.
    const fn bit(address: u32) -> u32 {
        1 << ((address >> RUN_SHIFT) % u32::BITS)
    }

    /// The block of the map: there is none.
    #[cfg(feature = "walk")]
    pub(super) const fn bitmap_block(&self) -> u32 {
        0
    }

    /// Whether this block, of a size class, lies in no run.
    #[cfg(any(test, fuzzing))]
    pub(super) fn contains<M: LinearMemory>(&self, _: &M, block: u32) -> bool {
        !self.has_run_around(block)
    }

    /// The block of the map, or 0, and the span of the one that a small block would need first, or 0: it needs none.
    #[cfg(any(test, fuzzing))]
    pub(super) fn bitmap<M: LinearMemory>(&self, _: &ChunkHeap<M>) -> (u32, u32) {
        (0, 0)
    }
}
