//! Chunks of any size, which are merged with their free neighbours as soon as they are released (boundary tags, Knuth 1973),
//! and a bump pointer after them.
//!
//! ```text
//! first chunk                      bump pointer                     end
//! v                                v                                v
//! +--------+--------------+--------+--------------------------------+--------+
//! | in use | free         | in use | tail: what no chunk has        |        |
//! +--------+--------------+--------+--------------------------------+--------+
//! ```
//!
//! [`chunk`](super::chunk) draws what is in a chunk. The bump pointer is where the next chunk would be. The chunk before it is
//! never free: a release there moves the bump pointer down. A tag of span 0, in use, ends the chain of chunks where a region
//! ends and the next one does not follow.
//!
//! # Where a block goes
//!
//! Into the first free chunk that fits, where the block has less than 32 KiB: see [`reuse`](ChunkHeap::reuse). Else into the
//! one that fits best of the first few that may fit. Where there is none, to the bump pointer. A run goes to the end of its
//! free chunk and everything else to the start, so that what is left of the chunk stays next to the larger block.
//! A large block has a *reserve* of a sixteenth of its span: free beside it where it comes from the bump pointer, inside it
//! where it comes from a free chunk that is much longer. See [`reserve_of`].

use super::bins::Bins;
use super::chunk::{BLOCK_OFFSET, Chunk, GRANULE_BYTES, TAG_BYTES, Tag, first_chunk};
use super::chunk_bins::{CHUNK_BINS, RESERVES, bin_of};
#[cfg(feature = "walk")]
use super::walk::landmarks::Landmarks;
use crate::memory::linear::{LinearMemory, PackedGrowth, PageLimit};
use crate::memory::{Growth, PageCount};
use crate::stats::HeapStats;

#[cfg(any(test, fuzzing))]
#[path = "tests/chunk_heap.rs"]
mod survey;
#[cfg(feature = "walk")]
#[path = "walk/chunk_heap.rs"]
pub(super) mod walk;

/// What a region spends on its two ends: the first tag, and the tag that ends the chain of blocks.
const END_BYTES: u32 = 2 * GRANULE_BYTES;

/// From the end, where the tag of a next chunk would be, to the end of the region.
const CHAIN_END_BYTES: u32 = BLOCK_OFFSET + GRANULE_BYTES;

/// All blocks are aligned to a granule. The farthest that the next aligned address can be is this, a multiple of it.
const fn slack(align: u32) -> u32 {
    (align - 1) & !(GRANULE_BYTES - 1)
}

/// The bytes from an address to the next one at which a chunk's block is aligned.
const fn gap(address: u32, slack: u32) -> u32 {
    address.wrapping_add(BLOCK_OFFSET).wrapping_neg() & slack
}

/// How hard to try. Every level looks at free chunks first, then at the tail after the bump pointer.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub(super) enum Effort {
    /// Nothing more. O(1).
    AtHand,
    /// The memory grows. If it grows elsewhere, the next aligned address can be farther, and the memory grows once more.
    Growing,
    /// As `Growing`, without a reserve, after growth for both was refused.
    GrowingLess,
    /// Growth was refused, and reserves are ordinary chunks now. Up to 2,048 free chunks are looked at. Any chunk that is
    /// longer than the block by a sixteenth and by what its alignment can cost is found in any case.
    Exhaustive,
}

/// How many free chunks are looked at for the one that fits best.
const CHUNKS_LOOKED_AT: u32 = 16;

/// Below this span the first chunk that fits is taken: to look for a better one costs more than it saves.
const LEAST_SPAN_THAT_IS_FITTED: u32 = 1 << 15;

/// How many free chunks are looked at before a request is refused.
const CHUNKS_LOOKED_AT_BEFORE_REFUSAL: u32 = 2048;

/// How many reserves are given up before a request is refused.
const RESERVES_GIVEN_UP: u32 = 256;

/// Blocks of this span and more have a reserve.
const LEAST_SPAN_WITH_RESERVE: u32 = 1 << 16;

/// What a block keeps at most of the chunk that it is cut from, beyond its span: a sixteenth.
const fn most_kept(span: u32) -> u32 {
    span >> 4
}

