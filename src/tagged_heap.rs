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
use crate::growth_word::GrowthWord;
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

/// What a region spends on its two ends: the first tag, and the tag that ends the chain of blocks.
const END_BYTES: u32 = 2 * GRANULE_BYTES;

/// A rest that is shorter than this stays with the block it was cut from.
const MIN_REST_BYTES: u32 = 32;

/// The span of a block with room for `bytes`, which are at most 2^31.
pub(crate) const fn span_for(bytes: u32) -> u32 {
    (bytes + TAG_BYTES + (GRANULE_BYTES - 1)) & !(GRANULE_BYTES - 1)
}

/// The bytes from an address to the next one that is aligned, where `slack` is 16 less than the alignment, or 0.
const fn gap(address: u32, slack: u32) -> u32 {
    address.wrapping_neg() & slack
}

/// The state; all zero before its first use.
pub(crate) struct TaggedHeap {
    bins: Bins,
    /// The address that the next block from never-used memory gets, a multiple of 16.
    bump: u32,
    /// The end of the region that the bump pointer moves through, a multiple of 16.
    end: u32,
    /// The highest that the bump pointer has been before it was moved down, or less.
    used: u32,
    growth: GrowthWord,
}

impl TaggedHeap {
    /// A heap without memory, which grows as `growth` says.
    pub(crate) const fn new(growth: Growth) -> Self {
        TaggedHeap {
            bins: Bins::new(),
            bump: 0,
            end: 0,
            used: 0,
            growth: GrowthWord::new(growth),
        }
    }

    /// The highest that the bump pointer has been: memory from here on was never used.
    pub(crate) fn fresh(&self) -> u32 {
        self.used.max(self.bump)
    }

    /// A block of this span aligned to `align`, a power of two: from what was released, or from the bump pointer, for
    /// which the memory may grow. 0 if that is refused. O(1); when growth is refused, O(free blocks of about this span).
    pub(crate) fn allocate<M: LinearMemory>(&mut self, memory: &mut M, span: u32, align: u32) -> u32 {
        // All blocks are aligned to a granule. The farthest that the next aligned address can be is this:
        let slack = (align - 1) & !FLAGS;
        let mut block = self.bins.near(span);
        // SAFETY: a block in a bin is free.
        unsafe {
            if block != 0 && !self.fits(memory, block, span, slack) {
                block = self.bins.above(span + slack);
            }
            if block != 0 {
                return self.take(memory, block, span, slack);
            }
        }
        let whole = span + gap(self.bump, slack);
        if self.end - self.bump < whole {
            return self.allocate_after_growth(memory, span, slack);
        }
        let block = self.bump;
        self.bump += whole;
        // SAFETY: at the bump pointer there is room for a tag before the block.
        unsafe {
            memory.write_word(block - TAG_BYTES, whole);
            self.cut(memory, block, whole, span, slack)
        }
    }

    /// What is left to be done when no free block was found at the first look, nor enough memory behind the bump pointer.
    #[cold]
    #[inline(never)]
    fn allocate_after_growth<M: LinearMemory>(&mut self, memory: &mut M, span: u32, slack: u32) -> u32 {
        let lacking = span + gap(self.bump, slack) - (self.end - self.bump);
        if self.grow(memory, lacking) {
            // The memory may have grown elsewhere, where the next aligned address is farther.
            return self.allocate(memory, span, slack + 1);
        }
        let mut block = self.bins.near(span);
        // SAFETY: the blocks in a bin are free.
        unsafe {
            while block != 0 {
                if self.fits(memory, block, span, slack) {
                    return self.take(memory, block, span, slack);
                }
                block = self.bins.next(memory, block);
            }
        }
        0
    }

    /// Whether a block of this span, aligned, can be cut from a free block.
    unsafe fn fits<M: LinearMemory>(&self, memory: &M, block: u32, span: u32, slack: u32) -> bool {
        // SAFETY: the caller passes a block.
        unsafe { self.span(memory, block) >= span + gap(block, slack) }
    }

    /// Takes a free block that fits out of its bin, and cuts the aligned block from it.
    unsafe fn take<M: LinearMemory>(&mut self, memory: &mut M, block: u32, span: u32, slack: u32) -> u32 {
        // SAFETY: the caller passes a block from a bin.
        unsafe {
            self.bins.remove(memory, block);
            let whole = self.span(memory, block);
            self.cut(memory, block, whole, span, slack)
        }
    }

