//! `record`: writes down what a workload asks of its allocator.

use crate::measure::engines::wasmtime::Wasmtime;
use crate::measure::plan::Plan;
use crate::measure::recording::Recording;
use crate::modules::package::Package;
use crate::modules::workshop;
use crate::shared::catalogue::Catalogue;
use crate::shared::places::Places;
use crate::shared::profile::Profile;
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::Path;

/// Runs the workload `name` once, with `argument` in place of its own, and writes what it asked of its allocator.
pub fn run(name: &str, argument: Option<u32>, output: &Path, places: &Places) -> Result<()> {
    let everything = Catalogue::read(places)?;
    let Some(workload) = everything.workloads.iter().find(|workload| workload.name == name) else {
        bail!("there is no workload {name}: compare/workloads.toml lists them");
    };
    let recorder = everything.recorder()?;
    let package = Package::new(&recorder.id, &workload.program);
    let modules = workshop::build(&[(package, Profile::Speed)], &everything, places)?;
    let mut plan = Plan::of(workload);
    plan.argument = argument.unwrap_or(workload.argument);
    let module = modules.path(&workload.program, &recorder.id, Profile::Speed)?;
    let bytes = Wasmtime::new()?.recording(&plan, module, places)?;
    let recording = Recording::parse(&bytes)?;
    fs::write(output, &bytes).with_context(|| format!("cannot write {}", output.display()))?;
    println!(
        "{}: {} calls, at most {} live blocks, {} bytes",
        output.display(),
        recording.operations.len(),
        recording.slots,
        bytes.len()
    );
    Ok(())
}
