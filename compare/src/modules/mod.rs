//! Building modules: each is one program with one allocator, and is built once.
//!
//! Uses `shared`.

mod cache;
pub mod counted;
pub mod memory_limit;
pub mod package;
pub mod shared_memory;
pub mod toolchain;
pub mod workshop;
mod workspace;
