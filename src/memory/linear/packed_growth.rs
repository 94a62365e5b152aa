//! A growth policy that takes no room in a module.

use crate::memory::Growth;
use crate::memory::PageCount;

/// A growth policy in a word, which is 0 for [`Growth::THIRTY_SECOND`]: so a heap's state begins as zeros, which take no room in
/// a module.
#[derive(Clone, Copy)]
pub(crate) struct PackedGrowth(u32);

/// From here on a word stands for a fixed number of pages.
const STEPS: u32 = 32;

const DEFAULT_SHIFT: u32 = 5;

impl PackedGrowth {
    /// The policy as a word.
    pub(crate) const fn new(growth: Growth) -> Self {
        PackedGrowth(match growth {
            Growth::Proportional { shift } if shift < STEPS => shift ^ DEFAULT_SHIFT,
            Growth::Proportional { .. } | Growth::Exact => STEPS,
            Growth::Step { pages } => pages.saturating_add(STEPS),
        })
    }

    /// The pages to ask for first, as [`Growth::pages`] has them.
    pub(crate) fn pages(self, needed: PageCount, present: PageCount) -> PageCount {
        let wanted = if self.0 < STEPS {
            // The shift is below 32. A masked one needs no test of that.
            present.0.wrapping_shr(self.0 ^ DEFAULT_SHIFT)
        } else {
            self.0 - STEPS
        };
        PageCount(wanted).max(needed)
    }
}

#[cfg(test)]
mod tests {
    //! In this file since `PackedGrowth` is private.
    use super::*;

    #[test]
    fn a_policy_in_a_word_asks_for_the_same_pages_and_the_default_is_zero() {
        assert_eq!(PackedGrowth::new(Growth::THIRTY_SECOND).0, 0);
        let shifts = (0..40).map(|shift| Growth::Proportional { shift });
        let steps = [0, 1, 16, 65_536, u32::MAX].map(|pages| Growth::Step { pages });
        for growth in shifts.chain(steps).chain([Growth::Exact]) {
            for (needed, present) in [(1, 1), (1, 8), (3, 1000), (70, 65_536)] {
                let (needed, present) = (PageCount(needed), PageCount(present));
                let pages = growth.pages(needed, present).0;
                let decoded = PackedGrowth::new(growth).pages(needed, present).0;
                let differs_by = pages - decoded;
                assert!(
                    differs_by <= STEPS && (differs_by == 0 || decoded > 65_536),
                    "{growth:?}"
                );
            }
        }
    }
}
