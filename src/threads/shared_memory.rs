//! What is asked of a memory that threads share.

use super::pages::Pages;
use crate::memory::PageCount;
use crate::memory::linear::LinearMemory;
use core::ptr::NonNull;

/// A thread's access to a linear memory that others have too. A copy of it is the same access.
///
/// # Safety
///
/// Each call of `grow` must return pages that no other call returns, in whatever thread. All values for one memory must have the
/// same [`Pages`]. What [`place`](Self::place) returns must be in no other use, and stay valid and in place as long as the memory.
/// A value whose bytes are all 0 must be valid; what it does does not matter.
pub(crate) unsafe trait SharedMemory: LinearMemory + Clone {
    /// What the threads know about the memory's pages.
    fn pages(&self) -> &Pages;

    /// Has the calling thread see all pages that others have added until now, and returns how many pages there are. It must be
    /// called before bulk instructions and atomic ones reach them.
    ///
    /// V8 keeps the size of the memory in each thread. Such an instruction traps where that is too old; a plain load or store does
    /// not. `memory.grow` of 0 pages mends it, `memory.size` does not (Node 20 to 26).
    fn refresh(&mut self) -> PageCount;

    /// Has the heap that the calling thread has taken given up when the thread ends, where the system tells of that.
    fn give_heap_up_at_end_of_thread(&self);

    /// A place for a `T` whose bytes are all 0, with the address in the page of this number after it, a multiple of 16. In a module
    /// it lies at the beginning of the page.
    ///
    /// # Safety
    ///
    /// The calling thread must have added the page just now, and use it for nothing else. A `T` must be shorter than a page, be
    /// aligned to 16, and valid where all of its bytes are 0.
    unsafe fn place<T>(&mut self, page: u32) -> (NonNull<T>, u32);
}
