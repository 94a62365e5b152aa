//! The free blocks of a [`TaggedHeap`](crate::tagged_heap), in lists by size, with a bitmap of the lists that are not
//! empty: two-level segregated fit (Masmano and others, 2004), with 8 lists for each doubling.
//!
//! A free block's first word is the address of the next one of its list, the second that of the one before; 0 is none.

use crate::linear_memory::LinearMemory;
use crate::ring;

/// Every block's span is a multiple of this.
pub(crate) const GRANULE_BYTES: u32 = 16;

/// log2 of how many lists there are for each doubling of the span.
const LISTS_SHIFT: u32 = 4;

/// How many lists there are for each doubling.
const LISTS: usize = 1 << LISTS_SHIFT;

/// Below this power of two there is a list for each span.
const LINEAR_SHIFT: u32 = GRANULE_BYTES.trailing_zeros() + LISTS_SHIFT;

/// How many doublings there are, with the spans below all of them as one: for spans below 2^32, and one for what is
/// searched for such spans. The power of two spares the module bounds checks that can panic.
const DOUBLINGS: usize = (32 - LINEAR_SHIFT as usize + 2).next_power_of_two();

/// The lists of free blocks; all zero when there is none.
pub(crate) struct Bins {
    /// Bit `doubling` is set if and only if `occupied[doubling]` is not 0.
    occupied_doublings: u32,
    /// Bit `bin % LISTS` of `occupied[bin / LISTS]` is set if and only if `rings[bin]` is not 0.
    occupied: [u32; DOUBLINGS],
    rings: [u32; DOUBLINGS * LISTS],
}

/// The number of a list: spans are counted in steps of a sixteenth of the power of two below them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Bin(u32);

impl Bin {
    /// The bin of blocks with this span: that of the greatest lower bound.
    const fn of(span: u32) -> Self {
        let exponent = Self::exponent(span);
        Self::number(span >> (exponent - LISTS_SHIFT), exponent)
    }

    /// The first bin all of whose blocks have at least this span.
    const fn above(span: u32) -> Self {
        let exponent = Self::exponent(span);
        // Spans are multiples of 16: 1 below one, the division rounds down to the step before.
        Self::number(((span - 1) >> (exponent - LISTS_SHIFT)) + 1, exponent)
    }

    const fn exponent(span: u32) -> u32 {
        31 - (span | (1 << LINEAR_SHIFT)).leading_zeros()
    }

    const fn number(steps: u32, exponent: u32) -> Self {
        Bin(steps + ((exponent - LINEAR_SHIFT) << LISTS_SHIFT))
    }

    const fn index(self) -> usize {
        self.0 as usize % (DOUBLINGS * LISTS)
    }

    const fn doubling(self) -> usize {
        self.index() / LISTS
    }

    const fn list(self) -> u32 {
        self.0 % LISTS as u32
    }
}

impl Bins {
    pub(crate) const fn new() -> Self {
        Bins {
            occupied_doublings: 0,
            occupied: [0; DOUBLINGS],
            rings: [0; DOUBLINGS * LISTS],
        }
    }

    /// Puts a free block of this span on top of its list.
    ///
    /// # Safety
    ///
    /// The block must be free, and in no list.
    pub(crate) unsafe fn insert<M: LinearMemory>(&mut self, memory: &mut M, block: u32, span: u32) {
        let bin = Bin::of(span);
        self.occupied[bin.doubling()] |= 1 << bin.list();
        self.occupied_doublings |= 1 << bin.doubling();
        // SAFETY: the block is free, and so has room for its links.
        unsafe { ring::join(memory, &mut self.rings[bin.index()], block) }
    }

    /// Takes a block of this span out of its ring.
    ///
    /// # Safety
    ///
    /// The block must be in the ring.
    #[inline(never)]
    pub(crate) unsafe fn remove<M: LinearMemory>(&mut self, memory: &mut M, block: u32, span: u32) {
        let bin = Bin::of(span);
        // SAFETY: the caller passes a member.
        unsafe { ring::leave(memory, &mut self.rings[bin.index()], block) };
        if self.rings[bin.index()] == 0 {
            self.occupied[bin.doubling()] &= !(1 << bin.list());
            if self.occupied[bin.doubling()] == 0 {
                self.occupied_doublings &= !(1 << bin.doubling());
            }
        }
    }

    /// The block on top of the list for this very span; it may be shorter by less than a sixteenth.
    pub(crate) fn near(&self, span: u32) -> u32 {
        self.rings[Bin::of(span).index()]
    }

    /// A block of at least this span, from the first list that is sure to have only such, or 0. O(1).
    pub(crate) fn at_least(&self, span: u32) -> u32 {
        let bin = Bin::above(span);
        let mut doubling = bin.doubling();
        let mut lists = self.occupied[doubling] & (u32::MAX << bin.list());
        if lists == 0 {
            let doublings = self.occupied_doublings & (u32::MAX << doubling << 1);
            if doublings == 0 {
                return 0;
            }
            doubling = doublings.trailing_zeros() as usize % DOUBLINGS;
            lists = self.occupied[doubling];
        }
        self.rings[doubling * LISTS + lists.trailing_zeros() as usize % LISTS]
    }

    /// Calls `visit` with the address of each block.
    pub(crate) fn for_each<M: LinearMemory>(&self, memory: &M, mut visit: impl FnMut(u32)) {
        for &ring in &self.rings {
            // SAFETY: the rings are this heap's.
            unsafe { ring::for_each(memory, ring, &mut visit) };
        }
    }
}

#[cfg(test)]
mod tests {
    //! In this file since the functions are private.
    use super::*;

    #[test]
    fn bins_are_in_order_and_fit_what_they_promise() {
        let spans = (16..1 << 16).step_by(16).chain((16..32).map(|shift| 1u32 << shift));
        let mut last = Bin::of(16);
        for span in spans {
            let bin = Bin::of(span);
            assert!(bin >= last, "{span}");
            assert!(bin.0 <= last.0 + 1 || span > 1 << 16, "{span}");
            assert_eq!(bin.index() as u32, bin.0, "{span}");
            // The bin above is the first that has no shorter block.
            let above = Bin::above(span);
            assert!(Bin::of(span - 16) < above, "{span}");
            assert!(above.0 <= bin.0 + 1, "{span}");
            assert_eq!(above == bin, Bin::of(span - 16) < bin, "{span}");
            last = bin;
        }
    }

    #[test]
    fn the_longest_spans_are_searched_for_in_a_bin_of_their_own() {
        let longest = u32::MAX & !(GRANULE_BYTES - 1);
        assert!(Bin::above(longest).index() as u32 == Bin::above(longest).0);
        assert!(Bin::above(longest) > Bin::of(longest));
    }
}
