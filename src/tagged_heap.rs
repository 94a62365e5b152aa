//! Blocks of any size with a tag before each, which are merged with their free neighbours as soon as they are released
//! (boundary tags, Knuth 1973), and a bump pointer behind them.
//!
//! ```text
//!      tag  block                          tag  free block                 bump pointer           end
//!      v    v                              v    v                          v                      v
//! +----+----+--------------------------+---+----+------+------+--------+---+----------------------+
//! |    | 4  | payload                  | 4      | next | prev | ..     | 4 | never used, or used  |
//! +----+----+--------------------------+--------+------+------+--------+---+----------------------+
//!           |<------- span ----------------->|<- links in a bin   span, once more
//! ```
//!
//! A block's address is a multiple of 16; its span, one too, leads from it to the next block. `tag_address = block - 4`;
//! the tag holds the span, and in its low bits whether the block is free and whether the block before it is. The last 4
//! bytes of a span are the tag of the next block, so that a block has room for `span - 4` bytes. If it is free, the word
//! before that tag holds the span again: that is how the next block finds the start of this one.
//!
//! The bump pointer is where the next block would be; the block before it is never free, since a release there moves
//! the bump pointer down. Where a region ends without the next one following it, a tag of span 0 in use ends the chain.

use crate::bins::{Bins, GRANULE_BYTES};
use crate::growth::Growth;
use crate::linear_memory::LinearMemory;
use crate::page::PageCount;
use crate::stats::HeapStats;

#[cfg(test)]
mod survey;

/// The bytes of a tag.
pub(crate) const TAG_BYTES: u32 = 4;

const FREE: u32 = 1;
const PREVIOUS_FREE: u32 = 2;
const FLAGS: u32 = GRANULE_BYTES - 1;

/// A rest that is shorter than this stays with the block it was cut from.
const MIN_REST_BYTES: u32 = 32;

/// The span of a block with room for `bytes`, which are at most 2^31.
pub(crate) const fn span_for(bytes: u32) -> u32 {
    (bytes + TAG_BYTES + (GRANULE_BYTES - 1)) & !(GRANULE_BYTES - 1)
}

/// The state; all zero before its first use.
pub(crate) struct TaggedHeap {
    bins: Bins,
    /// The address that the next block from never-used memory gets, a multiple of 16.
    bump: u32,
    /// The end of the region that the bump pointer moves through, a multiple of 16.
    end: u32,
    /// The highest that the bump pointer has been: memory from here on is fresh.
    fresh: u32,
    /// From here on the engine has filled the present region with zeros.
    zero_from: u32,
    /// The bytes of all regions.
    owned_bytes: u32,
}

impl TaggedHeap {
    pub(crate) const fn new() -> Self {
        TaggedHeap {
            bins: Bins::new(),
            bump: 0,
            end: 0,
            fresh: 0,
            zero_from: 0,
            owned_bytes: 0,
        }
    }

    /// The highest that the bump pointer has been: memory from here on was never used.
    pub(crate) fn fresh(&self) -> u32 {
        self.fresh
    }

    /// From here on the engine has filled the present region, which only the bump pointer hands out for the first time,
    /// with zeros.
    pub(crate) fn zero_from(&self) -> u32 {
        self.zero_from
    }

    /// A block of this span, from what was released or from the bump pointer; 0 if that takes more memory.
    pub(crate) fn allocate<M: LinearMemory>(&mut self, memory: &mut M, span: u32) -> u32 {
        // SAFETY: a block in a bin is free.
        unsafe {
            let mut block = self.bins.near(span);
            if block == 0 || self.span(memory, block) < span {
                block = self.bins.at_least(span);
            }
            if block != 0 {
                let whole = self.take(memory, block);
                self.cut(memory, block, whole, span);
                return block;
            }
        }
        self.allocate_at_bump(memory, span)
    }

    /// A block of this span aligned to `align`, a power of two above 16; 0 if that takes more memory.
    pub(crate) fn allocate_aligned<M: LinearMemory>(&mut self, memory: &mut M, span: u32, align: u32) -> u32 {
        let Some(longest) = span.checked_add(align) else {
            return 0;
        };
        // SAFETY: a block in a bin is free; what is cut off before and behind the new block is released as blocks.
        unsafe {
            let mut block = self.bins.near(span);
            if block == 0 || block & (align - 1) != 0 || self.span(memory, block) < span {
                block = self.bins.at_least(longest);
            }
            let whole = if block != 0 {
                self.take(memory, block)
            } else {
                let gap = self.bump.wrapping_neg() & (align - 1);
                block = self.allocate_at_bump(memory, gap + span);
                if block == 0 {
                    return 0;
                }
                gap + span
            };
            let aligned = (block + (align - 1)) & !(align - 1);
            let gap = aligned - block;
            if gap != 0 {
                // The cut makes two blocks in use of one, of which the first is released. No block before it is free.
                memory.write_word(block - TAG_BYTES, gap);
                memory.write_word(aligned - TAG_BYTES, whole - gap);
                self.deallocate(memory, block);
            }
            self.cut(memory, aligned, whole - gap, span);
            aligned
        }
    }

