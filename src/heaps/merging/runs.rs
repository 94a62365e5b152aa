//! Small blocks without a byte of their own, in [runs](super::run) of 8 KiB with blocks of one size class each.
//!
//! | the run is | it waits until | what is done then |
//! |---|---|---|
//! | current: the class's list is made of its blocks | all of its blocks are on `released` | the classes that borrow from its class count anew. It serves the next request, or goes back before the memory grows |
//! | partial: in the bin of its class | its last live block is released | it goes back to the chunk heap |
//! | full: nothing points to it | its first release | it joins the bin of its class |
//!
//! An allocation pops the class's list. An empty list is refilled from, in this order: the blocks of the current run that
//! were never on a list, those that were released in it, a partial run, a new run. Both hot paths are two loads and one to
//! three stores, whatever run a block is from. Neighbours are used together: when all blocks of a structure are released,
//! their runs merge into one piece of memory, and the next structure lies in address order again.
//!
//! A release does not ask for the class of a block, only for its run. So a block may be larger than its class says:
//!
//! - A class earns its runs. Before that it borrows from those of the next power of two, some blocks at a time: its list is made
//!   of them, and each goes back to its run when it is released. It gets a run of its own where those runs have no free block,
//!   so that a new run is needed anyway, and its [loan](super::loan) is 4 KiB. A busy class, whose loan is a thirty-second of the
//!   heap, gets one although they have free blocks.
//! - Where the memory cannot grow, any free block of a larger class serves. After these come
//!   [stray blocks](super::stray_blocks), which lie in no run.

use super::chunk::span_for;
use super::chunk_heap::{ChunkHeap, Effort};
use super::free_list::FreeList;
use super::loan::Loan;
use super::run::{BLOCKS_OFFSET, RUN_BYTES, Run, Waits, capacity};
// To know where the runs lie is to know which small blocks are stray.
#[cfg(feature = "malloc")]
use super::run_map::RunMap as StrayBlocks;
use super::size_class::{CLASSES, SizeClass};
#[cfg(not(feature = "malloc"))]
use super::stray_blocks::StrayBlocks;
use crate::memory::linear::LinearMemory;

#[cfg(any(test, fuzzing))]
#[path = "tests/runs.rs"]
mod survey;
#[cfg(feature = "walk")]
#[path = "walk/runs.rs"]
mod walk;

/// Whether a heap that extends over so many bytes is a small one. There a run touches no more of its memory than it must, and
/// runs of all classes would fill it.
const fn is_small(extent: u32) -> bool {
    extent < 1 << 17
}

/// The blocks that begin in this many bytes of a new run are put on its list first, in a small heap.
const FIRST_LISTED_BYTES: u32 = 512;

/// At most this many bytes of blocks of a run are put on its list at once: 256 blocks, which bounds the work of a call.
const fn most_listed_bytes(class: SizeClass) -> u32 {
    256 * class.bytes()
}

/// At most this many blocks on lists are counted before the memory grows, which bounds the work of a call.
const MOST_COUNTED: u32 = 2048;

/// How far down a class's bin of partial runs to look: the older a run's entry, the more of its blocks are free.
const RUNS_LOOKED_AT: u32 = 16;

/// The debt for releasing idle runs to make room for a new run. Each new run pays 1 of it. This is more than there are
/// classes: a program that uses some blocks of each size in turn soon has a run for each, instead of making the same few
/// runs again and again.
const IDLE_RELEASE_PRICE: u8 = 64;

/// With a higher debt the memory grows instead. So idle runs are released three times at most in short succession.
const MOST_DEBT: u8 = 191;

/// The bytes that a class borrows at a time, or one block. The first time it borrows one, so that a program that makes a block of
/// each of many sizes touches less memory.
const BORROWED_AT_ONCE: u32 = 512;

/// The bin of a class's partial runs.
const fn bin_of(class: SizeClass) -> usize {
    class.index()
}

