//! What `FreeingBump` still serves where the memory cannot grow: small blocks from gaps that no run fits into.

use super::kit::freeing_bump;
use crate::heaps::Request;
use crate::heaps::merging::MergingHeap;
use crate::memory::PAGE_BYTES;
use crate::tests::model::Calls;
use crate::tests::model::headerless::Headerless;
use crate::tests::model::random::{generator, seed};
use crate::tests::simulated_memory::SimulatedMemory;
use proptest::prelude::Rng;
use std::vec::Vec;

type Heap = Headerless<MergingHeap<SimulatedMemory>>;

/// Allocates blocks of this size until one is refused, and returns them.
fn fill(heap: &mut Heap, size: u32) -> Vec<u32> {
    core::iter::from_fn(|| heap.allocate(Request { size, align: 8 })).collect()
}

/// A full memory with gaps of these sizes, each followed by a block that stays.
fn full_with_gaps(gaps: &[u32], staying: u32) -> Heap {
    let bytes = gaps.iter().map(|gap| gap + staying).sum::<u32>() / 10 * 11;
    let mut heap = freeing_bump(SimulatedMemory::new(1040, 1, 2 + bytes / PAGE_BYTES));
    let blocks: Vec<u32> = gaps
        .iter()
        .map(|&size| {
            let gap = heap.allocate(Request { size, align: 8 }).expect("there is room");
            heap.allocate(Request {
                size: staying,
                align: 8,
            })
            .expect("there is room");
            gap
        })
        .collect();
    fill(&mut heap, staying);
    fill(&mut heap, 8);
    for (block, &size) in blocks.into_iter().zip(gaps) {
        heap.deallocate(block, Request { size, align: 8 });
    }
    heap
}

#[test]
#[cfg_attr(miri, ignore = "megabytes of memory")]
fn small_blocks_fill_the_gaps_between_large_ones_at_the_limit() {
    for count in [3, 500] {
        let mut heap = full_with_gaps(&[5000].repeat(count), 400);
        let served = fill(&mut heap, 120).len();
        // 39 blocks with their tags fit into each gap; dlmalloc serves 39 per gap too.
        assert!(served >= count * 39 * 9 / 10, "{served} blocks in {count} gaps");
    }
}

#[test]
#[cfg_attr(miri, ignore = "megabytes of memory")]
fn gaps_of_random_sizes_serve_small_blocks_of_each_size_at_the_limit() {
    let mut random = generator(seed());
    for size in [8, 24, 100, 200, 256, 300, 512] {
        let gaps: Vec<u32> = (0..500).map(|_| random.random_range(300..7000)).collect();
        let mut heap = full_with_gaps(&gaps, 300);
        let served = fill(&mut heap, size).len() as u32;
        // Each gap can leave one block and the rest of a chunk.
        let expected: u32 = gaps.iter().map(|gap| (gap / (size + 20)).saturating_sub(1)).sum();
        assert!(served >= expected, "{served} of {expected} blocks of {size} bytes");
    }
}

#[test]
#[cfg_attr(miri, ignore = "megabytes of memory")]
fn one_block_of_each_size_in_turn_fills_half_of_the_last_page() {
    let base = 16 * PAGE_BYTES + 60_000;
    let mut heap = freeing_bump(SimulatedMemory::new(base, 1, 18));
    let mut served = 0;
    for size in (1..=32).map(|steps| 8 * steps).cycle() {
        if heap.allocate(Request { size, align: 8 }).is_none() {
            break;
        }
        served += size;
    }
    assert!(served >= 30_000, "{served} bytes");
}

#[test]
#[cfg_attr(miri, ignore = "thousands of steps, which Miri needs minutes for")]
fn what_was_served_from_a_gap_is_released_into_it_and_makes_room_for_a_run_again() {
    let mut heap = full_with_gaps(&[9000], 300);
    let small = Request { size: 120, align: 8 };
    let mut blocks = fill(&mut heap, small.size);
    for round in 0..3 {
        for &block in &blocks {
            heap.deallocate(block, small);
        }
        let whole = Request { size: 8000, align: 8 };
        let large = heap.allocate(whole);
        assert!(large.is_some(), "round {round}: the gap is whole again");
        heap.deallocate(large.unwrap_or_default(), whole);
        let mut again = fill(&mut heap, small.size);
        let served = again.len();
        assert!(served >= blocks.len(), "round {round}: {served} blocks");
        again.sort_unstable();
        again.dedup();
        assert_eq!(again.len(), served, "a block was handed out twice");
        for block in again {
            heap.deallocate(block, small);
        }
        blocks = fill(&mut heap, small.size);
    }
}

