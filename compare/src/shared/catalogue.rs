//! What can be compared: the allocators of `allocators/*.toml` and the workloads of `workloads.toml`.

use crate::shared::places::Places;
use anyhow::{Context, Result, bail, ensure};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The program that replays recordings.
pub const REPLAY: &str = "replay";

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

/// One workload, as `workloads.toml` describes it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Workload {
    /// The name that tables show and the command line takes.
    pub name: String,
    /// The group of workloads that it belongs to.
    pub family: Family,
    /// The crate below `guest/` that exports it.
    pub program: String,
    /// The exported name; the workload's own name if it is not given.
    #[serde(default)]
    export: Option<String>,
    /// The number that the export is called with; a recording needs none.
    #[serde(default)]
    pub argument: u32,
    /// The file in `recordings/`, or elsewhere, that the program replays.
    #[serde(default)]
    pub recording: Option<PathBuf>,
    /// Whether `<export>_prepare` makes an input before the clock starts.
    #[serde(default)]
    pub prepare: bool,
    /// The most pages that its memory may have. It then counts what it is served.
    #[serde(default)]
    pub limit_pages: Option<u32>,
    /// If given, the export runs that many rounds more and keeps its state, and its pages are read after these numbers of
    /// rounds as well.
    #[serde(default)]
    pub points: Vec<u32>,
    /// Whether it takes long: the quick report leaves it out, unless `--only` has its own name.
    #[serde(default)]
    pub full_only: bool,
    /// The address of the public report that it was made after.
    #[serde(default)]
    pub report: Option<String>,
    /// What it does, in one line.
    pub about: String,
}

/// One program that runs on and on, as `workloads.toml` describes it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LongLife {
    /// The name that tables show and under which the module exports it.
    pub name: String,
    /// The crate below `guest/` that exports it.
    pub program: String,
    /// What a cycle does, in one line.
    pub about: String,
}

/// What people ship, in a thin wrapper, as `workloads.toml` describes it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Product {
    /// The name that tables show, under which the module exports it, and of the crate below `products/`.
    pub name: String,
    /// The number that the export is called with.
    pub argument: u32,
    /// Whether `<name>_prepare` makes an input before the clock starts.
    #[serde(default)]
    pub prepare: bool,
    /// What it is, and what a call does, in one line.
    pub about: String,
}

/// A group of workloads that stress allocators alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Family {
    /// Allocation is all that the program does.
    Allocator,
    /// A library at the work it was written for.
    Programs,
    /// A recording of what a program asked of its allocator.
    Traces,
    /// What was made after a report of memory that grew, ran out, or became slow.
    Reported,
}

impl Family {
    /// Whether its ratios say something when they are averaged: what was made after reports shows one weakness each.
    pub fn has_means(self) -> bool {
        self != Family::Reported
    }

    /// The heading of the family's table.
    pub fn title(self) -> &'static str {
        match self {
            Family::Allocator => "Allocation only",
            Family::Programs => "Programs",
            Family::Traces => "Recordings of programs, replayed",
            Family::Reported => "Made after reports of memory that grew, ran out, or became slow",
        }
    }
}

impl Workload {
    /// The name under which the module exports it.
    pub fn export(&self) -> &str {
        self.export.as_deref().unwrap_or(&self.name)
    }

    /// The workload that replays the recording at `path`.
    pub fn of_recording(name: &str, path: &Path) -> Self {
        Workload {
            name: name.to_owned(),
            family: Family::Traces,
            program: REPLAY.to_owned(),
            export: Some(REPLAY.to_owned()),
            argument: 0,
            recording: Some(path.to_owned()),
            prepare: true,
            limit_pages: None,
            points: Vec::new(),
            full_only: false,
            report: None,
            about: format!("the recording {}", path.display()),
        }
    }
}

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
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WorkloadFile {
    workload: Vec<Workload>,
    long_life: Vec<LongLife>,
    product: Vec<Product>,
}

