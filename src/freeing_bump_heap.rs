//! The engine of `FreeingBump`: the hot path of the freeing-bump algorithm, size class, free list and bump pointer, in
//! front of a heap that merges.
//!
//! | request | where its block lies | what a release does |
//! |---|---|---|
//! | to 256 bytes | in a run of 4 KiB of blocks of one class | pushes it on a free list of the run; a run that is all free goes back |
//! | to 32 KiB | a block of the [`TaggedHeap`] | pushes it on the class's free list; after 64 KiB of releases that is emptied |
//! | above, or aligned above 16 | a block of the [`TaggedHeap`] | merges it with its neighbours |
//!
//! Either way an allocation pops the class's list, one load and one store, and only when that is empty looks further.
//! Runs are what keeps the blocks of a structure together: when all of it is released its runs are merged into one
//! piece of memory, and what is built next lies in address order again.
//!
//! ```text
//! a run: a block of the TaggedHeap, aligned to 4096
//! +------+------+------+----------+-------+-------+-------+-----------+-----+
//! | free | live | next | previous | block | block | block |    ..     | tag |
//! +------+------+------+----------+-------+-------+-------+-----------+-----+
//! +0     +4     +8     +12        +16     +16+s   +16+2s              +4092
//! ```
//!
//! One run of each class is current: its free blocks are on the class's list, its own `free` and `live` are not kept. A
//! run that was current and has no block left is full; nothing points to it until a block of it is released. Then it is
//! in the ring of its class, until it becomes current again or its last live block is released.

use crate::heap::Heap;
use crate::linear_memory::LinearMemory;
use crate::size_class::{CLASSES, MAX_CLASS_ALIGN, RUN_CLASSES, SizeClass};
use crate::stats::HeapStats;
use crate::tagged_heap::{TAG_BYTES, TaggedHeap, span_for};

#[cfg(test)]
mod model;

/// The bytes of a run, and its alignment.
const RUN_BYTES: u32 = 4096;

/// Where a run's blocks begin, from its start.
const BLOCKS: u32 = 16;

/// Where a run's first free block is kept.
const FREE: u32 = 0;

/// Where the number of its live blocks is.
const LIVE: u32 = 4;

/// Where the address of the next run of its ring is.
const NEXT: u32 = 8;

/// Where that of the one before it is.
const PREVIOUS: u32 = 12;

/// The room for blocks in a run.
const ROOM_BYTES: u32 = RUN_BYTES - BLOCKS - TAG_BYTES;

/// What a release adds to `pushed` for the smallest classes without runs; for the others in proportion to their size.
const PUSH: u8 = 1;

/// Room for a list of each class, a power of two, so that a masked index needs no bounds check.
const LISTS: usize = (CLASSES as usize).next_power_of_two();

/// The number of classes with runs, a power of two too.
const RUN_LISTS: usize = RUN_CLASSES as usize;

/// The state: all zero before its first use.
pub(crate) struct FreeingBumpHeap {
    /// The first free block of each class, 0 for none.
    lists: [u32; LISTS],
    /// The current run of each class, 0 for none.
    current: [u32; RUN_LISTS],
    /// The run of each class that has had a free block for longest, 0 for none; the others follow it in a ring.
    rings: [u32; RUN_LISTS],
    /// For each class without runs, how much was pushed on its list since that was emptied: it is when this wraps to 0.
    pushed: [u8; LISTS],
    heap: TaggedHeap,
}

impl FreeingBumpHeap {
    /// A heap without memory.
    pub(crate) const fn new() -> Self {
        FreeingBumpHeap {
            lists: [0; LISTS],
            current: [0; RUN_LISTS],
            rings: [0; RUN_LISTS],
            pushed: [0; LISTS],
            heap: TaggedHeap::new(),
        }
    }

    /// The next block of a class whose list is empty.
    #[cold]
    #[inline(never)]
    fn refill<M: LinearMemory>(&mut self, memory: &mut M, class: SizeClass) -> u32 {
        if !class.is_in_runs() {
            return self.allocate_tagged(memory, span_for(class.bytes()), MAX_CLASS_ALIGN);
        }
        let index = class.index::<RUN_LISTS>();
        let mut run = self.rings[index];
        let block;
        // SAFETY: runs in rings, and a new one, belong to this heap; the words used are those of the run's header.
        unsafe {
            if run != 0 {
                self.leave_ring(memory, class, run);
                block = memory.read_word(run + FREE);
            } else {
                run = self.allocate_tagged(memory, RUN_BYTES, RUN_BYTES);
                if run == 0 {
                    return 0;
                }
                block = Self::link_run(memory, run, class.bytes());
            }
            // As long as it is current nothing looks at these; they are right for when it is full.
            let capacity = ROOM_BYTES / class.bytes();
            memory.write_word(run + FREE, 0);
            memory.write_word(run + LIVE, capacity);
            self.current[index] = run;
            self.lists[class.index::<LISTS>()] = memory.read_word(block);
        }
        block
    }

