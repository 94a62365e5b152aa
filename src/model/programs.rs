//! How random programs are made: which sizes, alignments and events, and how often.

use super::Subject;
use crate::page::PAGE_BYTES;
use crate::simulated_memory::SimulatedMemory;
use proptest::collection::vec;
use proptest::prelude::*;
use std::vec::Vec;

/// The steps of a program on average: half of the most that there are.
pub(crate) const AVERAGE_STEPS: u32 = 500;

/// The pages that a heap may have, from its first page to where growth is always refused: 24 MiB.
const SPAN_PAGES: u32 = 384;

/// The last page number that there can be, and one more.
const END_PAGE: u32 = 65_536;

/// Where the heap lies, and what happens to it.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    pub(crate) heap_base: u32,
    pub(crate) initial_pages: u32,
    pub(crate) steps: Vec<Step>,
}

impl Program {
    /// The program's memory, as it is before the first step.
    pub(crate) fn memory(&self) -> SimulatedMemory {
        SimulatedMemory::new(self.heap_base, self.initial_pages, self.limit_pages())
    }

    /// The page at which growth is refused whatever the steps say.
    pub(crate) fn limit_pages(&self) -> u32 {
        (self.heap_base / PAGE_BYTES + SPAN_PAGES).min(END_PAGE)
    }
}

/// One event. Blocks are named by their number in the order of their addresses, modulo how many are live.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Allocate { size: u32, align: u32, zeroed: bool },
    Reallocate { which: u16, size: u32 },
    Release { which: u16 },
    ReleaseMany { first: u16, count: u8 },
    AllowGrowth { pages: u32 },
    GrowByOthers { pages: u32 },
}

/// Random programs that this kind of allocator must be able to run.
pub(crate) fn programs<S: Subject>() -> impl Strategy<Value = Program> {
    (places(), vec(steps::<S>(), 1..=2 * AVERAGE_STEPS as usize)).prop_map(|((heap_base, initial_pages), steps)| {
        Program {
            heap_base,
            initial_pages,
            steps,
        }
    })
}

/// A heap base and how many pages of initial memory there are from there on.
pub(crate) fn places() -> impl Strategy<Value = (u32, u32)> {
    prop_oneof![
        // A module with static data in front of the heap, which the linker aligns to 16.
        6 => (1..4096u32, 1..=4u32).prop_map(|(base, pages)| (base * 16, pages)),
        // No initial memory to use.
        2 => prop_oneof![Just(1), Just(17)].prop_map(|page| (page * PAGE_BYTES, 0u32)),
        // The last pages below 4 GiB.
        2 => (1..=40u32).prop_map(|pages| ((END_PAGE - pages) * PAGE_BYTES, 0)),
        1 => (1..=40u32).prop_map(|pages| ((END_PAGE - 1 - pages) * PAGE_BYTES + 48, 1)),
    ]
}

fn steps<S: Subject>() -> impl Strategy<Value = Step> {
    let refusals = u32::from(S::SERVES_AFTER_REFUSAL);
    let others = u32::from(S::SHARES_THE_MEMORY);
    let request = (sizes(), aligns(S::MAX_ALIGN)).prop_map(|(size, align)| (fitting(size, align), align));
    let huge = (1u32 << 24..1 << 31, aligns(S::MAX_ALIGN)).prop_map(|(size, align)| (fitting(size, align), align));
    prop_oneof![
        80 => (request, prop::bool::weighted(0.2)).prop_map(|((size, align), zeroed)| Step::Allocate { size, align, zeroed }),
        20 => (any::<u16>(), sizes()).prop_map(|(which, size)| Step::Reallocate { which, size }),
        60 => any::<u16>().prop_map(|which| Step::Release { which }),
        1 => (any::<u16>(), 1..80u8).prop_map(|(first, count)| Step::ReleaseMany { first, count }),
        refusals * 4 => prop_oneof![0..4u32, 0..SPAN_PAGES].prop_map(|pages| Step::AllowGrowth { pages }),
        refusals => huge.prop_map(|(size, align)| Step::Allocate { size, align, zeroed: false }),
        others => (1..=3u32).prop_map(|pages| Step::GrowByOthers { pages }),
    ]
}

/// Sizes in bytes: mostly small, many at the bounds of size classes, some of many pages.
pub(crate) fn sizes() -> impl Strategy<Value = u32> {
    prop_oneof![
        40 => 1..=128u32,
        20 => 1..=2048u32,
        // Within 1 of a bound, for size classes that divide each doubling by 8.
        20 => (8..16u32, 0..=13u32, 0..=2u32).prop_map(|(eighths, doublings, plus)| (eighths << doublings >> 3) + plus),
        // Within 24 of some pages.
        1 => (1..=6u32, 0..=48u32).prop_map(|(pages, plus)| pages * PAGE_BYTES + plus - 24),
        2 => 1..=20_000u32,
        1 => 1..=400_000u32,
    ]
}

/// Alignments: mostly those of Rust's own types, seldom up to `max` bytes.
pub(crate) fn aligns(max: u32) -> impl Strategy<Value = u32> {
    prop_oneof![
        40 => 0..=3u32,
        4 => 4..=7u32,
        2 => 8..=16u32,
        // More than a page.
        1 => 17..=19u32,
    ]
    .prop_map(move |log2| (1 << log2).min(max))
}

/// The size, or the largest that a `Layout` of this alignment may have if that is less, but never 0.
pub(crate) fn fitting(size: u32, align: u32) -> u32 {
    size.clamp(1, (1 << 31) - align)
}