impl Catalogue {
    /// Reads all allocators and workloads.
    pub fn read(places: &Places) -> Result<Self> {
        let file = places.compare.join("workloads.toml");
        let workloads: WorkloadFile = read_toml(&file)?;
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
            allocators: read_allocators(&places.compare.join("allocators"))?,
            workloads: workloads.workload,
            long_lives: workloads.long_life,
            products: workloads.product,
        })
    }

    /// Keeps what one of `patterns` names; what no pattern names a part of stays whole.
    ///
    /// A pattern is the name of an allocator, a workload or a family, and may end with `*`. The reference stays, since
    /// ratios are taken to it, and so do the floors.
    pub fn choose(&mut self, patterns: &[String]) -> Result<()> {
        let mut some_allocator = false;
        let mut some_workload = false;
        for pattern in patterns {
            let allocator = self.allocators.iter().any(|it| it.is_named(pattern));
            let workload = self.workloads.iter().any(|it| it.is_named(pattern))
                || self.long_lives.iter().any(|it| it.is_named(pattern))
                || self.products.iter().any(|it| it.is_named(pattern));
            if !allocator && !workload {
                bail!(
                    "--only {pattern}: no allocator, workload or family has this name; allocators: {}; workloads: {}; families: allocator, programs, traces, reported, long-life, products; long-lived programs: {}; products: {}",
                    list(self.allocators.iter().map(|it| it.id.as_str())),
                    list(self.workloads.iter().map(|it| it.name.as_str())),
                    list(self.long_lives.iter().map(|it| it.name.as_str())),
                    list(self.products.iter().map(|it| it.name.as_str())),
                );
            }
            some_allocator |= allocator;
            some_workload |= workload;
        }
        if some_allocator {
            self.allocators.retain(|it| {
                matches!(
                    it.role,
                    Role::Reference | Role::Floor | Role::SizeFloor | Role::Meter | Role::Recorder
                ) || patterns.iter().any(|pattern| it.is_named(pattern))
            });
        }
        if some_workload {
            self.workloads
                .retain(|it| patterns.iter().any(|pattern| it.is_named(pattern)));
            self.long_lives
                .retain(|it| patterns.iter().any(|pattern| it.is_named(pattern)));
            self.products
                .retain(|it| patterns.iter().any(|pattern| it.is_named(pattern)));
        }
        Ok(())
    }

    /// Leaves out the workloads that only the full report runs, except those that `patterns` names itself.
    pub fn leave_out_long_workloads(&mut self, patterns: &[String]) {
        self.workloads
            .retain(|it| !it.full_only || patterns.iter().any(|pattern| matches(pattern, &it.name)));
    }

    /// Leaves out the products, whose modules take minutes to build, except for those that one of `patterns` names.
    pub fn leave_out_products(&mut self, patterns: &[String]) {
        self.products
            .retain(|it| patterns.iter().any(|pattern| it.is_named(pattern)));
    }

    /// Keeps the allocators that `patterns` names, where the workloads are not chosen by name.
    pub fn choose_allocators(&mut self, patterns: &[String]) -> Result<()> {
        for pattern in patterns {
            if !self.contenders().any(|it| it.is_named(pattern)) {
                bail!(
                    "--only {pattern}: no allocator has this name; allocators: {}",
                    list(self.contenders().map(|it| it.id.as_str()))
                );
            }
        }
        self.choose(patterns)
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

impl Allocator {
    fn is_named(&self, pattern: &str) -> bool {
        matches(pattern, &self.id)
    }
}

impl Workload {
    fn is_named(&self, pattern: &str) -> bool {
        let family = match self.family {
            Family::Allocator => "allocator",
            Family::Programs => "programs",
            Family::Traces => "traces",
            Family::Reported => "reported",
        };
        matches(pattern, &self.name) || pattern == family
    }
}

impl LongLife {
    fn is_named(&self, pattern: &str) -> bool {
        matches(pattern, &self.name) || pattern == "long-life"
    }
}

impl Product {
    fn is_named(&self, pattern: &str) -> bool {
        matches(pattern, &self.name) || pattern == "products"
    }
}

fn matches(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => name == pattern,
    }
}

fn list<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.collect::<Vec<_>>().join(", ")
}

fn read_allocators(folder: &Path) -> Result<Vec<Allocator>> {
    let entries =
        fs::read_dir(folder).with_context(|| format!("cannot list the allocator files in {}", folder.display()))?;
    let mut allocators = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            let mut allocator: Allocator = read_toml(&path)?;
            allocator.id = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            allocators.push(allocator);
        }
    }
    allocators.sort_by(|one, other| (one.role, &one.id).cmp(&(other.role, &other.id)));
    Ok(allocators)
}

