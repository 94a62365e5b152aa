//! A walk through the bins, for the tests: it asserts what their links, their numbers and the bitmap say of each other. Below
//! `bins.rs` since those are private.

use super::*;
use crate::tests::simulated_memory::SimulatedMemory;

impl Bins {
    /// Asserts that each member has the links that its place asks for, and each chunk the bin that its span asks for.
    pub(crate) fn check(&self, memory: &SimulatedMemory, span: impl Fn(u32) -> u32) {
        for (bin, &first) in self.firsts.iter().enumerate() {
            let occupied = self.occupied[bin / WORD_BITS] >> (bin % WORD_BITS) & 1;
            assert_eq!(occupied == 1, first != 0 && bin != RESERVES, "the bit of bin {bin}");
            let mut previous = (bin as u32) << 2 | IS_BIN;
            self.for_each(memory, bin, |member| {
                // SAFETY: the simulated memory checks the address.
                let link = unsafe { memory.read_word(member, PREVIOUS) };
                assert_eq!(link, previous, "the member before {member:#x} in bin {bin}");
                assert!(
                    bin < CLASSES || bin == RESERVES || bin_of(span(member)) == bin,
                    "the bin of {member:#x}"
                );
                previous = member;
            });
        }
    }
}
