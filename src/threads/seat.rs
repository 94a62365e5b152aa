//! Who uses a heap.

use super::remote_blocks::RemoteStack;
use super::shared_memory::SharedMemory;
use super::sync::{AtomicBool, AtomicPtr, spin_loop, tries};
use super::thread_heap::ThreadHeap;
use core::ptr;
use core::ptr::NonNull;
use core::sync::atomic::Ordering;

/// How often a seat is looked at that another thread has taken for a call: longer than almost any such call takes.
const LOOKS: u32 = tries(10_000);

/// What threads share of a heap, in static data: V8 lets atomic instructions reach that in every thread. Two fill
/// a line of the processor's cache.
#[repr(align(32))]
pub(crate) struct Seat<M: SharedMemory> {
    /// The blocks that other threads have released.
    pub(super) remote: RemoteStack,
    /// Whether a thread uses the heap.
    taken: AtomicBool,
    /// Whether a thread has waited for the seat in vain.
    is_kept: AtomicBool,
    /// The heap, for the thread that has taken the seat; null before the first one has.
    heap: AtomicPtr<ThreadHeap<M>>,
}

impl<M: SharedMemory> Seat<M> {
    /// A seat without a heap.
    pub(crate) const fn new() -> Self {
        Seat {
            remote: RemoteStack::new(),
            taken: AtomicBool::new(false),
            is_kept: AtomicBool::new(false),
            heap: AtomicPtr::new(ptr::null_mut()),
        }
    }

    /// Takes the seat if it is free: it is the caller's until [`give_up`](Self::give_up).
    pub(crate) fn try_take(&self) -> bool {
        !self.taken.load(Ordering::Relaxed) && !self.taken.swap(true, Ordering::Acquire)
    }

    /// Takes the seat as soon as it is free, if that is soon. Where it was not for one thread, no other waits for it until it was
    /// taken again: who has it keeps it, or was stopped.
    pub(crate) fn try_take_soon(&self) -> bool {
        let mut looks = if self.is_kept.load(Ordering::Relaxed) { 1 } else { LOOKS };
        while !self.try_take() {
            looks -= 1;
            if looks == 0 {
                self.is_kept.store(true, Ordering::Relaxed);
                return false;
            }
            spin_loop();
        }
        self.is_kept.store(false, Ordering::Relaxed);
        true
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

    /// Makes what loom tracks, before there are threads.
    #[cfg(all(test, loom))]
    pub(super) fn touch(&self) {
        self.remote.is_empty();
        self.heap();
        for flag in [&self.taken, &self.is_kept] {
            flag.load(Ordering::Relaxed);
        }
    }
}
