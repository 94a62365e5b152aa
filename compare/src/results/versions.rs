//! The versions of everything that a figure depends on.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The versions of one run.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Versions {
    /// The commit of the checkout, and whether files differed from it.
    pub commit: String,
    /// The compiler.
    pub rustc: String,
    /// Node.
    pub node: String,
    /// The engine inside Node.
    pub v8: String,
    /// Bun and the engine inside it, where that was timed.
    pub javascriptcore: Option<String>,
    /// The second engine.
    pub wasmtime: Option<String>,
    /// Binaryen's optimizer.
    pub wasm_opt: String,
    /// The processor, as the operating system names it.
    pub machine: String,
    /// Each allocator's crates, by its identifier.
    pub allocators: BTreeMap<String, String>,
    /// Each product's crates, by its name.
    pub products: BTreeMap<String, String>,
}
