//! The figures of `FreeingBump`, in a module whose memory no other code grows. Run with `cargo make test-guest`.
#![cfg(target_arch = "wasm32")]

mod heap_stats;

use freeing_bump::FreeingBump;

#[global_allocator]
static ALLOCATOR: FreeingBump = FreeingBump::new();
