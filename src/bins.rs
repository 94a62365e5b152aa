//! The free blocks of a [`TaggedHeap`](crate::tagged_heap), in lists by size, with a bitmap of the lists that are not
//! empty: two-level segregated fit (Masmano and others, 2004), with 8 lists for each doubling.
//!
//! A free block's first word is the address of the next one of its list, the second that of the one before; 0 is none.

use crate::linear_memory::LinearMemory;

/// Every block's span is a multiple of this.
pub(crate) const GRANULE_BYTES: u32 = 16;

/// log2 of how many lists there are for each doubling of the span.
const LISTS_SHIFT: u32 = 3;

/// Below this power of two there is a list for each span.
const LINEAR_SHIFT: u32 = GRANULE_BYTES.trailing_zeros() + LISTS_SHIFT;

/// As many as there are for spans below 2^32.
const BINS: usize = ((32 - LINEAR_SHIFT + 1) << LISTS_SHIFT) as usize;

const WORDS: usize = BINS.div_ceil(32).next_power_of_two();

/// The lists of free blocks; all zero when there is none.
pub(crate) struct Bins {
    heads: [u32; WORDS * 32],
    /// Bit `bin % 32` of word `bin / 32` is set if and only if `heads[bin]` is not 0.
    occupied: [u32; WORDS],
}

/// The bin of blocks with this span: that of the greatest lower bound.
const fn bin_of(span: u32) -> usize {
    let exponent = 31 - (span | (1 << LINEAR_SHIFT)).leading_zeros();
    ((span >> (exponent - LISTS_SHIFT)) + ((exponent - LINEAR_SHIFT) << LISTS_SHIFT)) as usize
}

/// The first bin all of whose blocks have at least this span.
const fn bin_above(span: u32) -> usize {
    let exponent = 31 - (span | (1 << LINEAR_SHIFT)).leading_zeros();
    bin_of(span.saturating_add((1 << (exponent - LISTS_SHIFT)) - 1))
}

impl Bins {
    pub(crate) const fn new() -> Self {
        Bins {
            heads: [0; WORDS * 32],
            occupied: [0; WORDS],
        }
    }

    /// Puts a free block of this span on top of its list.
    ///
    /// # Safety
    ///
    /// The block must be free, and in no list.
    pub(crate) unsafe fn insert<M: LinearMemory>(&mut self, memory: &mut M, block: u32, span: u32) {
        let bin = bin_of(span) % (WORDS * 32);
        let head = self.heads[bin];
        self.heads[bin] = block;
        self.occupied[bin / 32] |= 1 << (bin % 32);
        // SAFETY: the block is free, of 16 bytes at least; so is the head of the list.
        unsafe {
            memory.write_word(block, head);
            memory.write_word(block + 4, 0);
            if head != 0 {
                memory.write_word(head + 4, block);
            }
        }
    }

    /// Takes a block of this span out of its list.
    ///
    /// # Safety
    ///
    /// The block must be in the list.
    pub(crate) unsafe fn remove<M: LinearMemory>(&mut self, memory: &mut M, block: u32, span: u32) {
        let bin = bin_of(span) % (WORDS * 32);
        // SAFETY: the block is in the list, and so are its neighbours there.
        unsafe {
            let next = memory.read_word(block);
            let previous = memory.read_word(block + 4);
            if next != 0 {
                memory.write_word(next + 4, previous);
            }
            if previous != 0 {
                memory.write_word(previous, next);
            } else {
                self.heads[bin] = next;
                if next == 0 {
                    self.occupied[bin / 32] &= !(1 << (bin % 32));
                }
            }
        }
    }

    /// The block on top of the list for this very span; it may be shorter by less than an eighth.
    pub(crate) fn near(&self, span: u32) -> u32 {
        self.heads[bin_of(span) % (WORDS * 32)]
    }

    /// A block of at least this span, from the first list that is sure to have only such, or 0. O(1).
    pub(crate) fn at_least(&self, span: u32) -> u32 {
        let bin = bin_above(span) % (WORDS * 32);
        let mut word = bin / 32;
        let mut bits = self.occupied[word] & (u32::MAX << (bin % 32));
        loop {
            if bits != 0 {
                return self.heads[word * 32 + bits.trailing_zeros() as usize];
            }
            word += 1;
            if word == WORDS {
                return 0;
            }
            bits = self.occupied[word];
        }
    }

    /// Calls `visit` with the address of each block.
    pub(crate) fn for_each<M: LinearMemory>(&self, memory: &M, mut visit: impl FnMut(u32)) {
        for &head in &self.heads {
            let mut block = head;
            while block != 0 {
                visit(block);
                // SAFETY: the block is in a list: its first word is the link.
                block = unsafe { memory.read_word(block) };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    //! In this file since the functions are private.
    use super::*;

    #[test]
    fn bins_are_in_order_and_fit_what_they_promise() {
        let mut last = 0;
        for span in (16..1 << 20).step_by(16).chain((20..32).map(|shift| 1u32 << shift)) {
            assert!(
                bin_of(span) == last || bin_of(span) == last + 1 || span >= 1 << 20,
                "{span}"
            );
            assert!(bin_of(span) < BINS);
            assert!(bin_above(span) >= bin_of(span));
            last = bin_of(span);
            // Everything in the bin above is at least as long.
            let above = bin_above(span);
            if span > 16 && span < 1 << 20 {
                assert!(
                    (16..span)
                        .step_by(16)
                        .all(|shorter| span > 4096 || bin_of(shorter) < above)
                );
            }
        }
    }
}
