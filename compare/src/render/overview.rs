//! The report's answer: the time, memory and code of each allocator over all workloads.

use crate::results::figure::Figure;
use crate::results::report::Report;
use crate::results::statistics::geometric_mean;
use crate::results::workload::{Cell, Row};
use crate::shared::catalogue::{Family, Role};
use crate::shared::profile::Profile;
use serde::Serialize;

/// Three numbers for each allocator, what they mean, and for whom they are not the whole story.
#[derive(Debug, Serialize)]
pub struct Overview {
    /// One line for each allocator: first those that free and finished everything, the fastest first.
    pub lines: Vec<Line>,
    /// What each number means and which direction is better, in one sentence each.
    pub meaning: Vec<String>,
    /// What the marks of the lines mean.
    pub remarks: Vec<String>,
}

/// One allocator.
#[derive(Debug, Serialize)]
pub struct Line {
    /// Its identifier.
    pub id: String,
    /// The name that is shown.
    pub name: String,
    /// What it is compared as.
    pub role: Role,
    /// The geometric mean of its time over the reference's.
    pub time: Option<f64>,
    /// The geometric mean of its heap over the reference's.
    pub memory: Option<f64>,
    /// The bytes of its code.
    pub code_bytes: Option<i64>,
    /// Why its numbers do not compare with the others; empty where they do.
    pub mark: String,
}

/// What one allocator did with the workloads that the reference finished.
struct Results<'report> {
    /// The rows that it finished, with its cell and the reference's.
    finished: Vec<(&'report Row, &'report Cell, &'report Cell)>,
    /// The names of the others, with the reason.
    unfinished: Vec<(&'report str, &'report str)>,
}

impl Overview {
    /// The overview of all workloads of `report`.
    pub fn of(report: &Report) -> Self {
        Self::of_families(report, &report.families())
    }

    /// The overview of one family of workloads.
    pub fn of_family(report: &Report, family: Family) -> Self {
        Self::of_families(report, &[family])
    }

    fn of_families(report: &Report, families: &[Family]) -> Self {
        let reference = report.allocators.iter().find(|column| column.role == Role::Reference);
        let mut lines = Vec::new();
        let mut never_free = Vec::new();
        let mut partial = Vec::new();
        for column in &report.allocators {
            let results = Results::of(
                report,
                families,
                &column.id,
                reference.map_or("", |reference| &reference.id),
            );
            let mut marks = Vec::new();
            if !column.frees {
                marks.push("never frees".to_owned());
                never_free.push(column.name.as_str());
            }
            if !results.unfinished.is_empty() {
                let all = results.finished.len() + results.unfinished.len();
                marks.push(format!("failed {} of {all}", results.unfinished.len()));
                partial.push(results.failures(&column.name));
            }
            lines.push(Line {
                id: column.id.clone(),
                name: column.name.clone(),
                role: column.role,
                time: results.mean(families, |_, cell, _| time_ratio(cell)),
                memory: results.mean(families, memory_ratio),
                code_bytes: code_bytes(report, &column.id),
                mark: marks.join(", "),
            });
        }
        lines.sort_by(|one, other| {
            let key = |line: &Line| (!line.mark.is_empty(), line.time.unwrap_or(f64::INFINITY));
            let ((one_is_marked, one_time), (other_is_marked, other_time)) = (key(one), key(other));
            one_is_marked
                .cmp(&other_is_marked)
                .then(one_time.total_cmp(&other_time))
        });
        Overview {
            lines,
            meaning: meaning(reference.map_or("the reference", |reference| &reference.name)),
            remarks: remarks(&never_free, partial),
        }
    }
}

impl Line {
    /// The name, with the mark if there is one.
    pub fn marked_name(&self) -> String {
        match self.mark.as_str() {
            "" => self.name.clone(),
            mark => format!("{} ({mark})", self.name),
        }
    }
}

impl<'report> Results<'report> {
    fn of(report: &'report Report, families: &[Family], id: &str, reference: &str) -> Self {
        let mut finished = Vec::new();
        let mut unfinished = Vec::new();
        for row in report.workloads.iter().filter(|row| families.contains(&row.family)) {
            let Some(reference) = row.cells.get(reference).filter(|cell| time_ratio(cell).is_some()) else {
                continue;
            };
            match row.cells.get(id) {
                None => unfinished.push((row.name.as_str(), "not measured")),
                Some(cell) => match &cell.v8 {
                    Figure::Measured(_) => finished.push((row, cell, reference)),
                    Figure::Missing(reason) => unfinished.push((row.name.as_str(), reason.as_str())),
                },
            }
        }
        Results { finished, unfinished }
    }

