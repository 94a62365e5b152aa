//! The global allocators: layouts, pointers and the one thread in front of the [`heaps`](crate::heaps). They exist on wasm32
//! alone. This layer uses `heaps`, `memory`, `stats` and `heap_map`, and `original` for its errors.

mod cell;
mod checked;
mod freeing_bump;
mod implement;
mod tiny;

pub use checked::CheckedFreeingBump;
pub use freeing_bump::FreeingBump;
pub use tiny::TinyFreeingBump;
