//! C's functions for memory, over the heap that Rust's global allocator uses: a block from either side may be released by the
//! other.
//!
//! A block for `n` bytes is one for `Layout::from_size_align(n.max(1), 16)`. So Rust may release it with a layout of the same
//! size and any alignment up to 16, or with the greater alignment that `aligned_alloc` and the like were asked for. The other
//! way round nothing is needed: the heap finds the size of every block from its address.
//!
//! On WASI these functions, with those under the names by which wasi-libc calls them, take the place of all that its
//! `dlmalloc.c` defines, which is then no part of the module.

use super::shared_heap::{follow_the_global_allocator, with_heap};
use crate::heaps::merging::MergingHeap;
use crate::heaps::{Request, UncheckedHeap};
use crate::memory::linear::{ThisModule, address, pointer};
use core::arch::wasm32;
use core::ffi::{c_int, c_void};
use core::ptr;

/// The alignment of every block: that of C's `max_align_t` on wasm32.
const ALIGN: usize = 16;

/// "Out of memory" and "invalid argument", as wasi-libc's `errno.h` has them.
const ENOMEM: c_int = 48;
const EINVAL: c_int = 28;

/// A block of at least so many bytes, aligned to 16: also for 0 bytes, each time another one. Null, and `errno` is `ENOMEM`,
/// if there is no memory for it.
#[unsafe(no_mangle)]
pub extern "C" fn malloc(bytes: usize) -> *mut c_void {
    allocate(bytes, ALIGN, UncheckedHeap::allocate)
}

/// As [`malloc`] for `count * bytes` bytes, all of them 0. Null too if that product has more than 32 bits.
#[unsafe(no_mangle)]
pub extern "C" fn calloc(count: usize, bytes: usize) -> *mut c_void {
    // No block has `usize::MAX` bytes.
    allocate(count.saturating_mul(bytes), ALIGN, UncheckedHeap::allocate_zeroed)
}

/// A block of at least so many bytes, aligned to 16, that begins with those of `block` as far as both go. `block` is released
/// if it is another one. Null, and `errno` is `ENOMEM`, if there is no memory for it, and then `block` is as before. For null
/// it is [`malloc`]. For 0 bytes the block is the smallest one.
///
/// # Safety
///
/// `block` must be null, or live.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn realloc(block: *mut c_void, bytes: usize) -> *mut c_void {
    if block.is_null() {
        return malloc(bytes);
    }
    let Some(request) = request(bytes, ALIGN) else {
        return refuse(ENOMEM);
    };
    let block = address(block.cast());
    // SAFETY: the caller passes a live block. The heap runs no code of the user.
    match unsafe { with_heap(|heap| heap.resize(block, request)) } {
        0 => refuse(ENOMEM),
        block => pointer(block).cast(),
    }
}

/// Takes back a block; nothing for null.
///
/// Traps for an address below the heap, as of the stack, of static data or of a string literal. In memory that is no run of
/// small blocks it traps also for an address that is no multiple of 16, and mostly for a block that was released before.
/// Nothing else is noticed.
///
/// # Safety
///
/// `block` must be null, or live.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn free(block: *mut c_void) {
    // SAFETY: the caller gives up the block. The heap runs no code of the user.
    if !block.is_null() && unsafe { !with_heap(|heap| heap.release(address(block.cast()))) } {
        wasm32::unreachable();
    }
}

/// A block of at least so many bytes at a multiple of `align`, which must be a power of two, and of 16. Null, and
/// `errno` is `EINVAL` or `ENOMEM`, if it is none or there is no memory.
#[unsafe(no_mangle)]
pub extern "C" fn aligned_alloc(align: usize, bytes: usize) -> *mut c_void {
    if !align.is_power_of_two() {
        return refuse(EINVAL);
    }
    allocate(bytes, align.max(ALIGN), UncheckedHeap::allocate)
}

/// As [`aligned_alloc`].
#[unsafe(no_mangle)]
pub extern "C" fn memalign(align: usize, bytes: usize) -> *mut c_void {
    aligned_alloc(align, bytes)
}

/// Writes the address of a block as [`aligned_alloc`] returns it to `block`, and returns 0. Or returns `EINVAL` or
/// `ENOMEM`, and leaves what is at `block`. `align` must also be a multiple of the size of a pointer.
///
/// # Safety
///
/// `block` must point to a pointer that may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn posix_memalign(block: *mut *mut c_void, align: usize, bytes: usize) -> c_int {
    if align < size_of::<*mut c_void>() || !align.is_power_of_two() {
        return EINVAL;
    }
    let new_block = aligned_alloc(align, bytes);
    if new_block.is_null() {
        return ENOMEM;
    }
    // SAFETY: the caller passes where the address may be written.
    unsafe { block.write(new_block) };
    0
}

/// How many bytes of a block may be used: at least what it was asked for with. 0 for null.
///
/// # Safety
///
/// `block` must be null, or live.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn malloc_usable_size(block: *mut c_void) -> usize {
    if block.is_null() {
        return 0;
    }
    // SAFETY: the caller passes a live block. The heap runs no code of the user.
    unsafe { with_heap(|heap| heap.bytes_of(address(block.cast()))) as usize }
}

/// What `serve` has for so many bytes; null, with `errno` set, if it has none.
#[inline]
fn allocate(
    bytes: usize,
    align: usize,
    serve: impl FnOnce(&mut MergingHeap<ThisModule>, Request) -> u32,
) -> *mut c_void {
    follow_the_global_allocator();
    if let Some(request) = request(bytes, align) {
        // SAFETY: the heap runs no code of the user.
        let block = unsafe { with_heap(|heap| serve(heap, request)) };
        if block != 0 {
            return pointer(block).cast();
        }
    }
    refuse(ENOMEM)
}

/// The request for so many bytes, one at least, or none if they are more than a `Layout` may have.
const fn request(bytes: usize, align: usize) -> Option<Request> {
    if bytes > isize::MAX as usize - (align - 1) {
        return None;
    }
    Some(Request {
        // 12 bytes of code less than a branch.
        size: bytes as u32 | (bytes == 0) as u32,
        align: align as u32,
    })
}

/// Null, after `errno` was set on WASI. Elsewhere there is no `errno`: what the C code has there is its own.
#[cold]
fn refuse(error: c_int) -> *mut c_void {
    #[cfg(target_os = "wasi")]
    {
        #[link(name = "c")]
        unsafe extern "C" {
            safe fn __errno_location() -> *mut c_int;
        }
        // SAFETY: wasi-libc returns the address of this thread's `errno`.
        unsafe { __errno_location().write(error) };
    }
    #[cfg(not(target_os = "wasi"))]
    let _ = error;
    ptr::null_mut()
}

/// What wasi-libc calls these functions within itself. All that its `dlmalloc.c` defines must be defined here: if one name were
/// missing, the linker would take that file for it, and find the others twice.
#[cfg(target_os = "wasi")]
mod within_wasi_libc {
    use super::c_void;

    #[unsafe(no_mangle)]
    extern "C" fn __libc_malloc(bytes: usize) -> *mut c_void {
        super::malloc(bytes)
    }

    #[unsafe(no_mangle)]
    extern "C" fn __libc_calloc(count: usize, bytes: usize) -> *mut c_void {
        super::calloc(count, bytes)
    }

    #[unsafe(no_mangle)]
    unsafe extern "C" fn __libc_free(block: *mut c_void) {
        // SAFETY: the C library gives up a live block, or null.
        unsafe { super::free(block) }
    }
}
