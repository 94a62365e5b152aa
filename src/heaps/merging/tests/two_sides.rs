//! A heap that two sides use in turn, as a subject of the model: Rust with layouts, and C with addresses alone.

use super::super::size_class::MAX_CLASS_ALIGN;
use super::*;
use crate::stats::HeapStats;
use crate::tests::model::headerless::Surveyed;
use crate::tests::model::{Idle, Totals};
use crate::tests::simulated_memory::SimulatedMemory;
use core::ops::Range;
use std::vec::Vec;

/// The heap, and the number of calls so far, from which follows whose call the next one is.
pub(crate) struct TwoSides {
    heap: MergingHeap<SimulatedMemory>,
    calls: u32,
}

/// The request that C's functions make.
fn of_c(request: Request) -> Request {
    Request {
        size: request.size,
        align: request.align.max(MAX_CLASS_ALIGN),
    }
}

impl TwoSides {
    pub(crate) fn new(heap: MergingHeap<SimulatedMemory>) -> Self {
        TwoSides { heap, calls: 0 }
    }

    /// Whether the next call is C's: half of them, in no order that a program's steps could have too.
    fn is_turn_of_c(&mut self) -> bool {
        self.calls += 1;
        self.calls.wrapping_mul(0x9E37_79B9) >> 31 == 0
    }

    /// The request as the side makes it whose turn it is.
    fn request(&mut self, request: Request) -> Request {
        if self.is_turn_of_c() { of_c(request) } else { request }
    }

    /// Asserts that a new block has the bytes and the alignment of its request.
    fn checked(&self, block: u32, request: Request) -> u32 {
        if block != 0 {
            assert_eq!(block % request.align, 0);
            // SAFETY: the block was returned just now; the simulated memory checks what is read.
            let bytes = unsafe { self.heap.bytes_of(block) };
            assert!(
                bytes >= request.size,
                "{block:#x} has {bytes} bytes for {}",
                request.size
            );
        }
        block
    }
}

impl UncheckedHeap for TwoSides {
    type Memory = SimulatedMemory;

    fn memory(&mut self) -> &mut SimulatedMemory {
        self.heap.memory()
    }

    fn allocate(&mut self, request: Request) -> u32 {
        let request = self.request(request);
        let block = self.heap.allocate(request);
        self.checked(block, request)
    }

    fn allocate_zeroed(&mut self, request: Request) -> u32 {
        let request = self.request(request);
        let block = self.heap.allocate_zeroed(request);
        self.checked(block, request)
    }

    unsafe fn deallocate(&mut self, block: u32, request: Request) {
        if self.is_turn_of_c() {
            // SAFETY: the caller gives up a live block.
            assert!(unsafe { self.heap.release(block) });
        } else {
            // SAFETY: as above, and with its request.
            unsafe { self.heap.deallocate(block, request) }
        }
    }

    unsafe fn reallocate(&mut self, block: u32, request: Request, new_size: u32) -> u32 {
        let new_request = request.with_size(new_size);
        // C's `realloc` keeps no alignment above 16.
        if request.align <= MAX_CLASS_ALIGN && self.is_turn_of_c() {
            let new_request = of_c(new_request);
            // SAFETY: the caller passes a live block.
            let new_block = unsafe { self.heap.resize(block, new_request) };
            self.checked(new_block, new_request)
        } else {
            // SAFETY: the caller passes a live block with its request.
            let new_block = unsafe { self.heap.reallocate(block, request, new_size) };
            self.checked(new_block, new_request)
        }
    }

    fn stats(&self) -> HeapStats {
        self.heap.stats()
    }
}

impl Surveyed for TwoSides {
    fn block_bytes(request: Request) -> u32 {
        MergingHeap::block_bytes(request)
    }

    fn extent(&self, address: u32, request: Request) -> Range<u64> {
        self.heap.extent(address, request)
    }

    fn idle(&self, live: &[(u32, Request)]) -> Vec<(Idle, Range<u64>)> {
        self.heap.idle(live)
    }

    /// What serves C's request serves Rust's too.
    fn serves(&self, free: &Range<u64>, request: Request) -> bool {
        self.heap.serves(free, of_c(request))
    }

