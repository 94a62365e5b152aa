//! The generated Cargo workspaces in which modules are built, one for each group of programs: one package per module.

use super::package::{Package, all_packages, product_packages, thread_packages};
use crate::shared::catalogue::Catalogue;
use crate::shared::places::{Group, Places};
use crate::shared::toml_file;
use anyhow::{Context, Result};
use serde_json::json;
use std::fs;
use std::path::Path;
use toml::{Table, Value};

/// Writes the workspace of all packages of `group` in `catalogue`. Files whose content is unchanged keep their time
/// stamp.
pub fn write(group: Group, catalogue: &Catalogue, places: &Places) -> Result<()> {
    let root = places.build_workspace(group);
    let packages = match group {
        Group::Guests => all_packages(catalogue),
        Group::Products => product_packages(catalogue),
        Group::Threads | Group::OneThread => thread_packages(catalogue),
    };
    for package in &packages {
        let allocator = catalogue
            .allocators
            .iter()
            .find(|allocator| allocator.id == package.allocator)
            .context("each package's allocator is in the catalogue it was made from")?;
        let folder = root.join(package.name());
        write_if_changed(
            &folder.join("Cargo.toml"),
            &toml::to_string(&package.manifest(allocator, places)?)?,
        )?;
        write_if_changed(&folder.join("src/lib.rs"), &package.source(allocator))?;
    }
    let members: Vec<String> = packages.iter().map(Package::name).collect();
    let manifest = Table::try_from(json!({
        "workspace": { "resolver": "3", "members": members },
        "profile": profiles(places)?,
    }))?;
    write_if_changed(&root.join("Cargo.toml"), &toml::to_string(&manifest)?)
}

/// The profiles of the repository's `Cargo.toml` that modules are built with. So figures are of the settings that users
/// see there.
pub fn profiles(places: &Places) -> Result<Table> {
    let path = places.repository.join("Cargo.toml");
    let mut manifest: Table = toml_file::read(&path)?;
    match manifest.remove("profile") {
        Some(Value::Table(mut profiles)) => {
            // A module is the same however this program and the tests are built.
            profiles.remove("test");
            profiles.remove("tools");
            Ok(profiles)
        }
        _ => anyhow::bail!(
            "{} has no [profile.speed] and [profile.size]: modules are built with these",
            path.display()
        ),
    }
}

fn write_if_changed(path: &Path, content: &str) -> Result<()> {
    if fs::read_to_string(path).is_ok_and(|existing| existing == content) {
        return Ok(());
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, content).with_context(|| format!("cannot write {}", path.display()))
}
