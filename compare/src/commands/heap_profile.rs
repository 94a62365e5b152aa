//! `profile`: prints the profile of a heap.

use crate::render::tables;
use crate::results::heap_profile::HeapProfile;
use anyhow::Result;
use std::path::PathBuf;

/// Prints the `most` program points of each of the `files`.
pub fn run(files: &[PathBuf], most: usize) -> Result<()> {
    // None is printed if one of them is no profile.
    let profiles: Vec<HeapProfile> = files
        .iter()
        .map(|file| HeapProfile::read(file))
        .collect::<Result<_>>()?;
    for profile in &profiles {
        print!("{}", tables::heap_profile(profile, most)?);
    }
    Ok(())
}