fn read_toml<T: for<'de> Deserialize<'de>>(path: &Path) -> Result<T> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    toml::from_str(&text).with_context(|| format!("{} is not as expected", path.display()))
}

#[cfg(test)]
mod tests {
    use super::{Catalogue, Family, Role};
    use crate::shared::places::{Group, Places};

    fn catalogue() -> Catalogue {
        Catalogue::read(&Places::of_this_checkout()).expect("the files of the repository are valid")
    }

    #[test]
    fn naming_a_workload_keeps_all_allocators_and_that_workload_alone() {
        let mut chosen = catalogue();
        chosen.choose(&["json".to_owned()]).unwrap();
        assert_eq!(chosen.workloads.len(), 1);
        assert_eq!(chosen.allocators.len(), catalogue().allocators.len());
    }

    #[test]
    fn naming_an_allocator_keeps_the_reference_and_the_floors() {
        let mut chosen = catalogue();
        chosen.choose(&["tiny*".to_owned()]).unwrap();
        let roles: Vec<Role> = chosen.allocators.iter().map(|it| it.role).collect();
        assert_eq!(
            roles,
            [
                Role::Reference,
                Role::Ours,
                Role::Floor,
                Role::SizeFloor,
                Role::Meter,
                Role::Recorder
            ]
        );
        assert_eq!(chosen.workloads.len(), catalogue().workloads.len());
    }

    #[test]
    fn products_are_left_out_unless_one_of_them_or_their_family_is_named() {
        let left = |only: &[&str]| {
            let only: Vec<String> = only.iter().map(|name| (*name).to_owned()).collect();
            let mut chosen = catalogue();
            chosen.choose(&only).unwrap();
            chosen.leave_out_products(&only);
            let names = chosen.products.iter().map(|product| product.name.clone());
            names.collect::<Vec<_>>()
        };
        assert!(left(&[]).is_empty());
        assert!(left(&["freeing-bump"]).is_empty());
        assert_eq!(left(&["jaq", "freeing-bump"]), ["jaq"]);
        assert_eq!(left(&["products"]).len(), catalogue().products.len());
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
    fn an_unknown_name_is_refused_with_the_names_there_are() {
        let message = catalogue().choose(&["jsom".to_owned()]).unwrap_err().to_string();
        for name in [
            "jsom",
            "dlmalloc",
            "hash-map",
            "long-life",
            "replaced-state",
            "sqlparser",
        ] {
            assert!(message.contains(name), "{name}: {message}");
        }
    }

    #[test]
    fn where_only_allocators_can_be_chosen_the_name_of_a_workload_is_refused() {
        let message = catalogue()
            .choose_allocators(&["json".to_owned()])
            .unwrap_err()
            .to_string();
        assert!(message.contains("json") && message.contains("dlmalloc"), "{message}");
        assert!(catalogue().choose_allocators(&["tiny*".to_owned()]).is_ok());
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
    fn the_name_of_a_family_keeps_its_workloads_alone() {
        let mut chosen = catalogue();
        chosen.choose(&["reported".to_owned()]).unwrap();
        assert!(!chosen.workloads.is_empty() && chosen.long_lives.is_empty());
        assert!(chosen.workloads.iter().all(|it| it.family == Family::Reported));
    }

    #[test]
    fn what_takes_long_is_left_out_unless_its_own_name_is_given() {
        let names = |only: &[&str]| -> Vec<String> {
            let only: Vec<String> = only.iter().map(|&name| name.to_owned()).collect();
            let mut chosen = catalogue();
            chosen.choose(&only).unwrap();
            chosen.leave_out_long_workloads(&only);
            chosen.workloads.into_iter().map(|it| it.name).collect()
        };
        let long = "holes-at-the-limit-16k".to_owned();
        assert!(!names(&[]).contains(&long) && !names(&["reported"]).contains(&long));
        assert_eq!(names(&["holes-at-the-limit-16k"]), std::slice::from_ref(&long));
        assert!(names(&["reported", "holes-at-the-limit-*"]).contains(&long));
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