/// The runs of all classes; all zero before the first use. The arrays lie apart, so that the hot paths find the entry of a
/// class by a shift.
#[cfg_attr(feature = "malloc", repr(C))]
pub(super) struct Runs {
    /// For each class its list. The blocks on it are of the current run; without one, they are borrowed.
    lists: [FreeList; CLASSES],
    /// For each class the address of the current run, or 0.
    current: [u32; CLASSES],
    /// For each class what it has borrowed, or how many runs it has.
    loans: [Loan; CLASSES],
    /// What remains to be paid for releasing idle runs: see [`IDLE_RELEASE_PRICE`].
    debt: u8,
    /// The small blocks that lie in no run.
    strays: StrayBlocks,
}

impl Runs {
    /// No runs.
    pub(super) const fn new() -> Self {
        Runs {
            lists: [FreeList::EMPTY; CLASSES],
            current: [0; CLASSES],
            loans: [Loan::NONE; CLASSES],
            debt: 0,
            strays: StrayBlocks::new(),
        }
    }

    /// The first block of a class's list, or 0 where that is empty. O(1).
    #[inline]
    pub(super) fn pop<M: LinearMemory>(&mut self, memory: &M, class: SizeClass) -> u32 {
        self.lists[class.index()].pop(memory)
    }

    /// As [`pop`](Self::pop). The paths that make or fill a list share this one copy of it: 73 bytes less.
    #[inline(never)]
    fn pop_seldom<M: LinearMemory>(&mut self, memory: &M, class: SizeClass) -> u32 {
        self.pop(memory, class)
    }

    /// A block of this class, whose list is empty; 0 if there is no memory for it. O(1), except for the search before a
    /// refusal: see [`Effort::Exhaustive`].
    #[cold]
    #[inline(never)]
    pub(super) fn refill<M: LinearMemory>(&mut self, heap: &mut ChunkHeap<M>, class: SizeClass) -> u32 {
        let mut block = self.pop_again(heap, class);
        if block != 0 {
            return block;
        }
        let mut class_of_run = class;
        let shared = class.shared();
        if shared != class && !self.loans[class.index()].is_of_class_with_runs() {
            block = self.borrow(heap, class, shared);
            if block != 0 {
                return block;
            }
            if self.loans[class.index()].earns_runs() {
                self.loans[class.index()] = Loan::HAS_RUNS;
            } else {
                class_of_run = shared;
            }
        }
        let mut address = heap.allocate(RUN_BYTES, RUN_BYTES, Effort::AtHand);
        if address == 0 {
            if heap.was_refused() {
                block = self.without_a_run(heap, class);
                if block != 0 {
                    return block;
                }
            }
            address = self.run_by_growing(heap);
        }
        if address == 0 {
            return self.without_a_run(heap, class);
        }
        // SAFETY: the block was allocated for a run just now.
        let run = unsafe { Run::at(address) };
        #[cfg(feature = "walk")]
        // SAFETY: the block of the run is in use from now on.
        unsafe {
            heap.note_run(address);
        }
        self.start(heap, run, class_of_run);
        self.pop_seldom(&heap.memory, class_of_run)
    }

    /// A block of the shared class for a class whose list is empty. More of them come on that list. 0 if the shared class has no
    /// free block, or if the class is a busy one. O(1).
    fn borrow<M: LinearMemory>(&mut self, heap: &mut ChunkHeap<M>, class: SizeClass, shared: SizeClass) -> u32 {
        let lender = self.loans[shared.index()];
        let before = self.loans[class.index()].bytes_from(lender);
        if lender.lends_to_busy_class(before, heap.extent()) {
            return 0;
        }
        let mut block = self.pop_or_again(heap, shared);
        let mut bytes = 0;
        while block != 0 {
            bytes += shared.bytes();
            if before == 0 || bytes >= BORROWED_AT_ONCE {
                break;
            }
            let next = self.pop_seldom(&heap.memory, shared);
            if next == 0 {
                break;
            }
            let list = &mut self.lists[class.index()];
            // SAFETY: the block was taken from another list just now.
            *list = unsafe { list.with_first(&mut heap.memory, block) };
            block = next;
        }
        self.loans[class.index()] = Loan::of_bytes_from(before + bytes, lender);
        block
    }

    /// Releases the blocks that classes have borrowed and not handed out: fewer than 512 bytes of each class. O(1).
    fn return_borrowed<M: LinearMemory>(&mut self, heap: &mut ChunkHeap<M>) {
        for index in 0..CLASSES {
            if self.current[index] == 0 {
                while !self.lists[index].is_empty() {
                    let block = self.lists[index].pop(&heap.memory);
                    // SAFETY: a borrowed block is on no list any more. It lies in a run of the shared class.
                    unsafe { self.push(heap, block) };
                }
            }
        }
    }

