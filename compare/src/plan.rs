//! What an engine is asked to run, and what it found out.

use serde::{Deserialize, Serialize};
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
    /// If given, a file of operations, which the export replays in portions; its input is `argument` slots.
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

/// What a subject's run gave.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// It ran to the end each time.
    Ran(Runs),
    /// It stopped; the text says why.
    Failed(String),
}

/// The measured runs of one subject.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Runs {
    /// The time of each.
    pub milliseconds: Vec<f64>,
    /// The checksum of the workload's output.
    pub checksum: String,
    /// Pages of linear memory at the end; memory never shrinks, so that this is also the peak.
    pub pages: u32,
    /// Where the heap starts: stack and static data lie below.
    pub heap_base: u32,
    /// The last of the calls of each instance, for a plan with further calls.
    pub last: LastCalls,
    /// Cycles and pages after them, for a plan with points.
    pub curve: Vec<(u32, u32)>,
    /// What was served, for a plan that counts it.
    pub served: Option<Served>,
}

/// What a program that ran into its memory's maximum was served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Served {
    /// Blocks before the first refusal.
    pub blocks_before_refusal: u32,
    /// The bytes of these.
    pub bytes_before_refusal: u32,
    /// Blocks after the program released some; 0 if it released none.
    pub blocks_after_release: u32,
    /// The bytes of these.
    pub bytes_after_release: u32,
}

impl Served {
    /// The bytes in both parts.
    pub fn bytes(&self) -> u64 {
        u64::from(self.bytes_before_refusal) + u64::from(self.bytes_after_release)
    }
}

/// The last calls in the instances of one subject.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LastCalls {
    /// The time of each.
    pub milliseconds: Vec<f64>,
    /// Pages of linear memory after it.
    pub pages: u32,
}

impl Plan {
    /// The same plan for those of its subjects that `keep` names.
    pub fn only(&self, keep: impl Fn(&str) -> bool) -> Self {
        let mut plan = self.clone();
        plan.subjects.retain(|subject| keep(&subject.id));
        plan
    }

    /// Whether a subject that had `runs` so far runs in `round` too, counted from the first warm-up.
    pub fn wants_run(&self, round: u32, runs: &Runs) -> bool {
        let spent: f64 = runs.milliseconds.iter().sum();
        round < self.warm_up_runs + self.least_runs || spent <= self.budget_milliseconds
    }
}
