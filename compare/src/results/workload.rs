//! One workload as a row of tables, made from what the engines found out.

use super::figure::{Count, Figure, Memory, NOT_ASKED_FOR, Time, count_of, curve_of, memory_of, pages_after, time_of};
use super::outcome::{Outcome, Served, checksum_of, different};
use crate::shared::catalogue::{Family, Workload};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The rounds that a program runs in an instance before it is timed there as one that has run for long.
pub const EARLIER_ROUNDS: u32 = 100;

/// The rounds before JavaScriptCore is timed: until then it goes from its interpreter to its optimizing compiler.
pub const JSC_WARM_UP_RUNS: u32 = 3;

/// A workload as a row of tables.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Row {
    /// The workload's name.
    pub name: String,
    /// Its family.
    pub family: Family,
    /// What it does.
    pub about: String,
    /// The address of the public report that it was made after.
    pub report: Option<String>,
    /// The most pages that its memory may have, if that is less than what modules are linked with.
    pub limit_pages: Option<u32>,
    /// The most bytes that the program asks for at once, its input included.
    pub peak_live_bytes: u64,
    /// What each allocator did with it, by identifier.
    pub cells: BTreeMap<String, Cell>,
}

/// One workload with one allocator.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cell {
    /// Time in V8, optimizing compiler only.
    pub v8: Figure<Time>,
    /// Time in V8 with its default tiering.
    pub v8_tiered: Figure<Time>,
    /// Time in V8, optimizing compiler only, of a program in an instance in which it has run 100 times before.
    pub v8_later: Figure<Time>,
    /// Linear memory after that.
    pub memory_later: Figure<Memory>,
    /// Time in JavaScriptCore with its own tiering, after a longer warm-up.
    pub javascriptcore: Figure<Time>,
    /// Time in wasmtime.
    pub wasmtime: Figure<Time>,
    /// Executed instructions.
    pub instructions: Figure<Count>,
    /// Those of them that are not the program's own work, over the reference's.
    pub allocation: Figure<f64>,
    /// Linear memory.
    pub memory: Figure<Memory>,
    /// What was served, of a workload whose memory is limited.
    pub served: Option<Served>,
    /// The pages after some numbers of rounds, of a workload that has such points.
    pub curve: Option<Figure<Vec<(u32, u32)>>>,
}

impl Cell {
    /// The pages after `rounds` rounds.
    pub fn pages_after(&self, rounds: u32) -> Option<u32> {
        match &self.curve {
            Some(Figure::Measured(curve)) => pages_after(curve, rounds),
            _ => None,
        }
    }

    /// A cell in which nothing was measured but this.
    #[cfg(test)]
    pub fn sample(v8: Figure<Time>, served: Option<Served>) -> Self {
        let missing = || Figure::Missing(NOT_ASKED_FOR.to_owned());
        Cell {
            v8,
            v8_tiered: missing(),
            v8_later: missing(),
            memory_later: Figure::Missing(NOT_ASKED_FOR.to_owned()),
            javascriptcore: missing(),
            wasmtime: missing(),
            instructions: Figure::Missing(NOT_ASKED_FOR.to_owned()),
            allocation: Figure::Missing(NOT_ASKED_FOR.to_owned()),
            memory: Figure::Missing(NOT_ASKED_FOR.to_owned()),
            served,
            curve: None,
        }
    }
}

/// What was found out about one workload, by allocator.
#[derive(Default)]
pub struct Findings {
    /// From V8, optimizing compiler only.
    pub v8: BTreeMap<String, Outcome>,
    /// From V8 with default tiering; `None` if that was not asked for.
    pub v8_tiered: Option<BTreeMap<String, Outcome>>,
    /// From V8, after many rounds in the same instance; `None` if that was not asked for, or is not measured for the family.
    pub v8_later: Option<BTreeMap<String, Outcome>>,
    /// From JavaScriptCore; `None` if that was not asked for.
    pub javascriptcore: Option<BTreeMap<String, Outcome>>,
    /// From wasmtime; `None` if that was not asked for.
    pub wasmtime: Option<BTreeMap<String, Outcome>>,
    /// From modules that count what they execute.
    pub instructions: BTreeMap<String, Result<u64, String>>,
    /// From V8, pages after some numbers of rounds; `None` if the workload has no such points.
    pub curve: Option<BTreeMap<String, Outcome>>,
    /// The most live bytes at once.
    pub peak_live_bytes: u64,
}