    /// Links all blocks of a new run in address order, and returns the first.
    unsafe fn link_run<M: LinearMemory>(memory: &mut M, run: u32, bytes: u32) -> u32 {
        let first = run + BLOCKS;
        let mut block = first;
        // SAFETY: all words written lie in the run.
        unsafe {
            while block + 2 * bytes <= first + ROOM_BYTES {
                memory.write_word(block, block + bytes);
                block += bytes;
            }
            memory.write_word(block, 0);
        }
        first
    }

    /// Releases a block of a run that is not current.
    #[inline(never)]
    unsafe fn release_to_run<M: LinearMemory>(&mut self, memory: &mut M, run: u32, block: u32, class: SizeClass) {
        // SAFETY: the run belongs to this heap; the block, which is one of its blocks, is released.
        unsafe {
            let free = memory.read_word(run + FREE);
            memory.write_word(block, free);
            memory.write_word(run + FREE, block);
            let live = memory.read_word(run + LIVE) - 1;
            memory.write_word(run + LIVE, live);
            if live == 0 {
                // A run of one block was full until now and is in no ring; no class has such runs.
                self.leave_ring(memory, class, run);
                self.heap.deallocate(memory, run);
            } else if free == 0 {
                self.join_ring(memory, class, run);
            }
        }
    }

    /// Puts a run at the end of its ring.
    unsafe fn join_ring<M: LinearMemory>(&mut self, memory: &mut M, class: SizeClass, run: u32) {
        let first = self.rings[class.index::<RUN_LISTS>()];
        // SAFETY: the runs of the ring belong to this heap; the words are those of their headers.
        unsafe {
            let last = if first == 0 {
                self.rings[class.index::<RUN_LISTS>()] = run;
                run
            } else {
                memory.read_word(first + PREVIOUS)
            };
            let first = self.rings[class.index::<RUN_LISTS>()];
            memory.write_word(run + NEXT, first);
            memory.write_word(run + PREVIOUS, last);
            memory.write_word(last + NEXT, run);
            memory.write_word(first + PREVIOUS, run);
        }
    }

    /// Takes a run out of its ring.
    unsafe fn leave_ring<M: LinearMemory>(&mut self, memory: &mut M, class: SizeClass, run: u32) {
        // SAFETY: as in `join_ring`.
        unsafe {
            let next = memory.read_word(run + NEXT);
            let previous = memory.read_word(run + PREVIOUS);
            memory.write_word(previous + NEXT, next);
            memory.write_word(next + PREVIOUS, previous);
            if self.rings[class.index::<RUN_LISTS>()] == run {
                self.rings[class.index::<RUN_LISTS>()] = if next == run { 0 } else { next };
            }
        }
    }

    /// A block of the merging heap, for which all lists are emptied and the memory grown where there is none.
    #[inline(never)]
    fn allocate_tagged<M: LinearMemory>(&mut self, memory: &mut M, span: u32, align: u32) -> u32 {
        let mut attempt = 0;
        loop {
            let block = if align <= MAX_CLASS_ALIGN {
                self.heap.allocate(memory, span)
            } else {
                self.heap.allocate_aligned(memory, span, align)
            };
            if block != 0 {
                return block;
            }
            attempt += 1;
            if attempt == 1 {
                self.flush_all(memory);
            } else {
                let slack = if align <= MAX_CLASS_ALIGN { 0 } else { align };
                let Some(longest) = span.checked_add(slack) else {
                    return 0;
                };
                if !self.heap.grow(memory, longest) {
                    return 0;
                }
            }
        }
    }

    #[cold]
    fn flush_all<M: LinearMemory>(&mut self, memory: &mut M) {
        for class in RUN_CLASSES..CLASSES {
            self.flush(memory, SizeClass::from_number(class));
        }
    }

    /// Empties the list of a class above 256 bytes into the merging heap.
    #[inline(never)]
    fn flush<M: LinearMemory>(&mut self, memory: &mut M, class: SizeClass) {
        let index = class.index::<LISTS>();
        self.pushed[index] = 0;
        let mut block = self.lists[index];
        self.lists[index] = 0;
        while block != 0 {
            // SAFETY: blocks on this list are in use for the merging heap; their first word is the link.
            unsafe {
                let next = memory.read_word(block);
                self.heap.deallocate(memory, block);
                block = next;
            }
        }
    }
}

