//! The one heap of a module with the feature `malloc`, which C's functions use too.
//!
//! C's functions have no allocator to be called on, so the heap is a static of its own. A [`FreeingBump`](super::FreeingBump)
//! is then only what its constructors say: how the memory grows, and to what ceiling. Whatever is served by growing is
//! served by its rule: a call on it sets the rule before anything that may grow the memory. C's calls go on with
//! the rule that was set last. Before the first of them, [`follow_the_global_allocator`] has the global allocator set its own.

use super::cell::SingleThreaded;
use crate::heaps::merging::MergingHeap;
use crate::heaps::{Request, UncheckedHeap};
use crate::memory::Growth;
use crate::memory::linear::{PackedGrowth, PageLimit, ThisModule};
use crate::stats::HeapStats;
use core::alloc::Layout;

static HEAP: SingleThreaded<MergingHeap<ThisModule>> =
    SingleThreaded::new(MergingHeap::new(ThisModule, Growth::THIRTY_SECOND));

/// What `call` returns for the heap.
///
/// # Safety
///
/// `call` must run no code of the allocator's user.
#[inline]
pub(super) unsafe fn with_heap<R>(call: impl FnOnce(&mut MergingHeap<ThisModule>) -> R) -> R {
    // SAFETY: the heap uses no cell, and the caller runs no code of the user.
    unsafe { HEAP.with(call) }
}

/// Once, before C's first allocation: one allocation by Rust's global allocator, so that a `FreeingBump` there, in whatever
/// wrapper, says how the memory grows. It must not be called while the heap is in use.
#[inline]
pub(super) fn follow_the_global_allocator() {
    static HAS_RUN: SingleThreaded<bool> = SingleThreaded::new(false);
    // SAFETY: a flag is set. That happens before code of the user runs, which may call C's functions.
    if unsafe { !HAS_RUN.with(|has_run| core::mem::replace(has_run, true)) } {
        allocate_once();
    }
}

#[cold]
#[inline(never)]
fn allocate_once() {
    let layout = Layout::new::<u8>();
    // SAFETY: the size is not 0.
    let block = unsafe { alloc::alloc::alloc(layout) };
    if !block.is_null() {
        // Volatile, so that the compiler does not leave out the allocation of a block that nobody uses.
        // SAFETY: the block has a byte.
        unsafe { block.write_volatile(0) };
        // SAFETY: the block was allocated just now, with this layout.
        unsafe { alloc::alloc::dealloc(block, layout) }
    }
}

/// How the memory grows, and the heap that is shared.
pub(super) struct SharedHeap {
    growth: PackedGrowth,
    limit: PageLimit,
}

impl SharedHeap {
    /// The heap, with this growth and no ceiling.
    pub(super) const fn new(growth: Growth) -> Self {
        SharedHeap {
            growth: PackedGrowth::new(growth),
            limit: PageLimit::NONE,
        }
    }

    /// The same, for a caller that changes it.
    pub(super) const fn get_mut(&mut self) -> &mut Self {
        self
    }

    /// Lets the memory grow to so many pages and no further.
    pub(super) const fn limit_pages(&mut self, pages: u32) {
        self.limit = PageLimit::new(pages);
    }

    /// What `call` returns for the heap under this rule.
    ///
    /// # Safety
    ///
    /// `call` must run no code of the allocator's user.
    #[inline]
    pub(super) unsafe fn with<R>(&self, call: impl FnOnce(&mut Ruled<'_>) -> R) -> R {
        // SAFETY: the caller runs no code of the user.
        unsafe { with_heap(|heap| call(&mut Ruled { heap, rule: self })) }
    }
}

/// The heap, for calls that follow one rule.
pub(super) struct Ruled<'a> {
    heap: &'a mut MergingHeap<ThisModule>,
    rule: &'a SharedHeap,
}

/// The heap itself, for a walk through it.
#[cfg(feature = "walk")]
impl core::ops::Deref for Ruled<'_> {
    type Target = MergingHeap<ThisModule>;

    fn deref(&self) -> &Self::Target {
        self.heap
    }
}

#[cfg(feature = "walk")]
impl core::ops::DerefMut for Ruled<'_> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        self.heap
    }
}

impl Ruled<'_> {
    /// The heap, which grows by the rule from now on.
    ///
    /// Always inlined: LLVM sees then, before it links the program, that all functions are called with one and the same heap. So
    /// none takes its address as a parameter: 206 bytes less with the feature `malloc` (Rust 1.95, opt-level "z", wasm-opt 132).
    #[inline(always)]
    fn growing(&mut self) -> &mut MergingHeap<ThisModule> {
        self.heap.set_policy(self.rule.growth, self.rule.limit);
        self.heap
    }

    /// As [`UncheckedHeap::allocate`]. What is on a list needs no growth, and sets no rule.
    #[inline]
    pub(super) fn allocate(&mut self, request: Request) -> u32 {
        match self.heap.allocate_listed(request) {
            0 => self.growing().allocate_anew(request),
            block => block,
        }
    }

    /// As [`UncheckedHeap::allocate_zeroed`].
    #[inline]
    pub(super) fn allocate_zeroed(&mut self, request: Request) -> u32 {
        self.growing().allocate_zeroed(request)
    }

    /// As [`UncheckedHeap::deallocate`].
    ///
    /// # Safety
    ///
    /// As there.
    #[inline]
    pub(super) unsafe fn deallocate(&mut self, block: u32, request: Request) {
        // SAFETY: the caller gives up a live block with its request.
        unsafe { self.heap.deallocate(block, request) }
    }

    /// As [`UncheckedHeap::reallocate`]. The block is there because a rule was set.
    ///
    /// # Safety
    ///
    /// As there.
    #[inline]
    pub(super) unsafe fn reallocate(&mut self, block: u32, request: Request, new_size: u32) -> u32 {
        // SAFETY: the caller passes a live block with its request.
        unsafe { self.heap.reallocate(block, request, new_size) }
    }

    /// As [`UncheckedHeap::stats`].
    pub(super) fn stats(&self) -> HeapStats {
        self.heap.stats()
    }
}
