//! `settings`: what link-time optimization, wasm-opt, and an allocator that is optimized for speed in a program that is optimized
//! for size bring.
//!
//! One program runs with `FreeingBump`, compiled in different ways. Its modules count the instructions that they execute, which
//! are the same on every machine.

use crate::measure::counting;
use crate::measure::plan::{Plan, Subject};
use crate::measure::sizes;
use crate::modules::package::Package;
use crate::modules::workshop;
use crate::shared::catalogue::{Catalogue, Workload};
use crate::shared::places::Places;
use crate::shared::profile::Profile;
use crate::shared::progress::Step;
use anyhow::{Context, Result, anyhow};
use comfy_table::presets::ASCII_MARKDOWN;
use comfy_table::{CellAlignment, Table};
use std::fs;
use std::path::Path;

/// The workload that runs.
const WORKLOAD: &str = "json";

/// The allocator that it runs with.
const ALLOCATOR: &str = "freeing-bump";

/// A way to compile the program.
struct Way {
    /// The settings, as a user would write them.
    name: &'static str,
    /// What the changes are made to.
    profile: Profile,
    /// What is different from the profile, as cargo's option `--config` takes it.
    changes: &'static [&'static str],
}

/// All ways. Figures are stated as multiples of the first one's.
const WAYS: [Way; 6] = [
    Way {
        name: "opt-level = 3, as in `cargo build --release`",
        profile: Profile::Speed,
        changes: &["profile.speed.lto=false", "profile.speed.codegen-units=16"],
    },
    Way {
        name: "opt-level = 3, LTO",
        profile: Profile::Speed,
        changes: &[],
    },
    Way {
        name: "opt-level = \"z\"",
        profile: Profile::Size,
        changes: &["profile.size.lto=false", "profile.size.codegen-units=16"],
    },
    Way {
        name: "opt-level = \"z\", and 3 for freeing-bump",
        profile: Profile::Size,
        changes: &[
            "profile.size.lto=false",
            "profile.size.codegen-units=16",
            "profile.size.package.freeing-bump.opt-level=3",
        ],
    },
    Way {
        name: "opt-level = \"z\", LTO",
        profile: Profile::Size,
        changes: &[],
    },
    Way {
        name: "opt-level = \"z\", and 3 for freeing-bump, LTO",
        profile: Profile::Size,
        changes: &["profile.size.package.freeing-bump.opt-level=3"],
    },
];

/// What a module costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Cost {
    instructions: u64,
    bytes: u64,
}

/// Builds and runs the program in all ways, and prints a table.
pub fn run(places: &Places) -> Result<()> {
    let everything = Catalogue::read(places)?;
    let workload = everything
        .workloads
        .iter()
        .find(|workload| workload.name == WORKLOAD)
        .with_context(|| format!("workloads.toml has no {WORKLOAD}"))?;
    let package = Package::new(ALLOCATOR, &workload.program);
    let mut costs = Vec::new();
    for way in &WAYS {
        let module = workshop::build_changed(&package, way.profile, way.changes, &everything, places)?;
        let optimized = sizes::optimized(&module, places)?;
        let step = Step::begin("counting", 1);
        step.part(way.name);
        costs.push((
            way.name,
            cost(workload, &module, places)?,
            cost(workload, &optimized, places)?,
        ));
    }
    println!("{}", table(&costs));
    println!(
        "{WORKLOAD}: {}. LTO is lto = \"fat\" with codegen-units = 1. In brackets: over the first row. Each byte that is \
         copied or cleared counts as an instruction.",
        workload.about
    );
    Ok(())
}

/// What the module in the file `module` costs.
fn cost(workload: &Workload, module: &Path, places: &Places) -> Result<Cost> {
    let plan = Plan {
        subjects: vec![Subject {
            id: ALLOCATOR.to_owned(),
            path: module.to_owned(),
        }],
        ..Plan::of(workload)
    };
    let mut counts = counting::instructions(&plan, places)?;
    let count = counts.remove(ALLOCATOR).context("the one subject has run")?;
    Ok(Cost {
        instructions: count.map_err(|reason| anyhow!("{} does not run: {reason}", workload.name))?,
        bytes: fs::metadata(module)?.len(),
    })
}

/// A row for each way: its name, and its costs before and after wasm-opt.
fn table(costs: &[(&str, Cost, Cost)]) -> Table {
    let mut table = Table::new();
    table.load_style(ASCII_MARKDOWN);
    table.set_header([
        "settings",
        "instructions",
        "bytes",
        "instructions after wasm-opt -Oz",
        "bytes after wasm-opt -Oz",
    ]);
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    if let Some((_, first, _)) = costs.first() {
        let over_first = |cost: &Cost| {
            [(cost.instructions, first.instructions), (cost.bytes, first.bytes)]
                .map(|(value, first)| format!("{value} ({:.2} ×)", value as f64 / first as f64))
        };
        for (name, before, after) in costs {
            let cells = over_first(before).into_iter().chain(over_first(after));
            table.add_row([(*name).to_owned()].into_iter().chain(cells));
        }
    }
    table
}

#[cfg(test)]
mod tests {
    use super::{Cost, table};

    #[test]
    fn all_figures_are_stated_over_the_first_row_before_wasm_opt() {
        let cost = |instructions, bytes| Cost { instructions, bytes };
        let text = table(&[("a", cost(100, 40), cost(90, 20)), ("b", cost(150, 10), cost(125, 5))]).to_string();
        let rows: Vec<&str> = text.lines().skip(2).collect();
        for (row, figures) in [
            (rows[0], ["100 (1.00 ×)", "40 (1.00 ×)", "90 (0.90 ×)", "20 (0.50 ×)"]),
            (rows[1], ["150 (1.50 ×)", "10 (0.25 ×)", "125 (1.25 ×)", "5 (0.12 ×)"]),
        ] {
            let cells: Vec<&str> = row.split('|').map(str::trim).collect();
            assert_eq!(cells[2..6], figures, "{text}");
        }
    }
}
