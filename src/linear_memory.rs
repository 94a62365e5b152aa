//! The linear memory below all heaps: its regions, its growth, and raw access to its bytes.
//!
//! This file owns `memory.grow` and the symbols that bound the initial memory; no other file names them. In the guest
//! the implementation is [`ThisModule`], the memory of the module that this code is compiled into. The tests on the
//! host put a simulated one in its place.

use crate::page::{PAGE_SHIFT, PageCount};
use crate::page_limit::PageLimit;

/// A range of addresses: `start` is the first byte, `end` the first byte behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Region {
    /// The first byte, a multiple of 8.
    pub(crate) start: u32,
    /// The first byte behind, a multiple of 8. A region that reaches the top of the address space ends at 2^32, which
    /// is 0 in 32 bits: compare lengths, `end - start` modulo 2^32, and never addresses with `end`.
    pub(crate) end: u32,
}

impl Region {
    /// The pages from number `first` to the one before number `end`.
    pub(crate) const fn of_pages(first: u32, end: u32) -> Self {
        Region {
            start: first << PAGE_SHIFT,
            end: end << PAGE_SHIFT,
        }
    }
}

/// A 32-bit linear memory that heaps allocate from.
///
/// # Safety
///
/// The regions that `initial_region` and `grow` return must be disjoint from each other and from all memory that
/// somebody else uses, must lie inside the memory and must stay there. Each region from `grow` must read as zero and
/// must start at or above the end of all regions returned before.
pub(crate) unsafe trait LinearMemory {
    /// The part of the initial memory that nobody uses. Its bounds are multiples of 8, its start is not 0; where there
    /// is no such part they are equal. Its bytes are arbitrary, since the host can have written there before the module ran.
    fn initial_region(&self) -> Region;

    /// All the pages that the memory has, whoever uses them.
    fn size(&self) -> PageCount;

    /// Adds `pages` to the memory and returns them, or `None`, and then nothing has changed.
    fn grow(&mut self, pages: PageCount) -> Option<Region>;

    /// The word `offset` bytes behind `address`: a field of what begins there, whose constant offset costs nothing in a
    /// module.
    ///
    /// # Safety
    ///
    /// `address + offset` must be a multiple of 4 and both must lie inside the memory.
    unsafe fn read_word(&self, address: u32, offset: u32) -> u32;

    /// Sets the word `offset` bytes behind `address`.
    ///
    /// # Safety
    ///
    /// As for [`read_word`](Self::read_word), inside a region that this memory has returned, and in no live block.
    unsafe fn write_word(&mut self, address: u32, offset: u32, word: u32);

    /// Copies `bytes` from one block to another.
    ///
    /// # Safety
    ///
    /// Both ranges must lie in blocks of the caller's heap, and must not overlap.
    unsafe fn copy(&mut self, from: u32, to: u32, bytes: u32);

    /// Sets `bytes` from `address` on to zero.
    ///
    /// # Safety
    ///
    /// The range must lie in a block of the caller's heap that nobody else uses.
    unsafe fn clear(&mut self, address: u32, bytes: u32);

    /// Sets the `bytes` of a small block to zero: a multiple of 8, at an address that is one too.
    ///
    /// # Safety
    ///
    /// As for [`clear`](Self::clear).
    unsafe fn clear_small(&mut self, address: u32, bytes: u32);

    /// Adds as many pages as are `wanted`; when that is refused, only those that are `needed`; when that is refused too,
    /// nothing.
    fn grow_heap(&mut self, wanted: PageCount, needed: PageCount) -> Option<Region> {
        self.grow(wanted).or_else(|| self.grow(needed))
    }

    /// As [`grow_heap`](Self::grow_heap), with what is `wanted` cut to a limit on the whole memory. Where that leaves less
    /// than is `needed`, nothing, and the engine is not asked.
    fn grow_heap_within(&mut self, limit: PageLimit, wanted: PageCount, needed: PageCount) -> Option<Region> {
        let wanted = limit.cut(wanted, needed, self.size())?;
        self.grow_heap(wanted, needed)
    }
}

#[cfg(target_arch = "wasm32")]
pub(crate) use this_module::{ThisModule, address, pointer};

#[cfg(target_arch = "wasm32")]
mod this_module {
    use super::{LinearMemory, Region};
    use crate::page::PageCount;
    use core::arch::wasm32;
    use core::ptr;

    /// The memory of this module: from `__heap_base` to the end of the initial memory, then what `memory.grow` adds.
    ///
    /// On WASI the C library's allocator owns the initial memory, so that only `memory.grow` is used there.
    pub(crate) struct ThisModule;

    // SAFETY: the linker puts the stack and all static data below `__heap_base`, which it aligns to 16, and ends the
    // initial memory at `__heap_end`, a multiple of 64 KiB. `memory.grow` adds pages that nobody had before, behind all
    // others, and the engine fills them with zeros. What somebody else adds by it is returned to them and never here.
    // A linear memory never shrinks.
    unsafe impl LinearMemory for ThisModule {
        fn initial_region(&self) -> Region {
            unsafe extern "C" {
                safe static __heap_base: u8;
                safe static __heap_end: u8;
            }
            let end = (&raw const __heap_end).addr() as u32;
            let start = if cfg!(target_os = "wasi") {
                end
            } else {
                (&raw const __heap_base).addr() as u32
            };
            Region { start, end }
        }

        fn size(&self) -> PageCount {
            PageCount(wasm32::memory_size::<0>() as u32)
        }

        fn grow(&mut self, pages: PageCount) -> Option<Region> {
            match wasm32::memory_grow::<0>(pages.0 as usize) {
                usize::MAX => None,
                first => Some(Region::of_pages(first as u32, self.size().0)),
            }
        }

        unsafe fn read_word(&self, address: u32, offset: u32) -> u32 {
            // SAFETY: the caller passes the place of an aligned word inside the memory, which has it for good.
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
            unsafe {
                let end = word.byte_add(bytes as usize);
                while word != end {
                    // Volatile, so that the compiler does not make a `memory.fill` of the loop, whose call costs more.
                    word.write_volatile(0);
                    word = word.add(1);
                }
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
}

#[cfg(test)]
mod tests {
    //! In this file since `Region` is private.
    use super::*;
    use crate::page::PAGE_BYTES;

    #[test]
    fn a_region_that_reaches_four_gib_ends_at_zero_and_keeps_its_length() {
        let region = Region::of_pages(65_534, 65_536);
        assert_eq!(
            region,
            Region {
                start: 0xFFFE_0000,
                end: 0
            }
        );
        assert_eq!(region.end.wrapping_sub(region.start), 2 * PAGE_BYTES);
    }
}
