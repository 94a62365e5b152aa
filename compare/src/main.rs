//! Measures allocators for wasm32 modules against each other: speed, memory and code size.
//!
//! The layers, from top to bottom, each using only those below: `main` (the command line), `measure` (what a command
//! does), `tables` (text), `report` (the data), `node` and `sizes` (measuring), `modules` over `workspace` and `cache`
//! (building), `catalogue` and `places` (what there is, and where).

mod cache;
mod catalogue;
mod measure;
mod modules;
mod node;
mod places;
mod progress;
mod report;
mod sizes;
mod statistics;
mod tables;
mod versions;
mod workspace;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

#[derive(Parser)]
#[command(version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Measure all allocators on all workloads, and print and write the report.
    Report {
        /// Keep only what this names: allocators, workloads or families, separated by commas; `*` at the end is a wildcard.
        #[arg(long, value_delimiter = ',')]
        only: Vec<String>,
    },
}

fn main() -> ExitCode {
    let places = places::Places::of_this_checkout();
    let result = match Arguments::parse().command {
        Command::Report { only } => measure::report(&only, &measure::Effort::QUICK, &places),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
