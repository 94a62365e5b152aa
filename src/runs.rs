//! Small blocks of one size class after another, without a byte of their own, in runs of 4 KiB.
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
//! The low 12 bits of an address are the offset in its run; a free block's first word has in its low 12 bits the offset
//! of the next free block, 0 for none. `releases` is the head of such a list, of the blocks that were released, and
//! above its 12 bits the number of releases until something is to be done; `all` is that number for a run of live blocks.
//!
//! | the run is | its `releases` counts down to | what is done then |
//! |---|---|---|
//! | current: the class's list is made of its blocks | all of its blocks being on `releases` | nothing: it serves the next request, or goes back before the memory grows |
//! | partial: in the bin of its class | its last live block being released | it goes back to the merging heap |
//! | full: nothing points to it | its first release: 1 | it joins the bin of its class |
//!
//! An allocation pops the class's list. When that is empty it becomes the list of what was released in the current run,
//! else of a run that has been in the bin for long, else of a new run. So both hot paths are a load, a load and one
//! or two stores, whatever run a block is from, and what lies together is used together: when all blocks of a structure
//! are released their runs are merged into one piece of memory, and what is built next lies in address order again.

use crate::linear_memory::LinearMemory;
use crate::size_class::{CLASSES, SizeClass};
use crate::tagged_heap::{Effort, TAG_BYTES, TaggedHeap};

#[cfg(any(test, fuzzing))]
mod survey;

/// The bytes of a run, and its alignment.
pub(crate) const RUN_BYTES: u32 = 4096;

/// The bits of an address that are the offset in the run.
const OFFSET: u32 = RUN_BYTES - 1;

/// Where a run has its list of released blocks and the number of releases until something is to be done.
const RELEASES: u32 = 0;

/// Where a free block has the offset of the next one.
const NEXT: u32 = 0;

/// Where the number of a run's blocks is, as `releases` has it.
const ALL: u32 = 4;

/// Where a run's blocks begin.
pub(crate) const BLOCKS: u32 = 16;

/// The room for blocks in a run.
const ROOM_BYTES: u32 = RUN_BYTES - BLOCKS - TAG_BYTES;

/// The runs of all classes; all zero before the first use.
pub(crate) struct Runs {
    /// For each class the first block of its list; where the list is empty, the address of the current run, or 0.
    lists: [u32; CLASSES],
}

impl Runs {
    /// No runs.
    pub(crate) const fn new() -> Self {
        Runs { lists: [0; CLASSES] }
    }

    /// A block of this class; 0 if there is no memory for it.
    #[inline]
    pub(crate) fn allocate<M: LinearMemory>(&mut self, memory: &mut M, heap: &mut TaggedHeap, class: SizeClass) -> u32 {
        let list = &mut self.lists[class.index()];
        let block = *list;
        if block & OFFSET == 0 {
            return self.refill(memory, heap, class);
        }
        // SAFETY: the block is on a free list, which its first word goes on with.
        let next = unsafe { memory.read_word(block, NEXT) };
        *list = block & !OFFSET | next & OFFSET;
        block
    }

    /// A block of the merging heap, of this span and alignment; 0 if there is no memory for it. Before the memory grows,
    /// runs without a live block are handed back. O(1), unless growth is refused: see [`Effort::Thorough`].
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
                // A current run's count is of the blocks that are not on `releases`: live, or on the class's list.
                if memory.read_word(run, RELEASES) / RUN_BYTES == length(memory, run, *list) {
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
    /// `block` must be live and of this class.
    #[inline]
    pub(crate) unsafe fn deallocate<M: LinearMemory>(
        &mut self,
        memory: &mut M,
        heap: &mut TaggedHeap,
        block: u32,
        class: SizeClass,
    ) {
        let run = block & !OFFSET;
        // SAFETY: the block, and the header of the run that it is in, belong to this heap.
        unsafe {
            let releases = memory.read_word(run, RELEASES);
            memory.write_word(block, NEXT, releases);
            let releases = (releases & !OFFSET).wrapping_sub(RUN_BYTES) | block & OFFSET;
            memory.write_word(run, RELEASES, releases);
            if releases < RUN_BYTES {
                self.counted_down(memory, heap, block, class);
            }
        }
    }

    /// The first block of a class's list when that was empty, with the others on the list.
    #[cold]
    #[inline(never)]
    fn refill<M: LinearMemory>(&mut self, memory: &mut M, heap: &mut TaggedHeap, class: SizeClass) -> u32 {
        let mut run = self.lists[class.index()];
        // SAFETY: the runs belong to this heap; the words are those of their headers and of free blocks.
        unsafe {
            if run != 0 && memory.read_word(run, RELEASES) & OFFSET == 0 {
                // A full run: something is to be done at its first release.
                memory.write_word(run, RELEASES, RUN_BYTES);
                self.lists[class.index()] = 0;
                run = 0;
            }
            if run == 0 {
                run = heap.bins.run(memory, class);
                if run != 0 {
                    heap.bins.remove(memory, run);
                } else {
                    run = self.make_room(memory, heap, RUN_BYTES, RUN_BYTES);
                    if run == 0 {
                        return 0;
                    }
                    Self::link(memory, run, class);
                }
            }
            let block = run | memory.read_word(run, RELEASES) & OFFSET;
            let all = memory.read_word(run, ALL);
            memory.write_word(run, RELEASES, all);
            self.lists[class.index()] = run | memory.read_word(block, NEXT) & OFFSET;
            block
        }
    }

    /// Puts all blocks of a new run on its list, in the order of their addresses.
    unsafe fn link<M: LinearMemory>(memory: &mut M, run: u32, class: SizeClass) {
        let first = run + BLOCKS;
        let mut block = first;
        let mut all = RUN_BYTES;
        // SAFETY: all words written lie in the run, which the caller owns.
        unsafe {
            memory.write_word(run, RELEASES, first);
            while block + 2 * class.bytes() <= first + ROOM_BYTES {
                memory.write_word(block, NEXT, block + class.bytes());
                block += class.bytes();
                all += RUN_BYTES;
            }
            memory.write_word(block, NEXT, 0);
            memory.write_word(run, ALL, all);
        }
    }

    /// Does what is to be done when the `releases` of this block's run have counted down, with its release.
    #[cold]
    #[inline(never)]
    unsafe fn counted_down<M: LinearMemory>(
        &mut self,
        memory: &mut M,
        heap: &mut TaggedHeap,
        block: u32,
        class: SizeClass,
    ) {
        let run = block & !OFFSET;
        if run == self.lists[class.index()] & !OFFSET {
            return;
        }
        // SAFETY: the run belongs to this heap; the block was just released.
        unsafe {
            if memory.read_word(block, NEXT) & OFFSET == 0 {
                let live = memory.read_word(run, ALL) - RUN_BYTES;
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
        let released =
            |run| unsafe { (memory.read_word(run, ALL) - (memory.read_word(run, RELEASES) & !OFFSET)) / RUN_BYTES };
        let list = self.lists[class.index()];
        let current = list & !OFFSET;
        let mut free = length(memory, current, list);
        if current != 0 {
            free += released(current);
        }
        heap.bins.for_each_run(memory, class, |run| free += released(run));
        free
    }
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
