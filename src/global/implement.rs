//! How a heap that does not check becomes a global allocator.

/// Implements `GlobalAlloc` for a type with a field `heap: SingleThreaded<impl Heap>`.
macro_rules! global_allocator {
    ($name:ident) => {
        // SAFETY: a `Heap` hands out disjoint blocks, at least as large and aligned as asked for, and never panics. Its
        // calls run no code of the user, which is all that `SingleThreaded::with` asks for.
        unsafe impl core::alloc::GlobalAlloc for $name {
            #[inline]
            unsafe fn alloc(&self, layout: core::alloc::Layout) -> *mut u8 {
                let (size, align) = (layout.size() as u32, layout.align() as u32);
                // SAFETY: see above.
                let address = unsafe { self.heap.with(|heap| heap.allocate(&mut ThisModule, size, align)) };
                pointer(address)
            }

            #[inline]
            unsafe fn alloc_zeroed(&self, layout: core::alloc::Layout) -> *mut u8 {
                let (size, align) = (layout.size() as u32, layout.align() as u32);
                // SAFETY: see above.
                let address = unsafe {
                    self.heap
                        .with(|heap| heap.allocate_zeroed(&mut ThisModule, size, align))
                };
                pointer(address)
            }

            #[inline]
            unsafe fn dealloc(&self, ptr: *mut u8, layout: core::alloc::Layout) {
                let (size, align) = (layout.size() as u32, layout.align() as u32);
                // SAFETY: see above; the caller gives back a block with the layout that it was allocated with.
                unsafe {
                    self.heap
                        .with(|heap| heap.deallocate(&mut ThisModule, address(ptr), size, align))
                }
            }

            #[inline]
            unsafe fn realloc(&self, ptr: *mut u8, layout: core::alloc::Layout, new_size: usize) -> *mut u8 {
                let (size, align) = (layout.size() as u32, layout.align() as u32);
                // SAFETY: as for `dealloc`.
                let address = unsafe {
                    self.heap
                        .with(|heap| heap.reallocate(&mut ThisModule, address(ptr), size, align, new_size as u32))
                };
                pointer(address)
            }
        }
    };
}

pub(crate) use global_allocator;