    /// The aligned block of `span` in the `whole` at `block`; what lies before and behind it becomes free.
    unsafe fn cut<M: LinearMemory>(&mut self, memory: &mut M, block: u32, whole: u32, span: u32, slack: u32) -> u32 {
        let gap = gap(block, slack);
        let aligned = block + gap;
        // SAFETY: the caller owns the whole, which is long enough.
        unsafe {
            if gap != 0 {
                memory.write_word(aligned - TAG_BYTES, 0);
                self.insert(memory, block, gap);
            }
            self.occupy(memory, aligned, whole - gap, span);
        }
        aligned
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
                self.bins.remove(memory, block);
            }
            let next = block + span;
            if next == self.bump {
                return self.move_bump(block);
            }
            let next_tag = memory.read_word(next - TAG_BYTES);
            if next_tag & FREE != 0 {
                self.bins.remove(memory, next);
                span += next_tag & !FLAGS;
            }
            self.insert(memory, block, span);
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
            let mut whole = self.span(memory, block);
            let next = block + whole;
            if next == self.bump {
                let never_used = self.end - next;
                // The memory may grow elsewhere.
                if span > whole + never_used && (!self.grow(memory, span - whole - never_used) || next != self.bump) {
                    return false;
                }
                self.move_bump(block + span);
                self.set_span(memory, block, span);
                return true;
            }
            let next_tag = memory.read_word(next - TAG_BYTES);
            if next_tag & FREE != 0 {
                whole += next_tag & !FLAGS;
            }
            if whole < span {
                return false;
            }
            if next_tag & FREE != 0 {
                self.bins.remove(memory, next);
            }
            self.occupy(memory, block, whole, span);
            true
        }
    }

    /// Takes the initial memory at the first call, then grows the memory as the policy says, by what is `lacking` behind
    /// the bump pointer at least. False if that is refused; then nothing has changed. What is left of a region that ends
    /// here becomes free.
    #[cold]
    fn grow<M: LinearMemory>(&mut self, memory: &mut M, lacking: u32) -> bool {
        let mut region = memory.initial_region();
        if self.end != 0 || region.end.wrapping_sub(region.start) < END_BYTES {
            let ends = if self.end == 0 { END_BYTES } else { 0 };
            let lacking = PageCount::covering(lacking + ends);
            let Some(added) = memory.grow_heap(self.growth.growth(), lacking, self.end) else {
                return false;
            };
            region = added;
        }
        if self.bump == 0 || region.start.wrapping_sub(GRANULE_BYTES) != self.end {
            self.leave_region(memory);
            // The tag of the first block lies before it.
            self.bump = (region.start + TAG_BYTES + FLAGS) & !FLAGS;
        }
        self.end = region.end.wrapping_sub(GRANULE_BYTES);
        true
    }

    /// What the memory is used for. What is neither free nor never used counts as live, pages of others too. O(free
    /// blocks).
    pub(crate) fn stats<M: LinearMemory>(&self, memory: &M) -> HeapStats {
        let initial = memory.initial_region();
        let (never_used_bytes, end) = if self.end == 0 {
            (initial.end.wrapping_sub(initial.start), initial.end)
        } else {
            (self.end - self.bump, self.end.wrapping_add(GRANULE_BYTES))
        };
        let mut stats = HeapStats {
            live_bytes: 0,
            free_bytes: 0,
            never_used_bytes,
            address_space_bytes: end.wrapping_sub(initial.start),
            largest_free_bytes: never_used_bytes.saturating_sub(END_BYTES),
        };
        self.bins.for_each(memory, |block| {
            // SAFETY: a block in a bin is free, with its tag before it.
            let span = unsafe { self.span(memory, block) };
            stats.free_bytes += span;
            stats.largest_free_bytes = stats.largest_free_bytes.max(span - TAG_BYTES);
        });
        stats.live_bytes = stats.address_space_bytes - never_used_bytes - stats.free_bytes;
        stats
    }

    /// Turns what is left behind the bump pointer into a free block, and ends the chain of blocks.
    fn leave_region<M: LinearMemory>(&mut self, memory: &mut M) {
        let (block, span) = (self.bump, self.end - self.bump);
        if block == 0 {
            return;
        }
        // SAFETY: the granule behind the end is kept for the tag that ends the chain.
        unsafe {
            memory.write_word(self.end - TAG_BYTES, 0);
            if span != 0 {
                self.insert(memory, block, span);
            }
        }
    }

    /// Moves the bump pointer, down perhaps: what lies behind it was used before.
    fn move_bump(&mut self, bump: u32) {
        self.used = self.used.max(self.bump);
        self.bump = bump;
    }

    /// Makes a free block, whose neighbours are in use, known to the bins and to the block behind it.
    unsafe fn insert<M: LinearMemory>(&mut self, memory: &mut M, block: u32, span: u32) {
        // SAFETY: the caller passes a free block; the word before the next tag lies in it.
        unsafe {
            memory.write_word(block - TAG_BYTES, span | FREE);
            memory.write_word(block + span - 2 * TAG_BYTES, span);
            let next_tag = memory.read_word(block + span - TAG_BYTES);
            memory.write_word(block + span - TAG_BYTES, next_tag | PREVIOUS_FREE);
            self.bins.insert(memory, block, span);
        }
    }

    /// Makes a block in use of `span` out of the `whole` at `block`, up to a block in use or the bump pointer, and a free
    /// block of the rest if it is worth it.
    unsafe fn occupy<M: LinearMemory>(&mut self, memory: &mut M, block: u32, whole: u32, span: u32) {
        // SAFETY: the caller owns the whole. The block behind takes it for free, as the rest is.
        unsafe {
            let rest = whole - span;
            if rest < MIN_REST_BYTES.max(span >> 4) {
                self.set_span(memory, block, whole);
                let next_tag = memory.read_word(block + whole - TAG_BYTES);
                memory.write_word(block + whole - TAG_BYTES, next_tag & !PREVIOUS_FREE);
            } else {
                self.set_span(memory, block, span);
                self.insert(memory, block + span, rest);
            }
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
