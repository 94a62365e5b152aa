//! `CheckedFreeingBump`, the global allocator: layouts, pointers and the error handler in front of [`CheckedHeap`].

use super::cell::SingleThreaded;
use super::implement::request;
use crate::heaps::checked::CheckedHeap;
use crate::memory::Growth;
use crate::memory::linear::{ThisModule, address, pointer};
use crate::original::Error;
use crate::stats::Stats;
use core::alloc::{GlobalAlloc, Layout};
use core::fmt;
use core::ptr;

/// The original freeing-bump algorithm as a global allocator, which checks each release and fails closed.
///
/// ```
/// # #[cfg(target_arch = "wasm32")]
/// # mod module {
/// use freeing_bump::CheckedFreeingBump;
///
/// #[global_allocator]
/// static ALLOCATOR: CheckedFreeingBump = CheckedFreeingBump::new();
/// # }
/// ```
///
/// For finding memory bugs, and for code that must stop rather than go on with a broken heap. Each block has a header
/// of 8 bytes and is rounded up to a power of two; see [`FreeingBumpHeapAllocator`](crate::FreeingBumpHeapAllocator),
/// which is the engine.
///
/// # What it detects
///
/// Each of these calls the error handler, once, at the call in the second column, before that call changes or hands out
/// anything.
///
/// | misuse | reported at | as |
/// |---|---|---|
/// | a block is released twice, or resized after its release, before it is handed out again | the second of these calls | [`Error::BlockNotOccupied`] |
/// | a pointer is released from before or after the heap, or to what was not handed out yet | that release | [`Error::InvalidPointer`]; with an alignment above 8 [`Error::CorruptHeader`] too |
/// | a pointer into a block is released | that release | [`Error::InvalidPointer`], [`Error::CorruptHeader`], or what the bytes before it read as: [`Error::BlockNotOccupied`], [`Error::LayoutMismatch`] |
/// | a write past the end of a block, by one byte or more, changes the header of the next one, which is in use | the release or resizing of that next block | [`Error::CorruptHeader`], [`Error::LayoutMismatch`], [`Error::BlockNotOccupied`] |
/// | the same, and the next one is free | the allocation that would hand it out | [`Error::CorruptFreeList`] |
/// | a write after the release, into the first 8 bytes of the block | the allocation that would hand it out | [`Error::WrittenAfterFree`] |
/// | the link in a free block's header is redirected out of the heap, to a block in use, or to one of another size | the allocation that follows it, before that place is handed out | [`Error::CorruptFreeList`], [`Error::WrittenAfterFree`] |
/// | a free list is bent into a cycle | the allocation that would come back to a block which it has handed out | [`Error::CorruptFreeList`], [`Error::WrittenAfterFree`] |
/// | a release or resizing with the layout of another power of two, or an alignment above 8 that was not asked for | that call | [`Error::LayoutMismatch`], [`Error::CorruptHeader`], [`Error::InvalidPointer`] |
///
/// The error poisons the allocator: from then on every allocation returns a null pointer, and releases do nothing. What
/// is in use stays intact. A request that the memory cannot hold, or one above the largest block, poisons it as well, but
/// gets a null pointer and calls no handler.
///
/// # What it cannot detect
///
/// | misuse | what follows |
/// |---|---|
/// | a write past the end of a request that stays in the bytes which its block has by rounding | nothing |
/// | a layout that is wrong within the same power of two | nothing |
/// | a read after the release; a write after it past the first 8 bytes | the reader sees what is there; the next owner of the block, if it does not fill it, too |
/// | a second release, or a write, after the block was handed out again | its new owner loses it, or its bytes |
/// | a second release of a block before which the program has put back the header of a block in use | its list leads back to it; it is not handed out twice, since the allocation that would do so reports [`Error::CorruptFreeList`] or [`Error::WrittenAfterFree`] |
/// | a release of a pointer before which the program has put the header of a block that there never was, if the layout fits it | the bytes after it are handed out, even if they are in use |
/// | a link bent to another free block of the same size | the blocks in between are never handed out again |
pub struct CheckedFreeingBump {
    heap: SingleThreaded<CheckedHeap<ThisModule>>,
    error_handler: fn(&Error) -> !,
}

impl CheckedFreeingBump {
    /// The allocator, for use in a `static`, that traps when something is wrong.
    #[must_use]
    pub const fn new() -> Self {
        Self::with_error_handler(|_| core::arch::wasm32::unreachable())
    }

