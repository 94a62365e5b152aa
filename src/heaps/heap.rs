//! What the heaps without headers have in common, and how one of them becomes a global allocator.

use crate::memory::linear::LinearMemory;
use crate::stats::HeapStats;

/// A heap in a linear memory, which every call is passed. Addresses and sizes are in bytes; 0 is no address.
///
/// No call panics. Sizes are not 0 and, rounded up to the alignment, not above `isize::MAX` of the target, alignments
/// are powers of two: what a `Layout` guarantees.
pub(crate) trait UncheckedHeap {
    /// The address of a block for `size` bytes aligned to `align`, or 0 if there is no memory for it, and then nothing
    /// that is in use has changed, and what was free still is. Its bytes are arbitrary.
    fn allocate<M: LinearMemory>(&mut self, memory: &mut M, size: u32, align: u32) -> u32;

    /// As [`allocate`](Self::allocate), with `size` bytes of zero at the address.
    fn allocate_zeroed<M: LinearMemory>(&mut self, memory: &mut M, size: u32, align: u32) -> u32;

    /// Takes back a block.
    ///
    /// # Safety
    ///
    /// `block` must come from this heap and memory, allocated with this `size` (or resized to it) and `align`, and not
    /// released since.
    unsafe fn deallocate<M: LinearMemory>(&mut self, memory: &mut M, block: u32, size: u32, align: u32);

    /// The address of a block for `new_size` bytes that begins with the bytes of `block` as far as both sizes go;
    /// `block` is released if it is another one. Or 0, and then `block` is as before.
    ///
    /// # Safety
    ///
    /// As for [`deallocate`](Self::deallocate).
    unsafe fn reallocate<M: LinearMemory>(
        &mut self,
        memory: &mut M,
        block: u32,
        size: u32,
        align: u32,
        new_size: u32,
    ) -> u32;

    /// As [`reallocate`](Self::reallocate), into another block. O(bytes copied).
    ///
    /// # Safety
    ///
    /// As for [`deallocate`](Self::deallocate).
    unsafe fn relocate<M: LinearMemory>(
        &mut self,
        memory: &mut M,
        block: u32,
        size: u32,
        align: u32,
        new_size: u32,
    ) -> u32 {
        let new_block = self.allocate(memory, new_size, align);
        if new_block != 0 {
            // SAFETY: both blocks are in use, so that they do not overlap, and hold at least the bytes copied; then the
            // caller gives up the old one.
            unsafe {
                memory.copy(block, new_block, size.min(new_size));
                self.deallocate(memory, block, size, align);
            }
        }
        new_block
    }

    /// What the memory is used for.
    fn stats<M: LinearMemory>(&self, memory: &M) -> HeapStats;
}
