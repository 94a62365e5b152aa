//! Memory over time: programs that run on and on in one instance.

use super::engines::javascript::{self, JsEngine};
use super::plan::{Plan, Subject};
use crate::modules::workshop::{MOST_MEMORY_BYTES, Modules};
use crate::results::figure::Figure;
use crate::results::long_life::{EARLY, LATE, LongLifeRow};
use crate::results::outcome::Outcome;
use crate::shared::catalogue::Catalogue;
use crate::shared::places::Places;
use crate::shared::progress::Step;
use anyhow::{Context, Result};
use std::time::Duration;

/// The numbers of cycles after which memory is read.
const POINTS: [u32; 11] = [1, 2, 5, EARLY, 20, 50, 100, 200, 400, 700, LATE];

/// Follows the memory of every long-life program with every allocator. Cycles that take longer than `limit` are ended.
pub fn follow(chosen: &Catalogue, modules: &Modules, limit: Duration, places: &Places) -> Result<Vec<LongLifeRow>> {
    let step = Step::begin("memory over time", chosen.long_lives.len());
    let mut rows = Vec::new();
    for long_life in &chosen.long_lives {
        step.part(&long_life.name);
        let plan = Plan {
            export: long_life.name.clone(),
            points: POINTS.to_vec(),
            most_memory_bytes: MOST_MEMORY_BYTES,
            subjects: Subject::of_all(chosen, &long_life.program, modules)?,
            ..Plan::default()
        };
        let outcomes = javascript::run(&plan, JsEngine::V8, limit, places)
            .with_context(|| format!("cannot follow {}", long_life.name))?;
        rows.push(LongLifeRow {
            name: long_life.name.clone(),
            about: long_life.about.clone(),
            cells: outcomes
                .into_iter()
                .map(|(id, outcome)| (id, figure(outcome)))
                .collect(),
        });
    }
    Ok(rows)
}

fn figure(outcome: Outcome) -> Figure<Vec<(u32, u32)>> {
    match outcome {
        Outcome::Ran(runs) => Figure::Measured(runs.curve),
        Outcome::Failed(reason) => Figure::Missing(reason),
    }
}
