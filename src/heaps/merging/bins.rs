//! What can be allocated from again, in lists with a bitmap of those that are not empty.
//!
//! - The free chunks of a [`ChunkHeap`](super::chunk_heap) lie in bins by span, 8 for each doubling: a segregated fit as in
//!   two-level segregated fit (Masmano and others, 2004).
//! - The partial [runs](super::runs) lie in bins of their own, one for each size class.
//!
//! A member of a bin has two links, 8 bytes behind its address: in a chunk's block, or in the header of a run. One is the
//! address of the next member, or 0. The other is that of the member before; the first member has the number of the bin
//! there instead, so that no span is needed to take a member out.

use super::size_class::{CLASSES, SizeClass};
use crate::memory::linear::LinearMemory;

#[cfg(any(test, fuzzing))]
#[path = "tests/bins.rs"]
mod survey;

/// Every chunk's span is a multiple of this.
pub(crate) const GRANULE_BYTES: u32 = 16;

/// The bytes from the address of a chunk to its block.
pub(crate) const BLOCK: u32 = 8;

/// log2 of how many bins there are for each doubling of the span.
const BINS_SHIFT: u32 = 3;

/// Below this power of two there is a bin for each span.
const LINEAR_SHIFT: u32 = GRANULE_BYTES.trailing_zeros() + BINS_SHIFT;

/// The size classes and all spans below 2^32 need 272; rounded up to a power of two, so that a masked index needs no
/// bounds check that can panic.
const BINS: usize = 512;

/// The bin of reserves, free chunks that [`Bins::chunk`] does not look at; it comes after those of all spans.
const RESERVES: usize = 272;

const WORD_BITS: usize = u32::BITS as usize;
const WORDS: usize = BINS / WORD_BITS;

/// The words with the bits of chunks end here. A comparison with it by size spares the module a bounds check that can panic.
const WORDS_OF_CHUNKS: usize = RESERVES.div_ceil(WORD_BITS);

/// Where a member has the address of the next one.
const NEXT: u32 = BLOCK;

/// Where a member has the address of the one before it, or the number of the bin.
const PREVIOUS: u32 = BLOCK + 4;

/// Marks the number of a bin, in the bits above: addresses of members are even.
const IS_BIN: u32 = 1;

/// How far down a class's list of partial runs to look: the older a run's entry, the more of its blocks are free.
const RUNS_LOOKED_AT: u32 = 16;

/// The bins; all zero when there is nothing in them.
pub(crate) struct Bins {
    /// For each bin the address of the member that joined last, or 0.
    firsts: [u32; BINS],
    /// Bit `bin % 32` of word `bin / 32` is set if and only if `firsts[bin]` is not 0.
    occupied: [u32; WORDS],
}

/// The bin of chunks with this span: that of the greatest lower bound.
const fn bin_of(span: u32) -> usize {
    let exponent = 31 - (span | (1 << LINEAR_SHIFT)).leading_zeros();
    let bin = (span >> (exponent - BINS_SHIFT)) + ((exponent - LINEAR_SHIFT) << BINS_SHIFT);
    (CLASSES + bin as usize) % BINS
}

impl Bins {
    pub(crate) const fn new() -> Self {
        Bins {
            firsts: [0; BINS],
            occupied: [0; WORDS],
        }
    }

    /// Puts a free chunk of this span into its bin. O(1).
    ///
    /// # Safety
    ///
    /// The chunk must be free, and in no bin.
    pub(crate) unsafe fn insert_chunk<M: LinearMemory>(&mut self, memory: &mut M, chunk: u32, span: u32) {
        // SAFETY: passed on from the caller; a free chunk has room for its links.
        unsafe { self.insert(memory, bin_of(span), chunk) }
    }

    /// Puts a free chunk into the bin of reserves, which [`chunk`](Self::chunk) does not look at. O(1).
    ///
    /// # Safety
    ///
    /// The chunk must be free, and in no bin.
    pub(crate) unsafe fn insert_reserve<M: LinearMemory>(&mut self, memory: &mut M, chunk: u32) {
        // SAFETY: passed on from the caller; a free chunk has room for its links.
        unsafe { self.link(memory, RESERVES, chunk) };
    }

    /// The reserve that joined last, or 0.
    pub(crate) fn reserve(&self) -> u32 {
        self.firsts[RESERVES]
    }

    /// Puts a run into the bin of its class. O(1).
    ///
    /// # Safety
    ///
    /// The run must have blocks of this class, and be in no bin.
    pub(crate) unsafe fn insert_run<M: LinearMemory>(&mut self, memory: &mut M, run: u32, class: SizeClass) {
        // SAFETY: passed on from the caller; the links are in the header of the run.
        unsafe { self.insert(memory, class.index(), run) }
    }

    unsafe fn insert<M: LinearMemory>(&mut self, memory: &mut M, bin: usize, member: u32) {
        // SAFETY: passed on from the caller.
        if unsafe { self.link(memory, bin, member) } {
            self.occupied[bin / WORD_BITS] |= 1 << (bin % WORD_BITS);
        }
    }

