//! The report as data: what `report.json` holds, and what the tables are drawn from.

use crate::catalogue::{Catalogue, Family, Role, Workload};
use crate::plan::{Outcome, Served};
use crate::sizes::{CodeSize, Size};
use crate::statistics::{Summary, WIDE_SPREAD, geometric_mean};
use crate::versions::Versions;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Bytes of one page of linear memory.
pub const PAGE_BYTES: u64 = 65_536;

/// So many rounds a program has run in an instance before it is timed there as one that has run for long.
pub const EARLIER_ROUNDS: u32 = 100;

/// The rounds before JavaScriptCore is timed: until then it goes from its interpreter to its optimizing compiler.
pub const JSC_WARM_UP_RUNS: u32 = 3;

/// The calls of a product in each instance: the first and the last are timed.
pub const PRODUCT_CALLS: u32 = 50;

/// The first number of cycles that tables compare; by now the program has its working set.
pub const EARLY: u32 = 10;

/// The last number of cycles.
pub const LATE: u32 = 1000;

/// Everything that one run found out.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Report {
    /// When the run started, with the zone.
    pub date: String,
    /// The command that was run.
    pub command: String,
    /// The most runs per cell.
    pub runs: u32,
    /// Whether everything was measured, or only what the quick mode measures.
    pub full: bool,
    /// What tables and the page say alike.
    pub terms: Terms,
    /// The versions of everything.
    pub versions: Versions,
    /// The columns of all tables, in their order.
    pub allocators: Vec<Column>,
    /// The rows of the tables, in their order.
    pub workloads: Vec<Row>,
    /// Memory over time.
    pub long_lives: Vec<LongLifeRow>,
    /// What people ship.
    pub products: Vec<ProductRow>,
    /// The code sizes.
    pub sizes: Vec<CodeSize>,
}

/// What tables and the page say alike.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Terms {
    /// The heading of each family, in their order.
    pub families: Vec<(Family, String)>,
    /// A spread above this share of the median is marked.
    pub wide_spread: f64,
    /// The rounds before a program is timed as one that has run for long.
    pub earlier_rounds: u32,
    /// The first number of cycles whose memory is compared, and the last.
    pub cycles: (u32, u32),
    /// The calls of a product in each instance.
    pub product_calls: u32,
}

impl Terms {
    /// Those of this program.
    pub fn of_this_program() -> Self {
        let families = [Family::Allocator, Family::Programs, Family::Traces, Family::Reported];
        Terms {
            families: families.map(|family| (family, family.title().to_owned())).to_vec(),
            wide_spread: WIDE_SPREAD,
            earlier_rounds: EARLIER_ROUNDS,
            cycles: (EARLY, LATE),
            product_calls: PRODUCT_CALLS,
        }
    }
}

/// An allocator as a column of tables.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Column {
    /// The identifier that cells are found by.
    pub id: String,
    /// The name that is shown.
    pub name: String,
    /// What it is, in one line.
    pub description: String,
    /// What it is compared as.
    pub role: Role,
    /// Whether a released block can be used again.
    pub frees: bool,
}

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

/// A program that runs on and on as a row of tables.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LongLifeRow {
    /// The program's name.
    pub name: String,
    /// What a cycle does.
    pub about: String,
    /// The pages after some numbers of cycles, by allocator.
    pub cells: BTreeMap<String, Figure<Vec<(u32, u32)>>>,
}

/// A product as a table.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ProductRow {
    /// The product's name.
    pub name: String,
    /// What it is, and what a call does.
    pub about: String,
    /// What each allocator that is compared in products did with it, by identifier.
    pub cells: BTreeMap<String, ProductCell>,
}

/// One product with one allocator.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProductCell {
    /// The first call in an instance.
    pub first: CallFigures,
    /// The last of [`PRODUCT_CALLS`].
    pub last: CallFigures,
    /// Bytes of the module.
    pub size: Size,
}

/// One of the calls in an instance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CallFigures {
    /// Time in V8, optimizing compiler only.
    pub time: Figure<Time>,
    /// Linear memory after it.
    pub memory: Figure<Memory>,
}

/// A figure, or the reason why there is none: no cell is empty.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Figure<T> {
    /// It was measured.
    Measured(T),
    /// It was not, because of this.
    Missing(String),
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
    /// Executed instructions, counted by wasmtime.
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
    /// Pages at the end. Linear memory never shrinks, so that this is the peak as well.
    pub pages: u32,
    /// Where the heap starts: stack and static data lie below.
    pub heap_base: u32,
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
    /// From wasmtime's fuel counter.
    pub instructions: BTreeMap<String, Result<u64, String>>,
    /// From V8, pages after some numbers of rounds; `None` if the workload has no such points.
    pub curve: Option<BTreeMap<String, Outcome>>,
    /// The most live bytes at once.
    pub peak_live_bytes: u64,
}

const NOT_ASKED_FOR: &str = "only with --full";

impl Report {
    /// A report on the allocators of the repository, in which nothing was measured.
    #[cfg(test)]
    pub fn sample() -> Self {
        let catalogue = Catalogue::read(&crate::places::Places::of_this_checkout()).unwrap();
        Report {
            date: String::new(),
            command: String::new(),
            runs: 0,
            full: false,
            terms: Terms::of_this_program(),
            versions: Versions::default(),
            allocators: Report::columns(&catalogue),
            workloads: Vec::new(),
            long_lives: Vec::new(),
            products: Vec::new(),
            sizes: Vec::new(),
        }
    }

