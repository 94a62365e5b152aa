//! The free chunks of a [`TaggedHeap`](crate::tagged_heap), in lists by span, with a bitmap of the lists that are not
//! empty: a segregated fit with 8 bins for each doubling, as in two-level segregated fit (Masmano and others, 2004).
//!
//! The first word of a free chunk's block is the address of the next chunk in its bin, or 0; the second is that of the one
//! before. The first chunk has the number of the bin there instead, so that no span is needed to take a chunk out.

use crate::linear_memory::LinearMemory;

/// Every chunk's span is a multiple of this.
pub(crate) const GRANULE_BYTES: u32 = 16;

/// The bytes from the address of a chunk to its block.
pub(crate) const BLOCK: u32 = 8;

/// log2 of how many bins there are for each doubling of the span.
const BINS_SHIFT: u32 = 3;

/// Below this power of two there is a bin for each span.
const LINEAR_SHIFT: u32 = GRANULE_BYTES.trailing_zeros() + BINS_SHIFT;

/// As many bins as spans below 2^32 need, rounded up to a power of two: a masked index needs no bounds check that can
/// panic.
const BINS: usize = ((32 - LINEAR_SHIFT as usize + 1) << BINS_SHIFT).next_power_of_two();

const WORD_BITS: usize = u32::BITS as usize;
const WORDS: usize = BINS / WORD_BITS;

/// Where a free chunk has the address of the next one in its bin.
const NEXT: u32 = BLOCK;

/// Where a free chunk has the address of the one before it in its bin, or the number of the bin.
const PREVIOUS: u32 = BLOCK + 4;

/// Marks the number of a bin, in the bits above: addresses of chunks are even.
const IS_BIN: u32 = 1;

/// The lists of free chunks; all zero when there is none.
pub(crate) struct Bins {
    /// For each bin the address of the chunk that was released last, or 0.
    firsts: [u32; BINS],
    /// Bit `bin % 32` of word `bin / 32` is set if and only if `firsts[bin]` is not 0.
    occupied: [u32; WORDS],
}

/// The bin of chunks with this span: that of the greatest lower bound.
const fn bin_of(span: u32) -> usize {
    let exponent = 31 - (span | (1 << LINEAR_SHIFT)).leading_zeros();
    let bin = (span >> (exponent - BINS_SHIFT)) + ((exponent - LINEAR_SHIFT) << BINS_SHIFT);
    bin as usize % BINS
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
    pub(crate) unsafe fn insert<M: LinearMemory>(&mut self, memory: &mut M, chunk: u32, span: u32) {
        let bin = bin_of(span);
        let next = self.firsts[bin];
        self.firsts[bin] = chunk;
        // SAFETY: a free chunk has room for its two links.
        unsafe {
            memory.write_word(chunk, NEXT, next);
            memory.write_word(chunk, PREVIOUS, (bin as u32) << 1 | IS_BIN);
            if next != 0 {
                memory.write_word(next, PREVIOUS, chunk);
            } else {
                self.occupied[bin / WORD_BITS] |= 1 << (bin % WORD_BITS);
            }
        }
    }

    /// Takes a chunk out of its bin. O(1).
    ///
    /// # Safety
    ///
    /// The chunk must be in a bin.
    pub(crate) unsafe fn remove<M: LinearMemory>(&mut self, memory: &mut M, chunk: u32) {
        // SAFETY: the chunks in the bins are free, with their two links.
        unsafe {
            let next = memory.read_word(chunk, NEXT);
            let previous = memory.read_word(chunk, PREVIOUS);
            if next != 0 {
                memory.write_word(next, PREVIOUS, previous);
            }
            if previous & IS_BIN == 0 {
                memory.write_word(previous, NEXT, next);
            } else {
                let bin = (previous >> 1) as usize % BINS;
                self.firsts[bin] = next;
                if next == 0 {
                    self.occupied[bin / WORD_BITS] &= !(1 << (bin % WORD_BITS));
                }
            }
        }
    }

    /// The first chunk of the first bin that is not empty, from that of `span` on, or 0. In that bin itself a chunk may be
    /// shorter by less than an eighth. O(1).
    pub(crate) fn near(&self, span: u32) -> u32 {
        self.first(span, 0)
    }

    /// As [`near`](Self::near), from the bin behind that of `span` on: the chunk is longer. O(1).
    pub(crate) fn above(&self, span: u32) -> u32 {
        self.first(span, 1)
    }

    /// The chunk that was released before this one, of about the same span, or 0.
    ///
    /// # Safety
    ///
    /// The chunk must be in a bin.
    pub(crate) unsafe fn next<M: LinearMemory>(&self, memory: &M, chunk: u32) -> u32 {
        // SAFETY: a chunk in a bin has its links.
        unsafe { memory.read_word(chunk, NEXT) }
    }

    /// Calls `visit` with the address of each chunk.
    pub(crate) fn for_each<M: LinearMemory>(&self, memory: &M, mut visit: impl FnMut(u32)) {
        for mut chunk in self.firsts {
            while chunk != 0 {
                visit(chunk);
                // SAFETY: the bins are this heap's.
                chunk = unsafe { self.next(memory, chunk) };
            }
        }
    }

    /// The first chunk of the first bin that is not empty, from the one that is `above` that of `span` on, or 0.
    fn first(&self, span: u32, above: usize) -> u32 {
        let bin = bin_of(span) + above;
        let mut word = bin / WORD_BITS % WORDS;
        let mut bits = self.occupied[word] & u32::MAX << (bin % WORD_BITS);
        while bits == 0 {
            word += 1;
            if word == WORDS {
                return 0;
            }
            bits = self.occupied[word];
        }
        self.firsts[word * WORD_BITS + bits.trailing_zeros() as usize % WORD_BITS]
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
        assert!(bin_of(u32::MAX) < BINS);
    }
}