/// The same, for a block of less than 32 KiB while the memory can grow: a quarter.
///
/// Such a rest hardly serves anything before a neighbour is released, and to cut it off and merge it again costs branches
/// that no branch predictor guesses. Random sizes to 10 kB (workload `random-sizes-10k`) mispredict 252,000 branches with a
/// quarter and 353,000 with a sixteenth, as cachegrind simulates them, and take 18 % less time. They take 70 pages instead
/// of 68; programs and recordings take as many as before.
const fn most_kept_at_once(span: u32) -> u32 {
    span >> 2
}

/// The reserve of a large block: a sixteenth of its span. Where the block comes from the bump pointer, so much stays free after
/// it and before it. Two blocks side by side share the longer of their reserves.
///
/// A program that replaces a buffer by one a little larger, again and again, needs two places for it. The new buffer fits
/// where the last but one was only if there is something free beside it. Small blocks would fill that space, so it lies in
/// a bin of its own, until a neighbour is released and merges with it, or the engine refuses to grow the memory.
///
/// Before a block too, since what lies there may be a large block that has used up its own reserve: the bump pointer has moved
/// down to it. Without that, one buffer that outgrows its places takes two new ones.
const fn reserve_of(span: u32) -> u32 {
    if span < LEAST_SPAN_WITH_RESERVE {
        0
    } else {
        span >> 4 & !(GRANULE_BYTES - 1)
    }
}

/// The state; all zero before its first use.
pub(super) struct ChunkHeap<M> {
    pub(super) memory: M,
    /// The free chunks. The bins before those of chunks are for the heap's owner.
    pub(super) bins: Bins,
    /// The address of the next chunk from the tail.
    bump: u32,
    /// The address of the last chunk that the bump pointer can reach: 24 bytes before the end of its region.
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
    #[cfg(feature = "walk")]
    landmarks: Landmarks,
}

impl<M: LinearMemory> ChunkHeap<M> {
    /// A heap that has taken nothing of `memory` yet, and grows it as `growth` says.
    pub(super) const fn new(memory: M, growth: Growth) -> Self {
        ChunkHeap {
            memory,
            bins: Bins::new(),
            bump: 0,
            end: 0,
            used: 0,
            reserve: 0,
            refused: false,
            growth: PackedGrowth::new(growth),
            limit: PageLimit::NONE,
            #[cfg(feature = "walk")]
            landmarks: Landmarks::new(),
        }
    }

    /// Lets the memory grow to `pages` pages and no further.
    #[cfg(any(all(target_arch = "wasm32", not(any(feature = "malloc", for_threads))), test))]
    pub(super) const fn limit_pages(&mut self, pages: u32) {
        self.limit = PageLimit::new(pages);
    }

