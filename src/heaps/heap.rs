//! What the heaps that do not check have in common.

use super::request::Request;
use crate::memory::linear::LinearMemory;
use crate::stats::HeapStats;

/// A heap that trusts its caller. It owns the linear memory that it allocates from. Addresses and sizes are in bytes; 0 is no
/// address.
///
/// No call panics.
pub(crate) trait UncheckedHeap {
    /// What it allocates from.
    type Memory: LinearMemory;

    /// The memory, to copy bytes of blocks in it.
    fn memory(&mut self) -> &mut Self::Memory;

    /// The address of a block for the request, or 0 if there is no memory for it. Then nothing that is in use has changed, and
    /// what was free still is. The bytes of the block are arbitrary.
    fn allocate(&mut self, request: Request) -> u32;

    /// As [`allocate`](Self::allocate), with zeros in the bytes that were asked for.
    fn allocate_zeroed(&mut self, request: Request) -> u32;

    /// Takes back a block.
    ///
    /// # Safety
    ///
    /// `block` must come from this heap, allocated with this request (or resized to it), and not be released since.
    unsafe fn deallocate(&mut self, block: u32, request: Request);

    /// The address of a block for `new_size` bytes that begins with the bytes of `block` as far as both sizes go;
    /// `block` is released if it is another one. Or 0: then `block` is unchanged.
    ///
    /// # Safety
    ///
    /// As for [`deallocate`](Self::deallocate).
    unsafe fn reallocate(&mut self, block: u32, request: Request, new_size: u32) -> u32;

    /// As [`reallocate`](Self::reallocate), into another block. O(bytes copied).
    ///
    /// # Safety
    ///
    /// As for [`deallocate`](Self::deallocate).
    unsafe fn relocate(&mut self, block: u32, request: Request, new_size: u32) -> u32 {
        let new_block = self.allocate(request.with_size(new_size));
        if new_block != 0 {
            // SAFETY: both blocks are live, so they do not overlap. Both hold the bytes that are copied.
            unsafe { self.memory().copy(block, new_block, request.size.min(new_size)) };
            // SAFETY: the caller gives up the old block.
            unsafe { self.deallocate(block, request) };
        }
        new_block
    }

    /// What the memory is used for.
    fn stats(&self) -> HeapStats;
}
