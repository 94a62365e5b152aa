//! Blocks of any size with a tag before each, which are merged with their free neighbours as soon as they are released
//! (boundary tags, Knuth 1973), and a bump pointer behind them.
//!
//! ```text
//! chunk                                 chunk, free                          bump pointer                  end
//! v                                     v                                    v                             v
//! +-------+-----+-----------------------+-------+-----+------+----------+----+-------+-----+---------------+
//! |       | tag | block: the payload    ..      | tag | next | previous | .. | span  | tag | never used    |
//! +-------+-----+-----------------------+-------+-----+------+----------+----+-------+-----+---------------+
//! +0      +4    +8                      |       |<- links in a bin -->|      |
//! |<---------------- span ------------->|<---------------- span ------------>|
//! ```
//!
//! The address of a chunk is 8 less than that of its block, which is a multiple of 16; its span, one too, leads to the next
//! chunk. Its tag holds the span, and in the low bits whether the chunk is free and whether the one before it is. The first
//! word of a chunk belongs to the block before it, which so has room for `span - 4` bytes; if that block is free, the word
//! holds its span again: that is how a chunk finds the start of the one before. All of a chunk's fields lie behind its
//! address, since WebAssembly adds an offset that is not negative for nothing.
//!
//! The bump pointer is where the next chunk would be; the one before it is never free, since a release there moves the
//! bump pointer down. Where a region ends without the next one following it, a tag of span 0 in use ends the chain.

use crate::bins::{BLOCK, Bins, GRANULE_BYTES};
use crate::growth::Growth;
use crate::growth_word::GrowthWord;
use crate::linear_memory::LinearMemory;
use crate::page::{PAGE_SHIFT, PageCount};
use crate::page_limit::PageLimit;
use crate::stats::HeapStats;

#[cfg(any(test, fuzzing))]
mod survey;

/// The bytes of a tag.
pub(crate) const TAG_BYTES: u32 = 4;

/// Where a chunk has the span of the chunk before it, if that is free.
const SPAN_BEFORE: u32 = 0;

/// Where a chunk has its tag.
const TAG: u32 = 4;

const FREE: u32 = 1;
const PREVIOUS_FREE: u32 = 2;
const FLAGS: u32 = GRANULE_BYTES - 1;

/// What a region spends on its two ends: the first tag, and the tag that ends the chain of blocks.
const END_BYTES: u32 = 2 * GRANULE_BYTES;

/// From the end, where the tag of a next chunk would be, to the end of the region.
const CHAIN_END_BYTES: u32 = BLOCK + GRANULE_BYTES;

/// The span of a chunk whose block has room for `bytes`, which are at most 2^31.
pub(crate) const fn span_for(bytes: u32) -> u32 {
    (bytes + TAG_BYTES + (GRANULE_BYTES - 1)) & !(GRANULE_BYTES - 1)
}

/// All blocks are aligned to a granule. The farthest that the next aligned address can be is this, a multiple of it.
const fn slack(align: u32) -> u32 {
    (align - 1) & !FLAGS
}

/// The bytes from a chunk to the next address at which its block is aligned.
const fn gap(chunk: u32, slack: u32) -> u32 {
    chunk.wrapping_add(BLOCK).wrapping_neg() & slack
}

/// How much is done for a block. Each of these begins with what was released and with what was never used.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Effort {
    /// Nothing more. O(1).
    AtHand,
    /// The memory grows. It may do so elsewhere, where the next aligned address is farther, and so once more.
    Growing,
    /// As `Growing`, which was refused with the distance before a large block: without that.
    GrowingLess,
    /// Growth was refused: all chunks are looked at that are as long as the block but need not fit where they lie. O(free
    /// chunks of a span from that of the block to that plus the alignment).
    Thorough,
}

/// The first chunk of a region that starts at this address: its tag lies there, or up to 8 bytes behind.
const fn first_chunk(start: u32) -> u32 {
    ((start + TAG_BYTES + FLAGS) & !FLAGS) - BLOCK
}

