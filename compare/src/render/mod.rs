//! What is drawn: the report as tables, charts, a page, `BENCHMARKS.md`, and the README's figures.
//!
//! Uses `results` and `shared`. Nothing here measures or builds.

mod benchmarks;
pub mod charts;
pub mod files;
mod marked_part;
pub mod overview;
pub mod page;
pub mod publication;
mod readme;
pub mod story;
pub mod tables;
mod words;
