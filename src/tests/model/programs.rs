//! What the model plays: a place for the heap, and steps.

use crate::memory::PAGE_BYTES;
use crate::tests::simulated_memory::SimulatedMemory;
use std::vec::Vec;

/// The last page number that there can be, and one more.
pub(crate) const END_PAGE: u32 = 65_536;

/// Where the heap lies, and what happens to it.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    pub(crate) heap_base: u32,
    pub(crate) initial_pages: u32,
    /// How many pages there can be from the first one on; then growth is refused whatever the steps say.
    pub(crate) span_pages: u32,
    pub(crate) steps: Vec<Step>,
}

impl Program {
    /// The program's memory, as it is before the first step.
    pub(crate) fn memory(&self) -> SimulatedMemory {
        SimulatedMemory::new(self.heap_base, self.initial_pages, self.limit_pages())
    }

    /// The page at which growth is refused.
    pub(crate) fn limit_pages(&self) -> u32 {
        (self.heap_base / PAGE_BYTES + self.span_pages).min(END_PAGE)
    }
}

/// One event. Blocks are named by their number in the order of their addresses, modulo how many are live.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Allocate {
        size: u32,
        align: u32,
        zeroed: bool,
    },
    /// A block for the tail, less this many bytes.
    AllocateRest {
        less: u32,
        align: u32,
        zeroed: bool,
    },
    Reallocate {
        which: u16,
        size: u32,
    },
    Release {
        which: u16,
    },
    ReleaseMany {
        first: u16,
        count: u8,
    },
    AllowGrowth {
        pages: u32,
    },
    GrowByOthers {
        pages: u32,
    },
}

/// The size, or the largest that a `Layout` of this alignment may have if that is less, but never 0.
pub(crate) fn fitting(size: u32, align: u32) -> u32 {
    size.clamp(1, (1 << 31) - align)
}
