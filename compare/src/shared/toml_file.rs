//! Files of TOML.

use anyhow::{Context, Result};
use serde::de::DeserializeOwned;
use std::fs;
use std::path::Path;

/// What the file `path` holds.
pub fn read<T: DeserializeOwned>(path: &Path) -> Result<T> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    toml::from_str(&text).with_context(|| format!("{} is not as expected", path.display()))
}
