//! Small blocks that lie in no run: a bit for each slot, the 8 KiB aligned to 8 KiB in which a run can lie, says where some do.
//!
//! Where the memory cannot grow and no free chunk has room for a run, a small block is one of the chunk heap, with a tag. Its
//! release must be distinguished from that of a block in a run, and the bytes around it belong to the program. So a bitmap in
//! a block of its own says in which slots such blocks have been made. A slot with a run has no other block, and the start of
//! a run clears the bit.
//!
//! A heap that was never refused memory has no bitmap.

use super::chunk::span_for;
use super::chunk_heap::{ChunkHeap, Effort};
use super::run::RUN_SHIFT;
use crate::memory::linear::LinearMemory;

/// The slots that a word of the bitmap stands for.
const WORD_SLOTS: u32 = u32::BITS;

/// The bitmap; all zero while there is none.
pub(super) struct StrayBlocks {
    /// The block of the bitmap, or 0.
    bitmap: u32,
    /// How many slots it stands for, a multiple of 32, from the first one of the heap on.
    slots: u32,
}

/// The number of the slot of an address, counted from the first one that a heap in this memory can have.
fn slot_of<M: LinearMemory>(memory: &M, address: u32) -> u32 {
    (address >> RUN_SHIFT) - (memory.initial_region().start >> RUN_SHIFT)
}

impl StrayBlocks {
    /// No bitmap.
    pub(super) const fn new() -> Self {
        StrayBlocks { bitmap: 0, slots: 0 }
    }

    /// Whether there is no bitmap, so that all small blocks lie in runs.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.slots == 0
    }

    /// Whether this block, of a size class, lies in no run. O(1).
    pub(super) fn contains<M: LinearMemory>(&self, memory: &M, block: u32) -> bool {
        let slot = slot_of(memory, block);
        // SAFETY: the word is one of the bitmap, since the slot is.
        slot < self.slots && unsafe { memory.read_word(self.word(slot), 0) } >> (slot % WORD_SLOTS) & 1 != 0
    }

    /// A block of `span` from `heap`, noted as one of a size class that lies in no run; 0 if there is no memory for it, or
    /// for a bitmap where that is needed. O(1), except for the search before a refusal and for a new bitmap: a bit for each 8
    /// KiB of the heap.
    pub(super) fn allocate<M: LinearMemory>(&mut self, heap: &mut ChunkHeap<M>, span: u32) -> u32 {
        let slots = slots_of(heap);
        if self.slots < slots && !self.lengthen(heap, slots) {
            return 0;
        }
        let block = heap.allocate(span, 1, Effort::Exhaustive);
        if block != 0 {
            let slot = slot_of(&heap.memory, block);
            self.set(&mut heap.memory, slot, true);
        }
        block
    }

    /// Notes that a slot holds a run from now on. O(1).
    pub(super) fn begin_run<M: LinearMemory>(&mut self, memory: &mut M, run: u32) {
        let slot = slot_of(memory, run);
        if slot < self.slots {
            self.set(memory, slot, false);
        }
    }

    /// Notes nothing: a slot without a run need not hold a stray block.
    pub(super) fn end_run(&self, _: u32) {}

    /// Sets the bit of a slot of the bitmap.
    fn set<M: LinearMemory>(&self, memory: &mut M, slot: u32, stray: bool) {
        let word = self.word(slot);
        let bit = 1 << (slot % WORD_SLOTS);
        // SAFETY: the word is one of the bitmap, a block of this heap.
        let others = unsafe { memory.read_word(word, 0) } & !bit;
        // SAFETY: nothing else uses the block of the bitmap.
        unsafe { memory.write_word(word, 0, if stray { others | bit } else { others }) };
    }

    /// The address of the word of the bitmap that has the bit of this slot.
    fn word(&self, slot: u32) -> u32 {
        self.bitmap + slot / WORD_SLOTS * size_of::<u32>() as u32
    }

    /// Makes a bitmap for `slots` slots, with the bits of the one before. False if there is no memory for it. Then nothing
    /// has changed.
    #[cold]
    #[inline(never)]
    fn lengthen<M: LinearMemory>(&mut self, heap: &mut ChunkHeap<M>, slots: u32) -> bool {
        let bitmap = heap.allocate(span_for(slots / 8), 1, Effort::Exhaustive);
        if bitmap == 0 {
            return false;
        }
        // SAFETY: the new bitmap is a block of this heap for this many bytes.
        unsafe { heap.memory.clear(bitmap, slots / 8) };
        if self.slots != 0 {
            // SAFETY: the old bitmap is another block of this heap, and shorter.
            unsafe { heap.memory.copy(self.bitmap, bitmap, self.slots / 8) };
            // SAFETY: nothing uses the old bitmap from here on.
            unsafe { heap.deallocate(self.bitmap) };
        }
        *self = StrayBlocks { bitmap, slots };
        true
    }

    /// The block of the bitmap, or 0.
    #[cfg(feature = "walk")]
    pub(super) fn bitmap_block(&self) -> u32 {
        self.bitmap
    }

    /// The block of the bitmap, or 0, and the span of the one that a small block would need first, or 0.
    #[cfg(any(test, fuzzing))]
    pub(super) fn bitmap<M: LinearMemory>(&self, heap: &ChunkHeap<M>) -> (u32, u32) {
        let slots = slots_of(heap);
        (self.bitmap, if slots <= self.slots { 0 } else { span_for(slots / 8) })
    }
}

/// The slots that a bitmap for all of the heap stands for.
fn slots_of<M: LinearMemory>(heap: &ChunkHeap<M>) -> u32 {
    // A heap without memory has no chunk.
    let last = heap.last_chunk().max(heap.memory.initial_region().start);
    (slot_of(&heap.memory, last) / WORD_SLOTS + 1) * WORD_SLOTS
}