    /// Releases a block: merges it with its free neighbours, or with what is behind the bump pointer. O(1).
    ///
    /// # Safety
    ///
    /// `block` must be in use, and from this heap.
    pub(crate) unsafe fn deallocate<M: LinearMemory>(&mut self, memory: &mut M, mut block: u32) {
        // SAFETY: tags lie before each block and before the bump pointer; the word before a tag is the span of the block
        // before if the tag says that it is free.
        unsafe {
            let tag = memory.read_word(block - TAG_BYTES);
            let mut span = tag & !FLAGS;
            if tag & PREVIOUS_FREE != 0 {
                let before = memory.read_word(block - 2 * TAG_BYTES);
                block -= before;
                span += before;
                self.bins.remove(memory, block, before);
            }
            let next = block + span;
            if next == self.bump {
                self.bump = block;
                return;
            }
            let next_tag = memory.read_word(next - TAG_BYTES);
            if next_tag & FREE != 0 {
                let behind = next_tag & !FLAGS;
                self.bins.remove(memory, next, behind);
                span += behind;
            } else {
                memory.write_word(next - TAG_BYTES, next_tag | PREVIOUS_FREE);
            }
            memory.write_word(block - TAG_BYTES, span | FREE);
            memory.write_word(block + span - 2 * TAG_BYTES, span);
            self.bins.insert(memory, block, span);
        }
    }

    /// Gives a block this span where it is, if what lies behind it allows that; may grow the memory.
    ///
    /// # Safety
    ///
    /// `block` must be in use, and from this heap.
    pub(crate) unsafe fn resize<M: LinearMemory>(&mut self, memory: &mut M, block: u32, span: u32) -> bool {
        // SAFETY: as in `deallocate`.
        unsafe {
            let present = self.span(memory, block);
            if span <= present {
                self.cut(memory, block, present, span);
                return true;
            }
            let next = block + present;
            if next == self.bump {
                let lacking = span - present;
                if self.end - self.bump < lacking && !self.grow(memory, lacking) {
                    return false;
                }
                // The memory may have grown elsewhere.
                if next != self.bump || self.end - self.bump < lacking {
                    return false;
                }
                self.move_bump(block + span);
                self.set_span(memory, block, span);
                return true;
            }
            let next_tag = memory.read_word(next - TAG_BYTES);
            let whole = present + (next_tag & !FLAGS);
            if next_tag & FREE == 0 || whole < span {
                return false;
            }
            self.take(memory, next);
            self.cut(memory, block, whole, span);
            true
        }
    }

    /// Grows the memory so that the bump pointer can move up by `span`, by an eighth or else by what is lacking. False
    /// if that is refused; then nothing has changed. What is left of a region that ends here becomes free.
    #[cold]
    pub(crate) fn grow<M: LinearMemory>(&mut self, memory: &mut M, span: u32) -> bool {
        loop {
            let left = self.end - self.bump;
            if span <= left {
                return true;
            }
            let initial = self.end == 0;
            let region = if initial {
                memory.initial_region()
            } else {
                // The first region spends a granule on its first tag; others follow it unless somebody came in between.
                let first_tag = if self.fresh == 0 { GRANULE_BYTES } else { 0 };
                let lacking = PageCount::covering(span - left + first_tag);
                let Some(region) = memory.grow_heap(Growth::EIGHTH, lacking, self.end) else {
                    return false;
                };
                region
            };
            if region.start == region.end {
                // No initial memory: the next region is the first, wherever it starts.
                (self.bump, self.end) = (region.end, region.end);
                continue;
            }
            // The last granule below 4 GiB is not used.
            let end = if region.end == 0 {
                0u32.wrapping_sub(GRANULE_BYTES)
            } else {
                region.end
            };
            if region.start != self.end || self.fresh == 0 {
                self.leave_region(memory);
                // The tag of the first block lies before it.
                self.move_bump((region.start + TAG_BYTES + FLAGS) & !FLAGS);
                // The host may have written to the initial memory.
                self.zero_from = if initial { end } else { region.start };
            }
            self.owned_bytes += region.end.wrapping_sub(region.start);
            self.end = end;
        }
    }

