//! The original algorithm as a subject of the model, over a byte slice and over a memory that grows.

use super::*;
use crate::heaps::Request;
use crate::memory::linear::LinearMemory;
use crate::tests::model::Totals;
use crate::tests::model::{Calls, Fallible, Idle, Subject};
use crate::tests::simulated_memory::SimulatedMemory;
use core::ops::Range;
use std::vec::Vec;

/// Everything in it, and whatever others add to it, is the heap's from its base on.
impl Memory for SimulatedMemory {
    fn size(&self) -> u64 {
        u64::from(self.end_page()) * u64::from(PAGE_BYTES)
    }

    fn read_le_u64(&self, ptr: u32) -> Result<u64, Error> {
        self.get(ptr, 8)
            .map(|bytes| u64::from_le_bytes(bytes.try_into().unwrap()))
            .ok_or(Error::InvalidAddress { address: ptr })
    }

    fn write_le_u64(&mut self, ptr: u32, value: u64) -> Result<(), Error> {
        self.read_le_u64(ptr)?;
        self.slice(ptr, 8).copy_from_slice(&value.to_le_bytes());
        Ok(())
    }

    fn grow(&mut self, pages: u32) -> Result<u64, Error> {
        let region = LinearMemory::grow(self, PageCount(pages)).ok_or(Error::AllocatorOutOfSpace)?;
        Ok(u64::from(region.start))
    }
}

impl FreeingBumpHeapAllocator {
    /// The ranges of the heap in no live block. Asserts that each free list leads to free blocks alone and ends.
    pub(crate) fn idle<M: Memory + ?Sized>(&self, memory: &M) -> Vec<(Idle, Range<u64>)> {
        let mut idle = Vec::from([(Idle::Tail, u64::from(self.bumper)..memory.size())]);
        for number in 0..=self.max_order.number() {
            let order = Order::from_number(number, self.max_order).unwrap();
            let mut link = self.free_lists[number as usize];
            while let Some(address) = link.address() {
                assert!(idle.len() < 1_000_000, "the free list of order {number} has a cycle");
                let start = u64::from(address);
                idle.push((Idle::Free, start..start + u64::from(HEADER_BYTES + order.block_bytes())));
                link = self
                    .free_block(memory, address, order)
                    .expect("a free list leads to free blocks");
            }
        }
        idle
    }

    /// Asserts that the figures are what the oracle counts.
    pub(crate) fn check_figures(&self, totals: &Totals) {
        let stats = self.stats();
        assert_eq!(u64::from(self.total_size()), totals.live, "total_size");
        assert_eq!(stats.bytes_allocated, self.total_size());
        assert!(stats.bytes_allocated_peak >= stats.bytes_allocated);
        assert!(stats.bytes_allocated_sum >= u64::from(stats.bytes_allocated_peak));
        assert_eq!(
            u64::from(stats.address_space_used),
            totals.live + totals.free + totals.lost + totals.foreign_between,
            "address_space_used"
        );
    }
}

/// The allocator over the bytes of a slice, or over a memory that grows.
pub(crate) struct Original<const GROWS: bool> {
    engine: FreeingBumpHeapAllocator,
    memory: SimulatedMemory,
}

impl Original<true> {
    pub(crate) fn growing(memory: SimulatedMemory) -> Self {
        Original {
            engine: FreeingBumpHeapAllocator::new(memory.initial_region().start),
            memory,
        }
    }
}

impl Original<false> {
    /// Over a slice of 40 pages from address 0, which has the heap base at the same place in its first page.
    pub(crate) fn over_slice(memory: SimulatedMemory) -> Self {
        let heap_base = memory.initial_region().start % PAGE_BYTES;
        Original {
            engine: FreeingBumpHeapAllocator::new(heap_base),
            memory: SimulatedMemory::new(heap_base, 40, 40),
        }
    }
}

impl<const GROWS: bool> Calls for Original<GROWS> {
    const MAX_ALIGN: u32 = HEADER_BYTES;
    const SHARES_THE_MEMORY: bool = false;
    const SERVES_AFTER_REFUSAL: bool = false;

    fn memory(&mut self) -> &mut SimulatedMemory {
        &mut self.memory
    }

    fn allocate(&mut self, request: Request) -> Option<u32> {
        self.try_allocate(request).ok()
    }

    fn reallocate(&mut self, address: u32, request: Request, new_size: u32) -> Option<u32> {
        let new_address = self.allocate(Request {
            size: new_size,
            align: request.align,
        })?;
        // SAFETY: both blocks are live.
        unsafe { self.memory.copy(address, new_address, request.size.min(new_size)) };
        self.deallocate(address, request);
        Some(new_address)
    }

    fn deallocate(&mut self, address: u32, request: Request) {
        self.try_deallocate(address, request).expect("the block is live");
    }
}

impl<const GROWS: bool> Subject for Original<GROWS> {
    fn extent(&self, address: u32, request: Request) -> Range<u64> {
        let start = u64::from(address - HEADER_BYTES);
        start..start + self.extent_bytes(request)
    }

    fn extent_bytes(&self, request: Request) -> u64 {
        let order = Order::holding_at_most(request.size);
        u64::from(HEADER_BYTES) + u64::from(order.block_bytes())
    }

    fn idle(&self, _: &[(u32, Request)]) -> Vec<(Idle, Range<u64>)> {
        self.engine.idle(&self.memory)
    }

    fn check_figures(&self, totals: &Totals) {
        self.engine.check_figures(totals);
    }
}

impl<const GROWS: bool> Fallible for Original<GROWS> {
    const KNOWS_LAYOUTS: bool = false;

    fn try_allocate(&mut self, request: Request) -> Result<u32, Error> {
        if GROWS {
            self.engine.allocate(&mut self.memory, request.size)
        } else {
            self.engine.allocate(self.memory.all(), request.size)
        }
    }

    fn try_deallocate(&mut self, address: u32, _: Request) -> Result<(), Error> {
        if GROWS {
            self.engine.deallocate(&mut self.memory, address)
        } else {
            self.engine.deallocate(self.memory.all(), address)
        }
    }

    fn header_in_use(&self, address: u32, _: Request) -> Option<u32> {
        let header = address.checked_sub(HEADER_BYTES)?;
        let bits = self.memory.read_le_u64(header).ok()?;
        (header % HEADER_BYTES == 0 && bits >> 32 == 1).then_some(header)
    }

    fn is_poisoned(&self) -> bool {
        self.engine.is_poisoned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::model::misuse::test_misuse;
    use crate::tests::model::test_programs;

    #[test]
    fn the_original_over_a_slice_agrees_with_the_oracle_after_each_step_of_random_programs() {
        test_programs(Original::over_slice);
    }

    #[test]
    fn the_original_over_a_growing_memory_agrees_with_the_oracle_after_each_step_of_random_programs() {
        test_programs(Original::growing);
    }

    #[test]
    fn the_original_over_a_slice_survives_random_misuse_and_hands_out_no_live_byte() {
        test_misuse(Original::over_slice);
    }

    #[test]
    fn the_original_over_a_growing_memory_survives_random_misuse_and_hands_out_no_live_byte() {
        test_misuse(Original::growing);
    }
}
