//! The memory of the module that this code is compiled into. This file owns `memory.grow`, and the symbols of the linker that
//! bound the initial memory.

use super::linear_memory::{LinearMemory, Region};
use crate::memory::PageCount;
use core::arch::wasm32;
use core::ptr;

/// The memory of this module: from `__heap_base` to the end of the initial memory, then what `memory.grow` adds.
///
/// On WASI the C library's allocator owns the initial memory, so that only `memory.grow` is used there. With the feature `malloc`
/// there is no such allocator.
#[cfg_attr(for_threads, derive(Clone))]
pub(crate) struct ThisModule;

// SAFETY: the linker puts the stack and all static data below `__heap_base`, which it aligns to 16, and ends the
// initial memory at `__heap_end`, a multiple of 64 KiB. `memory.grow` adds new pages after all others,
// and the engine fills them with zeros. Pages that other code adds are returned to that code and never here.
// A linear memory never shrinks.
unsafe impl LinearMemory for ThisModule {
    fn initial_region(&self) -> Region {
        unsafe extern "C" {
            safe static __heap_base: u8;
            safe static __heap_end: u8;
        }
        let end = (&raw const __heap_end).addr() as u32;
        let start = if cfg!(all(target_os = "wasi", not(feature = "malloc"))) {
            end
        } else {
            (&raw const __heap_base).addr() as u32
        };
        Region { start, end }
    }

    fn size(&self) -> PageCount {
        if cfg!(for_threads) {
            // V8 keeps the memory's size in each thread, and has `memory.size` tell that one. A growth by nothing tells how large the
            // memory is, and has the thread keep that.
            PageCount(wasm32::memory_grow::<0>(0) as u32)
        } else {
            PageCount(wasm32::memory_size::<0>() as u32)
        }
    }

    fn grow(&mut self, pages: PageCount) -> Option<Region> {
        match wasm32::memory_grow::<0>(pages.0 as usize) {
            usize::MAX => None,
            // Another thread may have added pages after these.
            first if cfg!(for_threads) => Some(Region::of_pages(first as u32, first as u32 + pages.0)),
            first => Some(Region::of_pages(first as u32, self.size().0)),
        }
    }

    unsafe fn read_word(&self, address: u32, offset: u32) -> u32 {
        // SAFETY: the caller passes the place of an aligned word inside the memory, which never shrinks.
        unsafe { pointer(address).add(offset as usize).cast::<u32>().read() }
    }

    unsafe fn write_word(&mut self, address: u32, offset: u32, word: u32) {
        // SAFETY: the caller passes the place of an aligned word that belongs to its heap alone.
        unsafe { pointer(address).add(offset as usize).cast::<u32>().write(word) }
    }

    unsafe fn copy(&mut self, from: u32, to: u32, bytes: u32) {
        // SAFETY: the caller passes two ranges of its heap that do not overlap.
        unsafe { ptr::copy_nonoverlapping(pointer(from), pointer(to), bytes as usize) }
    }

    unsafe fn clear(&mut self, address: u32, bytes: u32) {
        // SAFETY: the caller passes a range that belongs to its heap alone.
        unsafe { pointer(address).write_bytes(0, bytes as usize) }
    }

    unsafe fn clear_small(&mut self, address: u32, bytes: u32) {
        let mut word = pointer(address).cast::<u64>();
        // SAFETY: the caller passes a range of whole words that belongs to its heap alone.
        let end = unsafe { word.byte_add(bytes as usize) };
        while word != end {
            // Volatile, since the compiler would make a `memory.fill` of the loop, whose call costs more.
            // SAFETY: the word lies in the range.
            unsafe { word.write_volatile(0) };
            // SAFETY: the next word lies in the range, or the range ends here.
            word = unsafe { word.add(1) };
        }
    }
}

/// The pointer to an address of this module's memory, null for 0.
///
/// Blocks come from no Rust allocation: their pointers are made from integers, with the exposed provenance of the
/// memory as a whole.
///
/// That is where strict provenance ends, and where Miri cannot go: it has neither `memory.grow` nor the linker's
/// symbols, and exposed provenance is what it does not check. It runs the heaps over a simulated memory, in which an
/// address is an index. See [`promise`](crate::promise) for what Rust leaves open here.
pub(crate) fn pointer(address: u32) -> *mut u8 {
    ptr::with_exposed_provenance_mut(address as usize)
}

/// The address of a block that comes back.
pub(crate) fn address(pointer: *mut u8) -> u32 {
    pointer.expose_provenance() as u32
}
