//! What is drawn: the report as tables, charts, a page, and `BENCHMARKS.md`.
//!
//! Uses `results` and `shared`. Nothing here measures or builds.

pub mod benchmarks;
pub mod charts;
pub mod files;
pub mod overview;
pub mod page;
pub mod tables;
