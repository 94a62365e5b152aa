//! What the regressions have in common: the heaps, and an oracle that watches one.

use crate::heaps::Request;
use crate::heaps::checked::CheckedHeap;
use crate::heaps::merging::MergingHeap;
use crate::heaps::tiny::TinyHeap;
use crate::memory::Growth;
use crate::memory::PAGE_BYTES;
use crate::tests::model::Subject;
use crate::tests::model::headerless::Headerless;
use crate::tests::model::oracle::Oracle;
use crate::tests::simulated_memory::SimulatedMemory;
use std::vec::Vec;

pub(super) fn tiny(memory: SimulatedMemory) -> Headerless<TinyHeap<SimulatedMemory>> {
    Headerless(TinyHeap::new(memory))
}

pub(super) fn freeing_bump(memory: SimulatedMemory) -> Headerless<MergingHeap<SimulatedMemory>> {
    Headerless(MergingHeap::new(memory, Growth::THIRTY_SECOND))
}

/// With room for blocks of any size.
pub(super) fn checked(memory: SimulatedMemory) -> CheckedHeap<SimulatedMemory> {
    let mut heap = CheckedHeap::over(memory);
    heap.max_allocation = 1 << 31;
    heap
}

/// A heap, and the oracle that watches it.
pub(super) struct Watched<S> {
    pub(super) subject: S,
    pub(super) oracle: Oracle,
}

impl<S: Subject> Watched<S> {
    pub(super) fn new(subject: S) -> Self {
        Watched {
            subject,
            oracle: Oracle::new(),
        }
    }

    pub(super) fn try_allocate(&mut self, size: u32, align: u32) -> Option<u32> {
        let request = Request { size, align };
        let address = self.subject.allocate(request)?;
        self.oracle.place(self.subject.memory(), address, request);
        Some(address)
    }

    /// Allocates what there must be room for.
    pub(super) fn allocate(&mut self, size: u32, align: u32) -> u32 {
        let address = self.try_allocate(size, align);
        self.oracle.check(&mut self.subject);
        address.unwrap_or_else(|| panic!("{size} bytes aligned to {align} were refused"))
    }

    pub(super) fn release(&mut self, address: u32) {
        let request = self.oracle.at(address).expect("the block is live");
        self.oracle.check_all_contents(self.subject.memory());
        self.oracle.forget(address);
        self.subject.deallocate(address, request);
        self.oracle.check(&mut self.subject);
    }

    pub(super) fn reallocate(&mut self, address: u32, size: u32) -> u32 {
        let request = self.oracle.at(address).expect("the block is live");
        let new = self.subject.reallocate(address, request, size).expect("there is room");
        let align = request.align;
        self.oracle
            .moved(self.subject.memory(), address, new, Request { size, align });
        self.oracle.check(&mut self.subject);
        new
    }

    pub(super) fn release_all(&mut self) {
        while let Some((address, _)) = self.oracle.nth(0) {
            self.release(address);
        }
    }

    /// Allocates blocks until one is refused.
    pub(super) fn fill(&mut self, size: u32, align: u32) -> Vec<u32> {
        let blocks = core::iter::from_fn(|| self.try_allocate(size, align)).collect();
        self.oracle.check(&mut self.subject);
        blocks
    }

    pub(super) fn pages(&mut self) -> u32 {
        self.subject.memory().end_page()
    }

    /// The pages that the heap takes at most for this request when it has nothing else: with its rounding, what may be
    /// skipped before it, and the byte after it.
    pub(super) fn pages_for(&self, size: u32, align: u32) -> u32 {
        let bytes = self.subject.extent_bytes(Request { size, align }) + u64::from(align.max(PAGE_BYTES));
        (bytes / u64::from(PAGE_BYTES)) as u32 + 1
    }
}

/// Eight pages of static data, then `initial_pages` that the module begins with, with room for 4096 in all.
pub(super) fn roomy(initial_pages: u32) -> SimulatedMemory {
    let heap_base = 8 * PAGE_BYTES + 1040;
    if initial_pages == 0 {
        SimulatedMemory::pages(8, 4096)
    } else {
        SimulatedMemory::new(heap_base, initial_pages, 4096)
    }
}