    fn live_bytes(totals: &Totals) -> u64 {
        MergingHeap::live_bytes(totals)
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::run::RUN_BYTES;
    use super::*;
    use crate::memory::{Growth, PAGE_BYTES};
    use crate::tests::model::headerless::Headerless;
    use crate::tests::model::test_programs;

    const SMALL: Request = Request { size: 40, align: 8 };
    const LARGE: Request = Request { size: 5000, align: 8 };
    const OVER_ALIGNED: Request = Request { size: 40, align: 256 };

    fn heap(memory: SimulatedMemory) -> MergingHeap<SimulatedMemory> {
        MergingHeap::new(memory, Growth::THIRTY_SECOND)
    }

    #[test]
    fn what_one_side_allocates_the_other_resizes_and_releases_in_random_programs() {
        test_programs(|memory| Headerless(TwoSides::new(heap(memory))));
    }

    #[test]
    fn all_bytes_that_a_block_is_said_to_have_may_be_written() {
        let mut heap = heap(SimulatedMemory::new(1040, 1, 64));
        let requests = [(1, 1), (13, 16), (40, 8), (512, 16), (513, 8), (40, 256), (100_000, 8)];
        let blocks = requests.map(|(size, align)| {
            let block = heap.allocate(Request { size, align });
            // SAFETY: the block was allocated just now.
            let bytes = unsafe { heap.bytes_of(block) };
            assert!(bytes >= size);
            heap.memory().slice(block, bytes).fill(size as u8);
            (block, bytes, size)
        });
        for (block, bytes, size) in blocks {
            assert!(heap.memory().slice(block, bytes).iter().all(|&byte| byte == size as u8));
            // SAFETY: the block is live.
            assert!(unsafe { heap.release(block) });
        }
    }

    #[test]
    fn bytes_that_look_like_a_tag_or_a_header_decide_nothing() {
        let mut heap = heap(SimulatedMemory::new(1040, 1, 64));
        // A block over several slots, each of which reads like a run of 512 bytes, and each word like a tag of a free chunk.
        let size = 5 * RUN_BYTES;
        let outer = heap.allocate(Request { size, align: 8 });
        for word in heap.memory().slice(outer, size).chunks_exact_mut(4) {
            word.copy_from_slice(&(1 << 8 | 64 | 1u32).to_le_bytes());
        }
        let inner = heap.allocate(LARGE);
        for block in [outer, inner] {
            // SAFETY: the block is live.
            assert!(unsafe { heap.release(block) });
        }
        assert_eq!(heap.allocate(Request { size, align: 8 }), outer);
    }

    #[test]
    fn an_address_that_is_surely_no_blocks_is_not_released_and_changes_nothing() {
        let mut heap = heap(SimulatedMemory::new(PAGE_BYTES + 1040, 1, 64));
        let [small, large, over_aligned, last] =
            [SMALL, LARGE, OVER_ALIGNED, LARGE].map(|request| heap.allocate(request));
        // SAFETY: the block is live.
        assert!(unsafe { heap.release(large) });
        let before = heap.stats();
        for wrong in [8, 1024, PAGE_BYTES + 1024, large, last + 8, over_aligned + 4] {
            // SAFETY: these are among the addresses that are found.
            assert!(!unsafe { heap.release(wrong) }, "{wrong:#x}");
        }
        assert_eq!(heap.stats(), before);
        for block in [small, over_aligned, last] {
            // SAFETY: the block is live.
            assert!(unsafe { heap.release(block) });
        }
    }

    #[test]
    fn a_block_for_rust_that_is_not_aligned_for_c_moves_when_c_resizes_it() {
        let mut heap = heap(SimulatedMemory::new(1040, 1, 64));
        let request = Request { size: 24, align: 8 };
        let blocks: Vec<u32> = (0..400).map(|_| heap.allocate(request)).collect();
        assert!(blocks.iter().any(|block| block % 16 != 0));
        for block in blocks {
            heap.memory()
                .slice(block, 24)
                .copy_from_slice(b"twenty-four bytes of it.");
            // SAFETY: the block is live.
            let resized = unsafe { heap.resize(block, of_c(request.with_size(20))) };
            assert_eq!(resized % 16, 0);
            assert_eq!(heap.memory().slice(resized, 20), b"twenty-four bytes of");
        }
    }
}
