//! The engine of `FreeingBump`. From the top: [`heap`] decides between [`runs`] of small blocks, which sizes borrow from each
//! other (see [`loan`]), with [`stray_blocks`] for those that lie in none, and the [`chunk_heap`], which merges what is free and
//! finds it in [`bins`]. With the feature `malloc`, a `run_map` says where the runs lie, and `by_address` releases and resizes
//! blocks without their layout.

mod bins;
#[cfg(feature = "malloc")]
mod by_address;
mod chunk;
mod chunk_bins;
mod chunk_heap;
mod free_list;
mod heap;
mod loan;
mod run;
#[cfg(feature = "malloc")]
mod run_map;
mod runs;
mod size_class;
#[cfg(not(feature = "malloc"))]
mod stray_blocks;
#[cfg(feature = "walk")]
pub(crate) mod walk;

#[cfg(all(feature = "malloc", any(test, fuzzing)))]
pub(crate) use by_address::two_sides::TwoSides;
pub(crate) use heap::MergingHeap;
#[cfg(any(for_threads, all(test, not(feature = "malloc"))))]
use {crate::heaps::Request, size_class::SizeClass};

/// Whether blocks for a request have a size class. Those of others are blocks of the chunk heap.
#[cfg(any(for_threads, all(test, not(feature = "malloc"))))]
pub(crate) const fn has_class(request: Request) -> bool {
    SizeClass::serves(request)
}
