//! What every global allocator of `freeing-bump` must do. The including file chooses the `#[global_allocator]`.
//!
//! No test here runs out of memory or asks for more than 16 MiB at once. So the tests also hold for
//! `CheckedFreeingBump`, which refuses everything after the first request that it cannot serve.

mod alignment;
mod collections;
mod growth;
mod random;
mod realloc;
mod reuse;
mod zeroed;
