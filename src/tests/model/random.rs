//! How random programs are made: from which seed, which sizes, alignments and events, and how often.

use super::programs::{END_PAGE, Program, Step, fitting};
use super::subject::Calls;
use crate::memory::PAGE_BYTES;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestRng};
use std::vec::Vec;

/// The steps of a program on average: half of the most that there are.
pub(crate) const AVERAGE_STEPS: u32 = if cfg!(miri) { 20 } else { 500 };

/// The pages that a heap may have: 24 MiB.
const SPAN_PAGES: u32 = 384;

/// The seed of the first random input of a test: `FREEING_BUMP_SEED`, or 1.
pub(crate) fn seed() -> u32 {
    number_from_environment("FREEING_BUMP_SEED", 1)
}

/// Random numbers that follow from this seed.
pub(crate) fn generator(seed: u32) -> TestRng {
    let mut bytes = [0; 32];
    bytes[..4].copy_from_slice(&seed.to_le_bytes());
    TestRng::from_seed(RngAlgorithm::ChaCha, &bytes)
}

/// The number that an environment variable is set to, or else the default.
pub(crate) fn number_from_environment(variable: &str, default: u32) -> u32 {
    std::env::var(variable).map_or(default, |text| {
        text.parse()
            .unwrap_or_else(|_| panic!("{variable} is {text:?}; set it to a whole number from 0 to 2^32 - 1"))
    })
}

/// Random programs that this kind of allocator must be able to run.
pub(crate) fn programs<S: Calls>() -> impl Strategy<Value = Program> {
    let all_steps = vec(steps::<S>(), 1..=2 * AVERAGE_STEPS as usize);
    (places(), few_sizes(), all_steps).prop_map(|((heap_base, initial_pages), few, mut steps)| {
        for step in &mut steps {
            match step {
                Step::Allocate { size, align, .. } if !few.is_empty() => {
                    *size = fitting(few[*size as usize % few.len()], *align);
                }
                _ => (),
            }
        }
        Program {
            heap_base,
            initial_pages,
            span_pages: SPAN_PAGES,
            steps,
        }
    })
}

/// The only sizes that a program allocates, as programs do that build structures of small nodes; none for any.
fn few_sizes() -> impl Strategy<Value = Vec<u32>> {
    prop_oneof![Just(Vec::new()), vec(1..=300u32, 1..=3)]
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
        // A module that begins with all the memory there can be.
        1 => (1..=40u32).prop_map(|pages| ((END_PAGE - pages) * PAGE_BYTES + 48, pages)),
    ]
}

fn steps<S: Calls>() -> impl Strategy<Value = Step> {
    let refusals = u32::from(S::SERVES_AFTER_REFUSAL);
    let others = u32::from(S::SHARES_THE_MEMORY);
    // Miri needs seconds for as many bytes.
    let megabytes = u32::from(!cfg!(miri));
    let request = (sizes(), aligns(S::MAX_ALIGN)).prop_map(|(size, align)| (fitting(size, align), align));
    let large = (1u32 << 21..1 << 22, aligns(S::MAX_ALIGN)).prop_map(|(size, align)| (fitting(size, align), align));
    let rest = prop_oneof![0..64u32, 0..2 * PAGE_BYTES];
    let huge = (1u32 << 24..1 << 31, aligns(S::MAX_ALIGN)).prop_map(|(size, align)| (fitting(size, align), align));
    prop_oneof![
        80 => (request, prop::bool::weighted(0.2)).prop_map(|((size, align), zeroed)| Step::Allocate { size, align, zeroed }),
        20 => (any::<u16>(), sizes()).prop_map(|(which, size)| Step::Reallocate { which, size }),
        60 => any::<u16>().prop_map(|which| Step::Release { which }),
        1 => (any::<u16>(), 1..80u8).prop_map(|(first, count)| Step::ReleaseMany { first, count }),
        refusals * 4 => prop_oneof![0..4u32, 0..SPAN_PAGES].prop_map(|pages| Step::AllowGrowth { pages }),
        megabytes => (large, any::<bool>()).prop_map(|((size, align), zeroed)| Step::Allocate { size, align, zeroed }),
        megabytes * others => (rest, aligns(S::MAX_ALIGN), any::<bool>())
            .prop_map(|(less, align, zeroed)| Step::AllocateRest { less, align, zeroed }),
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