    /// The first block of a class's list, which may be empty and is then given the free blocks of a run; 0 if there are none.
    #[inline(never)]
    fn pop_or_again<M: LinearMemory>(&mut self, heap: &mut ChunkHeap<M>, class: SizeClass) -> u32 {
        match self.pop_seldom(&heap.memory, class) {
            0 => self.pop_again(heap, class),
            block => block,
        }
    }

    /// The first block of a class's list, after that was given the free blocks of a run of this class; 0 if there are none.
    #[inline(never)]
    fn pop_again<M: LinearMemory>(&mut self, heap: &mut ChunkHeap<M>, class: SizeClass) -> u32 {
        let mut address = self.current[class.index()];
        if address != 0 {
            // SAFETY: the current run of a class is one of this heap's.
            let run = unsafe { Run::at(address) };
            let unlinked = run.unlinked(&heap.memory);
            if unlinked != 0 {
                // SAFETY: the run says that these blocks were never handed out.
                let list = unsafe { run.link(&mut heap.memory, unlinked, class, most_listed_bytes(class)) };
                self.lists[class.index()] = list;
                return self.pop_seldom(&heap.memory, class);
            }
            if run.released(&heap.memory).is_empty() {
                // A full run: something is to be done at its first release.
                run.set_waits(&mut heap.memory, Waits::for_releases(1, class));
                self.current[class.index()] = 0;
                address = 0;
            }
        }
        if address == 0 {
            address = Self::partial(heap, class);
            if address == 0 {
                return 0;
            }
            // SAFETY: a partial run is in the bin of its class.
            unsafe { heap.bins.remove(&mut heap.memory, address) };
            // SAFETY: what was in the bin of a class is a run.
            unsafe { Run::at(address) }.set_unlinked(&mut heap.memory, 0);
            self.current[class.index()] = address;
        }
        // SAFETY: the current run of a class is one of this heap's.
        let run = unsafe { Run::at(address) };
        self.lists[class.index()] = run.released(&heap.memory);
        run.set_released(&mut heap.memory, FreeList::EMPTY);
        run.set_waits(&mut heap.memory, Waits::for_releases(capacity(class), class));
        self.pop_seldom(&heap.memory, class)
    }

    /// The address of the run of this class that has been in the bin for longest, of the 16 that joined last at most, or 0.
    /// O(1).
    fn partial<M: LinearMemory>(heap: &ChunkHeap<M>, class: SizeClass) -> u32 {
        let mut run = 0;
        let mut next = heap.bins.first(bin_of(class));
        for _ in 0..RUNS_LOOKED_AT {
            if next == 0 {
                break;
            }
            run = next;
            // SAFETY: the run is in the bin.
            next = unsafe { heap.bins.next(&heap.memory, run) };
        }
        run
    }

    /// The memory for a run where none is at hand: an address, or 0 if there is none. Before the memory grows, idle runs are
    /// released, unless that was just done again and again. O(1), unless growth is refused: see [`Effort::Exhaustive`].
    fn run_by_growing<M: LinearMemory>(&mut self, heap: &mut ChunkHeap<M>) -> u32 {
        if self.debt > MOST_DEBT && !heap.was_refused() {
            let run = heap.allocate(RUN_BYTES, RUN_BYTES, Effort::Growing);
            if run != 0 {
                return run;
            }
        }
        self.release_idle(heap);
        self.debt = self.debt.saturating_add(IDLE_RELEASE_PRICE);
        heap.allocate(RUN_BYTES, RUN_BYTES, Effort::Growing)
    }

