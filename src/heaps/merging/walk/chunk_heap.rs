//! What the chunk heap tells a walk: which chunk an address lies in.

use super::super::walk::sight::Sight;
use super::*;
use crate::heap_map::RangeKind;

/// Where the place after the last chunk of a region has the start of the next region.
const NEXT_REGION_OFFSET: u32 = BLOCK_OFFSET;

/// What an address lies in.
pub(in super::super) enum Place {
    /// Bytes that are of one kind up to the end.
    Alike(Sight),
    /// A chunk in use that ends at `end`.
    Block { block: u32, is_run: bool, end: u32 },
}

impl Place {
    const fn alike(kind: RangeKind, end: u32) -> Self {
        Place::Alike(Sight::alike(kind, end))
    }
}

impl<M: LinearMemory> ChunkHeap<M> {
    /// Notes where a region begins that does not continue the last one.
    pub(super) fn note_region(&mut self, start: u32) {
        if self.end == 0 {
            self.landmarks.first_region = start;
        } else {
            // SAFETY: the word lies after the tag that ends the region, in the heap's own bytes, which have no other use.
            unsafe { self.memory.write_word(self.end, NEXT_REGION_OFFSET, start) };
        }
    }

    /// Notes in its tag that a block is a run, until it is released.
    ///
    /// # Safety
    ///
    /// The block must be in use, and from this heap.
    pub(in super::super) unsafe fn note_run(&mut self, block: u32) {
        // SAFETY: the caller passes a live block.
        unsafe { Chunk::of_block(block) }.note_run(&mut self.memory);
    }

    /// Where the heap's memory begins, and how many bytes it has, with the pages of others in between.
    pub(in super::super) fn memory_with_others(&self) -> (u32, u32) {
        let initial = self.memory.initial_region();
        let end = if self.end == 0 {
            initial.end
        } else {
            self.end.wrapping_add(CHAIN_END_BYTES)
        };
        (initial.start, end.wrapping_sub(initial.start))
    }

    /// What this address of the heap lies in. O(chunks between the last chunk that was found and this address); where a chunk
    /// was released or resized since, or the address lies before that chunk: O(chunks before it).
    pub(in super::super) fn place_of(&mut self, address: u32) -> Place {
        let initial = self.memory.initial_region();
        if self.end == 0 {
            return Place::alike(RangeKind::Tail, initial.end);
        }
        let first_region = self.landmarks.first_region;
        if address < first_region {
            // What was too short for a chunk, and pages that others had added before the heap had any.
            return if address < initial.end {
                Place::alike(RangeKind::Own, initial.end)
            } else {
                Place::alike(RangeKind::Foreign, first_region)
            };
        }
        let mut chunk = match self.landmarks.chunk {
            landmark if landmark != 0 && landmark + TAG_BYTES <= address => landmark,
            _ => first_chunk(first_region),
        };
        // The loop goes from chunk to chunk. What lies before the one at hand does not hold the address.
        while address >= chunk + TAG_BYTES {
            if chunk == self.bump {
                return self.place_after_bump(address);
            }
            // SAFETY: the chain of chunks leads from a chunk to the next one and, before the bump pointer, to the end of its
            // region. There the start of the next region stands.
            let at = unsafe { Chunk::at(chunk) };
            let tag = at.tag(&self.memory);
            if tag.span() == 0 {
                let end = chunk + CHAIN_END_BYTES;
                if address < end {
                    return Place::alike(RangeKind::Own, end);
                }
                // SAFETY: a region follows this one, whose start was noted here.
                let start = unsafe { self.memory.read_word(chunk, NEXT_REGION_OFFSET) };
                if address < start {
                    return Place::alike(RangeKind::Foreign, start);
                }
                chunk = first_chunk(start);
                continue;
            }
            let end = chunk + tag.span() + TAG_BYTES;
            if address >= end {
                chunk += tag.span();
                continue;
            }
            self.landmarks.chunk = chunk;
            return if tag.is_free() {
                Place::alike(RangeKind::Free, end)
            } else {
                Place::Block {
                    block: at.block(),
                    is_run: tag.is_run(),
                    end,
                }
            };
        }
        // Before the first tag of its region.
        Place::alike(RangeKind::Own, chunk + TAG_BYTES)
    }

    /// The same, for an address at or after the tag that the next chunk of the tail would have.
    fn place_after_bump(&self, address: u32) -> Place {
        let tail = self.bump + BLOCK_OFFSET;
        let tail_end = self.end + BLOCK_OFFSET;
        if address < tail {
            Place::alike(RangeKind::Own, tail)
        } else if address < tail_end {
            Place::alike(RangeKind::Tail, tail_end)
        } else {
            Place::alike(RangeKind::Own, self.end.wrapping_add(CHAIN_END_BYTES))
        }
    }
}
