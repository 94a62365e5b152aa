//! The compiler that modules are built with.

use crate::shared::places::{Group, Places};
use crate::shared::programs::output_of;
use anyhow::Result;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The target that modules are built for.
pub const TARGET: &str = "wasm32-unknown-unknown";

/// The full version text of the compiler of `group`; it takes part in the names of cached modules.
pub fn rustc(group: Group) -> Result<String> {
    let version = ["--version", "--verbose"];
    match group {
        Group::Guests | Group::Products => output_of(Path::new("rustc"), &version, "install Rust with rustup"),
        Group::Threads | Group::OneThread => output_of(
            Path::new("rustc"),
            &[&["+nightly"], &version[..]].concat(),
            "install nightly Rust with rustup",
        ),
    }
}

/// The script that builds packages for threads, and alone knows the flags for that.
pub fn script_for_threads(places: &Places) -> PathBuf {
    places.repository.join("scripts").join("build-for-threads.sh")
}

/// Why this machine builds nothing for threads; none if it does.
pub fn lacks_for_threads(places: &Places) -> Option<String> {
    let output = Command::new(places.repository.join("scripts").join("require.sh"))
        .args(["bash", "nightly", "rust-src"])
        .output();
    match output {
        Err(error) => Some(format!("scripts/require.sh cannot be started: {error}")),
        Ok(output) if output.status.success() => None,
        Ok(output) => {
            let message = String::from_utf8_lossy(&output.stderr);
            Some(message.trim().trim_start_matches("error: ").to_owned())
        }
    }
}

/// The folder of downloaded crates: its name must not reach a module, or sizes would depend on the machine.
pub fn home_of_cargo() -> Option<PathBuf> {
    std::env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::home_dir().map(|home| home.join(".cargo")))
}