    /// The geometric mean of `ratio`, in which each family weighs the same.
    fn mean(&self, families: &[Family], ratio: impl Fn(&Row, &Cell, &Cell) -> Option<f64>) -> Option<f64> {
        let of_family = |family: &Family| {
            let rows = self.finished.iter().filter(|(row, ..)| row.family == *family);
            let ratios: Vec<f64> = rows
                .filter_map(|(row, cell, reference)| ratio(row, cell, reference))
                .collect();
            geometric_mean(&ratios)
        };
        let means: Vec<f64> = families.iter().filter_map(of_family).collect();
        geometric_mean(&means)
    }

    /// Which workloads the allocator did not finish, and why; those with the same reason stand together.
    fn failures(&self, name: &str) -> String {
        let mut by_reason: Vec<(&str, Vec<&str>)> = Vec::new();
        for &(workload, reason) in &self.unfinished {
            match by_reason.iter_mut().find(|(known, _)| *known == reason) {
                Some((_, workloads)) => workloads.push(workload),
                None => by_reason.push((reason, vec![workload])),
            }
        }
        let parts: Vec<String> = by_reason
            .iter()
            .map(|(reason, workloads)| format!("{} ({reason})", workloads.join(", ")))
            .collect();
        format!(
            "{name} did not finish {}. Its time and memory are those of the other workloads.",
            parts.join(", ")
        )
    }
}

fn time_ratio(cell: &Cell) -> Option<f64> {
    match &cell.v8 {
        Figure::Measured(time) => time.ratio,
        Figure::Missing(_) => None,
    }
}

fn memory_ratio(row: &Row, cell: &Cell, reference: &Cell) -> Option<f64> {
    match (&cell.memory, &reference.memory) {
        (Figure::Measured(memory), Figure::Measured(reference)) => {
            Some(memory.heap_ratio(row.peak_live_bytes) / reference.heap_ratio(row.peak_live_bytes))
        }
        _ => None,
    }
}

/// The code in a module as it is timed.
fn code_bytes(report: &Report, id: &str) -> Option<i64> {
    let mut sizes = report.sizes.iter();
    let size = sizes.find(|size| size.allocator == id && size.profile == Profile::Speed.name())?;
    Some(size.over_floor.optimized)
}

fn meaning(reference: &str) -> Vec<String> {
    vec![
        format!("Time: how long the workloads run in V8, over the time with {reference}; below 1 is faster."),
        format!("Memory: how large the heap is at the end, over the heap of {reference}; below 1 is smaller."),
        "Code: the bytes that the allocator adds to a module built for speed, after wasm-opt -Oz; fewer is better."
            .to_owned(),
        "Time and memory are geometric means over all workloads except those made after reports; each family weighs the same."
            .to_owned(),
    ]
}

fn remarks(never_free: &[&str], partial: Vec<String>) -> Vec<String> {
    let mut remarks = Vec::new();
    if !never_free.is_empty() {
        remarks.push(format!(
            "Never frees: {}. A program that runs long enough runs out of memory.",
            never_free.join(", ")
        ));
    }
    remarks.extend(partial);
    remarks
}

#[cfg(test)]
mod tests {
    use super::{Line, Overview};
    use crate::results::outcome::{Outcome, Runs};
    use crate::results::report::Report;
    use crate::results::size::{CodeSize, Size};
    use crate::results::workload::{Findings, Row};
    use crate::shared::catalogue::{Catalogue, Family};
    use crate::shared::places::Places;
    use std::collections::BTreeMap;

    fn ran(milliseconds: f64, pages: u32) -> Outcome {
        Outcome::Ran(Runs {
            milliseconds: vec![milliseconds; 3],
            pages,
            ..Runs::default()
        })
    }

    fn failed(reason: &str) -> Outcome {
        Outcome::Failed(reason.to_owned())
    }

    /// Adds the first workload of `family` that the report does not have yet.
    fn add(report: &mut Report, family: Family, outcomes: &[(&str, Outcome)]) {
        let catalogue = Catalogue::read(&Places::of_this_checkout()).unwrap();
        let mut unused = catalogue.workloads.iter().filter(|workload| {
            workload.family == family && report.workloads.iter().all(|row| row.name != workload.name)
        });
        let findings = Findings {
            v8: outcomes
                .iter()
                .map(|(id, outcome)| ((*id).to_owned(), outcome.clone()))
                .collect::<BTreeMap<_, _>>(),
            peak_live_bytes: 65_536,
            ..Findings::default()
        };
        let (row, _) = Row::new(unused.next().unwrap(), &findings, "dlmalloc", "bump-floor");
        report.workloads.push(row);
    }

    fn report_of(allocators: &[&str]) -> Report {
        let mut report = Report::sample();
        report
            .allocators
            .retain(|column| allocators.contains(&column.id.as_str()));
        report
    }

