//! A hook for each allocation and release, compiled in by the cargo feature `trace`.
//!
//! The original algorithm logs the heap's size after each call. Here a wrapper around the global allocator does it, and no
//! allocator contains anything of it. A module that does not use the wrapper is the same byte for byte, with the feature
//! and without it.

use core::alloc::{GlobalAlloc, Layout};
use core::cell::Cell;

/// What has just happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Action {
    /// A block was allocated.
    Allocated,
    /// A block was allocated and holds zeros.
    AllocatedZeroed,
    /// A block was resized: the event's address and layout are its new ones.
    Reallocated {
        /// The address of the block before.
        old_address: usize,
        /// Its layout before.
        old_layout: Layout,
    },
    /// A block was released: the event's address and layout are those it had.
    Released,
    /// A request was refused: the event's address is 0, its layout what was asked for. A block that was to be resized
    /// is unchanged.
    Refused,
}

/// One call on the allocator, as the hook gets it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Event {
    /// What has just happened.
    pub action: Action,
    /// The block's address in bytes.
    pub address: usize,
    /// The block's layout.
    pub layout: Layout,
    /// The heap's size after the call: the bytes that all live blocks were asked for, together.
    pub heap_size: usize,
}

/// A global allocator that tells a function of yours about each call that it passes on.
///
/// ```
/// # #[cfg(target_arch = "wasm32")]
/// # mod module {
/// use freeing_bump::{Event, TinyFreeingBump, Traced};
///
/// #[global_allocator]
/// static ALLOCATOR: Traced<TinyFreeingBump> = Traced::new(TinyFreeingBump::new(), report);
///
/// fn report(event: &Event) {
///     // hand the event to the host
/// }
/// # }
/// ```
///
/// The hook runs after the call, in O(1) beside what it does itself. It may allocate: calls that it makes are passed
/// on and counted, but not reported. It must not unwind.
#[derive(Debug)]
pub struct Traced<A> {
    allocator: A,
    hook: fn(&Event),
    heap_size: Cell<usize>,
    /// Whether the hook is running.
    reporting: Cell<bool>,
}

// SAFETY: this crate refuses builds for threads, so one thread at a time runs a module.
#[cfg(all(target_arch = "wasm32", not(any(for_threads, target_feature = "atomics"))))]
unsafe impl<A: Sync> Sync for Traced<A> {}

impl<A> Traced<A> {
    /// An allocator that passes every call on to `allocator` and then calls `hook`.
    #[must_use]
    pub const fn new(allocator: A, hook: fn(&Event)) -> Self {
        Traced {
            allocator,
            hook,
            heap_size: Cell::new(0),
            reporting: Cell::new(false),
        }
    }

    /// The allocator that calls are passed on to.
    #[must_use]
    pub const fn inner(&self) -> &A {
        &self.allocator
    }

    /// Tells the hook what has happened, with the heap's size changed from `before` to `after` bytes.
    fn report(&self, action: Action, address: *mut u8, layout: Layout, before: usize, after: usize) {
        // Wraps only for a program that releases what it never allocated.
        let heap_size = self.heap_size.get().wrapping_sub(before).wrapping_add(after);
        self.heap_size.set(heap_size);
        if self.reporting.replace(true) {
            return;
        }
        (self.hook)(&Event {
            action,
            address: address.addr(),
            layout,
            heap_size,
        });
        self.reporting.set(false);
    }

    /// Reports what a request has led to.
    fn report_request(&self, action: Action, address: *mut u8, layout: Layout, before: usize) -> *mut u8 {
        if address.is_null() {
            self.report(Action::Refused, address, layout, 0, 0);
        } else {
            self.report(action, address, layout, before, layout.size());
        }
        address
    }
}

// SAFETY: all calls are passed on as they are, and what they return is passed back.
unsafe impl<A: GlobalAlloc> GlobalAlloc for Traced<A> {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the size of the layout is not 0, as the caller must see to.
        let address = unsafe { self.allocator.alloc(layout) };
        self.report_request(Action::Allocated, address, layout, 0)
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the size of the layout is not 0, as the caller must see to.
        let address = unsafe { self.allocator.alloc_zeroed(layout) };
        self.report_request(Action::AllocatedZeroed, address, layout, 0)
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        // SAFETY: the block comes from the allocator within, with this layout, and is live.
        unsafe { self.allocator.dealloc(ptr, layout) };
        self.report(Action::Released, ptr, layout, layout.size(), 0);
    }

    unsafe fn realloc(&self, ptr: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: the block comes from the allocator within, with this layout, and is live.
        let address = unsafe { self.allocator.realloc(ptr, layout, new_size) };
        // SAFETY: the caller says that the new size, rounded up to the alignment, does not overflow an `isize`.
        let new_layout = unsafe { Layout::from_size_align_unchecked(new_size, layout.align()) };
        let action = Action::Reallocated {
            old_address: ptr.addr(),
            old_layout: layout,
        };
        self.report_request(action, address, new_layout, layout.size())
    }
}
