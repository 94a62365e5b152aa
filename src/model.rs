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
//! When a program fails, proptest looks for the shortest one that still does and prints it. Its seed goes to a file
//! under `proptest-regressions/`, from which every later `cargo test` plays it first: commit that file with the fix.
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
use proptest::test_runner::{Config, TestRunner};
use std::vec::Vec;

/// How many steps each allocator is driven through unless the environment says otherwise: few under Miri, which
/// interprets the making of the programs too.
#[cfg(test)]
const DEFAULT_STEPS: u32 = if cfg!(miri) { 20 } else { 100_000 };

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

    /// Whether there was an error.
    fn is_poisoned(&self) -> bool;
}

/// What is asserted while a program runs.
pub(crate) struct Checks<S> {
    /// After each step.
    step: fn(&mut S, &Oracle),
    /// After a request was refused.
    refusal: fn(&mut S, &Oracle, Request),
}

impl<S: Subject> Checks<S> {
    /// That each byte has one use, and that what was refused could not have been served.
    pub(crate) fn of_each_byte() -> Self {
        Checks {
            step: |subject, oracle| {
                oracle.check(subject);
            },
            refusal: check_refusal,
        }
    }
}

/// Plays as many random programs as the number of steps asks for, each on a subject that `new` makes for its memory.
#[cfg(test)]
pub(crate) fn test_programs<S: Subject>(source_file: &'static str, new: impl Fn(SimulatedMemory) -> S) {
    TestRunner::new(config(source_file, random::AVERAGE_STEPS))
        .run(&random::programs::<S>(), |program| {
            run(new(program.memory()), &program, &Checks::of_each_byte());
            Ok(())
        })
        .unwrap_or_else(|failure| panic!("{failure}"));
}

/// proptest's settings for a test in this source file whose programs have this many steps on average.
#[cfg(test)]
pub(crate) fn config(source_file: &'static str, average_steps: u32) -> Config {
    let steps = std::env::var("FREEING_BUMP_MODEL_STEPS").map_or(DEFAULT_STEPS, |steps| {
        steps
            .parse()
            .unwrap_or_else(|_| panic!("FREEING_BUMP_MODEL_STEPS is {steps:?}: set it to a number of steps"))
    });
    let mut config = Config::with_cases(steps.div_ceil(average_steps));
    config.source_file = Some(source_file);
    // Miri's programs see no file system.
    if cfg!(miri) {
        config.failure_persistence = None;
    }
    config
}

/// Plays one program, asserting after each step, and then releases everything.
pub(crate) fn run<S: Calls>(mut subject: S, program: &Program, checks: &Checks<S>) {
    let mut oracle = Oracle::new();
    (checks.step)(&mut subject, &oracle);
    for step in &program.steps {
        let served = play(&mut subject, &mut oracle, program, step, checks);
        (checks.step)(&mut subject, &oracle);
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
    (checks.step)(&mut subject, &oracle);
    oracle.check_the_memory_of_others(subject.memory());
}

/// Plays one step. False if a request was refused.
fn play<S: Calls>(subject: &mut S, oracle: &mut Oracle, program: &Program, step: &Step, checks: &Checks<S>) -> bool {
    match *step {
        Step::Allocate { size, align, zeroed } => {
            let request = Request { size, align };
            let answer = if zeroed {
                subject.allocate_zeroed(request)
            } else {
                subject.allocate(request)
            };
            let Some(address) = answer else {
                refused(subject, oracle, request, checks);
                return false;
            };
            if zeroed {
                let bytes = subject.memory().slice(address, size);
                assert!(consists_of(bytes, 0), "alloc_zeroed left a byte that is not 0");
            }
            oracle.place(subject.memory(), address, request);
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
                refused(subject, oracle, new_request, checks);
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

/// Asserts that a refusal was right, and that what lives is as it was.
fn refused<S: Calls>(subject: &mut S, oracle: &Oracle, request: Request, checks: &Checks<S>) {
    oracle.check_all_contents(subject.memory());
    (checks.refusal)(subject, oracle, request);
}

/// Asserts that a refused request could not have been served.
fn check_refusal<S: Subject>(subject: &mut S, oracle: &Oracle, request: Request) {
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
    let room = u64::from(memory.limit_pages.saturating_sub(memory.end_page())) * u64::from(PAGE_BYTES);
    // Up to an alignment can be lost before the block, and a page to where the memory ends.
    let slack = u64::from(request.align.max(PAGE_BYTES)) + u64::from(PAGE_BYTES);
    assert!(
        never_used.unwrap_or(0) + room < needed + slack,
        "a request for {needed} bytes was refused with {never_used:?} bytes never used and {room} to grow by"
    );
}
