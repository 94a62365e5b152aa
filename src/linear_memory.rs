//! The linear memory below the headerless heaps: words at addresses, and growth.
//!
//! This file owns `memory.grow` and the symbols that bound the initial memory; no other file names them. In the guest
//! the implementation is [`ThisModule`], the memory of the module that this code is compiled into.

use crate::page::{PageCount, Region};

/// A 32-bit linear memory that heaps allocate from.
///
/// # Safety
///
/// The regions returned by `initial_region` and `grow` must be disjoint from each other and from all memory that
/// somebody else uses, must lie inside the memory, and must stay there. Each region that `grow` returns must start
/// above all regions returned before and must read as zero.
pub(crate) unsafe trait LinearMemory {
    /// The part of the initial memory that nobody uses: its bounds are multiples of 8, and it may be empty.
    fn initial_region(&self) -> Region;

    /// Adds `pages` to the memory and returns the new part, or `None` and nothing changes.
    fn grow(&mut self, pages: PageCount) -> Option<Region>;

    /// The word at `address`.
    ///
    /// # Safety
    ///
    /// `address` must be a multiple of 4 inside a region that this memory has returned, in no live block.
    unsafe fn read_word(&self, address: u32) -> u32;

    /// Sets the word at `address`.
    ///
    /// # Safety
    ///
    /// As for [`read_word`](Self::read_word).
    unsafe fn write_word(&mut self, address: u32, word: u32);
}

#[cfg(target_arch = "wasm32")]
pub(crate) use this_module::ThisModule;

#[cfg(target_arch = "wasm32")]
mod this_module {
    use super::LinearMemory;
    use crate::page::{PageCount, Region};
    use core::ptr;

    /// The memory of this module, from `__heap_base` to the end of the initial memory and then what `memory.grow` adds.
    ///
    /// On WASI the C library's allocator owns the initial memory, so that only `memory.grow` is used there.
    pub(crate) struct ThisModule;

    // SAFETY: the linker puts stack and static data below `__heap_base` and ends the initial memory at `__heap_end`;
    // `memory.grow` makes pages that did not exist before, at the end of the memory, and the engine fills them with
    // zeros. Pages that somebody else adds are returned to that caller and never to us.
    unsafe impl LinearMemory for ThisModule {
        #[cfg(not(target_os = "wasi"))]
        fn initial_region(&self) -> Region {
            unsafe extern "C" {
                safe static __heap_base: u8;
                safe static __heap_end: u8;
            }
            Region {
                start: (&raw const __heap_base).addr() as u32,
                end: (&raw const __heap_end).addr() as u32,
            }
        }

        #[cfg(target_os = "wasi")]
        fn initial_region(&self) -> Region {
            Region { start: 0, end: 0 }
        }

        fn grow(&mut self, pages: PageCount) -> Option<Region> {
            match core::arch::wasm32::memory_grow::<0>(pages.0 as usize) {
                usize::MAX => None,
                first => Some(Region::of_pages(first as u32, pages)),
            }
        }

        unsafe fn read_word(&self, address: u32) -> u32 {
            // SAFETY: the caller passes an aligned address inside a region of this memory, which never shrinks.
            unsafe { ptr::with_exposed_provenance::<u32>(address as usize).read() }
        }

        unsafe fn write_word(&mut self, address: u32, word: u32) {
            // SAFETY: as in `read_word`, and nobody else uses bytes that are in no live block.
            unsafe { ptr::with_exposed_provenance_mut::<u32>(address as usize).write(word) }
        }
    }
}
