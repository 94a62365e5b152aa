//! The heaps of all threads of this module, and what the calling thread knows of them.
//!
//! As with the feature `malloc` the heaps are a static of their own: a thread's storage says which one is its heap, whatever
//! value of `FreeingBump` it calls. Such a value is only what its constructors say: how the memory grows, and to what
//! ceiling. A heap follows the value that it is made for.

use crate::heaps::Request;
use crate::heaps::merging::MergingHeap;
use crate::memory::Growth;
use crate::memory::linear::{LinearMemory, PackedGrowth, PageLimit, ThisModule, pointer};
use crate::memory::{ALL_PAGES, PAGE_SHIFT, PageCount};
use crate::stats::HeapStats;
use crate::threads::heaps::Heaps;
use crate::threads::pages::Pages;
use crate::threads::shared_memory::SharedMemory;
use crate::threads::thread::Thread;
use crate::threads::thread_heap::Rule;
use core::cell::UnsafeCell;
use core::ptr::NonNull;
use std::thread_local;

static PAGES: Pages = Pages::new();

static HEAPS: Heaps<ThisModule> = Heaps::new(ThisModule);

thread_local! {
    /// With a `const` initializer, and nothing to drop: so an access is an address, never allocates, and is possible at any time.
    static THREAD: UnsafeCell<Thread<ThisModule>> = const { UnsafeCell::new(Thread::NEW) };
}

// SAFETY: `memory.grow` gives each caller pages of its own, which stay. There is one `Pages` for the one memory of this module.
unsafe impl SharedMemory for ThisModule {
    fn pages(&self) -> &Pages {
        &PAGES
    }

    fn refresh(&mut self) -> PageCount {
        self.size()
    }

    fn give_heap_up_at_end_of_thread(&self) {
        #[cfg(target_os = "wasi")]
        super::end_of_thread::call_at_end(end);
    }

    unsafe fn place<T>(&mut self, page: u32) -> (NonNull<T>, u32) {
        let start = page << PAGE_SHIFT;
        // A new page is all 0.
        // SAFETY: no page that a memory adds begins at 0.
        let place = unsafe { NonNull::new_unchecked(pointer(start).cast()) };
        (place, start + size_of::<T>() as u32)
    }
}

/// What a build for threads has more than one for a single thread, whose heap is static data.
const _: () =
    assert!(size_of::<Heaps<ThisModule>>() + size_of::<Pages>() <= (72 << 10) + size_of::<MergingHeap<ThisModule>>());

/// The calling thread, or none where its storage does not exist: before it was made, and after it was freed.
///
/// # Safety
///
/// The caller must use it for one call that runs no code of the allocator's user.
#[cfg_attr(not(for_size), inline)]
#[cfg_attr(for_size, inline(never))]
unsafe fn this_thread<'a>() -> Option<&'a mut Thread<ThisModule>> {
    // There is nothing to drop, so that this never fails. `with` would bring a panic into the module.
    let thread = THREAD.try_with(UnsafeCell::get).ok()?;
    if cfg!(target_os = "unknown") && !is_thread_storage(thread.addr()) {
        return None;
    }
    // SAFETY: the storage exists and is this thread's alone. One call at a time uses it, says the caller.
    Some(unsafe { &mut *thread })
}

/// Gives up the heap of a thread that ends.
#[cfg(target_os = "wasi")]
unsafe extern "C" fn end(_value: *mut core::ffi::c_void) {
    release_this_thread();
}

/// Gives up the calling thread's heap.
fn release_this_thread() {
    // SAFETY: it is used for this call, which runs no code of the user.
    if let Some(thread) = unsafe { this_thread() } {
        HEAPS.release(thread);
    }
}

/// Whether a thread's storage can be at this address. Before it exists its base is 0, below all static data. After
/// `__wbindgen_thread_destroy` it is 2^31. A storage that does lie above that counts as none, which only costs time.
#[inline]
fn is_thread_storage(address: usize) -> bool {
    unsafe extern "C" {
        safe static __global_base: u8;
    }
    // What is above 2^31 is negative.
    (&raw const __global_base).addr() as i32 <= address as i32
}

/// How the memory grows.
pub(super) struct HeapOfEachThread(Rule);

