//! `FreeingBump` as the global allocator, in a module that runs out of memory. Run with `cargo make test-guest`.
#![cfg(target_arch = "wasm32")]

mod out_of_memory;

use freeing_bump::FreeingBump;

#[global_allocator]
static ALLOCATOR: FreeingBump = FreeingBump::new();
