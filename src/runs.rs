//! Small blocks without a byte of their own, in runs of 4 KiB with blocks of one size class each.
//!
//! ```text
//! a run: a block of the TaggedHeap, aligned to 4096
//! +----------+-----+------+----------+-------+-------+-------+------------+-----+
//! | releases | all | next | previous | block | block | block |     ..     | tag |
//! +----------+-----+------+----------+-------+-------+-------+------------+-----+
//! +0         +4    +8     +12         +16     +16+s   +16+2s              +4092
//!                  |<-links in a bin>|
//! ```
//!
//! The low 12 bits of an address are the offset in its run. A free block's first word has in its low 12 bits the offset
//! of the next free block, 0 for none. `releases` is the head of such a list, of the blocks that were released. Above
//! those 12 bits it counts the releases until something is to be done. `all` has that number for a run of live blocks,
//! and below it the class of the run. A current run is in no bin: its `next` is the offset of the first block that was
//! never on a list, or 0.
//!
//! | the run is | its `releases` counts down to | what is done then |
//! |---|---|---|
//! | current: the class's list is made of its blocks | all of its blocks being on `releases` | nothing: it serves the next request, or goes back before the memory grows |
//! | partial: in the bin of its class | its last live block being released | it goes back to the merging heap |
//! | full: nothing points to it | its first release: 1 | it joins the bin of its class |
//!
//! An allocation pops the class's list. An empty list is refilled from, in this order: the blocks of the current run that
//! were never on a list, those that were released in it, a partial run, a new run. Both hot paths are two loads and one or
//! two stores, whatever run a block is from. What lies together is used together: when all blocks of a structure are
//! released, their runs merge into one piece of memory, and what is built next lies in address order again.
//!
//! A release does not ask for the class of a block, only for its run. So a block may be larger than its class says:
//!
//! - A class earns its runs. It takes its first 4 to 8 blocks from the runs of the next power of two, so that a small
//!   program fills 6 runs and not 32.
//! - Where the memory cannot grow, any free block of a larger class serves. After these come blocks of the merging heap, in
//!   [tagged slots](crate::tagged_slots).

use crate::linear_memory::LinearMemory;
use crate::size_class::{CLASSES, SizeClass};
use crate::tagged_heap::{Effort, TAG_BYTES, TaggedHeap, span_for};
use crate::tagged_slots::{SLOT_SHIFT, TaggedSlots};

#[cfg(any(test, fuzzing))]
mod survey;

/// The bytes of a run, and its alignment.
pub(crate) const RUN_BYTES: u32 = 1 << SLOT_SHIFT;

/// The bits of an address that are the offset in the run.
const OFFSET: u32 = RUN_BYTES - 1;

/// Where a run has its list of released blocks and the number of releases until something is to be done.
const RELEASES: u32 = 0;

/// Where a free block has the offset of the next one.
const NEXT: u32 = 0;

/// Where a run has the number of its blocks, as `releases` has it, and below that its class, in steps of 8 bytes.
const ALL: u32 = 4;

/// Where a current run has the offset of its first block that was never on a list, or 0.
const UNLINKED: u32 = 8;

/// Where a run's blocks begin.
pub(crate) const BLOCKS: u32 = 16;

/// The room for blocks in a run.
const ROOM_BYTES: u32 = RUN_BYTES - BLOCKS - TAG_BYTES;

/// The blocks that begin in so many bytes of a new run are put on its list first, and the others when these are used up.
const FIRST_LINKED_BYTES: u32 = 512;

/// A class has runs of its own when it has taken so many blocks from the runs of the next power of two: 4, and one more for
/// each 64 bytes of a block, since few large blocks fit into a run.
const fn most_shared_blocks(class: SizeClass) -> u8 {
    4 + (class.bytes() / 64) as u8
}

/// The runs of all classes; all zero before the first use.
pub(crate) struct Runs {
    /// For each class the first block of its list; where the list is empty, the address of the current run, or 0.
    lists: [u32; CLASSES],
    /// For each class how many blocks it has taken from the runs of the next power of two.
    shared_blocks: [u8; CLASSES],
    /// The small blocks that lie in no run.
    tagged: TaggedSlots,
}

impl Runs {
    /// No runs.
    pub(crate) const fn new() -> Self {
        Runs {
            lists: [0; CLASSES],
            shared_blocks: [0; CLASSES],
            tagged: TaggedSlots::new(),
        }
    }

