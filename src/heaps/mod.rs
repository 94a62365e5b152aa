//! The engines: heaps in a linear memory, which deal in addresses. This layer uses `memory`, `original`, `stats` and `heap_map`.

pub(crate) mod checked;
mod heap;
pub(crate) mod merging;
mod request;
pub(crate) mod tiny;

pub(crate) use heap::UncheckedHeap;
pub(crate) use request::Request;
