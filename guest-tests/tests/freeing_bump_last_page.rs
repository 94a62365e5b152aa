//! `FreeingBump` as the global allocator, in a memory that grows to 4 GiB. Run with `cargo make test-guest`.
#![cfg(target_arch = "wasm32")]

mod last_page;

use freeing_bump::FreeingBump;

#[global_allocator]
static ALLOCATOR: FreeingBump = FreeingBump::new();