    /// Makes a new run the current one of a class that has none. O(1): at most 256 blocks are put on its list.
    fn start<M: LinearMemory>(&mut self, heap: &mut ChunkHeap<M>, run: Run, class: SizeClass) {
        let listed_bytes = if is_small(heap.extent()) {
            FIRST_LISTED_BYTES
        } else {
            most_listed_bytes(class)
        };
        let memory = &mut heap.memory;
        self.strays.begin_run(memory, run.address());
        self.debt = self.debt.saturating_sub(1);
        self.loans[class.index()].note_new_run();
        run.set_released(memory, FreeList::EMPTY);
        run.set_waits(memory, Waits::for_releases(capacity(class), class));
        self.current[class.index()] = run.address();
        // SAFETY: no block of the new run was handed out.
        self.lists[class.index()] = unsafe { run.link(memory, run.address() + BLOCKS_OFFSET, class, listed_bytes) };
    }

    /// A block for this class where there is no memory for a run of it: a free block of this class, which others may have given
    /// back, or of a larger one, or one of the chunk heap; or 0.
    #[cold]
    #[inline(never)]
    fn without_a_run<M: LinearMemory>(&mut self, heap: &mut ChunkHeap<M>, class: SizeClass) -> u32 {
        let mut at_least = Some(class);
        while let Some(class) = at_least {
            let block = self.pop_or_again(heap, class);
            if block != 0 {
                return block;
            }
            at_least = class.larger();
        }
        self.strays.allocate(heap, span_for(class.bytes()))
    }

    /// Releases the blocks that classes have borrowed and not handed out. Then releases the idle runs, current ones without a live
    /// block, to the chunk heap: from those with the largest blocks on, as far as 2,048 blocks on lists have to be counted for
    /// it. O(1).
    #[cold]
    #[inline(never)]
    pub(super) fn release_idle<M: LinearMemory>(&mut self, heap: &mut ChunkHeap<M>) {
        self.return_borrowed(heap);
        let mut left = MOST_COUNTED;
        for class in SizeClass::all() {
            left = self.release_if_idle(heap, class, left);
        }
    }

    /// Releases the current run of a class if it has no live block, and if at most `most_counted` blocks have to be counted
    /// to know it. Returns how many may still be counted.
    #[inline(never)]
    fn release_if_idle<M: LinearMemory>(
        &mut self,
        heap: &mut ChunkHeap<M>,
        class: SizeClass,
        most_counted: u32,
    ) -> u32 {
        let address = self.current[class.index()];
        if address == 0 {
            return most_counted;
        }
        // SAFETY: the current run of a class is one of this heap's.
        let run = unsafe { Run::at(address) };
        let list = &mut self.lists[class.index()];
        // A current run waits for the blocks that are not on `released`: live, on the class's list, or on none.
        let live_or_listed = run.waits(&heap.memory).releases() - run.unlinked_blocks(&heap.memory);
        if live_or_listed > most_counted {
            return most_counted;
        }
        if list.length(&heap.memory) == live_or_listed {
            *list = FreeList::EMPTY;
            self.current[class.index()] = 0;
            // SAFETY: the run is a block of the chunk heap, and none of its own blocks is live.
            unsafe { self.give_back(heap, run, class) };
        }
        most_counted - live_or_listed
    }

    /// The class of the run that a block lies in, or none if it lies in no run. O(1).
    ///
    /// # Safety
    ///
    /// `block` must be live, or lie in no run.
    #[cfg(feature = "malloc")]
    #[inline]
    pub(super) unsafe fn class_at<M: LinearMemory>(&self, memory: &M, block: u32) -> Option<SizeClass> {
        if !self.strays.has_run_around(block) {
            return None;
        }
        // SAFETY: the map says that the block lies in a run.
        unsafe { Run::of_block(block) }.waits(memory).class_if_any()
    }

    /// Whether a block lies in a run. O(1).
    #[cfg(feature = "malloc")]
    #[inline]
    pub(super) fn have(&self, block: u32) -> bool {
        self.strays.has_run_around(block)
    }

    /// Whether some blocks with a class lie in no run.
    #[cfg(any(for_threads, all(test, not(feature = "malloc"))))]
    #[inline]
    pub(super) fn have_strays(&self) -> bool {
        !self.strays.is_empty()
    }

    /// Takes back a block. O(1).
    ///
    /// # Safety
    ///
    /// `block` must be live, and must have been allocated for a class.
    #[cfg(not(feature = "malloc"))]
    #[inline]
    pub(super) unsafe fn deallocate<M: LinearMemory>(&mut self, heap: &mut ChunkHeap<M>, block: u32) {
        if self.strays.is_empty() {
            // SAFETY: without stray blocks every live block with a class lies in a run.
            unsafe { self.push(heap, block) }
        } else {
            // SAFETY: the caller gives up a block that was allocated for a class.
            unsafe { self.deallocate_wherever(heap, block) }
        }
    }

