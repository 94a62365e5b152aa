//! The global allocators: layouts, pointers and the one thread in front of the [`heaps`](crate::heaps). They exist on wasm32
//! alone. This layer uses `threads`, `heaps`, `memory`, `stats` and `heap_map`, and `original` for its errors.
//!
//! With the feature `threads`, a build for threads has [`heap_of_each_thread`] in the place of the one heap, over the layer
//! `threads`. The other allocators are [`refused`] there.
//!
//! With the feature `malloc` there is one heap, that of `FreeingBump`, which [`malloc`] offers to C too. The other allocators
//! would take the same memory, so they are not exported then.

#[cfg(not(for_threads))]
mod cell;
#[cfg(not(for_threads))]
#[cfg_attr(feature = "malloc", allow(dead_code))]
mod checked;
#[cfg(all(for_threads, target_os = "wasi"))]
mod end_of_thread;
mod freeing_bump;
#[cfg(for_threads)]
mod heap_of_each_thread;
mod implement;
#[cfg(feature = "malloc")]
mod malloc;
#[cfg(for_threads)]
mod refused;
#[cfg(feature = "malloc")]
mod shared_heap;
#[cfg(not(for_threads))]
#[cfg_attr(feature = "malloc", allow(dead_code))]
mod tiny;

#[cfg(all(not(for_threads), any(not(feature = "malloc"), doc)))]
pub use checked::CheckedFreeingBump;
pub use freeing_bump::FreeingBump;
#[cfg(for_threads)]
pub use refused::{CheckedFreeingBump, TinyFreeingBump};
#[cfg(all(not(for_threads), any(not(feature = "malloc"), doc)))]
pub use tiny::TinyFreeingBump;
