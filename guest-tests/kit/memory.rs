//! The memory of the module that the tests are compiled into, and pages of it that the allocator does not own.

use crate::pattern;
use core::arch::wasm32::{memory_grow, memory_size};
use core::slice;

/// The unit in which a linear memory grows.
pub const PAGE_BYTES: usize = 1 << 16;

/// The number of pages that the memory has now.
pub fn memory_pages() -> usize {
    memory_size::<0>()
}

/// Runs `round` for `settling` times, then for `more` times, in which the memory must not grow.
///
/// # Panics
///
/// When the memory grows in one of the later rounds.
#[track_caller]
pub fn assert_no_growth(settling: usize, more: usize, mut round: impl FnMut()) {
    for _ in 0..settling {
        round();
    }
    let pages = memory_pages();
    for _ in 0..more {
        round();
    }
    assert_eq!(
        memory_pages(),
        pages,
        "{more} repetitions of the same work must not need more memory than the first {settling}"
    );
}

/// Pages that a test has added to the memory by itself, as another library in the module may.
pub struct ForeignPages {
    bytes: &'static [u8],
    fill: u8,
}

impl ForeignPages {
    /// Grows the memory by `pages` and fills them with `fill`.
    ///
    /// # Panics
    ///
    /// When the engine refuses to grow the memory.
    pub fn grow(pages: usize, fill: u8) -> Self {
        let start = core::ptr::with_exposed_provenance_mut::<u8>(grow(pages) * PAGE_BYTES);
        let size = pages * PAGE_BYTES;
        // SAFETY: the engine has just made these pages for this caller; they are zero, and no other code knows them.
        let bytes = unsafe { slice::from_raw_parts_mut(start, size) };
        pattern::write(bytes, 0, fill);
        ForeignPages { bytes, fill }
    }

    /// Grows the memory by `pages` that nothing reads or writes.
    ///
    /// # Panics
    ///
    /// When the engine refuses to grow the memory.
    pub fn grow_untouched(pages: usize) {
        grow(pages);
    }

    /// Compares every byte with what was written there.
    ///
    /// # Panics
    ///
    /// When a byte differs.
    pub fn check(&self) {
        pattern::check(self.bytes, self.fill);
    }
}

fn grow(pages: usize) -> usize {
    let first_page = memory_grow::<0>(pages);
    assert_ne!(
        first_page,
        usize::MAX,
        "the engine refused to grow the memory by {pages} pages"
    );
    first_page
}
