//! The bytes of a linear memory, and its growth. In the guest that is [`ThisModule`], in the tests on the host a simulated
//! memory.

mod linear_memory;
mod packed_growth;
mod page_limit;
#[cfg(target_arch = "wasm32")]
mod this_module;

pub(crate) use linear_memory::LinearMemory;
#[cfg(any(for_threads, test, fuzzing))]
pub(crate) use linear_memory::Region;
pub(crate) use packed_growth::PackedGrowth;
pub(crate) use page_limit::PageLimit;
#[cfg(target_arch = "wasm32")]
pub(crate) use this_module::{ThisModule, address, pointer};
