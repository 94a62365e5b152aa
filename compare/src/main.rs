//! Measures allocators for wasm32 modules against each other: speed, memory and code size.
//!
//! The folders are layers. Each uses only those below it:
//!
//! ```text
//!   commands           what the command line offers
//!   measure   render   running modules in engines  |  drawing what was found out
//!   modules   results  building modules            |  what was found out, as data
//!   shared             what can be compared, and where everything lies
//! ```
//!
//! `measure` knows nothing of `render`, nor `render` of `measure`: one writes `results`, the other reads them.

mod commands;
mod measure;
mod modules;
mod render;
mod results;
mod shared;

use clap::{Parser, Subcommand};
use commands::check_figures::{self, Kind};
use commands::report::Publish;
use commands::{heap_profile, publish, replay, report, settings};
#[cfg(feature = "wasmtime")]
use commands::{record, worst_case};
use measure::mode::Mode;
use shared::places::Places;
use std::path::PathBuf;
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
        /// Measure more often, let slow allocators take longer, and time default tiering, JavaScriptCore, wasmtime,
        /// and programs that have run for long as well.
        #[arg(long)]
        full: bool,
        /// Measure the V8 of this Node instead of that of the pinned one.
        #[arg(long, value_name = "PATH", conflicts_with = "publish")]
        node: Option<PathBuf>,
        /// Also write BENCHMARKS.md, the README's figures and the charts, which hold the full report of everything.
        #[arg(long, requires = "full", conflicts_with = "only")]
        publish: bool,
        /// Measure threads alone, and also write the section of BENCHMARKS.md on them, and its chart.
        #[arg(long, requires = "full", conflicts_with_all = ["only", "publish", "node"])]
        publish_threads: bool,
    },
    /// Write BENCHMARKS.md, the README's figures and the charts from a full report that was measured before, or the section
    /// on threads alone from one of threads.
    Publish {
        /// The report, a `report.json`. If none is named, it is that of the last run.
        report: Option<PathBuf>,
    },
    /// Run recordings made with `freeing_bump::Recorder` through all allocators.
    Replay {
        /// The recordings.
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// Keep only the allocators that this names, separated by commas.
        #[arg(long, value_delimiter = ',')]
        only: Vec<String>,
        /// Measure more often, and default tiering, JavaScriptCore, wasmtime, and programs that have run for long as
        /// well.
        #[arg(long)]
        full: bool,
        /// Measure the V8 of this Node instead of that of the pinned one.
        #[arg(long, value_name = "PATH")]
        node: Option<PathBuf>,
    },
    /// Print profiles of heaps, made with `freeing_bump::Profiled`, or others in the format of Valgrind's DHAT.
    Profile {
        /// The profiles.
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// How many program points to print of each: those with the most live bytes.
        #[arg(long, default_value_t = 25)]
        top: usize,
    },
    #[cfg(feature = "wasmtime")]
    /// Record what a workload of this program asks of its allocator.
    Record {
        /// The workload.
        workload: String,
        /// The file to write.
        #[arg(long)]
        output: PathBuf,
        /// The number to call the workload with instead of its own.
        #[arg(long)]
        argument: Option<u32>,
    },
    #[cfg(feature = "wasmtime")]
    /// Count the instructions of the costliest single call of each allocator in a heap of a million blocks.
    WorstCase {
        /// Keep only the allocators that this names, separated by commas.
        #[arg(long, value_delimiter = ',')]
        only: Vec<String>,
    },
    /// Count the instructions and bytes of one program with `FreeingBump`, compiled with different settings.
    Settings,
    /// Compare the code sizes of this repository's allocators with the committed ones.
    CheckSize {
        /// Compare the whole modules of these products instead, separated by commas; `products` names all. Each takes
        /// minutes.
        #[arg(long, value_delimiter = ',')]
        modules: Vec<String>,
        /// Write what was measured into the committed file instead.
        #[arg(long)]
        accept: bool,
    },
    /// Compare the executed instructions of this repository's allocators with the committed ones.
    CheckInstructions {
        /// Write what was measured into the committed file instead.
        #[arg(long)]
        accept: bool,
    },
}

fn main() -> ExitCode {
    let mut places = Places::of_this_checkout();
    let result = match Arguments::parse().command {
        Command::Report {
            only,
            full,
            node,
            publish,
            publish_threads,
        } => {
            places.other_node = node;
            let (only, publish) = match (publish, publish_threads) {
                (_, true) => (vec!["threads".to_owned()], Publish::Threads),
                (true, _) => (only, Publish::Everything),
                _ => (only, Publish::Nothing),
            };
            Mode::of(full).and_then(|mode| report::run(&only, mode, publish, &places))
        }
        Command::Publish { report } => publish::run(report.as_deref(), &places),
        Command::Replay {
            files,
            only,
            full,
            node,
        } => {
            places.other_node = node;
            Mode::of(full).and_then(|mode| replay::run(&files, &only, mode, &places))
        }
        Command::Profile { files, top } => heap_profile::run(&files, top),
        #[cfg(feature = "wasmtime")]
        Command::Record {
            workload,
            output,
            argument,
        } => record::run(&workload, argument, &output, &places),
        #[cfg(feature = "wasmtime")]
        Command::WorstCase { only } => worst_case::run(&only, &places),
        Command::Settings => settings::run(&places),
        Command::CheckSize { modules, accept } if modules.is_empty() => check_figures::run(Kind::Size, accept, &places),
        Command::CheckSize { modules, accept } => check_figures::run(Kind::Modules(&modules), accept, &places),
        Command::CheckInstructions { accept } => check_figures::run(Kind::Instructions, accept, &places),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Arguments;
    use clap::Parser;

    fn accepts(arguments: &[&str]) -> bool {
        Arguments::try_parse_from(std::iter::once(&"compare").chain(arguments)).is_ok()
    }

    #[test]
    fn only_the_full_report_of_everything_on_the_pinned_engines_can_be_published() {
        assert!(accepts(&["report", "--full", "--publish"]));
        assert!(!accepts(&["report", "--publish"]));
        assert!(!accepts(&["report", "--full", "--publish", "--only", "json"]));
        assert!(!accepts(&["report", "--full", "--publish", "--node", "node"]));
        assert!(accepts(&["report", "--full", "--publish-threads"]));
        assert!(!accepts(&["report", "--publish-threads"]));
        assert!(!accepts(&["report", "--full", "--publish-threads", "--only", "json"]));
    }
}