    /// As [`deallocate`](Self::deallocate), where some blocks lie in no run.
    ///
    /// # Safety
    ///
    /// As for [`deallocate`](Self::deallocate).
    #[cfg(not(feature = "malloc"))]
    #[cold]
    #[inline(never)]
    unsafe fn deallocate_wherever<M: LinearMemory>(&mut self, heap: &mut ChunkHeap<M>, block: u32) {
        if self.strays.contains(&heap.memory, block) {
            // SAFETY: a stray block is one of the chunk heap, which the caller gives up.
            unsafe { heap.deallocate(block) }
        } else {
            // SAFETY: what is not stray lies in a run.
            unsafe { self.push(heap, block) }
        }
    }

    /// Takes back a block of a run. O(1).
    ///
    /// # Safety
    ///
    /// `block` must be live, and lie in a run.
    #[inline]
    pub(super) unsafe fn push<M: LinearMemory>(&mut self, heap: &mut ChunkHeap<M>, block: u32) {
        // SAFETY: the block lies in a run, says the caller.
        let run = unsafe { Run::of_block(block) };
        // SAFETY: the caller gives up the block, which is one of that run.
        let waits = unsafe { run.release(&mut heap.memory, block) };
        if waits.are_over() {
            self.settle(heap, run);
        }
    }

    /// Does what is to be done with a run that waits no longer, after the release of the block on top of `released`.
    #[cold]
    #[inline(never)]
    fn settle<M: LinearMemory>(&mut self, heap: &mut ChunkHeap<M>, run: Run) {
        let class = run.waits(&heap.memory).class();
        if run.address() == self.current[class.index()] {
            // The classes that borrow from its class begin to count anew.
            self.loans[class.index()].note_idle_run();
            return;
        }
        let was_full = run.released(&heap.memory).rest(&heap.memory).is_empty();
        if was_full {
            run.set_waits(&mut heap.memory, Waits::for_releases(capacity(class) - 1, class));
            // SAFETY: nothing pointed to the full run, and its header has room for the links.
            unsafe { heap.bins.insert(&mut heap.memory, bin_of(class), run.address()) };
        } else {
            // SAFETY: a run with free blocks that is not current is in the bin of its class.
            unsafe { heap.bins.remove(&mut heap.memory, run.address()) };
            // SAFETY: the run is in no bin any more, and its last live block was released.
            unsafe { self.give_back(heap, run, class) };
        }
    }

    /// Releases an idle run to the chunk heap. The classes that borrow from its class begin to count anew.
    ///
    /// # Safety
    ///
    /// The run must be one of this class, current for none and in no bin, without a live block.
    unsafe fn give_back<M: LinearMemory>(&mut self, heap: &mut ChunkHeap<M>, run: Run, class: SizeClass) {
        self.loans[class.index()].note_given_run();
        self.strays.end_run(run.address());
        // SAFETY: the run is a block of the chunk heap, and nothing uses it.
        unsafe { heap.deallocate(run.address()) };
    }

    /// The bytes of the free blocks on the list of a class and in its runs. O(free blocks of the current run, runs).
    pub(super) fn free_bytes<M: LinearMemory>(&self, heap: &ChunkHeap<M>, class: SizeClass) -> u32 {
        let memory = &heap.memory;
        let released = |run: Run| capacity(class) - run.waits(memory).releases();
        let current = self.current[class.index()];
        let (class_of_list, mut free) = if current == 0 {
            (class.shared(), 0)
        } else {
            // SAFETY: the current run of a class is one of this heap's.
            let run = unsafe { Run::at(current) };
            (class, released(run) + run.unlinked_blocks(memory))
        };
        heap.bins.for_each(memory, bin_of(class), |address| {
            // SAFETY: what is in the bin of a class is a run.
            let run = unsafe { Run::at(address) };
            free += released(run);
        });
        free * class.bytes() + self.lists[class.index()].length(memory) * class_of_list.bytes()
    }
}
