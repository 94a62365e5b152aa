//! The packages that are built: a program with one of the allocators.

use crate::shared::catalogue::{Allocator, Catalogue, Role};
use crate::shared::places::{Group, Places};
use anyhow::Result;
use serde_json::json;
use std::collections::BTreeSet;
use std::path::PathBuf;
use toml::{Table, Value};

/// The program of the module whose size is measured.
pub const SIZE_PROBE: &str = "size_probe";

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

    /// The package of the guest `program` with `allocator`, built by nightly Rust for threads or, to compare, without.
    pub fn for_threads(allocator: &str, program: &str, group: Group) -> Self {
        Package {
            group,
            ..Package::new(allocator, program)
        }
    }

    /// The folder of the program.
    pub fn folder(&self, places: &Places) -> PathBuf {
        places.programs(self.group).join(&self.program)
    }

    /// The package's name, which is also the stem of its module's file.
    pub fn name(&self) -> String {
        let group = match self.group {
            Group::Guests | Group::Products => "",
            Group::Threads => "-for-threads",
            Group::OneThread => "-for-one-thread",
        };
        format!("{}-with-{}{group}", self.program, self.allocator).replace('-', "_")
    }

    /// Its `Cargo.toml`.
    pub fn manifest(&self, allocator: &Allocator, places: &Places) -> Result<Table> {
        let prefix = match self.group {
            Group::Guests | Group::Threads | Group::OneThread => "guest",
            Group::Products => "product",
        };
        let mut dependencies = allocator.dependencies_in(self.group).clone();
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

    /// Its `src/lib.rs`.
    pub fn source(&self, allocator: &Allocator) -> String {
        // Where it is compiled too, a module without it would be another one.
        let compiles_std = matches!(self.group, Group::Threads | Group::OneThread);
        let without_std = self.program == SIZE_PROBE && !allocator.needs_std && !compiles_std;
        let mut source = format!("//! Generated from allocators/{}.toml.\n", allocator.id);
        if without_std {
            source.push_str(
                "#![no_std]\n\n#[panic_handler]\nfn panic(_: &core::panic::PanicInfo) -> ! {\n    core::arch::wasm32::unreachable()\n}\n",
            );
        }
        source.push_str("\nuse program as _;\n\n");
        if compiles_std && self.program == SIZE_PROBE {
            source.push_str("extern crate std;\n\n");
        }
        source.push_str(allocator.code_in(self.group));
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

/// The program of the workloads for several workers.
pub const THREADS: &str = "threads";

/// All packages for threads, and the same without threads: the program and the size probe with each allocator that is compared
/// there, and the size probe with the one that sizes are stated over.
pub fn thread_packages(catalogue: &Catalogue) -> BTreeSet<Package> {
    let mut packages = BTreeSet::new();
    for group in [Group::Threads, Group::OneThread] {
        let mut insert = |allocator: &Allocator, program| {
            packages.insert(Package::for_threads(&allocator.id, program, group));
        };
        for allocator in catalogue.in_threads() {
            insert(allocator, THREADS);
            insert(allocator, SIZE_PROBE);
        }
        if let Ok(floor) = catalogue.size_floor() {
            insert(floor, SIZE_PROBE);
        }
    }
    packages
}
