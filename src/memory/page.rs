//! Pages of 64 KiB. Arithmetic only.

/// The unit in which a linear memory grows: 65,536 bytes.
pub(crate) const PAGE_BYTES: u32 = 1 << PAGE_SHIFT;

/// log2 of [`PAGE_BYTES`].
pub(crate) const PAGE_SHIFT: u32 = 16;

/// The pages that 32-bit addresses reach.
#[cfg(any(target_arch = "wasm32", test, fuzzing))]
pub(crate) const ALL_PAGES: u32 = 1 << (u32::BITS - PAGE_SHIFT);

/// A number of 64 KiB pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct PageCount(pub(crate) u32);

impl PageCount {
    /// The fewest pages that hold `bytes`, which must not be 0. Cannot overflow: at most 65,536.
    pub(crate) const fn covering(bytes: u32) -> Self {
        PageCount(((bytes - 1) >> PAGE_SHIFT) + 1)
    }
}

#[cfg(test)]
mod tests {
    //! In this file since `PageCount` is private.
    use super::*;

    #[test]
    fn page_counts_cover_their_bytes_exactly() {
        assert_eq!(PageCount::covering(1), PageCount(1));
        assert_eq!(PageCount::covering(PAGE_BYTES), PageCount(1));
        assert_eq!(PageCount::covering(PAGE_BYTES + 1), PageCount(2));
        assert_eq!(PageCount::covering(u32::MAX), PageCount(65_536));
    }
}
