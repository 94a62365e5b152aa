//! Random programs against an oracle: what every heap of this crate is compared with, step by step.
//!
//! A [`Program`] is a place for the heap in the address space and a list of [`Step`]s: requests of skewed sizes and
//! alignments, resizing, releases, growth that is refused, pages that others take. [`run`] plays it on a [`Subject`] and
//! asserts after each step what [`oracle`] knows: no overlap, alignment, contents kept, zeros where they are promised,
//! each byte of the memory in exactly one use, figures that agree, nothing lost by a refusal.
//!
//! `cargo test` plays 100,000 steps for each allocator; another number is given by an environment variable:
//!
//! ```text
//! FREEING_BUMP_MODEL_STEPS=10000000 cargo test model
//! ```
//!
//! Each program is made from a seed of its own: 1, 2 and so on. When one fails, proptest looks for the shortest one that
//! still does, and prints it with the seed, from which a later run plays that program first and looks in the same way:
//!
//! ```text
//! FREEING_BUMP_SEED=17 cargo test model
//! ```
//!
//! [`fuzz`] decodes programs from the inputs of a fuzzer instead.
//!
//! To put another heap to the test: implement [`Surveyed`](headerless::Surveyed) for it in a file `model.rs` below its
//! own, and call [`test_programs`] there with `Headerless` around it.

pub mod fuzz;
pub(crate) mod headerless;
#[cfg(test)]
pub(crate) mod misuse;
pub(crate) mod oracle;
pub(crate) mod programs;
#[cfg(test)]
pub(crate) mod random;

use crate::checked_heap::Request;
use crate::error::Error;
use crate::page::PAGE_BYTES;
use crate::simulated_memory::SimulatedMemory;
use core::ops::Range;
use oracle::{Oracle, Totals, consists_of};
use programs::{Program, Step};
#[cfg(test)]
use proptest::strategy::Strategy;
#[cfg(test)]
use proptest::test_runner::{Config, TestRunner};
use std::vec::Vec;

/// How many steps each allocator is driven through unless the environment says otherwise: few under Miri, which
/// interprets the making of the programs too.
#[cfg(test)]
const DEFAULT_STEPS: u32 = if cfg!(miri) { 20 } else { 100_000 };

/// How many inputs are tried at most in search of the shortest one that fails.
#[cfg(test)]
const MAX_TRIES: u32 = 2_000;

/// What the bytes outside live blocks are used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Idle {
    /// Free: released, or cut off before an aligned block.
    Free,
    /// Never handed out.
    NeverUsed,
    /// The heap's own: where it keeps its state.
    Overhead,
}

/// The calls on an allocator together with the memory that it allocates from.
pub(crate) trait Calls {
    /// The largest alignment that may be asked for.
    const MAX_ALIGN: u32;

    /// Whether others may grow the memory.
    const SHARES_THE_MEMORY: bool;

    /// Whether the allocator goes on after a refusal. If not it must refuse everything from then on.
    const SERVES_AFTER_REFUSAL: bool;

    /// The memory.
    fn memory(&mut self) -> &mut SimulatedMemory;

    /// A block's address, or none.
    fn allocate(&mut self, request: Request) -> Option<u32>;

    /// The same, with zeros; provided as `GlobalAlloc` provides it.
    fn allocate_zeroed(&mut self, request: Request) -> Option<u32> {
        let address = self.allocate(request)?;
        self.memory().slice(address, request.size).fill(0);
        Some(address)
    }

    /// The bytes behind the bump pointer; 0 from an allocator that does not tell.
    fn never_used_bytes(&self) -> u32 {
        0
    }

    /// Resizes a live block, or leaves it alone and returns none.
    fn reallocate(&mut self, address: u32, request: Request, new_size: u32) -> Option<u32>;

    /// Releases a live block.
    fn deallocate(&mut self, address: u32, request: Request);
}

/// A subject that tells what it uses each byte of its memory for.
pub(crate) trait Subject: Calls {
    /// All the bytes that the live block at this address takes, with its header and what it was rounded up by.
    fn extent(&self, address: u32, request: Request) -> Range<u64>;

    /// How many bytes an extent for this request has at least.
    fn extent_bytes(&self, request: Request) -> u64;

