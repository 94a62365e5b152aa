//! What threads know about the pages of their memory: which heap each belongs to, and how many are being added.

use super::sync::{AtomicU32, Table, spin_loop, tries};
use crate::memory::linear::{LinearMemory, PageLimit};
use crate::memory::{ALL_PAGES, PAGE_SHIFT, PageCount};
use core::sync::atomic::Ordering;

/// How often growth under a ceiling is tried while others are growing the memory too.
const TRIES: u32 = tries(1000);

/// Which heap a page belongs to, by its number. 0 is none: the page of another's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(transparent)]
pub(crate) struct Owner(u8);

impl Owner {
    /// No heap.
    pub(crate) const NONE: Self = Owner(0);

    /// The heap with this number, which is not 0.
    pub(crate) const fn heap(number: u8) -> Self {
        Owner(number)
    }

    /// The heap's number, or 0.
    pub(crate) const fn number(self) -> u8 {
        self.0
    }
}

/// All zero at first, which takes no room in a module.
pub(crate) struct Pages {
    owners: Table<{ ALL_PAGES as usize }>,
    /// The pages of all heaps.
    owned: AtomicU32,
    /// The pages that threads are about to add under a ceiling.
    being_added: AtomicU32,
}

impl Pages {
    /// Pages without owners.
    pub(crate) const fn new() -> Self {
        Pages {
            owners: Table::new(),
            owned: AtomicU32::new(0),
            being_added: AtomicU32::new(0),
        }
    }

    /// The heap that a block is from.
    ///
    /// # Safety
    ///
    /// The block must be live, and known to the calling thread because it made it, or because another thread handed it over.
    #[inline]
    pub(crate) unsafe fn owner_of(&self, block: u32) -> Owner {
        // SAFETY: the entry was written before the block was handed out, and is never written again.
        Owner(unsafe { self.owners.read(block >> PAGE_SHIFT) })
    }

    /// Notes whose so many pages from the `first` on are.
    ///
    /// # Safety
    ///
    /// The calling thread must have added them just now.
    pub(crate) unsafe fn set_owner(&self, first: u32, pages: u32, owner: Owner) {
        // SAFETY: the pages have entries. No other thread knows a block of these pages yet, so none reads or writes an entry of them.
        unsafe { self.owners.fill(first, pages, owner.0) };
        self.owned.fetch_add(pages, Ordering::Relaxed);
    }

    /// The pages of all heaps.
    pub(crate) fn owned(&self) -> PageCount {
        PageCount(self.owned.load(Ordering::Relaxed))
    }

    /// Adds so many pages to a memory, 65,536 at most, and returns the first one; 0 where the engine refuses them, or where the memory would pass the
    /// limit. Then the engine is not asked. That holds while other threads add pages too.
    ///
    /// A thread announces what it is about to add, and counts what others have announced as if it were there. If there is no
    /// room only because of them, it tries again, 1,000 times at most. Of a thread that is stopped in between, what it had
    /// announced is lost.
    pub(crate) fn grow<M: LinearMemory>(&self, memory: &mut M, limit: PageLimit, pages: PageCount) -> u32 {
        for _ in 0..TRIES {
            let others = self.being_added.fetch_add(pages.0, Ordering::SeqCst);
            // Growth that is not among the announced any more is part of the size, which is read after them.
            let size = PageCount(memory.size().0 + others);
            let is_allowed = limit.allows(pages, size);
            let region = if is_allowed { memory.grow(pages) } else { None };
            self.being_added.fetch_sub(pages.0, Ordering::SeqCst);
            if is_allowed || others == 0 {
                return region.map_or(0, |region| region.start >> PAGE_SHIFT);
            }
            spin_loop();
        }
        0
    }

    /// Makes what loom tracks, before there are threads.
    #[cfg(all(test, loom))]
    pub(super) fn touch(&self) {
        self.owned();
        self.being_added.load(Ordering::Relaxed);
        // SAFETY: there is no other thread yet.
        unsafe { self.owner_of(0) };
    }
}
