//! Files that are kept between runs: each is found whole or not at all, under a name that says what it was made from.

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};
use std::fs;
use std::path::Path;

/// Writes a file that is found whole or not at all: `make` fills another one beside it, which is renamed in the end.
pub fn keep(path: &Path, make: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    let cannot_write = || format!("cannot write {}", path.display());
    let beside = path.parent().with_context(cannot_write)?;
    // In a temporary folder: only its owner could read a temporary file, even after it was renamed.
    let folder = tempfile::tempdir_in(beside).with_context(cannot_write)?;
    let unfinished = folder.path().join("unfinished");
    make(&unfinished)?;
    fs::rename(&unfinished, path).with_context(cannot_write)
}

/// The digest of some bytes, short enough for a file's name.
pub fn digest_of(bytes: &[u8]) -> String {
    short_text(Sha256::new_with_prefix(bytes))
}

/// The start of a digest as text.
pub fn short_text(digest: Sha256) -> String {
    digest.finalize()[..8]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::keep;
    use anyhow::bail;

    #[test]
    fn a_file_whose_making_fails_is_not_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("kept.wasm");
        let failed = keep(&path, |unfinished| {
            std::fs::write(unfinished, "a part")?;
            bail!("interrupted")
        });
        assert!(failed.is_err());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        keep(&path, |unfinished| Ok(std::fs::write(unfinished, "all of it")?)).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "all of it");
    }
}
