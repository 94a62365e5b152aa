//! Programs decoded from bytes, for the fuzz targets in `fuzz/`: a fuzzer that measures coverage changes the bytes until
//! they lead to code that no input has led to before.
//!
//! ```text
//! | place     | step          | step          | ..     little-endian; after the end there are zeros
//! | u8 u16 u8 | u8, arguments | u8, arguments |
//! ```
//!
//! One function for each target. `cargo test` plays the committed inputs, those in `fuzz/corpus/`.

use super::headerless::Headerless;
use super::input::{Input, SPAN_PAGES};
use super::play::run;
use super::programs::{Program, Step};
use super::subject::{Calls, Subject};
use crate::heaps::Request;
use crate::heaps::checked::{CheckedHeap, hostile};
use crate::heaps::merging::MergingHeap;
#[cfg(feature = "malloc")]
use crate::heaps::merging::TwoSides;
use crate::heaps::tiny::TinyHeap;
use crate::memory::Growth;
use crate::original::Original;
use crate::tests::simulated_memory::SimulatedMemory;
use std::vec::Vec;

/// How many steps a program has at most, since each is checked at the cost of all live blocks.
const MAX_STEPS: usize = 500;

/// Plays an input on the engine of `FreeingBump`.
pub fn freeing_bump(input: &[u8]) {
    let subject = |memory| Headerless(MergingHeap::new(memory, Growth::THIRTY_SECOND));
    play(subject, input);
}

/// Plays an input on the engine of `FreeingBump` while Rust and C take turns.
#[cfg(feature = "malloc")]
pub fn malloc(input: &[u8]) {
    let subject = |memory| Headerless(TwoSides::new(MergingHeap::new(memory, Growth::THIRTY_SECOND)));
    play(subject, input);
}

/// Plays an input on the engine of `TinyFreeingBump`.
pub fn tiny(input: &[u8]) {
    let subject = |memory| Headerless(TinyHeap::new(memory));
    play(subject, input);
}

/// Plays an input on the engine of `CheckedFreeingBump`.
pub fn checked(input: &[u8]) {
    play(CheckedHeap::over, input);
}

/// Plays an input on `FreeingBumpHeapAllocator`, over a memory that grows, and over a byte slice.
pub fn heap_allocator(input: &[u8]) {
    let mut program = program::<Original<true>>(&mut Input(input));
    run(Original::growing(program.memory()), &program);
    program.steps.retain(|step| !matches!(step, Step::AllowGrowth { .. }));
    run(Original::over_slice(program.memory()), &program);
}

/// Plays an input on the engine of `CheckedFreeingBump` while what lies around its live blocks is overwritten.
pub fn hostile_heap(input: &[u8]) {
    hostile::play(&mut Input(input));
}

fn play<S: Subject>(new: impl Fn(SimulatedMemory) -> S, input: &[u8]) {
    let program = program::<S>(&mut Input(input));
    run(new(program.memory()), &program);
}

/// The program that an input stands for, with the steps that this kind of allocator must be able to take.
fn program<S: Calls>(input: &mut Input<'_>) -> Program {
    let (heap_base, initial_pages) = input.place();
    let mut steps = Vec::new();
    while !input.is_empty() && steps.len() < MAX_STEPS {
        let code = input.u8() % 16;
        let step = match code {
            0..=6 => {
                let Request { size, align } = input.request(S::MAX_ALIGN);
                let zeroed = code == 0;
                Step::Allocate { size, align, zeroed }
            }
            7..=8 => Step::Reallocate {
                which: input.u16(),
                size: input.size(),
            },
            9..=12 => Step::Release { which: input.u16() },
            13 => Step::ReleaseMany {
                first: input.u16(),
                count: input.u8(),
            },
            14 => Step::AllowGrowth {
                pages: input.u8().into(),
            },
            _ => Step::GrowByOthers {
                pages: u32::from(input.u8() % 3) + 1,
            },
        };
        if S::SHARES_THE_MEMORY || !matches!(step, Step::GrowByOthers { .. }) {
            let times = if code == 6 { input.u8() } else { 1 };
            steps.extend((0..times).map(|_| step.clone()));
        }
    }
    Program {
        heap_base,
        initial_pages,
        span_pages: SPAN_PAGES,
        steps,
    }
}

#[cfg(test)]
mod tests {
    //! In this file since the inputs are decoded here.
    use super::*;
    use std::fs;
    use std::path::Path;

    /// Passes each committed input of a target to `play`.
    fn replay(target: &str, play: impl Fn(&[u8])) {
        let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
        if !fuzz.exists() {
            std::println!("SKIPPED: the inputs are part of the repository, and not of the published package");
            return;
        }
        let corpus = fuzz.join("corpus").join(target);
        let files = fs::read_dir(&corpus).unwrap_or_else(|error| panic!("{}: {error}", corpus.display()));
        let mut inputs = 0;
        for file in files {
            let path = file.expect("the folder can be read").path();
            // Printed if this input fails.
            std::println!("playing {}", path.display());
            play(&fs::read(&path).expect("the input can be read"));
            inputs += 1;
        }
        assert!(inputs > 0, "{} has no inputs", corpus.display());
    }

    #[test]
    #[cfg_attr(miri, ignore = "Miri's programs see no files")]
    fn freeing_bump_heap_agrees_with_the_oracle_on_the_inputs_that_fuzzing_has_kept() {
        replay("freeing_bump", freeing_bump);
    }

    /// The inputs are those of the same engine with one side.
    #[cfg(feature = "malloc")]
    #[test]
    #[cfg_attr(miri, ignore = "Miri's programs see no files")]
    fn freeing_bump_heap_with_two_sides_agrees_with_the_oracle_on_the_inputs_that_fuzzing_has_kept() {
        replay("freeing_bump", malloc);
    }

    #[test]
    #[cfg_attr(miri, ignore = "Miri's programs see no files")]
    fn tiny_heap_agrees_with_the_oracle_on_the_inputs_that_fuzzing_has_kept() {
        replay("tiny", tiny);
    }

    #[test]
    #[cfg_attr(miri, ignore = "Miri's programs see no files")]
    fn checked_heap_agrees_with_the_oracle_on_the_inputs_that_fuzzing_has_kept() {
        replay("checked", checked);
    }

    #[test]
    #[cfg_attr(miri, ignore = "Miri's programs see no files")]
    fn the_original_agrees_with_the_oracle_on_the_inputs_that_fuzzing_has_kept() {
        replay("heap_allocator", heap_allocator);
    }

    #[test]
    #[cfg_attr(miri, ignore = "Miri's programs see no files")]
    fn checked_heap_hands_out_no_live_byte_on_the_hostile_inputs_that_fuzzing_has_kept() {
        replay("hostile_heap", hostile_heap);
    }
}
