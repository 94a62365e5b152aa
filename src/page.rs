//! Pages of 64 KiB, and the regions of linear memory that they make up. Arithmetic only.

/// The unit in which a linear memory grows: 65,536 bytes.
pub(crate) const PAGE_BYTES: u32 = 1 << PAGE_SHIFT;

/// log2 of [`PAGE_BYTES`].
pub(crate) const PAGE_SHIFT: u32 = 16;

/// A number of 64 KiB pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct PageCount(pub(crate) u32);

impl PageCount {
    /// The fewest pages that hold `bytes`, which must not be 0. Cannot overflow: at most 65,536.
    pub(crate) const fn covering(bytes: u32) -> Self {
        PageCount(((bytes - 1) >> PAGE_SHIFT) + 1)
    }
}

/// A range of addresses: `start` is the first byte, `end` the first byte behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Region {
    /// The first byte, a multiple of 8.
    pub(crate) start: u32,
    /// The first byte behind, a multiple of 8. A region that reaches the top of the address space ends at 2^32, which
    /// is 0 in 32 bits: compare lengths, `end - start` modulo 2^32, and never addresses with `end`.
    pub(crate) end: u32,
}

impl Region {
    /// The pages from number `first` to the one before number `end`.
    pub(crate) const fn of_pages(first: u32, end: u32) -> Self {
        Region {
            start: first << PAGE_SHIFT,
            end: end << PAGE_SHIFT,
        }
    }
}

#[cfg(test)]
mod tests {
    //! In this file since `PageCount` and `Region` are private.
    use super::*;

    #[test]
    fn page_counts_cover_their_bytes_exactly() {
        assert_eq!(PageCount::covering(1), PageCount(1));
        assert_eq!(PageCount::covering(PAGE_BYTES), PageCount(1));
        assert_eq!(PageCount::covering(PAGE_BYTES + 1), PageCount(2));
        assert_eq!(PageCount::covering(u32::MAX), PageCount(65_536));
    }

    #[test]
    fn a_region_that_reaches_four_gib_ends_at_zero_and_keeps_its_length() {
        let region = Region::of_pages(65_534, 65_536);
        assert_eq!(
            region,
            Region {
                start: 0xFFFE_0000,
                end: 0
            }
        );
        assert_eq!(region.end.wrapping_sub(region.start), 2 * PAGE_BYTES);
    }
}
