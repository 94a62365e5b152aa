//! `CheckedHeap` as a subject of the model.

use super::super::*;
use crate::original::HEADER_BYTES;
use crate::tests::model::Totals;
use crate::tests::model::oracle::bytes_of_region;
use crate::tests::model::{Calls, Fallible, Idle, Subject};
use crate::tests::simulated_memory::SimulatedMemory;
use core::ops::Range;
use std::vec::Vec;

impl CheckedHeap<SimulatedMemory> {
    /// The heap over a memory for tests, in which it may read before its own.
    pub(crate) fn over(memory: SimulatedMemory) -> Self {
        CheckedHeap::new(memory.with_static_data())
    }
}

impl Calls for CheckedHeap<SimulatedMemory> {
    const MAX_ALIGN: u32 = 1 << 19;
    const SHARES_THE_MEMORY: bool = true;
    const SERVES_AFTER_REFUSAL: bool = false;

    fn memory(&mut self) -> &mut SimulatedMemory {
        &mut self.memory.memory
    }

    fn allocate(&mut self, request: Request) -> Option<u32> {
        self.try_allocate(request).ok()
    }

    fn reallocate(&mut self, address: u32, request: Request, new_size: u32) -> Option<u32> {
        self.reallocate(address, request, new_size).ok()
    }

    fn deallocate(&mut self, address: u32, request: Request) {
        self.try_deallocate(address, request).expect("the block is live");
    }
}

impl Subject for CheckedHeap<SimulatedMemory> {
    fn extent(&self, address: u32, request: Request) -> Range<u64> {
        let block = if request.align <= BLOCK_ALIGN {
            address
        } else {
            marked_block(&self.memory, address, request.align).expect("a live block has its marker")
        };
        let start = u64::from(block - HEADER_BYTES);
        start..start + self.extent_bytes(request)
    }

    fn extent_bytes(&self, request: Request) -> u64 {
        self.block_bytes_for(request)
            .map_or(u64::MAX / 2, |bytes| u64::from(HEADER_BYTES) + u64::from(bytes))
    }

    fn idle(&self, _: &[(u32, Request)]) -> Vec<(Idle, Range<u64>)> {
        match &self.engine {
            Some(engine) => engine.idle(&self.memory),
            None => Vec::from([(Idle::Tail, bytes_of_region(self.memory.memory.initial_region()))]),
        }
    }

    fn check_figures(&self, totals: &Totals) {
        match &self.engine {
            Some(engine) => engine.check_figures(totals),
            None => assert_eq!(self.stats(), Stats::default()),
        }
    }
}

impl Fallible for CheckedHeap<SimulatedMemory> {
    const KNOWS_LAYOUTS: bool = true;

    fn try_allocate(&mut self, request: Request) -> Result<u32, Error> {
        self.allocate(request)
    }

    fn try_deallocate(&mut self, address: u32, request: Request) -> Result<(), Error> {
        self.deallocate(address, request)
    }

    fn header_in_use(&self, address: u32, request: Request) -> Option<u32> {
        let block = if request.align <= BLOCK_ALIGN {
            address
        } else {
            marked_block(&self.memory, address, request.align).ok()?
        };
        let header = block.checked_sub(HEADER_BYTES)?;
        let order = (self.block_bytes_for(request)? / MIN_BLOCK_BYTES).ilog2();
        (self.memory.read_le_u64(header) == Ok(1 << 32 | u64::from(order))).then_some(header)
    }

    fn is_poisoned(&self) -> bool {
        self.is_poisoned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::model::misuse::test_misuse;
    use crate::tests::model::test_programs;

    #[test]
    fn checked_heap_agrees_with_the_oracle_after_each_step_of_random_programs() {
        test_programs(CheckedHeap::over);
    }

    #[test]
    fn checked_heap_agrees_with_the_oracle_when_it_has_a_ceiling() {
        test_programs(|mut memory| {
            memory.ceiling_pages = memory.end_page() + 8;
            let ceiling_pages = memory.ceiling_pages;
            let mut heap = CheckedHeap::over(memory);
            heap.limit_pages(ceiling_pages);
            heap
        });
    }

    #[test]
    fn checked_heap_survives_random_misuse_and_hands_out_no_live_byte() {
        test_misuse(CheckedHeap::over);
    }
}
