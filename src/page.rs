//! Pages of 64 KiB, and the regions of linear memory that they make up.

/// log2 of [`PAGE_BYTES`].
pub(crate) const PAGE_SHIFT: u32 = 16;

/// The unit in which a linear memory grows: 65,536 bytes.
pub(crate) const PAGE_BYTES: u32 = 1 << PAGE_SHIFT;

/// The end of a region that reaches the top of the 32-bit address space.
///
/// A block must not end at 2^32, since the address behind it would wrap to 0; 8 bytes keep block sizes aligned.
pub(crate) const TOP_ADDRESS: u32 = 0u32.wrapping_sub(8);

/// A number of 64 KiB pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct PageCount(pub(crate) u32);

impl PageCount {
    /// The fewest pages that hold `bytes`, which must not be 0.
    pub(crate) const fn covering(bytes: u32) -> Self {
        PageCount(((bytes - 1) >> PAGE_SHIFT) + 1)
    }
}

/// A range of addresses: `start` is the first byte, `end` the first byte behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Region {
    pub(crate) start: u32,
    pub(crate) end: u32,
}

impl Region {
    /// The region of `pages` from page number `first`, less the last 8 bytes below 4 GiB.
    pub(crate) const fn of_pages(first: u32, pages: PageCount) -> Self {
        let start = first << PAGE_SHIFT;
        let end = start.wrapping_add(pages.0 << PAGE_SHIFT);
        Region {
            start,
            end: if end == 0 { TOP_ADDRESS } else { end },
        }
    }
}
