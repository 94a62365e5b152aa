//! Tools that the guest tests share: blocks that know what they should contain, and pages that somebody else owns.
//!
//! The tests themselves are in `tests/`. Each file there is one module with one allocator of `freeing-bump` as its
//! `#[global_allocator]`; `tests/behaviour/` holds the tests that every allocator must pass. The folder `driver` holds the
//! module that `module-checks` runs under the limits that it sets.
#![no_std]

extern crate alloc;

mod block;
#[cfg(target_arch = "wasm32")]
mod memory;
mod model;
mod pattern;
mod text;

pub use block::Block;
#[cfg(target_arch = "wasm32")]
pub use memory::{ForeignPages, PAGE_BYTES, memory_pages};
pub use model::{Model, Outcome};
pub use text::Text;
