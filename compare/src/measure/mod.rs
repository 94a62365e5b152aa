//! Measuring modules: in engines, by their size, over time; and what was measured with.
//!
//! Uses `modules`, `results` and `shared`. What is found out becomes `results`.

pub mod counting;
pub mod engines;
pub mod long_lives;
pub mod mode;
pub mod plan;
pub mod products;
pub mod recording;
pub mod sizes;
mod standard_library;
pub mod threads;
pub mod versions;
pub mod workloads;