/// The state; all zero before its first use.
pub(crate) struct TaggedHeap {
    /// The free chunks; and the partial runs, which their owner puts there.
    pub(crate) bins: Bins,
    /// The address of the next chunk from never-used memory.
    bump: u32,
    /// The address of the last chunk that the bump pointer can reach: the end of its region but for 24 bytes.
    end: u32,
    /// The highest that the bump pointer has been before it was moved down, or less.
    used: u32,
    growth: GrowthWord,
    /// What the memory may grow to, with the pages of others.
    limit: PageLimit,
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
            limit: PageLimit::NONE,
        }
    }

    /// Lets the memory grow to so many pages and no further.
    #[cfg(any(target_arch = "wasm32", test))]
    pub(crate) const fn limit_pages(&mut self, pages: u32) {
        self.limit = PageLimit::new(pages);
    }

    /// The address from which on memory was never used.
    pub(crate) fn fresh(&self) -> u32 {
        self.used.max(self.bump) + BLOCK
    }

    /// Whether a block of this span ends at the bump pointer.
    pub(crate) fn is_last(&self, block: u32, span: u32) -> bool {
        block.wrapping_add(span) == self.bump + BLOCK
    }

    /// A block of this span aligned to `align`, a power of two: from what was released, or from the bump pointer. 0 if there
    /// is none with this effort. O(1), but for what [`Effort::Thorough`] says.
    pub(crate) fn allocate<M: LinearMemory>(&mut self, memory: &mut M, span: u32, align: u32, effort: Effort) -> u32 {
        let slack = slack(align);
        let mut chunk = self.bins.chunk(span, 0);
        // SAFETY: the chunks in a bin are free, and what lies behind the bump pointer is.
        unsafe {
            while chunk != 0 && !self.fits(memory, chunk, span, slack) {
                if effort != Effort::Thorough {
                    chunk = self.bins.chunk(span + slack, 1);
                    break;
                }
                chunk = self.bins.next(memory, chunk, self.span(memory, chunk));
            }
            if chunk != 0 {
                return self.take(memory, chunk, span, slack);
            }
            let distance = match effort {
                Effort::AtHand | Effort::Growing => self.distance(span),
                Effort::GrowingLess | Effort::Thorough => 0,
            };
            let chunk = self.bump;
            let gap = distance + gap(chunk.wrapping_add(distance), slack);
            let whole = span + gap;
            let never_used = self.end - chunk;
            if whole <= never_used {
                self.bump += whole;
                memory.write_word(chunk, TAG, whole);
                return self.cut(memory, chunk, whole, span, gap);
            }
            match effort {
                Effort::AtHand | Effort::Thorough => 0,
                Effort::Growing | Effort::GrowingLess => {
                    self.grow_and_allocate(memory, whole - never_used, span, align, distance)
                }
            }
        }
    }

    /// As [`allocate`](Self::allocate), after growth by what is lacking behind the bump pointer; or, where that is refused,
    /// with the effort that comes next.
    #[cold]
    #[inline(never)]
    fn grow_and_allocate<M: LinearMemory>(
        &mut self,
        memory: &mut M,
        lacking: u32,
        span: u32,
        align: u32,
        distance: u32,
    ) -> u32 {
        let grown = self.grow(memory, lacking);
        let effort = match (grown, distance) {
            // Without a distance still: before the first block there is none, though there is memory now.
            (true, 0) => Effort::GrowingLess,
            (true, _) => Effort::Growing,
            (false, 0) => Effort::Thorough,
            (false, _) => Effort::GrowingLess,
        };
        self.allocate(memory, span, align, effort)
    }

    /// Releases a block: merges its chunk with the free neighbours, or with what is behind the bump pointer. O(1).
    ///
    /// # Safety
    ///
    /// `block` must be in use, and from this heap.
    pub(crate) unsafe fn deallocate<M: LinearMemory>(&mut self, memory: &mut M, block: u32) {
        let mut chunk = block - BLOCK;
        // SAFETY: each chunk has a tag, and the bump pointer too; a chunk has the span of the one before if its tag says
        // that this is free.
        unsafe {
            let tag = memory.read_word(chunk, TAG);
            let mut span = tag & !FLAGS;
            if tag & PREVIOUS_FREE != 0 {
                let before = memory.read_word(chunk, SPAN_BEFORE);
                chunk -= before;
                span += before;
                self.bins.remove(memory, chunk);
            }
            let next = chunk + span;
            if next == self.bump {
                return self.move_bump(chunk);
            }
            let next_tag = memory.read_word(next, TAG);
            if next_tag & FREE != 0 {
                self.bins.remove(memory, next);
                span += next_tag & !FLAGS;
            }
            self.insert(memory, chunk, span);
        }
    }

    /// Gives a block this span where it is, if what lies behind it allows that; may grow the memory.
    ///
    /// # Safety
    ///
    /// `block` must be in use, and from this heap.
    pub(crate) unsafe fn resize<M: LinearMemory>(&mut self, memory: &mut M, block: u32, span: u32) -> bool {
        let chunk = block - BLOCK;
        // SAFETY: as in `deallocate`.
        unsafe {
            let mut whole = self.span(memory, chunk);
            let next = chunk + whole;
            if next == self.bump {
                let never_used = self.end - next;
                // The memory may grow elsewhere.
                if span > whole + never_used && (!self.grow(memory, span - whole - never_used) || next != self.bump) {
                    return false;
                }
                self.move_bump(chunk + span);
                self.set_span(memory, chunk, span);
                return true;
            }
            let next_tag = memory.read_word(next, TAG);
            if next_tag & FREE != 0 {
                whole += next_tag & !FLAGS;
            }
            if whole < span {
                return false;
            }
            if next_tag & FREE != 0 {
                self.bins.remove(memory, next);
            }
            self.occupy(memory, chunk, whole, span);
            true
        }
    }

    /// Takes the initial memory at the first call, then grows the memory as the policy and the limit say, by what is
    /// `lacking` behind the bump pointer at least. False if that is refused; then nothing has changed. What is left of a region that ends
    /// here becomes free.
    #[cold]
    fn grow<M: LinearMemory>(&mut self, memory: &mut M, lacking: u32) -> bool {
        let mut region = memory.initial_region();
        if self.end != 0 || region.end.wrapping_sub(region.start) < END_BYTES {
            let ends = if self.end == 0 { END_BYTES } else { 0 };
            let needed = PageCount::covering(lacking + ends);
            let size = memory.size();
            let wanted = self.growth.pages(needed, size);
            let Some(added) = memory.grow_heap_within(self.limit, wanted, needed) else {
                return false;
            };
            region = added;
        }
        if self.bump == 0 || region.start.wrapping_sub(CHAIN_END_BYTES) != self.end {
            self.leave_region(memory);
            self.bump = first_chunk(region.start);
        }
        self.end = region.end.wrapping_sub(CHAIN_END_BYTES);
        true
    }

    /// What the memory is used for. What is neither free nor never used counts as live, pages of others too. O(free
    /// blocks).
    pub(crate) fn stats<M: LinearMemory>(&self, memory: &M) -> HeapStats {
        let initial = memory.initial_region();
        let (never_used_bytes, room, end) = if self.end == 0 {
            let bytes = initial.end.wrapping_sub(initial.start);
            let ends = first_chunk(initial.start) - initial.start + CHAIN_END_BYTES;
            (bytes, bytes.saturating_sub(ends), initial.end)
        } else {
            let room = self.end - self.bump;
            (room, room, self.end.wrapping_add(CHAIN_END_BYTES))
        };
        let mut stats = HeapStats {
            live_bytes: 0,
            free_bytes: 0,
            never_used_bytes,
            address_space_bytes: end.wrapping_sub(initial.start),
            largest_free_bytes: room.saturating_sub(TAG_BYTES),
        };
        self.bins.for_each_chunk(memory, |chunk| {
            // SAFETY: a chunk in a bin has its tag.
            let span = unsafe { self.span(memory, chunk) };
            stats.free_bytes += span;
            stats.largest_free_bytes = stats.largest_free_bytes.max(span - TAG_BYTES);
        });
        stats.live_bytes = stats.address_space_bytes - never_used_bytes - stats.free_bytes;
        stats
    }

    /// Turns what is left behind the bump pointer into a free chunk, and ends the chain of chunks.
    fn leave_region<M: LinearMemory>(&mut self, memory: &mut M) {
        let (chunk, span) = (self.bump, self.end - self.bump);
        if chunk == 0 {
            return;
        }
        // SAFETY: the end was kept for the tag that ends the chain.
        unsafe {
            memory.write_word(self.end, TAG, 0);
            if span != 0 {
                self.insert(memory, chunk, span);
            }
        }
    }

    /// Moves the bump pointer, down perhaps: what lies behind it was used before.
    ///
    /// Never inlined: 13 bytes of code less than two copies (Rust 1.95, opt-level "z", wasm-opt 132).
    #[inline(never)]
    fn move_bump(&mut self, bump: u32) {
        self.used = self.used.max(self.bump);
        self.bump = bump;
    }

    /// What is to stay free before a large block from the bump pointer: the pages in a thirty-second of its span, none
    /// before the first block. So a buffer that is replaced by one a little larger, again and again, alternates between two
    /// places, each of which is large enough for some steps more; without it, it needs a third.
    fn distance(&self, span: u32) -> u32 {
        if self.end == 0 {
            0
        } else {
            span >> (PAGE_SHIFT + 5) << PAGE_SHIFT
        }
    }

    /// Whether a block of this span, aligned, can be cut from a free chunk.
    unsafe fn fits<M: LinearMemory>(&self, memory: &M, chunk: u32, span: u32, slack: u32) -> bool {
        // SAFETY: the caller passes a chunk.
        unsafe { self.span(memory, chunk) >= span + gap(chunk, slack) }
    }

    /// Takes a free chunk that fits out of its bin, and returns the aligned block cut from it.
    unsafe fn take<M: LinearMemory>(&mut self, memory: &mut M, chunk: u32, span: u32, slack: u32) -> u32 {
        // SAFETY: the caller passes a chunk from a bin.
        unsafe {
            self.bins.remove(memory, chunk);
            let whole = self.span(memory, chunk);
            self.cut(memory, chunk, whole, span, gap(chunk, slack))
        }
    }

    /// The block of `span` that lies `gap` behind the start of the `whole` at `chunk`; what lies before and behind it
    /// becomes free.
    unsafe fn cut<M: LinearMemory>(&mut self, memory: &mut M, chunk: u32, whole: u32, span: u32, gap: u32) -> u32 {
        let aligned = chunk + gap;
        // SAFETY: the caller owns the whole, which is long enough.
        unsafe {
            if gap != 0 {
                // Leaves the flag of a free chunk before it in the tag; the rest of that is set below.
                self.insert(memory, chunk, gap);
            }
            self.occupy(memory, aligned, whole - gap, span);
        }
        aligned + BLOCK
    }

    /// Makes a free chunk, whose neighbours are in use, known to the bins and to the chunk behind it.
    unsafe fn insert<M: LinearMemory>(&mut self, memory: &mut M, chunk: u32, span: u32) {
        let next = chunk + span;
        // SAFETY: the caller passes a free chunk; the first word of the next one belongs to its block.
        unsafe {
            memory.write_word(chunk, TAG, span | FREE);
            memory.write_word(next, SPAN_BEFORE, span);
            let next_tag = memory.read_word(next, TAG);
            memory.write_word(next, TAG, next_tag | PREVIOUS_FREE);
            self.bins.insert_chunk(memory, chunk, span);
        }
    }

    /// Makes a chunk in use of `span` out of the `whole` at `chunk`, up to a chunk in use or the bump pointer, and a free
    /// chunk of the rest unless that is at most a sixteenth of the span.
    unsafe fn occupy<M: LinearMemory>(&mut self, memory: &mut M, chunk: u32, whole: u32, span: u32) {
        // SAFETY: the caller owns the whole; what lies behind it, a chunk or the bump pointer, has a tag.
        unsafe {
            let rest = whole - span;
            if rest <= span >> 4 {
                self.set_span(memory, chunk, whole);
                let next = chunk + whole;
                let next_tag = memory.read_word(next, TAG);
                memory.write_word(next, TAG, next_tag & !PREVIOUS_FREE);
            } else {
                self.set_span(memory, chunk, span);
                self.insert(memory, chunk + span, rest);
            }
        }
    }

    /// Says in a chunk's tag that it is in use with this span, and leaves what it says of the chunk before.
    unsafe fn set_span<M: LinearMemory>(&self, memory: &mut M, chunk: u32, span: u32) {
        // SAFETY: the caller passes a chunk.
        unsafe {
            let previous_free = memory.read_word(chunk, TAG) & PREVIOUS_FREE;
            memory.write_word(chunk, TAG, span | previous_free);
        }
    }

    unsafe fn span<M: LinearMemory>(&self, memory: &M, chunk: u32) -> u32 {
        // SAFETY: the caller passes a chunk.
        unsafe { memory.read_word(chunk, TAG) & !FLAGS }
    }
}
