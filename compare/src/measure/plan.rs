//! What an engine is asked to run.

use super::recording::Recording;
use crate::modules::workshop::{MOST_MEMORY_BYTES, Modules};
use crate::results::figure::PAGE_BYTES;
use crate::shared::catalogue::{Allocator, Catalogue, Workload};
use crate::shared::kept_files::{digest_of, keep};
use crate::shared::places::Places;
use crate::shared::profile::Profile;
use anyhow::{Context, Result};
use serde::Serialize;
use std::fs;
use std::path::PathBuf;

/// One workload, run in turn on modules that differ in their allocator.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Plan {
    /// The exported name of the workload.
    pub export: String,
    /// The number it is called with.
    pub argument: u32,
    /// Whether `<export>_prepare` is called first.
    pub prepare: bool,
    /// Whether all rounds of a subject run in one instance; otherwise each has a fresh one.
    pub same_instance: bool,
    /// Rounds that are not measured.
    pub warm_up_runs: u32,
    /// Rounds that are measured.
    pub runs: u32,
    /// Rounds that each subject is measured in even when its budget is spent.
    pub least_runs: u32,
    /// After this much measured time a subject sits out the remaining rounds.
    pub budget_milliseconds: f64,
    /// Calls of the export after the timed one, in the same instance. The last is timed too.
    pub further_calls: u32,
    /// If given, a file of operations, which the export replays in portions. Its input is `argument` slots.
    pub operations: Option<PathBuf>,
    /// If not empty, each subject runs once, on and on, and its pages are read after these numbers of cycles.
    pub points: Vec<u32>,
    /// The maximum of the modules' memories.
    pub most_memory_bytes: u64,
    /// Whether the modules count what they are served, and export that.
    pub counts_served: bool,
    /// The modules.
    pub subjects: Vec<Subject>,
}

/// A module and the identifier of its allocator.
#[derive(Debug, Clone, Serialize)]
pub struct Subject {
    /// The allocator's identifier.
    pub id: String,
    /// The module's file.
    pub path: PathBuf,
}

impl Subject {
    /// `program` with every allocator that runs workloads.
    pub fn of_all(chosen: &Catalogue, program: &str, modules: &Modules) -> Result<Vec<Self>> {
        let subject = |allocator: &Allocator| {
            Ok(Subject {
                id: allocator.id.clone(),
                path: modules.path(program, &allocator.id, Profile::Speed)?.to_owned(),
            })
        };
        chosen.contenders().map(subject).collect()
    }
}

impl Plan {
    /// The plan that runs `workload` once, without subjects.
    pub fn of(workload: &Workload) -> Self {
        Plan {
            export: workload.export().to_owned(),
            argument: workload.argument,
            prepare: workload.prepare,
            warm_up_runs: 1,
            most_memory_bytes: workload
                .limit_pages
                .map_or(MOST_MEMORY_BYTES, |pages| u64::from(pages) * PAGE_BYTES),
            counts_served: workload.limit_pages.is_some(),
            ..Plan::default()
        }
    }

    /// Makes the plan replay the recording of `workload`, if it has one.
    pub fn load_recording(&mut self, workload: &Workload, places: &Places) -> Result<()> {
        let Some(file) = &workload.recording else {
            return Ok(());
        };
        let recording = Recording::read(&places.compare.join("recordings").join(file))?;
        let words = recording.words();
        let path = places.modules().join(format!("operations-{}.bin", digest_of(&words)));
        fs::create_dir_all(places.modules())?;
        keep(&path, |unfinished| {
            fs::write(unfinished, words).with_context(|| format!("cannot write {}", unfinished.display()))
        })?;
        self.argument = u32::try_from(recording.slots).context("slots are counted in 24 bits")?;
        self.prepare = true;
        self.operations = Some(path);
        Ok(())
    }

    /// The same plan for those of its subjects that `keep` names.
    pub fn only(&self, keep: impl Fn(&str) -> bool) -> Self {
        let mut plan = self.clone();
        plan.subjects.retain(|subject| keep(&subject.id));
        plan
    }
}
