//! The engine of `FreeingBump`: the hot path of the freeing-bump algorithm, size class, free list and bump pointer, in
//! front of a heap that merges.
//!
//! | request | where its block lies | what a release does |
//! |---|---|---|
//! | to 256 bytes | in a run of 4 KiB of blocks of one class | pushes it on the run's free list; a run that is all free goes back |
//! | to 32 KiB | a block of the [`TaggedHeap`] | pushes it on the class's free list; every 32nd time that is emptied |
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

use crate::growth::Growth;
use crate::heap::Heap;
use crate::linear_memory::LinearMemory;
use crate::size_class::{CLASSES, MAX_CLASS_BYTES, MAX_RUN_BLOCK_BYTES, RUN_CLASSES, SizeClass};
use crate::stats::HeapStats;
use crate::tagged_heap::{TAG_BYTES, TaggedHeap, span_for};

const RUN_BYTES: u32 = 4096;

/// Where a run's blocks begin; its words before that are `free`, `live`, `next` and `previous`.
const RUN_HEADER_BYTES: u32 = 16;
const LIVE: u32 = 4;
const NEXT: u32 = 8;
const PREVIOUS: u32 = 12;

/// After so many releases into the list of a class above 256 bytes the list is emptied into the merging heap.
const RELEASES_PER_FLUSH: u8 = 32;

/// The alignment that all blocks of classes with a multiple of 16 bytes have.
const CLASS_ALIGN: u32 = 16;

/// Room for [`CLASSES`], a power of two, so that a masked index needs no bounds check.
const LISTS: usize = CLASSES.next_power_of_two();

/// The state: all zero before its first use.
pub(crate) struct FreeingBumpHeap {
    /// The first free block of each class, 0 for none.
    lists: [u32; LISTS],
    /// The current run of each class, 0 for none.
    current: [u32; RUN_CLASSES],
    /// The run of each class that has had a free block for longest, 0 for none; the others follow it in a ring.
    rings: [u32; RUN_CLASSES],
    /// How often a block was pushed on a class's list since that was emptied.
    releases: [u8; LISTS],
    heap: TaggedHeap,
    growth: Growth,
}

/// Where a request is served.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// In a class of its own.
    Class(SizeClass),
    /// In the merging heap.
    Tagged,
}

impl Place {
    fn of(size: u32, align: u32) -> Self {
        if align > CLASS_ALIGN || size > MAX_CLASS_BYTES {
            return Place::Tagged;
        }
        // Sizes of classes with an alignment of 16 are multiples of 16: every class that holds one is.
        let rounding = if align == CLASS_ALIGN { CLASS_ALIGN - 1 } else { 0 };
        Place::Class(SizeClass::of((size + rounding) & !rounding))
    }

    /// The span in the merging heap, of what is served there in the end.
    fn span(self, size: u32) -> u32 {
        match self {
            Place::Class(class) => span_for(class.bytes()),
            Place::Tagged => span_for(size),
        }
    }

    fn is_run(self) -> bool {
        matches!(self, Place::Class(class) if (class.0 as usize) < RUN_CLASSES)
    }
}

impl FreeingBumpHeap {
    /// A heap without memory.
    pub(crate) const fn new(growth: Growth) -> Self {
        FreeingBumpHeap {
            lists: [0; LISTS],
            current: [0; RUN_CLASSES],
            rings: [0; RUN_CLASSES],
            releases: [0; LISTS],
            heap: TaggedHeap::new(),
            growth,
        }
    }

    /// The next block of a class whose list is empty.
    #[cold]
    #[inline(never)]
    fn refill<M: LinearMemory>(&mut self, memory: &mut M, class: SizeClass) -> u32 {
        if class.0 as usize >= RUN_CLASSES {
            return self.allocate_tagged(memory, span_for(class.bytes()), CLASS_ALIGN);
        }
        let index = class.index::<RUN_CLASSES>();
        let mut run = self.rings[index];
        let block;
        // SAFETY: runs in rings, and a new one, belong to this heap; the words used are those of the run's header.
        unsafe {
            if run != 0 {
                self.leave_ring(memory, index, run);
                block = memory.read_word(run);
            } else {
                run = self.allocate_tagged(memory, RUN_BYTES, RUN_BYTES);
                if run == 0 {
                    return 0;
                }
                block = Self::link_run(memory, run, class.bytes());
            }
            // As long as it is current nothing looks at these; they are right for when it is full.
            let capacity = (RUN_BYTES - RUN_HEADER_BYTES - TAG_BYTES) / class.bytes().max(1);
            memory.write_word(run, 0);
            memory.write_word(run + LIVE, capacity);
            self.current[index] = run;
            self.lists[class.index::<LISTS>()] = memory.read_word(block);
        }
        block
    }

    /// Links all blocks of a new run in address order, and returns the first.
    unsafe fn link_run<M: LinearMemory>(memory: &mut M, run: u32, bytes: u32) -> u32 {
        let first = run + RUN_HEADER_BYTES;
        let mut block = first;
        // SAFETY: all words written lie in the run.
        unsafe {
            while block + 2 * bytes <= run + (RUN_BYTES - TAG_BYTES) {
                memory.write_word(block, block + bytes);
                block += bytes;
            }
            memory.write_word(block, 0);
        }
        first
    }

