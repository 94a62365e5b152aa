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
//! A chunk starts 8 bytes before its block. Blocks are aligned to 16 bytes and spans are multiples of 16: the address of a
//! chunk plus its span is the next chunk. The tag holds the span. Its low bits say whether the chunk is free, and whether
//! the one before it is. A block runs on into the first word of the next chunk: a chunk of `span` bytes has a block of
//! `span - 4`. While a chunk is free, that word repeats its span, from which the next chunk finds where the free one
//! starts. All fields lie at or after the address of their chunk, because loads and stores add a non-negative offset for
//! free.
//!
//! The bump pointer is where the next chunk would be. The chunk before it is never free: a release there moves the bump
//! pointer down. A tag of span 0, in use, ends the chain of chunks where a region ends and the next one does not follow.
//!
//! # Where a block goes
//!
//! Into the free chunk that fits best of the first few that may fit, else to the bump pointer. A run goes to the end of
//! its free chunk and everything else to the start, so that what is left of the chunk stays next to the larger block.
//! A large block has a *reserve* of a sixteenth of its span: free after it where it comes from the bump pointer, inside it
//! where it comes from a free chunk that is much longer. See [`reserve_after`].

use super::bins::{BLOCK, Bins, GRANULE_BYTES};
use crate::memory::Growth;
use crate::memory::linear::LinearMemory;
use crate::memory::linear::PackedGrowth;
use crate::memory::linear::PageLimit;
use crate::memory::{PAGE_SHIFT, PageCount};
use crate::stats::HeapStats;

#[cfg(any(test, fuzzing))]
#[path = "tests/chunk_heap.rs"]
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

/// How hard to try. Every level looks at free chunks first, then at the space after the bump pointer.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Effort {
    /// Nothing more. O(1).
    AtHand,
    /// The memory grows. If it grows elsewhere, the next aligned address can be farther, and the memory grows once more.
    Growing,
    /// As `Growing`, without a reserve, after growth for both was refused.
    GrowingLess,
    /// Growth was refused, and reserves are ordinary chunks now. Up to 2,048 free chunks are looked at. Any chunk that is
    /// longer than the block by an eighth and by what its alignment can cost is found in any case.
    Exhaustive,
}

/// How many free chunks are looked at for the one that fits best, for an aligned block or a large one.
const CHUNKS_LOOKED_AT: u32 = 16;

/// Below this span the first chunk that fits is taken: to look for a better one costs more than it saves.
const LEAST_SPAN_THAT_IS_FITTED: u32 = 1 << 14;

/// How many free chunks are looked at before a request is refused.
const CHUNKS_LOOKED_AT_BEFORE_REFUSAL: u32 = 2048;

/// How many reserves are given up before a request is refused.
const RESERVES_GIVEN_UP: u32 = 256;

/// Blocks of this span and more have a reserve.
const LEAST_SPAN_WITH_RESERVE: u32 = 1 << 16;

/// The reserve of a large block: a sixteenth of its span.
///
/// A program that replaces a buffer by one a little larger, again and again, needs two places for it. The new buffer fits
/// where the last but one was only if there is something free beside it. Small blocks would fill that space, so it lies in
/// a bin of its own, until a neighbour is released and merges with it, or the engine refuses to grow the memory.
const fn reserve_after(span: u32) -> u32 {
    if span < LEAST_SPAN_WITH_RESERVE {
        0
    } else {
        span >> 4 & !FLAGS
    }
}

/// What stays free before a large block from the bump pointer: the pages in a thirty-second of its span. The block before
/// it may have no reserve, because the bump pointer has moved down to it.
const fn reserve_before(span: u32) -> u32 {
    span >> (PAGE_SHIFT + 5) << PAGE_SHIFT
}

/// The first chunk of a region that starts at this address: its tag lies there, or up to 8 bytes behind.
const fn first_chunk(start: u32) -> u32 {
    ((start + TAG_BYTES + FLAGS) & !FLAGS) - BLOCK
}

/// The state; all zero before its first use.
pub(crate) struct ChunkHeap {
    /// The free chunks; and the partial runs, which their owner puts there.
    pub(crate) bins: Bins,
    /// The address of the next chunk from never-used memory.
    bump: u32,
    /// The address of the last chunk that the bump pointer can reach: the end of its region but for 24 bytes.
    end: u32,
    /// High-water mark of the bump pointer, updated when it moves down. Memory at or above `max(used, bump)` is fresh.
    used: u32,
    /// The reserve of the chunk before the bump pointer.
    reserve: u32,
    /// Whether the engine has refused to grow the memory when it was asked last.
    refused: bool,
    growth: PackedGrowth,
    /// What the memory may grow to, with the pages of others.
    limit: PageLimit,
}

