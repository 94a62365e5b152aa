//! Numbered lists of what is free, with a bitmap of those that are not empty: how a segregated fit finds a member in O(1)
//! (two-level segregated fit, Masmano and others, 2004).
//!
//! Bins know nothing of their members but this: a member is the address of 16 bytes at least, which is even, and two words of
//! those are the links of the bins while it is in one. One link is the address of the next member, or 0. The other is that of
//! the member before. The first member has the number of its bin there instead. Nothing else is needed to take a member
//! out.
//!
//! Whether a member has a next one is asked without a branch, because no branch predictor guesses it: most bins hold none, one
//! or two. Where there is none, the link goes into a word of the heap's that nothing else uses. Random sizes to 10 kB
//! (workload `random-sizes-10k`) then mispredict 355,000 branches instead of 513,000, as cachegrind simulates them.

use crate::memory::linear::LinearMemory;

#[cfg(any(test, fuzzing))]
#[path = "tests/bins.rs"]
mod survey;

/// How many bins there are. A power of two, so that a masked number needs no bounds check that can panic.
pub(super) const BINS: usize = 512;

const WORD_BITS: usize = u32::BITS as usize;
const WORDS: usize = BINS / WORD_BITS;

/// The words of the bitmap that are searched. A comparison with it by size spares the module a bounds check that can panic.
const SEARCHED_WORDS: usize = 15;

/// [`Bins::first_from`] searches the bins below this number.
pub(super) const SEARCHED_BINS: usize = SEARCHED_WORDS * WORD_BITS;

/// Where a member has what lies before it.
const PREVIOUS_OFFSET: u32 = 8;

/// Where a member has the address of the next one.
const NEXT_MEMBER_OFFSET: u32 = 12;

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
    /// Bit `bin % 32` of word `bin / 32` is set if and only if `firsts[bin]` is not 0.
    occupied: [u32; WORDS],
    /// Stands for the member after the last one of each bin: only its link to the member before exists, and is never read.
    end_member: u32,
}

impl Bins {
    /// Empty bins.
    pub(super) const fn new() -> Self {
        Bins {
            firsts: [0; BINS],
            occupied: [0; WORDS],
            end_member: 0,
        }
    }

    /// Gives the bins the address of a word for the links of members that do not exist. There must be one before the first
    /// member.
    ///
    /// # Safety
    ///
    /// The word must belong to the heap and be in no other use. Its address must be 8 at least.
    pub(super) unsafe fn set_spare_word(&mut self, address: u32) {
        self.end_member = address - PREVIOUS_OFFSET;
    }

    /// The address of that word; 8 before there is one.
    pub(super) fn spare_word(&self) -> u32 {
        self.end_member + PREVIOUS_OFFSET
    }

    /// Puts a member into a bin. O(1).
    ///
    /// # Safety
    ///
    /// The member must be in no bin, and the words of its links must belong to the heap and be used for nothing else until it
    /// is taken out.
    pub(super) unsafe fn insert<M: LinearMemory>(&mut self, memory: &mut M, bin: usize, member: u32) {
        let next = self.firsts[bin];
        self.firsts[bin] = member;
        self.occupied[bin / WORD_BITS] |= 1 << (bin % WORD_BITS);
        // SAFETY: the caller gives the words of the member's links to the bins.
        unsafe { memory.write_word(member, NEXT_MEMBER_OFFSET, next) };
        Self::set_previous(memory, member, Previous::bin(bin));
        Self::set_previous(memory, self.or_end_member(next), Previous::member(member));
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
        Self::set_previous(memory, self.or_end_member(next), previous);
        match previous.as_bin() {
            // SAFETY: what is not a bin is the address of the member before, which has its links.
            None => unsafe { memory.write_word(previous.0, NEXT_MEMBER_OFFSET, next) },
            Some(bin) => {
                self.firsts[bin] = next;
                self.occupied[bin / WORD_BITS] &= !(u32::from(next == 0) << (bin % WORD_BITS));
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

    /// The same member, or the one that stands for none.
    const fn or_end_member(&self, member: u32) -> u32 {
        if member == 0 { self.end_member } else { member }
    }

    /// Notes what lies before a member of a bin, or before the one that stands for none.
    fn set_previous<M: LinearMemory>(memory: &mut M, member: u32, previous: Previous) {
        // SAFETY: the words of a member's links are the bins' own.
        unsafe { memory.write_word(member, PREVIOUS_OFFSET, previous.0) }
    }
}