    /// The ranges of the heap in no live block, when these blocks are live.
    fn idle(&self, live: &[(u32, Request)]) -> Vec<(Idle, Range<u64>)>;

    /// Whether this free range must serve the request; provided for allocators that find whatever fits exactly.
    fn serves(&self, free: &Range<u64>, request: Request) -> bool {
        free.end - free.start == self.extent_bytes(request) && request.align <= PAGE_BYTES
    }

    /// Asserts that the allocator's own figures are these.
    fn check_figures(&self, totals: &Totals);
}

/// A subject that tells errors.
pub(crate) trait Fallible: Calls {
    /// Whether it is told the layout at a release, so that overwritten headers can be told from others.
    const KNOWS_LAYOUTS: bool;

    /// A block's address.
    fn try_allocate(&mut self, request: Request) -> Result<u32, Error>;

    /// Releases what was allocated at this address, or whatever the caller claims was.
    fn try_deallocate(&mut self, address: u32, request: Request) -> Result<(), Error>;

    /// The address of the header that a release of this goes by, if that reads as a block's in use whose layout this is.
    fn header_in_use(&self, address: u32, request: Request) -> Option<u32>;

    /// Whether there was an error.
    fn is_poisoned(&self) -> bool;
}

/// Plays as many random programs as the number of steps asks for, each on a subject that `new` makes for its memory.
#[cfg(test)]
pub(crate) fn test_programs<S: Subject>(new: impl Fn(SimulatedMemory) -> S) {
    test_random(random::programs::<S>(), random::AVERAGE_STEPS, |program| {
        run(new(program.memory()), &program);
    });
}

/// Passes random inputs to `test`: as many as the number of steps asks for when they have this many on average.
#[cfg(test)]
pub(crate) fn test_random<I: Strategy>(inputs: I, average_steps: u32, test: impl Fn(I::Value)) {
    let steps = random::number_from_environment("FREEING_BUMP_MODEL_STEPS", DEFAULT_STEPS);
    let first = random::seed();
    for number in 0..steps.div_ceil(average_steps) {
        test_seed(first.wrapping_add(number), &inputs, &test);
    }
}

/// Passes the input that is made from this seed to `test`. If that fails, panics with the shortest input that fails.
#[cfg(test)]
fn test_seed<I: Strategy>(seed: u32, inputs: &I, test: &impl Fn(I::Value)) {
    let mut config = Config::with_cases(1);
    config.max_shrink_iters = MAX_TRIES;
    // The seed is all that is needed to play an input again.
    config.failure_persistence = None;
    TestRunner::new_with_rng(config, random::generator(seed))
        .run(inputs, |input| {
            test(input);
            Ok(())
        })
        .unwrap_or_else(|failure| panic!("FREEING_BUMP_SEED={seed} plays this first: {failure}"));
}

/// Plays one program, asserting after each step, and then releases everything.
pub(crate) fn run<S: Subject>(mut subject: S, program: &Program) {
    let mut oracle = Oracle::new();
    oracle.check(&mut subject);
    for step in &program.steps {
        let served = play(&mut subject, &mut oracle, program, step);
        oracle.check(&mut subject);
        if !served && !S::SERVES_AFTER_REFUSAL {
            assert!(
                subject.allocate(Request { size: 1, align: 1 }).is_none(),
                "a poisoned allocator has served a request"
            );
            oracle.check_all_contents(subject.memory());
            return;
        }
    }
    while let Some((address, request)) = oracle.release_nth(subject.memory(), 0) {
        subject.deallocate(address, request);
    }
    oracle.check(&mut subject);
    oracle.check_the_memory_of_others(subject.memory());
}

