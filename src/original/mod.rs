//! The original freeing-bump algorithm: powers of two, 8-byte headers, one free list for each order, a bump pointer, and
//! poisoning on error. No unsafe code. This layer uses `memory` for pages and growth, and `stats`.

mod allocator;
mod error;
mod header;
mod memory;
mod order;

#[cfg(any(target_arch = "wasm32", test, fuzzing))]
pub(crate) use allocator::DEFAULT_MAX_ALLOCATION_BYTES;
pub use allocator::FreeingBumpHeapAllocator;
#[cfg(any(test, fuzzing))]
pub(crate) use allocator::subject::Original;
pub use error::Error;
#[cfg(any(test, fuzzing))]
pub(crate) use header::HEADER_BYTES;
pub use memory::Memory;
#[cfg(any(target_arch = "wasm32", test, fuzzing))]
pub(crate) use order::{MIN_BLOCK_BYTES, Order};
