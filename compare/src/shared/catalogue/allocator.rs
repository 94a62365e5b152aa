//! The allocators, each of which has a file in `allocators/`.

use super::pattern::matches;
use crate::shared::places::Group;
use crate::shared::toml_file;
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::Path;

/// One allocator, as its file in `allocators/` describes it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Allocator {
    /// The stem of the file's name, by which the command line names it.
    #[serde(skip)]
    pub id: String,
    /// The name that tables show.
    pub name: String,
    /// What it is, in one line.
    pub description: String,
    /// What it is compared as.
    #[serde(default)]
    pub role: Role,
    /// Whether a released block can be used again.
    #[serde(default = "yes")]
    pub frees: bool,
    /// Rust code that defines a `#[global_allocator]`; empty for the standard library's own.
    #[serde(default)]
    pub code: String,
    /// Whether it is compared in products too, each of which takes a minute to build.
    #[serde(default)]
    pub products: bool,
    /// Whether even the smallest module needs the standard library for it.
    #[serde(default)]
    pub needs_std: bool,
    /// The crates that the code uses, as in a `Cargo.toml`.
    #[serde(default)]
    pub dependencies: toml::Table,
    /// What it is in builds for threads, if it is compared there.
    #[serde(default)]
    pub threads: Option<WithThreads>,
}

/// An allocator in builds for threads, as its file describes it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WithThreads {
    /// What it is there, in one line.
    pub description: String,
    /// Why it cannot be used there; then it is named in the report and not measured.
    #[serde(default)]
    pub unsupported: Option<String>,
    /// Code in place of the allocator's own.
    #[serde(default)]
    pub code: Option<String>,
    /// Crates in place of the allocator's own.
    #[serde(default)]
    pub dependencies: Option<toml::Table>,
}

fn yes() -> bool {
    true
}

/// What an allocator is compared as; also the order of tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Ratios are taken to it.
    Reference,
    /// An allocator of this repository.
    Ours,
    /// Any other allocator.
    #[default]
    Peer,
    /// It takes nearly no instructions: those of a program with it are the program's own work.
    Floor,
    /// Code sizes are stated over it; it runs no workload.
    SizeFloor,
    /// It counts what programs ask for, and is not compared.
    Meter,
    /// It records what programs ask for, and is not compared.
    Recorder,
}

impl Allocator {
    /// The code of this allocator in `group`.
    pub fn code_in(&self, group: Group) -> &str {
        let with_threads = self.threads.as_ref().and_then(|it| it.code.as_ref());
        match (group, with_threads) {
            (Group::Threads, Some(code)) => code,
            _ => &self.code,
        }
    }

    /// The crates that the code in `group` uses.
    pub fn dependencies_in(&self, group: Group) -> &toml::Table {
        let with_threads = self.threads.as_ref().and_then(|it| it.dependencies.as_ref());
        match (group, with_threads) {
            (Group::Threads, Some(dependencies)) => dependencies,
            _ => &self.dependencies,
        }
    }

    /// Whether `pattern` names it.
    pub fn is_named(&self, pattern: &str) -> bool {
        matches(pattern, &self.id)
    }
}

/// The allocators in the files of `folder`, in the order of tables.
pub fn read_allocators(folder: &Path) -> Result<Vec<Allocator>> {
    let entries =
        fs::read_dir(folder).with_context(|| format!("cannot list the allocator files in {}", folder.display()))?;
    let mut allocators = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            let mut allocator: Allocator = toml_file::read(&path)?;
            allocator.id = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            allocators.push(allocator);
        }
    }
    allocators.sort_by(|one, other| (one.role, &one.id).cmp(&(other.role, &other.id)));
    Ok(allocators)
}
