//! What several workers of one module do at once, each in a thread of its own: tables with a line for each allocator.
//!
//! These figures have versions and a date of their own: they can be measured and published alone.

use super::figure::{Figure, PAGE_BYTES};
use super::size::Size;
use super::statistics::Summary;
use crate::shared::catalogue::{Compares, Role, ThreadWorkload};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The allocator that throughput is stated over: what a module gets that names none.
pub const BASE: &str = "std";

/// Everything that was found out about builds for threads.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Threads {
    /// When it was measured, with the zone.
    pub date: String,
    /// The command that measured it.
    pub command: String,
    /// The commit of the checkout, and whether files differed from it.
    pub commit: String,
    /// The compiler of these modules and of their standard library.
    pub rustc: String,
    /// Node and the engine inside it.
    pub engine: String,
    /// The processor, as the operating system names it.
    pub machine: String,
    /// The allocator that throughput is stated over.
    pub base: String,
    /// The rounds that each figure is the median of.
    pub rounds: u32,
    /// The lines of all tables, in their order.
    pub allocators: Vec<ThreadColumn>,
    /// The workloads, in their order.
    pub rows: Vec<ThreadRow>,
    /// What the allocators add to modules.
    pub sizes: Vec<ThreadSize>,
}

/// An allocator as a line of tables.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ThreadColumn {
    /// The identifier that cells are found by.
    pub id: String,
    /// The name that is shown.
    pub name: String,
    /// What it is in builds for threads, in one line.
    pub description: String,
    /// Its crates.
    pub version: String,
    /// What it is compared as.
    pub role: Role,
    /// Why it cannot be used there; then it has no cells.
    pub unsupported: Option<String>,
}

/// A workload as a table.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ThreadRow {
    /// The workload's name.
    pub name: String,
    /// What it does.
    pub about: String,
    /// What one operation is.
    pub operation: String,
    /// What is compared.
    pub compares: Compares,
    /// Whether the workers wait for each other all the time: then their time says nothing.
    pub in_step: bool,
    /// The numbers of workers that were measured.
    pub workers: Vec<u32>,
    /// What each allocator did, by identifier.
    pub cells: BTreeMap<String, ThreadCell>,
}

impl ThreadRow {
    /// The table of a workload, with these cells and numbers of workers.
    pub fn new(workload: &ThreadWorkload, cells: BTreeMap<String, ThreadCell>, workers: Vec<u32>) -> Self {
        ThreadRow {
            name: workload.name.clone(),
            about: workload.about.clone(),
            operation: workload.operation.clone(),
            compares: workload.compares,
            in_step: workload.in_step,
            cells,
            workers,
        }
    }
}

/// One workload with one allocator.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ThreadCell {
    /// One worker in a build without threads, of a workload whose work is compared.
    pub one_thread: Option<Figure<Pace>>,
    /// Each number of workers of the row, in a build for threads.
    pub workers: BTreeMap<u32, Figure<Pace>>,
}

/// How fast workers were together, and the memory that they took.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Pace {
    /// Operations of all workers in a second.
    pub operations_per_second: Summary,
    /// Pages of linear memory in the end.
    pub pages: Summary,
    /// Where the heap starts: stacks and static data lie below.
    pub heap_base: u32,
}

impl Pace {
    /// Nanoseconds from one operation to the next, of all workers together.
    pub fn nanoseconds(&self) -> f64 {
        1e9 / self.operations_per_second.median
    }

    /// The pages of the heap in the end.
    pub fn heap_pages(&self) -> f64 {
        self.pages.median - f64::from(self.heap_base) / PAGE_BYTES as f64
    }

    /// What these workers did over what `others` did in the same time.
    pub fn over(&self, others: &Pace) -> f64 {
        self.operations_per_second.median / others.operations_per_second.median
    }
}

impl ThreadCell {
    /// The pace of a number of workers.
    pub fn pace(&self, workers: u32) -> Option<&Pace> {
        self.workers.get(&workers)?.measured()
    }

    /// What a number of workers did over what one did.
    pub fn scaling(&self, workers: u32) -> Option<f64> {
        Some(self.pace(workers)?.over(self.pace(1)?))
    }

    /// The time of one worker over that in a build without threads.
    pub fn price(&self) -> Option<f64> {
        Some(self.one_thread.as_ref()?.measured()?.over(self.pace(1)?))
    }
}

/// The bytes that an allocator adds to a module for threads, and to the same module without.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ThreadSize {
    /// The allocator's identifier.
    pub allocator: String,
    /// The profile's name.
    pub profile: String,
    /// Bytes over the allocator that always fails, in a module for threads.
    pub threads: Size,
    /// The same in a module without.
    pub one_thread: Size,
}

impl Threads {
    /// The allocators that can be used in builds for threads.
    pub fn measured(&self) -> impl Iterator<Item = &ThreadColumn> {
        self.allocators.iter().filter(|column| column.unsupported.is_none())
    }

    /// Bytes of static data that the allocator `id` has more in a build for threads than in one without, as the start of the
    /// heap says.
    pub fn static_bytes(&self, id: &str) -> Option<i64> {
        self.rows.iter().find_map(|row| {
            let cell = row.cells.get(id)?;
            let one_thread = cell.one_thread.as_ref()?.measured()?;
            Some(i64::from(cell.pace(1)?.heap_base) - i64::from(one_thread.heap_base))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Pace, ThreadCell};
    use crate::results::figure::Figure;
    use crate::results::statistics::Summary;
    use std::collections::BTreeMap;

    fn pace(operations_per_second: f64) -> Figure<Pace> {
        Figure::Measured(Pace {
            operations_per_second: Summary::of(&[operations_per_second]).unwrap(),
            pages: Summary::of(&[40.0, 42.0, 44.0]).unwrap(),
            heap_base: 131_072,
        })
    }

    #[test]
    fn workers_are_compared_by_what_they_do_together_and_threads_by_the_time_of_one() {
        let cell = ThreadCell {
            one_thread: Some(pace(110.0)),
            workers: BTreeMap::from([
                (1, pace(100.0)),
                (2, pace(190.0)),
                (4, Figure::Missing("trap".to_owned())),
            ]),
        };
        assert_eq!(
            (cell.scaling(2), cell.scaling(4), cell.price()),
            (Some(1.9), None, Some(1.1))
        );
        assert_eq!(cell.pace(1).unwrap().nanoseconds(), 1e7);
        assert_eq!(cell.pace(1).unwrap().heap_pages(), 40.0);
    }
}
