//! What a run found out, as data: `report.json` holds it, and everything that is drawn reads it.
//!
//! Uses `shared`.

pub mod figure;
pub mod long_life;
pub mod outcome;
pub mod product;
pub mod report;
#[cfg(test)]
pub mod sample;
pub mod size;
pub mod statistics;
pub mod versions;
pub mod workload;
