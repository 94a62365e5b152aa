//! The generated Cargo workspaces in which modules are built, one for each group of programs: one package per module.

use crate::catalogue::{Allocator, Catalogue, Role};
use crate::places::{Group, Places};
use anyhow::{Context, Result};
use serde_json::json;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use toml::{Table, Value};

/// The program of the module whose size is measured.
pub const SIZE_PROBE: &str = "size_probe";

/// A profile of the repository's `Cargo.toml` that modules are built with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Profile {
    /// For timing: opt-level 3.
    Speed,
    /// For code size: opt-level "z".
    Size,
}

impl Profile {
    /// The profile's name in `Cargo.toml`.
    pub fn name(self) -> &'static str {
        match self {
            Profile::Speed => "speed",
            Profile::Size => "size",
        }
    }
}

/// A package of the generated workspace: `program` with `allocator` as its global allocator.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Package {
    /// The allocator's identifier.
    pub allocator: String,
    /// The folder of the program in that of its group.
    pub program: String,
    /// What the program is built with.
    pub group: Group,
}

impl Package {
    /// The package of the guest `program` with `allocator`.
    pub fn new(allocator: &str, program: &str) -> Self {
        Package {
            allocator: allocator.to_owned(),
            program: program.to_owned(),
            group: Group::Guests,
        }
    }

    /// The package of `product` with `allocator`.
    pub fn of_product(allocator: &str, product: &str) -> Self {
        Package {
            group: Group::Products,
            ..Package::new(allocator, product)
        }
    }

    /// The folder of the program.
    pub fn folder(&self, places: &Places) -> PathBuf {
        places.programs(self.group).join(&self.program)
    }

    /// The package's name, which is also the stem of its module's file.
    pub fn name(&self) -> String {
        format!("{}-with-{}", self.program, self.allocator).replace('-', "_")
    }

    fn manifest(&self, allocator: &Allocator, places: &Places) -> Result<Table> {
        let prefix = match self.group {
            Group::Guests => "guest",
            Group::Products => "product",
        };
        let mut dependencies = allocator.dependencies.clone();
        for dependency in dependencies.iter_mut().map(|(_, value)| value) {
            if let Some(Value::String(path)) = dependency.get_mut("path") {
                let absolute = places.compare.join("allocators").join(&*path);
                *path = absolute.to_string_lossy().into_owned();
            }
        }
        let program_crate = json!({
            "package": format!("{prefix}-{}", self.program.replace('_', "-")),
            "path": self.folder(places),
        });
        dependencies.insert("program".to_owned(), Value::try_from(program_crate)?);
        Ok(Table::try_from(json!({
            "package": { "name": self.name(), "version": "0.0.0", "edition": "2024" },
            "lib": { "crate-type": ["cdylib"] },
            "dependencies": dependencies,
        }))?)
    }

    fn source(&self, allocator: &Allocator) -> String {
        let without_std = self.program == SIZE_PROBE && !allocator.needs_std;
        let mut source = format!("//! Generated from allocators/{}.toml.\n", allocator.id);
        if without_std {
            source.push_str(
                "#![no_std]\n\n#[panic_handler]\nfn panic(_: &core::panic::PanicInfo) -> ! {\n    core::arch::wasm32::unreachable()\n}\n",
            );
        }
        source.push_str("\nuse program as _;\n\n");
        source.push_str(&allocator.code);
        source
    }
}

/// All packages of guests: each program with each allocator that runs it.
pub fn all_packages(catalogue: &Catalogue) -> BTreeSet<Package> {
    let programs: BTreeSet<&str> = catalogue
        .workloads
        .iter()
        .map(|workload| workload.program.as_str())
        .chain(catalogue.long_lives.iter().map(|long_life| long_life.program.as_str()))
        .collect();
    let mut packages = BTreeSet::new();
    for allocator in &catalogue.allocators {
        let runs = (allocator.role != Role::SizeFloor).then_some(&programs);
        let measured_for_size = (!matches!(allocator.role, Role::Meter | Role::Recorder)).then_some(SIZE_PROBE);
        for program in runs.into_iter().flatten().copied().chain(measured_for_size) {
            packages.insert(Package::new(&allocator.id, program));
        }
    }
    packages
}

/// All packages of products: each with each allocator that is compared in products.
pub fn product_packages(catalogue: &Catalogue) -> BTreeSet<Package> {
    let of = |product: &str| {
        let allocators = catalogue.product_contenders();
        let packages = allocators.map(|allocator| Package::of_product(&allocator.id, product));
        packages.collect::<Vec<_>>()
    };
    catalogue
        .products
        .iter()
        .flat_map(|product| of(&product.name))
        .collect()
}

/// Writes the workspace of all packages of `group` in `catalogue`; files whose content is unchanged keep their time
/// stamp.
pub fn write(group: Group, catalogue: &Catalogue, places: &Places) -> Result<()> {
    let root = places.build_workspace(group);
    let packages = match group {
        Group::Guests => all_packages(catalogue),
        Group::Products => product_packages(catalogue),
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

/// Those profiles of the repository's `Cargo.toml` that modules are built with, so that figures are of the settings that
/// users see there.
pub fn profiles(places: &Places) -> Result<Table> {
    let path = places.repository.join("Cargo.toml");
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut manifest: Table = toml::from_str(&text)?;
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
