//! `record` and `replay`: making recordings of workloads, and running recordings as workloads.

use crate::cache::{digest_of, keep};
use crate::catalogue::{Catalogue, Workload};
use crate::measure::{self, Effort};
use crate::modules;
use crate::places::Places;
use crate::plan::Plan;
use crate::recording::Recording;
use crate::second_engine::SecondEngine;
use crate::versions;
use crate::workspace::{Package, Profile};
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};

/// Runs the recordings in `files` with all allocators that `only` names, or all.
pub fn replay(files: &[PathBuf], only: &[String], effort: &Effort, places: &Places) -> Result<()> {
    let mut chosen = Catalogue::read(places)?;
    chosen.choose_allocators(only)?;
    chosen.long_lives.clear();
    chosen.products.clear();
    chosen.workloads = files
        .iter()
        .map(|file| {
            let name = file.file_stem().unwrap_or_default().to_string_lossy();
            let path = std::path::absolute(file)?;
            Ok(Workload::of_recording(&name, &path))
        })
        .collect::<Result<_>>()?;
    let arguments: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
    let command = measure::command_line("cargo make replay --", only, effort, places);
    let command = format!("{command} {}", arguments.join(" "));
    measure::compare(&chosen, &command, effort, places)?;
    Ok(())
}

/// Makes `plan` replay the recording of `workload`, if it is one.
pub fn load(plan: &mut Plan, workload: &Workload, places: &Places) -> Result<()> {
    let Some(file) = &workload.recording else {
        return Ok(());
    };
    let recording = Recording::read(&places.compare.join("recordings").join(file))?;
    let words = recording.words();
    let path = places.modules().join(format!("operations-{}.bin", digest_of(&words)));
    fs::create_dir_all(places.modules())?;
    keep(&path, |unfinished| {
        fs::write(unfinished, words).with_context(|| format!("cannot write {}", unfinished.display()))
    })?;
    plan.argument = u32::try_from(recording.slots).context("slots are counted in 24 bits")?;
    plan.prepare = true;
    plan.operations = Some(path);
    Ok(())
}

/// Runs the workload `name` once, with `argument` in place of its own, and writes what it asked of its allocator.
pub fn record(name: &str, argument: Option<u32>, output: &Path, places: &Places) -> Result<()> {
    let everything = Catalogue::read(places)?;
    let Some(workload) = everything.workloads.iter().find(|workload| workload.name == name) else {
        bail!("there is no workload {name}: compare/workloads.toml lists them");
    };
    let recorder = everything.recorder()?;
    let package = Package::new(&recorder.id, &workload.program);
    let rustc = versions::rustc()?;
    let modules = modules::build(&[(package, Profile::Speed)], &everything, places, &rustc)?;
    let mut plan = measure::plan_of(workload);
    plan.argument = argument.unwrap_or(workload.argument);
    let module = modules.path(&workload.program, &recorder.id, Profile::Speed)?;
    let bytes = SecondEngine::new()?.recording(&plan, module, places)?;
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
