//! What the model drives: an allocator with its memory, by its calls and by what it uses each byte for.

use crate::heaps::Request;
use crate::memory::PAGE_BYTES;
use crate::original::Error;
use crate::tests::simulated_memory::SimulatedMemory;
use core::ops::Range;
use std::vec::Vec;

/// What the bytes outside live blocks are used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Idle {
    /// Free: released, or cut off before an aligned block.
    Free,
    /// After the bump pointer.
    Tail,
    /// The heap's own: where it keeps its state.
    Overhead,
}

/// What a range of bytes is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Use {
    /// A live block, with what it was rounded up by and what the heap has before it.
    Live,
    /// None that the program knows of.
    Idle(Idle),
    /// Pages of others.
    Foreign,
}

/// What all bytes of the memory are used for, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    /// In live blocks, with what they were rounded up by.
    pub(crate) live: u64,
    /// In free blocks.
    pub(crate) free: u64,
    /// After the bump pointer.
    pub(crate) tail: u64,
    /// The longest range that is free or in the tail.
    pub(crate) largest_idle: u64,
    /// The heap's own.
    pub(crate) overhead: u64,
    /// In no use, before the pages of others.
    pub(crate) lost: u64,
    /// Pages of others with pages of the heap after them.
    pub(crate) foreign_between: u64,
}

/// The calls on an allocator together with the memory that it allocates from.
pub(crate) trait Calls {
    /// The largest alignment that may be asked for.
    const MAX_ALIGN: u32;

    /// Whether others may grow the memory.
    const SHARES_THE_MEMORY: bool;

    /// Whether the allocator goes on after a refusal. If not it must refuse everything from then on.
    const SERVES_AFTER_REFUSAL: bool;

    /// The memory.
    fn memory(&mut self) -> &mut SimulatedMemory;

    /// A block's address, or none.
    fn allocate(&mut self, request: Request) -> Option<u32>;

    /// The same, with zeros; provided as `GlobalAlloc` provides it.
    fn allocate_zeroed(&mut self, request: Request) -> Option<u32> {
        let address = self.allocate(request)?;
        self.memory().slice(address, request.size).fill(0);
        Some(address)
    }

    /// The bytes after the bump pointer; 0 from an allocator that does not report them.
    fn tail_bytes(&self) -> u32 {
        0
    }

    /// Resizes a live block, or leaves it alone and returns none.
    fn reallocate(&mut self, address: u32, request: Request, new_size: u32) -> Option<u32>;

    /// Releases a live block.
    fn deallocate(&mut self, address: u32, request: Request);
}

/// A subject that tells what it uses each byte of its memory for.
pub(crate) trait Subject: Calls {
    /// All the bytes that the live block at this address takes, with its header and what it was rounded up by.
    fn extent(&self, address: u32, request: Request) -> Range<u64>;

    /// How many bytes an extent for this request has at least.
    fn extent_bytes(&self, request: Request) -> u64;

    /// The ranges of the heap in no live block, when these blocks are live.
    fn idle(&self, live: &[(u32, Request)]) -> Vec<(Idle, Range<u64>)>;

    /// Whether this free range must serve the request; provided for allocators that find whatever fits exactly.
    fn serves(&self, free: &Range<u64>, request: Request) -> bool {
        free.end - free.start == self.extent_bytes(request) && request.align <= PAGE_BYTES
    }

    /// Asserts that the allocator, if it tells what it uses its bytes for, tells these uses, which are in address order.
    fn check_uses(&mut self, _uses: &[(Range<u64>, Use)]) {}

    /// Asserts that the allocator's own figures are these.
    fn check_figures(&self, totals: &Totals);
}

/// A subject that reports errors.
pub(crate) trait Fallible: Calls {
    /// Whether a release comes with the layout, so that overwritten headers can be recognized.
    const KNOWS_LAYOUTS: bool;

    /// A block's address.
    fn try_allocate(&mut self, request: Request) -> Result<u32, Error>;

    /// Releases what was allocated at this address, or whatever the caller claims was.
    fn try_deallocate(&mut self, address: u32, request: Request) -> Result<(), Error>;

    /// The address of the header that a release of this goes by, if that reads as a block's in use whose layout this is.
    fn header_in_use(&self, address: u32, request: Request) -> Option<u32>;

    /// Whether there was an error.
    fn is_poisoned(&self) -> bool;
}
