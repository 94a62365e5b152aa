//! What a thread knows.

use super::pages::Owner;
use super::shared_memory::SharedMemory;
use super::thread_heap::ThreadHeap;
use core::ptr::NonNull;

/// A thread's own part of the allocator; all zero before its first call. It lies in the thread's local storage, of which nothing
/// is dropped: a thread that ends without [`release`](super::heaps::Heaps::release) leaves its heap taken.
pub(crate) struct Thread<M: SharedMemory> {
    /// Its heap, which it alone uses.
    pub(super) heap: Option<NonNull<ThreadHeap<M>>>,
    /// Who owns the pages of that heap: [`Owner::NONE`] without one.
    pub(super) owner: Owner,
    /// The page before which it sees all pages.
    pub(super) seen_to: u32,
}

impl<M: SharedMemory> Thread<M> {
    /// A thread without a heap.
    pub(crate) const NEW: Self = Thread {
        heap: None,
        owner: Owner::NONE,
        seen_to: 0,
    };
}