impl Row {
    /// The numbers of rounds after which some allocator's pages were read.
    pub fn points(&self) -> BTreeSet<u32> {
        let curves = self.cells.values().filter_map(|cell| match &cell.curve {
            Some(Figure::Measured(curve)) => Some(curve),
            _ => None,
        });
        curves.flatten().map(|&(rounds, _)| rounds).collect()
    }

    /// The last of these.
    pub fn last_point(&self) -> Option<u32> {
        self.points().last().copied()
    }

    /// Builds the row of `workload`; an output unlike the reference's is a failure.
    ///
    /// Returns the row and the identifiers of allocators whose program computed something else.
    pub fn new(workload: &Workload, findings: &Findings, reference: &str, floor: &str) -> (Self, Vec<String>) {
        let expected = checksum_of(&findings.v8, reference);
        let times = |outcomes: Option<&BTreeMap<String, Outcome>>, id: &str| match outcomes {
            None => Figure::Missing(NOT_ASKED_FOR.to_owned()),
            Some(outcomes) => time_of(outcomes, id, reference, expected),
        };
        let mut cells = BTreeMap::new();
        for (id, outcome) in &findings.v8 {
            let cell = Cell {
                v8: times(Some(&findings.v8), id),
                v8_tiered: times(findings.v8_tiered.as_ref(), id),
                v8_later: times(findings.v8_later.as_ref(), id),
                memory_later: memory_of(findings.v8_later.as_ref().and_then(|outcomes| outcomes.get(id))),
                javascriptcore: times(findings.javascriptcore.as_ref(), id),
                wasmtime: times(findings.wasmtime.as_ref(), id),
                instructions: count_of(&findings.instructions, id, reference),
                allocation: allocation_of(&findings.instructions, id, reference, floor),
                memory: memory_of(Some(outcome)),
                served: match outcome {
                    Outcome::Ran(runs) => runs.served,
                    Outcome::Failed(_) => None,
                },
                curve: findings.curve.as_ref().map(|outcomes| curve_of(outcomes.get(id))),
            };
            cells.insert(id.clone(), cell);
        }
        let row = Row {
            name: workload.name.clone(),
            family: workload.family,
            about: workload.about.clone(),
            report: workload.report.clone(),
            limit_pages: workload.limit_pages,
            peak_live_bytes: findings.peak_live_bytes,
            cells,
        };
        (row, different(&findings.v8, reference))
    }
}

/// The instructions beyond the program's own work, over those of the reference. Its own work are the instructions with the
/// floor.
fn allocation_of(
    counts: &BTreeMap<String, Result<u64, String>>,
    id: &str,
    reference: &str,
    floor: &str,
) -> Figure<f64> {
    let count = |id: &str| match counts.get(id) {
        None => Err("did not run in V8".to_owned()),
        Some(Err(reason)) => Err(reason.clone()),
        Some(&Ok(instructions)) => Ok(instructions),
    };
    let beyond_floor = |id: &str| {
        let own_work = count(floor).map_err(|reason| format!("unknown: {floor} {reason}"))?;
        let beyond = count(id)?.saturating_sub(own_work);
        match beyond {
            0 => Err(format!("no more than {floor}")),
            beyond => Ok(beyond as f64),
        }
    };
    let ratio = || {
        let ours = beyond_floor(id)?;
        let theirs = beyond_floor(reference).map_err(|reason| format!("no ratio: {reference} {reason}"))?;
        Ok(ours / theirs)
    };
    match ratio() {
        Ok(ratio) => Figure::Measured(ratio),
        Err(reason) => Figure::Missing(reason),
    }
}

