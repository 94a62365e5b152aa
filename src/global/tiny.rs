//! `TinyFreeingBump`, the global allocator: layouts and pointers in front of [`TinyHeap`].

use crate::global::cell::SingleThreaded;
use crate::heaps::tiny::TinyHeap;
use crate::heaps::{Heap, global_allocator};
use crate::memory::linear::{ThisModule, address, pointer};
use crate::stats::HeapStats;

/// The smallest global allocator that frees: powers of two without a header, a free list for each, a bump pointer.
///
/// ```
/// # #[cfg(target_arch = "wasm32")]
/// # mod module {
/// use freeing_bump::TinyFreeingBump;
///
/// #[global_allocator]
/// static ALLOCATOR: TinyFreeingBump = TinyFreeingBump::new();
/// # }
/// ```
///
/// - A request takes the smallest power of two of bytes that holds its size and alignment, 8 at least. What is released
///   serves later requests of the same power of two, and no others: for programs whose sizes stay the same, or that
///   are short-lived.
/// - Allocation and release are O(1). `realloc` leaves a block in place while it fits the same power of two, and copies
///   otherwise. `alloc_zeroed` clears memory that was used before or came with the module, and nothing else.
/// - The memory between `__heap_base` and the end of the initial memory comes first (not on WASI, where the C library
///   owns it), then `memory.grow` by what is needed and an eighth, or by just what is needed where the engine refuses more.
/// - Out of memory is a null pointer. Nothing changes that is in use or free, and what is free goes on being handed out. If
///   somebody else has added pages in between, what was never used before them can be lost.
/// - Nothing is checked: releasing twice, or with another layout, is undefined behaviour, as [`GlobalAlloc`](core::alloc::GlobalAlloc) says.
/// - A request aligned to more than 64 KiB gets the block on top of its list only if that happens to be so aligned: a
///   program that mixes such requests with others of the same size can grow without bound.
/// - It has no ceiling below what the engine allows, as `with_max_pages` gives to the others: that would take 36 bytes of
///   code (opt-level "z", wasm-opt 132).
/// - At least one byte stays unused at the end of the memory, so that a block which would end there is refused.
pub struct TinyFreeingBump {
    heap: SingleThreaded<TinyHeap>,
}

impl TinyFreeingBump {
    /// The allocator, for use in a `static`. A module must have only one that takes its memory from `__heap_base`: one
    /// global allocator of this crate.
    #[must_use]
    pub const fn new() -> Self {
        TinyFreeingBump {
            heap: SingleThreaded::new(TinyHeap::new()),
        }
    }

    /// What the memory is used for now, in bytes. Pages that somebody else added to the memory in between count as
    /// live. O(free blocks): nothing is counted while allocating.
    #[must_use]
    pub fn stats(&self) -> HeapStats {
        // SAFETY: counting runs no code of the user.
        unsafe { self.heap.with(|heap| heap.stats(&ThisModule)) }
    }
}

impl Default for TinyFreeingBump {
    fn default() -> Self {
        Self::new()
    }
}

global_allocator!(TinyFreeingBump);
