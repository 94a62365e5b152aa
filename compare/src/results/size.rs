//! Bytes of modules, and of the allocators in them.

use serde::{Deserialize, Serialize};

/// Bytes of one module, or bytes of one allocator over the floor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Size {
    /// As the compiler leaves it.
    pub raw: i64,
    /// After `wasm-opt -Oz`.
    pub optimized: i64,
    /// After `wasm-opt -Oz` and gzip.
    pub gzipped: i64,
}

/// The code size of one allocator under one profile.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CodeSize {
    /// The allocator's identifier.
    pub allocator: String,
    /// The profile's name.
    pub profile: String,
    /// Bytes over the allocator that always fails.
    pub over_floor: Size,
}
