//! Small blocks without a byte of their own, in runs of 8 KiB with blocks of one size class each.
//!
//! ```text
//! a run: a block of the ChunkHeap, aligned to 8192
//! +----------+-------+------+----------+-------+-------+-------+------------+-----+
//! | released | waits | next | previous | block | block | block |     ..     | tag |
//! +----------+-------+------+----------+-------+-------+-------+------------+-----+
//! +0         +4      +8     +12        +16     +16+s   +16+2s              +8188
//!                    |<-links in a bin>|
//! ```
//!
//! The first word of a free block is the address of the next one on its list, or 0. `released` is the head of the list of
//! the run's blocks that were released. `waits` says for how many releases the run waits until something is to be done, and
//! below that, in 8 bits, its class. A current run is in no bin: its `next` is the address of its first block that was never
//! on a list, or 0.
//!
//! | the run is | it waits until | what is done then |
//! |---|---|---|
//! | current: the class's list is made of its blocks | all of its blocks are on `released` | nothing: it serves the next request, or goes back before the memory grows |
//! | partial: in the bin of its class | its last live block is released | it goes back to the merging heap |
//! | full: nothing points to it | its first release | it joins the bin of its class |
//!
//! An allocation pops the class's list. An empty list is refilled from, in this order: the blocks of the current run that
//! were never on a list, those that were released in it, a partial run, a new run. Both hot paths are two loads and one to
//! three stores, whatever run a block is from. What lies together is used together: when all blocks of a structure are
//! released, their runs merge into one piece of memory, and what is built next lies in address order again.
//!
//! A release does not ask for the class of a block, only for its run. So a block may be larger than its class says:
//!
//! - A class earns its runs. It takes its first blocks from the runs of the next power of two, so that a small program fills
//!   6 runs and not 48.
//! - Where the memory cannot grow, any free block of a larger class serves. After these come blocks of the merging heap, in
//!   [tagged slots](super::stray_blocks).

use super::chunk_heap::{ChunkHeap, Effort, TAG_BYTES, span_for};
use super::size_class::{CLASSES, SizeClass};
use super::stray_blocks::{SLOT_SHIFT, StrayBlocks};
use crate::memory::linear::LinearMemory;

#[cfg(any(test, fuzzing))]
#[path = "tests/runs.rs"]
mod survey;

/// The bytes of a run, and its alignment.
pub(crate) const RUN_BYTES: u32 = 1 << SLOT_SHIFT;

/// Where a run has the first block of its list of released blocks, or 0.
const RELEASED: u32 = 0;

/// Where a run has the number of releases that it waits for, in units of [`ONE_RELEASE`], and below that its class.
const WAITS: u32 = 4;

const ONE_RELEASE: u32 = 1 << 8;

/// Where a current run has its first block that was never on a list, or 0.
const UNLINKED: u32 = 8;

/// Where a free block has the next one on its list, or 0.
const NEXT: u32 = 0;

/// Where a run's blocks begin.
pub(crate) const BLOCKS: u32 = 16;

/// The room for blocks in a run.
const ROOM_BYTES: u32 = RUN_BYTES - BLOCKS - TAG_BYTES;

/// The address of the run that a block lies in.
const fn run_of(block: u32) -> u32 {
    block & !(RUN_BYTES - 1)
}

/// The blocks that begin in so many bytes of a new run are put on its list first.
const FIRST_LISTED_BYTES: u32 = 512;

/// At most so many blocks of a new run are put on its list at once, which bounds the work of a call.
const MOST_LISTED: u32 = 256;

/// At most so many blocks on lists are counted before the memory grows, which bounds the work of a call.
const MOST_COUNTED: u32 = 2048;

/// What it costs to hand runs back so that a new run finds room. Each new run pays 1. There are fewer classes, so a program
/// that uses some blocks of each size in turn gets a run for each, where it would make the same few runs again and again.
const HAND_BACK_PRICE: u8 = 64;

/// With a higher debt the memory grows instead. Three times in short succession runs may be handed back.
const MOST_DEBT: u8 = 191;

/// A class has runs of its own when it has taken so many blocks from those of the shared class. Runs of all classes would fill
/// a heap that extends over less than 128 KiB. There only a class that is used much gets some, since what it takes from
/// others takes longer.
const fn most_shared_blocks(extent: u32) -> u8 {
    if extent < 1 << 17 { 250 } else { 2 }
}

/// In place of that number, for a class that has runs of its own.
const HAS_RUNS: u8 = u8::MAX;

