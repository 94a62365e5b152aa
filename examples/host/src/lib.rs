//! Builds the examples and runs them in wasmtime, for the command and for the tests in `tests/`.
//!
//! A file for each example says what its host does. `wasi` is what a command-line program needs of a host.

pub mod c_code;
pub mod component;
pub mod contract;
pub mod plug_in;
mod wasi;
pub mod word_count;

use module_checks::{build_module, repository};

/// Builds the example in the folder `name` for `target` with these arguments to `cargo build`; returns its module. Builds with
/// different arguments need different `variant`s, since they can run at the same time.
///
/// # Panics
///
/// When the build fails, with what cargo said.
fn build(name: &str, variant: &str, target: &str, arguments: &[&str]) -> Vec<u8> {
    let folder = repository().join("examples").join(name);
    let target_dir = repository().join("target/examples").join(name).join(variant);
    build_module(&folder, target, &target_dir, &[&["--release"], arguments].concat())
}
