//! `FreeingBump`, the global allocator: layouts and pointers in front of [`FreeingBumpHeap`].

use crate::cell::SingleThreaded;
use crate::freeing_bump_heap::FreeingBumpHeap;
use crate::growth::Growth;
use crate::heap::{Heap, global_allocator};
use crate::linear_memory::{ThisModule, address, pointer};
use crate::stats::HeapStats;

/// The global allocator to choose without thinking: the hot path of the freeing-bump algorithm, size class, free list
/// and bump pointer, in front of a heap that merges what is released, so that it serves every other size.
///
/// ```
/// # #[cfg(target_arch = "wasm32")]
/// # mod module {
/// use freeing_bump::FreeingBump;
///
/// #[global_allocator]
/// static ALLOCATOR: FreeingBump = FreeingBump::new();
/// # }
/// ```
///
/// - Requests of up to 256 bytes are served from runs of 4 KiB of blocks of one size, 8 bytes apart: no bytes per block.
///   A run whose last block is released becomes memory for anything again, and what is built next lies together.
/// - Larger blocks have a tag of 4 bytes and are rounded up to one of 16 sizes for each doubling, above 32 KiB to a
///   multiple of 16. Those up to 32 KiB wait on a free list of their size, 64 KiB of each at most, before they are merged
///   with their neighbours.
/// - Allocation and release are O(1), but for emptying such lists: at most all of them before the memory grows. A
///   request of up to 256 bytes may also write the links of a new run.
/// - `realloc` leaves a block in place within its size, into free space behind it, and at the bump pointer, for which the
///   memory may grow; it copies otherwise. `alloc_zeroed` does not clear what comes fresh from the engine.
/// - The memory between `__heap_base` and the end of the initial memory comes first (not on WASI, where the C library
///   owns it), then `memory.grow` by an eighth, or by just what is needed where the engine refuses more.
/// - Alignments up to 16 cost nothing; above, a block comes from the merging heap, and what is cut off around it is free.
/// - Out of memory is a null pointer. It changes nothing that is in use, and what is free goes on being handed out.
/// - Nothing is checked: releasing twice, or with another layout, is undefined behaviour, as
///   [`GlobalAlloc`](core::alloc::GlobalAlloc) says.
pub struct FreeingBump {
    heap: SingleThreaded<FreeingBumpHeap>,
}

impl FreeingBump {
    /// The allocator, for use in a `static`. A module must have only one that takes its memory from `__heap_base`: one
    /// global allocator of this crate.
    #[must_use]
    pub const fn new() -> Self {
        Self::with_growth(Growth::EIGHTH)
    }

    /// The allocator with another growth policy: [`Growth::Exact`] where each page is paid for, [`Growth::DOUBLING`] or a
    /// [`Growth::Step`] of many pages where calls of `memory.grow` cost most.
    ///
    /// ```
    /// # #[cfg(target_arch = "wasm32")]
    /// # mod module {
    /// use freeing_bump::{FreeingBump, Growth};
    ///
    /// #[global_allocator]
    /// static ALLOCATOR: FreeingBump = FreeingBump::with_growth(Growth::Exact);
    /// # }
    /// ```
    #[must_use]
    pub const fn with_growth(growth: Growth) -> Self {
        FreeingBump {
            heap: SingleThreaded::new(FreeingBumpHeap::new(growth)),
        }
    }

    /// What the memory is used for now, in bytes. What the heap itself needs counts as live: tags, the headers of runs,
    /// and what blocks were rounded up by. O(free blocks): nothing is counted while allocating.
    #[must_use]
    pub fn stats(&self) -> HeapStats {
        // SAFETY: counting runs no code of the user.
        unsafe { self.heap.with(|heap| heap.stats(&ThisModule)) }
    }
}

impl Default for FreeingBump {
    fn default() -> Self {
        Self::new()
    }
}

global_allocator!(FreeingBump);