    /// Releases a block of a run that is not current.
    #[inline(never)]
    unsafe fn release_to_run<M: LinearMemory>(&mut self, memory: &mut M, run: u32, block: u32, index: usize) {
        // SAFETY: the run belongs to this heap; the block, which is one of its blocks, is released.
        unsafe {
            let free = memory.read_word(run);
            memory.write_word(block, free);
            memory.write_word(run, block);
            let live = memory.read_word(run + LIVE) - 1;
            memory.write_word(run + LIVE, live);
            if live == 0 {
                // A run of one block was full until now and is in no ring; no class has such runs.
                self.leave_ring(memory, index, run);
                self.heap.deallocate(memory, run);
            } else if free == 0 {
                self.join_ring(memory, index, run);
            }
        }
    }

    /// Puts a run at the end of its ring.
    unsafe fn join_ring<M: LinearMemory>(&mut self, memory: &mut M, index: usize, run: u32) {
        let first = self.rings[index];
        // SAFETY: the runs of the ring belong to this heap; the words are those of their headers.
        unsafe {
            let last = if first == 0 {
                self.rings[index] = run;
                run
            } else {
                memory.read_word(first + PREVIOUS)
            };
            let first = self.rings[index];
            memory.write_word(run + NEXT, first);
            memory.write_word(run + PREVIOUS, last);
            memory.write_word(last + NEXT, run);
            memory.write_word(first + PREVIOUS, run);
        }
    }

    /// Takes a run out of its ring.
    unsafe fn leave_ring<M: LinearMemory>(&mut self, memory: &mut M, index: usize, run: u32) {
        // SAFETY: as in `join_ring`.
        unsafe {
            let next = memory.read_word(run + NEXT);
            let previous = memory.read_word(run + PREVIOUS);
            memory.write_word(previous + NEXT, next);
            memory.write_word(next + PREVIOUS, previous);
            if self.rings[index] == run {
                self.rings[index] = if next == run { 0 } else { next };
            }
        }
    }

    /// A block of the merging heap, for which all lists are emptied and the memory grown where there is none.
    #[inline(never)]
    fn allocate_tagged<M: LinearMemory>(&mut self, memory: &mut M, span: u32, align: u32) -> u32 {
        let mut attempt = 0;
        loop {
            let block = if align <= CLASS_ALIGN {
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
                let slack = if align <= CLASS_ALIGN { 0 } else { align };
                let Some(longest) = span.checked_add(slack) else {
                    return 0;
                };
                if !self.heap.grow(memory, longest, self.growth) {
                    return 0;
                }
            }
        }
    }

    #[cold]
    fn flush_all<M: LinearMemory>(&mut self, memory: &mut M) {
        for class in RUN_CLASSES as u32..CLASSES as u32 {
            self.flush(memory, SizeClass(class));
        }
    }

    /// Empties the list of a class above 256 bytes into the merging heap.
    #[inline(never)]
    fn flush<M: LinearMemory>(&mut self, memory: &mut M, class: SizeClass) {
        let index = class.index::<LISTS>();
        self.releases[index] = 0;
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
        match Place::of(size, align) {
            Place::Class(class) => {
                let list = &mut self.lists[class.index::<LISTS>()];
                let block = *list;
                if block == 0 {
                    return self.refill(memory, class);
                }
                // SAFETY: the block is on a free list: its first word is the link.
                *list = unsafe { memory.read_word(block) };
                block
            }
            Place::Tagged => self.allocate_tagged(memory, span_for(size), align),
        }
    }

    fn allocate_zeroed<M: LinearMemory>(&mut self, memory: &mut M, size: u32, align: u32) -> u32 {
        let used_up_to = self.heap.fresh().max(memory.initial_region().end);
        let block = self.allocate(memory, size, align);
        if block != 0 && (block < used_up_to || Place::of(size, align).is_run()) {
            let bytes = if Place::of(size, align).is_run() {
                size
            } else {
                size.min(used_up_to - block)
            };
            // SAFETY: the block was just allocated, with at least `size` bytes.
            unsafe { memory.clear(block, bytes) };
        }
        block
    }

    unsafe fn deallocate<M: LinearMemory>(&mut self, memory: &mut M, block: u32, size: u32, align: u32) {
        // SAFETY: the caller gives up the block, which lies where its layout says.
        unsafe {
            let Place::Class(class) = Place::of(size, align) else {
                return self.heap.deallocate(memory, block);
            };
            if (class.0 as usize) < RUN_CLASSES {
                let run = block & !(RUN_BYTES - 1);
                if run != self.current[class.index::<RUN_CLASSES>()] {
                    return self.release_to_run(memory, run, block, class.index::<RUN_CLASSES>());
                }
            }
            let index = class.index::<LISTS>();
            memory.write_word(block, self.lists[index]);
            self.lists[index] = block;
            if class.0 as usize >= RUN_CLASSES {
                self.releases[index] += 1;
                if self.releases[index] == RELEASES_PER_FLUSH {
                    self.flush(memory, class);
                }
            }
        }
    }