impl ChunkHeap {
    /// A heap without memory, which grows as `growth` says.
    pub(crate) const fn new(growth: Growth) -> Self {
        ChunkHeap {
            bins: Bins::new(),
            bump: 0,
            end: 0,
            used: 0,
            reserve: 0,
            refused: false,
            growth: PackedGrowth::new(growth),
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

    /// Whether a block, or 0, ends at the bump pointer.
    pub(crate) fn is_last<M: LinearMemory>(&self, memory: &M, block: u32) -> bool {
        // SAFETY: a block of this heap has a tag.
        block != 0 && block + unsafe { self.span(memory, block - BLOCK) } == self.bump + BLOCK
    }

    /// Whether the engine has refused to grow the memory when it was asked last.
    pub(crate) fn was_refused(&self) -> bool {
        self.refused
    }

    /// How far the heap extends, in bytes from where its memory begins; pages of others within count too.
    pub(crate) fn extent<M: LinearMemory>(&self, memory: &M) -> u32 {
        self.end.saturating_sub(memory.initial_region().start)
    }

    /// The address of the last chunk that the bump pointer can reach.
    pub(crate) fn last_chunk(&self) -> u32 {
        self.end
    }

    /// A block of this span aligned to `align`, a power of two, or 0 if there is none with this effort. O(1), except for the
    /// search that [`Effort::Exhaustive`] describes.
    pub(crate) fn allocate<M: LinearMemory>(&mut self, memory: &mut M, span: u32, align: u32, effort: Effort) -> u32 {
        let slack = slack(align);
        // SAFETY: chunks in bins are free, and so is the space from the bump pointer to the end.
        unsafe {
            let chunk = self.find(memory, span, slack, effort);
            if chunk != 0 {
                return self.take(memory, chunk, span, slack, effort);
            }
            let reserve = match effort {
                // The first block of all is as thrifty as can be.
                Effort::AtHand | Effort::Growing if self.end != 0 => self.reserve.max(reserve_before(span)),
                _ => 0,
            };
            let chunk = self.bump;
            let gap = reserve + gap(chunk.wrapping_add(reserve), slack);
            let whole = gap + span;
            let never_used = self.end - chunk;
            if whole <= never_used {
                self.bump += whole;
                self.reserve = reserve_after(span);
                memory.write_word(chunk, TAG, whole);
                return self.cut(memory, chunk, whole, span, gap, reserve != 0);
            }
            match effort {
                Effort::AtHand | Effort::Exhaustive => 0,
                Effort::Growing | Effort::GrowingLess => {
                    self.grow_and_allocate(memory, whole - never_used, span, align, reserve)
                }
            }
        }
    }

    /// The free chunk to cut a block from: the one that fits best of those looked at, or 0 if there is none.
    fn find<M: LinearMemory>(&self, memory: &M, span: u32, slack: u32, effort: Effort) -> u32 {
        let mut chunk = self.bins.chunk(span, 0);
        let mut left = CHUNKS_LOOKED_AT;
        if effort == Effort::Exhaustive {
            left = CHUNKS_LOOKED_AT_BEFORE_REFUSAL;
        } else if span < LEAST_SPAN_THAT_IS_FITTED && slack == 0 {
            // SAFETY: the chunks in a bin have their tags.
            if chunk == 0 || unsafe { self.span(memory, chunk) } >= span {
                return chunk;
            }
            return self.bins.chunk(span, 1);
        }
        let mut best = 0;
        let mut best_span = u32::MAX;
        while chunk != 0 && left != 0 {
            // SAFETY: the chunks in a bin have their tags and links.
            unsafe {
                let whole = self.span(memory, chunk);
                if whole < best_span && whole >= span + gap(chunk, slack) {
                    best = chunk;
                    best_span = whole;
                    left = left.min(CHUNKS_LOOKED_AT);
                }
                chunk = self.bins.next(memory, chunk);
                if chunk == 0 && best == 0 {
                    chunk = self.bins.chunk(whole, 1);
                }
            }
            left -= 1;
        }
        if best == 0 {
            best = self.bins.chunk(span + slack, 1);
        }
        best
    }

    /// Makes reserves serve any request: up to 256 of them. O(1).
    fn give_up_reserves<M: LinearMemory>(&mut self, memory: &mut M) {
        for _ in 0..RESERVES_GIVEN_UP {
            let chunk = self.bins.reserve();
            if chunk == 0 {
                return;
            }
            // SAFETY: a reserve is a free chunk in a bin.
            unsafe {
                self.bins.remove(memory, chunk);
                let span = self.span(memory, chunk);
                self.bins.insert_chunk(memory, chunk, span);
            }
        }
    }

    /// As [`allocate`](Self::allocate), after growth by the `lacking` bytes after the bump pointer; or, where that is refused,
    /// with the next effort.
    #[cold]
    #[inline(never)]
    fn grow_and_allocate<M: LinearMemory>(
        &mut self,
        memory: &mut M,
        lacking: u32,
        span: u32,
        align: u32,
        reserve: u32,
    ) -> u32 {
        let grown = self.grow(memory, lacking);
        let effort = match (grown, reserve) {
            (true, 0) => Effort::GrowingLess,
            (true, _) => Effort::Growing,
            (false, 0) => {
                self.give_up_reserves(memory);
                Effort::Exhaustive
            }
            (false, _) => Effort::GrowingLess,
        };
        self.allocate(memory, span, align, effort)
    }

    /// Releases a block: merges its chunk with the free neighbours, or with what is behind the bump pointer. O(1).
    ///
    /// # Safety
    ///
    /// `block` must be in use, and from this heap.
    #[inline(never)]
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
            self.insert(memory, chunk, span, false);
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
                self.reserve = reserve_after(span);
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
                self.refused = true;
                return false;
            };
            self.refused = false;
            region = added;
        }
        if self.bump == 0 || region.start.wrapping_sub(CHAIN_END_BYTES) != self.end {
            self.leave_region(memory);
            self.bump = first_chunk(region.start);
            self.reserve = 0;
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
                self.insert(memory, chunk, span, false);
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
        self.reserve = 0;
    }

