//! What the allocators run, as `workloads.toml` lists it.

use super::pattern::matches;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// The program that replays recordings.
const REPLAY: &str = "replay";

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
    /// Whether it or building its modules takes long: the quick report leaves it out, unless `--only` has its own name.
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

/// A program that people ship, in a thin wrapper, as `workloads.toml` describes it.
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

/// A workload that several workers of one module run at once, as `workloads.toml` describes it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ThreadWorkload {
    /// The name that tables show and the command line takes.
    pub name: String,
    /// The exported name.
    pub export: String,
    /// The number that the export is called with.
    pub argument: u32,
    /// How often each worker calls it; if this is not given, for some time.
    #[serde(default)]
    pub calls: Option<u32>,
    /// Whether the workers wait for each other after each of these calls.
    #[serde(default)]
    pub in_step: bool,
    /// The numbers of workers that share the work.
    pub workers: Vec<u32>,
    /// What is compared.
    pub compares: Compares,
    /// What one operation is.
    pub operation: String,
    /// What it does, in one line.
    pub about: String,
}

/// What a workload for several workers is compared by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Compares {
    /// What several workers do at once, each for itself. One worker is timed in a build without threads too.
    Work,
    /// What workers do that depend on each other.
    HandOver,
    /// The memory in the end.
    Memory,
}

impl ThreadWorkload {
    /// Whether `pattern` names it.
    pub fn is_named(&self, pattern: &str) -> bool {
        matches(pattern, &self.name) || pattern == "threads"
    }
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

impl Workload {
    /// Whether `pattern` names it.
    pub fn is_named(&self, pattern: &str) -> bool {
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
    /// Whether `pattern` names it.
    pub fn is_named(&self, pattern: &str) -> bool {
        matches(pattern, &self.name) || pattern == "long-life"
    }
}

impl Product {
    /// Whether `pattern` names it.
    pub fn is_named(&self, pattern: &str) -> bool {
        matches(pattern, &self.name) || pattern == "products"
    }
}
