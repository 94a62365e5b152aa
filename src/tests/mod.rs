//! Tests of all heaps, and what they are made of: a simulated memory, the [`model`] with its oracle, and regressions of faults
//! from the field. Tests of one heap are in the folder `tests` of its layer.

pub(crate) mod model;
#[cfg(test)]
mod regressions;
pub(crate) mod simulated_memory;

#[cfg(fuzzing)]
pub use model::fuzz;
