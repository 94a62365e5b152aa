//! Memory over time: programs that run on and on in one instance.

use crate::catalogue::Catalogue;
use crate::measure;
use crate::modules::{MOST_MEMORY_BYTES, Modules};
use crate::node::{self, Tiering};
use crate::places::Places;
use crate::plan::{Outcome, Plan};
use crate::progress;
use crate::report::{Figure, LongLifeRow};
use anyhow::{Context, Result};
use std::time::Duration;

/// The first number of cycles that tables compare; by now the program has its working set.
pub const EARLY: u32 = 10;

/// The last number of cycles.
pub const LATE: u32 = 1000;

/// The numbers of cycles after which memory is read.
const POINTS: [u32; 11] = [1, 2, 5, EARLY, 20, 50, 100, 200, 400, 700, LATE];

/// Follows the memory of every long-life program with every allocator. Cycles that take longer than `limit` are ended.
pub fn follow(chosen: &Catalogue, modules: &Modules, limit: Duration, places: &Places) -> Result<Vec<LongLifeRow>> {
    let bar = progress::bar(chosen.long_lives.len() as u64, "memory over time");
    let mut rows = Vec::new();
    for long_life in &chosen.long_lives {
        bar.set_message(long_life.name.clone());
        let plan = Plan {
            export: long_life.name.clone(),
            points: POINTS.to_vec(),
            most_memory_bytes: MOST_MEMORY_BYTES,
            subjects: measure::subjects(chosen, &long_life.program, modules)?,
            ..Plan::default()
        };
        let outcomes = node::run(&plan, Tiering::OptimizingOnly, limit, places)
            .with_context(|| format!("cannot follow {}", long_life.name))?;
        rows.push(LongLifeRow {
            name: long_life.name.clone(),
            about: long_life.about.clone(),
            cells: outcomes
                .into_iter()
                .map(|(id, outcome)| (id, figure(outcome)))
                .collect(),
        });
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(rows)
}

fn figure(outcome: Outcome) -> Figure<Vec<(u32, u32)>> {
    match outcome {
        Outcome::Ran(runs) => Figure::Measured(runs.curve),
        Outcome::Failed(reason) => Figure::Missing(reason),
    }
}

/// The pages after `cycles` cycles.
pub fn pages_after(curve: &[(u32, u32)], cycles: u32) -> Option<u32> {
    curve
        .iter()
        .find(|(cycle, _)| *cycle == cycles)
        .map(|&(_, pages)| pages)
}

/// A table's text for one curve.
pub fn text(curve: &Figure<Vec<(u32, u32)>>) -> String {
    let mebibytes = |pages| f64::from(pages) / 16.0;
    match curve {
        Figure::Missing(reason) => reason.clone(),
        Figure::Measured(curve) => match (pages_after(curve, EARLY), pages_after(curve, LATE)) {
            (Some(early), Some(late)) if early == late => format!("{:.1} MiB, no growth", mebibytes(late)),
            (Some(early), Some(late)) => format!("{:.1} to {:.1} MiB", mebibytes(early), mebibytes(late)),
            _ => "stopped early".to_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::{EARLY, LATE, text};
    use crate::report::Figure;

    #[test]
    fn growth_between_the_two_points_shows_and_its_absence_too() {
        let curve = |late| Figure::Measured(vec![(1, 16), (EARLY, 32), (LATE, late)]);
        assert_eq!(text(&curve(32)), "2.0 MiB, no growth");
        assert_eq!(text(&curve(320)), "2.0 to 20.0 MiB");
    }
}
