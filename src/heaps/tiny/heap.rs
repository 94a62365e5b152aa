//! The engine of `TinyFreeingBump`: powers of two without headers, one free list for each, and a bump pointer.
//!
//! ```text
//! heap base                                        bump pointer           end of the heap's memory
//! v                                                v                      v
//! +---------+-------+------------------+-----------+----------------------+
//! | 8 bytes | 8, free | 16, in use     | 32, free  | tail                 |
//! +---------+-------+------------------+-----------+----------------------+
//! +0        +8      +16                +32         +64
//!           a free block's first word is the address of the next free block of its size, 0 for none
//! ```
//!
//! A block has the smallest power of two of bytes that holds its request, 8 at least, and starts at a multiple of its
//! size (of 64 KiB if it is larger): so every alignment up to 64 KiB costs nothing to check. Where the bump pointer is
//! not aligned for a block, the bytes up to where it is go to the free lists, in blocks as large as their addresses
//! allow. Worked example: with the bump pointer at 0x1_0008 a request of 40 bytes (a block of 64) puts blocks of 8, 16
//! and 32 bytes, at 0x1_0008, 0x1_0010 and 0x1_0020, on their lists and returns 0x1_0040.
//!
//! A release comes with the layout, and so with the size: there is no header. Free blocks are never merged or split.

use crate::heaps::{Request, UncheckedHeap};
use crate::memory::linear::LinearMemory;
use crate::memory::{PAGE_BYTES, PAGE_SHIFT, PageCount};
use crate::stats::HeapStats;

#[cfg(any(test, fuzzing))]
#[path = "tests/mod.rs"]
mod tests;

/// The smallest block: room for a link, and the alignment of the most common types.
const MIN_BLOCK_BYTES: u32 = 8;

/// How many lists there are: one for each number of leading zeros that a `u32` can have.
const LISTS: usize = 32;

/// The size of a block, a power of two: the number of leading zeros of the size less 1.
///
/// For 8 bytes that is 29, for 2^31 bytes it is 1.
#[derive(Clone, Copy, PartialEq, Eq)]
struct PowerOfTwo(u32);

impl PowerOfTwo {
    /// The size of the smallest block that serves a request.
    ///
    /// The highest bit of `(size - 1) | (align - 1)` is that of the larger of the two, less 1.
    const fn of(Request { size, align }: Request) -> Self {
        PowerOfTwo((size.wrapping_sub(1) | align.wrapping_sub(1) | (MIN_BLOCK_BYTES - 1)).leading_zeros())
    }

    /// The block size less 1: a mask for the bits of an address inside a block.
    const fn mask(self) -> u32 {
        u32::MAX.wrapping_shr(self.0)
    }

    /// The index of the class's list. The mask changes nothing and spares the module a bounds check that can panic.
    const fn list(self) -> usize {
        self.0 as usize % LISTS
    }
}

/// The state of the heap: all zero before its first use.
pub(crate) struct TinyHeap<M> {
    memory: M,
    /// The first free block of each class, 0 for none.
    free_lists: [u32; LISTS],
    /// The bump pointer: the first byte never handed out. Always below `end` once there is memory.
    bump: u32,
    /// The first byte after the memory that the bump pointer moves through; 0 at the top of the address space.
    end: u32,
}

impl<M: LinearMemory> TinyHeap<M> {
    /// A heap that has taken nothing of `memory` yet.
    pub(crate) const fn new(memory: M) -> Self {
        TinyHeap {
            memory,
            free_lists: [0; LISTS],
            bump: 0,
            end: 0,
        }
    }

    /// Takes the initial memory at the first call, then grows the memory by what is lacking and an eighth of what lies
    /// below the heap's end, or by what is lacking alone. False if even that is refused. Then nothing has changed.
    ///
    /// Where others have grown the memory in between, the bump pointer moves past their pages. What was left
    /// before them, less than the request at hand needs, stays unused, even if the request is then refused: to put it on
    /// the free lists would take more code than is worth it.
    #[cold]
    fn grow(&mut self, lacking: u32) -> bool {
        let region = if self.bump == 0 {
            self.memory.initial_region()
        } else {
            let needed = PageCount(lacking / PAGE_BYTES + 1);
            let wanted = PageCount(needed.0 + (self.end >> (PAGE_SHIFT + 3)));
            let Some(region) = self.memory.grow_heap(wanted, needed) else {
                return false;
            };
            region
        };
        if region.start != self.end {
            self.bump = region.start;
        }
        self.end = region.end;
        true
    }
}

impl<M: LinearMemory> UncheckedHeap for TinyHeap<M> {
    type Memory = M;

    fn memory(&mut self) -> &mut M {
        &mut self.memory
    }

