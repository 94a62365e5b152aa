//! A module with libraries written in C, which take their memory from FreeingBump, as its Rust code does.
//!
//! Each library gets random work with an oracle, and blocks go from one side to the other: what C has allocated is
//! released by Rust, and the other way round. `module-checks` builds this crate for each target and calls its exports. A check
//! that fails leaves a text for the host and traps. Everywhere but on wasm32 the crate is empty.
//!
//! From the top: [`exports`]; [`sqlite`], [`tree_sitter`] and [`zstd`], a library each; [`both_sides`], the blocks that go from
//! side to side; [`c_heap`], C's functions.
#![cfg(target_arch = "wasm32")]
#![no_std]

extern crate alloc;

mod both_sides;
mod c_heap;
mod exports;
mod sqlite;
mod tree_sitter;
mod zstd;

use freeing_bump::FreeingBump;

#[global_allocator]
static ALLOCATOR: FreeingBump = FreeingBump::new();
