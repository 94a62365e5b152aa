//! Memory: its pages, how it grows, and in `linear` its bytes. This layer uses no other.

mod growth;
#[cfg(any(target_arch = "wasm32", test, fuzzing))]
pub(crate) mod linear;
mod page;

pub use growth::Growth;
#[cfg(any(target_arch = "wasm32", test, fuzzing))]
pub(crate) use page::{ALL_PAGES, PAGE_SHIFT};
pub(crate) use page::{PAGE_BYTES, PageCount};