#[test]
#[cfg_attr(miri, ignore = "thousands of steps, which Miri needs minutes for")]
fn when_the_memory_can_grow_again_small_blocks_come_from_runs_again() {
    let mut heap = full_with_gaps(&[600], 300);
    let small = Request { size: 64, align: 8 };
    let before = fill(&mut heap, small.size);
    assert!(!before.is_empty());
    heap.memory().limit_pages += 8;
    let after: Vec<u32> = (0..5000)
        .map(|_| heap.allocate(small).expect("there is room"))
        .collect();
    for block in before.into_iter().chain(after) {
        heap.deallocate(block, small);
    }
    let pages = heap.memory().end_page();
    for _ in 0..5000 {
        heap.allocate(small).expect("there is room");
    }
    assert_eq!(heap.memory().end_page(), pages);
}

/// How many gaps there are, each too short for the request that is refused.
const GAPS: u32 = 20_000;

#[test]
#[cfg_attr(miri, ignore = "megabytes of memory")]
fn a_call_at_the_limit_looks_at_a_bounded_number_of_gaps() {
    let pages = GAPS * 5400 / PAGE_BYTES;
    let mut heap = freeing_bump(SimulatedMemory::new(1040, pages, pages));
    let gap = Request { size: 5000, align: 8 };
    let separator = Request { size: 300, align: 8 };
    let mut gaps = Vec::new();
    while let Some(block) = heap.allocate(gap) {
        gaps.push(block);
        heap.allocate(separator);
    }
    assert!(gaps.len() as u32 > GAPS * 9 / 10);
    fill(&mut heap, separator.size);
    for block in gaps {
        heap.deallocate(block, gap);
    }
    // In the same bin as the gaps, and longer; as long, and aligned as none of them is; small ones, which are served.
    for (size, align) in [(5100, 8), (4990, 4096), (256, 16), (24, 8), (200_000, 8)] {
        let before = heap.memory().words_read.get();
        heap.allocate(Request { size, align });
        let words = heap.memory().words_read.get() - before;
        assert!(words <= 8192, "{words} words read for {size} bytes aligned to {align}");
    }
}

/// Releases these blocks in this order and then fills the memory with blocks of another size: what was released is whole.
fn release_and_count(heap: &mut Heap, blocks: &[u32], request: Request, other_size: u32) -> usize {
    for &block in blocks {
        heap.deallocate(block, request);
    }
    let others = fill(heap, other_size);
    let count = others.len();
    for block in others {
        heap.deallocate(
            block,
            Request {
                size: other_size,
                align: 8,
            },
        );
    }
    count
}

#[test]
#[cfg_attr(miri, ignore = "megabytes of memory")]
fn a_run_may_start_where_small_blocks_in_no_run_lay_before() {
    let mut heap = freeing_bump(SimulatedMemory::new(1040, 4, 4));
    let [gap, separator, small] = [5000, 400, 120].map(|size| Request { size, align: 8 });
    let (mut gaps, mut separators) = (Vec::new(), Vec::new());
    while let (Some(large), Some(between)) = (heap.allocate(gap), heap.allocate(separator)) {
        gaps.push(large);
        separators.push(between);
    }
    separators.extend(fill(&mut heap, separator.size));
    for &block in &gaps {
        heap.deallocate(block, gap);
    }
    let in_no_run = fill(&mut heap, small.size);
    for &block in in_no_run.iter().chain(&separators) {
        let request = if in_no_run.contains(&block) { small } else { separator };
        heap.deallocate(block, request);
    }
    // All is free, except the last gap if it has no separator. Now runs start in the same slots.
    let in_runs = fill(&mut heap, small.size);
    assert!(in_runs.len() >= in_no_run.len());
    let reversed: Vec<u32> = in_runs.iter().rev().copied().collect();
    let larger = release_and_count(&mut heap, &reversed, small, 9000);
    assert!(
        larger >= 3 * PAGE_BYTES as usize / 9100,
        "{larger} blocks of 9,000 bytes"
    );
}

