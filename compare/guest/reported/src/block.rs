//! Blocks straight from the global allocator, which may refuse them, and chains of blocks.

use std::alloc::{Layout, alloc, dealloc};
use std::ptr::NonNull;

/// The alignment of all blocks.
const ALIGN: usize = 8;

/// What a block holds at its start; the last byte of a longer block is marked too.
#[derive(Clone, Copy)]
struct Header {
    next: Option<Block>,
    /// Its low byte is also the mark of the last byte.
    size: usize,
}

/// A live block.
#[derive(Clone, Copy)]
pub struct Block(NonNull<Header>);

/// The smallest block that can hold what a chain needs: 8 bytes in a wasm32 module.
pub const LEAST: usize = size_of::<Header>();

impl Block {
    /// A block of `size` bytes, at least [`LEAST`]; `None` if the allocator refuses it.
    pub fn try_new(size: usize) -> Option<Self> {
        assert!(size >= LEAST, "a block of {size} bytes has no room for its header");
        // SAFETY: the size is not 0.
        let start = NonNull::new(unsafe { alloc(layout(size)) })?;
        let block = Block(start.cast());
        // SAFETY: the block has at least the bytes of a header, and is aligned to 8.
        unsafe {
            if size > LEAST {
                start.add(size - 1).write(size as u8);
            }
            block.0.write(Header { next: None, size });
        }
        Some(block)
    }

    /// A block of `size` bytes.
    ///
    /// # Panics
    ///
    /// If the allocator refuses it.
    pub fn new(size: usize) -> Self {
        match Block::try_new(size) {
            Some(block) => block,
            None => std::alloc::handle_alloc_error(layout(size)),
        }
    }

    /// Releases the block and returns its size.
    ///
    /// # Panics
    ///
    /// If the block is not as it was when it was made: it overlaps with another, or the allocator wrote into it.
    pub fn release(self) -> usize {
        // SAFETY: the block is live, and this is its last use: every caller takes it out of where it kept it.
        unsafe {
            let size = self.0.read().size;
            let start: NonNull<u8> = self.0.cast();
            assert!(
                size == LEAST || start.add(size - 1).read() == size as u8,
                "a block's last byte has changed"
            );
            dealloc(start.as_ptr(), layout(size));
            size
        }
    }
}

fn layout(size: usize) -> Layout {
    debug_assert!(Layout::from_size_align(size, ALIGN).is_ok());
    // SAFETY: the alignment is a power of two, and workloads ask for sizes far below `isize::MAX`.
    unsafe { Layout::from_size_align_unchecked(size, ALIGN) }
}

/// Live blocks in the order in which they were made. The chain takes no memory besides the blocks.
#[derive(Default)]
pub struct Chain {
    ends: Option<(Block, Block)>,
}

impl Chain {
    /// An empty chain.
    pub const fn new() -> Self {
        Chain { ends: None }
    }

    /// Adds a block at the end.
    pub fn push(&mut self, block: Block) {
        self.ends = match self.ends {
            None => Some((block, block)),
            Some((first, last)) => {
                // SAFETY: a chain's blocks are live.
                unsafe { (*last.0.as_ptr()).next = Some(block) };
                Some((first, block))
            }
        };
    }

    /// Takes the oldest block out.
    pub fn pop(&mut self) -> Option<Block> {
        let (first, last) = self.ends?;
        // SAFETY: a chain's blocks are live.
        let next = unsafe { (*first.0.as_ptr()).next.take() };
        self.ends = next.map(|next| (next, last));
        Some(first)
    }

    /// Releases all blocks, the oldest first, and returns the sum of their sizes.
    pub fn release(mut self) -> u64 {
        let mut bytes = 0;
        while let Some(block) = self.pop() {
            bytes += block.release() as u64;
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::{Block, Chain};

    #[test]
    fn a_chain_gives_its_blocks_back_in_the_order_they_were_made() {
        let mut chain = Chain::new();
        for size in [300, 24, 5000] {
            chain.push(Block::new(size));
        }
        assert_eq!(chain.pop().map(Block::release), Some(300));
        chain.push(Block::new(16));
        assert_eq!(chain.release(), 24 + 5000 + 16);
    }

    #[test]
    #[should_panic(expected = "last byte")]
    fn a_block_that_was_written_into_is_noticed() {
        let block = Block::new(100);
        // SAFETY: the block has 100 bytes.
        unsafe { block.0.cast::<u8>().add(99).write(0) };
        block.release();
    }
}
