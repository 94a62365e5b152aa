//! `FreeingBump` inside `Outlined` as the global allocator. Run with `cargo make test-guest`.
#![cfg(target_arch = "wasm32")]

mod behaviour;

use freeing_bump::{FreeingBump, Outlined};

#[global_allocator]
static ALLOCATOR: Outlined<FreeingBump> = Outlined::new(FreeingBump::new());
