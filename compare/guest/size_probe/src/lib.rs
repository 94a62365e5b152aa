//! The program whose module is as small as its allocator allows: three exports that pass each call on.
//!
//! The code size of an allocator is the size of this module less its size with an allocator that always fails.
#![no_std]

#[cfg(target_arch = "wasm32")]
mod exports {
    extern crate alloc;
    use alloc::alloc as global;
    use core::alloc::Layout;

    /// # Safety
    ///
    /// `size` is not 0, `align` is a power of two, and `size` rounded up to it does not exceed `isize::MAX`.
    #[unsafe(export_name = "alloc")]
    unsafe extern "C" fn alloc(size: usize, align: usize) -> *mut u8 {
        // SAFETY: the host passes a size and an alignment that make a layout.
        unsafe { global::alloc(Layout::from_size_align_unchecked(size, align)) }
    }

    /// # Safety
    ///
    /// `block` is live and was allocated with this size and alignment.
    #[unsafe(export_name = "dealloc")]
    unsafe extern "C" fn dealloc(block: *mut u8, size: usize, align: usize) {
        // SAFETY: the host passes a live block with its layout.
        unsafe { global::dealloc(block, Layout::from_size_align_unchecked(size, align)) }
    }

    /// # Safety
    ///
    /// As for `dealloc` and, with `new_size`, for `alloc`.
    #[unsafe(export_name = "realloc")]
    unsafe extern "C" fn realloc(block: *mut u8, size: usize, align: usize, new_size: usize) -> *mut u8 {
        // SAFETY: the host passes a live block with its layout, and a new size that makes a layout.
        unsafe { global::realloc(block, Layout::from_size_align_unchecked(size, align), new_size) }
    }
}
