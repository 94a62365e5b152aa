//! How much the memory grows, and what becomes of what was in it before.

use super::kit::{Watched, roomy};
use crate::heaps::Request;
use crate::memory::PAGE_BYTES;
use crate::memory::linear::LinearMemory;
use crate::tests::model::Subject;
use crate::tests::simulated_memory::SimulatedMemory;
use std::vec::Vec;

/// wee_alloc issue 106: the blocks leaked. Walking past a free cell that is too small overwrote the head of the list.
pub(super) fn two_large_blocks_released_in_the_order_they_were_made_are_used_again<S: Subject>(
    new: fn(SimulatedMemory) -> S,
) {
    let mut heap = Watched::new(new(roomy(1)));
    let mut pages_after_one_round = 0;
    for round in 0..1000 {
        let [first, second] = [85_196, 80_000].map(|size| heap.allocate(size, 1));
        heap.release(first);
        heap.release(second);
        if round == 0 {
            pages_after_one_round = heap.pages();
        }
    }
    assert_eq!(heap.pages(), pages_after_one_round);
}

/// talc issues 47 and 49, before 5.0.4: it asked for one page too few, and again, up to 4 GiB.
pub(super) fn a_request_a_few_bytes_short_of_a_page_grows_the_memory_by_no_more_than_it_needs<S: Subject>(
    new: fn(SimulatedMemory) -> S,
) {
    for pages in 1..=8 {
        for short_by in [1, 4, 8, 16, 24, 32, 100] {
            let mut heap = Watched::new(new(roomy(1)));
            heap.allocate(10, 1);
            let (before, size) = (heap.pages(), pages * PAGE_BYTES - short_by);
            heap.allocate(size, 1);
            assert!(
                heap.pages() - before <= heap.pages_for(size, 1),
                "{pages} pages less {short_by}"
            );
            assert!(heap.subject.memory().grow_calls.len() <= 2);
        }
    }
}

/// talc 5.0.4: the first growth did not count the allocator's own metadata, and a second one followed.
pub(super) fn a_first_request_a_few_bytes_short_of_a_page_grows_the_memory_once<S: Subject>(
    new: fn(SimulatedMemory) -> S,
) {
    for pages in [1, 2, 4, 16, 128] {
        let mut heap = Watched::new(new(roomy(0)));
        let size = pages * PAGE_BYTES - 100;
        heap.allocate(size, 1);
        assert_eq!(heap.subject.memory().grow_calls.len(), 1, "{pages} pages");
        assert!(heap.pages() - 8 <= heap.pages_for(size, 1));
    }
}

/// talc issue 51, wee_alloc, rlsf: new pages never join old ones. Blocks of `n` and `n - 1` pages live at a time; a
/// heap of powers of two takes less than four times that.
pub(super) fn blocks_grown_page_by_page_use_what_was_released<S: Subject>(new: fn(SimulatedMemory) -> S) {
    let mut heap = Watched::new(new(roomy(1)));
    let mut previous = heap.allocate(PAGE_BYTES - 64, 1);
    for pages in 2..=64 {
        let block = heap.allocate(pages * PAGE_BYTES - 64, 1);
        heap.release(previous);
        previous = block;
    }
    assert!(heap.pages() - 8 <= 4 * (64 + 63), "{} pages", heap.pages() - 8);
}

/// picoalloc and mini-alloc hand out pages that others added. wasi-libc issues 334 and 377: the first heap was
/// measured after another party had grown the memory.
pub(super) fn pages_that_others_added_are_left_alone<S: Subject>(new: fn(SimulatedMemory) -> S) {
    for before_the_first_call in [false, true] {
        let mut heap = Watched::new(new(roomy(1)));
        if !before_the_first_call {
            heap.allocate(100, 8);
        }
        heap.subject.memory().foreign_grow(1);
        for round in 0..20 {
            heap.allocate(30_000, 8);
            if round == 10 {
                heap.subject.memory().foreign_grow(3);
            }
        }
        heap.oracle.check_the_memory_of_others(heap.subject.memory());
    }
}

/// dlmalloc-rs 0.2.13: with 4 MiB of initial memory and a first request of 5 MiB, 3 MiB were never used again.
pub(super) fn the_initial_memory_is_used_after_a_first_request_above_it<S: Subject>(new: fn(SimulatedMemory) -> S) {
    let mut heap = Watched::new(new(roomy(64)));
    let initial = heap.subject.memory().initial_region();
    let block = heap.allocate(5 << 20, 8);
    assert!(block < initial.end, "the block does not begin in the initial memory");
}

/// emmalloc commit 990b754e: for 32 MiB aligned to 4 MiB the memory grew by twice the need.
pub(super) fn a_large_alignment_grows_the_memory_by_little_more_than_the_need<S: Subject>(
    new: fn(SimulatedMemory) -> S,
) {
    let mut heap = Watched::new(new(roomy(1)));
    heap.allocate(32 << 20, 4 << 20);
    assert!(heap.pages() - 8 <= heap.pages_for(32 << 20, 4 << 20));
}

