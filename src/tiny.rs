//! `TinyFreeingBump`, the global allocator: layouts and pointers in front of [`TinyHeap`].

use crate::cell::SingleThreaded;
use crate::linear_memory::{ThisModule, address, pointer};
use crate::stats::HeapStats;
use crate::tiny_heap::TinyHeap;
use core::alloc::{GlobalAlloc, Layout};

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
///   live shortly.
/// - Allocation and release are O(1). `realloc` leaves a block in place while it fits the same power of two, and copies
///   otherwise. `alloc_zeroed` clears memory that was used before or came with the module, and nothing else.
/// - The memory between `__heap_base` and the end of the initial memory comes first (not on WASI, where the C library
///   owns it), then `memory.grow` by an eighth, or by just what is needed where the engine refuses more.
/// - Out of memory is a null pointer. It changes nothing: what is free goes on being handed out.
/// - Nothing is checked: releasing twice, or with another layout, is undefined behaviour, as [`GlobalAlloc`] says.
/// - A request aligned to more than 64 KiB gets the block on top of its list only if that happens to be so aligned.
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

// SAFETY: `TinyHeap` hands out disjoint blocks, at least as large and aligned as asked for, and takes back what it is
// given. Its calls run no code of the user, which is all that `SingleThreaded::with` asks for. They never panic.
unsafe impl GlobalAlloc for TinyFreeingBump {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: see above.
        pointer(unsafe {
            self.heap
                .with(|heap| heap.allocate(&mut ThisModule, layout.size() as u32, layout.align() as u32))
        })
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: see above.
        pointer(unsafe {
            self.heap
                .with(|heap| heap.allocate_zeroed(&mut ThisModule, layout.size() as u32, layout.align() as u32))
        })
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        // SAFETY: see above; the caller gives back a block of this allocator with the layout that it was allocated with.
        unsafe {
            self.heap.with(|heap| {
                heap.deallocate(
                    &mut ThisModule,
                    address(ptr),
                    layout.size() as u32,
                    layout.align() as u32,
                )
            })
        }
    }

    unsafe fn realloc(&self, ptr: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: as for `dealloc`; the new size is not 0 either.
        pointer(unsafe {
            self.heap.with(|heap| {
                let (size, align) = (layout.size() as u32, layout.align() as u32);
                heap.reallocate(&mut ThisModule, address(ptr), size, align, new_size as u32)
            })
        })
    }
}