/// Plays one step. False if a request was refused.
fn play<S: Subject>(subject: &mut S, oracle: &mut Oracle, program: &Program, step: &Step) -> bool {
    match *step {
        Step::Allocate { size, align, zeroed } => {
            let request = Request { size, align };
            let answer = if zeroed {
                subject.allocate_zeroed(request)
            } else {
                subject.allocate(request)
            };
            let Some(address) = answer else {
                check_refusal(subject, oracle, request);
                return false;
            };
            if zeroed {
                let bytes = subject.memory().slice(address, size);
                assert!(consists_of(bytes, 0), "alloc_zeroed left a byte that is not 0");
            }
            oracle.place(subject.memory(), address, request);
        }
        Step::AllocateRest { less, align, zeroed } => {
            let size = subject.never_used_bytes().saturating_sub(less);
            if size != 0 {
                let size = programs::fitting(size, align);
                return play(subject, oracle, program, &Step::Allocate { size, align, zeroed });
            }
        }
        Step::Reallocate { which, size } => {
            let Some((address, request)) = oracle.nth(which) else {
                return true;
            };
            let new_request = Request {
                size: programs::fitting(size, request.align),
                align: request.align,
            };
            let Some(new_address) = subject.reallocate(address, request, new_request.size) else {
                check_refusal(subject, oracle, new_request);
                return false;
            };
            oracle.moved(subject.memory(), address, new_address, new_request);
        }
        Step::Release { which } => {
            if let Some((address, request)) = oracle.release_nth(subject.memory(), which) {
                subject.deallocate(address, request);
            }
        }
        Step::ReleaseMany { first, count } => {
            for _ in 0..count {
                if let Some((address, request)) = oracle.release_nth(subject.memory(), first) {
                    subject.deallocate(address, request);
                }
            }
        }
        Step::AllowGrowth { pages } => {
            let memory = subject.memory();
            memory.limit_pages = program.limit_pages().min(memory.end_page() + pages);
        }
        Step::GrowByOthers { pages } => {
            let memory = subject.memory();
            if memory.end_page() + pages <= program.limit_pages() {
                memory.foreign_grow(pages);
            }
        }
    }
    true
}

/// Asserts that a refused request could not have been served, and that what lives is as it was.
fn check_refusal<S: Subject>(subject: &mut S, oracle: &Oracle, request: Request) {
    oracle.check_all_contents(subject.memory());
    let needed = subject.extent_bytes(request);
    let idle = subject.idle(&oracle.live());
    let reusable = idle
        .iter()
        .find(|(idle, range)| *idle == Idle::Free && subject.serves(range, request));
    assert_eq!(reusable, None, "a request was refused although a free block serves it");

    let never_used = idle
        .iter()
        .filter(|(idle, _)| *idle == Idle::NeverUsed)
        .map(|(_, range)| range.end - range.start)
        .max();
    let memory = subject.memory();
    let room = u64::from(
        memory
            .limit_pages
            .min(memory.ceiling_pages)
            .saturating_sub(memory.end_page()),
    ) * u64::from(PAGE_BYTES);
    // Up to an alignment can be lost before the block, and a page to where the memory ends.
    let slack = u64::from(request.align.max(PAGE_BYTES)) + u64::from(PAGE_BYTES);
    assert!(
        never_used.unwrap_or(0) + room < needed + slack,
        "a request for {needed} bytes was refused with {never_used:?} bytes never used and {room} to grow by"
    );
}

#[cfg(test)]
mod tests {
    //! In this file since `test_seed` is private.
    use super::*;
    use core::cell::Cell;
    use proptest::prelude::any;
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::string::String;

    /// The first input that is made from this seed, and with what message a test fails that wants numbers below 16.
    fn first_input_and_failure(seed: u32) -> (u32, Option<String>) {
        let first = Cell::new(None);
        let result = catch_unwind(AssertUnwindSafe(|| {
            test_seed(seed, &any::<u32>(), &|input: u32| {
                first.set(first.get().or(Some(input)));
                assert!(input < 16, "{input} is too large");
            });
        }));
        let failure = result
            .err()
            .map(|panic| *panic.downcast().expect("the message is made of parts"));
        (first.get().expect("the test is called"), failure)
    }

    #[test]
    #[cfg_attr(miri, ignore = "hundreds of panics, which Miri needs minutes for")]
    fn a_random_test_that_fails_tells_the_seed_and_the_smallest_input_and_plays_both_again() {
        for seed in [1, u32::MAX] {
            let (input, failure) = first_input_and_failure(seed);
            assert_eq!(first_input_and_failure(seed), (input, failure.clone()));
            assert_ne!(first_input_and_failure(seed.wrapping_add(1)).0, input);
            let failure = failure.expect("numbers below 16 are rare, and not made from these seeds");
            assert!(
                failure.starts_with(&std::format!("FREEING_BUMP_SEED={seed} "))
                    && failure.ends_with("minimal failing input: 16"),
                "{failure}"
            );
        }
    }
}
