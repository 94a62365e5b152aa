//! One block straight from the global allocator, with a mark by which an overlap is noticed.

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error, realloc};

/// A live block; its first byte holds its mark.
///
/// Nothing more is written: what a program does with its blocks costs the same with every allocator, and would hide the
/// allocator's share.
pub struct Block {
    start: *mut u8,
    layout: Layout,
    mark: u8,
}

impl Block {
    /// Allocates `size` bytes, at least 1, at a multiple of `align`, a power of two.
    #[inline]
    pub fn new(size: usize, align: usize, mark: u8) -> Self {
        debug_assert!(Layout::from_size_align(size, align).is_ok());
        // SAFETY: workloads pass powers of two as alignments, and sizes far below `isize::MAX`.
        let layout = unsafe { Layout::from_size_align_unchecked(size, align) };
        // SAFETY: every workload asks for at least 1 byte.
        let start = unsafe { alloc(layout) };
        Block::marked(start, layout, mark)
    }

    /// Resizes the block to `size` bytes, at least 1; its first byte keeps its value.
    #[inline]
    pub fn resized(self, size: usize) -> Self {
        // SAFETY: the block is live with this layout, and the size is not 0 and far below `isize::MAX`.
        let start = unsafe { realloc(self.start, self.layout, size) };
        // SAFETY: as for a new block, whose alignment it keeps.
        let layout = unsafe { Layout::from_size_align_unchecked(size, self.layout.align()) };
        if !start.is_null() {
            // SAFETY: the block has at least 1 byte.
            let kept = unsafe { start.read() };
            assert!(kept == self.mark, "a resized block lost its first byte");
        }
        Block::marked(start, layout, self.mark)
    }

    /// Releases the block; returns its mark.
    #[inline]
    pub fn release(self) -> u64 {
        // SAFETY: the block is live, has at least 1 byte, and this was its last use.
        unsafe {
            let mark = self.start.read();
            dealloc(self.start, self.layout);
            u64::from(mark)
        }
    }

    #[inline]
    fn marked(start: *mut u8, layout: Layout, mark: u8) -> Self {
        if start.is_null() {
            handle_alloc_error(layout);
        }
        // SAFETY: the allocator just returned a block of this layout, which has at least 1 byte.
        unsafe { start.write(mark) };
        Block { start, layout, mark }
    }
}