/// AssemblyScript pull request 706: the memory grew by the size, but the search rounds it up.
pub(super) fn each_size_is_served_by_the_first_growth_for_it<S: Subject>(new: fn(SimulatedMemory) -> S) {
    for size in (1..4 * PAGE_BYTES)
        .step_by(1021)
        .chain(PAGE_BYTES - 40..PAGE_BYTES + 40)
    {
        let mut heap = Watched::new(new(roomy(0)));
        heap.allocate(size, 1);
        assert_eq!(heap.subject.memory().grow_calls.len(), 1, "{size}");
    }
}

/// dlmalloc-rs commits 8c3141d (large blocks were never used again), 3c84484 (nor were those of about 12 MiB), 07c57ef (growth
/// was rounded down).
pub(super) fn a_large_block_that_was_released_is_used_again<S: Subject>(new: fn(SimulatedMemory) -> S) {
    let mut heap = Watched::new(new(roomy(1)));
    for size in [12 << 20, PAGE_BYTES + 1, 300_000, 0xC000 << 8] {
        let block = heap.allocate(size, 8);
        let small = heap.allocate(40, 8);
        heap.release(block);
        let pages = heap.pages();
        assert_eq!(heap.allocate(size, 8), block);
        assert_eq!(heap.pages(), pages);
        heap.release(block);
        heap.release(small);
    }
}

/// picoalloc commit 34c4c04: a split block's header was written past the memory when growth failed. Here growth ends
/// at each possible page in turn, in the middle of one program.
pub(super) fn growth_refused_in_the_middle_leaves_no_half_made_block<S: Subject>(new: fn(SimulatedMemory) -> S) {
    for limit_pages in 9..80 {
        let mut memory = roomy(1);
        memory.limit_pages = limit_pages;
        let mut heap = Watched::new(new(memory));
        let mut refused = false;
        for step in 0..120u32 {
            let size = [24, 3000, 40_000, 70_000, 8, 150_000][step as usize % 6] + step;
            let align = [1, 8, 16, 4096, 8, 65_536][(step / 6) as usize % 6];
            let answer = heap.try_allocate(size, align);
            heap.oracle.check(&mut heap.subject);
            refused |= answer.is_none();
            if refused && !S::SERVES_AFTER_REFUSAL {
                assert_eq!(answer, None, "served after a refusal");
                continue;
            }
            if step % 3 == 2 {
                let (address, _) = heap.oracle.nth(step as u16).unwrap();
                heap.release(address);
            }
        }
        heap.oracle.check_all_contents(heap.subject.memory());
        if S::SERVES_AFTER_REFUSAL {
            heap.release_all();
            heap.allocate(24, 8);
        }
    }
}

/// bumpalo issue 314: a failing call doubled the footprint each time.
pub(super) fn a_request_that_fails_again_and_again_does_not_grow_the_memory<S: Subject>(new: fn(SimulatedMemory) -> S) {
    let mut memory = roomy(1);
    memory.limit_pages = 40;
    let mut heap = Watched::new(new(memory));
    for _ in 0..3 {
        heap.allocate(139_040, 8);
    }
    let pages = heap.pages();
    for _ in 0..100 {
        assert_eq!(heap.try_allocate(3 << 20, 8), None);
    }
    assert_eq!(heap.pages(), pages);
}

/// wee_alloc had random tests and nine traces, and shipped its leak: no test looked at the memory after many rounds.
pub(super) fn a_loop_that_allocates_and_releases_the_same_takes_no_more_memory<S: Subject>(
    new: fn(SimulatedMemory) -> S,
) {
    let mut subject = new(roomy(1));
    let rounds = 20_000;
    let mut pages_after_two_rounds = 0;
    for round in 0..rounds {
        let blocks = [
            (24, 8),
            (100, 64),
            (5000, 8),
            (24, 4096),
            (70_000, 8),
            (600, 16),
            (9, 1),
            (30_000, 65_536),
        ]
        .map(|(size, align)| {
            (
                subject.allocate(Request { size, align }).unwrap(),
                Request { size, align },
            )
        });
        // Not in the order they were made, nor in the reverse.
        for at in [3, 0, 7, 1, 6, 2, 5, 4] {
            let (address, request) = blocks[(at + round) % 8];
            subject.deallocate(address, request);
        }
        if round == 1 {
            pages_after_two_rounds = subject.memory().end_page();
        }
    }
    assert_eq!(subject.memory().end_page(), pages_after_two_rounds);
}

/// FreeingBump itself, before its first release: it read what follows each block from the tail. An operating system then maps
/// a page twice, first as the page of zeros that all share: 447 times in workload `random-sizes-10k`, a tenth of its time.
pub(super) fn no_page_is_read_before_it_is_written<S: Subject>(new: fn(SimulatedMemory) -> S) {
    // No oracle: it would write to the blocks, and so to pages that the heap reads later.
    let mut subject = new(roomy(1));
    let mut live = Vec::new();
    for step in 0..3000u32 {
        let random = step.wrapping_mul(2_654_435_761) >> 8;
        let request = Request {
            size: 1 + random % 10_000,
            align: 1 << (random % 7),
        };
        live.push((subject.allocate(request).expect("there is room"), request));
        if random % 3 == 0 {
            let (address, request) = live.swap_remove(random as usize / 3 % live.len());
            subject.deallocate(address, request);
        }
    }
    assert_eq!(subject.memory().words_read_before_a_write.get(), 0);
}
