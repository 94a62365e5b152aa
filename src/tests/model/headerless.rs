//! The heaps without headers as subjects of the model.

use super::subject::{Calls, Idle, Subject, Totals, Use};
use crate::heaps::Request;
use crate::heaps::UncheckedHeap;
use crate::memory::PAGE_BYTES;
use crate::tests::simulated_memory::SimulatedMemory;
use core::ops::Range;
use std::vec::Vec;

/// A heap that tells the model what it does with its memory.
pub(crate) trait Surveyed: UncheckedHeap<Memory = SimulatedMemory> {
    /// The bytes that a block for this request takes at least.
    fn block_bytes(request: Request) -> u32;

    /// The bytes that the live block at this address takes.
    fn extent(&self, address: u32, request: Request) -> Range<u64> {
        u64::from(address)..u64::from(address) + u64::from(Self::block_bytes(request))
    }

    /// The ranges of the heap in no live block, when these blocks are live. Asserts on the way that the heap's own
    /// structures are sound.
    fn idle(&self, live: &[(u32, Request)]) -> Vec<(Idle, Range<u64>)>;

    /// Asserts that the heap, if it tells what it uses its bytes for, tells these uses, which are in address order.
    fn check_uses(&mut self, _uses: &[(Range<u64>, Use)]) {}

    /// What the heap's figures say is live: here with what it cannot see, pages of others between its own and what was
    /// lost before them.
    fn live_bytes(totals: &Totals) -> u64 {
        totals.live + totals.overhead + totals.lost + totals.foreign_between
    }

    /// Whether this free range must serve the request.
    fn serves(&self, free: &Range<u64>, request: Request) -> bool {
        free.end - free.start == u64::from(Self::block_bytes(request)) && request.align <= PAGE_BYTES
    }
}

/// A heap without headers.
pub(crate) struct Headerless<H>(pub(crate) H);

fn address_or_none(address: u32) -> Option<u32> {
    (address != 0).then_some(address)
}

impl<H: UncheckedHeap<Memory = SimulatedMemory>> Calls for Headerless<H> {
    const MAX_ALIGN: u32 = 1 << 19;
    const SHARES_THE_MEMORY: bool = true;
    const SERVES_AFTER_REFUSAL: bool = true;

    fn memory(&mut self) -> &mut SimulatedMemory {
        self.0.memory()
    }

    fn allocate(&mut self, request: Request) -> Option<u32> {
        address_or_none(self.0.allocate(request))
    }

    fn allocate_zeroed(&mut self, request: Request) -> Option<u32> {
        address_or_none(self.0.allocate_zeroed(request))
    }

    fn tail_bytes(&self) -> u32 {
        self.0.stats().tail_bytes
    }

    fn reallocate(&mut self, address: u32, request: Request, new_size: u32) -> Option<u32> {
        // SAFETY: the model passes live blocks with their layouts.
        address_or_none(unsafe { self.0.reallocate(address, request, new_size) })
    }

    fn deallocate(&mut self, address: u32, request: Request) {
        // SAFETY: as for `reallocate`.
        unsafe { self.0.deallocate(address, request) }
    }
}

impl<H: Surveyed> Subject for Headerless<H> {
    fn extent(&self, address: u32, request: Request) -> Range<u64> {
        self.0.extent(address, request)
    }

    fn extent_bytes(&self, request: Request) -> u64 {
        u64::from(H::block_bytes(request))
    }

    fn idle(&self, live: &[(u32, Request)]) -> Vec<(Idle, Range<u64>)> {
        self.0.idle(live)
    }

    fn serves(&self, free: &Range<u64>, request: Request) -> bool {
        self.0.serves(free, request)
    }

    fn check_uses(&mut self, uses: &[(Range<u64>, Use)]) {
        self.0.check_uses(uses);
    }

    fn check_figures(&self, totals: &Totals) {
        let stats = self.0.stats();
        assert_eq!(u64::from(stats.free_bytes), totals.free, "free_bytes");
        assert_eq!(u64::from(stats.tail_bytes), totals.tail, "tail_bytes");
        assert!(
            u64::from(stats.largest_free_bytes) <= totals.largest_idle,
            "largest_free_bytes"
        );
        assert_eq!(u64::from(stats.live_bytes), H::live_bytes(totals), "live_bytes");
        assert_eq!(
            stats.address_space_bytes,
            stats.live_bytes + stats.free_bytes + stats.tail_bytes,
            "address_space_bytes"
        );
    }
}
