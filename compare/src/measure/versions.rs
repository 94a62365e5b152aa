//! The versions of everything that a figure depends on.

use super::standard_library;
use crate::results::versions::Versions;
use crate::shared::catalogue::Catalogue;
use crate::shared::places::{Group, Places};
use crate::shared::programs::output_of;
use crate::shared::toml_file;
use anyhow::Result;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;
use toml::Table;

/// The version of wasmtime that the lock file pins.
const WASMTIME: &str = "48.0.8";

/// Asks every tool for its version.
pub fn of_everything(catalogue: &Catalogue, full: bool, places: &Places) -> Result<Versions> {
    let npm = "run `cargo make install-compare-tools`, which installs it with npm";
    let node = places.node();
    Ok(Versions {
        commit: commit(&places.repository),
        rustc: output_of(Path::new("rustc"), &["--version"], "install Rust with rustup")?,
        node: output_of(&node, &["--version"], npm)?,
        v8: output_of(&node, &["--print", "process.versions.v8"], npm)?,
        javascriptcore: full.then(|| javascriptcore(places)).transpose()?,
        wasmtime: full.then(|| WASMTIME.to_owned()),
        wasm_opt: output_of(&places.wasm_opt(), &["--version"], npm)?,
        machine: machine(),
        allocators: allocators(catalogue, places)?,
        products: products(catalogue, places)?,
    })
}

fn javascriptcore(places: &Places) -> Result<String> {
    let asked = "`Bun ${Bun.version}, JavaScriptCore of WebKit ${process.versions.webkit}`";
    let npm = "run `cargo make install-compare-tools`, which installs it with npm";
    output_of(&places.bun(), &["--print", asked], npm)
}

/// Node and the engine inside it.
pub fn node(places: &Places) -> Result<String> {
    let asked = "`V8 ${process.versions.v8} of Node ${process.version}`";
    let npm = "run `cargo make install-compare-tools`, which installs it with npm";
    output_of(&places.node(), &["--print", asked], npm)
}

