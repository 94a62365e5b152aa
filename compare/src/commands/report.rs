//! `report`: measures all allocators on all workloads, or what is named.

use super::comparison;
use crate::measure::mode::Mode;
use crate::render::publication;
use crate::shared::catalogue::Catalogue;
use crate::shared::places::Places;
use anyhow::Result;

/// Measures what `only` names, or everything if it is empty.
///
/// With `publish`, `BENCHMARKS.md`, the README's figures and the charts become those of the report as well.
pub fn run(only: &[String], mode: &Mode, publish: bool, places: &Places) -> Result<()> {
    if publish {
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
        true => "cargo make benchmarks".to_owned(),
        false => comparison::command_line("cargo make report", only, mode, places),
    };
    let report = comparison::run(&chosen, &command, mode, places)?;
    if publish {
        publication::write(&report, places)?;
    }
    Ok(())
}
