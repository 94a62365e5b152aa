//! Where the comparison program reads from and writes to.

use std::path::{Path, PathBuf};

/// The folders of one checkout of the repository.
pub struct Places {
    /// The top of the repository.
    pub repository: PathBuf,
    /// `compare/`: allocator files, guest programs, the runner.
    pub compare: PathBuf,
    /// `target/report/`: everything that is written.
    pub report: PathBuf,
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
        }
    }

    /// The generated workspace that the guest modules are built in.
    pub fn build_workspace(&self) -> PathBuf {
        self.report.join("build")
    }

    /// Built modules, named by what they are made from.
    pub fn modules(&self) -> PathBuf {
        self.report.join("modules")
    }

    /// The committed lock file of the generated workspace.
    pub fn guest_lock(&self) -> PathBuf {
        self.compare.join("guest.lock")
    }
}
