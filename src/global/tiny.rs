//! `TinyFreeingBump`, the global allocator: layouts and pointers in front of [`TinyHeap`].

use super::cell::SingleThreaded;
use super::implement::implement_global_alloc;
use crate::heaps::UncheckedHeap;
use crate::heaps::tiny::TinyHeap;
use crate::memory::linear::ThisModule;
use crate::stats::HeapStats;
use core::fmt;

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
/// - Out of memory is a null pointer. Nothing changes that is in use or free, and what is free is still handed out. If
///   others have added pages in between, what lies unused before them can be lost.
/// - Nothing is checked: releasing twice, or with another layout, is undefined behaviour, as [`GlobalAlloc`](core::alloc::GlobalAlloc) says.
/// - A request aligned to more than 64 KiB gets the block on top of its list only if that happens to be so aligned: a
///   program that mixes such requests with others of the same size can grow without bound.
/// - It has no ceiling below what the engine allows, as `with_max_pages` gives to the others: that would take 36 bytes of
///   code (opt-level "z", wasm-opt 132).
/// - At least one byte stays unused at the end of the memory: a block that would end there is refused.
pub struct TinyFreeingBump {
    heap: SingleThreaded<TinyHeap<ThisModule>>,
}

impl TinyFreeingBump {
    /// The allocator, for use in a `static`. A module must have only one that takes its memory from `__heap_base`: one
    /// global allocator of this crate.
    #[must_use]
    pub const fn new() -> Self {
        TinyFreeingBump {
            heap: SingleThreaded::new(TinyHeap::new(ThisModule)),
        }
    }

    /// What the memory is used for now, in bytes. Pages that others added to the memory in between count as
    /// live. O(free blocks): nothing is counted while allocating.
    #[must_use]
    pub fn stats(&self) -> HeapStats {
        // SAFETY: counting runs no code of the user.
        unsafe { self.heap.with(|heap| heap.stats()) }
    }
}

/// Shows the figures of [`stats`](TinyFreeingBump::stats).
impl fmt::Debug for TinyFreeingBump {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TinyFreeingBump").field(&self.stats()).finish()
    }
}

impl Default for TinyFreeingBump {
    fn default() -> Self {
        Self::new()
    }
}

implement_global_alloc!(TinyFreeingBump);
