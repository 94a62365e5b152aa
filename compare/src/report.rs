//! The report as data: what `report.json` holds, and what the tables are drawn from.

use crate::catalogue::{Catalogue, Family, Role, Workload};
use crate::node::Outcome;
use crate::sizes::CodeSize;
use crate::statistics::{Summary, geometric_mean};
use crate::versions::Versions;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Everything that one run found out.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Report {
    /// When the run started, with the zone.
    pub date: String,
    /// The arguments of the comparison program.
    pub command: String,
    /// The most runs per cell.
    pub runs: u32,
    /// The versions of everything.
    pub versions: Versions,
    /// The columns of all tables, in their order.
    pub allocators: Vec<Column>,
    /// The rows of the tables, in their order.
    pub workloads: Vec<Row>,
    /// The code sizes.
    pub sizes: Vec<CodeSize>,
}

/// An allocator as a column of tables.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Column {
    /// The identifier that cells are found by.
    pub id: String,
    /// The name that is shown.
    pub name: String,
    /// What it is compared as.
    pub role: Role,
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
    /// What each allocator did with it, by identifier.
    pub cells: BTreeMap<String, Cell>,
}

/// One workload with one allocator.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cell {
    /// It ran.
    Measured(Figures),
    /// It did not; the text says why.
    Failed(String),
}

/// The figures of a workload that ran.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// Milliseconds in V8.
    pub time: Summary,
    /// The median over the reference's median; `None` where the reference did not run.
    pub time_ratio: Option<f64>,
    /// Pages of linear memory at the end, which is the peak.
    pub pages: u32,
    /// Where the heap starts.
    pub heap_base: u32,
    /// The checksum of the output.
    pub checksum: String,
}

impl Figures {
    /// Linear memory in MiB.
    pub fn mebibytes(&self) -> f64 {
        f64::from(self.pages) / 16.0
    }
}

impl Report {
    /// The columns of the allocators that run workloads.
    pub fn columns(catalogue: &Catalogue) -> Vec<Column> {
        catalogue
            .contenders()
            .map(|allocator| Column {
                id: allocator.id.clone(),
                name: allocator.name.clone(),
                role: allocator.role,
            })
            .collect()
    }

    /// The families that have a row, in their order.
    pub fn families(&self) -> Vec<Family> {
        let mut families: Vec<Family> = self.workloads.iter().map(|row| row.family).collect();
        families.sort();
        families.dedup();
        families
    }

    /// The rows of one family.
    pub fn rows(&self, family: Family) -> impl Iterator<Item = &Row> {
        self.workloads.iter().filter(move |row| row.family == family)
    }

    /// The geometric mean of an allocator's time ratios in a family; `None` unless it ran the whole family.
    pub fn mean_ratio(&self, family: Family, allocator: &str) -> Option<f64> {
        let ratios: Option<Vec<f64>> = self
            .rows(family)
            .map(|row| match row.cells.get(allocator)? {
                Cell::Measured(figures) => figures.time_ratio,
                Cell::Failed(_) => None,
            })
            .collect();
        geometric_mean(&ratios?)
    }
}

impl Row {
    /// Builds the row of `workload` from what each allocator did; an output unlike the reference's is a failure.
    ///
    /// Returns the row and the names of allocators whose program computed something else.
    pub fn new(workload: &Workload, outcomes: BTreeMap<String, Outcome>, reference: &str) -> (Self, Vec<String>) {
        let expected = outcomes.get(reference).and_then(|outcome| match outcome {
            Outcome::Ran(runs) => Some((runs.checksum.clone(), Summary::of(&runs.milliseconds))),
            Outcome::Failed(_) => None,
        });
        let mut different = Vec::new();
        let mut cells = BTreeMap::new();
        for (id, outcome) in outcomes {
            let cell = match outcome {
                Outcome::Failed(reason) => Cell::Failed(reason),
                Outcome::Ran(runs) => match Summary::of(&runs.milliseconds) {
                    None => Cell::Failed("no measured run".to_owned()),
                    Some(_) if expected.as_ref().is_some_and(|(sum, _)| *sum != runs.checksum) => {
                        different.push(id.clone());
                        Cell::Failed(format!("wrong output: checksum {}", runs.checksum))
                    }
                    Some(time) => Cell::Measured(Figures {
                        time,
                        time_ratio: expected
                            .as_ref()
                            .and_then(|(_, reference)| Some(time.median / reference.as_ref()?.median)),
                        pages: runs.pages,
                        heap_base: runs.heap_base,
                        checksum: runs.checksum,
                    }),
                },
            };
            cells.insert(id, cell);
        }
        let row = Row {
            name: workload.name.clone(),
            family: workload.family,
            about: workload.about.clone(),
            cells,
        };
        (row, different)
    }
}

#[cfg(test)]
mod tests {
    use super::{Cell, Row};
    use crate::catalogue::Catalogue;
    use crate::node::{Outcome, Runs};
    use crate::places::Places;
    use std::collections::BTreeMap;

    fn ran(milliseconds: f64, checksum: &str) -> Outcome {
        Outcome::Ran(Runs {
            milliseconds: vec![milliseconds; 3],
            checksum: checksum.to_owned(),
            pages: 20,
            heap_base: 0,
        })
    }

    fn row(outcomes: [(&str, Outcome); 2]) -> (Row, Vec<String>) {
        let catalogue = Catalogue::read(&Places::of_this_checkout()).unwrap();
        let outcomes = outcomes.map(|(id, outcome)| (id.to_owned(), outcome));
        Row::new(&catalogue.workloads[0], BTreeMap::from(outcomes), "dlmalloc")
    }

    #[test]
    fn half_the_time_of_the_reference_is_a_ratio_of_one_half() {
        let (row, different) = row([("dlmalloc", ran(8.0, "a")), ("tiny", ran(4.0, "a"))]);
        assert!(different.is_empty());
        let Cell::Measured(figures) = &row.cells["tiny"] else {
            panic!("a run was measured");
        };
        assert_eq!(figures.time_ratio, Some(0.5));
    }

    #[test]
    fn an_output_unlike_the_references_is_no_result() {
        let (row, different) = row([("dlmalloc", ran(8.0, "a")), ("tiny", ran(4.0, "b"))]);
        assert_eq!(different, ["tiny"]);
        assert!(matches!(&row.cells["tiny"], Cell::Failed(why) if why.contains("wrong output")));
    }

    #[test]
    fn without_the_reference_there_are_times_but_no_ratios() {
        let stuck = Outcome::Failed("takes more than 2 s".to_owned());
        let (row, _) = row([("dlmalloc", stuck), ("tiny", ran(4.0, "b"))]);
        assert!(matches!(&row.cells["tiny"], Cell::Measured(figures) if figures.time_ratio.is_none()));
    }
}
