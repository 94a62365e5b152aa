//! The global allocators: layouts, pointers and the one thread in front of the [`heaps`](crate::heaps). They exist on wasm32
//! alone. This layer uses `heaps`, `memory`, `stats` and `heap_map`, and `original` for its errors.
//!
//! With the feature `malloc` there is one heap, that of `FreeingBump`, which [`malloc`] offers to C too. The other allocators
//! would take the same memory, so they are not exported then.

mod cell;
#[cfg_attr(feature = "malloc", allow(dead_code))]
mod checked;
mod freeing_bump;
mod implement;
#[cfg(feature = "malloc")]
mod malloc;
#[cfg(feature = "malloc")]
mod shared_heap;
#[cfg_attr(feature = "malloc", allow(dead_code))]
mod tiny;

#[cfg(any(not(feature = "malloc"), doc))]
pub use checked::CheckedFreeingBump;
pub use freeing_bump::FreeingBump;
#[cfg(any(not(feature = "malloc"), doc))]
pub use tiny::TinyFreeingBump;