    /// The first block of a class's list, or 0 where that is empty. O(1).
    #[inline]
    pub(crate) fn pop<M: LinearMemory>(&mut self, memory: &M, class: SizeClass) -> u32 {
        let list = &mut self.lists[class.index()];
        let block = *list;
        if block & OFFSET == 0 {
            return 0;
        }
        // SAFETY: the block is on a free list, which its first word goes on with.
        let next = unsafe { memory.read_word(block, NEXT) };
        *list = block & !OFFSET | next & OFFSET;
        block
    }

    /// A block of this class, whose list is empty; 0 if there is no memory for it. O(1), except for the search before a
    /// refusal: see [`Effort::Exhaustive`].
    #[cold]
    #[inline(never)]
    pub(crate) fn refill<M: LinearMemory>(&mut self, memory: &mut M, heap: &mut TaggedHeap, class: SizeClass) -> u32 {
        let mut block = self.pop_again(memory, heap, class);
        if block != 0 {
            return block;
        }
        let mut class_of_run = class;
        let shared_blocks = &mut self.shared_blocks[class.index()];
        if class.shared() != class && *shared_blocks < most_shared_blocks(class) {
            *shared_blocks += 1;
            class_of_run = class.shared();
            block = self.pop_or_again(memory, heap, class_of_run);
            if block != 0 {
                return block;
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
            run = self.make_room(memory, heap, RUN_BYTES, RUN_BYTES);
        }
        if run == 0 {
            return self.without_a_run(memory, heap, class);
        }
        self.start(memory, run, class_of_run);
        self.pop(memory, class_of_run)
    }

    /// The first block of a class's list, which may be empty and is then given the free blocks of a run; 0 if there are none.
    fn pop_or_again<M: LinearMemory>(&mut self, memory: &mut M, heap: &mut TaggedHeap, class: SizeClass) -> u32 {
        match self.pop(memory, class) {
            0 => self.pop_again(memory, heap, class),
            block => block,
        }
    }

    /// The first block of a class's list, after that was given the free blocks of a run of this class; 0 if there are none.
    #[inline(never)]
    fn pop_again<M: LinearMemory>(&mut self, memory: &mut M, heap: &mut TaggedHeap, class: SizeClass) -> u32 {
        let mut run = self.lists[class.index()] & !OFFSET;
        // SAFETY: the runs belong to this heap; the words are those of their headers and of free blocks.
        unsafe {
            if run != 0 {
                let unlinked = memory.read_word(run, UNLINKED);
                if unlinked != 0 {
                    Self::link(memory, run | unlinked, class, RUN_BYTES);
                    self.lists[class.index()] = run | unlinked;
                    return self.pop(memory, class);
                }
                if memory.read_word(run, RELEASES) & OFFSET == 0 {
                    // A full run: something is to be done at its first release.
                    memory.write_word(run, RELEASES, RUN_BYTES);
                    self.lists[class.index()] = 0;
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
            }
            self.lists[class.index()] = run | memory.read_word(run, RELEASES) & OFFSET;
            let all = memory.read_word(run, ALL) & !OFFSET;
            memory.write_word(run, RELEASES, all);
            self.pop(memory, class)
        }
    }

    /// Makes a new run the current one of a class that has none.
    fn start<M: LinearMemory>(&mut self, memory: &mut M, run: u32, class: SizeClass) {
        self.tagged.remove(memory, run);
        let all = class.blocks_in(ROOM_BYTES) * RUN_BYTES;
        // SAFETY: the run was just allocated.
        unsafe {
            memory.write_word(run, RELEASES, all);
            memory.write_word(run, ALL, all | class.steps());
            Self::link(memory, run + BLOCKS, class, FIRST_LINKED_BYTES);
        }
        self.lists[class.index()] = run + BLOCKS;
    }

    /// Links the blocks of a run from `first` on that begin in the next `bytes`: a list in the order of their addresses.
    ///
    /// # Safety
    ///
    /// `first` must be a block of a run of this class that was never handed out, as must be those after it.
    unsafe fn link<M: LinearMemory>(memory: &mut M, first: u32, class: SizeClass, bytes: u32) {
        let run = first & !OFFSET;
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
            memory.write_word(run, UNLINKED, if next <= last { next & OFFSET } else { 0 });
        }
    }

    /// A block for this class where there is no memory for a run of it: a free block of a larger class, or one of the
    /// merging heap; or 0.
    #[cold]
    #[inline(never)]
    fn without_a_run<M: LinearMemory>(&mut self, memory: &mut M, heap: &mut TaggedHeap, class: SizeClass) -> u32 {
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
        heap: &mut TaggedHeap,
        span: u32,
        align: u32,
    ) -> u32 {
        let block = heap.allocate(memory, span, align, Effort::AtHand);
        if block != 0 {
            return block;
        }
        self.hand_back(memory, heap);
        heap.allocate(memory, span, align, Effort::Growing)
    }

    /// Hands the current runs that have no live block back to the merging heap. O(1): it goes through the free blocks of 32
    /// runs at most.
    #[cold]
    #[inline(never)]
    fn hand_back<M: LinearMemory>(&mut self, memory: &mut M, heap: &mut TaggedHeap) {
        for list in &mut self.lists {
            let run = *list & !OFFSET;
            if run == 0 {
                continue;
            }
            // SAFETY: the words are those of the run's header and of free blocks.
            unsafe {
                // A current run's count is of the blocks that are not on `releases`: live, on the class's list, or on none.
                if memory.read_word(run, RELEASES) / RUN_BYTES == length(memory, run, *list) + unlinked(memory, run) {
                    *list = 0;
                    heap.deallocate(memory, run);
                }
            }
        }
    }

    /// Takes back a block.
    ///
    /// # Safety
    ///
    /// `block` must be live, and must have been allocated for a class.
    #[inline]
    pub(crate) unsafe fn deallocate<M: LinearMemory>(&mut self, memory: &mut M, heap: &mut TaggedHeap, block: u32) {
        // SAFETY: the block, and the header of the run that it is in, belong to this heap.
        unsafe {
            if !self.tagged.is_empty() && self.tagged.contains(memory, block) {
                return heap.deallocate(memory, block);
            }
            let run = block & !OFFSET;
            let releases = memory.read_word(run, RELEASES);
            memory.write_word(block, NEXT, releases);
            let releases = (releases & !OFFSET).wrapping_sub(RUN_BYTES) | block & OFFSET;
            memory.write_word(run, RELEASES, releases);
            if releases < RUN_BYTES {
                self.counted_down(memory, heap, block);
            }
        }
    }

    /// Does what is to be done when the `releases` of this block's run have counted down, with its release.
    #[cold]
    #[inline(never)]
    unsafe fn counted_down<M: LinearMemory>(&mut self, memory: &mut M, heap: &mut TaggedHeap, block: u32) {
        let run = block & !OFFSET;
        // SAFETY: the run belongs to this heap; the block was just released.
        unsafe {
            let all = memory.read_word(run, ALL);
            let class = SizeClass::from_steps(all & OFFSET);
            if run == self.lists[class.index()] & !OFFSET {
                return;
            }
            if memory.read_word(block, NEXT) & OFFSET == 0 {
                let live = (all & !OFFSET) - RUN_BYTES;
                memory.write_word(run, RELEASES, live | block & OFFSET);
                heap.bins.insert_run(memory, run, class);
            } else {
                heap.bins.remove(memory, run);
                heap.deallocate(memory, run);
            }
        }
    }

    /// How many blocks of a class are free, in its list and in its runs. O(free blocks of the current run, runs).
    pub(crate) fn free_blocks<M: LinearMemory>(&self, memory: &M, heap: &TaggedHeap, class: SizeClass) -> u32 {
        // SAFETY: the words are those of headers of this heap's runs.
        let released = |run| unsafe {
            ((memory.read_word(run, ALL) & !OFFSET) - (memory.read_word(run, RELEASES) & !OFFSET)) / RUN_BYTES
        };
        let list = self.lists[class.index()];
        let current = list & !OFFSET;
        let mut free = length(memory, current, list);
        if current != 0 {
            free += released(current) + unlinked(memory, current);
        }
        heap.bins.for_each_run(memory, class, |run| free += released(run));
        free
    }
}

/// How many blocks of a current run were never on a list.
fn unlinked<M: LinearMemory>(memory: &M, run: u32) -> u32 {
    // SAFETY: the words are those of the header.
    let (first, class) = unsafe {
        let all = memory.read_word(run, ALL);
        (memory.read_word(run, UNLINKED), SizeClass::from_steps(all & OFFSET))
    };
    if first == 0 {
        return 0;
    }
    class.blocks_in(BLOCKS + ROOM_BYTES - first)
}

/// How many free blocks are on a list of blocks of this run.
fn length<M: LinearMemory>(memory: &M, run: u32, list: u32) -> u32 {
    let mut length = 0;
    let mut block = list;
    while block & OFFSET != 0 {
        length += 1;
        // SAFETY: a free block's first word is the offset of the next one.
        block = run | unsafe { memory.read_word(block, NEXT) } & OFFSET;
    }
    length
}