    /// Puts a member into a bin and returns whether it is the only one there.
    ///
    /// # Safety
    ///
    /// The member must be in no bin, and its two links must not be used otherwise.
    unsafe fn link<M: LinearMemory>(&mut self, memory: &mut M, bin: usize, member: u32) -> bool {
        let next = self.firsts[bin];
        self.firsts[bin] = member;
        // SAFETY: the caller passes a member whose two links are not used; those of the others are.
        unsafe {
            memory.write_word(member, NEXT, next);
            memory.write_word(member, PREVIOUS, (bin as u32) << 2 | IS_BIN);
            if next != 0 {
                memory.write_word(next, PREVIOUS, member);
            }
        }
        next == 0
    }

    /// Takes a chunk or a run out of its bin. O(1).
    ///
    /// # Safety
    ///
    /// It must be in a bin.
    pub(crate) unsafe fn remove<M: LinearMemory>(&mut self, memory: &mut M, member: u32) {
        // SAFETY: the members of the bins have their two links.
        unsafe {
            let next = memory.read_word(member, NEXT);
            let previous = memory.read_word(member, PREVIOUS);
            if next != 0 {
                memory.write_word(next, PREVIOUS, previous);
            }
            if previous & IS_BIN == 0 {
                memory.write_word(previous, NEXT, next);
            } else {
                let bin = (previous >> 2) as usize % BINS;
                self.firsts[bin] = next;
                if next == 0 {
                    self.occupied[bin / WORD_BITS] &= !(1 << (bin % WORD_BITS));
                }
            }
        }
    }

    /// The first chunk of the first bin that is not empty, or 0: from the bin that is `above` that of `span` on. With 0 the
    /// chunk may be shorter than `span` by less than an eighth, with 1 it is longer. O(1).
    pub(crate) fn chunk(&self, span: u32, above: usize) -> u32 {
        let bin = bin_of(span) + above;
        let mut word = bin / WORD_BITS % WORDS;
        let mut bits = self.occupied[word] & u32::MAX << (bin % WORD_BITS);
        while bits == 0 {
            word += 1;
            if word >= WORDS_OF_CHUNKS {
                return 0;
            }
            bits = self.occupied[word];
        }
        self.firsts[word * WORD_BITS + bits.trailing_zeros() as usize % WORD_BITS]
    }

    /// The run of this class that has been in the bin for longest, of the 16 that joined last at most, or 0. O(1).
    pub(crate) fn run<M: LinearMemory>(&self, memory: &M, class: SizeClass) -> u32 {
        let mut run = 0;
        let mut next = self.firsts[class.index()];
        for _ in 0..RUNS_LOOKED_AT {
            if next == 0 {
                break;
            }
            run = next;
            // SAFETY: a run in a bin has its links.
            next = unsafe { memory.read_word(run, NEXT) };
        }
        run
    }

    /// The chunk that joined the bin of this one before it, or 0.
    ///
    /// # Safety
    ///
    /// The chunk must be in a bin.
    pub(crate) unsafe fn next<M: LinearMemory>(&self, memory: &M, chunk: u32) -> u32 {
        // SAFETY: a member has its links.
        unsafe { memory.read_word(chunk, NEXT) }
    }

    /// Calls `visit` with the address of each chunk.
    pub(crate) fn for_each_chunk<M: LinearMemory>(&self, memory: &M, mut visit: impl FnMut(u32)) {
        for bin in CLASSES..BINS {
            self.for_each(memory, bin, &mut visit);
        }
    }

    /// Calls `visit` with the address of each run of a class.
    pub(crate) fn for_each_run<M: LinearMemory>(&self, memory: &M, class: SizeClass, visit: impl FnMut(u32)) {
        self.for_each(memory, class.index(), visit);
    }

    fn for_each<M: LinearMemory>(&self, memory: &M, bin: usize, mut visit: impl FnMut(u32)) {
        let mut member = self.firsts[bin];
        while member != 0 {
            visit(member);
            // SAFETY: the bins are this heap's.
            member = unsafe { memory.read_word(member, NEXT) };
        }
    }
}

#[cfg(test)]
mod tests {
    //! In this file since the functions are private.
    use super::*;

    #[test]
    fn bins_are_in_order_and_each_holds_spans_that_differ_by_less_than_an_eighth() {
        let mut first = 16;
        for span in (16..1 << 20).step_by(16) {
            if bin_of(span) != bin_of(first) {
                assert_eq!(bin_of(span), bin_of(first) + 1, "{span}");
                first = span;
            }
            assert!((span - first) * 8 < span, "{span}");
        }
        assert!((20..31).all(|shift| bin_of(2 << shift) == bin_of(1 << shift) + (1 << BINS_SHIFT)));
        assert_eq!(bin_of(u32::MAX) + 1, RESERVES);
        assert!(bin_of(GRANULE_BYTES) >= CLASSES);
    }
}
