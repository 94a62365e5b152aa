//! What every global allocator of `freeing-bump` must do, whichever one the including file has made the
//! `#[global_allocator]`.
//!
//! No test here runs the module out of memory or asks for more than 16 MiB at once, so that they also hold for
//! `CheckedFreeingBump`, which refuses all requests after the first that it cannot serve.

mod alignment;
mod collections;
mod growth;
mod random;
mod realloc;
mod reuse;
mod zeroed;
