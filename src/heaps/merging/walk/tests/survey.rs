//! Walks held against what the oracle knows of each byte, and walks during which the heap changes.

use super::*;
use crate::heap_map::{HeapSummary, RangeKind};
use crate::heaps::UncheckedHeap;
use crate::tests::model::{Idle, Use};
use crate::tests::simulated_memory::SimulatedMemory;
use core::ops::Range;
use std::vec::Vec;

type Heap = MergingHeap<SimulatedMemory>;
type Ranges = Vec<(Range<u64>, RangeKind)>;

/// One in so many checks walks through the whole heap. The others look at one address.
const CHECKS_PER_WALK: u64 = 64;

/// Asserts that what the heap says of an address, and now and then of all of them, is what the oracle knows. `uses` are in
/// the order of their addresses.
pub(in super::super) fn check_uses(heap: &mut Heap, uses: &[(Range<u64>, Use)]) {
    let expected = kinds_of(uses);
    // As good as random, and the same whenever the program is played again.
    let number = scrambled(heap.memory().words_read.get());
    let mut walk = Walk::of(heap);
    if number % CHECKS_PER_WALK == 0 {
        let mut told = Vec::new();
        let mut summary = HeapSummary::default();
        while let Some(seen) = walk.step(heap) {
            told.extend(ranges_of(&seen));
            seen.tell(|range| summary.add(range));
        }
        assert_same(told, &expected);
        check_summary(heap, summary);
    } else if walk.left != 0 {
        let skipped = (number / CHECKS_PER_WALK % u64::from(walk.left)) as u32 & !3;
        walk.at = walk.at.wrapping_add(skipped);
        walk.left -= skipped;
        let start = u64::from(walk.at);
        let seen = walk.step(heap).expect("the heap has memory there");
        assert_same(
            ranges_of(&seen),
            &within(&expected, start..start + u64::from(seen.bytes)),
        );
    }
}

/// The figures of the heap agree with a summary of its ranges.
fn check_summary(heap: &Heap, summary: HeapSummary) {
    let stats = heap.stats();
    assert_eq!(summary.free_bytes, stats.free_bytes);
    assert_eq!(summary.tail_bytes, stats.tail_bytes);
    assert_eq!(
        summary.live_bytes + summary.own_bytes + summary.foreign_bytes,
        stats.live_bytes
    );
    assert!(stats.largest_free_bytes <= summary.largest_free_bytes);
}

/// A number whose bits all follow from those of another one.
fn scrambled(number: u64) -> u64 {
    let product = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    product ^ product >> 32
}

/// What a walk must tell where the oracle knows these uses.
fn kinds_of(uses: &[(Range<u64>, Use)]) -> Ranges {
    let heap_end = uses.iter().rfind(|(_, use_)| *use_ != Use::Foreign);
    let heap_end = heap_end.map_or(0, |(range, _)| range.end);
    let mut kinds = Vec::new();
    for (range, use_) in uses {
        let kind = match use_ {
            // What others have added after the heap is not between its pages.
            Use::Foreign if range.start >= heap_end => continue,
            Use::Foreign => RangeKind::Foreign,
            Use::Idle(Idle::Free) => RangeKind::Free,
            Use::Idle(Idle::Tail) => RangeKind::Tail,
            Use::Idle(Idle::Overhead) => RangeKind::Own,
            // A block outside of the runs counts with its tag.
            Use::Live if range.start % 8 == 4 => {
                kinds.push((range.start..range.start + 4, RangeKind::Own));
                kinds.push((range.start + 4..range.end, RangeKind::Live));
                continue;
            }
            Use::Live => RangeKind::Live,
        };
        kinds.push((range.clone(), kind));
    }
    kinds
}

fn ranges_of(seen: &Seen) -> Ranges {
    let mut ranges = Vec::new();
    seen.tell(|range| {
        let start = u64::from(range.address);
        ranges.push((start..start + u64::from(range.bytes), range.kind));
    });
    ranges
}