    /// The same, with `error_handler` called instead of the trap, once, with what is wrong. It must not return. It may
    /// report the error, but what it allocates is refused, since the allocator is poisoned already.
    #[must_use]
    pub const fn with_error_handler(error_handler: fn(&Error) -> !) -> Self {
        CheckedFreeingBump {
            heap: SingleThreaded::new(CheckedHeap::new(ThisModule)),
            error_handler,
        }
    }

    /// The same allocator, for requests of up to `bytes`, rounded up to a power of two: 16 MiB by default, 8 bytes at
    /// least, 2 GiB at most. An alignment above 8 counts as part of the request.
    #[must_use]
    pub const fn with_max_allocation(mut self, bytes: u32) -> Self {
        self.heap.get_mut().max_allocation = bytes;
        self
    }

    /// The same allocator with another way to grow the memory: [`Growth::EIGHTH`] by default.
    #[must_use]
    pub const fn with_growth(mut self, growth: Growth) -> Self {
        self.heap.get_mut().growth = growth;
        self
    }

    /// The same allocator for a memory of at most `pages` pages of 64 KiB: the whole linear memory, as the instruction
    /// `memory.size` counts it, with stack, static data and the pages of others. From 65,536 on there is no such ceiling,
    /// as by default.
    ///
    /// A request that would need more pages gets null, as when the engine refuses to grow the memory, and poisons the
    /// allocator. But the engine is not asked. Where a step of the growth policy would go beyond the ceiling, the memory
    /// grows by just what is needed. The initial memory is used even above the ceiling. O(1) for each growth of
    /// the memory.
    ///
    /// ```
    /// # #[cfg(target_arch = "wasm32")]
    /// # mod module {
    /// use freeing_bump::CheckedFreeingBump;
    ///
    /// /// In a memory of up to 16 MiB.
    /// #[global_allocator]
    /// static ALLOCATOR: CheckedFreeingBump = CheckedFreeingBump::new().with_max_pages(256);
    /// # }
    /// ```
    #[must_use]
    pub const fn with_max_pages(mut self, pages: u32) -> Self {
        self.heap.get_mut().limit_pages(pages);
        self
    }

    /// Whether an error has occurred. All allocations return a null pointer since then.
    #[must_use]
    pub fn is_poisoned(&self) -> bool {
        // SAFETY: reading a flag runs no code of the user.
        unsafe { self.heap.with(|heap| heap.is_poisoned()) }
    }

    /// Bytes in use now, at peak and in sum, and address space used. O(1).
    #[must_use]
    pub fn stats(&self) -> Stats {
        // SAFETY: copying figures runs no code of the user.
        unsafe { self.heap.with(|heap| heap.stats()) }
    }

    /// What `call` returns for the heap; none if there is no memory for it or the heap is poisoned. Everything else
    /// that can be wrong goes to the error handler.
    fn checked<R>(&self, call: impl FnOnce(&mut CheckedHeap<ThisModule>) -> Result<R, Error>) -> Option<R> {
        // SAFETY: `CheckedHeap` runs no code of the user. The error handler runs when the heap is free again.
        match unsafe { self.heap.with(call) } {
            Ok(value) => Some(value),
            Err(Error::RequestedAllocationTooLarge | Error::AllocatorOutOfSpace | Error::Poisoned) => None,
            Err(error) => (self.error_handler)(&error),
        }
    }
}

/// Shows the figures of [`stats`](CheckedFreeingBump::stats).
impl fmt::Debug for CheckedFreeingBump {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CheckedFreeingBump").field(&self.stats()).finish()
    }
}

impl Default for CheckedFreeingBump {
    fn default() -> Self {
        Self::new()
    }
}

// SAFETY: `CheckedHeap` hands out disjoint blocks, at least as large and aligned as asked for, or none, and checks what
// it is given back. Its calls never panic.
unsafe impl GlobalAlloc for CheckedFreeingBump {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        self.checked(|heap| heap.allocate(request(layout)))
            .map_or(ptr::null_mut(), pointer)
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        self.checked(|heap| heap.deallocate(address(ptr), request(layout)));
    }

    unsafe fn realloc(&self, ptr: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        self.checked(|heap| heap.reallocate(address(ptr), request(layout), new_size as u32))
            .map_or(ptr::null_mut(), pointer)
    }
}
