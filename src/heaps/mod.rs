//! The engines: heaps in a linear memory, which deal in addresses. This layer uses `memory`, `original`, `stats` and `heap_map`.

#[cfg_attr(for_threads, allow(dead_code, unused_imports))]
pub(crate) mod checked;
// Each thread resizes its blocks in place, or through all heaps.
#[cfg_attr(for_threads, allow(dead_code))]
mod heap;
// In a build for threads a heap's state begins as a new page, without a constructor.
#[cfg_attr(for_threads, allow(dead_code))]
pub(crate) mod merging;
mod request;
#[cfg_attr(for_threads, allow(dead_code, unused_imports))]
pub(crate) mod tiny;

pub(crate) use heap::UncheckedHeap;
pub(crate) use request::Request;
