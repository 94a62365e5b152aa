//! The allocator inside the standard library that modules are built with.

use crate::modules::toolchain::TARGET;
use anyhow::{Context, Result};
use std::fs;
use std::path::PathBuf;
use std::process::Command;

/// What a module gets that names no allocator, with its version where the toolchain has it.
pub fn allocator() -> Result<String> {
    let library = dlmalloc_library()?;
    Ok(match library.as_deref().and_then(version_in) {
        Some(version) => format!("dlmalloc {version} inside the standard library"),
        None => "the standard library, in which this toolchain does not name dlmalloc's version".to_owned(),
    })
}

/// The compiled dlmalloc of the standard library, as far as it is text; `None` if this toolchain has none.
fn dlmalloc_library() -> Result<Option<String>> {
    let output = Command::new("rustc")
        .args(["--print", "target-libdir", "--target", TARGET])
        .output()
        .context("cannot start rustc: install Rust with rustup")?;
    let folder = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
    let entries = fs::read_dir(&folder)
        .with_context(|| format!("cannot list {}: run `rustup target add {TARGET}`", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with("libdlmalloc-") && name.ends_with(".rlib") {
            let library = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
            return Ok(Some(String::from_utf8_lossy(&library).into_owned()));
        }
    }
    Ok(None)
}

/// The version in the folder that dlmalloc was compiled in, which a compiled library names: `/rust/deps/dlmalloc-0.2.11/`.
fn version_in(library: &str) -> Option<&str> {
    library.split("/dlmalloc-").skip(1).find_map(|rest| {
        let (version, _) = rest.split_once('/')?;
        let mut numbers = version.split('.');
        let is_version = numbers.clone().count() == 3 && numbers.all(|number| number.parse::<u32>().is_ok());
        is_version.then_some(version)
    })
}

#[cfg(test)]
mod tests {
    use super::{allocator, version_in};

    #[test]
    fn the_version_is_that_of_the_folder_and_not_a_number_beside_it() {
        let library = "!<arch>\ndlmalloc-fd0a31467a15ee47.dlmalloc.cgu.0\0/rust/deps/dlmalloc-0.2.115\0/rust/deps/dlmalloc-0.2.11/src/lib.rs";
        assert_eq!(version_in(library), Some("0.2.11"));
        assert_eq!(version_in("/dlmalloc-fd0a31467a15ee47/"), None);
    }

    #[test]
    fn this_toolchain_has_an_allocator_to_name() {
        assert!(allocator().unwrap().contains("standard library"));
    }
}
