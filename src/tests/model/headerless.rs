//! The heaps without headers as subjects of the model.

use super::subject::{Calls, Idle, Subject, Totals};
use crate::heaps::Request;
use crate::heaps::UncheckedHeap;
use crate::memory::PAGE_BYTES;
use crate::tests::simulated_memory::SimulatedMemory;
use core::ops::Range;
use std::vec::Vec;

/// A heap that tells the model what it does with its memory.
pub(crate) trait Surveyed: UncheckedHeap {
    /// The bytes that a block for this request takes at least.
    fn block_bytes(size: u32, align: u32) -> u32;

    /// The bytes that the live block at this address takes.
    fn extent(&self, memory: &SimulatedMemory, address: u32, Request { size, align }: Request) -> Range<u64> {
        let _ = memory;
        u64::from(address)..u64::from(address) + u64::from(Self::block_bytes(size, align))
    }

    /// The ranges of the heap in no live block, when these blocks are live. Asserts on the way that the heap's own
    /// structures are sound.
    fn idle(&self, memory: &SimulatedMemory, live: &[(u32, Request)]) -> Vec<(Idle, Range<u64>)>;

    /// What the heap's figures say is live: here with what it cannot see, pages of others between its own and what was
    /// lost before them.
    fn live_bytes(totals: &Totals) -> u64 {
        totals.live + totals.overhead + totals.lost + totals.foreign_between
    }

    /// Whether this free range must serve the request.
    fn serves(&self, memory: &SimulatedMemory, free: &Range<u64>, Request { size, align }: Request) -> bool {
        let _ = memory;
        free.end - free.start == u64::from(Self::block_bytes(size, align)) && align <= PAGE_BYTES
    }
}

/// A heap without headers and its memory.
pub(crate) struct Headerless<H> {
    pub(crate) heap: H,
    pub(crate) memory: SimulatedMemory,
}

fn address_or_none(address: u32) -> Option<u32> {
    (address != 0).then_some(address)
}

impl<H: UncheckedHeap> Calls for Headerless<H> {
    const MAX_ALIGN: u32 = 1 << 19;
    const SHARES_THE_MEMORY: bool = true;
    const SERVES_AFTER_REFUSAL: bool = true;

    fn memory(&mut self) -> &mut SimulatedMemory {
        &mut self.memory
    }

    fn allocate(&mut self, Request { size, align }: Request) -> Option<u32> {
        address_or_none(self.heap.allocate(&mut self.memory, size, align))
    }

    fn allocate_zeroed(&mut self, Request { size, align }: Request) -> Option<u32> {
        address_or_none(self.heap.allocate_zeroed(&mut self.memory, size, align))
    }

    fn never_used_bytes(&self) -> u32 {
        self.heap.stats(&self.memory).never_used_bytes
    }

    fn reallocate(&mut self, address: u32, Request { size, align }: Request, new_size: u32) -> Option<u32> {
        // SAFETY: the model passes live blocks with their layouts.
        address_or_none(unsafe { self.heap.reallocate(&mut self.memory, address, size, align, new_size) })
    }

    fn deallocate(&mut self, address: u32, Request { size, align }: Request) {
        // SAFETY: as for `reallocate`.
        unsafe { self.heap.deallocate(&mut self.memory, address, size, align) }
    }
}

impl<H: Surveyed> Subject for Headerless<H> {
    fn extent(&self, address: u32, request: Request) -> Range<u64> {
        self.heap.extent(&self.memory, address, request)
    }

    fn extent_bytes(&self, Request { size, align }: Request) -> u64 {
        u64::from(H::block_bytes(size, align))
    }

    fn idle(&self, live: &[(u32, Request)]) -> Vec<(Idle, Range<u64>)> {
        self.heap.idle(&self.memory, live)
    }

    fn serves(&self, free: &Range<u64>, request: Request) -> bool {
        self.heap.serves(&self.memory, free, request)
    }

    fn check_figures(&self, totals: &Totals) {
        let stats = self.heap.stats(&self.memory);
        assert_eq!(u64::from(stats.free_bytes), totals.free, "free_bytes");
        assert_eq!(u64::from(stats.never_used_bytes), totals.never_used, "never_used_bytes");
        assert!(
            u64::from(stats.largest_free_bytes) <= totals.largest_idle,
            "largest_free_bytes"
        );
        assert_eq!(u64::from(stats.live_bytes), H::live_bytes(totals), "live_bytes");
        assert_eq!(
            stats.address_space_bytes,
            stats.live_bytes + stats.free_bytes + stats.never_used_bytes,
            "address_space_bytes"
        );
    }
}
