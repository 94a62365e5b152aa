//! Which parts of the memory a heap has, as the owners of the pages say it.

use super::*;
use crate::tests::simulated_memory::MemoryOfRegions;
use std::vec::Vec;

impl<M: SharedMemory> HeapMemory<M> {
    /// The bytes before the first region, in which the heap's state lies.
    pub(in super::super) fn state(&self) -> Region {
        Region {
            start: self.first.start & !((1 << PAGE_SHIFT) - 1),
            end: self.first.start,
        }
    }
}

impl<M: SharedMemory> MemoryOfRegions for HeapMemory<M> {
    fn regions_from(&self, start: u32) -> Vec<Region> {
        let mut regions = Vec::new();
        let mut previous = None;
        let mut pages = 0;
        for page in 0..self.size().0 {
            // SAFETY: surveys happen while no thread adds pages.
            if unsafe { self.shared.pages().owner_of(page << PAGE_SHIFT) } != self.heap {
                continue;
            }
            pages += 1;
            if previous.is_none_or(|previous: u32| previous + 1 != page) {
                regions.push(Region::of_pages(page, page));
            }
            if let Some(region) = regions.last_mut() {
                region.end = (page + 1) << PAGE_SHIFT;
            }
            previous = Some(page);
        }
        assert_eq!(pages, self.pages.0, "the pages of heap {:?}", self.heap);
        if let Some(first) = regions.first_mut() {
            assert_eq!(
                first.start,
                self.state().start,
                "the first page of heap {:?}",
                self.heap
            );
            first.start = start;
        }
        regions
    }
}
