//! `report`: measures all allocators on all workloads, or what is named.

use super::comparison;
use crate::measure::mode::Mode;
use crate::render::publication;
use crate::shared::catalogue::Catalogue;
use crate::shared::places::Places;
use anyhow::Result;

/// What is committed of a report.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Publish {
    /// Nothing.
    Nothing,
    /// `BENCHMARKS.md`, the README's figures and the charts.
    Everything,
    /// The section of `BENCHMARKS.md` on threads, and its chart.
    Threads,
}

/// Measures what `only` names, or everything if it is empty.
///
/// What `publish` names becomes that of the report as well.
pub fn run(only: &[String], mode: &Mode, publish: Publish, places: &Places) -> Result<()> {
    if publish == Publish::Everything {
        publication::check(places)?;
    }
    let mut chosen = Catalogue::read(places)?;
    chosen.choose(only)?;
    if !mode.full {
        chosen.leave_out_long_workloads(only);
        chosen.leave_out_products(only);
        chosen.leave_out_threads(only);
    }
    let command = match publish {
        Publish::Everything => "cargo make benchmarks".to_owned(),
        Publish::Threads => "cargo make benchmarks-threads".to_owned(),
        Publish::Nothing => comparison::command_line("cargo make report", only, mode, places),
    };
    let report = comparison::run(&chosen, &command, mode, places)?;
    match publish {
        Publish::Nothing => Ok(()),
        Publish::Everything => publication::write(&report, places),
        Publish::Threads => publication::write_threads(&report, places),
    }
}
