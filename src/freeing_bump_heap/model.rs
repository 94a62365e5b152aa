//! `FreeingBumpHeap` under the model, with a walk through all of its memory after each step. Below
//! `freeing_bump_heap.rs` since its parts are private.

use super::*;
use crate::checked_heap::Request;
use crate::model::Idle;
use crate::model::headerless::Surveyed;
use crate::model::oracle::{Totals, bytes_of_region};
use crate::runs::RUN_BYTES;
use crate::simulated_memory::SimulatedMemory;
use crate::tagged_heap::TAG_BYTES;
use core::ops::Range;
use std::collections::BTreeMap;
use std::vec::Vec;

impl Surveyed for FreeingBumpHeap {
    fn block_bytes(size: u32, align: u32) -> u32 {
        match SizeClass::of(size, align) {
            Some(class) => class.bytes(),
            None => span_for(size),
        }
    }

    fn extent(&self, memory: &SimulatedMemory, address: u32, Request { size, align }: Request) -> Range<u64> {
        let start = u64::from(address);
        match SizeClass::of(size, align) {
            Some(class) => start..start + u64::from(class.bytes()),
            None => {
                let start = start - u64::from(TAG_BYTES);
                start..start + u64::from(self.heap.span_of(memory, address))
            }
        }
    }

    fn idle(&self, memory: &SimulatedMemory, live: &[(u32, Request)]) -> Vec<(Idle, Range<u64>)> {
        let live: BTreeMap<u32, Request> = live.iter().copied().collect();
        let mut runs = self.runs.known(memory, &self.heap);
        for (&block, &Request { size, align }) in &live {
            if let Some(class) = SizeClass::of(size, align) {
                assert_eq!(*runs.entry(Runs::run_of(block)).or_insert(class), class);
            }
        }

        let mut idle = Vec::new();
        let (blocks, other) = self.heap.survey(memory);
        for (use_, region) in other {
            idle.push((use_, bytes_of_region(region)));
        }
        for (block, span) in blocks {
            if let Some(class) = runs.remove(&block) {
                let tag = u64::from(block) - u64::from(TAG_BYTES);
                idle.push((Idle::Overhead, tag..u64::from(block)));
                idle.extend(
                    self.runs
                        .survey(memory, &self.heap, (block, class), |block| live.contains_key(&block)),
                );
                idle.push((Idle::Overhead, tag + u64::from(RUN_BYTES)..tag + u64::from(span)));
            } else {
                assert!(
                    live.contains_key(&block),
                    "the block at {block:#x} is in use for nothing"
                );
            }
        }
        assert!(runs.is_empty(), "runs that are no blocks in use: {runs:x?}");
        idle
    }

    /// A free block of a run of the class; others serve the request only if the search meets them.
    fn serves(free: &Range<u64>, Request { size, align }: Request) -> bool {
        SizeClass::of(size, align)
            .is_some_and(|class| free.end - free.start == u64::from(class.bytes()) && free.start.is_multiple_of(8))
    }

    fn live_bytes(totals: &Totals) -> u64 {
        totals.live + totals.overhead + totals.foreign_between
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::headerless::Headerless;
    use crate::model::{Calls, Subject, test_programs};

    #[test]
    fn freeing_bump_heap_agrees_with_the_oracle_after_each_step_of_random_programs() {
        test_programs(|memory| Headerless {
            heap: FreeingBumpHeap::new(Growth::SIXTEENTH),
            memory,
        });
    }

    /// The bytes of the extent of a block of `size` bytes that is made where one of 16 KiB less a tag was released.
    fn extent_in_16_kib(size: u32) -> u64 {
        let mut subject = Headerless {
            heap: FreeingBumpHeap::new(Growth::SIXTEENTH),
            memory: SimulatedMemory::new(1040, 1, 16),
        };
        let whole = Request { size: 16_380, align: 8 };
        let block = subject.allocate(whole).unwrap();
        subject.allocate(Request { size: 300, align: 8 }).unwrap();
        subject.deallocate(block, whole);
        let request = Request { size, align: 8 };
        assert_eq!(subject.allocate(request), Some(block));
        let extent = Subject::extent(&subject, block, request);
        extent.end - extent.start
    }

    #[test]
    fn what_a_request_leaves_of_a_free_block_stays_with_it_up_to_a_sixteenth_of_the_request() {
        // With its tag, 15,424 and 15,408 bytes: they leave 960 and 976, where a sixteenth is 964 and 963.
        assert_eq!(extent_in_16_kib(15_420), 16_384);
        assert_eq!(extent_in_16_kib(15_404), 15_408);
    }

    #[test]
    fn blocks_released_in_full_runs_are_handed_out_again_before_a_new_run_is_made() {
        let mut subject = Headerless {
            heap: FreeingBumpHeap::new(Growth::SIXTEENTH),
            memory: SimulatedMemory::new(1040, 1, 16),
        };
        // 20 fit in a run.
        let request = Request { size: 200, align: 8 };
        let blocks: Vec<u32> = (0..100).map(|_| subject.allocate(request).unwrap()).collect();
        let mut released: Vec<u32> = blocks.iter().copied().step_by(2).collect();
        for &block in &released {
            subject.deallocate(block, request);
        }
        let mut again: Vec<u32> = (0..50).map(|_| subject.allocate(request).unwrap()).collect();
        released.sort_unstable();
        again.sort_unstable();
        assert_eq!(again, released);
    }

    #[test]
    fn a_block_grows_in_place_to_the_last_byte_of_a_free_neighbour_and_no_further() {
        // Spans of 1,008 bytes, one after another; the last of a block's bytes is in the tag's word of the next.
        for (size, in_place) in [(2 * 1008 - 4, true), (2 * 1008 - 3, false)] {
            let mut subject = Headerless {
                heap: FreeingBumpHeap::new(Growth::SIXTEENTH),
                memory: SimulatedMemory::new(1040, 1, 16),
            };
            let request = Request { size: 1004, align: 8 };
            let blocks = [(); 3].map(|()| subject.allocate(request).unwrap());
            subject.deallocate(blocks[1], request);
            let resized = subject.reallocate(blocks[0], request, size);
            assert_eq!(resized == Some(blocks[0]), in_place, "{size} bytes");
        }
    }
}
