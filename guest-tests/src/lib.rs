//! Tools that the guest tests share: blocks that know what they should contain, and pages that somebody else owns.
//!
//! The tests themselves are in `tests/`. Each file there is one module with one allocator of `freeing-bump` as its
//! `#[global_allocator]`; `tests/behaviour/` holds the tests that every allocator must pass.

mod block;
#[cfg(target_arch = "wasm32")]
mod memory;
mod pattern;

pub use block::Block;
#[cfg(target_arch = "wasm32")]
pub use memory::{ForeignPages, PAGE_BYTES, memory_pages};
