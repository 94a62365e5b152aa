//! `FreeingBumpHeap` under the model, with a walk through all of its memory after each step. Below
//! `freeing_bump_heap.rs` since it reads the lists, which are private.

use super::*;
use crate::checked_heap::Request;
use crate::model::headerless::{Headerless, Surveyed};
use crate::model::oracle::{Totals, bytes_of_region};
use crate::model::{Idle, test_programs};
use crate::simulated_memory::SimulatedMemory;
use core::ops::Range;
use std::collections::{BTreeMap, BTreeSet};
use std::vec::Vec;

/// The blocks of a list, which must not be longer than the memory has room for.
fn blocks_of(memory: &SimulatedMemory, mut block: u32) -> Vec<u32> {
    let mut blocks = Vec::new();
    while block != 0 {
        assert!(blocks.len() < 1_000_000, "a free list has a cycle");
        blocks.push(block);
        // SAFETY: a free block's first word is a link; the simulated memory checks the address.
        block = unsafe { memory.read_word(block) };
    }
    blocks
}

impl FreeingBumpHeap {
    /// The free blocks of the run at `run`, of this class.
    fn free_in_run(&self, memory: &SimulatedMemory, run: u32, class: SizeClass) -> BTreeSet<u32> {
        let index = class.index::<RUN_LISTS>();
        let head = if self.current[index] == run {
            self.lists[class.index::<LISTS>()]
        } else {
            // SAFETY: the words of a run's header.
            unsafe { memory.read_word(run + FREE) }
        };
        blocks_of(memory, head).into_iter().collect()
    }

    /// The runs of a class's ring.
    fn ring(&self, memory: &SimulatedMemory, class: SizeClass) -> Vec<u32> {
        let first = self.rings[class.index::<RUN_LISTS>()];
        let mut runs = Vec::new();
        let mut run = first;
        while run != 0 && (runs.is_empty() || run != first) {
            assert!(runs.len() < 1_000_000, "a ring does not close");
            runs.push(run);
            // SAFETY: the words of a run's header.
            unsafe {
                let next = memory.read_word(run + NEXT);
                assert_eq!(memory.read_word(next + PREVIOUS), run, "a ring is broken");
                run = next;
            }
        }
        runs
    }

    /// What the bytes of one run are used for.
    fn survey_run(
        &self,
        memory: &SimulatedMemory,
        run: u32,
        class: SizeClass,
        live: &BTreeMap<u32, Request>,
        idle: &mut Vec<(Idle, Range<u64>)>,
    ) {
        let start = u64::from(run);
        let bytes = u64::from(class.bytes());
        idle.push((Idle::Overhead, start - u64::from(TAG_BYTES)..start + u64::from(BLOCKS)));
        let free = self.free_in_run(memory, run, class);
        let mut at = run + BLOCKS;
        let mut live_count = 0;
        for _ in 0..ROOM_BYTES / class.bytes() {
            if free.contains(&at) {
                idle.push((Idle::Free, u64::from(at)..u64::from(at) + bytes));
            } else {
                assert!(live.contains_key(&at), "the block at {at:#x} is neither live nor free");
                live_count += 1;
            }
            at += class.bytes();
        }
        idle.push((Idle::Overhead, u64::from(at)..start + u64::from(RUN_BYTES - TAG_BYTES)));
        if self.current[class.index::<RUN_LISTS>()] != run {
            // SAFETY: the word of a run's header.
            let counted = unsafe { memory.read_word(run + LIVE) };
            assert_eq!(counted, live_count, "live blocks of {run:#x}");
        }
    }
}

impl Surveyed for FreeingBumpHeap {
    fn block_bytes(size: u32, align: u32) -> u32 {
        let class = SizeClass::of(size, align);
        if class.is_in_runs() {
            class.bytes()
        } else if class.exists() {
            span_for(class.bytes())
        } else {
            span_for(size)
        }
    }

    fn extent(&self, memory: &SimulatedMemory, address: u32, Request { size, align }: Request) -> Range<u64> {
        let class = SizeClass::of(size, align);
        let start = u64::from(address);
        if class.is_in_runs() {
            return start..start + u64::from(class.bytes());
        }
        let span = u64::from(self.heap.span_of(memory, address));
        start - u64::from(TAG_BYTES)..start - u64::from(TAG_BYTES) + span
    }

    fn idle(&self, memory: &SimulatedMemory, live: &[(u32, Request)]) -> Vec<(Idle, Range<u64>)> {
        let live: BTreeMap<u32, Request> = live.iter().copied().collect();
        // Runs with free blocks, by their address; full ones are found by a live block.
        let mut runs: BTreeMap<u32, SizeClass> = BTreeMap::new();
        let mut listed: BTreeMap<u32, SizeClass> = BTreeMap::new();
        for class in (0..CLASSES).map(SizeClass::from_number) {
            if class.is_in_runs() {
                runs.extend(self.ring(memory, class).into_iter().map(|run| (run, class)));
                let current = self.current[class.index::<RUN_LISTS>()];
                if current != 0 {
                    assert_eq!(runs.insert(current, class), None, "a current run is in a ring");
                }
            } else {
                listed.extend(
                    blocks_of(memory, self.lists[class.index::<LISTS>()])
                        .into_iter()
                        .map(|block| (block, class)),
                );
            }
        }
        for (&address, &Request { size, align }) in &live {
            let class = SizeClass::of(size, align);
            if class.is_in_runs() {
                runs.insert(address & !(RUN_BYTES - 1), class);
            }
        }

        let mut idle = Vec::new();
        let (blocks, other) = self.heap.survey(memory);
        for (use_, region) in other {
            idle.push((use_, bytes_of_region(region)));
        }
        for (block, span) in blocks {
            let start = u64::from(block) - u64::from(TAG_BYTES);
            let end = start + u64::from(span);
            if let Some(class) = listed.get(&block) {
                let free_end = u64::from(block) + u64::from(class.bytes());
                idle.push((Idle::Overhead, start..u64::from(block)));
                idle.push((Idle::Free, u64::from(block)..free_end));
                idle.push((Idle::Overhead, free_end..end));
            } else if let Some(&class) = runs.get(&block) {
                assert!(span >= RUN_BYTES);
                self.survey_run(memory, block, class, &live, &mut idle);
                idle.push((Idle::Overhead, start + u64::from(RUN_BYTES)..end));
            } else {
                assert!(
                    live.contains_key(&block),
                    "the block at {block:#x} is in use for nothing"
                );
            }
        }
        idle
    }

    /// A block of a run of the class; others serve the request only if the search meets them.
    fn serves(free: &Range<u64>, Request { size, align }: Request) -> bool {
        SizeClass::of(size, align).is_in_runs()
            && free.end - free.start == u64::from(Self::block_bytes(size, align))
            && free.start.is_multiple_of(8)
    }

    fn live_bytes(totals: &Totals) -> u64 {
        totals.live + totals.overhead
    }
}

#[test]
fn freeing_bump_heap_agrees_with_the_oracle_after_each_step_of_random_programs() {
    test_programs(file!(), |memory| Headerless {
        heap: FreeingBumpHeap::new(),
        memory,
    });
}
