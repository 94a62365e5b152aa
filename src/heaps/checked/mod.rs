//! The engine of `CheckedFreeingBump`.

mod heap;
pub(crate) use heap::CheckedHeap;
#[cfg(any(test, fuzzing))]
pub(crate) use heap::tests::hostile;
