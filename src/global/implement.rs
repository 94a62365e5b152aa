//! How a heap that does not check becomes a global allocator.

use crate::heaps::Request;
use core::alloc::Layout;

/// The request that a layout makes.
pub(super) fn request(layout: Layout) -> Request {
    Request {
        size: layout.size() as u32,
        align: layout.align() as u32,
    }
}

/// Implements `GlobalAlloc` for a type with a field `heap: SingleThreaded<impl UncheckedHeap>`.
macro_rules! implement_global_alloc {
    ($name:ident) => {
        // SAFETY: an `UncheckedHeap` hands out disjoint blocks, at least as large and aligned as asked for, and never panics.
        unsafe impl core::alloc::GlobalAlloc for $name {
            #[inline]
            unsafe fn alloc(&self, layout: core::alloc::Layout) -> *mut u8 {
                let request = crate::global::implement::request(layout);
                // SAFETY: the call runs no code of the user.
                let address = unsafe { self.heap.with(|heap| heap.allocate(request)) };
                crate::memory::linear::pointer(address)
            }

            #[inline]
            unsafe fn alloc_zeroed(&self, layout: core::alloc::Layout) -> *mut u8 {
                let request = crate::global::implement::request(layout);
                // SAFETY: the call runs no code of the user.
                let address = unsafe { self.heap.with(|heap| heap.allocate_zeroed(request)) };
                crate::memory::linear::pointer(address)
            }

            #[inline]
            unsafe fn dealloc(&self, ptr: *mut u8, layout: core::alloc::Layout) {
                let block = crate::memory::linear::address(ptr);
                let request = crate::global::implement::request(layout);
                // SAFETY: the caller gives back a block with the layout that it was allocated with. The call runs no code of
                // the user.
                unsafe { self.heap.with(|heap| heap.deallocate(block, request)) }
            }

            #[inline]
            unsafe fn realloc(&self, ptr: *mut u8, layout: core::alloc::Layout, new_size: usize) -> *mut u8 {
                let block = crate::memory::linear::address(ptr);
                let request = crate::global::implement::request(layout);
                // SAFETY: the caller passes a live block with its layout. The call runs no code of the user.
                let address = unsafe {
                    self.heap
                        .with(|heap| heap.reallocate(block, request, new_size as u32))
                };
                crate::memory::linear::pointer(address)
            }
        }
    };
}

pub(super) use implement_global_alloc;
