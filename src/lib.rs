//! x
#![no_std]

#[cfg(test)]
extern crate std;

#[cfg(target_arch = "wasm32")]
mod cell;
#[cfg(target_arch = "wasm32")]
mod checked;
#[cfg(any(target_arch = "wasm32", test))]
mod checked_heap;
mod error;
mod growth;
mod header;
#[cfg(any(target_arch = "wasm32", test))]
mod heap;
mod heap_allocator;
#[cfg(any(target_arch = "wasm32", test))]
mod linear_memory;
mod memory;
#[cfg(test)]
mod model;
mod order;
mod page;
#[cfg(test)]
mod regressions;
#[cfg(test)]
mod simulated_memory;
mod stats;
#[cfg(target_arch = "wasm32")]
mod tiny;
#[cfg(any(target_arch = "wasm32", test))]
mod tiny_heap;
#[cfg(feature = "trace")]
mod trace;

#[cfg(target_arch = "wasm32")]
pub use checked::CheckedFreeingBump;
pub use error::Error;
pub use growth::Growth;
pub use heap_allocator::FreeingBumpHeapAllocator;
pub use memory::Memory;
pub use stats::{HeapStats, Stats};
#[cfg(target_arch = "wasm32")]
pub use tiny::TinyFreeingBump;
#[cfg(feature = "trace")]
pub use trace::{Action, Event, Traced};

/// The allocator to choose without thinking; an alias of [`TinyFreeingBump`] until its own design lands.
#[cfg(target_arch = "wasm32")]
pub type FreeingBump = TinyFreeingBump;
