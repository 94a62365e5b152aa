//! Global allocators for programs compiled to wasm32: the freeing-bump algorithm inside the module, over its own linear
//! memory. No dependencies, no imports, no panic.
//!
//! ```
//! # #[cfg(target_arch = "wasm32")]
//! # mod module {
//! use freeing_bump::FreeingBump;
//!
//! #[global_allocator]
//! static ALLOCATOR: FreeingBump = FreeingBump::new();
//! # }
//! ```
//!
//! A crate that is built for other targets as well puts `#[cfg(target_arch = "wasm32")]` before both items.
//!
//! # Which one
//!
//! | allocator | for | what it is |
//! |---|---|---|
//! | `FreeingBump` | the default | the freeing-bump hot path, size class, free list, bump pointer, in front of a heap that merges what is released |
//! | `TinyFreeingBump` | modules in which each byte counts | power-of-two sizes without a header, one free list for each, a bump pointer |
//! | `CheckedFreeingBump` | finding memory bugs; code that must stop rather than go on with a broken heap | the original algorithm with its 8-byte header, checked at each release, poisoned after an error |
//! | [`FreeingBumpHeapAllocator`] | embedders and tests, on the host too | the original algorithm over any [`Memory`]; the engine of `CheckedFreeingBump` |
//!
//! [`Outlined`] around one of them takes less code and more time in programs that are optimized for speed.
//!
//! The three global allocators exist on wasm32 alone: on wasm32-unknown-unknown, wasm32v1-none and wasm32-wasip1. They serve
//! modules with one thread that have their memory to themselves. For wasm the crate compiles in no other build: not for
//! components (wasm32-wasip2), threads, other systems with a C library, side modules or 64-bit memories.
//!
//! # Features
//!
//! None by default. `trace` adds `Traced`, which reports each call to a function of yours; `record` adds `Recorder`, which
//! records all calls for `cargo make replay` of the repository. Rust 1.85 or later.
//!
//! What is guaranteed, under which assumptions, and how it is tested: [`promise`].
//!
//! # Words
//!
//! - **Page**: 64 KiB, the unit in which a linear memory grows.
//! - **Block**: the bytes that a caller sees, as they were rounded up; a header, if there is one, comes before it.
//! - **Order**, **size class**: which sizes a block serves; blocks of one order are alike.
//! - **Free list**: the free blocks of one order, each linked to the next, the last one released on top.
//! - **Bump pointer**, **bumper**: the address of the first byte that was never handed out.
//! - **Fresh**: never handed out, and added by `memory.grow`, which fills it with zeros.
//! - **Poisoned**: serving nothing any more, since an error has occurred.
//!
//! # Layers
//!
//! Each file uses those below it only.
//!
//! | layer | files |
//! |---|---|
//! | global allocators: layouts, pointers, the one thread (`build.rs` refuses the builds in which they would be unsound) | `freeing_bump`, `tiny`, `checked`, `cell`; `outlined`, `trace` and `recorder` wrap any |
//! | heaps: addresses in a linear memory | `freeing_bump_heap` over `runs` with `tagged_slots`, and `tagged_heap` with its `bins`; `tiny_heap`, `checked_heap` over `heap_allocator`; `heap` says what a heap does |
//! | sizes, lists, and what blocks look like | `size_class`, `order`, `header` |
//! | memory: bytes, pages, `memory.grow` | `memory`, `linear_memory`, `growth`, `growth_word`, `page_limit`, `page` |
//! | values | `error`, `stats` |
//!
//! Heaps deal in addresses, of type `u32`, and reach memory through a trait, so that the same code runs in the guest
//! and, over a simulated memory, in the tests on the host. `linear_memory` alone names `memory.grow` and turns addresses
//! into pointers.
#![no_std]

#[cfg(any(test, fuzzing))]
extern crate std;

#[cfg(any(target_arch = "wasm32", test, fuzzing))]
mod bins;
#[cfg(target_arch = "wasm32")]
mod cell;
#[cfg(target_arch = "wasm32")]
mod checked;
#[cfg(any(target_arch = "wasm32", test, fuzzing))]
mod checked_heap;
mod error;
#[cfg(target_arch = "wasm32")]
mod freeing_bump;
#[cfg(any(target_arch = "wasm32", test, fuzzing))]
mod freeing_bump_heap;
mod growth;
#[cfg(any(target_arch = "wasm32", test, fuzzing))]
mod growth_word;
mod header;
#[cfg(any(target_arch = "wasm32", test, fuzzing))]
mod heap;
mod heap_allocator;
#[cfg(any(target_arch = "wasm32", test, fuzzing))]
mod linear_memory;
mod memory;
// A fuzzer's build uses less of it than the tests do.
#[cfg(any(test, fuzzing))]
#[cfg_attr(not(test), allow(dead_code))]
mod model;
mod order;
mod outlined;
mod page;
#[cfg(any(target_arch = "wasm32", test, fuzzing))]
mod page_limit;
#[doc = include_str!("promise.md")]
pub mod promise {}
#[cfg(feature = "record")]
mod recorder;
#[cfg(test)]
mod regressions;
#[cfg(any(target_arch = "wasm32", test, fuzzing))]
mod runs;
#[cfg(any(test, fuzzing))]
#[cfg_attr(not(test), allow(dead_code))]
mod simulated_memory;
#[cfg(any(target_arch = "wasm32", test, fuzzing))]
mod size_class;
mod stats;
#[cfg(any(target_arch = "wasm32", test, fuzzing))]
mod tagged_heap;
#[cfg(any(target_arch = "wasm32", test, fuzzing))]
mod tagged_slots;
#[cfg(target_arch = "wasm32")]
mod tiny;
#[cfg(any(target_arch = "wasm32", test, fuzzing))]
mod tiny_heap;
#[cfg(feature = "trace")]
mod trace;

#[cfg(target_arch = "wasm32")]
pub use checked::CheckedFreeingBump;
pub use error::Error;
#[cfg(target_arch = "wasm32")]
pub use freeing_bump::FreeingBump;
pub use growth::Growth;
pub use heap_allocator::FreeingBumpHeapAllocator;
pub use memory::Memory;
#[cfg(fuzzing)]
#[doc(hidden)]
pub use model::fuzz;
pub use outlined::Outlined;
#[cfg(feature = "record")]
pub use recorder::{Recorder, Recording};
pub use stats::{HeapStats, Stats};
#[cfg(target_arch = "wasm32")]
pub use tiny::TinyFreeingBump;
#[cfg(feature = "trace")]
pub use trace::{Action, Event, Traced};
