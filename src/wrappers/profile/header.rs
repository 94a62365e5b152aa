//! The header before each block: which row the block counts in, and since when.
//!
//! ```text
//!        what the allocator within hands out
//!        v
//!        +----------------------------+-----+------------+-----------------------+
//!        | nothing, for the alignment | row | generation | the caller's block    |
//!        +----------------------------+-----+------------+-----------------------+
//!                                     -8    -4           0
//! ```
//!
//! It takes 8 bytes, or the alignment if that is more. So a release finds its row in one read, and a block that moves takes
//! its header along.

use core::alloc::Layout;

/// What stands before a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// The index of the row that the block counts in.
    pub(super) row: u32,
    /// The number of the mark before which the block was made.
    pub(super) generation: u32,
}

impl Header {
    /// Of a block that counts nowhere, since there was no table when it was made.
    pub(super) const UNCOUNTED: Self = Header {
        row: u32::MAX,
        generation: 0,
    };

    /// The bytes from the start of what the allocator within hands out to the caller's block.
    #[inline]
    pub(super) const fn space(align: usize) -> usize {
        if align > size_of::<Header>() {
            align
        } else {
            size_of::<Header>()
        }
    }

    /// The layout to ask the allocator within for; none if it would be too large for one.
    #[inline]
    pub(super) fn around(layout: Layout) -> Option<Layout> {
        let size = layout.size().checked_add(Self::space(layout.align()))?;
        Layout::from_size_align(size, Self::align(layout.align())).ok()
    }

    /// The layout that [`around`](Self::around) has returned for a live block of this layout.
    ///
    /// # Safety
    ///
    /// `around` has returned a layout for `layout`.
    #[inline]
    pub(super) unsafe fn around_live(layout: Layout) -> Layout {
        let size = layout.size().wrapping_add(Self::space(layout.align()));
        // SAFETY: the same numbers made a layout when the block was made, as the caller promises.
        unsafe { Layout::from_size_align_unchecked(size, Self::align(layout.align())) }
    }

    const fn align(align: usize) -> usize {
        if align > align_of::<Header>() {
            align
        } else {
            align_of::<Header>()
        }
    }

    /// Reads the header before `block`.
    ///
    /// # Safety
    ///
    /// [`write`](Self::write) has written one there.
    #[inline]
    pub(super) unsafe fn read(block: *mut u8) -> Self {
        // SAFETY: it was written there, as the caller promises, and the caller of the allocator leaves it alone.
        unsafe { block.cast::<Header>().sub(1).read() }
    }

    /// Writes this header before `block`.
    ///
    /// # Safety
    ///
    /// `block` lies [`space`](Self::space) bytes after the start of a block of the layout that [`around`](Self::around) has
    /// returned, and nothing else uses the bytes in between.
    #[inline]
    pub(super) unsafe fn write(self, block: *mut u8) {
        // SAFETY: the space has the size of a header at least. Its start and its length are multiples of a header's
        // alignment, and so is the address 8 bytes before its end.
        unsafe { block.cast::<Header>().sub(1).write(self) }
    }
}

#[cfg(test)]
mod tests {
    use super::Header;
    use core::alloc::Layout;

    #[test]
    fn the_space_keeps_the_alignment_of_block_and_header() {
        for align in (0..12).map(|log2| 1 << log2) {
            let layout = Layout::from_size_align(100, align).unwrap();
            let around = Header::around(layout).unwrap();
            let space = Header::space(align);
            assert_eq!(around.size(), 100 + space);
            assert_eq!(space % align, 0);
            assert_eq!(around.align() % align, 0);
            assert_eq!((space - size_of::<Header>()) % align_of::<Header>(), 0);
            assert_eq!(around.align() % align_of::<Header>(), 0);
            // SAFETY: `around` has just returned a layout for it.
            assert_eq!(unsafe { Header::around_live(layout) }, around);
        }
    }

    #[test]
    fn a_layout_that_leaves_no_room_for_the_header_has_none() {
        let largest = Layout::from_size_align(isize::MAX as usize, 1).unwrap();
        assert_eq!(Header::around(largest), None);
        let nearly = Layout::from_size_align(isize::MAX as usize - 11, 1).unwrap();
        assert!(Header::around(nearly).is_some());
    }
}