impl Heap for FreeingBumpHeap {
    fn allocate<M: LinearMemory>(&mut self, memory: &mut M, size: u32, align: u32) -> u32 {
        let class = SizeClass::of(size, align);
        if !class.exists() {
            return self.allocate_tagged(memory, span_for(size), align);
        }
        let list = &mut self.lists[class.index::<LISTS>()];
        let block = *list;
        if block == 0 {
            return self.refill(memory, class);
        }
        // SAFETY: the block is on a free list: its first word is the link.
        *list = unsafe { memory.read_word(block) };
        block
    }

    fn allocate_zeroed<M: LinearMemory>(&mut self, memory: &mut M, size: u32, align: u32) -> u32 {
        let fresh = self.heap.fresh();
        let block = self.allocate(memory, size, align);
        let used_up_to = fresh.max(self.heap.zero_from());
        // A run holds links from its first use on.
        let used = if SizeClass::of(size, align).is_in_runs() {
            size
        } else {
            size.min(used_up_to.saturating_sub(block))
        };
        if block != 0 && used != 0 {
            // SAFETY: the block was just allocated, with at least `size` bytes.
            unsafe { memory.clear(block, used) };
        }
        block
    }

    unsafe fn deallocate<M: LinearMemory>(&mut self, memory: &mut M, block: u32, size: u32, align: u32) {
        let class = SizeClass::of(size, align);
        let index = class.index::<LISTS>();
        // SAFETY: the caller gives up the block, which lies where its layout says.
        unsafe {
            if class.is_in_runs() {
                let run = block & !(RUN_BYTES - 1);
                if run != self.current[class.index::<RUN_LISTS>()] {
                    return self.release_to_run(memory, run, block, class);
                }
            } else if class.exists() {
                self.pushed[index] = self.pushed[index].wrapping_add(PUSH << class.doubling());
                if self.pushed[index] == 0 {
                    self.flush(memory, class);
                }
            } else {
                return self.heap.deallocate(memory, block);
            }
            memory.write_word(block, self.lists[index]);
        }
        self.lists[index] = block;
    }

    unsafe fn reallocate<M: LinearMemory>(
        &mut self,
        memory: &mut M,
        block: u32,
        size: u32,
        align: u32,
        new_size: u32,
    ) -> u32 {
        let (class, new_class) = (SizeClass::of(size, align), SizeClass::of(new_size, align));
        if class == new_class && class.exists() {
            return block;
        }
        // SAFETY: passed on from the caller; a block that lies in no run is one of the merging heap.
        unsafe {
            if !class.is_in_runs() && !new_class.is_in_runs() {
                let bytes = if new_class.exists() {
                    new_class.bytes()
                } else {
                    new_size
                };
                if self.heap.resize(memory, block, span_for(bytes)) {
                    return block;
                }
            }
            let new_block = self.allocate(memory, new_size, align);
            if new_block != 0 {
                memory.copy(block, new_block, size.min(new_size));
                self.deallocate(memory, block, size, align);
            }
            new_block
        }
    }

    /// What no block in use could be told from counts as live: tags, the headers of runs, and what a block was rounded
    /// up by. O(free blocks).
    fn stats<M: LinearMemory>(&self, memory: &M) -> HeapStats {
        let mut stats = self.heap.stats(memory);
        for class in (0..CLASSES).map(SizeClass::from_number) {
            // SAFETY: the blocks on a list are linked by their first words.
            let mut free = unsafe { list_length(memory, self.lists[class.index::<LISTS>()]) };
            if class.is_in_runs() {
                let first = self.rings[class.index::<RUN_LISTS>()];
                let mut run = first;
                while run != 0 {
                    // SAFETY: the runs of a ring belong to this heap; the words are those of their headers.
                    unsafe {
                        free += ROOM_BYTES / class.bytes() - memory.read_word(run + LIVE);
                        run = memory.read_word(run + NEXT);
                    }
                    if run == first {
                        break;
                    }
                }
            }
            stats.free_bytes += free * class.bytes();
            stats.live_bytes -= free * class.bytes();
        }
        stats
    }
}

/// How many blocks there are on a list.
///
/// # Safety
///
/// The first word of each must be the address of the next, 0 for none.
unsafe fn list_length<M: LinearMemory>(memory: &M, mut block: u32) -> u32 {
    let mut length = 0;
    while block != 0 {
        length += 1;
        // SAFETY: passed on from the caller.
        block = unsafe { memory.read_word(block) };
    }
    length
}
