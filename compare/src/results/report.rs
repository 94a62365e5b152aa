//! The report as data: what `report.json` holds, and what the tables are drawn from.

use super::figure::Figure;
use super::long_life::{EARLY, LATE, LongLifeRow};
use super::product::{PRODUCT_CALLS, ProductRow};
use super::size::CodeSize;
use super::statistics::{WIDE_SPREAD, geometric_mean};
use super::threads::Threads;
use super::versions::Versions;
use super::workload::{Cell, EARLIER_ROUNDS, Row};
use crate::shared::catalogue::{Catalogue, Family, Role};
use serde::{Deserialize, Serialize};

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
    /// Programs that people ship.
    pub products: Vec<ProductRow>,
    /// The code sizes.
    pub sizes: Vec<CodeSize>,
    /// Builds for threads; `None` if they were not asked for.
    #[serde(default)]
    pub threads: Option<Figure<Threads>>,
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

impl Report {
    /// A report on the allocators of the repository, in which nothing was measured.
    #[cfg(test)]
    pub fn sample() -> Self {
        let catalogue = Catalogue::read(&crate::shared::places::Places::of_this_checkout()).unwrap();
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
            threads: None,
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

#[cfg(test)]
mod tests {
    use super::Report;
    use crate::results::figure::{Figure, Time};
    use crate::results::statistics::Summary;
    use crate::results::workload::{Cell, Row};
    use crate::shared::catalogue::Family;
    use std::collections::BTreeMap;

    fn took(milliseconds: f64, ratio: Option<f64>) -> Figure<Time> {
        let milliseconds = Summary::of(&[milliseconds; 3]).unwrap();
        Figure::Measured(Time { milliseconds, ratio })
    }

    fn row(times: [(&str, Figure<Time>); 2]) -> Row {
        Row {
            name: String::new(),
            family: Family::Allocator,
            about: String::new(),
            report: None,
            limit_pages: None,
            peak_live_bytes: 0,
            cells: BTreeMap::from(times.map(|(id, time)| (id.to_owned(), Cell::sample(time, None)))),
        }
    }

    #[test]
    fn a_workload_without_a_figure_of_the_reference_is_left_out_of_means() {
        let mut report = Report::sample();
        let trap = || Figure::Missing("trap".to_owned());
        let with_reference = row([("dlmalloc", took(8.0, Some(1.0))), ("tiny", took(4.0, Some(0.5)))]);
        let without = row([("dlmalloc", trap()), ("tiny", took(4.0, None))]);
        let other_failed = row([("dlmalloc", took(8.0, Some(1.0))), ("tiny", trap())]);
        let time = |_: &Row, cell: &Cell| match &cell.v8 {
            Figure::Measured(time) => time.ratio,
            Figure::Missing(_) => None,
        };
        report.workloads = vec![with_reference, without];
        assert_eq!(report.mean(Family::Allocator, "tiny", time), Some(0.5));
        report.workloads.push(other_failed);
        assert_eq!(report.mean(Family::Allocator, "tiny", time), None);
    }
}