    /// Has the memory grow in this way, and within this limit, from now on.
    #[cfg(any(
        all(target_arch = "wasm32", any(feature = "malloc", for_threads)),
        all(test, not(feature = "malloc"))
    ))]
    pub(super) const fn set_policy(&mut self, growth: PackedGrowth, limit: PageLimit) {
        self.growth = growth;
        self.limit = limit;
    }

    /// The address from which on memory was never used.
    pub(super) fn fresh(&self) -> u32 {
        self.used.max(self.bump) + BLOCK_OFFSET
    }

    /// Whether a block ends at the bump pointer.
    ///
    /// # Safety
    ///
    /// The block must be live.
    pub(super) unsafe fn is_last(&self, block: u32) -> bool {
        // SAFETY: the caller passes a live block.
        let chunk = unsafe { Chunk::of_block(block) };
        chunk.address() + chunk.span(&self.memory) == self.bump
    }

    /// Whether the engine has refused to grow the memory when it was asked last.
    pub(super) fn was_refused(&self) -> bool {
        self.refused
    }

    /// How far the heap extends, in bytes: see [`LinearMemory::extent`].
    pub(super) fn extent(&self) -> u32 {
        self.memory.extent(self.end)
    }

    /// The address of the last chunk that the bump pointer can reach.
    #[cfg(not(feature = "malloc"))]
    pub(super) fn last_chunk(&self) -> u32 {
        self.end
    }

    /// A block of this span from the first free chunk that fits of the two that are looked at; 0 if none does, if the block
    /// is not smaller than 32 KiB, or if its alignment is more than that of all blocks. O(1).
    ///
    /// Both are looked up before one is chosen, without a branch: whether the bin of the span is empty, and whether its first
    /// chunk fits, is what no branch predictor guesses. Random sizes to 10 kB take 2 % less time, with `realloc` 4 %.
    pub(super) fn reuse(&mut self, span: u32, align: u32) -> u32 {
        if span >= LEAST_SPAN_THAT_IS_FITTED || align > GRANULE_BYTES {
            return 0;
        }
        let own = self.bins.first(bin_of(span));
        let larger = self.bins.first_from(bin_of(span) + 1);
        let candidate = if own == 0 { larger } else { own };
        if candidate == 0 {
            return 0;
        }
        // SAFETY: what is in a bin is a free chunk.
        let fits = unsafe { Chunk::at(candidate) }.span(&self.memory) >= span;
        let address = if fits { candidate } else { larger };
        if address == 0 {
            return 0;
        }
        // SAFETY: a free chunk is in a bin.
        unsafe { self.bins.remove(&mut self.memory, address) };
        // SAFETY: what was in a bin is a free chunk.
        let chunk = unsafe { Chunk::at(address) };
        let whole = chunk.span(&self.memory);
        let most_kept = if self.refused {
            most_kept(span)
        } else {
            most_kept_at_once(span)
        };
        // SAFETY: the chunk is in no bin any more. It has the span at least: it is of a higher bin, or was looked at.
        unsafe { self.occupy(chunk, whole, span, most_kept) };
        chunk.block()
    }

    /// A block of this span aligned to `align`, a power of two, or 0 if there is none with this effort. O(1), except for the
    /// search that [`Effort::Exhaustive`] describes.
    pub(super) fn allocate(&mut self, span: u32, align: u32, effort: Effort) -> u32 {
        let slack = slack(align);
        let found = self.find(span, slack, effort);
        if found != 0 {
            // SAFETY: what was found is a free chunk.
            let chunk = unsafe { Chunk::at(found) };
            return self.take(chunk, span, slack, effort);
        }
        let reserve = match effort {
            // The spare word lies where the region begins. A block that would lie there has nothing to keep a distance from.
            Effort::AtHand | Effort::Growing if self.bump > self.bins.spare_word() => {
                self.reserve.max(reserve_of(span))
            }
            _ => 0,
        };
        let gap = reserve + gap(self.bump.wrapping_add(reserve), slack);
        let whole = gap + span;
        let tail = self.end - self.bump;
        if whole <= tail {
            // SAFETY: the tail from the bump pointer on is the heap's, and there are at least `whole` bytes of it.
            let chunk = unsafe { Chunk::at(self.bump) };
            // SAFETY: as before.
            let aligned = unsafe { chunk.after(gap) };
            self.bump += whole;
            self.reserve = reserve_of(span);
            // Nothing is read from fresh memory before it is written: the system would map such a page twice.
            aligned.set_tag(&mut self.memory, Tag::in_use(span));
            if gap != 0 {
                // SAFETY: the gap was cut from the tail, and nothing else has it.
                unsafe { self.insert(chunk, gap, reserve != 0) };
            }
            return aligned.block();
        }
        match effort {
            Effort::AtHand | Effort::Exhaustive => 0,
            Effort::Growing | Effort::GrowingLess => self.grow_and_allocate(whole - tail, span, align, reserve),
        }
    }

    /// The address of the free chunk to cut a block from: the one that fits best of those looked at, or 0 if there is none.
    fn find(&self, span: u32, slack: u32, effort: Effort) -> u32 {
        let mut address = self.bins.first_from(bin_of(span));
        let mut left = if effort == Effort::Exhaustive {
            CHUNKS_LOOKED_AT_BEFORE_REFUSAL
        } else {
            CHUNKS_LOOKED_AT
        };
        let mut best = 0;
        let mut best_span = u32::MAX;
        while address != 0 && left != 0 {
            // SAFETY: what is in a bin is a free chunk.
            let whole = unsafe { Chunk::at(address) }.span(&self.memory);
            if whole < best_span && whole >= span + gap(address, slack) {
                best = address;
                best_span = whole;
                left = left.min(CHUNKS_LOOKED_AT);
            }
            // SAFETY: the chunk is in a bin.
            address = unsafe { self.bins.next(&self.memory, address) };
            if address == 0 && best == 0 {
                address = self.bins.first_from(bin_of(whole) + 1);
            }
            left -= 1;
        }
        if best == 0 {
            best = self.bins.first_from(bin_of(span + slack) + 1);
        }
        best
    }

    /// Makes reserves serve any request: up to 256 of them. O(1).
    fn give_up_reserves(&mut self) {
        for _ in 0..RESERVES_GIVEN_UP {
            let address = self.bins.first(RESERVES);
            if address == 0 {
                return;
            }
            // SAFETY: a reserve is a free chunk.
            let span = unsafe { Chunk::at(address) }.span(&self.memory);
            // SAFETY: it is in the bin of reserves.
            unsafe { self.bins.remove(&mut self.memory, address) };
            // SAFETY: it is in no bin from now on, and still free.
            unsafe { self.bins.insert(&mut self.memory, bin_of(span), address) };
        }
    }

    /// As [`allocate`](Self::allocate), after growth by the `lacking` bytes after the bump pointer. Where that is refused,
    /// with the next effort.
    #[cold]
    #[inline(never)]
    fn grow_and_allocate(&mut self, lacking: u32, span: u32, align: u32, reserve: u32) -> u32 {
        let grown = self.grow(lacking);
        let effort = match (grown, reserve) {
            (true, 0) => Effort::GrowingLess,
            (true, _) => Effort::Growing,
            (false, 0) => {
                self.give_up_reserves();
                Effort::Exhaustive
            }
            (false, _) => Effort::GrowingLess,
        };
        self.allocate(span, align, effort)
    }

    /// Releases a block: merges its chunk with the free neighbours, or with the tail after the bump pointer. O(1).
    ///
    /// # Safety
    ///
    /// `block` must be in use, and from this heap.
    #[inline(never)]
    pub(super) unsafe fn deallocate(&mut self, block: u32) {
        #[cfg(feature = "walk")]
        self.landmarks.forget_chunk();
        // SAFETY: the caller gives up a live block.
        let mut chunk = unsafe { Chunk::of_block(block) };
        let tag = chunk.tag(&self.memory);
        let mut span = tag.span();
        if tag.is_previous_free() {
            // SAFETY: the tag says that the chunk before is free.
            let before = unsafe { chunk.before(&self.memory) };
            span += chunk.address() - before.address();
            chunk = before;
            // SAFETY: a free chunk is in a bin.
            unsafe { self.bins.remove(&mut self.memory, chunk.address()) };
        }
        if chunk.address() + span == self.bump {
            return self.move_bump(chunk.address());
        }
        // SAFETY: a chunk that does not end at the bump pointer is followed by another one.
        let next = unsafe { chunk.after(span) };
        let next_tag = next.tag(&self.memory);
        if next_tag.is_free() {
            // SAFETY: a free chunk is in a bin.
            unsafe { self.bins.remove(&mut self.memory, next.address()) };
            span += next_tag.span();
        }
        // SAFETY: the caller gives the block up, and the free neighbours are in no bin any more.
        unsafe { self.insert(chunk, span, false) };
    }

    /// As [`deallocate`](Self::deallocate). False, and nothing has changed, for an address below the heap, one that is no multiple
    /// of 16, and one with the tag of a free chunk. O(1).
    ///
    /// # Safety
    ///
    /// `block` must be in use, and from this heap, or be one of these addresses.
    #[cfg(feature = "malloc")]
    #[inline(never)]
    pub(super) unsafe fn release(&mut self, block: u32) -> bool {
        if block < self.memory.initial_region().start || block % GRANULE_BYTES != 0 {
            return false;
        }
        // SAFETY: the caller passes a block of this heap, or where a free chunk has its block.
        if unsafe { Chunk::of_block(block) }.tag(&self.memory).is_free() {
            return false;
        }
        // SAFETY: the caller gives up a live block.
        unsafe { self.deallocate(block) };
        true
    }

    /// The span of a block.
    ///
    /// # Safety
    ///
    /// `block` must be in use, and from this heap.
    #[cfg(feature = "malloc")]
    pub(super) unsafe fn span_in_use(&self, block: u32) -> u32 {
        // SAFETY: the caller passes a live block.
        unsafe { Chunk::of_block(block) }.span(&self.memory)
    }

    /// Gives a block this span where it is, if what lies after it allows that; may grow the memory.
    ///
    /// # Safety
    ///
    /// `block` must be in use, and from this heap.
    pub(super) unsafe fn resize(&mut self, block: u32, span: u32) -> bool {
        // SAFETY: the caller passes a live block.
        let chunk = unsafe { Chunk::of_block(block) };
        let mut whole = chunk.span(&self.memory);
        let end = chunk.address() + whole;
        if end == self.bump {
            let tail = self.end - end;
            // The memory may grow elsewhere.
            if span > whole + tail && (!self.grow(span - whole - tail) || end != self.bump) {
                return false;
            }
            self.move_bump(chunk.address() + span);
            self.reserve = reserve_of(span);
            chunk.set_in_use(&mut self.memory, span);
            return true;
        }
        // SAFETY: a chunk that does not end at the bump pointer is followed by another one.
        let next = unsafe { chunk.after(whole) };
        let next_tag = next.tag(&self.memory);
        if next_tag.is_free() {
            whole += next_tag.span();
        }
        if whole < span {
            return false;
        }
        if next_tag.is_free() {
            #[cfg(feature = "walk")]
            self.landmarks.forget_chunk();
            // SAFETY: a free chunk is in a bin.
            unsafe { self.bins.remove(&mut self.memory, next.address()) };
        }
        // SAFETY: the whole is the block's chunk and the free one after it, which is in no bin any more.
        unsafe { self.occupy(chunk, whole, span, most_kept(span)) };
        true
    }

    /// Takes the initial memory at the first call, then grows the memory as the policy and the limit say, by what is
    /// `lacking` after the bump pointer at least. False if that is refused. Then nothing has changed. What is left of a region
    /// that ends here becomes free.
    #[cold]
    fn grow(&mut self, lacking: u32) -> bool {
        let mut region = self.memory.initial_region();
        if self.end != 0 || region.end.wrapping_sub(region.start) < END_BYTES {
            let ends = if self.end == 0 { END_BYTES } else { 0 };
            let needed = PageCount::covering(lacking + ends);
            let wanted = self.growth.pages(needed, self.memory.own_pages());
            let Some(added) = self.memory.grow_heap_within(self.limit, wanted, needed) else {
                self.refused = true;
                return false;
            };
            self.refused = false;
            region = added;
        }
        if self.bump == 0 || region.start.wrapping_sub(CHAIN_END_BYTES) != self.end {
            self.close_region();
            #[cfg(feature = "walk")]
            self.note_region(region.start);
            self.bump = first_chunk(region.start);
            self.reserve = 0;
            // SAFETY: the first word of a chunk belongs to the chunk before it, which the first one of a region does not have.
            unsafe { self.bins.set_spare_word(self.bump) };
        }
        self.end = region.end.wrapping_sub(CHAIN_END_BYTES);
        true
    }

    /// What the memory is used for. Bytes that are neither free nor in the tail count as live, pages of others too. O(free
    /// chunks).
    pub(super) fn stats(&self) -> HeapStats {
        let initial = self.memory.initial_region();
        let (tail_bytes, room, end) = if self.end == 0 {
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
            tail_bytes,
            address_space_bytes: end.wrapping_sub(initial.start),
            largest_free_bytes: room.saturating_sub(TAG_BYTES),
        };
        self.for_each_free(|chunk| {
            let span = chunk.span(&self.memory);
            stats.free_bytes += span;
            stats.largest_free_bytes = stats.largest_free_bytes.max(span - TAG_BYTES);
        });
        stats.live_bytes = stats.address_space_bytes - tail_bytes - stats.free_bytes;
        stats
    }

    /// Calls `visit` with each free chunk.
    fn for_each_free(&self, mut visit: impl FnMut(Chunk)) {
        for bin in CHUNK_BINS {
            self.bins.for_each(&self.memory, bin, |address| {
                // SAFETY: what is in a bin of chunks is a free chunk.
                let chunk = unsafe { Chunk::at(address) };
                visit(chunk);
            });
        }
    }

    /// Turns the tail into a free chunk, and ends the chain of chunks.
    fn close_region(&mut self) {
        if self.bump == 0 {
            return;
        }
        // SAFETY: the end was kept for the tag that ends the chain.
        unsafe { Chunk::at(self.end) }.set_tag(&mut self.memory, Tag::END);
        let span = self.end - self.bump;
        if span != 0 {
            // SAFETY: the heap owns the tail from the bump pointer on, and no block lies there.
            let chunk = unsafe { Chunk::at(self.bump) };
            // SAFETY: the tail is in no bin, and the tag that ends the chain follows it.
            unsafe { self.insert(chunk, span, false) };
        }
    }

    /// Sets the bump pointer, to a lower address perhaps: what lies there was used before.
    ///
    /// Never inlined: 13 bytes of code less than two copies (Rust 1.95, opt-level "z", wasm-opt 132).
    #[inline(never)]
    fn move_bump(&mut self, bump: u32) {
        self.used = self.used.max(self.bump);
        self.bump = bump;
        self.reserve = 0;
    }

    /// Takes a free chunk that fits out of its bin, and returns the aligned block cut from it.
    fn take(&mut self, chunk: Chunk, span: u32, slack: u32, effort: Effort) -> u32 {
        // SAFETY: a free chunk is in a bin.
        unsafe { self.bins.remove(&mut self.memory, chunk.address()) };
        let whole = chunk.span(&self.memory);
        let gap = if span <= slack + GRANULE_BYTES {
            // A run, or a block like one: it goes to the end.
            ((chunk.block() + whole - span) & !slack) - chunk.block()
        } else {
            gap(chunk.address(), slack)
        };
        let reserve = reserve_of(span);
        // Where there is plenty, the block has its reserve inside: runs would fill free space after it.
        let span = if reserve != 0 && effort != Effort::Exhaustive && whole - gap - span > 2 * reserve {
            span + reserve
        } else {
            span
        };
        // SAFETY: the chunk is free and in no bin any more.
        unsafe { self.cut(chunk, whole, span, gap) }
    }

    /// The block of `span` that lies `gap` bytes after the start of the `whole` at `chunk`. The bytes before and after it
    /// become free.
    ///
    /// # Safety
    ///
    /// The whole must be the heap's, in no live block and no bin, and have at least `gap + span` bytes.
    unsafe fn cut(&mut self, chunk: Chunk, whole: u32, span: u32, gap: u32) -> u32 {
        // SAFETY: that lies in the whole, or it is all of it.
        let aligned = unsafe { chunk.after(gap) };
        if gap != 0 {
            // Leaves the flag of a free chunk before it in the tag. The rest of that is set below.
            // SAFETY: the gap is a part of the whole, and the chunk before the whole is in use.
            unsafe { self.insert(chunk, gap, false) };
        }
        // SAFETY: what remains of the whole is long enough for the span.
        unsafe { self.occupy(aligned, whole - gap, span, most_kept(span)) };
        aligned.block()
    }

    /// Makes a free chunk known to a bin and to the next chunk.
    ///
    /// # Safety
    ///
    /// The span must be the heap's, in no live block and no bin, and its neighbours must be in use.
    unsafe fn insert(&mut self, chunk: Chunk, span: u32, is_reserve: bool) {
        chunk.set_tag(&mut self.memory, Tag::free(span));
        // SAFETY: a chunk, or the place of its tag, follows each free chunk.
        let next = unsafe { chunk.after(span) };
        // SAFETY: the chunk before it is free since just now.
        unsafe { next.follow_free(&mut self.memory, span) };
        let bin = if is_reserve { RESERVES } else { bin_of(span) };
        // SAFETY: the chunk is in no bin, says the caller, and has room for its links: its span is 16 at least.
        unsafe { self.bins.insert(&mut self.memory, bin, chunk.address()) };
    }

    /// Makes a chunk in use of `span` out of the `whole` at `chunk`, and a free chunk of the rest. A rest of at most `most_kept`
    /// bytes stays with it. One of at most an eighth of a large span becomes its reserve.
    ///
    /// Inlined where the program is optimized for speed: random sizes to 10 kB take 5 % less time.
    ///
    /// # Safety
    ///
    /// The whole must be the heap's and in no bin, and have at least `span` bytes. A chunk in use or the bump pointer must
    /// follow it.
    #[inline]
    unsafe fn occupy(&mut self, chunk: Chunk, whole: u32, span: u32, most_kept: u32) {
        let rest = whole - span;
        if rest <= most_kept {
            chunk.set_in_use(&mut self.memory, whole);
            // SAFETY: a chunk or the bump pointer follows the whole.
            unsafe { chunk.after(whole) }.follow_in_use(&mut self.memory);
        } else {
            chunk.set_in_use(&mut self.memory, span);
            // SAFETY: the rest begins within the whole.
            let after = unsafe { chunk.after(span) };
            let is_reserve = span >= LEAST_SPAN_WITH_RESERVE && rest <= span >> 3;
            // SAFETY: the rest of the whole lies between two chunks in use, or before the bump pointer.
            unsafe { self.insert(after, rest, is_reserve) };
        }
    }
}
