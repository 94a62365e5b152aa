//! A memory that threads share: one allocation, which is reached by plain accesses through raw pointers. So Miri and
//! ThreadSanitizer find each access of the heaps, or of their users, that races with another.

use crate::memory::linear::{LinearMemory, Region};
use crate::memory::{PAGE_BYTES, PAGE_SHIFT, PageCount};
use crate::tests::model::oracle::consists_of;
use crate::tests::simulated_memory::FOREIGN_BYTE;
use crate::threads::pages::Pages;
use crate::threads::shared_memory::SharedMemory;
use core::cell::Cell;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicU32, Ordering};
use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};
use std::sync::Mutex;
use std::vec::Vec;

std::thread_local! {
    /// The page before which the thread sees all pages: see [`SharedMemory::refresh`].
    static SEEN_TO: Cell<u32> = const { Cell::new(0) };
}

/// How much of the memory the calling thread sees from now on, as another one that runs on it. Returns what it has seen.
pub(super) fn see_to(page: u32) -> u32 {
    SEEN_TO.replace(page)
}

/// The memory, and what happens to it.
pub(super) struct World {
    bytes: NonNull<u8>,
    layout: Layout,
    first_page: u32,
    /// The page after the last one. Its accesses are relaxed: they order nothing, and so hide no race.
    end_page: AtomicU32,
    /// The page above which growth must not be asked for.
    pub(super) ceiling_page: u32,
    /// One of so many growths is refused; 0 for none.
    pub(super) one_refused_in: u32,
    growths: AtomicU32,
    pages: Pages,
    foreign: Mutex<Vec<Region>>,
    placed: Mutex<Vec<Placed>>,
}

/// A heap's state, apart from the memory, so that strict provenance holds.
pub(super) struct Placed(pub(super) NonNull<u8>, Layout);

impl Placed {
    /// All zero.
    pub(super) fn new<T>() -> Self {
        let layout = Layout::new::<T>();
        // SAFETY: a heap's state is not empty.
        let state = unsafe { alloc_zeroed(layout) };
        Placed(
            NonNull::new(state).unwrap_or_else(|| handle_alloc_error(layout)),
            layout,
        )
    }
}

impl Drop for Placed {
    fn drop(&mut self) {
        // SAFETY: it was allocated with this layout, and no heap uses it any more.
        unsafe { dealloc(self.0.as_ptr(), self.1) };
    }
}

/// The address after a heap's state, which takes as much of its first page as in a module, and lies elsewhere.
pub(super) fn end_of_state(page: u32) -> u32 {
    (page << PAGE_SHIFT) + 1200
}

// SAFETY: it is freed with the world, when no thread uses it.
unsafe impl Send for Placed {}

// SAFETY: the bytes are reached through `Shared` alone, whose callers have the blocks that they reach to themselves.
unsafe impl Sync for World {}

impl World {
    /// A memory of so many pages that others have, and then up to `pages` of the heaps.
    pub(super) fn new(first_page: u32, pages: u32) -> Self {
        SEEN_TO.set(0);
        let bytes = (pages * PAGE_BYTES).max(1) as usize;
        let layout = Layout::from_size_align(bytes, PAGE_BYTES as usize).expect("a layout");
        // SAFETY: the layout is not empty.
        let bytes = unsafe { alloc_zeroed(layout) };
        World {
            bytes: NonNull::new(bytes).unwrap_or_else(|| handle_alloc_error(layout)),
            layout,
            first_page,
            end_page: AtomicU32::new(first_page),
            ceiling_page: u32::MAX,
            one_refused_in: 0,
            growths: AtomicU32::new(0),
            pages: Pages::new(),
            foreign: Mutex::new(Vec::new()),
            placed: Mutex::new(Vec::new()),
        }
    }

