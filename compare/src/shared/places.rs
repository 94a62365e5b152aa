//! Where the comparison program reads from and writes to, and the programs that it runs.

use std::env::consts::{ARCH, OS};
use std::path::{Path, PathBuf};

/// Programs that are built together. Each group has a folder, a generated workspace, and a lock file of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Group {
    /// The programs of the workloads, made for the report.
    Guests,
    /// Programs that people ship, in thin wrappers. Only the full report needs the crates that these depend on.
    Products,
    /// The programs of workloads for several workers, built for threads. Their standard library is compiled too, by nightly
    /// Rust.
    Threads,
    /// The same programs, built by the same compiler without threads.
    OneThread,
}

/// The folders and programs of one checkout of the repository.
pub struct Places {
    /// The root folder of the repository.
    pub repository: PathBuf,
    /// `compare/`: allocator files, guest programs, the runner.
    pub compare: PathBuf,
    /// `target/report/`: everything that is written.
    pub report: PathBuf,
    /// The Node whose V8 is measured in place of the pinned one.
    pub other_node: Option<PathBuf>,
}

impl Places {
    /// The folders of the checkout that this program was compiled in.
    pub fn of_this_checkout() -> Self {
        let compare = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
        let repository = compare.parent().unwrap_or(Path::new("/")).to_owned();
        let report = repository.join("target").join("report");
        Places {
            repository,
            compare,
            report,
            other_node: None,
        }
    }

    /// What npm has installed.
    pub fn packages(&self) -> PathBuf {
        self.compare.join("node_modules")
    }

    /// The Node whose V8 is measured: a package pins it, unless another one was asked for.
    pub fn node(&self) -> PathBuf {
        self.other_node
            .clone()
            .unwrap_or_else(|| self.packages().join(".bin").join("node"))
    }

    /// The Bun whose JavaScriptCore is measured, which a package pins.
    pub fn bun(&self) -> PathBuf {
        let system = if OS == "macos" { "darwin" } else { OS };
        let processor = if ARCH == "x86_64" { "x64" } else { ARCH };
        let package = format!("@oven/bun-{system}-{processor}");
        self.packages().join(package).join("bin").join("bun")
    }

    /// Binaryen's optimizer, which npm has installed.
    pub fn wasm_opt(&self) -> PathBuf {
        self.packages().join(".bin").join("wasm-opt")
    }

    /// The folder whose subfolders are the programs of `group`.
    pub fn programs(&self, group: Group) -> PathBuf {
        self.compare.join(match group {
            Group::Guests | Group::Threads | Group::OneThread => "guest",
            Group::Products => "products",
        })
    }

    /// The generated workspace that the modules of `group` are built in.
    pub fn build_workspace(&self, group: Group) -> PathBuf {
        self.report.join(match group {
            Group::Guests => "build",
            Group::Products => "build-products",
            Group::Threads | Group::OneThread => "build-threads",
        })
    }

    /// The folder in which cargo keeps what it builds for `group`.
    pub fn cargo_target(&self, group: Group) -> PathBuf {
        match group {
            Group::Guests | Group::Products => self.report.join("cargo"),
            // As `scripts/build-for-threads.sh` says, which builds them.
            Group::Threads => self.repository.join("target").join("threads"),
            Group::OneThread => self.report.join("cargo-one-thread"),
        }
    }

    /// Built modules, named by what they are made from.
    pub fn modules(&self) -> PathBuf {
        self.report.join("modules")
    }

    /// The committed lock file of the generated workspace of `group`.
    pub fn lock(&self, group: Group) -> PathBuf {
        self.compare.join(match group {
            Group::Guests => "guest.lock",
            Group::Products => "products.lock",
            Group::Threads | Group::OneThread => "threads.lock",
        })
    }
}
