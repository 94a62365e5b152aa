//! `MergingHeap` as a subject of the model, with a walk through all of its memory after each step.

use super::super::chunk::TAG_BYTES;
use super::super::run::RUN_BYTES;
use super::*;
use crate::heaps::Request;
use crate::tests::model::Idle;
use crate::tests::model::Totals;
#[cfg(feature = "walk")]
use crate::tests::model::Use;
use crate::tests::model::headerless::Surveyed;
use crate::tests::model::oracle::bytes_of_region;
use crate::tests::simulated_memory::{MemoryOfRegions, SimulatedMemory};
use core::ops::Range;
use std::collections::BTreeMap;
use std::vec::Vec;

impl<M: MemoryOfRegions> MergingHeap<M> {
    /// The bytes that a block for this request takes at least.
    pub(crate) fn bytes_for(request: Request) -> u32 {
        match SizeClass::of(request) {
            Some(class) => class.bytes(),
            None => span_for(request.size),
        }
    }

    /// The bytes that the live block at this address takes.
    pub(crate) fn extent_of(&self, address: u32, request: Request) -> Range<u64> {
        let start = u64::from(address);
        let run = SizeClass::of(request).and_then(|_| self.runs.run_of(&self.chunks, address));
        match run {
            Some((_, class)) => start..start + u64::from(class.bytes()),
            None => {
                let start = start - u64::from(TAG_BYTES);
                start..start + u64::from(self.chunks.span_of(address))
            }
        }
    }

    /// The ranges of the heap in no live block, when these blocks are live. Asserts on the way that the heap's own structures
    /// are sound.
    pub(crate) fn survey(&self, live: &[(u32, Request)]) -> Vec<(Idle, Range<u64>)> {
        let live: BTreeMap<u32, Request> = live.iter().copied().collect();
        let mut runs = self.runs.known(&self.chunks);
        for (&block, &request) in &live {
            let class = SizeClass::of(request);
            let run = class.and_then(|_| self.runs.run_of(&self.chunks, block));
            if let (Some(class), Some((run, class_of_run))) = (class, run) {
                assert!(
                    class.bytes() <= class_of_run.bytes(),
                    "{block:#x} is in a run of smaller blocks"
                );
                assert_eq!(*runs.entry(run).or_insert(class_of_run), class_of_run);
            }
        }
        let (bitmap, _) = self.runs.bitmap(&self.chunks);

        let mut idle = Vec::new();
        let (blocks, other) = self.chunks.survey();
        for (use_, region) in other {
            idle.push((use_, bytes_of_region(region)));
        }
        for (block, span) in blocks {
            if let Some(class) = runs.remove(&block) {
                let tag = u64::from(block) - u64::from(TAG_BYTES);
                idle.push((Idle::Overhead, tag..u64::from(block)));
                idle.extend(
                    self.runs
                        .survey(&self.chunks, (block, class), |block| live.contains_key(&block)),
                );
                idle.push((Idle::Overhead, tag + u64::from(RUN_BYTES)..tag + u64::from(span)));
            } else if block == bitmap {
                let tag = u64::from(block) - u64::from(TAG_BYTES);
                idle.push((Idle::Overhead, tag..tag + u64::from(span)));
            } else {
                assert!(
                    live.contains_key(&block),
                    "the block at {block:#x} is in use for nothing"
                );
            }
        }
        assert!(runs.is_empty(), "runs that are not blocks in use: {runs:x?}");
        idle
    }