    /// A thread's access to it.
    pub(super) fn shared(&self) -> Shared<'_> {
        Shared(Some(self))
    }

    /// The page after the last one.
    pub(super) fn end_page(&self) -> u32 {
        self.end_page.load(Ordering::Relaxed)
    }

    /// How often growth was asked for.
    pub(super) fn growths(&self) -> u32 {
        self.growths.load(Ordering::Relaxed)
    }

    /// Adds pages, or none if there is no room.
    fn add(&self, pages: u32) -> Option<Region> {
        let limit = self.first_page + (self.layout.size() >> PAGE_SHIFT) as u32;
        let first = self
            .end_page
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |end| {
                end.checked_add(pages).filter(|&end| end <= limit)
            })
            .ok()?;
        Some(Region::of_pages(first, first + pages))
    }

    /// Grows the memory as others would, and fills the new pages.
    pub(super) fn foreign_grow(&self, pages: u32) {
        let Some(region) = self.add(pages) else { return };
        // SAFETY: nobody else knows the pages.
        unsafe { self.slice(region.start, pages * PAGE_BYTES) }.fill(FOREIGN_BYTE);
        self.foreign.lock().expect("no thread has panicked").push(region);
    }

    /// Asserts that nothing was written to the pages of others.
    pub(super) fn check_the_memory_of_others(&self) {
        for region in self.foreign.lock().expect("no thread has panicked").iter() {
            // SAFETY: nobody else uses the pages.
            let bytes = unsafe { self.slice(region.start, region.end.wrapping_sub(region.start)) };
            assert!(consists_of(bytes, FOREIGN_BYTE), "written to the pages of others");
        }
    }

    /// The bytes of a block.
    ///
    /// # Safety
    ///
    /// The caller must have the block to itself.
    #[allow(clippy::mut_from_ref)]
    pub(super) unsafe fn slice(&self, address: u32, bytes: u32) -> &mut [u8] {
        let first = self.pointer(address, bytes);
        // SAFETY: the range was checked, and is the caller's.
        unsafe { core::slice::from_raw_parts_mut(first, bytes as usize) }
    }

    /// The pointer to a range, which must lie in the memory.
    fn pointer(&self, address: u32, bytes: u32) -> *mut u8 {
        let offset = address.wrapping_sub(self.first_page << PAGE_SHIFT);
        let present = u64::from(self.end_page() - self.first_page) << PAGE_SHIFT;
        assert!(
            u64::from(offset) + u64::from(bytes) <= present,
            "{bytes} bytes at {address:#x} lie outside the memory"
        );
        // SAFETY: the offset is in the allocation, which is at least as long as the memory.
        unsafe { self.bytes.as_ptr().add(offset as usize) }
    }

    /// As [`pointer`](Self::pointer), for a bulk instruction, which traps where the thread does not see the range.
    fn seen_pointer(&self, address: u32, bytes: u32) -> *mut u8 {
        let last_page = (u64::from(address) + u64::from(bytes.max(1)) - 1) >> PAGE_SHIFT;
        assert!(
            last_page < u64::from(SEEN_TO.get()),
            "trap: a bulk instruction reaches page {last_page}, and the thread sees those before {}",
            SEEN_TO.get()
        );
        self.pointer(address, bytes)
    }

    /// Whether the engine refuses this growth.
    fn refuses(&self) -> bool {
        let number = self.growths.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
        // The high bits of a multiple of the golden ratio: spread evenly, in no order that a program could have.
        self.one_refused_in != 0 && (number.wrapping_mul(0x9E37_79B9) >> 8) % self.one_refused_in == 0
    }
}

impl Drop for World {
    fn drop(&mut self) {
        // SAFETY: the bytes were allocated with this layout.
        unsafe { dealloc(self.bytes.as_ptr(), self.layout) };
    }
}

/// A thread's access to a [`World`]; none where all of its bytes are 0.
#[derive(Clone, Copy)]
pub(super) struct Shared<'w>(Option<&'w World>);

impl<'w> Shared<'w> {
    fn world(&self) -> &'w World {
        self.0.expect("the access was set")
    }
}

// SAFETY: `add` gives each caller pages of its own, which stay. A world has one `Pages`, and drops what was placed at its end.
unsafe impl SharedMemory for Shared<'_> {
    fn pages(&self) -> &Pages {
        &self.world().pages
    }

    fn refresh(&mut self) -> PageCount {
        SEEN_TO.set(self.world().end_page());
        PageCount(SEEN_TO.get())
    }

    fn give_heap_up_at_end_of_thread(&self) {}

    unsafe fn place<T>(&mut self, page: u32) -> (NonNull<T>, u32) {
        let placed = Placed::new::<T>();
        let heap = placed.0.cast();
        self.world().placed.lock().expect("no thread has panicked").push(placed);
        (heap, end_of_state(page))
    }
}

// SAFETY: regions are parts of the allocation that `add` returns once each; every access is bounds-checked.
unsafe impl LinearMemory for Shared<'_> {
    fn initial_region(&self) -> Region {
        Region::of_pages(self.world().first_page, self.world().first_page)
    }

    fn size(&self) -> PageCount {
        PageCount(self.world().end_page())
    }

    fn grow(&mut self, pages: PageCount) -> Option<Region> {
        assert!(
            pages.0 <= self.world().ceiling_page.saturating_sub(self.world().end_page()),
            "the engine was asked for {} pages after {}, with a ceiling of {}",
            pages.0,
            self.world().end_page(),
            self.world().ceiling_page
        );
        if self.world().refuses() {
            return None;
        }
        let region = self.world().add(pages.0)?;
        // Growth tells the thread how large the memory is.
        SEEN_TO.set(SEEN_TO.get().max((region.start >> PAGE_SHIFT) + pages.0));
        Some(region)
    }

    unsafe fn read_word(&self, address: u32, offset: u32) -> u32 {
        // SAFETY: the word lies in the memory, and is the caller's to read.
        unsafe { self.world().pointer(address + offset, 4).cast::<u32>().read() }
    }

    unsafe fn write_word(&mut self, address: u32, offset: u32, word: u32) {
        // SAFETY: the word lies in the memory, and is the caller's.
        unsafe { self.world().pointer(address + offset, 4).cast::<u32>().write(word) }
    }

    unsafe fn copy(&mut self, from: u32, to: u32, bytes: u32) {
        let (from, to) = (
            self.world().seen_pointer(from, bytes),
            self.world().seen_pointer(to, bytes),
        );
        // SAFETY: the ranges lie in the memory, and are the caller's.
        unsafe { to.copy_from_nonoverlapping(from, bytes as usize) }
    }

    unsafe fn clear(&mut self, address: u32, bytes: u32) {
        // SAFETY: the range lies in the memory, and is the caller's.
        unsafe { self.world().seen_pointer(address, bytes).write_bytes(0, bytes as usize) }
    }

    unsafe fn clear_small(&mut self, address: u32, bytes: u32) {
        assert_eq!((address % 8, bytes % 8), (0, 0));
        // Single stores, which reach what the thread does not see.
        // SAFETY: the range lies in the memory, and is the caller's.
        unsafe { self.world().pointer(address, bytes).write_bytes(0, bytes as usize) }
    }
}
