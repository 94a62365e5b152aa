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
//! still fails, and prints it with the seed. A later run with that seed plays the program first, and looks in the same way:
//!
//! ```text
//! FREEING_BUMP_SEED=17 cargo test model
//! ```
//!
//! [`fuzz`] decodes programs from the inputs of a fuzzer instead.
//!
//! To put another heap to the test: implement [`Surveyed`](headerless::Surveyed) for it in a file `subject.rs` in the
//! folder `tests` beside it, and call [`test_programs`] there with `Headerless` around it.

pub mod fuzz;
pub(crate) mod headerless;
pub(crate) mod input;
#[cfg(test)]
pub(crate) mod misuse;
pub(crate) mod oracle;
pub(crate) mod play;
pub(crate) mod programs;
#[cfg(test)]
pub(crate) mod random;
#[cfg(test)]
pub(crate) mod runner;
mod subject;

#[cfg(test)]
pub(crate) use runner::test_programs;
#[cfg(feature = "walk")]
pub(crate) use subject::Use;
pub(crate) use subject::{Calls, Fallible, Idle, Subject, Totals};
