//! A walk through the runs: it asserts what their headers and the bins say of each other.

use super::*;
use crate::heaps::merging::run::run_around;
use crate::tests::model::Idle;
use core::ops::Range;
use std::collections::{BTreeMap, BTreeSet};
use std::vec::Vec;

impl Runs {
    /// The run that a block of a size class lies in, with the class of the run; or none, for one of the merging heap.
    pub(in super::super) fn run_of<M: LinearMemory>(
        &self,
        heap: &ChunkHeap<M>,
        block: u32,
    ) -> Option<(u32, SizeClass)> {
        if self.strays.contains(&heap.memory, block) {
            return None;
        }
        // SAFETY: the simulated memory checks the address.
        let run = unsafe { Run::of_block(block) };
        Some((run.address(), run.waits(&heap.memory).class()))
    }

    /// The block of the bitmap of small blocks in no run, or 0, and the span of the one that such a block would need first,
    /// or 0.
    pub(in super::super) fn bitmap<M: LinearMemory>(&self, heap: &ChunkHeap<M>) -> (u32, u32) {
        self.strays.bitmap(heap)
    }

    /// The current and the partial runs, with their class. Full ones are known only by their live blocks.
    pub(in super::super) fn known<M: LinearMemory>(&self, heap: &ChunkHeap<M>) -> BTreeMap<u32, SizeClass> {
        let mut runs = BTreeMap::new();
        for class in SizeClass::all() {
            let current = self.current[class.index()];
            for run in runs_in_bin(heap, class).into_iter().chain([current]) {
                if run != 0 {
                    assert_eq!(runs.insert(run, class), None, "{run:#x} has two uses");
                }
            }
        }
        runs
    }

    /// What the bytes of one run are used for, up to the tag after it.
    pub(in super::super) fn survey<M: LinearMemory>(
        &self,
        heap: &ChunkHeap<M>,
        (run, class): (u32, SizeClass),
        is_live: impl Fn(u32) -> bool,
    ) -> Vec<(Idle, Range<u64>)> {
        let free = self.free_in(heap, run, class);
        let capacity = capacity(class);
        let mut idle = std::vec![(Idle::Overhead, u64::from(run)..u64::from(run + BLOCKS_OFFSET))];
        let mut live = 0;
        for index in 0..capacity {
            let block = run + BLOCKS_OFFSET + index * class.bytes();
            if free.contains(&block) {
                idle.push((Idle::Free, u64::from(block)..u64::from(block + class.bytes())));
            } else {
                assert!(is_live(block), "the block at {block:#x} is neither live nor free");
                live += 1;
            }
        }
        assert_eq!(
            free.len() as u32 + live,
            capacity,
            "free blocks outside the run at {run:#x}"
        );
        let end = run + BLOCKS_OFFSET + capacity * class.bytes();
        idle.push((
            Idle::Overhead,
            u64::from(end)..u64::from(run + RUN_BYTES - crate::heaps::merging::chunk::TAG_BYTES),
        ));
        idle
    }

    /// The free blocks of a run; asserts that its header agrees with them.
    fn free_in<M: LinearMemory>(&self, heap: &ChunkHeap<M>, run: u32, class: SizeClass) -> BTreeSet<u32> {
        // SAFETY: the simulated memory checks the address.
        let header = unsafe { Run::at(run) };
        let capacity = capacity(class);
        let mut free = blocks_of(&heap.memory, header.released(&heap.memory));
        let expected = if run == self.current[class.index()] {
            let released = free.len() as u32;
            free.extend(blocks_of(&heap.memory, self.lists[class.index()]));
            let unlinked = header.unlinked_blocks(&heap.memory);
            free.extend((capacity - unlinked..capacity).map(|index| run + BLOCKS_OFFSET + index * class.bytes()));
            capacity - released
        } else if free.is_empty() {
            1
        } else {
            assert!(runs_in_bin(heap, class).contains(&run), "{run:#x} is in no bin");
            capacity - free.len() as u32
        };
        assert_eq!(
            header.waits(&heap.memory),
            Waits::for_releases(expected, class),
            "what {run:#x} waits for"
        );
        free.extend(self.borrowed_from(heap, run));
        assert!(
            free.iter().all(|&block| run_around(block) == run),
            "a list of {run:#x} leads out of it"
        );
        let unique: BTreeSet<u32> = free.iter().copied().collect();
        assert_eq!(unique.len(), free.len(), "a block of {run:#x} is on two lists");
        unique
    }

    /// How many blocks are on the list of a class.
    #[cfg(test)]
    pub(crate) fn listed_blocks<M: LinearMemory>(&self, heap: &ChunkHeap<M>, class: SizeClass) -> u32 {
        self.lists[class.index()].length(&heap.memory)
    }

    /// The blocks of a run on the lists of classes without a current run. Asserts that those classes borrow from the run's class.
    fn borrowed_from<M: LinearMemory>(&self, heap: &ChunkHeap<M>, run: u32) -> Vec<u32> {
        let mut borrowed = Vec::new();
        for class in SizeClass::all().filter(|class| self.current[class.index()] == 0) {
            let list = self.lists[class.index()];
            if run_around(list.first()) == run && !list.is_empty() {
                // SAFETY: the simulated memory checks the address.
                let lender = unsafe { Run::at(run) }.waits(&heap.memory).class();
                assert_eq!(class.shared(), lender, "{run:#x} lends to {class:?}");
                assert_ne!(class, lender, "{class:?} has a list and no run");
                borrowed.extend(blocks_of(&heap.memory, list));
            }
        }
        borrowed
    }
}

/// The addresses of the runs in a class's bin.
fn runs_in_bin<M: LinearMemory>(heap: &ChunkHeap<M>, class: SizeClass) -> Vec<u32> {
    let mut runs = Vec::new();
    heap.bins.for_each(&heap.memory, bin_of(class), |run| {
        assert!(runs.len() < 1_000_000, "the bin of {class:?} has a cycle");
        runs.push(run);
    });
    runs
}

/// The blocks of a list.
fn blocks_of<M: LinearMemory>(memory: &M, mut list: FreeList) -> Vec<u32> {
    let mut blocks = Vec::new();
    while !list.is_empty() {
        assert!(blocks.len() < RUN_BYTES as usize, "a free list has a cycle");
        blocks.push(list.pop(memory));
    }
    blocks
}
