//! What the memory of all heaps is used for.

use super::*;
use crate::memory::PAGE_BYTES;
use crate::memory::linear::LinearMemory;
use crate::tests::model::Idle;
use crate::tests::model::oracle::bytes_of_region;
use crate::threads::remote_blocks::RemoteBlocks;
use core::ops::Range;
use std::vec::Vec;

impl<M: SharedMemory> Heaps<M> {
    /// The numbers of the heaps that exist.
    pub(in super::super) fn numbers(&self) -> Vec<u8> {
        let numbers = 1..=u8::MAX;
        numbers
            .filter(|&number| self.seat(Owner::heap(number)).heap().is_some())
            .collect()
    }

    /// The heap with this number.
    ///
    /// # Safety
    ///
    /// No thread may be in a call, and the returned reference must be the only one to the heap.
    pub(in super::super) unsafe fn heap<'a>(&self, number: u8) -> &'a mut ThreadHeap<M> {
        let mut heap = self.seat(Owner::heap(number)).heap().expect("the heap exists");
        // SAFETY: nothing else uses the heap, says the caller.
        unsafe { heap.as_mut() }
    }

    /// What the bytes of a heap's pages are used for that are in no live block, when these blocks of it are live.
    ///
    /// # Safety
    ///
    /// As for [`heap`](Self::heap).
    pub(in super::super) unsafe fn survey(&self, number: u8, live: &[(u32, Request)]) -> Vec<(Idle, Range<u64>)> {
        // SAFETY: as the caller says.
        let heap = unsafe { self.heap(number) }.heap();
        let mut idle = heap.survey(live);
        idle.push((Idle::Overhead, bytes_of_region(heap.memory().state())));
        idle
    }

    /// The blocks that were released for this heap and that it has not taken back, and whether they have a size class.
    pub(in super::super) fn pending(&self, number: u8) -> Vec<(u32, bool)> {
        let seat = self.seat(Owner::heap(number));
        // SAFETY: surveys happen while no thread is in a call, and the reference is not kept.
        let heap = unsafe { self.heap(number) };
        let lists = [seat.remote.peek(), heap.remote()];
        let blocks_of = |mut blocks: RemoteBlocks| core::iter::from_fn(move || blocks.pop(&self.memory));
        lists.into_iter().flat_map(blocks_of).collect()
    }

    /// Has all heaps take back what was released, and asserts that nothing is live in any of them and each byte of their pages
    /// has a use.
    ///
    /// # Safety
    ///
    /// No thread may use the heaps any more, and all blocks must have been released.
    pub(in super::super) unsafe fn assert_all_is_free(&self) {
        let mut pages = 0;
        for number in self.numbers() {
            // SAFETY: no thread uses the heaps.
            let heap = unsafe { self.heap(number) };
            heap.take_back_all(&self.seat(Owner::heap(number)).remote);
            let own_pages = heap.heap().memory().own_pages().0;
            // SAFETY: as above; the reference from above is not used any more.
            let idle = unsafe { self.survey(number, &[]) };
            let bytes: u64 = idle.iter().map(|(_, range)| range.end - range.start).sum();
            assert_eq!(
                bytes,
                u64::from(own_pages) * u64::from(PAGE_BYTES),
                "the bytes of heap {number} that have a use"
            );
            pages += own_pages;
        }
        assert_eq!(self.memory.pages().owned(), PageCount(pages), "the pages of all heaps");
    }
}

/// Takes a seat of heaps for ever, as a thread does that its host stops in the middle of a call.
impl<M: SharedMemory> Heaps<M> {
    pub(in super::super) fn stop_in_heap(&self, number: u8) {
        assert!(self.seat(Owner::heap(number)).try_take(), "heap {number} is in use");
    }
}

#[cfg(loom)]
impl<M: SharedMemory> Heaps<M> {
    /// Makes what loom tracks of the heaps that few threads use, before there are threads.
    pub(in super::super) fn touch(&self) {
        for seat in &self.seats[..20] {
            seat.touch();
        }
    }
}
