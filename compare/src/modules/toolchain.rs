//! The compiler that modules are built with.

use crate::shared::programs::output_of;
use anyhow::Result;
use std::path::{Path, PathBuf};

/// The target that modules are built for.
pub const TARGET: &str = "wasm32-unknown-unknown";

/// The full version text of the compiler; it takes part in the names of cached modules.
pub fn rustc() -> Result<String> {
    output_of(
        Path::new("rustc"),
        &["--version", "--verbose"],
        "install Rust with rustup",
    )
}

/// The folder of downloaded crates: its name must not reach a module, or sizes would depend on the machine.
pub fn home_of_cargo() -> Option<PathBuf> {
    std::env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::home_dir().map(|home| home.join(".cargo")))
}
