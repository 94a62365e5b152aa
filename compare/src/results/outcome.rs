//! What an engine found out about one program with one allocator.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

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
    /// Pages of linear memory at the end. It never shrinks, so this is also the peak.
    pub pages: u32,
    /// Where the heap starts: stack and static data lie below.
    pub heap_base: u32,
    /// The last of the calls of each instance, for a plan with further calls.
    pub last: LastCalls,
    /// Cycles and pages after them, for a plan with points.
    pub curve: Vec<(u32, u32)>,
    /// What was served, for a plan that counts it.
    pub served: Option<Served>,
    /// The instructions of one run, for a module that counts them.
    pub instructions: Option<u64>,
    /// The most bytes that were live at once, for a module that counts them.
    pub peak_live_bytes: Option<u64>,
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

/// What the program computed with the allocator `id`.
pub fn checksum_of<'a>(outcomes: &'a BTreeMap<String, Outcome>, id: &str) -> Option<&'a str> {
    match outcomes.get(id) {
        Some(Outcome::Ran(runs)) => Some(&runs.checksum),
        _ => None,
    }
}

/// The identifiers of allocators whose program computed something else than with `reference`.
pub fn different(outcomes: &BTreeMap<String, Outcome>, reference: &str) -> Vec<String> {
    let expected = checksum_of(outcomes, reference);
    let differs = |id: &&String| match (checksum_of(outcomes, id), expected) {
        (Some(checksum), Some(expected)) => checksum != expected,
        _ => false,
    };
    outcomes.keys().filter(differs).cloned().collect()
}
