//! What a run found out, as data: `report.json` holds it, and everything that is drawn reads it. A profile of a heap is the
//! data of one of the user's programs.
//!
//! An [`outcome`] is what an engine found out. A [`figure`] is made of it, with its ratio to the reference. Figures make
//! the rows of the [`report`]: of a [`workload`], a [`product`], a program that has a [`long_life`], a [`size`].
//!
//! Uses `shared`.

pub mod figure;
pub mod heap_profile;
pub mod long_life;
pub mod outcome;
pub mod product;
pub mod report;
#[cfg(test)]
pub mod sample;
pub mod size;
pub mod statistics;
pub mod threads;
pub mod versions;
pub mod workload;
