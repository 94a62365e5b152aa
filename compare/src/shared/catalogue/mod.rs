//! What can be compared: the allocators of `allocators/*.toml` and the workloads of `workloads.toml`.

mod allocator;
mod choice;
mod pattern;
mod workload;

pub use allocator::{Allocator, Role, WithThreads};
pub use workload::{Compares, Family, LongLife, Product, ThreadWorkload, Workload};

use crate::shared::places::Places;
use crate::shared::toml_file;
use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use std::collections::BTreeSet;

/// Everything that can be compared, or the part of it that was chosen.
pub struct Catalogue {
    /// In the order of tables: the reference first, then ours, then peers.
    pub allocators: Vec<Allocator>,
    /// In the order of the file.
    pub workloads: Vec<Workload>,
    /// In the order of the file.
    pub long_lives: Vec<LongLife>,
    /// In the order of the file.
    pub products: Vec<Product>,
    /// In the order of the file.
    pub threads: Vec<ThreadWorkload>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WorkloadFile {
    workload: Vec<Workload>,
    long_life: Vec<LongLife>,
    product: Vec<Product>,
    threads: Vec<ThreadWorkload>,
}

impl Catalogue {
    /// Reads all allocators and workloads.
    pub fn read(places: &Places) -> Result<Self> {
        let file = places.compare.join("workloads.toml");
        let workloads: WorkloadFile = toml_file::read(&file)?;
        let mut names = BTreeSet::new();
        for workload in &workloads.workload {
            ensure!(
                names.insert(&workload.name),
                "{}: the workload {} is listed twice: rename one",
                file.display(),
                workload.name
            );
        }
        Ok(Catalogue {
            allocators: allocator::read_allocators(&places.compare.join("allocators"))?,
            workloads: workloads.workload,
            long_lives: workloads.long_life,
            products: workloads.product,
            threads: workloads.threads,
        })
    }

    /// The allocators that run workloads.
    pub fn contenders(&self) -> impl Iterator<Item = &Allocator> {
        self.allocators
            .iter()
            .filter(|allocator| !matches!(allocator.role, Role::SizeFloor | Role::Meter | Role::Recorder))
    }

    /// The allocators that run products.
    pub fn product_contenders(&self) -> impl Iterator<Item = &Allocator> {
        self.contenders().filter(|allocator| allocator.products)
    }

    /// The allocators that are compared in builds for threads, with those that cannot be used there.
    pub fn thread_contenders(&self) -> impl Iterator<Item = (&Allocator, &WithThreads)> {
        self.contenders()
            .filter_map(|allocator| Some((allocator, allocator.threads.as_ref()?)))
    }

    /// The allocators that run in builds for threads.
    pub fn in_threads(&self) -> impl Iterator<Item = &Allocator> {
        self.thread_contenders()
            .filter(|(_, threads)| threads.unsupported.is_none())
            .map(|(allocator, _)| allocator)
    }

    /// The allocator that counts what programs ask for.
    pub fn meter(&self) -> Result<&Allocator> {
        self.with_role(Role::Meter)
    }

    /// The allocator that records what programs ask for.
    pub fn recorder(&self) -> Result<&Allocator> {
        self.with_role(Role::Recorder)
    }

    /// The allocator that code sizes are stated over.
    pub fn size_floor(&self) -> Result<&Allocator> {
        self.with_role(Role::SizeFloor)
    }

    /// The allocator whose instructions count as the program's own work.
    pub fn floor(&self) -> Result<&Allocator> {
        self.with_role(Role::Floor)
    }

    /// The allocator that ratios are taken to.
    pub fn reference(&self) -> Result<&Allocator> {
        self.with_role(Role::Reference)
    }

    fn with_role(&self, role: Role) -> Result<&Allocator> {
        self.allocators
            .iter()
            .find(|allocator| allocator.role == role)
            .with_context(|| {
                format!("no file in compare/allocators has the role {role:?}: restore the one that had it")
            })
    }
}

#[cfg(test)]
mod tests {
    use super::{Catalogue, Family};
    use crate::shared::places::{Group, Places};

    fn catalogue() -> Catalogue {
        Catalogue::read(&Places::of_this_checkout()).expect("the files of the repository are valid")
    }

    #[test]
    fn only_the_allocators_whose_files_say_so_run_products() {
        let catalogue = catalogue();
        let ids: Vec<&str> = catalogue.product_contenders().map(|it| it.id.as_str()).collect();
        assert_eq!(
            ids,
            [
                "dlmalloc",
                "freeing-bump",
                "freeing-bump-outlined",
                "tiny-freeing-bump",
                "std",
                "talc-extend",
                "wasmalloc"
            ]
        );
    }

    #[test]
    fn only_the_allocators_whose_files_say_so_never_free() {
        let catalogue = catalogue();
        let never: Vec<&str> = catalogue
            .contenders()
            .filter(|it| !it.frees)
            .map(|it| it.id.as_str())
            .collect();
        assert_eq!(never, ["mini-alloc", "bump-floor"]);
    }

    #[test]
    fn each_workload_made_after_a_report_has_its_address_or_says_that_it_is_our_own() {
        for workload in catalogue().workloads.iter().filter(|it| it.family == Family::Reported) {
            match &workload.report {
                Some(address) => assert!(address.starts_with("https://"), "{}", workload.name),
                None => assert!(
                    workload.about.ends_with("from this project's own study"),
                    "{}",
                    workload.name
                ),
            }
        }
    }

    #[test]
    fn each_workload_and_product_is_exported_by_its_program() {
        let places = Places::of_this_checkout();
        let catalogue = catalogue();
        let workloads = catalogue
            .workloads
            .iter()
            .map(|it| (Group::Guests, it.program.as_str(), it.export()));
        let products = catalogue
            .products
            .iter()
            .map(|it| (Group::Products, it.name.as_str(), it.name.as_str()));
        for (group, program, export) in workloads.chain(products) {
            let source = places.programs(group).join(program).join("src/lib.rs");
            let source = std::fs::read_to_string(&source).unwrap();
            assert!(source.contains(&format!("\"{export}\" =>")), "{program}: {export}");
        }
    }
}