/// The parts of these ranges that lie in `bounds`.
fn within(ranges: &Ranges, bounds: Range<u64>) -> Ranges {
    let cut = |range: &Range<u64>| range.start.max(bounds.start)..range.end.min(bounds.end);
    let parts = ranges.iter().map(|(range, kind)| (cut(range), *kind));
    parts.filter(|(range, _)| range.start < range.end).collect()
}

/// Asserts that ranges are the same where neighbours of the heap's own bytes, and of the pages of others, count as one.
fn assert_same(told: Ranges, expected: &Ranges) {
    let expected = joined(expected.clone());
    let told = joined(told);
    for (told, expected) in told.iter().zip(&expected) {
        assert_eq!(told, expected, "what a walk tells, and what is so");
    }
    assert_eq!(told.len(), expected.len(), "the ranges that a walk tells");
}

fn joined(ranges: Ranges) -> Ranges {
    let mut joined: Ranges = Vec::with_capacity(ranges.len());
    for (range, kind) in ranges {
        match joined.last_mut() {
            Some((last, last_kind))
                if *last_kind == kind
                    && last.end == range.start
                    && matches!(kind, RangeKind::Own | RangeKind::Foreign) =>
            {
                last.end = range.end;
            }
            _ if range.start == range.end => (),
            _ => joined.push((range, kind)),
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::heaps::Request;
    use crate::memory::{Growth, PAGE_BYTES};
    use crate::tests::model::headerless::Headerless;
    use crate::tests::model::oracle::Oracle;
    use crate::tests::model::play::play;
    use crate::tests::model::random;
    use crate::tests::model::runner::test_random;

    fn heap(memory: SimulatedMemory) -> Heap {
        MergingHeap::new(memory, Growth::THIRTY_SECOND)
    }

    fn request(size: u32) -> Request {
        Request { size, align: 8 }
    }

    /// All that a walk tells, when `between` runs after each step.
    fn walked(heap: &mut Heap, mut between: impl FnMut(&mut Heap)) -> Ranges {
        let mut walk = Walk::of(heap);
        let mut told = Vec::new();
        while let Some(seen) = walk.step(heap) {
            told.extend(ranges_of(&seen));
            between(heap);
        }
        told
    }

    /// Asserts that the ranges have neither gaps nor overlaps from `start` to `end`.
    fn assert_whole(told: &Ranges, start: u64, end: u64) {
        let mut at = start;
        for (range, _) in told {
            assert_eq!(range.start, at, "each range begins where the one before ends");
            assert!(range.start < range.end, "no range is empty");
            at = range.end;
        }
        assert_eq!(at, end, "the last range ends where the memory does");
    }

    #[test]
    fn a_heap_that_was_never_used_is_all_tail_and_one_without_memory_is_nothing() {
        let mut unused = heap(SimulatedMemory::new(1040, 2, 4));
        assert_eq!(
            walked(&mut unused, |_| ()),
            [(1040..2 * u64::from(PAGE_BYTES), RangeKind::Tail)]
        );
        assert_eq!(walked(&mut heap(SimulatedMemory::pages(3, 4)), |_| ()), []);
    }

    #[test]
    fn each_block_is_told_at_the_address_that_the_program_has() {
        let mut heap = heap(SimulatedMemory::new(1040, 1, 16));
        let small: Vec<u32> = (0..3).map(|_| heap.allocate(request(24))).collect();
        let large = heap.allocate(request(5000));
        // SAFETY: the block is live, and of this size.
        unsafe { heap.deallocate(small[1], request(24)) };
        let told = walked(&mut heap, |_| ());
        let at = |address: u32| {
            told.iter()
                .find(|(range, _)| range.start == u64::from(address))
                .unwrap()
        };
        for (address, bytes, kind) in [
            // The size has no runs of its own yet: it takes blocks of the next power of two.
            (small[0], 32, RangeKind::Live),
            (small[1], 32, RangeKind::Free),
            (small[2], 32, RangeKind::Live),
            (large, 5004, RangeKind::Live),
        ] {
            let start = u64::from(address);
            assert_eq!(at(address), &(start..start + bytes, kind));
        }
        assert_eq!(told.iter().filter(|(_, kind)| *kind == RangeKind::Live).count(), 3);
    }

    #[test]
    fn a_walk_that_collects_into_blocks_of_the_same_heap_tells_each_address_once() {
        let mut heap = heap(SimulatedMemory::new(1040, 1, 4096));
        let blocks: Vec<u32> = (0..600).map(|number| heap.allocate(request(600 + number))).collect();
        for &block in blocks.iter().step_by(3) {
            let size = 600 + (blocks.iter().position(|&it| it == block).unwrap() as u32);
            // SAFETY: the block is live, and of this size.
            unsafe { heap.deallocate(block, request(size)) };
        }
        let (start, bytes) = heap.memory_with_others();
        // A vector that grows as it would with the visitor that pushes to it.
        let mut ranges = 0;
        let mut capacity = 4;
        let mut buffer = heap.allocate(request(12 * capacity));
        let told = walked(&mut heap, |heap| {
            ranges += 1;
            if ranges > capacity {
                // SAFETY: the buffer is live, and of this size.
                buffer = unsafe { heap.reallocate(buffer, request(12 * capacity), 24 * capacity) };
                capacity *= 2;
            }
        });
        assert!(capacity > 512);
        assert_whole(&told, start.into(), u64::from(start) + u64::from(bytes));
    }

    #[test]
    fn pages_that_the_heap_adds_during_a_walk_are_not_part_of_it() {
        let mut heap = heap(SimulatedMemory::new(1040, 1, 4096));
        heap.allocate(request(1000));
        let told = walked(&mut heap, |heap| {
            heap.allocate(request(100_000));
        });
        assert_whole(&told, 1040, PAGE_BYTES.into());
    }

    #[test]
    fn a_step_in_a_heap_that_stays_as_it_is_reads_what_one_chunk_says() {
        let mut heap = heap(SimulatedMemory::new(1040, 1, 4096));
        for number in 0..20_000 {
            heap.allocate(request(8 + number % 900));
        }
        // All blocks of a run are on its lists.
        let small: Vec<u32> = (0..2000).map(|_| heap.allocate(request(8))).collect();
        for block in small {
            // SAFETY: the block is live, and of this size.
            unsafe { heap.deallocate(block, request(8)) };
        }
        let mut read = heap.memory().words_read.get();
        let mut most = 0;
        walked(&mut heap, |heap| {
            let before = core::mem::replace(&mut read, heap.memory().words_read.get());
            most = most.max(read - before);
        });
        assert!(most <= 1030, "a step has read {most} words");
    }

    #[test]
    fn a_heap_that_changes_at_random_during_a_walk_is_told_once_and_as_it_is_at_each_step() {
        // A tenth of the programs that the model plays: each step is held against all uses.
        let average_steps = 10 * random::AVERAGE_STEPS;
        test_random(random::programs::<Headerless<Heap>>(), average_steps, |program| {
            let mut subject = Headerless(heap(program.memory()));
            let mut oracle = Oracle::new();
            let mut steps = program.steps.iter();
            while let Some(step) = steps.next() {
                play(&mut subject, &mut oracle, &program, step);
                let (start, bytes) = subject.0.memory_with_others();
                let mut told = Vec::new();
                let mut walk = Walk::of(&subject.0);
                while let Some(seen) = walk.step(&mut subject.0) {
                    let address = u64::from(seen.address);
                    let uses = kinds_of(&oracle.uses(&mut subject));
                    let so = within(&uses, address..address + u64::from(seen.bytes));
                    assert_same(ranges_of(&seen), &so);
                    told.extend(ranges_of(&seen));
                    if let Some(step) = steps.next() {
                        play(&mut subject, &mut oracle, &program, step);
                    }
                }
                assert_whole(&told, start.into(), u64::from(start) + u64::from(bytes));
            }
        });
    }
}
