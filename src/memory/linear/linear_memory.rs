//! The linear memory below all heaps: its regions, its growth, and raw access to its bytes.

use super::page_limit::PageLimit;
use crate::memory::{PAGE_SHIFT, PageCount};

/// A range of addresses: `start` is the first byte, `end` the first byte after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Region {
    /// The first byte, a multiple of 8.
    pub(crate) start: u32,
    /// The first byte after, a multiple of 8. A region that reaches the top of the address space ends at 2^32, which
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
/// The regions that `initial_region` and `grow` return must be disjoint from each other and from all memory that others
/// use, must lie inside the memory and must stay there. Each region from `grow` must read as zero and
/// must start at or above the end of all regions returned before.
pub(crate) unsafe trait LinearMemory {
    /// The part of the initial memory that is free to use. Its bounds are multiples of 8, its start is not 0. Where there
    /// is no such part they are equal. Its bytes are arbitrary, since the host can have written there before the module ran.
    fn initial_region(&self) -> Region;

    /// All the pages that the memory has, whoever uses them.
    fn size(&self) -> PageCount;

    /// The pages that a proportional growth is a share of: all, whoever uses them, unless other heaps grow the memory too.
    fn own_pages(&self) -> PageCount {
        self.size()
    }

    /// How many bytes a heap extends over whose last region ends about `end`. Pages of others within count too, unless the memory
    /// knows which they are.
    fn extent(&self, end: u32) -> u32 {
        end.saturating_sub(self.initial_region().start)
    }

    /// Adds `pages` to the memory and returns them, or `None`, and then nothing has changed.
    fn grow(&mut self, pages: PageCount) -> Option<Region>;

    /// The word `offset` bytes after `address`: a field of what begins there, whose constant offset costs nothing in a
    /// module.
    ///
    /// # Safety
    ///
    /// `address + offset` must be a multiple of 4 and both must lie inside the memory.
    unsafe fn read_word(&self, address: u32, offset: u32) -> u32;

    /// Sets the word `offset` bytes after `address`.
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
    /// The range must lie in a block of the caller's heap that is in no other use.
    unsafe fn clear(&mut self, address: u32, bytes: u32);

    /// Sets the `bytes` of a small block to zero: a multiple of 8, at an address that is one too.
    ///
    /// # Safety
    ///
    /// As for [`clear`](Self::clear).
    unsafe fn clear_small(&mut self, address: u32, bytes: u32);

    /// Adds the pages that are `wanted`. If that is refused, adds only those that are `needed`. If that is refused too,
    /// adds nothing.
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

#[cfg(test)]
mod tests {
    //! In this file since `Region` is private.
    use super::*;
    use crate::memory::PAGE_BYTES;

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
