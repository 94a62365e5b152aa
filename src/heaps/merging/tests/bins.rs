//! A walk through the bins: it asserts what their links, their numbers and the bitmap say of each other.

use super::*;

impl Bins {
    /// Asserts that each member has the links that its place asks for, and that the bitmap shows the bins that have some.
    pub(in super::super) fn check<M: LinearMemory>(&self, memory: &M) {
        for (bin, &first) in self.firsts.iter().enumerate() {
            let occupied = self.occupied[bin / WORD_BITS] >> (bin % WORD_BITS) & 1;
            assert_eq!(occupied == 1, first != 0, "the bit of bin {bin}");
            let mut previous = Previous::bin(bin);
            self.for_each(memory, bin, |member| {
                // SAFETY: the simulated memory checks the address.
                let link = Previous(unsafe { memory.read_word(member, PREVIOUS_OFFSET) });
                assert_eq!(link, previous, "the member before {member:#x} in bin {bin}");
                previous = Previous::member(member);
            });
        }
    }
}
