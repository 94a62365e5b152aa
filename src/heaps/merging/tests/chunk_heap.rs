//! A walk through all chunks: it asserts what the tags and the bins say of each other.

use super::*;
use crate::memory::linear::Region;
use crate::tests::model::Idle;
use crate::tests::simulated_memory::MemoryOfRegions;
use std::collections::BTreeMap;
use std::vec::Vec;

/// The blocks in use, each with its span, and what all other bytes are used for.
type Survey = (Vec<(u32, u32)>, Vec<(Idle, Region)>);

impl<M: MemoryOfRegions> ChunkHeap<M> {
    /// The span of a block's chunk.
    pub(in super::super) fn span_of(&self, block: u32) -> u32 {
        // SAFETY: the simulated memory checks the address.
        unsafe { Chunk::of_block(block) }.span(&self.memory)
    }

    /// What all the memory of this heap is used for.
    pub(in super::super) fn survey(&self) -> Survey {
        self.bins.check(&self.memory);
        let mut in_bins = BTreeMap::new();
        for bin in CHUNK_BINS {
            self.bins.for_each(&self.memory, bin, |address| {
                let block = address + BLOCK_OFFSET;
                let span = self.span_of(block);
                assert!(bin == RESERVES || bin_of(span) == bin, "the bin of {address:#x}");
                assert_eq!(in_bins.insert(block, span), None, "{block:#x} is in two bins");
            });
        }
        let mut blocks = Vec::new();
        let mut idle = Vec::new();
        let initial = self.memory.initial_region();
        if self.end != 0 && initial.end.wrapping_sub(initial.start) < END_BYTES {
            idle.push((Idle::Overhead, initial));
        }
        for region in self.regions() {
            if self.end == 0 {
                idle.push((Idle::Tail, region));
                continue;
            }
            self.survey_region(region, &mut in_bins, &mut blocks, &mut idle);
        }
        assert!(in_bins.is_empty(), "blocks in bins that are in no region: {in_bins:x?}");
        (blocks, idle)
    }

    /// The regions of this heap: what lies between the pages of others.
    fn regions(&self) -> Vec<Region> {
        let initial = self.memory.initial_region();
        let too_short = self.end != 0 && initial.end.wrapping_sub(initial.start) < END_BYTES;
        let mut regions = self
            .memory
            .regions_from(if too_short { initial.end } else { initial.start });
        regions.retain(|region| region.start != region.end);
        regions
    }

    fn survey_region(
        &self,
        region: Region,
        in_bins: &mut BTreeMap<u32, u32>,
        blocks: &mut Vec<(u32, u32)>,
        idle: &mut Vec<(Idle, Region)>,
    ) {
        let end = region.end.wrapping_sub(GRANULE_BYTES);
        let bump = self.bump + BLOCK_OFFSET;
        // SAFETY: the simulated memory checks the address.
        let tag_of = |block: u32| unsafe { Chunk::of_block(block) }.tag(&self.memory);
        let mut block = first_chunk(region.start) + BLOCK_OFFSET;
        let mut use_of = |idle_as: Idle, start: u32, end: u32| idle.push((idle_as, Region { start, end }));
        use_of(Idle::Overhead, region.start, block - TAG_BYTES);
        let mut previous_free = false;
        while block != bump && block != end {
            let tag = tag_of(block);
            let (span, free) = (tag.span(), tag.is_free());
            assert!(span >= GRANULE_BYTES, "the block at {block:#x} has the tag {tag:?}");
            assert_eq!(tag.is_previous_free(), previous_free, "the flags of {block:#x}");
            let next = block + span;
            if free {
                assert!(!previous_free, "two free neighbours at {block:#x}");
                assert_eq!(in_bins.remove(&block), Some(span), "{block:#x} is free and in no bin");
                // SAFETY: the simulated memory checks the address.
                let before = unsafe { Chunk::of_block(next).before(&self.memory) };
                assert_eq!(before.block(), block, "the span at the end of {block:#x}");
                use_of(Idle::Free, block - TAG_BYTES, next - TAG_BYTES);
            } else {
                blocks.push((block, span));
            }
            previous_free = free;
            block = next;
        }
        if block == bump {
            assert!(!previous_free, "a free block before the bump pointer");
            assert_eq!(self.end + BLOCK_OFFSET, end, "the end of the last region");
            use_of(Idle::Overhead, block - TAG_BYTES, block);
            use_of(Idle::Tail, block, end);
            use_of(Idle::Overhead, end, region.end);
        } else {
            use_of(Idle::Overhead, block - TAG_BYTES, region.end);
            let fence = tag_of(block);
            assert!(fence.span() == 0 && !fence.is_free(), "the end of a region");
            assert_eq!(fence.is_previous_free(), previous_free);
        }
    }
}