    /// The columns of the allocators that run workloads.
    pub fn columns(catalogue: &Catalogue) -> Vec<Column> {
        catalogue
            .contenders()
            .map(|allocator| Column {
                id: allocator.id.clone(),
                name: allocator.name.clone(),
                description: allocator.description.clone(),
                role: allocator.role,
                frees: allocator.frees,
            })
            .collect()
    }

    /// The families that have a row and whose ratios have a mean, in their order.
    pub fn families(&self) -> Vec<Family> {
        let families = self.workloads.iter().map(|row| row.family);
        let mut families: Vec<Family> = families.filter(|family| family.has_means()).collect();
        families.sort();
        families.dedup();
        families
    }

    /// The rows of one family.
    pub fn rows(&self, family: Family) -> impl Iterator<Item = &Row> {
        self.workloads.iter().filter(move |row| row.family == family)
    }

    /// The geometric mean of a ratio over those workloads of a family that the reference has it for; `None` unless the
    /// allocator has it for all of these.
    pub fn mean(&self, family: Family, allocator: &str, ratio: impl Fn(&Row, &Cell) -> Option<f64>) -> Option<f64> {
        let reference = self.allocators.iter().find(|column| column.role == Role::Reference)?;
        let ratio_of = |row: &Row, allocator: &str| ratio(row, row.cells.get(allocator)?);
        let ratios: Option<Vec<f64>> = self
            .rows(family)
            .filter(|row| ratio_of(row, &reference.id).is_some())
            .map(|row| ratio_of(row, allocator))
            .collect();
        geometric_mean(&ratios?)
    }
}

impl CallFigures {
    /// What `outcomes` say of the allocator `id`; times become ratios to `reference`.
    pub fn of(outcomes: &BTreeMap<String, Outcome>, id: &str, reference: &str) -> Self {
        let expected = checksum_of(outcomes, reference);
        CallFigures {
            time: time_of(outcomes, id, reference, expected),
            memory: memory_of(outcomes.get(id)),
        }
    }

    /// The median of its times.
    pub fn milliseconds(&self) -> Option<f64> {
        match &self.time {
            Figure::Measured(time) => Some(time.milliseconds.median),
            Figure::Missing(_) => None,
        }
    }

    /// The median of its times over the reference's.
    pub fn time_ratio(&self) -> Option<f64> {
        match &self.time {
            Figure::Measured(time) => time.ratio,
            Figure::Missing(_) => None,
        }
    }

    /// The pages of linear memory after it.
    pub fn pages(&self) -> Option<u32> {
        match &self.memory {
            Figure::Measured(memory) => Some(memory.pages),
            Figure::Missing(_) => None,
        }
    }
}

/// What the program computed with the allocator `id`.
fn checksum_of<'a>(outcomes: &'a BTreeMap<String, Outcome>, id: &str) -> Option<&'a str> {
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

fn memory_of(outcome: Option<&Outcome>) -> Figure<Memory> {
    match outcome {
        None => Figure::Missing(NOT_ASKED_FOR.to_owned()),
        Some(Outcome::Failed(reason)) => Figure::Missing(reason.clone()),
        Some(Outcome::Ran(runs)) => Figure::Measured(Memory {
            pages: runs.pages,
            heap_base: runs.heap_base,
        }),
    }
}

fn curve_of(outcome: Option<&Outcome>) -> Figure<Vec<(u32, u32)>> {
    match outcome {
        None => Figure::Missing("did not run in V8".to_owned()),
        Some(Outcome::Failed(reason)) => Figure::Missing(reason.clone()),
        Some(Outcome::Ran(runs)) => Figure::Measured(runs.curve.clone()),
    }
}

fn time_of(outcomes: &BTreeMap<String, Outcome>, id: &str, reference: &str, expected: Option<&str>) -> Figure<Time> {
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

fn count_of(counts: &BTreeMap<String, Result<u64, String>>, id: &str, reference: &str) -> Figure<Count> {
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

/// What allocation costs beyond the program's own work, which are the instructions with the floor, over that of the reference.
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
    use super::{Cell, Figure, Findings, Report, Row, allocation_of};
    use crate::catalogue::Catalogue;
    use crate::places::Places;
    use crate::plan::{Outcome, Runs};
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
    fn a_workload_without_a_figure_of_the_reference_is_left_out_of_means() {
        let mut report = Report::sample();
        let (with_reference, _) = row([("dlmalloc", ran(8.0, "a")), ("tiny", ran(4.0, "a"))]);
        let (without, _) = row([
            ("dlmalloc", Outcome::Failed("trap".to_owned())),
            ("tiny", ran(4.0, "a")),
        ]);
        let (other_failed, _) = row([
            ("dlmalloc", ran(8.0, "a")),
            ("tiny", Outcome::Failed("trap".to_owned())),
        ]);
        let family = with_reference.family;
        let time = |_: &Row, cell: &Cell| match &cell.v8 {
            Figure::Measured(time) => time.ratio,
            Figure::Missing(_) => None,
        };
        report.workloads = vec![with_reference, without];
        assert_eq!(report.mean(family, "tiny", time), Some(0.5));
        report.workloads.push(other_failed);
        assert_eq!(report.mean(family, "tiny", time), None);
    }

    #[test]
    fn what_was_not_asked_for_says_so() {
        let (row, _) = row([("dlmalloc", ran(8.0, "a")), ("tiny", ran(4.0, "a"))]);
        assert!(matches!(&row.cells["tiny"].wasmtime, Figure::Missing(why) if why.contains("--full")));
    }
}
