//! What can go wrong in the checked allocators, with the addresses that show it.

use core::fmt;

/// Why a call on [`FreeingBumpHeapAllocator`](crate::FreeingBumpHeapAllocator) failed, or what
/// `CheckedFreeingBump` found wrong.
///
/// Addresses are byte offsets into the linear memory. The first error poisons the allocator that returns it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The request is larger than the allocator's largest block, 16 MiB unless it was raised.
    RequestedAllocationTooLarge,
    /// No free block serves the request, the tail of the memory is too short for it, and the memory cannot
    /// grow by what is lacking.
    AllocatorOutOfSpace,
    /// The memory is smaller than at an earlier call.
    MemoryShrunk,
    /// An earlier call returned an error. Since then the allocator does nothing.
    Poisoned,
    /// The heap base rounded up to a multiple of 8 lies past the 32-bit address space.
    InvalidHeapBase {
        /// The heap base as it was passed to `new`.
        heap_base: u32,
    },
    /// Eight bytes at this address do not lie inside the memory.
    InvalidAddress {
        /// The first of the eight bytes.
        address: u32,
    },
    /// No block can start at this pointer: it lies outside the part of the heap that was handed out, or between two
    /// multiples of 8.
    InvalidPointer {
        /// The pointer that was passed in.
        pointer: u32,
    },
    /// The block's header says that it is free: it was released before, or it was never handed out.
    BlockNotOccupied {
        /// The pointer that was passed in.
        pointer: u32,
    },
    /// The eight bytes before the pointer are not a header: they were overwritten, or no block starts at the pointer.
    CorruptHeader {
        /// The pointer that was passed in.
        pointer: u32,
        /// The eight bytes, read as a little-endian integer.
        header: u64,
    },
    /// A free list leads to something that is not a free block: a freed block or its header was written to.
    CorruptFreeList {
        /// The order whose list is broken. Its blocks have 8 bytes times 2 to the power of `order`.
        order: u32,
        /// Where the list leads to: the address of a header.
        header_address: u32,
    },
    /// The layout of a release or resizing is not the one that the block was allocated with.
    LayoutMismatch {
        /// The pointer that was passed in.
        pointer: u32,
        /// The bytes that the block has room for.
        block_bytes: u32,
    },
    /// A block that is handed out again was written to while it was free.
    WrittenAfterFree {
        /// The block's pointer.
        pointer: u32,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Error::RequestedAllocationTooLarge => {
                f.write_str("the requested allocation is larger than the largest block")
            }
            Error::AllocatorOutOfSpace => f.write_str("the heap is out of space and its memory cannot grow"),
            Error::MemoryShrunk => f.write_str("the memory is smaller than at an earlier call"),
            Error::Poisoned => f.write_str("the allocator is poisoned by an earlier error"),
            Error::InvalidHeapBase { heap_base } => {
                write!(
                    f,
                    "the heap base {heap_base:#x} is too close to the end of the address space"
                )
            }
            Error::InvalidAddress { address } => {
                write!(f, "eight bytes at {address:#x} do not lie inside the memory")
            }
            Error::InvalidPointer { pointer } => {
                write!(
                    f,
                    "no block can start at {pointer:#x}: it lies outside the heap or is not a multiple of 8"
                )
            }
            Error::BlockNotOccupied { pointer } => {
                write!(
                    f,
                    "the block at {pointer:#x} is free: released twice, or never handed out"
                )
            }
            Error::CorruptHeader { pointer, header } => write!(
                f,
                "the eight bytes before {pointer:#x} are {header:#018x}, which is not a block header: \
                 overwritten, or no block starts here"
            ),
            Error::CorruptFreeList { order, header_address } => {
                write!(
                    f,
                    "the free list of order {order} leads to {header_address:#x}, where no free block is"
                )
            }
            Error::LayoutMismatch { pointer, block_bytes } => write!(
                f,
                "the block at {pointer:#x} has room for {block_bytes} bytes, which is not what its layout asks for"
            ),
            Error::WrittenAfterFree { pointer } => {
                write!(f, "the block at {pointer:#x} was written to while it was free")
            }
        }
    }
}

impl core::error::Error for Error {}