impl HeapOfEachThread {
    /// The heaps, with this growth and no ceiling.
    pub(super) const fn new(growth: Growth) -> Self {
        // A longer step is refused as this one is.
        let growth = match growth {
            Growth::Step { pages } if pages > ALL_PAGES => Growth::Step { pages: ALL_PAGES },
            growth => growth,
        };
        HeapOfEachThread(Rule {
            growth: PackedGrowth::new(growth),
            limit: PageLimit::NONE,
        })
    }

    /// The same, for a caller that changes it.
    pub(super) const fn get_mut(&mut self) -> &mut Self {
        self
    }

    /// Lets the memory grow to so many pages and no further.
    pub(super) const fn limit_pages(&mut self, pages: u32) {
        self.0.limit = PageLimit::new(pages);
    }

    /// What `call` returns for the heaps under this rule.
    ///
    /// # Safety
    ///
    /// `call` must run no code of the allocator's user.
    #[inline]
    pub(super) unsafe fn with<R>(&self, call: impl FnOnce(&mut Caller) -> R) -> R {
        call(&mut Caller(self.0))
    }

    /// Gives up the calling thread's heap.
    pub(super) fn release_thread(&self) {
        release_this_thread();
    }
}

/// A call, which follows this rule. What is rare is a function of its own that asks for the thread again: so a program contains
/// little of it.
#[derive(Clone, Copy)]
pub(super) struct Caller(Rule);

impl Caller {
    /// As [`Heaps::allocate`].
    #[inline]
    pub(super) fn allocate(&mut self, request: Request) -> u32 {
        if cfg!(for_size) {
            return self.allocate_anyhow(request);
        }
        // SAFETY: the thread is used for this call.
        match Heaps::allocate_listed(unsafe { this_thread() }, request) {
            0 => self.allocate_anew(request),
            block => block,
        }
    }

    #[inline(never)]
    fn allocate_anyhow(self, request: Request) -> u32 {
        // SAFETY: the thread is used for this call.
        HEAPS.allocate(self.0, unsafe { this_thread() }, request)
    }

    #[inline(never)]
    fn allocate_anew(self, request: Request) -> u32 {
        // SAFETY: the thread is used for this call.
        HEAPS.allocate_anew(self.0, unsafe { this_thread() }, request)
    }

    /// As [`Heaps::allocate_zeroed`].
    #[inline(never)]
    pub(super) fn allocate_zeroed(&mut self, request: Request) -> u32 {
        // SAFETY: the thread is used for this call.
        HEAPS.allocate_zeroed(self.0, unsafe { this_thread() }, request)
    }

    /// As [`Heaps::deallocate`].
    ///
    /// # Safety
    ///
    /// As there.
    #[inline]
    pub(super) unsafe fn deallocate(&mut self, block: u32, request: Request) {
        if cfg!(for_size) {
            // SAFETY: the caller gives up a live block with its request.
            return unsafe { Self::deallocate_anyhow(block, request) };
        }
        // SAFETY: the thread is used for this call.
        let thread = unsafe { this_thread() };
        // SAFETY: the caller gives up a live block with its request.
        if unsafe { !HEAPS.deallocate_in_run(thread, block, request) } {
            // SAFETY: the caller gives up the block, which is still live.
            unsafe { Self::deallocate_anyhow(block, request) }
        }
    }

    #[inline(never)]
    unsafe fn deallocate_anyhow(block: u32, request: Request) {
        // SAFETY: the thread is used for this call.
        let thread = unsafe { this_thread() };
        // SAFETY: the caller gives up a live block with its request.
        unsafe { HEAPS.deallocate_anyhow(thread, block, request) }
    }

    /// As [`Heaps::reallocate`].
    ///
    /// # Safety
    ///
    /// As there.
    #[inline(never)]
    pub(super) unsafe fn reallocate(&mut self, block: u32, request: Request, new_size: u32) -> u32 {
        // SAFETY: the thread is used for this call.
        let thread = unsafe { this_thread() };
        // SAFETY: the caller passes a live block with its request.
        unsafe { HEAPS.reallocate(self.0, thread, block, request, new_size) }
    }

    /// As [`Heaps::stats`].
    pub(super) fn stats(&self) -> HeapStats {
        // SAFETY: the thread is used for this call.
        HEAPS.stats(unsafe { this_thread() })
    }
}
