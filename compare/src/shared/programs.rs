//! The programs of the machine that are asked for something.

use anyhow::{Context, Result, bail};
use std::path::Path;
use std::process::Command;

/// What `program` prints, without the space around it. Where it cannot be started or fails, `remedy` says what to do.
pub fn output_of(program: &Path, arguments: &[&str], remedy: &str) -> Result<String> {
    let output = Command::new(program)
        .args(arguments)
        .output()
        .with_context(|| format!("cannot start {}: {remedy}", program.display()))?;
    if !output.status.success() {
        bail!("{} {} failed: {remedy}", program.display(), arguments.join(" "));
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
