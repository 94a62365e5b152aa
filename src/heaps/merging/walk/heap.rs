//! What the heap tells a walk: what lies at an address.

use super::super::chunk_heap::walk::Place;
use super::super::run::Run;
use super::super::walk::sight::Sight;
use super::*;
use crate::heap_map::RangeKind;

impl<M: LinearMemory> MergingHeap<M> {
    /// Where the heap's memory begins, and how many bytes it has, with the pages of others in between.
    pub(in super::super) fn memory_with_others(&self) -> (u32, u32) {
        self.chunks.memory_with_others()
    }

    /// What lies at this address of the heap. For the cost see [`ChunkHeap::place_of`].
    pub(in super::super) fn sight_at(&mut self, address: u32) -> Sight {
        let (block, is_run, end) = match self.chunks.place_of(address) {
            Place::Alike(sight) => return sight,
            Place::Block { block, is_run, end } => (block, is_run, end),
        };
        if is_run {
            // SAFETY: the tag of the block says that it is a run.
            let run = unsafe { Run::at(block) };
            Sight::Run(self.runs.sight_of(&self.chunks.memory, run, end))
        } else if block == self.runs.own_block() {
            Sight::alike(RangeKind::Own, end)
        } else if address < block {
            Sight::alike(RangeKind::Own, block)
        } else {
            Sight::alike(RangeKind::Live, end)
        }
    }
}