#[cfg(test)]
mod tests {
    use super::{Figure, Findings, Row, allocation_of};
    use crate::results::outcome::{Outcome, Runs};
    use crate::shared::catalogue::Catalogue;
    use crate::shared::places::Places;
    use std::collections::BTreeMap;

    fn ran(milliseconds: f64, checksum: &str) -> Outcome {
        Outcome::Ran(Runs {
            milliseconds: vec![milliseconds; 3],
            checksum: checksum.to_owned(),
            pages: 20,
            ..Runs::default()
        })
    }

    fn row(outcomes: [(&str, Outcome); 2]) -> (Row, Vec<String>) {
        let catalogue = Catalogue::read(&Places::of_this_checkout()).unwrap();
        let findings = Findings {
            v8: BTreeMap::from(outcomes.map(|(id, outcome)| (id.to_owned(), outcome))),
            instructions: BTreeMap::from([("dlmalloc".to_owned(), Ok(10)), ("tiny".to_owned(), Ok(4))]),
            ..Findings::default()
        };
        Row::new(&catalogue.workloads[0], &findings, "dlmalloc", "floor")
    }

    #[test]
    fn half_the_time_of_the_reference_is_a_ratio_of_one_half() {
        let (row, different) = row([("dlmalloc", ran(8.0, "a")), ("tiny", ran(4.0, "a"))]);
        assert!(different.is_empty());
        assert!(matches!(&row.cells["tiny"].v8, Figure::Measured(time) if time.ratio == Some(0.5)));
        assert!(matches!(&row.cells["tiny"].instructions, Figure::Measured(count) if count.ratio == Some(0.4)));
    }

    #[test]
    fn an_output_unlike_the_references_is_no_result() {
        let (row, different) = row([("dlmalloc", ran(8.0, "a")), ("tiny", ran(4.0, "b"))]);
        assert_eq!(different, ["tiny"]);
        assert!(matches!(&row.cells["tiny"].v8, Figure::Missing(why) if why.contains("wrong output")));
    }

    #[test]
    fn without_the_reference_there_are_times_but_no_ratios() {
        let stuck = Outcome::Failed("takes more than 2 s".to_owned());
        let (row, _) = row([("dlmalloc", stuck), ("tiny", ran(4.0, "b"))]);
        assert!(matches!(&row.cells["tiny"].v8, Figure::Measured(time) if time.ratio.is_none()));
    }

    #[test]
    fn what_the_floor_takes_is_no_cost_of_allocation() {
        let allocation = |floor: Result<u64, String>| {
            let counts = BTreeMap::from([
                ("dlmalloc".to_owned(), Ok(1000)),
                ("tiny".to_owned(), Ok(600)),
                ("floor".to_owned(), floor),
            ]);
            allocation_of(&counts, "tiny", "dlmalloc", "floor")
        };
        assert_eq!(allocation(Ok(200)), Figure::Measured(0.5));
        // An allocator that resizes in place where the floor copies takes less.
        assert_eq!(allocation(Ok(700)), Figure::Missing("no more than floor".to_owned()));
        assert!(matches!(allocation(Err("trap".to_owned())), Figure::Missing(why) if why.contains("floor trap")));
    }

    #[test]
    fn no_cost_of_allocation_is_stated_over_a_reference_that_has_none() {
        let counts = BTreeMap::from([
            ("dlmalloc".to_owned(), Ok(300)),
            ("tiny".to_owned(), Ok(600)),
            ("floor".to_owned(), Ok(300)),
        ]);
        let allocation = allocation_of(&counts, "tiny", "dlmalloc", "floor");
        assert!(matches!(allocation, Figure::Missing(why) if why.contains("dlmalloc no more than floor")));
    }

    #[test]
    fn a_figure_that_was_not_asked_for_says_so() {
        let (row, _) = row([("dlmalloc", ran(8.0, "a")), ("tiny", ran(4.0, "a"))]);
        assert!(matches!(&row.cells["tiny"].wasmtime, Figure::Missing(why) if why.contains("--full")));
    }
}
