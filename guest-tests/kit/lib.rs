//! What the guest tests share: blocks that know what they should contain, and pages that the allocator does not own.
//!
//! It runs in a module and uses nothing of the other folders of `guest-tests`:
//!
//! - `tests`: each file is one module with one allocator of `freeing-bump` as its `#[global_allocator]`. The folders
//!   there hold the tests that several allocators must pass, `behaviour` those for all of them.
//! - `modules`: the modules that `module-checks` builds. `allocator` is the smallest around one allocator, `driver`
//!   drives its own, and `c-code` has libraries written in C, which share its heap.
//! - `module-checks`: tests on the host, which look into these modules and run them under the limits that they set.
#![no_std]

extern crate alloc;

mod block;
mod block_table;
mod exclusive;
#[cfg(target_arch = "wasm32")]
pub mod failure;
#[cfg(target_arch = "wasm32")]
mod memory;
mod pattern;
mod text;

pub use block::Block;
pub use block_table::{BlockTable, Outcome};
pub use exclusive::Exclusive;
#[cfg(target_arch = "wasm32")]
pub use memory::{ForeignPages, PAGE_BYTES, assert_no_growth, memory_pages};
pub use text::Text;
