//! The memory that one heap sees: pages of its own in a memory that all share.

use super::pages::Owner;
use super::shared_memory::SharedMemory;
use crate::memory::linear::{LinearMemory, PageLimit, Region};
use crate::memory::{PAGE_SHIFT, PageCount};

#[cfg(test)]
#[path = "tests/regions.rs"]
mod regions;

/// The memory of one heap.
pub(crate) struct HeapMemory<M> {
    shared: M,
    heap: Owner,
    /// What its own first page has beside the heap's state.
    first: Region,
    /// The pages that it has added.
    pages: PageCount,
    /// The page after the last one that it has added, which may be 65,536.
    end_page: u32,
}

impl<M: SharedMemory> HeapMemory<M> {
    /// Gives the memory to a heap, with a first page. The heap's state takes that up to `end_of_state`.
    ///
    /// # Safety
    ///
    /// The calling thread must have added the page just now. There must be a page only once.
    pub(crate) unsafe fn begin(&mut self, shared: M, heap: Owner, page: u32, end_of_state: u32) {
        self.shared = shared;
        self.heap = heap;
        // SAFETY: the calling thread has added the page just now, says the caller.
        unsafe { self.own(page, 1) };
        self.first = Region {
            start: end_of_state,
            end: (page + 1) << PAGE_SHIFT,
        };
    }

    /// Whose memory it is.
    pub(crate) const fn owner(&self) -> Owner {
        self.heap
    }

    /// The page after the last one.
    pub(crate) const fn end_page(&self) -> u32 {
        self.end_page
    }

    /// Notes so many pages from the `first` on as this heap's.
    ///
    /// # Safety
    ///
    /// The calling thread must have added them just now.
    #[cfg_attr(for_size, inline(never))]
    unsafe fn own(&mut self, first: u32, pages: u32) {
        // SAFETY: as the caller says.
        unsafe { self.shared.pages().set_owner(first, pages, self.heap) };
        self.pages.0 += pages;
        self.end_page = first + pages;
    }
}

// SAFETY: the first region is what is left of a page that this heap has added. Each other region is one that the shared memory
// returned to this heap alone, and a memory grows upwards.
unsafe impl<M: SharedMemory> LinearMemory for HeapMemory<M> {
    fn initial_region(&self) -> Region {
        self.first
    }

    fn size(&self) -> PageCount {
        self.shared.size()
    }

    fn own_pages(&self) -> PageCount {
        self.pages
    }

    fn extent(&self, _end: u32) -> u32 {
        self.pages.0 << PAGE_SHIFT
    }

    fn grow(&mut self, pages: PageCount) -> Option<Region> {
        self.grow_heap_within(PageLimit::NONE, pages, pages)
    }

    fn grow_heap_within(&mut self, limit: PageLimit, wanted: PageCount, needed: PageCount) -> Option<Region> {
        // A second access to the same memory, since the pages are reached through the first.
        let mut shared = self.shared.clone();
        let mut pages = wanted;
        let mut first = self.shared.pages().grow(&mut shared, limit, pages);
        if first == 0 {
            pages = needed;
            first = self.shared.pages().grow(&mut shared, limit, pages);
        }
        if first == 0 {
            return None;
        }
        // SAFETY: the pages were added just now.
        unsafe { self.own(first, pages.0) };
        Some(Region::of_pages(first, first + pages.0))
    }

    #[inline]
    unsafe fn read_word(&self, address: u32, offset: u32) -> u32 {
        // SAFETY: as the caller says.
        unsafe { self.shared.read_word(address, offset) }
    }

    #[inline]
    unsafe fn write_word(&mut self, address: u32, offset: u32, word: u32) {
        // SAFETY: as the caller says.
        unsafe { self.shared.write_word(address, offset, word) }
    }

    unsafe fn copy(&mut self, from: u32, to: u32, bytes: u32) {
        // SAFETY: as the caller says. Who uses a heap sees all of its pages.
        unsafe { self.shared.copy(from, to, bytes) }
    }

    unsafe fn clear(&mut self, address: u32, bytes: u32) {
        // SAFETY: as the caller says. Who uses a heap sees all of its pages.
        unsafe { self.shared.clear(address, bytes) }
    }

    unsafe fn clear_small(&mut self, address: u32, bytes: u32) {
        // SAFETY: as the caller says.
        unsafe { self.shared.clear_small(address, bytes) }
    }
}