    /// What the memory is used for. What is neither free nor never used counts as live. O(free blocks).
    pub(crate) fn stats<M: LinearMemory>(&self, memory: &M) -> HeapStats {
        if self.end == 0 {
            let initial = memory.initial_region();
            let bytes = initial.end.wrapping_sub(initial.start);
            return HeapStats {
                never_used_bytes: bytes,
                address_space_bytes: bytes,
                largest_free_bytes: bytes.saturating_sub(2 * GRANULE_BYTES),
                ..HeapStats::default()
            };
        }
        let never_used_bytes = self.end - self.bump;
        let mut stats = HeapStats {
            never_used_bytes,
            address_space_bytes: self.owned_bytes,
            largest_free_bytes: never_used_bytes.saturating_sub(TAG_BYTES),
            ..HeapStats::default()
        };
        self.bins.for_each(memory, |block| {
            // SAFETY: a block in a bin is free, with its tag before it.
            let span = unsafe { self.span(memory, block) };
            stats.free_bytes += span;
            stats.largest_free_bytes = stats.largest_free_bytes.max(span - TAG_BYTES);
        });
        stats.live_bytes = self.owned_bytes - never_used_bytes - stats.free_bytes;
        stats
    }

    /// Turns what is left behind the bump pointer into a free block, and ends the chain of blocks.
    fn leave_region<M: LinearMemory>(&mut self, memory: &mut M) {
        if self.fresh == 0 {
            return;
        }
        let (block, span) = (self.bump, self.end - self.bump);
        // SAFETY: the last word of the region is the tag of what would follow it; the word before the bump pointer is
        // that of the block that the rest becomes.
        unsafe {
            memory.write_word(self.end - TAG_BYTES, 0);
            if span != 0 {
                memory.write_word(block - TAG_BYTES, span);
                self.bump = 0;
                self.deallocate(memory, block);
            }
        }
    }

    fn allocate_at_bump<M: LinearMemory>(&mut self, memory: &mut M, span: u32) -> u32 {
        if self.end - self.bump < span {
            return 0;
        }
        let block = self.bump;
        self.move_bump(block + span);
        // SAFETY: the word before the bump pointer is kept for this tag.
        unsafe { memory.write_word(block - TAG_BYTES, span) };
        block
    }

    fn move_bump(&mut self, bump: u32) {
        self.bump = bump;
        self.fresh = self.fresh.max(bump);
    }

    /// Takes a free block out of its bin, and tells its neighbour behind; returns its span. Its tag is not yet changed.
    unsafe fn take<M: LinearMemory>(&mut self, memory: &mut M, block: u32) -> u32 {
        // SAFETY: the caller passes a free block; one behind it is in use.
        unsafe {
            let span = self.span(memory, block);
            self.bins.remove(memory, block, span);
            let next_tag_address = block + span - TAG_BYTES;
            let next_tag = memory.read_word(next_tag_address);
            memory.write_word(next_tag_address, next_tag & !PREVIOUS_FREE);
            span
        }
    }

    /// Makes a block in use of `span` out of the `whole` at `block`, and releases the rest if it is worth it.
    unsafe fn cut<M: LinearMemory>(&mut self, memory: &mut M, block: u32, whole: u32, span: u32) {
        // SAFETY: the caller owns the whole, whose neighbour behind knows that it is in use.
        unsafe {
            let rest = whole - span;
            if rest < MIN_REST_BYTES {
                self.set_span(memory, block, whole);
                return;
            }
            self.set_span(memory, block, span);
            memory.write_word(block + span - TAG_BYTES, rest);
            self.deallocate(memory, block + span);
        }
    }

    /// Says in a block's tag that it is in use with this span, and leaves what it says of the block before.
    unsafe fn set_span<M: LinearMemory>(&self, memory: &mut M, block: u32, span: u32) {
        // SAFETY: the caller passes a block.
        unsafe {
            let previous_free = memory.read_word(block - TAG_BYTES) & PREVIOUS_FREE;
            memory.write_word(block - TAG_BYTES, span | previous_free);
        }
    }

    unsafe fn span<M: LinearMemory>(&self, memory: &M, block: u32) -> u32 {
        // SAFETY: the caller passes a block.
        unsafe { memory.read_word(block - TAG_BYTES) & !FLAGS }
    }
}