    /// A free block of a run of the class or of a larger one, or a free chunk from which a block can be cut where it is
    /// aligned. What is free of a chunk begins with its tag, at a multiple of 16 less 4; runs have their blocks at multiples
    /// of 8. The first small block in no run needs also a bitmap, and what may stay with that.
    pub(crate) fn must_serve(&self, free: &Range<u64>, request: Request) -> bool {
        let class = SizeClass::of(request);
        let free_bytes = free.end - free.start;
        if free.start % 8 == 0 {
            return class.is_some_and(|class| {
                let bytes = u64::from(class.bytes());
                free_bytes == bytes || free_bytes > bytes && free_bytes % 16 == 0
            });
        }
        let (span, align) = match class {
            Some(class) => {
                let (_, bitmap) = self.runs.bitmap(&self.chunks);
                (span_for(class.bytes()) + bitmap + bitmap / 16, 1)
            }
            None => (span_for(request.size), request.align),
        };
        let block = free.start + u64::from(TAG_BYTES);
        block.next_multiple_of(align.into()) - block + u64::from(span) <= free_bytes
    }
}

impl Surveyed for MergingHeap<SimulatedMemory> {
    fn block_bytes(request: Request) -> u32 {
        Self::bytes_for(request)
    }

    fn extent(&self, address: u32, request: Request) -> Range<u64> {
        self.extent_of(address, request)
    }

    fn idle(&self, live: &[(u32, Request)]) -> Vec<(Idle, Range<u64>)> {
        self.survey(live)
    }

    fn serves(&self, free: &Range<u64>, request: Request) -> bool {
        self.must_serve(free, request)
    }

    #[cfg(feature = "walk")]
    fn check_uses(&mut self, uses: &[(Range<u64>, Use)]) {
        super::super::walk::survey::check_uses(self, uses);
    }

