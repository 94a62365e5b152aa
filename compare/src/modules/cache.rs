//! Names for built modules: a digest of everything that a module is made from.

use super::package::Package;
use super::workspace::profiles;
use crate::shared::catalogue::Allocator;
use crate::shared::kept_files::short_text;
use crate::shared::places::{Group, Places};
use crate::shared::profile::Profile;
use anyhow::{Context, Result};
use sha2::{Digest, Sha256};
use std::fs;
use std::path::{Path, PathBuf};

/// What all modules of one group are made from.
pub struct Ingredients {
    shared: Sha256,
}

impl Ingredients {
    /// Reads what all modules of `group` share: compiler, flags, profiles, lock file and crates of the repository.
    pub fn read(group: Group, places: &Places, rustc: &str, flags: &str) -> Result<Self> {
        let mut shared = Sha256::new();
        shared.update(rustc);
        shared.update(flags);
        shared.update(toml::to_string(&profiles(places)?)?);
        if let Ok(lock) = fs::read(places.lock(group)) {
            shared.update(lock);
        }
        add_crate(&mut shared, &places.compare.join("guest/harness"))?;
        match group {
            Group::Guests => {}
            Group::Products => add_crate(&mut shared, &places.compare.join("products/entropy"))?,
            // What the program of these is made from.
            Group::Threads | Group::OneThread => {
                add_crate(&mut shared, &places.compare.join("guest/churn"))?;
                add_crate(&mut shared, &places.compare.join("guest/json"))?;
            }
        }
        Ok(Ingredients { shared })
    }

    /// Where the module of `package` is kept once it is built.
    pub fn module(
        &self,
        package: &Package,
        allocator: &Allocator,
        profile: Profile,
        places: &Places,
    ) -> Result<PathBuf> {
        let mut digest = self.shared.clone();
        digest.update(profile.name());
        digest.update(allocator.code_in(package.group));
        digest.update([u8::from(allocator.needs_std)]);
        let dependencies = allocator.dependencies_in(package.group);
        digest.update(toml::to_string(dependencies)?);
        for dependency in dependencies.values() {
            if let Some(path) = dependency.get("path").and_then(toml::Value::as_str) {
                add_crate(&mut digest, &places.compare.join("allocators").join(path))?;
            }
        }
        add_crate(&mut digest, &package.folder(places))?;
        let digest = short_text(digest);
        Ok(places
            .modules()
            .join(format!("{}-{}-{digest}.wasm", package.name(), profile.name())))
    }
}

/// Adds the manifest and all files below `src/` of the crate in `folder`, in the order of their names.
fn add_crate(digest: &mut Sha256, folder: &Path) -> Result<()> {
    add_file(digest, &folder.join("Cargo.toml"))?;
    add_folder(digest, &folder.join("src"))
}

fn add_folder(digest: &mut Sha256, folder: &Path) -> Result<()> {
    let mut paths = fs::read_dir(folder)
        .with_context(|| format!("cannot list {}", folder.display()))?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<Vec<_>>>()?;
    paths.sort();
    for path in paths {
        if path.is_dir() {
            add_folder(digest, &path)?;
        } else {
            add_file(digest, &path)?;
        }
    }
    Ok(())
}

fn add_file(digest: &mut Sha256, path: &Path) -> Result<()> {
    let content = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let name = path.file_name().unwrap_or_default();
    digest.update(name.as_encoded_bytes());
    digest.update((content.len() as u64).to_le_bytes());
    digest.update(content);
    Ok(())
}
