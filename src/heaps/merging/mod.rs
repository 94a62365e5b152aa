//! The engine of `FreeingBump`. From the top: [`heap`] decides between [`runs`] of small blocks, with [`stray_blocks`] for those
//! that lie in none, and the [`chunk_heap`], which merges what is free and finds it in [`bins`].

mod bins;
mod chunk;
mod chunk_bins;
mod chunk_heap;
mod free_list;
mod heap;
mod run;
mod runs;
mod size_class;
mod stray_blocks;
#[cfg(feature = "walk")]
pub(crate) mod walk;

pub(crate) use heap::MergingHeap;
