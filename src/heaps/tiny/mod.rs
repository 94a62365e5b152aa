//! The engine of `TinyFreeingBump`.

mod heap;

pub(crate) use heap::TinyHeap;