    /// O(1), except for the growth of the memory.
    fn allocate(&mut self, request: Request) -> u32 {
        let class = PowerOfTwo::of(request);
        let align_mask = request.align.wrapping_sub(1);
        loop {
            let head = self.free_lists[class.list()];
            // Blocks above 64 KiB are aligned to 64 KiB, which only the rarest of requests find too little.
            if head != 0 && head & align_mask == 0 {
                // SAFETY: the block is on a free list, so its first word is the link that `deallocate` wrote.
                self.free_lists[class.list()] = unsafe { self.memory.read_word(head, 0) };
                return head;
            }
            let block = self.bump;
            let block_bytes = class.mask().wrapping_add(1);
            let misaligned_by = block.wrapping_neg() & class.mask() & (align_mask | (PAGE_BYTES - 1));
            let needed = misaligned_by.wrapping_add(block_bytes);
            let tail = self.end.wrapping_sub(block);
            // Block and misaligned bytes together: a refused request takes none of them. At least one byte stays after the
            // block: none ends at 2^32. When the memory grows, that byte is used.
            if needed < tail {
                let piece = if misaligned_by == 0 {
                    block_bytes
                } else {
                    block & block.wrapping_neg()
                };
                self.bump = block.wrapping_add(piece);
                if misaligned_by == 0 {
                    return block;
                }
                // SAFETY: the piece was never handed out; as a block of its own it is aligned to its size.
                unsafe { self.deallocate(block, Request { size: piece, align: 1 }) };
            } else if !self.grow(needed.wrapping_sub(tail)) {
                return 0;
            }
        }
    }

    /// Puts the block on its list, from which the next request of its class takes it. O(1).
    ///
    /// Never inlined, since `allocate` and `reallocate` call it too: 48 bytes of code less than three copies (Rust 1.95,
    /// opt-level "z", wasm-opt 132).
    #[inline(never)]
    unsafe fn deallocate(&mut self, block: u32, request: Request) {
        let list = &mut self.free_lists[PowerOfTwo::of(request).list()];
        // SAFETY: the caller gives up the block, which has 8 bytes at least and is aligned to them.
        unsafe { self.memory.write_word(block, 0, *list) };
        *list = block;
    }

    /// In place while the class stays the same, else O(bytes copied).
    unsafe fn reallocate(&mut self, block: u32, request: Request, new_size: u32) -> u32 {
        if PowerOfTwo::of(request) == PowerOfTwo::of(request.with_size(new_size)) {
            return block;
        }
        // SAFETY: the caller passes a live block with its request.
        unsafe { self.relocate(block, request, new_size) }
    }

    /// Memory that comes fresh from the engine is zero already and is not cleared. O(bytes cleared).
    fn allocate_zeroed(&mut self, request: Request) -> u32 {
        // All blocks that were ever used lie below the bump pointer. The initial memory may hold what the host wrote.
        let bump = self.bump;
        // A region that reaches the top of the address space ends at 0.
        let last_initial = self.memory.initial_region().end.wrapping_sub(1);
        let block = self.allocate(request);
        if block != 0 && (block < bump || block <= last_initial) {
            // SAFETY: the block was just allocated, with at least `size` bytes.
            unsafe { self.memory.clear(block, request.size) };
        }
        block
    }

    /// What the memory is used for. Pages that others added to the memory in between count as live, because nothing
    /// records them. O(free blocks).
    fn stats(&self) -> HeapStats {
        let initial = self.memory.initial_region();
        let (bump, end) = if self.bump == 0 {
            (initial.start, initial.end)
        } else {
            (self.bump, self.end)
        };
        let tail_bytes = end.wrapping_sub(bump);
        let address_space_bytes = end.wrapping_sub(initial.start);
        let mut free_bytes = 0;
        let mut largest_free_bytes = 0;
        // From the smallest blocks, class 29, to the largest, class 1.
        for class in (1..LISTS as u32 - 2).rev().map(PowerOfTwo) {
            let block_bytes = class.mask().wrapping_add(1);
            let mut block = self.free_lists[class.list()];
            let misaligned_by = bump.wrapping_neg() & class.mask() & (PAGE_BYTES - 1);
            if block != 0 || misaligned_by.wrapping_add(block_bytes) < tail_bytes {
                largest_free_bytes = block_bytes;
            }
            while block != 0 {
                free_bytes += block_bytes;
                // SAFETY: the block is on a free list, so its first word is the link that `deallocate` wrote.
                block = unsafe { self.memory.read_word(block, 0) };
            }
        }
        HeapStats {
            live_bytes: address_space_bytes - tail_bytes - free_bytes,
            free_bytes,
            tail_bytes,
            address_space_bytes,
            largest_free_bytes,
        }
    }
}
