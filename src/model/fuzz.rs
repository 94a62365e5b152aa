//! Programs decoded from bytes, for the fuzz targets in `fuzz/`: a fuzzer that measures coverage changes the bytes until
//! they lead to code that no input has led to before.
//!
//! ```text
//! | place     | step          | step          | ..     little-endian; behind the end there are zeros
//! | u8 u16 u8 | u8, arguments | u8, arguments |
//! ```
//!
//! One function for each target. `cargo test` plays the committed inputs, those in `fuzz/corpus/`.

use super::headerless::Headerless;
use super::programs::{END_PAGE, Program, Step, fitting};
use super::{Calls, Subject, run};
use crate::checked_heap::{CheckedHeap, Request, hostile};
use crate::freeing_bump_heap::FreeingBumpHeap;
use crate::growth::Growth;
use crate::heap_allocator::model::Original;
use crate::page::PAGE_BYTES;
use crate::simulated_memory::SimulatedMemory;
use crate::tiny_heap::TinyHeap;
use std::vec::Vec;

/// How many steps a program has at most, since each is checked at the cost of all live blocks.
const MAX_STEPS: usize = 500;

/// The pages that a heap may have: 3 MiB, since all of it is compared at each refusal.
pub(crate) const SPAN_PAGES: u32 = 48;

/// Plays an input on the engine of `FreeingBump`.
pub fn freeing_bump(input: &[u8]) {
    let subject = |memory| Headerless {
        heap: FreeingBumpHeap::new(Growth::THIRTY_SECOND),
        memory,
    };
    play(subject, input);
}

/// Plays an input on the engine of `TinyFreeingBump`.
pub fn tiny(input: &[u8]) {
    let subject = |memory| Headerless {
        heap: TinyHeap::new(),
        memory,
    };
    play(subject, input);
}

/// Plays an input on the engine of `CheckedFreeingBump`.
pub fn checked(input: &[u8]) {
    play(CheckedHeap::new, input);
}

/// Plays an input on `FreeingBumpHeapAllocator`, over a memory that grows, and over a byte slice.
pub fn heap_allocator(input: &[u8]) {
    let mut program = program::<Original<true>>(&mut Input(input));
    run(Original::growing(program.memory()), &program);
    program.steps.retain(|step| !matches!(step, Step::AllowGrowth { .. }));
    run(Original::over_slice(program.memory()), &program);
}

/// Plays an input on the engine of `CheckedFreeingBump` while somebody overwrites what lies around its live blocks.
pub fn hostile_heap(input: &[u8]) {
    hostile::play(&mut Input(input));
}

fn play<S: Subject>(new: impl Fn(SimulatedMemory) -> S, input: &[u8]) {
    let program = program::<S>(&mut Input(input));
    run(new(program.memory()), &program);
}

/// The bytes of an input that were not read yet.
pub(crate) struct Input<'a>(&'a [u8]);

impl Input<'_> {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn u8(&mut self) -> u8 {
        self.bytes::<1>()[0]
    }

    pub(crate) fn u16(&mut self) -> u16 {
        u16::from_le_bytes(self.bytes())
    }

    pub(crate) fn u64(&mut self) -> u64 {
        u64::from_le_bytes(self.bytes())
    }

    fn bytes<const LEN: usize>(&mut self) -> [u8; LEN] {
        let mut bytes = [0; LEN];
        let (read, rest) = self.0.split_at(LEN.min(self.0.len()));
        bytes[..read.len()].copy_from_slice(read);
        self.0 = rest;
        bytes
    }

    /// A heap base, and how many pages of initial memory there are from there on.
    pub(crate) fn place(&mut self) -> (u32, u32) {
        let (kind, offset, pages) = (self.u8() % 4, u32::from(self.u16()), u32::from(self.u8()) % 4);
        let within_page = offset * 16 % PAGE_BYTES;
        let last_pages = (END_PAGE - 1 - offset % 40) * PAGE_BYTES;
        match kind {
            // A module with static data in front of the heap, which the linker aligns to 16.
            0 => (within_page.max(16), pages + 1),
            // No initial memory to use.
            1 => ((pages + 1) * PAGE_BYTES, 0),
            // The last pages below 4 GiB.
            2 => (last_pages, 0),
            _ => (last_pages + within_page, 1),
        }
    }

    /// A size in bytes: 11 bits behind a highest bit 1, shifted to where 5 bits say. Up to 512 KiB, or about 256 MiB.
    pub(crate) fn size(&mut self) -> u32 {
        let bits = u64::from(self.u16());
        let shift = match bits % 32 {
            shift @ 0..=18 => shift,
            31 => 27,
            shift => shift - 16,
        };
        ((1 << 11 | bits >> 5) << shift >> 11) as u32
    }

    /// A size and an alignment of up to `max`, which is most often one of Rust's own types.
    pub(crate) fn request(&mut self, max_align: u32) -> Request {
        let log2 = [3, 2, 1, 0, 3, 2, 3, 4, 4, 5, 6, 8, 12, 16, 17, 19][usize::from(self.u8()) % 16];
        let align = (1 << log2).min(max_align);
        let size = fitting(self.size(), align);
        Request { size, align }
    }
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
