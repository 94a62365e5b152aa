//! A block that nobody writes.

use crate::stamped::Request;
use core::alloc::Layout;
use core::hint::black_box;
use core::ptr::NonNull;
use std::alloc;

/// A live block, which is released when it is dropped.
pub(crate) struct UnwrittenBlock {
    start: NonNull<u8>,
    layout: Layout,
}

impl UnwrittenBlock {
    /// A block that is not zeroed, whatever the request says; none if the allocator refuses.
    pub(crate) fn make(request: Request) -> Option<Self> {
        let layout = Layout::from_size_align(request.size, request.align).ok()?;
        assert!(layout.size() > 0);
        // SAFETY: the size is not 0.
        let start = NonNull::new(unsafe { alloc::alloc(layout) })?;
        // Otherwise the compiler may leave out the allocation with its release.
        black_box(start);
        Some(UnwrittenBlock { start, layout })
    }
}

impl Drop for UnwrittenBlock {
    fn drop(&mut self) {
        // SAFETY: the block was allocated with this layout and is released once, here.
        unsafe { alloc::dealloc(self.start.as_ptr(), self.layout) }
    }
}
