//! A frame of the picture, as `heap-picture.js` reads it from the memory: copy both for a program of your own.
//!
//! ```text
//! | head: 12 words of 4 bytes, little-endian | cells: 4 bytes each |
//! ```
//!
//! A cell is a number of addresses that follow each other. Its four bytes say which part of them is live, free, in the tail and
//! the heap's own, each out of 255. What is missing to 255 are pages of others, or, in the last cell, no memory.

/// The most cells that a frame has.
pub const CELLS: usize = 8192;

/// The words before the cells.
#[derive(Default)]
#[repr(C)]
pub struct Head {
    /// The address of the first cell's first byte.
    pub address: u32,
    /// A power of two: the least with which the cells suffice.
    pub bytes_per_cell: u32,
    /// How many cells are in use.
    pub cells: u32,
    /// Bytes of all the memory of the heap, with the pages of others within.
    pub heap_bytes: u32,
    pub live_bytes: u32,
    pub live_blocks: u32,
    pub free_bytes: u32,
    pub tail_bytes: u32,
    pub own_bytes: u32,
    pub foreign_bytes: u32,
    /// Where the largest free block is, or the tail if that is larger, and its bytes.
    pub largest_free_address: u32,
    pub largest_free_bytes: u32,
}

/// A frame.
#[repr(C)]
pub struct Frame {
    pub head: Head,
    pub cells: [[u8; 4]; CELLS],
}