/// The runs of all classes; all zero before the first use.
pub(crate) struct Runs {
    /// For each class the first block of its list, or 0. They are blocks of the current run.
    lists: [u32; CLASSES],
    /// For each class the current run, or 0.
    current: [u32; CLASSES],
    /// For each class how many blocks it has taken from the runs of the shared class, or [`HAS_RUNS`].
    shared_blocks: [u8; CLASSES],
    /// What remains to be paid for handing runs back: see [`HAND_BACK_PRICE`].
    debt: u8,
    /// The small blocks that lie in no run.
    tagged: StrayBlocks,
}

impl Runs {
    /// No runs.
    pub(crate) const fn new() -> Self {
        Runs {
            lists: [0; CLASSES],
            current: [0; CLASSES],
            shared_blocks: [0; CLASSES],
            debt: 0,
            tagged: StrayBlocks::new(),
        }
    }

    /// The first block of a class's list, or 0 where that is empty. O(1).
    #[inline]
    pub(crate) fn pop<M: LinearMemory>(&mut self, memory: &M, class: SizeClass) -> u32 {
        let list = &mut self.lists[class.index()];
        let block = *list;
        if block != 0 {
            // SAFETY: the block is on a free list, which its first word goes on with.
            *list = unsafe { memory.read_word(block, NEXT) };
        }
        block
    }

    /// A block of this class, whose list is empty; 0 if there is no memory for it. O(1), except for the search before a
    /// refusal: see [`Effort::Exhaustive`].
    #[cold]
    #[inline(never)]
    pub(crate) fn refill<M: LinearMemory>(&mut self, memory: &mut M, heap: &mut ChunkHeap, class: SizeClass) -> u32 {
        let mut block = self.pop_again(memory, heap, class);
        if block != 0 {
            return block;
        }
        let mut class_of_run = class;
        let shared = class.shared();
        let shared_blocks = &mut self.shared_blocks[class.index()];
        if shared != class && *shared_blocks != HAS_RUNS {
            if *shared_blocks < most_shared_blocks(heap.extent(memory)) {
                *shared_blocks += 1;
                class_of_run = shared;
                block = self.pop_or_again(memory, heap, shared);
                if block != 0 {
                    return block;
                }
            } else {
                *shared_blocks = HAS_RUNS;
                // What the class leaves behind may be its own run from now on.
                self.hand_back(memory, heap, shared, MOST_COUNTED);
            }
        }
        let mut run = heap.allocate(memory, RUN_BYTES, RUN_BYTES, Effort::AtHand);
        if run == 0 {
            if heap.was_refused() {
                block = self.without_a_run(memory, heap, class);
                if block != 0 {
                    return block;
                }
            }
            run = self.run_by_growing(memory, heap);
        }
        if run == 0 {
            return self.without_a_run(memory, heap, class);
        }
        self.start(memory, run, class_of_run);
        self.pop(memory, class_of_run)
    }

    /// The first block of a class's list, which may be empty and is then given the free blocks of a run; 0 if there are none.
    fn pop_or_again<M: LinearMemory>(&mut self, memory: &mut M, heap: &mut ChunkHeap, class: SizeClass) -> u32 {
        match self.pop(memory, class) {
            0 => self.pop_again(memory, heap, class),
            block => block,
        }
    }

    /// The first block of a class's list, after that was given the free blocks of a run of this class; 0 if there are none.
    #[inline(never)]
    fn pop_again<M: LinearMemory>(&mut self, memory: &mut M, heap: &mut ChunkHeap, class: SizeClass) -> u32 {
        let mut run = self.current[class.index()];
        // SAFETY: the runs belong to this heap; the words are those of their headers and of free blocks.
        unsafe {
            if run != 0 {
                let unlinked = memory.read_word(run, UNLINKED);
                if unlinked != 0 {
                    Self::link(memory, unlinked, class, MOST_LISTED * class.bytes());
                    self.lists[class.index()] = unlinked;
                    return self.pop(memory, class);
                }
                if memory.read_word(run, RELEASED) == 0 {
                    // A full run: something is to be done at its first release.
                    memory.write_word(run, WAITS, waits_for(1, class));
                    self.current[class.index()] = 0;
                    run = 0;
                }
            }
            if run == 0 {
                run = heap.bins.run(memory, class);
                if run == 0 {
                    return 0;
                }
                heap.bins.remove(memory, run);
                memory.write_word(run, UNLINKED, 0);
                self.current[class.index()] = run;
            }
            self.lists[class.index()] = memory.read_word(run, RELEASED);
            memory.write_word(run, RELEASED, 0);
            memory.write_word(run, WAITS, waits_for(capacity(class), class));
            self.pop(memory, class)
        }
    }

