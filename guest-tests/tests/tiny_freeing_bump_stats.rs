//! The figures of `TinyFreeingBump`, in a module whose memory no other code grows. Run with `cargo make test-guest`.
#![cfg(target_arch = "wasm32")]

mod heap_stats;

use freeing_bump::TinyFreeingBump;

#[global_allocator]
static ALLOCATOR: TinyFreeingBump = TinyFreeingBump::new();
