//! Figures: a time, a number of instructions, memory; each measured, or missing for a reason.

use super::outcome::Outcome;
use super::statistics::Summary;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Bytes of one page of linear memory.
pub const PAGE_BYTES: u64 = 65_536;

/// Why a figure of the full report is missing in the quick one.
pub const NOT_ASKED_FOR: &str = "only with --full";

/// A figure, or the reason why there is none: no cell is empty.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Figure<T> {
    /// It was measured.
    Measured(T),
    /// It was not, because of this.
    Missing(String),
}

impl<T> Figure<T> {
    /// The figure, if there is one.
    pub fn measured(&self) -> Option<&T> {
        match self {
            Figure::Measured(figure) => Some(figure),
            Figure::Missing(_) => None,
        }
    }
}

/// A time that was measured several times.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Time {
    /// Milliseconds.
    pub milliseconds: Summary,
    /// The median over the reference's median; `None` where the reference has none.
    pub ratio: Option<f64>,
}

/// A number of instructions.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Count {
    /// Instructions of one run.
    pub instructions: u64,
    /// That over the reference's; `None` where the reference has none.
    pub ratio: Option<f64>,
}

/// The linear memory of a run.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Memory {
    /// Pages at the end. Linear memory never shrinks, so this is the peak as well.
    pub pages: u32,
    /// Where the heap starts: stack and static data lie below.
    pub heap_base: u32,
}

impl Memory {
    /// All of it in MiB.
    pub fn mebibytes(&self) -> f64 {
        f64::from(self.pages) / 16.0
    }

    /// The heap's bytes over the most bytes that the program asked for at once.
    pub fn heap_ratio(&self, peak_live_bytes: u64) -> f64 {
        let heap = u64::from(self.pages) * PAGE_BYTES - u64::from(self.heap_base);
        heap as f64 / peak_live_bytes as f64
    }
}

/// The pages after `rounds` rounds of a curve.
pub fn pages_after(curve: &[(u32, u32)], rounds: u32) -> Option<u32> {
    curve.iter().find(|point| point.0 == rounds).map(|point| point.1)
}

/// Linear memory after `outcome`.
pub fn memory_of(outcome: Option<&Outcome>) -> Figure<Memory> {
    match outcome {
        None => Figure::Missing(NOT_ASKED_FOR.to_owned()),
        Some(Outcome::Failed(reason)) => Figure::Missing(reason.clone()),
        Some(Outcome::Ran(runs)) => Figure::Measured(Memory {
            pages: runs.pages,
            heap_base: runs.heap_base,
        }),
    }
}

/// The pages after some numbers of rounds.
pub fn curve_of(outcome: Option<&Outcome>) -> Figure<Vec<(u32, u32)>> {
    match outcome {
        None => Figure::Missing("did not run in V8".to_owned()),
        Some(Outcome::Failed(reason)) => Figure::Missing(reason.clone()),
        Some(Outcome::Ran(runs)) => Figure::Measured(runs.curve.clone()),
    }
}

/// The time of the allocator `id`, as a ratio to that of `reference` too; an output other than `expected` is not a result.
pub fn time_of(
    outcomes: &BTreeMap<String, Outcome>,
    id: &str,
    reference: &str,
    expected: Option<&str>,
) -> Figure<Time> {
    let summary = |id: &str| match outcomes.get(id) {
        None => Err("did not run in V8".to_owned()),
        Some(Outcome::Failed(reason)) => Err(reason.clone()),
        Some(Outcome::Ran(runs)) if expected.is_some_and(|expected| expected != runs.checksum) => {
            Err(format!("wrong output: checksum {}", runs.checksum))
        }
        Some(Outcome::Ran(runs)) => Summary::of(&runs.milliseconds).ok_or("no measured run".to_owned()),
    };
    match summary(id) {
        Err(reason) => Figure::Missing(reason),
        Ok(milliseconds) => Figure::Measured(Time {
            milliseconds,
            ratio: summary(reference)
                .ok()
                .map(|reference| milliseconds.median / reference.median),
        }),
    }
}

/// The instructions of the allocator `id`, as a ratio to those of `reference` too.
pub fn count_of(counts: &BTreeMap<String, Result<u64, String>>, id: &str, reference: &str) -> Figure<Count> {
    match counts.get(id) {
        None => Figure::Missing("did not run in V8".to_owned()),
        Some(Err(reason)) => Figure::Missing(reason.clone()),
        Some(&Ok(instructions)) => Figure::Measured(Count {
            instructions,
            ratio: match counts.get(reference) {
                Some(&Ok(reference)) => Some(instructions as f64 / reference as f64),
                _ => None,
            },
        }),
    }
}