    unsafe fn reallocate<M: LinearMemory>(
        &mut self,
        memory: &mut M,
        block: u32,
        size: u32,
        align: u32,
        new_size: u32,
    ) -> u32 {
        let (place, new_place) = (Place::of(size, align), Place::of(new_size, align));
        if place == new_place && place != Place::Tagged {
            return block;
        }
        // SAFETY: passed on from the caller; a block that lies in no run is one of the merging heap.
        unsafe {
            if !place.is_run()
                && !new_place.is_run()
                && self.heap.resize(memory, block, new_place.span(new_size), self.growth)
            {
                return block;
            }
            let new_block = self.allocate(memory, new_size, align);
            if new_block != 0 {
                memory.copy(block, new_block, size.min(new_size));
                self.deallocate(memory, block, size, align);
            }
            new_block
        }
    }

    fn stats<M: LinearMemory>(&self, _memory: &M) -> HeapStats {
        HeapStats::default()
    }
}

#[cfg(test)]
mod quick {
    use super::*;
    use crate::simulated_memory::SimulatedMemory;
    use std::vec::Vec;

    fn rnd(s: &mut u64) -> u32 {
        *s ^= *s << 13;
        *s ^= *s >> 7;
        *s ^= *s << 17;
        (*s >> 20) as u32
    }

    #[test]
    fn random() {
        for seed in 1..40u64 {
            let mut s = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
            let mut m = match seed % 4 {
                0 => SimulatedMemory::new(0x1_1230, 1, 600),
                1 => SimulatedMemory::new(0x1_1238, 3, 400),
                2 => SimulatedMemory::pages(100, 900),
                _ => SimulatedMemory::pages(65_000, 65_536),
            };
            let mut h = FreeingBumpHeap::new(Growth::EIGHTH);
            let mut live: Vec<(u32, u32, u32, u8)> = Vec::new();
            for step in 0..20_000u32 {
                let pick = rnd(&mut s) % 100;
                let size = |s: &mut u64| match rnd(s) % 10 {
                    0..=4 => 1 + rnd(s) % 64,
                    5..=6 => 1 + rnd(s) % 600,
                    7..=8 => 1 + rnd(s) % 5000,
                    _ => 1 + rnd(s) % 100_000,
                };
                let limit = if (step / 3000) % 2 == 0 { 60 } else { 40 };
                if pick < limit {
                    let (n, a) = (
                        size(&mut s),
                        1u32 << [0, 0, 2, 3, 3, 3, 4, 4, 6, 12][(rnd(&mut s) % 10) as usize],
                    );
                    let zeroed = rnd(&mut s) % 4 == 0;
                    let b = if zeroed {
                        h.allocate_zeroed(&mut m, n, a)
                    } else {
                        h.allocate(&mut m, n, a)
                    };
                    if b == 0 {
                        continue;
                    }
                    assert_eq!(b % a, 0);
                    for &(o, on, _, _) in &live {
                        assert!(
                            u64::from(b) + u64::from(n) <= u64::from(o) || u64::from(o) + u64::from(on) <= u64::from(b),
                            "overlap seed {seed} step {step}"
                        );
                    }
                    if zeroed {
                        assert!(
                            m.slice(b, n).iter().all(|&x| x == 0),
                            "zero seed {seed} step {step} {n} {a}"
                        );
                    }
                    m.slice(b, n).fill(step as u8);
                    live.push((b, n, a, step as u8));
                } else if pick < 75 && !live.is_empty() {
                    let i = rnd(&mut s) as usize % live.len();
                    let (b, n, a, f) = live[i];
                    let new = size(&mut s);
                    let nb = unsafe { h.reallocate(&mut m, b, n, a, new) };
                    if nb != 0 {
                        assert_eq!(nb % a, 0);
                        assert!(m.slice(nb, n.min(new)).iter().all(|&x| x == f), "kept");
                        for (j, &(o, on, _, _)) in live.iter().enumerate() {
                            assert!(
                                j == i
                                    || u64::from(nb) + u64::from(new) <= u64::from(o)
                                    || u64::from(o) + u64::from(on) <= u64::from(nb),
                                "overlap"
                            );
                        }
                        m.slice(nb, new).fill(f);
                        live[i] = (nb, new, a, f);
                    }
                } else if !live.is_empty() {
                    let i = rnd(&mut s) as usize % live.len();
                    let (b, n, a, f) = live.swap_remove(i);
                    assert!(m.slice(b, n).iter().all(|&x| x == f), "content seed {seed} step {step}");
                    unsafe { h.deallocate(&mut m, b, n, a) };
                }
                if rnd(&mut s) % 2000 == 0 && m.end_page() < 65_000 {
                    m.foreign_grow(1);
                }
                if rnd(&mut s) % 3000 == 0 {
                    while let Some((b, n, a, _)) = live.pop() {
                        unsafe { h.deallocate(&mut m, b, n, a) };
                    }
                }
            }
        }
    }
}