    /// Takes a free chunk that fits out of its bin, and returns the aligned block cut from it.
    ///
    /// # Safety
    ///
    /// The chunk must be in a bin and have room for the span where its block is aligned.
    unsafe fn take<M: LinearMemory>(
        &mut self,
        memory: &mut M,
        chunk: u32,
        span: u32,
        slack: u32,
        effort: Effort,
    ) -> u32 {
        // SAFETY: the caller passes a chunk from a bin.
        unsafe {
            self.bins.remove(memory, chunk);
            let whole = self.span(memory, chunk);
            let gap = if span <= slack + GRANULE_BYTES {
                // A run, or a block like one: it goes to the end.
                ((chunk + BLOCK + whole - span) & !slack) - BLOCK - chunk
            } else {
                gap(chunk, slack)
            };
            let reserve = reserve_after(span);
            // Where there is plenty, the block has its reserve inside: runs would fill free space after it.
            if reserve != 0 && effort != Effort::Exhaustive && whole - gap - span > 2 * reserve {
                return self.cut(memory, chunk, whole, span + reserve, gap, false);
            }
            self.cut(memory, chunk, whole, span, gap, false)
        }
    }

    /// The block of `span` that lies `gap` bytes after the start of the `whole` at `chunk`. What lies before and after it
    /// becomes free; what lies before it becomes a reserve if `gap_is_reserve`.
    unsafe fn cut<M: LinearMemory>(
        &mut self,
        memory: &mut M,
        chunk: u32,
        whole: u32,
        span: u32,
        gap: u32,
        gap_is_reserve: bool,
    ) -> u32 {
        let aligned = chunk + gap;
        // SAFETY: the caller owns the whole, which is long enough.
        unsafe {
            if gap != 0 {
                // Leaves the flag of a free chunk before it in the tag; the rest of that is set below.
                self.insert(memory, chunk, gap, gap_is_reserve);
            }
            self.occupy(memory, aligned, whole - gap, span);
        }
        aligned + BLOCK
    }

    /// Makes a free chunk, whose neighbours are in use, known to a bin and to the next chunk.
    unsafe fn insert<M: LinearMemory>(&mut self, memory: &mut M, chunk: u32, span: u32, is_reserve: bool) {
        let next = chunk + span;
        // SAFETY: the caller passes a free chunk; the first word of the next one belongs to its block.
        unsafe {
            memory.write_word(chunk, TAG, span | FREE);
            memory.write_word(next, SPAN_BEFORE, span);
            let next_tag = memory.read_word(next, TAG);
            memory.write_word(next, TAG, next_tag | PREVIOUS_FREE);
            if is_reserve {
                self.bins.insert_reserve(memory, chunk);
            } else {
                self.bins.insert_chunk(memory, chunk, span);
            }
        }
    }

    /// Makes a chunk in use of `span` out of the `whole` at `chunk`, up to a chunk in use or the bump pointer, and a free
    /// chunk of the rest. A rest of at most a sixteenth of a small span stays with it. One of at most an eighth of a large
    /// span becomes its reserve.
    unsafe fn occupy<M: LinearMemory>(&mut self, memory: &mut M, chunk: u32, whole: u32, span: u32) {
        // SAFETY: the caller owns the whole; what lies behind it, a chunk or the bump pointer, has a tag.
        unsafe {
            let rest = whole - span;
            let large = span >= LEAST_SPAN_WITH_RESERVE;
            if rest == 0 || !large && rest <= span >> 4 {
                self.set_span(memory, chunk, whole);
                let next = chunk + whole;
                let next_tag = memory.read_word(next, TAG);
                memory.write_word(next, TAG, next_tag & !PREVIOUS_FREE);
            } else {
                self.set_span(memory, chunk, span);
                self.insert(memory, chunk + span, rest, large && rest <= span >> 3);
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
