//! A global allocator for Rust programs compiled to wasm32: fast, thrifty with memory, small, and clean. It has no
//! dependencies, no imports and no panic.
//!
//! Beside dlmalloc, the default of the standard library, `FreeingBump` takes less time, less memory and, built for size, less
//! code. wasmalloc takes as long where a program only allocates, and twice the memory. talc has less code, and takes more time. A
//! whole program that is built for speed is larger than with dlmalloc, since hot paths are inlined: [`Outlined`] keeps them in
//! one place. The README has the figures, and says when to use something else.
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
//! Each size class has a free list, and a bump pointer makes what no list has. That is the freeing-bump algorithm, which runs
//! inside the module, over its own linear memory.
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
//! [`Outlined`] around one of them takes less code and more time in programs that are optimized for speed. [`OnRefusal`] calls
//! a function of yours when memory runs out, which can release a reserve.
//!
//! The three global allocators exist on wasm32 alone: on wasm32-unknown-unknown, wasm32v1-none and wasm32-wasip1, and
//! `FreeingBump` with its feature `malloc` on wasm32-wasip2. They serve modules with one thread that have their memory to
//! themselves. With its feature `threads`, `FreeingBump` serves threads too, on wasm32-unknown-unknown and
//! wasm32-wasip1-threads. For wasm the crate compiles in no other build: not for other systems with a C library, side modules or
//! 64-bit memories.
//!
//! # Features
//!
//! None by default. Rust 1.85 or later.
//!
//! | feature | what it adds |
//! |---|---|
//! | `malloc` | C's functions for memory over the heap of `FreeingBump`, for C code in a module and for components: see [`c_code`] |
//! | `profile` | `Profiled`, which counts what is live by size class and by place, and names the place of a leak |
//! | `record` | `Recorder`, which records all calls for `cargo make replay` of the repository |
//! | `threads` | a heap for each thread in `FreeingBump`, without a lock on the way to it, in builds for threads: see [`with_threads`] |
//! | `trace` | `Traced`, which reports each call to a function of yours |
//! | `walk` | `FreeingBump::walk`, which tells what each address of the heap is used for |
//!
//! What is guaranteed, under which assumptions, and how it is tested: [`promise`]. From another allocator to this one:
//! [`moving_over`].
//!
//! # Words
//!
//! - **Page**: 64 KiB, the unit in which a linear memory grows.
//! - **Block**: the bytes that a caller sees, as they were rounded up. A header, if there is one, comes before it.
//! - **Order**, **size class**: which sizes a block serves. Blocks of one order are alike.
//! - **Chunk**: a block with its tag, from which it is found and merged. **Run**: 8 KiB of blocks of one size class.
//! - **Free list**: the free blocks of one order, each linked to the next, the last one released on top.
//! - **Bump pointer**, **bumper**: the address after which no block lies. The bytes from there on are the **tail**.
//! - **Fresh**: never handed out, and added by `memory.grow`, which fills it with zeros.
//! - **Poisoned**: serving nothing any more, because an error has occurred.
//!
//! # Layers
//!
//! Each folder is a layer. It uses those below it only.
//!
//! | folder | what it owns |
//! |---|---|
//! | `wrappers` | what can be put around any global allocator: `Outlined`, `OnRefusal`, `Traced`, `Recorder`, `Profiled` |
//! | `global` | the global allocators: layouts, pointers, and the one thread, or what each thread knows. `build.rs` refuses the builds in which they would be unsound |
//! | `threads` | a heap for each thread: whose each page is, blocks that other threads release, and heaps that change hands |
//! | `heaps` | the engines, which deal in addresses: `merging` of `FreeingBump`, `tiny` of `TinyFreeingBump`, `checked` of `CheckedFreeingBump` over `original` |
//! | `original` | the original algorithm over any [`Memory`], without unsafe code |
//! | `memory` | pages, growth, and in `linear` the bytes of a linear memory and `memory.grow` |
//! | `stats`, `heap_map` | the figures that the others return; the ranges that a walk tells, and their sums |
//!
//! `tests` is beside them, and a folder of that name within a layer: everything in such a folder is test code. What only
//! concerns one file's private parts stands at the end of that file.
//!
//! Heaps own their memory and reach it through a trait. So the same code runs in the guest and, over a simulated memory, in
//! the tests on the host. `memory/linear` alone names `memory.grow` and turns addresses into pointers.
#![no_std]

#[cfg(all(target_arch = "wasm32", feature = "malloc"))]
extern crate alloc;
#[cfg(any(for_threads, test, fuzzing))]
extern crate std;

#[cfg(target_arch = "wasm32")]
mod global;
#[cfg(feature = "walk")]
mod heap_map;
#[cfg(any(target_arch = "wasm32", test, fuzzing))]
mod heaps;
#[doc = include_str!("c_code.md")]
pub mod c_code {}
mod memory;
#[doc = include_str!("moving_over.md")]
pub mod moving_over {}
mod original;
#[doc = include_str!("promise.md")]
pub mod promise {}
mod stats;
// A fuzzer's build uses less of it than the tests do.
#[cfg(any(test, fuzzing))]
#[cfg_attr(not(test), allow(dead_code))]
mod tests;
#[cfg(any(for_threads, all(test, not(feature = "malloc"))))]
mod threads;
#[doc = include_str!("with_threads.md")]
pub mod with_threads {}
mod wrappers;

#[cfg(target_arch = "wasm32")]
pub use global::FreeingBump;
#[cfg(all(target_arch = "wasm32", any(not(feature = "malloc"), doc)))]
pub use global::{CheckedFreeingBump, TinyFreeingBump};
#[cfg(feature = "walk")]
pub use heap_map::{HeapRange, HeapSummary, RangeKind};
pub use memory::Growth;
pub use original::{Error, FreeingBumpHeapAllocator, Memory};
pub use stats::{HeapStats, Stats};
#[cfg(fuzzing)]
#[doc(hidden)]
pub use tests::fuzz;
#[cfg(feature = "profile")]
pub use wrappers::profile::{self, Profiled};
#[cfg(feature = "trace")]
pub use wrappers::{Action, Event, Traced};
pub use wrappers::{OnRefusal, Outlined};
#[cfg(feature = "record")]
pub use wrappers::{Recorder, Recording};
