//! The 8-byte header before each block of the original algorithm.
//!
//! ```text
//! header_address = pointer - HEADER_BYTES
//!
//! little-endian u64   63 ............ 33   32   31 ............. 0
//!   occupied         |        0          |  1  |      order       |
//!   free             |        0          |  0  | next free header |   0xFFFF_FFFF: the last of its list
//! ```
//!
//! Worked example: a block of 16 bytes (order 1) whose pointer is 0x1_0008 has its header at 0x1_0000. Occupied it
//! reads 0x0000_0001_0000_0001; released, when the next free block of order 1 has its header at 0x1_0040, it reads
//! 0x0000_0000_0001_0040.

use super::error::Error;
use super::memory::Memory;
use super::order::Order;

/// The bytes of a header: as many as the smallest block, so that all pointers are multiples of 8.
pub(crate) const HEADER_BYTES: u32 = 8;

/// The bit that tells an occupied block from a free one.
const OCCUPIED: u64 = 1 << 32;

/// The link of a free block that is the last of its list.
const NO_LINK: u32 = u32::MAX;

/// The address of a header, or none: how free lists are linked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Link(u32);

impl Link {
    /// The end of a list.
    pub(crate) const NONE: Link = Link(NO_LINK);

    /// A link to the header at `address`.
    pub(crate) const fn to(address: u32) -> Self {
        Link(address)
    }

    /// The address of the header that this links to.
    pub(crate) const fn address(self) -> Option<u32> {
        if self.0 == NO_LINK { None } else { Some(self.0) }
    }
}

/// What the eight bytes before a block say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Header {
    /// The block is free, and this is the next free block of its order.
    Free(Link),
    /// The block is in use.
    Occupied(Order),
    /// No header of an allocator whose highest order is the one asked for.
    Invalid(u64),
}

impl Header {
    /// Reads the header at `address`.
    pub(crate) fn read<M: Memory + ?Sized>(memory: &M, address: u32, max: Order) -> Result<Self, Error> {
        Ok(Self::from_bits(memory.read_le_u64(address)?, max))
    }

    /// Writes the header of a block in use.
    pub(crate) fn write_occupied<M: Memory + ?Sized>(memory: &mut M, address: u32, order: Order) -> Result<(), Error> {
        memory.write_le_u64(address, OCCUPIED | u64::from(order.number()))
    }

    /// Writes the header of a free block.
    pub(crate) fn write_free<M: Memory + ?Sized>(memory: &mut M, address: u32, next: Link) -> Result<(), Error> {
        memory.write_le_u64(address, u64::from(next.0))
    }

    fn from_bits(bits: u64, max: Order) -> Self {
        let low = bits as u32;
        match (bits >> 32, Order::from_number(low, max)) {
            (0, _) => Header::Free(Link(low)),
            (1, Some(order)) => Header::Occupied(order),
            _ => Header::Invalid(bits),
        }
    }
}

#[cfg(test)]
mod tests {
    //! In this file since `Header` is private.
    use super::*;

    #[test]
    fn headers_have_the_documented_bits() {
        let max = Order::holding_at_most(1 << 24);
        let mut memory = [0xAA; 16];
        Header::write_occupied(&mut memory[..], 8, Order::holding(16, max).unwrap()).unwrap();
        assert_eq!(memory[8..], [1, 0, 0, 0, 1, 0, 0, 0]);
        Header::write_free(&mut memory[..], 8, Link::to(0x1_0040)).unwrap();
        assert_eq!(memory[8..], [0x40, 0, 1, 0, 0, 0, 0, 0]);
        Header::write_free(&mut memory[..], 8, Link::NONE).unwrap();
        assert_eq!(memory[8..], [0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0]);
        assert_eq!(memory[..8], [0xAA; 8]);
    }

    #[test]
    fn bits_that_no_header_has_are_invalid() {
        let max = Order::holding_at_most(1 << 24);
        for bits in [
            0x1_0000_0016,
            u64::MAX,
            0x2_0000_0000,
            0x8000_0001_0000_0000,
            0x3_0000_0001,
        ] {
            assert_eq!(Header::from_bits(bits, max), Header::Invalid(bits));
        }
        assert_eq!(Header::from_bits(0x1_0000_0015, max), Header::Occupied(max));
    }
}
