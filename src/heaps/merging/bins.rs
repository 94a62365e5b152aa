//! Numbered lists of what is free, with a bitmap of those that are not empty: how a segregated fit finds a member in O(1)
//! (two-level segregated fit, Masmano and others, 2004).
//!
//! Bins know nothing of their members but this: a member is the address of 16 bytes at least, which is even, and two words of
//! those are the links of the bins while it is in one. One link is the address of the next member, or 0. The other is that of
//! the member before. The first member has the number of its bin there instead. Nothing else is needed to take a member
//! out.

use crate::memory::linear::LinearMemory;

#[cfg(any(test, fuzzing))]
#[path = "tests/bins.rs"]
mod survey;

/// How many bins there are. A power of two, so that a masked number needs no bounds check that can panic.
pub(super) const BINS: usize = 512;

/// The bins below this number are in the bitmap, from which [`Bins::first_from`] searches.
pub(super) const SEARCHED_BINS: usize = 272;

const WORD_BITS: usize = u32::BITS as usize;
const WORDS: usize = BINS / WORD_BITS;

/// The words of the bitmap that are searched. A comparison with it by size spares the module a bounds check that can panic.
const SEARCHED_WORDS: usize = SEARCHED_BINS.div_ceil(WORD_BITS);

/// Where a member has the address of the next one.
const NEXT_MEMBER_OFFSET: u32 = 8;

/// Where a member has what lies before it.
const PREVIOUS_OFFSET: u32 = 12;

/// What lies before a member: another member, or its bin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Previous(u32);

impl Previous {
    /// Marks the number of a bin, in the bits above: addresses of members are even.
    const IS_BIN: u32 = 1;

    const fn bin(bin: usize) -> Self {
        Previous((bin as u32) << 2 | Self::IS_BIN)
    }

    const fn member(address: u32) -> Self {
        Previous(address)
    }

    /// The number of the bin, if the member is the first one there. The modulus spares the module a bounds check.
    const fn as_bin(self) -> Option<usize> {
        if self.0 & Self::IS_BIN == 0 {
            None
        } else {
            Some((self.0 >> 2) as usize % BINS)
        }
    }
}

/// The bins; all zero when there is nothing in them.
pub(super) struct Bins {
    /// For each bin the address of the member that joined last, or 0.
    firsts: [u32; BINS],
    /// Bit `bin % 32` of word `bin / 32` is set if and only if `firsts[bin]` is not 0 and the bin is searched.
    occupied: [u32; WORDS],
}

impl Bins {
    /// Empty bins.
    pub(super) const fn new() -> Self {
        Bins {
            firsts: [0; BINS],
            occupied: [0; WORDS],
        }
    }

    /// Puts a member into a bin that is searched. O(1).
    ///
    /// # Safety
    ///
    /// As for [`insert_unsearched`](Self::insert_unsearched).
    pub(super) unsafe fn insert<M: LinearMemory>(&mut self, memory: &mut M, bin: usize, member: u32) {
        let was_empty = self.firsts[bin] == 0;
        // SAFETY: the member is in no bin, and the words of its links are in no other use.
        unsafe { self.insert_unsearched(memory, bin, member) };
        if was_empty {
            self.occupied[bin / WORD_BITS] |= 1 << (bin % WORD_BITS);
        }
    }

    /// Puts a member into a bin that [`first_from`](Self::first_from) does not look at. O(1).
    ///
    /// # Safety
    ///
    /// The member must be in no bin, and the words of its links must belong to the heap and be used for nothing else until it
    /// is taken out.
    pub(super) unsafe fn insert_unsearched<M: LinearMemory>(&mut self, memory: &mut M, bin: usize, member: u32) {
        let next = self.firsts[bin];
        self.firsts[bin] = member;
        // SAFETY: the caller gives the words of the member's links to the bins.
        unsafe { memory.write_word(member, NEXT_MEMBER_OFFSET, next) };
        Self::set_previous(memory, member, Previous::bin(bin));
        if next != 0 {
            Self::set_previous(memory, next, Previous::member(member));
        }
    }

    /// Takes a member out of its bin. O(1).
    ///
    /// # Safety
    ///
    /// It must be in a bin.
    pub(super) unsafe fn remove<M: LinearMemory>(&mut self, memory: &mut M, member: u32) {
        // SAFETY: a member has its links, says the caller.
        let next = unsafe { self.next(memory, member) };
        // SAFETY: the other link says what lies before the member.
        let previous = Previous(unsafe { memory.read_word(member, PREVIOUS_OFFSET) });
        if next != 0 {
            Self::set_previous(memory, next, previous);
        }
        match previous.as_bin() {
            // SAFETY: what is not a bin is the address of the member before, which has its links.
            None => unsafe { memory.write_word(previous.0, NEXT_MEMBER_OFFSET, next) },
            Some(bin) => {
                self.firsts[bin] = next;
                if next == 0 {
                    self.occupied[bin / WORD_BITS] &= !(1 << (bin % WORD_BITS));
                }
            }
        }
    }

    /// The member of a bin that joined last, or 0.
    pub(super) fn first(&self, bin: usize) -> u32 {
        self.firsts[bin]
    }

    /// The first member of the first bin that is not empty, from this one on; or 0. O(1).
    pub(super) fn first_from(&self, bin: usize) -> u32 {
        let mut word = bin / WORD_BITS % WORDS;
        let mut bits = self.occupied[word] & u32::MAX << (bin % WORD_BITS);
        while bits == 0 {
            word += 1;
            if word >= SEARCHED_WORDS {
                return 0;
            }
            bits = self.occupied[word];
        }
        self.firsts[word * WORD_BITS + bits.trailing_zeros() as usize % WORD_BITS]
    }

    /// The member that joined the bin of this one before it, or 0.
    ///
    /// # Safety
    ///
    /// The member must be in a bin.
    pub(super) unsafe fn next<M: LinearMemory>(&self, memory: &M, member: u32) -> u32 {
        // SAFETY: a member has its links, says the caller.
        unsafe { memory.read_word(member, NEXT_MEMBER_OFFSET) }
    }

    /// Calls `visit` with each member of a bin.
    pub(super) fn for_each<M: LinearMemory>(&self, memory: &M, bin: usize, mut visit: impl FnMut(u32)) {
        let mut member = self.firsts[bin];
        while member != 0 {
            visit(member);
            // SAFETY: the first member and those after it are in the bin.
            member = unsafe { self.next(memory, member) };
        }
    }

    /// Notes what lies before a member of a bin.
    fn set_previous<M: LinearMemory>(memory: &mut M, member: u32, previous: Previous) {
        // SAFETY: the words of a member's links are the bins' own.
        unsafe { memory.write_word(member, PREVIOUS_OFFSET, previous.0) }
    }
}