#[test]
#[cfg_attr(miri, ignore = "thousands of steps, which Miri needs minutes for")]
fn blocks_of_larger_sizes_that_serve_at_the_limit_are_aligned() {
    for size_of_free in (8..=512).step_by(8) {
        let mut heap = freeing_bump(SimulatedMemory::new(1040, 1, 1));
        let blocks = fill(&mut heap, size_of_free);
        for size in [256, 64, 8] {
            fill(&mut heap, size);
        }
        for &block in blocks.iter().step_by(2) {
            heap.deallocate(
                block,
                Request {
                    size: size_of_free,
                    align: 8,
                },
            );
        }
        let request = Request { size: 16, align: 16 };
        while let Some(block) = heap.allocate(request) {
            assert_eq!(
                block % 16,
                0,
                "a block of {size_of_free} bytes served one aligned to 16"
            );
        }
    }
}

#[test]
fn a_run_without_live_blocks_goes_back_though_some_of_its_blocks_were_never_on_a_list() {
    for size in [8, 64, 256] {
        let mut heap = freeing_bump(SimulatedMemory::new(1040, 1, 1));
        let small = Request { size, align: 8 };
        let block = heap.allocate(small).expect("there is room");
        heap.deallocate(block, small);
        let large = Request {
            size: PAGE_BYTES - 2048,
            align: 8,
        };
        assert!(
            heap.allocate(large).is_some(),
            "the run of one block of {size} bytes is in the way"
        );
    }
}

#[test]
#[cfg_attr(miri, ignore = "thousands of steps, which Miri needs minutes for")]
fn partial_runs_serve_their_free_blocks_once_each_however_many_runs_there_are() {
    let mut heap = freeing_bump(SimulatedMemory::new(1040, 8, 8));
    // 15 fit in a run; 40 runs are more than are looked at.
    let request = Request { size: 512, align: 8 };
    let blocks: Vec<u32> = (0..600)
        .map(|_| heap.allocate(request).expect("there is room"))
        .collect();
    let mut released: Vec<u32> = blocks.into_iter().step_by(15).collect();
    for &block in &released {
        heap.deallocate(block, request);
    }
    let mut again: Vec<u32> = released
        .iter()
        .map(|_| heap.allocate(request).expect("there is room"))
        .collect();
    released.sort_unstable();
    again.sort_unstable();
    assert_eq!(again, released);
}

#[test]
#[cfg_attr(miri, ignore = "megabytes of memory")]
fn small_blocks_in_no_run_are_known_as_such_after_the_memory_has_grown_and_is_full_again() {
    let mut heap = full_with_gaps(&[600; 20], 300);
    let small = Request { size: 64, align: 8 };
    let before = fill(&mut heap, small.size);
    // Many more slots than a word of the bitmap has bits.
    heap.memory().limit_pages += 40;
    let gap = Request { size: 5000, align: 8 };
    let gaps: Vec<u32> = (0..100)
        .map(|_| {
            let block = heap.allocate(gap).expect("there is room");
            heap.allocate(Request { size: 400, align: 8 }).expect("there is room");
            block
        })
        .collect();
    fill(&mut heap, 400);
    for block in gaps {
        heap.deallocate(block, gap);
    }
    let after = fill(&mut heap, small.size);
    assert!(after.len() > 100 * 50);
    for &block in before.iter().chain(&after) {
        heap.deallocate(block, small);
    }
    let again = fill(&mut heap, small.size).len();
    assert!(again >= before.len() + after.len(), "{again} blocks");
}

#[test]
fn a_size_that_has_no_runs_yet_is_served_from_what_is_too_short_for_the_next_power_of_two() {
    let mut heap = freeing_bump(SimulatedMemory::new(1040, 1, 1));
    let whole = Request { size: 1000, align: 8 };
    let blocks = fill(&mut heap, whole.size);
    for size in [300, 8] {
        fill(&mut heap, size);
    }
    // 160 bytes with a tag become free: less than a block of 256 bytes needs.
    assert_eq!(heap.reallocate(blocks[3], whole, 840), Some(blocks[3]));
    assert!(heap.allocate(Request { size: 136, align: 8 }).is_some());
}
