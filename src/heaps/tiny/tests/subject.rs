//! `TinyHeap` as a subject of the model.

use super::super::*;
use crate::memory::linear::Region;
use crate::tests::model::Idle;
use crate::tests::model::headerless::Surveyed;
use crate::tests::model::oracle::bytes_of_region;
use crate::tests::simulated_memory::SimulatedMemory;
use core::ops::Range;
use std::vec::Vec;

impl Surveyed for TinyHeap<SimulatedMemory> {
    fn block_bytes(request: Request) -> u32 {
        PowerOfTwo::of(request).mask() + 1
    }

    fn idle(&self, _: &[(u32, Request)]) -> Vec<(Idle, Range<u64>)> {
        let tail = if self.bump == 0 {
            self.memory.initial_region()
        } else {
            Region {
                start: self.bump,
                end: self.end,
            }
        };
        let mut idle = Vec::from([(Idle::Tail, bytes_of_region(tail))]);
        for (list, &head) in self.free_lists.iter().enumerate() {
            let bytes = 1u64 << (32 - list);
            let mut block = head;
            while block != 0 {
                assert!(
                    (3..=31).contains(&(32 - list)),
                    "a block in list {list}, which serves no class"
                );
                assert!(
                    u64::from(block) % bytes.min(u64::from(PAGE_BYTES)) == 0,
                    "the free block at {block:#x} of {bytes} bytes is not aligned"
                );
                assert!(idle.len() < 1_000_000, "the free list of class {list} has a cycle");
                idle.push((Idle::Free, u64::from(block)..u64::from(block) + bytes));
                // SAFETY: a free block's first word is a link; the simulated memory checks the address.
                block = unsafe { self.memory.read_word(block, 0) };
            }
        }
        idle
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::model::headerless::Headerless;
    use crate::tests::model::test_programs;

    #[test]
    fn tiny_heap_agrees_with_the_oracle_after_each_step_of_random_programs() {
        test_programs(|memory| Headerless(TinyHeap::new(memory)));
    }
}