    fn line<'overview>(overview: &'overview Overview, id: &str) -> &'overview Line {
        overview.lines.iter().find(|line| line.id == id).unwrap()
    }

    fn is_near(number: Option<f64>, expected: f64) -> bool {
        number.is_some_and(|number| (number - expected).abs() < 1e-9)
    }

    #[test]
    fn each_family_weighs_the_same_however_many_workloads_it_has() {
        let mut report = report_of(&["dlmalloc", "freeing-bump"]);
        for _ in 0..3 {
            let outcomes = [("dlmalloc", ran(8.0, 16)), ("freeing-bump", ran(2.0, 16))];
            add(&mut report, Family::Allocator, &outcomes);
        }
        let outcomes = [("dlmalloc", ran(8.0, 16)), ("freeing-bump", ran(8.0, 64))];
        add(&mut report, Family::Programs, &outcomes);
        let overview = Overview::of(&report);
        let ours = line(&overview, "freeing-bump");
        assert!(is_near(ours.time, 0.5), "{ours:?}");
        assert!(is_near(ours.memory, 2.0), "{ours:?}");
    }

    #[test]
    fn what_was_made_after_reports_counts_in_no_mean() {
        let mut report = report_of(&["dlmalloc", "freeing-bump"]);
        let outcomes = [("dlmalloc", ran(8.0, 16)), ("freeing-bump", ran(4.0, 16))];
        add(&mut report, Family::Programs, &outcomes);
        let outcomes = [("dlmalloc", ran(8.0, 16)), ("freeing-bump", ran(80.0, 160))];
        add(&mut report, Family::Reported, &outcomes);
        let overview = Overview::of(&report);
        let ours = line(&overview, "freeing-bump");
        assert!(is_near(ours.time, 0.5) && is_near(ours.memory, 1.0), "{ours:?}");
    }

    #[test]
    fn a_failed_workload_is_named_with_its_reason_and_left_out_of_the_numbers() {
        let mut report = report_of(&["dlmalloc", "wee_alloc"]);
        let outcomes = [("dlmalloc", ran(8.0, 16)), ("wee_alloc", ran(4.0, 32))];
        add(&mut report, Family::Programs, &outcomes);
        let outcomes = [("dlmalloc", ran(8.0, 16)), ("wee_alloc", failed("out of memory"))];
        add(&mut report, Family::Programs, &outcomes);
        let overview = Overview::of(&report);
        let wee = line(&overview, "wee_alloc");
        assert_eq!(wee.mark, "failed 1 of 2");
        assert!(is_near(wee.time, 0.5) && is_near(wee.memory, 2.0), "{wee:?}");
        let failure = format!(
            "wee_alloc did not finish {} (out of memory). Its time and memory are those of the other workloads.",
            report.workloads[1].name
        );
        assert_eq!(overview.remarks, [failure]);
        assert_eq!(line(&overview, "dlmalloc").mark, "");
    }

    #[test]
    fn a_workload_that_the_reference_did_not_finish_counts_for_no_allocator() {
        let mut report = report_of(&["dlmalloc", "freeing-bump"]);
        let outcomes = [("dlmalloc", failed("too slow")), ("freeing-bump", failed("too slow"))];
        add(&mut report, Family::Programs, &outcomes);
        let outcomes = [("dlmalloc", ran(8.0, 16)), ("freeing-bump", ran(4.0, 16))];
        add(&mut report, Family::Programs, &outcomes);
        let overview = Overview::of(&report);
        let ours = line(&overview, "freeing-bump");
        assert_eq!(ours.mark, "");
        assert!(is_near(ours.time, 0.5), "{ours:?}");
    }

    #[test]
    fn the_fastest_comes_first_and_those_that_do_not_compare_come_last() {
        let mut report = report_of(&["dlmalloc", "freeing-bump", "rlsf", "bump-floor", "wee_alloc"]);
        let outcomes = [
            ("dlmalloc", ran(8.0, 16)),
            ("freeing-bump", ran(4.0, 16)),
            ("rlsf", ran(9.0, 16)),
            ("bump-floor", ran(1.0, 160)),
            ("wee_alloc", failed("out of memory")),
        ];
        add(&mut report, Family::Programs, &outcomes);
        let overview = Overview::of(&report);
        let order: Vec<&str> = overview.lines.iter().map(|line| line.id.as_str()).collect();
        assert_eq!(order, ["freeing-bump", "dlmalloc", "rlsf", "bump-floor", "wee_alloc"]);
        assert_eq!(line(&overview, "bump-floor").mark, "never frees");
        assert!(
            overview.remarks[0].starts_with("Never frees: bump floor."),
            "{overview:?}"
        );
        assert_eq!(line(&overview, "wee_alloc").time, None);
    }

    #[test]
    fn code_is_that_of_the_build_that_is_timed() {
        let mut report = report_of(&["dlmalloc"]);
        for (profile, optimized) in [("size", 900), ("speed", 1100)] {
            report.sizes.push(CodeSize {
                allocator: "dlmalloc".to_owned(),
                profile: profile.to_owned(),
                over_floor: Size {
                    raw: 2000,
                    optimized,
                    gzipped: 500,
                },
            });
        }
        assert_eq!(Overview::of(&report).lines[0].code_bytes, Some(1100));
    }
}
