//! Who uses a heap.

use super::remote_blocks::RemoteStack;
use super::shared_memory::SharedMemory;
use super::thread_heap::ThreadHeap;
use core::hint::spin_loop;
use core::ptr;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicBool, AtomicPtr, Ordering};

/// What threads share of a heap, in static data: V8 lets atomic instructions reach that in every thread. It fills a
/// line of the processor's cache, so that threads which use different heaps do not slow each other down.
#[repr(align(64))]
pub(crate) struct Seat<M: SharedMemory> {
    /// The blocks that other threads have released.
    pub(super) remote: RemoteStack,
    /// Whether a thread uses the heap.
    taken: AtomicBool,
    /// The heap, for the thread that has taken the seat; null before the first one has.
    heap: AtomicPtr<ThreadHeap<M>>,
}

impl<M: SharedMemory> Seat<M> {
    /// A seat without a heap.
    pub(crate) const fn new() -> Self {
        Seat {
            remote: RemoteStack::new(),
            taken: AtomicBool::new(false),
            heap: AtomicPtr::new(ptr::null_mut()),
        }
    }

    /// Takes the seat if it is free: it is the caller's until [`give_up`](Self::give_up).
    pub(crate) fn try_take(&self) -> bool {
        !self.taken.load(Ordering::Relaxed) && !self.taken.swap(true, Ordering::Acquire)
    }

    /// Takes the seat as soon as it is free, if that happens within so many looks at it.
    pub(crate) fn try_take_soon(&self, looks: u32) -> bool {
        for _ in 0..looks {
            if self.try_take() {
                return true;
            }
            spin_loop();
        }
        false
    }

    /// Lets the next thread have the seat.
    ///
    /// # Safety
    ///
    /// The caller must have taken it, and use its heap no longer.
    pub(crate) unsafe fn give_up(&self) {
        self.taken.store(false, Ordering::Release);
    }

    /// The heap, if there is one. To use it takes the seat.
    pub(crate) fn heap(&self) -> Option<NonNull<ThreadHeap<M>>> {
        NonNull::new(self.heap.load(Ordering::Relaxed))
    }

    /// Gives the seat its heap.
    pub(crate) fn set_heap(&self, heap: NonNull<ThreadHeap<M>>) {
        self.heap.store(heap.as_ptr(), Ordering::Relaxed);
    }
}