    /// The memory for a run where none is at hand; 0 if there is none. Before the memory grows, runs without a live block are
    /// handed back, unless that was just done again and again. O(1), unless growth is refused: see [`Effort::Exhaustive`].
    fn run_by_growing<M: LinearMemory>(&mut self, memory: &mut M, heap: &mut ChunkHeap) -> u32 {
        if self.debt > MOST_DEBT && !heap.was_refused() {
            let run = heap.allocate(memory, RUN_BYTES, RUN_BYTES, Effort::Growing);
            if run != 0 {
                return run;
            }
        }
        self.hand_back_all(memory, heap);
        self.debt = self.debt.saturating_add(HAND_BACK_PRICE);
        heap.allocate(memory, RUN_BYTES, RUN_BYTES, Effort::Growing)
    }

    /// Makes a new run the current one of a class that has none.
    fn start<M: LinearMemory>(&mut self, memory: &mut M, run: u32, class: SizeClass) {
        self.tagged.remove(memory, run);
        self.debt = self.debt.saturating_sub(1);
        // SAFETY: the run was just allocated.
        unsafe {
            memory.write_word(run, RELEASED, 0);
            memory.write_word(run, WAITS, waits_for(capacity(class), class));
            Self::link(memory, run + BLOCKS, class, FIRST_LISTED_BYTES);
        }
        self.current[class.index()] = run;
        self.lists[class.index()] = run + BLOCKS;
    }

    /// Links the blocks of a run from `first` on that begin in the next `bytes`: a list in the order of their addresses.
    ///
    /// # Safety
    ///
    /// `first` must be a block of a run of this class that was never handed out, as must be those after it.
    unsafe fn link<M: LinearMemory>(memory: &mut M, first: u32, class: SizeClass, bytes: u32) {
        let run = run_of(first);
        let last = run + BLOCKS + ROOM_BYTES - class.bytes();
        let mut block = first;
        let mut next = first + class.bytes();
        // SAFETY: all words written lie in blocks of the run that are free, or in its header.
        unsafe {
            while next <= last && next - first < bytes {
                memory.write_word(block, NEXT, next);
                block = next;
                next += class.bytes();
            }
            memory.write_word(block, NEXT, 0);
            memory.write_word(run, UNLINKED, if next <= last { next } else { 0 });
        }
    }

    /// A block for this class where there is no memory for a run of it: a free block of a larger class, or one of the
    /// merging heap; or 0.
    #[cold]
    #[inline(never)]
    fn without_a_run<M: LinearMemory>(&mut self, memory: &mut M, heap: &mut ChunkHeap, class: SizeClass) -> u32 {
        let mut larger = class.larger();
        while let Some(class) = larger {
            let block = self.pop_or_again(memory, heap, class);
            if block != 0 {
                return block;
            }
            larger = class.larger();
        }
        self.tagged.allocate(memory, heap, span_for(class.bytes()))
    }

    /// A block of the merging heap, of this span and alignment; 0 if there is no memory for it. Before the memory grows,
    /// runs without a live block are handed back. O(1), unless growth is refused: see [`Effort::Exhaustive`].
    pub(crate) fn make_room<M: LinearMemory>(
        &mut self,
        memory: &mut M,
        heap: &mut ChunkHeap,
        span: u32,
        align: u32,
    ) -> u32 {
        let block = heap.allocate(memory, span, align, Effort::AtHand);
        if block != 0 {
            return block;
        }
        self.hand_back_all(memory, heap);
        heap.allocate(memory, span, align, Effort::Growing)
    }

    /// Hands the current runs that have no live block back to the merging heap, from those with the largest blocks on: as
    /// far as 2,048 blocks on lists have to be counted for it. O(1).
    #[cold]
    #[inline(never)]
    fn hand_back_all<M: LinearMemory>(&mut self, memory: &mut M, heap: &mut ChunkHeap) {
        let mut left = MOST_COUNTED;
        for class in SizeClass::all() {
            left = self.hand_back(memory, heap, class, left);
        }
    }

    /// Hands the current run of a class back to the merging heap if it has no live block, and if at most so many blocks have
    /// to be counted to know it. Returns how many may still be counted.
    #[inline(never)]
    fn hand_back<M: LinearMemory>(
        &mut self,
        memory: &mut M,
        heap: &mut ChunkHeap,
        class: SizeClass,
        most_counted: u32,
    ) -> u32 {
        let run = self.current[class.index()];
        if run == 0 {
            return most_counted;
        }
        let list = &mut self.lists[class.index()];
        // SAFETY: the words are those of the run's header and of free blocks.
        unsafe {
            // A current run waits for the blocks that are not on `released`: live, on the class's list, or on none.
            let live_or_listed = memory.read_word(run, WAITS) / ONE_RELEASE - unlinked(memory, run);
            if live_or_listed > most_counted {
                return most_counted;
            }
            if length(memory, *list) == live_or_listed {
                *list = 0;
                self.current[class.index()] = 0;
                heap.deallocate(memory, run);
            }
            most_counted - live_or_listed
        }
    }

