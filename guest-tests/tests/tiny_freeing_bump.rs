//! `TinyFreeingBump` as the global allocator. Run with `cargo make test-guest`.
#![cfg(target_arch = "wasm32")]

mod behaviour;

use freeing_bump::TinyFreeingBump;

#[global_allocator]
static ALLOCATOR: TinyFreeingBump = TinyFreeingBump::new();
