//! The smallest module that offers an allocator to its host: the functions of `GlobalAlloc`, and no others.
//!
//! Their names in the module start with `heap_`, since `realloc` is a name of the C library on WASI. A feature chooses
//! the allocator. The host checks in `module-checks` build this crate, look into the module and call its functions. For
//! other targets than wasm32 the crate is empty.
#![cfg(target_arch = "wasm32")]
#![cfg_attr(not(feature = "thread-host"), no_std)]

#[cfg(feature = "export-profile")]
mod profile;
#[cfg(feature = "report-errors")]
mod report;
#[cfg(feature = "thread-host")]
mod thread_host;

use core::alloc::{GlobalAlloc, Layout};

#[cfg(feature = "checked")]
use freeing_bump::CheckedFreeingBump as Allocator;
#[cfg(feature = "freeing-bump")]
use freeing_bump::FreeingBump as Allocator;
#[cfg(feature = "tiny")]
use freeing_bump::TinyFreeingBump as Allocator;

/// The most pages that the memory may have with the feature `ceiling`.
#[cfg(feature = "ceiling")]
pub const CEILING_PAGES: u32 = 40;

#[cfg(not(any(feature = "report-errors", feature = "ceiling", feature = "profiled")))]
#[global_allocator]
static ALLOCATOR: Allocator = Allocator::new();

#[cfg(feature = "profiled")]
#[global_allocator]
static ALLOCATOR: freeing_bump::Profiled<Allocator> = freeing_bump::Profiled::new(Allocator::new(), place);

/// What the host has set.
#[cfg(feature = "profiled")]
static PLACE: core::sync::atomic::AtomicU32 = core::sync::atomic::AtomicU32::new(0);

#[cfg(feature = "profiled")]
fn place(_: Layout) -> u64 {
    PLACE.load(core::sync::atomic::Ordering::Relaxed).into()
}

/// Sets the place at which blocks are made from now on.
#[cfg(feature = "profiled")]
#[unsafe(no_mangle)]
pub extern "C" fn set_place(place: u32) {
    PLACE.store(place, core::sync::atomic::Ordering::Relaxed);
}

#[cfg(all(feature = "ceiling", not(feature = "report-errors")))]
#[global_allocator]
static ALLOCATOR: Allocator = Allocator::new().with_max_pages(CEILING_PAGES);

#[cfg(feature = "report-errors")]
#[global_allocator]
static ALLOCATOR: Allocator = Allocator::with_error_handler(report::keep_and_trap);

/// `GlobalAlloc::alloc`.
///
/// # Safety
///
/// `size` and `align` must make a layout.
#[unsafe(export_name = "heap_alloc")]
pub unsafe extern "C" fn alloc(size: usize, align: usize) -> *mut u8 {
    // SAFETY: the host keeps the contract of this function.
    unsafe { ALLOCATOR.alloc(Layout::from_size_align_unchecked(size, align)) }
}

/// `GlobalAlloc::alloc_zeroed`.
///
/// # Safety
///
/// As for [`alloc`].
#[unsafe(export_name = "heap_alloc_zeroed")]
pub unsafe extern "C" fn alloc_zeroed(size: usize, align: usize) -> *mut u8 {
    // SAFETY: the host keeps the contract of this function.
    unsafe { ALLOCATOR.alloc_zeroed(Layout::from_size_align_unchecked(size, align)) }
}

/// `GlobalAlloc::realloc`.
///
/// # Safety
///
/// `block` must be live and of this layout; `new_size` and `align` must make a layout. A host that breaks this on
/// purpose does so only with `CheckedFreeingBump`, which defends itself.
#[unsafe(export_name = "heap_realloc")]
pub unsafe extern "C" fn realloc(block: *mut u8, size: usize, align: usize, new_size: usize) -> *mut u8 {
    // SAFETY: the host keeps the contract of this function.
    unsafe {
        let layout = Layout::from_size_align_unchecked(size, align);
        ALLOCATOR.realloc(block, layout, new_size)
    }
}

/// `GlobalAlloc::dealloc`.
///
/// # Safety
///
/// As for [`realloc`].
#[unsafe(export_name = "heap_dealloc")]
pub unsafe extern "C" fn dealloc(block: *mut u8, size: usize, align: usize) {
    // SAFETY: the host keeps the contract of this function.
    unsafe { ALLOCATOR.dealloc(block, Layout::from_size_align_unchecked(size, align)) }
}

/// Which part of the free memory lies outside the largest free block.
#[cfg(feature = "walk")]
#[unsafe(export_name = "heap_fragmentation")]
pub extern "C" fn fragmentation() -> f64 {
    let mut summary = freeing_bump::HeapSummary::default();
    ALLOCATOR.walk(|range| summary.add(range));
    summary.fragmentation()
}

/// Whether the allocator refuses everything.
#[cfg(feature = "report-errors")]
#[unsafe(no_mangle)]
pub extern "C" fn is_poisoned() -> bool {
    ALLOCATOR.is_poisoned()
}

/// `malloc` of the C library, which has its own heap in the same memory; with the feature `malloc`, that of the crate.
#[cfg(feature = "libc")]
#[unsafe(no_mangle)]
pub extern "C" fn libc_malloc(size: usize) -> *mut u8 {
    // Here this comes before the crate's own functions, in whose place the linker would then take those of the C library.
    #[cfg_attr(not(feature = "malloc"), link(name = "c"))]
    unsafe extern "C" {
        fn malloc(size: usize) -> *mut u8;
    }
    // SAFETY: `malloc` may be called with any size.
    unsafe { malloc(size) }
}

// In a build for threads there is the standard library, which has one.
#[cfg(not(any(all(feature = "threads", target_os = "wasi"), feature = "thread-host")))]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    core::arch::wasm32::unreachable()
}
