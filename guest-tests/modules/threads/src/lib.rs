//! A module in which several threads use one global allocator, exchange blocks and check what they get.
//!
//! How threads are made is the host's business: each calls [`exports::worker`] with a number of its own, in an instance of
//! its own over the one shared memory. On wasm32-wasip1-threads `spawn` makes such a thread with the standard library.
//! What the checks need lies in static data, so that nothing but what is tested comes from the allocator. No thread waits
//! by `memory.atomic.wait` here, so that the main thread of a page may be a worker too.
//!
//! A check that fails leaves a text for the host and traps; the other workers then stop at their next round. Without the
//! feature `freeing-bump` the allocator is the standard library's default. For other targets than wasm32 the crate is empty.
#![cfg(target_arch = "wasm32")]

mod exports;
mod failure;
mod meeting;
mod requests;
mod scenarios;
mod slot;
mod stamped;
#[cfg(target_os = "wasi")]
mod threads;
mod unwritten;

/// The most pages that the memory may have with the feature `ceiling`.
#[cfg(feature = "ceiling")]
const CEILING_PAGES: u32 = 64;

#[cfg(feature = "ceiling")]
#[global_allocator]
static ALLOCATOR: freeing_bump::FreeingBump = freeing_bump::FreeingBump::new().with_max_pages(CEILING_PAGES);

#[cfg(feature = "wrapped")]
mod wrapped;

#[cfg(feature = "wrapped")]
use wrapped::ALLOCATOR;

#[cfg(all(feature = "freeing-bump", not(any(feature = "ceiling", feature = "wrapped"))))]
#[global_allocator]
static ALLOCATOR: freeing_bump::FreeingBump = freeing_bump::FreeingBump::new();
