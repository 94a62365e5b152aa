//! Lists of the free blocks of one size: the first word of a free block is the address of the next one on its list, or 0.

use crate::memory::linear::LinearMemory;

/// Where a free block has the address of the next one.
const NEXT_BLOCK_OFFSET: u32 = 0;

/// The address of the first block of a list, or 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FreeList(u32);

impl FreeList {
    /// The list without a block.
    pub(super) const EMPTY: FreeList = FreeList(0);

    /// The list that begins with this block, or is empty where that is 0.
    ///
    /// # Safety
    ///
    /// The block must be free, and its first word must say what follows.
    pub(super) const unsafe fn from_first(block: u32) -> Self {
        FreeList(block)
    }

    /// The first block, or 0.
    pub(super) const fn first(self) -> u32 {
        self.0
    }

    /// Whether there is no block on it.
    pub(super) const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The list without its first block, which it must have.
    #[inline]
    pub(super) fn rest<M: LinearMemory>(self, memory: &M) -> Self {
        // SAFETY: the first word of a free block is the next one.
        FreeList(unsafe { memory.read_word(self.0, NEXT_BLOCK_OFFSET) })
    }

    /// Takes the first block, or returns 0 where there is none. O(1).
    #[inline]
    pub(super) fn pop<M: LinearMemory>(&mut self, memory: &M) -> u32 {
        let block = self.0;
        if block != 0 {
            *self = self.rest(memory);
        }
        block
    }

    /// The list with this block before it. O(1).
    ///
    /// # Safety
    ///
    /// The block must be the heap's, on no list, and not be live any more.
    #[inline]
    pub(super) unsafe fn with_first<M: LinearMemory>(self, memory: &mut M, block: u32) -> Self {
        // SAFETY: a free block's words are the heap's.
        unsafe { memory.write_word(block, NEXT_BLOCK_OFFSET, self.0) };
        FreeList(block)
    }

    /// How many blocks are on it. O(blocks).
    pub(super) fn length<M: LinearMemory>(self, memory: &M) -> u32 {
        let mut length = 0;
        let mut list = self;
        while !list.is_empty() {
            length += 1;
            list = list.rest(memory);
        }
        length
    }
}
