//! How much memory to ask the engine for at a time. Arithmetic only.

use super::page::PageCount;

/// How many pages of 64 KiB a heap adds when it needs some.
///
/// One `memory.grow` costs 50 to 75 microseconds in V8 up to version 12, and 0.3 to 1.5 in V8 14 and 15, whatever the
/// number of pages. So old engines favour few large steps. On today's V8 a step of a sixteenth, a thirty-second, a
/// sixty-fourth and the exact need take the same time on this repository's workloads. Beside the sixteenth, the others
/// take 0.98, 0.97 and 0.97 of the memory.
///
/// Whatever the policy, a heap adds at least what the request at hand needs, and when the engine refuses more than that,
/// exactly that. In `FreeingBump` a large block needs also the space that stays free beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Growth {
    /// The memory's present size, divided by 2 to the power of `shift`: 0 doubles it, 3 adds an eighth. In
    /// `CheckedFreeingBump` that is the size up to the end of the heap's own pages, in `FreeingBump` the whole.
    Proportional {
        /// log2 of the divisor; from 32 on the same as [`Exact`](Self::Exact).
        shift: u32,
    },
    /// Only what the request at hand needs.
    Exact,
    /// A fixed number of pages.
    Step {
        /// Pages of 64 KiB.
        pages: u32,
    },
}

impl Growth {
    /// Doubles the memory, as the host-side allocators of the freeing-bump family do.
    pub const DOUBLING: Growth = Growth::Proportional { shift: 0 };

    /// Adds an eighth of the memory's present size: what `CheckedFreeingBump` does by default.
    pub const EIGHTH: Growth = Growth::Proportional { shift: 3 };

    /// Adds a sixteenth of the memory's present size.
    pub const SIXTEENTH: Growth = Growth::Proportional { shift: 4 };

    /// Adds a thirty-second of the memory's present size: what `FreeingBump` does by default.
    pub const THIRTY_SECOND: Growth = Growth::Proportional { shift: 5 };

    /// The pages to ask for first when `needed` are lacking and the memory has `present`.
    pub(crate) fn pages(self, needed: PageCount, present: PageCount) -> PageCount {
        let wanted = match self {
            Growth::Proportional { shift } => present.0.checked_shr(shift).unwrap_or(0),
            Growth::Exact => 0,
            Growth::Step { pages } => pages,
        };
        PageCount(wanted).max(needed)
    }
}

#[cfg(test)]
mod tests {
    //! In this file since `Growth::pages` is private.
    use super::*;

    fn pages(growth: Growth, needed: u32, present: u32) -> u32 {
        growth.pages(PageCount(needed), PageCount(present)).0
    }

    #[test]
    fn each_policy_asks_for_its_share_and_never_for_less_than_is_needed() {
        assert_eq!(pages(Growth::DOUBLING, 3, 10), 10);
        assert_eq!(pages(Growth::DOUBLING, 30, 10), 30);
        assert_eq!(pages(Growth::EIGHTH, 1, 80), 10);
        assert_eq!(pages(Growth::EIGHTH, 1, 7), 1);
        assert_eq!(pages(Growth::Proportional { shift: 99 }, 2, 65_536), 2);
        assert_eq!(pages(Growth::Exact, 5, 1000), 5);
        assert_eq!(pages(Growth::Step { pages: 16 }, 5, 1000), 16);
        assert_eq!(pages(Growth::Step { pages: 16 }, 50, 1000), 50);
    }
}
