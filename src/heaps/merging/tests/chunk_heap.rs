//! A walk through all blocks of a [`ChunkHeap`], for the tests: it asserts what the tags and the bins say of each other.
//! Below `tagged_heap.rs` since those are private.

use super::*;
use crate::memory::linear::Region;
use crate::tests::model::Idle;
use crate::tests::simulated_memory::SimulatedMemory;
use std::collections::BTreeMap;
use std::vec::Vec;

/// The blocks in use, each with its span, and what all other bytes are used for.
type Survey = (Vec<(u32, u32)>, Vec<(Idle, Region)>);

impl ChunkHeap {
    /// The span of a block's chunk.
    pub(crate) fn span_of(&self, memory: &SimulatedMemory, block: u32) -> u32 {
        // SAFETY: the simulated memory checks the address.
        unsafe { self.span(memory, block - BLOCK) }
    }

    /// What all the memory of this heap is used for.
    pub(crate) fn survey(&self, memory: &SimulatedMemory) -> Survey {
        self.bins.check(memory, |chunk| self.span_of(memory, chunk + BLOCK));
        let mut in_bins = BTreeMap::new();
        self.bins.for_each_chunk(memory, |chunk| {
            let block = chunk + BLOCK;
            assert_eq!(
                in_bins.insert(block, self.span_of(memory, block)),
                None,
                "{block:#x} is in two bins"
            );
        });
        let mut blocks = Vec::new();
        let mut idle = Vec::new();
        let initial = memory.initial_region();
        if self.end != 0 && initial.end.wrapping_sub(initial.start) < END_BYTES {
            idle.push((Idle::Overhead, initial));
        }
        for region in self.regions(memory) {
            if self.end == 0 {
                idle.push((Idle::NeverUsed, region));
                continue;
            }
            self.survey_region(memory, region, &mut in_bins, &mut blocks, &mut idle);
        }
        assert!(in_bins.is_empty(), "blocks in bins that are in no region: {in_bins:x?}");
        (blocks, idle)
    }

    /// The regions of this heap: what lies between the pages of others.
    fn regions(&self, memory: &SimulatedMemory) -> Vec<Region> {
        let mut regions = Vec::new();
        let initial = memory.initial_region();
        let mut start = initial.start;
        if self.end != 0 && initial.end.wrapping_sub(start) < END_BYTES {
            start = initial.end;
        }
        let end = memory.end_page() << crate::memory::PAGE_SHIFT;
        for &foreign in &memory.foreign {
            regions.push(Region {
                start,
                end: foreign.start,
            });
            start = foreign.end;
        }
        regions.push(Region { start, end });
        regions.retain(|region| region.start != region.end);
        regions
    }

    fn survey_region(
        &self,
        memory: &SimulatedMemory,
        region: Region,
        in_bins: &mut BTreeMap<u32, u32>,
        blocks: &mut Vec<(u32, u32)>,
        idle: &mut Vec<(Idle, Region)>,
    ) {
        let end = region.end.wrapping_sub(GRANULE_BYTES);
        let bump = self.bump + BLOCK;
        let word = |address: u32| {
            // SAFETY: the simulated memory checks the address.
            unsafe { memory.read_word(address, 0) }
        };
        let mut block = (region.start + TAG_BYTES + FLAGS) & !FLAGS;
        let mut use_of = |idle_as: Idle, start: u32, end: u32| idle.push((idle_as, Region { start, end }));
        use_of(Idle::Overhead, region.start, block - TAG_BYTES);
        let mut previous_free = false;
        while block != bump && block != end {
            let tag = word(block - TAG_BYTES);
            let (span, free) = (tag & !FLAGS, tag & FREE != 0);
            assert!(span >= GRANULE_BYTES, "the block at {block:#x} has the tag {tag:#x}");
            assert_eq!(tag & PREVIOUS_FREE != 0, previous_free, "the flags of {block:#x}");
            let next = block + span;
            if free {
                assert!(!previous_free, "two free neighbours at {block:#x}");
                assert_eq!(in_bins.remove(&block), Some(span), "{block:#x} is free and in no bin");
                assert_eq!(word(next - 2 * TAG_BYTES), span, "the span at the end of {block:#x}");
                use_of(Idle::Free, block - TAG_BYTES, next - TAG_BYTES);
            } else {
                blocks.push((block, span));
            }
            previous_free = free;
            block = next;
        }
        if block == bump {
            assert!(!previous_free, "a free block before the bump pointer");
            assert_eq!(self.end + BLOCK, end, "the end of the last region");
            use_of(Idle::Overhead, block - TAG_BYTES, block);
            use_of(Idle::NeverUsed, block, end);
            use_of(Idle::Overhead, end, region.end);
        } else {
            use_of(Idle::Overhead, block - TAG_BYTES, region.end);
            let fence = word(block - TAG_BYTES);
            assert_eq!(fence & !PREVIOUS_FREE, 0, "the end of a region");
            assert_eq!(fence & PREVIOUS_FREE != 0, previous_free);
        }
    }
}