    /// Takes back a block. O(1).
    ///
    /// # Safety
    ///
    /// `block` must be live, and must have been allocated for a class.
    #[inline]
    pub(crate) unsafe fn deallocate<M: LinearMemory>(&mut self, memory: &mut M, heap: &mut ChunkHeap, block: u32) {
        // SAFETY: passed on from the caller; without tagged slots every block with a class lies in a run.
        unsafe {
            if self.tagged.is_empty() {
                self.push(memory, heap, block);
            } else {
                self.deallocate_wherever(memory, heap, block);
            }
        }
    }

    /// As [`deallocate`](Self::deallocate), where some blocks lie in no run.
    #[cold]
    #[inline(never)]
    unsafe fn deallocate_wherever<M: LinearMemory>(&mut self, memory: &mut M, heap: &mut ChunkHeap, block: u32) {
        // SAFETY: passed on from the caller.
        unsafe {
            if self.tagged.contains(memory, block) {
                heap.deallocate(memory, block);
            } else {
                self.push(memory, heap, block);
            }
        }
    }

    /// Takes back a block of a run.
    ///
    /// # Safety
    ///
    /// `block` must be live, and lie in a run.
    #[inline]
    unsafe fn push<M: LinearMemory>(&mut self, memory: &mut M, heap: &mut ChunkHeap, block: u32) {
        // SAFETY: the block, and the header of the run that it is in, belong to this heap.
        unsafe {
            let run = run_of(block);
            let released = memory.read_word(run, RELEASED);
            memory.write_word(block, NEXT, released);
            memory.write_word(run, RELEASED, block);
            let waits = memory.read_word(run, WAITS).wrapping_sub(ONE_RELEASE);
            memory.write_word(run, WAITS, waits);
            if waits < ONE_RELEASE {
                self.waited(memory, heap, run);
            }
        }
    }

    /// Does what is to be done with a run that waits no longer, at the release of its block on top of `released`.
    #[cold]
    #[inline(never)]
    unsafe fn waited<M: LinearMemory>(&mut self, memory: &mut M, heap: &mut ChunkHeap, run: u32) {
        // SAFETY: the run belongs to this heap; the block was just released.
        unsafe {
            let class = class_of(memory.read_word(run, WAITS));
            if run == self.current[class.index()] {
                return;
            }
            let block = memory.read_word(run, RELEASED);
            if memory.read_word(block, NEXT) == 0 {
                memory.write_word(run, WAITS, waits_for(capacity(class) - 1, class));
                heap.bins.insert_run(memory, run, class);
            } else {
                heap.bins.remove(memory, run);
                heap.deallocate(memory, run);
            }
        }
    }

    /// How many blocks of a class are free, in its list and in its runs. O(free blocks of the current run, runs).
    pub(crate) fn free_blocks<M: LinearMemory>(&self, memory: &M, heap: &ChunkHeap, class: SizeClass) -> u32 {
        // SAFETY: the words are those of headers of this heap's runs.
        let released = |run| capacity(class) - unsafe { memory.read_word(run, WAITS) } / ONE_RELEASE;
        let current = self.current[class.index()];
        let mut free = length(memory, self.lists[class.index()]);
        if current != 0 {
            free += released(current) + unlinked(memory, current);
        }
        heap.bins.for_each_run(memory, class, |run| free += released(run));
        free
    }
}

/// How many blocks a run of this class has.
const fn capacity(class: SizeClass) -> u32 {
    class.blocks_in(ROOM_BYTES)
}

/// What a run of this class says when it waits for so many releases.
const fn waits_for(releases: u32, class: SizeClass) -> u32 {
    (releases * ONE_RELEASE) | class.steps()
}

/// The class of a run that says this of what it waits for.
const fn class_of(waits: u32) -> SizeClass {
    SizeClass::from_steps(waits % ONE_RELEASE)
}

/// How many blocks of a current run were never on a list.
fn unlinked<M: LinearMemory>(memory: &M, run: u32) -> u32 {
    // SAFETY: the words are those of the header.
    let (first, waits) = unsafe { (memory.read_word(run, UNLINKED), memory.read_word(run, WAITS)) };
    if first == 0 {
        return 0;
    }
    class_of(waits).blocks_in(run + BLOCKS + ROOM_BYTES - first)
}

/// How many free blocks are on a list.
fn length<M: LinearMemory>(memory: &M, list: u32) -> u32 {
    let mut length = 0;
    let mut block = list;
    while block != 0 {
        length += 1;
        // SAFETY: a free block's first word is the next one.
        block = unsafe { memory.read_word(block, NEXT) };
    }
    length
}
