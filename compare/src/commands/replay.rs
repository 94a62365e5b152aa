//! `replay`: running recordings as workloads.

use super::comparison;
use crate::measure::mode::Mode;
use crate::shared::catalogue::{Catalogue, Workload};
use crate::shared::places::Places;
use anyhow::Result;
use std::path::PathBuf;

/// Runs the recordings in `files` with all allocators that `only` names, or all.
pub fn run(files: &[PathBuf], only: &[String], mode: &Mode, places: &Places) -> Result<()> {
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
    let command = comparison::command_line("cargo make replay --", only, mode, places);
    let command = format!("{command} {}", arguments.join(" "));
    comparison::run(&chosen, &command, mode, places)?;
    Ok(())
}