    fn live_bytes(totals: &Totals) -> u64 {
        totals.live + totals.overhead + totals.foreign_between
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::heaps::merging::run::run_around;
    use crate::memory::PAGE_BYTES;
    use crate::tests::model::headerless::Headerless;
    use crate::tests::model::{Calls, Subject, test_programs};

    fn heap(growth: Growth, memory: SimulatedMemory) -> Headerless<MergingHeap<SimulatedMemory>> {
        Headerless(MergingHeap::new(memory, growth))
    }

    #[test]
    fn merging_heap_agrees_with_the_oracle_after_each_step_of_random_programs() {
        test_programs(|memory| heap(Growth::THIRTY_SECOND, memory));
    }

    #[test]
    fn merging_heap_agrees_with_the_oracle_when_it_grows_by_many_pages() {
        test_programs(|memory| heap(Growth::Step { pages: 48 }, memory));
    }

    /// A heap with a ceiling, in a memory that ends the test when it is asked for more pages.
    fn heap_below(
        ceiling_pages: u32,
        growth: Growth,
        mut memory: SimulatedMemory,
    ) -> Headerless<MergingHeap<SimulatedMemory>> {
        memory.ceiling_pages = ceiling_pages;
        let mut subject = heap(growth, memory);
        subject.0.limit_pages(ceiling_pages);
        subject
    }

    #[test]
    fn merging_heap_agrees_with_the_oracle_when_it_has_a_ceiling() {
        test_programs(|memory| heap_below(memory.end_page() + 8, Growth::DOUBLING, memory));
    }

    #[test]
    fn steps_of_growth_end_at_the_ceiling_and_the_engine_is_not_asked_for_more() {
        for (growth, calls) in [
            (Growth::DOUBLING, &[2, 4, 2][..]),
            (Growth::Step { pages: u32::MAX }, &[8]),
            (Growth::Exact, &[1; 8]),
        ] {
            let mut subject = heap_below(10, growth, SimulatedMemory::new(PAGE_BYTES + 1040, 1, 4096));
            let request = Request { size: 5000, align: 8 };
            while subject.allocate(request).is_some() {}
            assert_eq!(subject.memory().grow_calls, calls, "{growth:?}");
            assert_eq!(subject.memory().end_page(), 10);
        }
    }

    #[test]
    fn a_request_above_the_ceiling_is_refused_and_smaller_ones_go_on_being_served() {
        let mut subject = heap_below(10, Growth::THIRTY_SECOND, SimulatedMemory::new(1040, 1, 4096));
        let too_large = Request {
            size: 10 * PAGE_BYTES - 1040,
            align: 8,
        };
        assert_eq!(subject.allocate(too_large), None);
        assert_eq!(subject.memory().grow_calls, []);
        let large = Request {
            size: too_large.size - 64,
            align: 8,
        };
        let block = subject.allocate(large).expect("it fits below the ceiling");
        assert_eq!(subject.memory().end_page(), 10);
        assert_eq!(subject.reallocate(block, large, large.size + PAGE_BYTES), None);
        subject.deallocate(block, large);
        assert_eq!(subject.allocate(large), Some(block));
    }

    #[test]
    fn a_module_that_begins_above_its_ceiling_uses_what_it_begins_with_and_adds_nothing() {
        for foreign_pages in [0, 3] {
            let mut subject = heap_below(3, Growth::THIRTY_SECOND, SimulatedMemory::new(1040, 4, 4096));
            subject.memory().foreign_grow(foreign_pages);
            let request = Request { size: 5000, align: 8 };
            let blocks = core::iter::from_fn(|| subject.allocate(request)).count();
            assert_eq!(blocks, (4 * PAGE_BYTES / 5008) as usize);
            assert_eq!(subject.memory().grow_calls, []);
        }
    }

    /// A heap with a block of `whole` bytes less a tag, and another block after it. The address of the first, and its request.
    fn with_block_of(whole: u32) -> (Headerless<MergingHeap<SimulatedMemory>>, u32, Request) {
        let mut subject = heap(Growth::THIRTY_SECOND, SimulatedMemory::new(1040, 1, 16));
        let request = Request {
            size: whole - 4,
            align: 8,
        };
        let block = subject.allocate(request).unwrap();
        subject.allocate(Request { size: 600, align: 8 }).unwrap();
        (subject, block, request)
    }

    fn extent_bytes(subject: &Headerless<MergingHeap<SimulatedMemory>>, block: u32, request: Request) -> u64 {
        let extent = Subject::extent(subject, block, request);
        extent.end - extent.start
    }

    /// The same after the release of that block: a heap with a free place, and where a block begins there.
    fn with_place_of(whole: u32) -> (Headerless<MergingHeap<SimulatedMemory>>, u32) {
        let (mut subject, block, request) = with_block_of(whole);
        subject.deallocate(block, request);
        (subject, block)
    }

    /// The bytes of the extent of a block that is made where a block of `whole` bytes less a tag was released. Before that, the
    /// engine may refuse to grow the memory.
    fn extent_for(whole: u32, request: Request, is_refused_before: bool) -> u64 {
        let (mut subject, place) = with_place_of(whole);
        if is_refused_before {
            let size = 17 * PAGE_BYTES;
            assert_eq!(subject.allocate(Request { size, align: 8 }), None);
        }
        assert_eq!(subject.allocate(request), Some(place));
        extent_bytes(&subject, place, request)
    }

    /// The same for a request of `size` bytes.
    fn extent_in(whole: u32, size: u32, is_refused_before: bool) -> u64 {
        extent_for(whole, Request { size, align: 8 }, is_refused_before)
    }

    #[test]
    fn what_a_request_leaves_of_a_free_block_stays_with_it_up_to_a_quarter_of_the_request() {
        // With its tag, 13,120 and 13,104 bytes: they leave 3,264 and 3,280, where a quarter is 3,280 and 3,276.
        assert_eq!(extent_in(16_384, 13_116, false), 16_384);
        assert_eq!(extent_in(16_384, 13_100, false), 13_104);
    }

    #[test]
    fn after_a_refusal_it_stays_up_to_a_sixteenth() {
        // With its tag, 15,424 and 15,408 bytes: they leave 960 and 976, where a sixteenth is 964 and 963.
        assert_eq!(extent_in(16_384, 15_420, true), 16_384);
        assert_eq!(extent_in(16_384, 15_404, true), 15_408);
    }

    #[test]
    fn from_32_kib_on_it_stays_up_to_a_sixteenth() {
        // With its tag, 38,560 and 38,544 bytes: they leave 2,400 and 2,416, where a sixteenth is 2,410 and 2,409.
        assert_eq!(extent_in(40_960, 38_556, false), 40_960);
        assert_eq!(extent_in(40_960, 38_540, false), 38_544);
        // With its tag, 32,768 and 32,752 bytes: both leave 2,064, where a sixteenth is 2,048 and a quarter 8,188.
        assert_eq!(extent_in(34_832, 32_764, false), 32_768);
        assert_eq!(extent_in(34_816, 32_748, false), 34_816);
    }

    #[test]
    fn a_quarter_stays_with_a_request_aligned_to_sixteen_too() {
        let request = Request {
            size: 13_116,
            align: 16,
        };
        assert_eq!(extent_for(16_384, request, false), 16_384);
    }

    #[test]
    fn a_run_lies_at_the_end_of_its_free_block() {
        let (mut subject, place) = with_place_of(30_000);
        let in_run = subject.allocate(Request { size: 24, align: 8 }).unwrap();
        // No run has room after it.
        let end = place + 30_000 - 4;
        assert!(in_run < end && end < in_run + 2 * 8_192, "{in_run} in {place}..{end}");
    }

    #[test]
    fn a_block_of_64_kib_has_a_sixteenth_inside_where_it_leaves_more_than_two() {
        // The places have 73,728 and 73,744 bytes with the space after them. With its tag, the block has 65,536. It leaves 8,192,
        // twice a sixteenth, and 8,208: of these the block keeps 4,096, and the rest too, which is less than another sixteenth.
        assert_eq!(extent_in(69_392, 65_532, false), 65_536);
        assert_eq!(extent_in(69_408, 65_532, false), 73_744);
    }

    #[test]
    fn a_free_block_of_exactly_the_size_serves_a_request_though_a_longer_one_is_free_too() {
        let (mut subject, block, request) = with_block_of(16_384);
        let longer = request.with_size(18_428);
        let longer_block = subject.allocate(longer).unwrap();
        subject.allocate(Request { size: 600, align: 8 }).unwrap();
        subject.deallocate(block, request);
        subject.deallocate(longer_block, longer);
        assert_eq!(subject.allocate(request), Some(block));
    }

    #[test]
    fn where_the_first_block_of_its_bin_is_too_small_a_request_takes_the_next_longer_one_and_keeps_up_to_a_quarter() {
        // With its tag, the request has 16,400 bytes. The bin of these begins at 16,384, and the next ones at 17,408 and 18,432.
        let (mut subject, small_block, small) = with_block_of(16_384);
        let longer = [17_436, 20_476].map(|size| {
            let longer = small.with_size(size);
            let block = subject.allocate(longer).unwrap();
            subject.allocate(Request { size: 600, align: 8 }).unwrap();
            (block, longer)
        });
        for (block, request) in [(small_block, small)].into_iter().chain(longer) {
            subject.deallocate(block, request);
        }
        let request = small.with_size(16_396);
        let (block, _) = longer[0];
        assert_eq!(subject.allocate(request), Some(block));
        // The rest has 1,040 bytes, which are more than a sixteenth.
        assert_eq!(extent_bytes(&subject, block, request), 17_440);
    }

    #[test]
    fn a_block_that_shrinks_gives_back_what_is_more_than_a_sixteenth_of_it() {
        for (size, bytes) in [(15_420, 16_384), (15_404, 15_408)] {
            let (mut subject, block, whole) = with_block_of(16_384);
            assert_eq!(subject.reallocate(block, whole, size), Some(block));
            assert_eq!(extent_bytes(&subject, block, whole.with_size(size)), bytes);
        }
    }

    /// What is free before and after a block of `size` bytes from the bump pointer, between two small ones.
    fn free_beside(size: u32) -> [u64; 2] {
        let mut subject = heap(Growth::THIRTY_SECOND, SimulatedMemory::new(1040, 1, 16));
        let [before, block, after] = [1_000, size, 1_000].map(|size| {
            let request = Request { size, align: 8 };
            let block = subject.allocate(request).unwrap();
            subject.extent(block, request)
        });
        [block.start - before.end, after.start - block.end]
    }

    #[test]
    fn a_sixteenth_stays_free_before_and_after_a_block_of_64_kib_and_nothing_beside_a_smaller_one() {
        // With its tag, 65,536 and 65,520 bytes.
        assert_eq!(free_beside(65_532), [4_096, 4_096]);
        assert_eq!(free_beside(65_516), [0, 0]);
    }

    /// Whether a small request is served from what a block of `size` bytes leaves where one of `whole` bytes less a tag was
    /// released, and with it the space that was free after it.
    fn rest_serves(whole: u32, size: u32) -> bool {
        let (mut subject, place) = with_place_of(whole);
        assert_eq!(subject.allocate(Request { size, align: 8 }), Some(place));
        let small = subject.allocate(Request { size: 600, align: 8 }).unwrap();
        small < place + whole
    }

    #[test]
    fn what_a_block_of_64_kib_leaves_is_kept_for_it_up_to_an_eighth_and_any_other_rest_serves_any_request() {
        // The places have 73,728 and 73,680 bytes with the space after them. With its tag, the block has 65,536 and 65,520, and
        // leaves 8,192 and 8,160, where an eighth is 8,192 and 8,190.
        assert!(!rest_serves(69_392, 65_532));
        assert!(rest_serves(69_360, 65_516));
        // What is more than an eighth.
        assert!(rest_serves(131_072, 65_532));
    }

    #[test]
    fn blocks_released_in_full_runs_are_handed_out_again_before_a_new_run_is_made() {
        let mut subject = heap(Growth::THIRTY_SECOND, SimulatedMemory::new(1040, 1, 16));
        // 15 fit in a run.
        let request = Request { size: 512, align: 8 };
        let blocks: Vec<u32> = (0..105).map(|_| subject.allocate(request).unwrap()).collect();
        let mut released: Vec<u32> = blocks.iter().copied().step_by(2).collect();
        for &block in &released {
            subject.deallocate(block, request);
        }
        let mut again: Vec<u32> = (0..53).map(|_| subject.allocate(request).unwrap()).collect();
        released.sort_unstable();
        again.sort_unstable();
        assert_eq!(again, released);
    }

    #[test]
    fn a_block_grows_in_place_to_the_last_byte_of_a_free_neighbour_and_no_further() {
        // Spans of 1,008 bytes, one after another; the last of a block's bytes is in the tag's word of the next.
        for (size, in_place) in [(2 * 1008 - 4, true), (2 * 1008 - 3, false)] {
            let mut subject = heap(Growth::THIRTY_SECOND, SimulatedMemory::new(1040, 1, 16));
            let request = Request { size: 1004, align: 8 };
            let blocks = [(); 3].map(|()| subject.allocate(request).unwrap());
            subject.deallocate(blocks[1], request);
            let resized = subject.reallocate(blocks[0], request, size);
            assert_eq!(resized == Some(blocks[0]), in_place, "{size} bytes");
        }
    }

    #[test]
    #[cfg_attr(miri, ignore = "megabytes of memory")]
    fn alloc_zeroed_returns_zeros_from_a_tail_that_was_left_because_the_memory_grew_elsewhere() {
        let mut subject = heap(Growth::Step { pages: 64 }, SimulatedMemory::new(1040, 1, 4096));
        subject.allocate(Request { size: 65_536, align: 8 }).unwrap();
        // It fits into the tail, but not with a reserve before it.
        let size = subject.tail_bytes() - 4;
        assert!(size >= 2 << 20);
        subject.memory().foreign_grow(1);
        let block = subject.allocate_zeroed(Request { size, align: 8 }).unwrap();
        assert!(subject.memory().slice(block, size).iter().all(|&byte| byte == 0));
    }

    #[test]
    #[cfg_attr(miri, ignore = "megabytes of memory")]
    fn fresh_memory_is_not_cleared_whatever_the_size_and_alignment() {
        let mut subject = heap(Growth::THIRTY_SECOND, SimulatedMemory::pages(1, 4096));
        for (size, align) in [
            (1000, 8),
            (200_000, 8),
            (5 << 20, 8),
            (200_000, 4096),
            (3 << 20, 1 << 18),
        ] {
            subject.allocate_zeroed(Request { size, align }).unwrap();
        }
        assert_eq!(subject.memory().cleared_bytes, 0);
    }

    #[test]
    fn growth_in_proportion_counts_all_the_pages_of_the_memory() {
        for (initial_pages, first_growth) in [(1, 1), (2, 2), (17, 17)] {
            // In the last page, as after a stack and static data, and with no initial memory to use.
            for (heap_base, pages) in [
                ((initial_pages - 1) * PAGE_BYTES + 1040, 1),
                (initial_pages * PAGE_BYTES, 0),
            ] {
                let mut subject = heap(Growth::DOUBLING, SimulatedMemory::new(heap_base, pages, 4096));
                while subject.memory().grow_calls.is_empty() {
                    subject.allocate(Request { size: 1000, align: 8 }).unwrap();
                }
                assert_eq!(subject.memory().grow_calls, [first_growth], "{heap_base:#x}");
            }
        }
    }

    /// A heap in one page that cannot grow, which is full except for free blocks of these sizes and alignments: their addresses.
    fn full_except<const N: usize>(
        heap_base: u32,
        free: [(u32, u32); N],
    ) -> (Headerless<MergingHeap<SimulatedMemory>>, [u32; N]) {
        let mut subject = heap(Growth::THIRTY_SECOND, SimulatedMemory::new(heap_base, 1, 1));
        let separator = Request { size: 300, align: 8 };
        let requests = free.map(|(size, align)| Request { size, align });
        let blocks = requests.map(|request| {
            let block = subject.allocate(request).unwrap();
            subject.allocate(separator).unwrap();
            block
        });
        for size in [1000, 260] {
            while subject.allocate(Request { size, align: 8 }).is_some() {}
        }
        for (block, request) in blocks.into_iter().zip(requests) {
            subject.deallocate(block, request);
        }
        (subject, blocks)
    }

    #[test]
    fn a_full_heap_searches_longer_chunks_too_for_one_that_fits_where_it_lies() {
        // The first is in the bin of the request and is not aligned; the second, in the bin above, is.
        let (mut subject, blocks) = full_except(1040, [(5004, 8), (5596, 1024)]);
        assert_ne!(blocks[0] % 1024, 0);
        let aligned = Request {
            size: 5000,
            align: 1024,
        };
        assert_eq!(subject.allocate(aligned), Some(blocks[1]));
    }

    #[test]
    fn a_full_heap_makes_a_run_of_whatever_holds_one() {
        // The first is longer than a run and nowhere aligned for one; the second is, and in a bin above.
        let (mut subject, blocks) = full_except(1040, [(8400, 8), (9100, RUN_BYTES)]);
        assert!(blocks[0].next_multiple_of(RUN_BYTES) > blocks[0] + 300);
        let block = subject.allocate(Request { size: 32, align: 8 }).unwrap();
        assert_eq!(run_around(block), blocks[1]);
    }

    #[test]
    fn the_largest_free_bytes_of_an_unused_heap_are_served_without_growth_and_one_more_is_not() {
        for heap_base in [1032, 1040] {
            for more in 0..=1 {
                let mut subject = heap(Growth::THIRTY_SECOND, SimulatedMemory::new(heap_base, 4, 64));
                let size = subject.0.stats().largest_free_bytes + more;
                subject.allocate(Request { size, align: 8 }).unwrap();
                assert_eq!(
                    subject.memory().grow_calls.len(),
                    more as usize,
                    "{heap_base} and {more} more"
                );
            }
        }
    }
}
