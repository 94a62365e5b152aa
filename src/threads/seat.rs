//! Who uses a heap.

use super::remote_blocks::RemoteStack;
use super::shared_memory::SharedMemory;
use super::sync::{AtomicPtr, AtomicU32, spin_loop, tries};
use super::thread_heap::ThreadHeap;
use core::ptr;
use core::ptr::NonNull;
use core::sync::atomic::Ordering;

/// How often a seat is looked at that another thread has taken for a call: for 25 milliseconds at most. So long it takes only
/// where the system has taken the processor from that thread in the middle of the call. To use another heap instead costs
/// memory: where four threads on two processors exchange blocks, 1,000 pages with 10,000 looks, 500 with 3 million.
const LOOKS: u32 = tries(3_000_000);

/// No thread has the seat.
const FREE: u32 = 0;
/// A thread has it, for a call perhaps.
const TAKEN: u32 = 1;
/// A thread keeps it, or another one has waited in vain.
const KEPT: u32 = 2;

/// What threads share of a heap, in static data: V8 lets atomic instructions reach that in every thread. Two fill
/// a line of the processor's cache.
#[repr(align(32))]
pub(crate) struct Seat<M: SharedMemory> {
    /// The blocks that other threads have released.
    pub(super) remote: RemoteStack,
    /// [`FREE`], [`TAKEN`] or [`KEPT`].
    state: AtomicU32,
    /// The heap, for the thread that has taken the seat; null before the first one has.
    heap: AtomicPtr<ThreadHeap<M>>,
}

impl<M: SharedMemory> Seat<M> {
    /// A seat without a heap.
    pub(crate) const fn new() -> Self {
        Seat {
            remote: RemoteStack::new(),
            state: AtomicU32::new(FREE),
            heap: AtomicPtr::new(ptr::null_mut()),
        }
    }

    /// Takes the seat if it is free, or is soon: it is the caller's until [`give_up`](Self::give_up). Where it was not for one
    /// thread, no other waits for it: who has it keeps it, or was stopped.
    pub(crate) fn try_take(&self) -> bool {
        for _ in 0..LOOKS {
            match self.exchange(FREE, TAKEN) {
                Ok(_) => return true,
                Err(KEPT) => return false,
                Err(_) => spin_loop(),
            }
        }
        // If it was given up meanwhile, it is free and stays so.
        let _ = self.exchange(TAKEN, KEPT);
        false
    }

    fn exchange(&self, from: u32, to: u32) -> Result<u32, u32> {
        self.state
            .compare_exchange(from, to, Ordering::Acquire, Ordering::Relaxed)
    }

    /// Has no other thread wait for the seat, which the caller has taken and will have for long.
    pub(crate) fn keep(&self) {
        self.state.store(KEPT, Ordering::Relaxed);
    }

    /// Lets the next thread have the seat.
    ///
    /// # Safety
    ///
    /// The caller must have taken it, and use its heap no longer.
    pub(crate) unsafe fn give_up(&self) {
        self.state.store(FREE, Ordering::Release);
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
        self.state.load(Ordering::Relaxed);
    }
}