/// The commit that `repository` is at; a copy without git has none.
pub fn commit(repository: &Path) -> String {
    let git = |arguments: &[&str]| {
        let output = Command::new("git").arg("-C").arg(repository).args(arguments).output();
        let output = output.ok().filter(|output| output.status.success())?;
        Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    match (git(&["rev-parse", "HEAD"]), git(&["status", "--porcelain"])) {
        (Some(commit), Some(changes)) if changes.is_empty() => commit,
        (Some(commit), _) => format!("{commit}, with uncommitted changes"),
        (None, _) => "unknown: no git checkout".to_owned(),
    }
}

/// The processor and its hardware threads.
pub fn machine() -> String {
    let processor = fs::read_to_string("/proc/cpuinfo").ok().and_then(|text| {
        let line = text.lines().find(|line| line.starts_with("model name"))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    });
    let processor = processor.unwrap_or_else(|| std::env::consts::ARCH.to_owned());
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let plural = if threads == 1 { "" } else { "s" };
    format!(
        "{processor}, {threads} hardware thread{plural}, {}",
        std::env::consts::OS
    )
}

/// The crates that each allocator file names.
fn allocators(catalogue: &Catalogue, places: &Places) -> Result<BTreeMap<String, String>> {
    let lock = Lock::read(Group::Guests, places)?;
    let mut versions = BTreeMap::new();
    for allocator in &catalogue.allocators {
        let crates = lock.crates(&allocator.dependencies);
        versions.insert(
            allocator.id.clone(),
            match (crates.is_empty(), allocator.code.is_empty()) {
                (false, _) => crates,
                (true, true) => standard_library::allocator()?,
                (true, false) => format!("compare/allocators/{}.toml", allocator.id),
            },
        );
    }
    Ok(versions)
}

/// The crates that each allocator which is compared in builds for threads has there.
pub fn for_threads(catalogue: &Catalogue, places: &Places) -> Result<BTreeMap<String, String>> {
    let (lock, guests) = (Lock::read(Group::Threads, places)?, Lock::read(Group::Guests, places)?);
    let versions = catalogue.thread_contenders().map(|(allocator, threads)| {
        // What cannot be used there is not built there.
        let lock = if threads.unsupported.is_some() { &guests } else { &lock };
        let crates = lock.crates(allocator.dependencies_in(Group::Threads));
        let crates = if crates.is_empty() {
            "the standard library".to_owned()
        } else {
            crates
        };
        (allocator.id.clone(), crates)
    });
    Ok(versions.collect())
}

/// The crates that the manifest of each product names.
fn products(catalogue: &Catalogue, places: &Places) -> Result<BTreeMap<String, String>> {
    #[derive(Deserialize)]
    struct Manifest {
        dependencies: Table,
    }
    let mut versions = BTreeMap::new();
    if catalogue.products.is_empty() {
        return Ok(versions);
    }
    let lock = Lock::read(Group::Products, places)?;
    for product in &catalogue.products {
        let path = places.programs(Group::Products).join(&product.name).join("Cargo.toml");
        let manifest: Manifest = toml_file::read(&path)?;
        versions.insert(product.name.clone(), lock.crates(&manifest.dependencies));
    }
    Ok(versions)
}

/// What modules are built with.
#[derive(Deserialize)]
struct Lock {
    package: Vec<LockedPackage>,
}

#[derive(Deserialize)]
struct LockedPackage {
    name: String,
    version: String,
}

impl Lock {
    fn read(group: Group, places: &Places) -> Result<Self> {
        toml_file::read(&places.lock(group))
    }

    /// The crates among `dependencies` with their versions. What has another name there is a crate of this repository.
    fn crates(&self, dependencies: &Table) -> String {
        let crates: Vec<String> = self
            .package
            .iter()
            .filter(|package| dependencies.contains_key(&package.name))
            .map(|package| format!("{} {}", package.name, package.version))
            .collect();
        crates.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::{WASMTIME, commit, products};
    use crate::shared::catalogue::Catalogue;
    use crate::shared::places::Places;
    use std::process::Command;

    #[test]
    fn each_product_is_stated_with_the_versions_of_the_crates_that_it_wraps() {
        let places = Places::of_this_checkout();
        let catalogue = Catalogue::read(&places).unwrap();
        let versions = products(&catalogue, &places).unwrap();
        assert_eq!(versions.len(), catalogue.products.len());
        for (product, crates) in versions {
            let first = crates.split([',', ' ']).next().unwrap();
            assert!(first.starts_with(&product), "{product}: {crates}");
            assert!(!crates.contains("harness"), "{product}: {crates}");
        }
    }

    #[test]
    fn a_commit_is_named_with_whether_files_differ_and_its_absence_is_no_failure() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(commit(folder.path()), "unknown: no git checkout");
        let git = |arguments: &[&str]| {
            let identity = ["-c", "user.name=test", "-c", "user.email=test@localhost"];
            let git = Command::new("git")
                .arg("-C")
                .arg(folder.path())
                .args(identity)
                .args(arguments)
                .output();
            assert!(git.unwrap().status.success());
        };
        git(&["init"]);
        git(&["commit", "--allow-empty", "--no-gpg-sign", "--message", "a commit"]);
        let clean = commit(folder.path());
        assert!(
            clean.len() >= 40 && clean.chars().all(|digit| digit.is_ascii_hexdigit()),
            "{clean}"
        );
        std::fs::write(folder.path().join("new.rs"), "").unwrap();
        assert_eq!(commit(folder.path()), format!("{clean}, with uncommitted changes"));
    }

    #[test]
    fn the_stated_version_of_wasmtime_is_the_locked_one() {
        let lock = std::fs::read_to_string(Places::of_this_checkout().repository.join("Cargo.lock")).unwrap();
        assert!(lock.contains(&format!("name = \"wasmtime\"\nversion = \"{WASMTIME}\"")));
    }
}
