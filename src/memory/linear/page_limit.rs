//! The most pages that a memory may grow to. Arithmetic only.

use crate::memory::{ALL_PAGES, PageCount};

/// A limit on a memory's pages, in a word that holds how many fewer than all it allows: a heap without a limit begins as
/// zeros, which take no room in a module.
#[derive(Clone, Copy)]
pub(crate) struct PageLimit(u32);

impl PageLimit {
    /// All the pages that there can be.
    pub(crate) const NONE: Self = PageLimit(0);

    /// At most `pages` pages.
    #[cfg(any(target_arch = "wasm32", test))]
    pub(crate) const fn new(pages: u32) -> Self {
        PageLimit(ALL_PAGES.saturating_sub(pages))
    }

    /// Whether a memory of this `size` may add these `pages`.
    pub(crate) fn allows(self, pages: PageCount, size: PageCount) -> bool {
        // With 64 bits, since a step of the growth policy can be any number of 32.
        i64::from(pages.0) <= i64::from(self.room(size))
    }

    /// How many of the `wanted` pages a memory of this `size` may add; none if it may not add those that are `needed`.
    pub(crate) fn cut(self, wanted: PageCount, needed: PageCount, size: PageCount) -> Option<PageCount> {
        self.allows(needed, size)
            .then(|| wanted.min(PageCount(self.room(size) as u32)))
    }

    /// How many pages a memory of this `size` may add; negative where others have grown it above the limit. A subtraction
    /// that stops at 0 would take 12 bytes of code more (Rust 1.95, opt-level "z").
    fn room(self, size: PageCount) -> i32 {
        ALL_PAGES.wrapping_sub(self.0 + size.0) as i32
    }
}

#[cfg(test)]
mod tests {
    //! In this file since `PageLimit` is private.
    use super::*;

    fn cut(limit: PageLimit, wanted: u32, needed: u32, size: u32) -> Option<u32> {
        limit
            .cut(PageCount(wanted), PageCount(needed), PageCount(size))
            .map(|pages| pages.0)
    }

    #[test]
    fn a_step_ends_at_the_limit_and_nothing_goes_beyond_it() {
        let limit = PageLimit::new(100);
        assert_eq!(cut(limit, 10, 3, 80), Some(10));
        assert_eq!(cut(limit, 10, 3, 90), Some(10));
        assert_eq!(cut(limit, 10, 3, 91), Some(9));
        assert_eq!(cut(limit, u32::MAX, 3, 97), Some(3));
        assert_eq!(cut(limit, 10, 3, 98), None);
        assert_eq!(cut(limit, 10, 1, 100), None);
    }

    #[test]
    fn as_many_pages_are_allowed_as_lie_below_the_limit() {
        let limit = PageLimit::new(100);
        for (pages, size, allowed) in [
            (20, 80, true),
            (21, 80, false),
            (u32::MAX, 80, false),
            (1, 100, false),
            (1, 101, false),
            (u32::MAX, 101, false),
        ] {
            assert_eq!(
                limit.allows(PageCount(pages), PageCount(size)),
                allowed,
                "{pages} pages after {size}"
            );
        }
    }

    #[test]
    fn a_memory_that_others_have_grown_above_the_limit_grows_no_more() {
        for size in [101, 30_000, 65_536] {
            assert_eq!(cut(PageLimit::new(100), 10, 1, size), None);
            assert_eq!(cut(PageLimit::new(0), u32::MAX, 65_536, size), None);
        }
    }

    #[test]
    fn no_limit_is_zero_and_the_same_as_all_pages_or_more() {
        for limit in [PageLimit::NONE, PageLimit::new(65_536), PageLimit::new(u32::MAX)] {
            assert_eq!(limit.0, 0);
            assert_eq!(cut(limit, u32::MAX, 1, 1), Some(65_535));
            assert_eq!(cut(limit, 1, 1, 65_536), None);
        }
    }
}
