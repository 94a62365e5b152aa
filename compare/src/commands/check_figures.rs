//! `check-size` and `check-instructions`: the figures of this repository's allocators against the committed ones.

use crate::measure::counting;
use crate::measure::plan::{Plan, Subject};
use crate::measure::sizes;
use crate::modules::package::{Package, SIZE_PROBE};
use crate::modules::toolchain;
use crate::modules::workshop::{self, Modules};
use crate::results::size::Size;
use crate::shared::catalogue::{Catalogue, Family, Role};
use crate::shared::places::{Group, Places};
use crate::shared::profile::Profile;
use crate::shared::progress::Step;
use anyhow::{Context, Result, bail};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// A kind of figures that are committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind<'a> {
    /// Bytes of code over an allocator that always fails, for size, after `wasm-opt -Oz`.
    Size,
    /// Bytes of the whole modules of the products that are named: as the compiler leaves them, and after `wasm-opt -Oz`
    /// and gzip. The committed figures of others stay as they are.
    Modules(&'a [String]),
    /// Executed instructions of each workload.
    Instructions,
}

impl Kind<'_> {
    fn file(self) -> &'static str {
        match self {
            Kind::Size => "size.json",
            Kind::Modules(_) => "modules.json",
            Kind::Instructions => "instructions.json",
        }
    }

    fn unit(self) -> &'static str {
        match self {
            Kind::Size | Kind::Modules(_) => "bytes",
            Kind::Instructions => "instructions",
        }
    }

    /// What writes the committed file.
    fn command_to_accept(self) -> String {
        match self {
            Kind::Size | Kind::Instructions => "cargo make accept-figures".to_owned(),
            Kind::Modules(names) => format!("cargo make check-size --modules {} --accept", names.join(",")),
        }
    }

    /// A figure that has grown by more than this many percent fails the check. A module may grow by less, since the
    /// allocator is a small part of it.
    fn tolerance(self) -> f64 {
        match self {
            Kind::Size | Kind::Instructions => 2.0,
            Kind::Modules(_) => 0.5,
        }
    }
}

/// A figure that has fallen by more than this many percent fails the check too: either something else is measured now, or the
/// committed figure guards nothing.
const MOST_FALL: f64 = 20.0;

/// Committed figures.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Figures {
    /// The compiler they were measured with.
    rustc: String,
    /// By what was measured, then by allocator.
    figures: BTreeMap<String, BTreeMap<String, u64>>,
}

/// Measures and compares with the committed figures. With `accept`, writes what was measured into their file instead.
pub fn run(kind: Kind, accept: bool, places: &Places) -> Result<()> {
    let path = places.compare.join("figures").join(kind.file());
    if accept {
        return write(figures_of_now(kind, places)?, kind, &path);
    }
    // Read first, since measuring takes minutes.
    let committed = read(&path, kind)?;
    let measured = figures_of_now(kind, places)?;
    let differences = differences(&committed, &measured, kind);
    for (_, line) in &differences {
        println!("{line}");
    }
    if differences.iter().any(|(fails, _)| *fails) {
        let compiler = match committed.rustc == measured.rustc {
            true => String::new(),
            false => format!(
                " The committed figures are of {}, these of {}.",
                committed.rustc, measured.rustc
            ),
        };
        bail!(
            "some figures above are not committed, have grown by more than {} %, or have fallen by more than {MOST_FALL} %: \
             make the code smaller again, see whether something else is measured, or run `{}` and say in the commit why \
             they changed.{compiler}",
            kind.tolerance(),
            kind.command_to_accept()
        );
    }
    let count: usize = measured.figures.values().map(BTreeMap::len).sum();
    println!(
        "all {count} figures are within {} % of the committed ones, or a little below",
        kind.tolerance()
    );
    Ok(())
}

fn figures_of_now(kind: Kind, places: &Places) -> Result<Figures> {
    let everything = Catalogue::read(places)?;
    let mut ours = Catalogue::read(places)?;
    ours.allocators
        .retain(|it| matches!(it.role, Role::Ours | Role::SizeFloor));
    // At a limit of memory, an allocator that serves more executes more.
    ours.workloads.retain(|it| it.family != Family::Reported);
    Ok(Figures {
        rustc: toolchain::rustc(Group::Guests)?
            .lines()
            .next()
            .unwrap_or_default()
            .to_owned(),
        figures: match kind {
            Kind::Size => measure_sizes(&ours, &everything, places)?,
            Kind::Modules(names) => measure_modules(names, &mut ours, &everything, places)?,
            Kind::Instructions => measure_instructions(&ours, &everything, places)?,
        },
    })
}

fn write(mut measured: Figures, kind: Kind, path: &Path) -> Result<()> {
    if matches!(kind, Kind::Modules(_))
        && let Ok(committed) = read(path, kind)
    {
        for (what, figures) in committed.figures {
            measured.figures.entry(what).or_insert(figures);
        }
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, serde_json::to_string_pretty(&measured)? + "\n")?;
    println!(
        "{} now holds what was measured: commit it and say why it changed",
        path.display()
    );
    Ok(())
}

fn read(path: &Path, kind: Kind) -> Result<Figures> {
    let text = fs::read_to_string(path).with_context(|| {
        format!(
            "cannot read {}: run `{}` and commit it",
            path.display(),
            kind.command_to_accept()
        )
    })?;
    serde_json::from_str(&text).with_context(|| format!("{} is not as expected", path.display()))
}

/// One line for each figure that differs, and whether it fails the check.
fn differences(committed: &Figures, measured: &Figures, kind: Kind) -> Vec<(bool, String)> {
    let unit = kind.unit();
    let mut lines = Vec::new();
    for (what, figures) in &measured.figures {
        for (allocator, &now) in figures {
            let line = match committed.figures.get(what).and_then(|figures| figures.get(allocator)) {
                None => (
                    true,
                    format!("{what} with {allocator}: {now} {unit}, not committed yet"),
                ),
                Some(&before) if before == now => continue,
                Some(&before) => {
                    let change = (now as f64 / before as f64 - 1.0) * 100.0;
                    let text = format!("{what} with {allocator}: {before} to {now} {unit} ({change:+.1} %)");
                    (change > kind.tolerance() || change < -MOST_FALL, text)
                }
            };
            lines.push(line);
        }
    }
    lines
}

fn measure_sizes(
    ours: &Catalogue,
    everything: &Catalogue,
    places: &Places,
) -> Result<BTreeMap<String, BTreeMap<String, u64>>> {
    let wanted: Vec<(Package, Profile)> = ours
        .allocators
        .iter()
        .map(|allocator| (Package::new(&allocator.id, SIZE_PROBE), Profile::Size))
        .collect();
    let modules = workshop::build(&wanted, everything, places)?;
    let sizes = sizes::measure(ours, &modules, Profile::Size, places)?;
    let figures = sizes
        .into_iter()
        .map(|size| (size.allocator, size.over_floor.optimized.max(0) as u64));
    Ok(BTreeMap::from([("wasm-opt -Oz".to_owned(), figures.collect())]))
}

fn measure_modules(
    names: &[String],
    ours: &mut Catalogue,
    everything: &Catalogue,
    places: &Places,
) -> Result<BTreeMap<String, BTreeMap<String, u64>>> {
    ours.choose(names)?;
    ours.leave_out_products(names);
    let mut pairs = Vec::new();
    for product in &ours.products {
        for allocator in ours.product_contenders() {
            pairs.push((product.name.as_str(), allocator.id.as_str()));
        }
    }
    let wanted: Vec<(Package, Profile)> = pairs
        .iter()
        .map(|(product, allocator)| (Package::of_product(allocator, product), Profile::Speed))
        .collect();
    let modules = workshop::build(&wanted, everything, places)?;
    let step = Step::begin("optimizing with wasm-opt", pairs.len());
    let size_of = |(product, allocator): &(&str, &str)| {
        let size = sizes::of_module(modules.of_product(product, allocator)?, places)?;
        step.done(&format!("{product} with {allocator}"));
        Ok(size)
    };
    let sizes: Vec<Size> = pairs.par_iter().map(size_of).collect::<Result<_>>()?;
    let mut figures: BTreeMap<String, BTreeMap<String, u64>> = BTreeMap::new();
    for ((product, allocator), size) in pairs.into_iter().zip(sizes) {
        for (what, bytes) in [("raw", size.raw), ("wasm-opt -Oz and gzip", size.gzipped)] {
            let row = figures.entry(format!("{product}, {what}")).or_default();
            row.insert(allocator.to_owned(), bytes.max(0) as u64);
        }
    }
    Ok(figures)
}

fn measure_instructions(
    ours: &Catalogue,
    everything: &Catalogue,
    places: &Places,
) -> Result<BTreeMap<String, BTreeMap<String, u64>>> {
    let mut wanted = Vec::new();
    for workload in &ours.workloads {
        for allocator in ours.contenders() {
            wanted.push((Package::new(&allocator.id, &workload.program), Profile::Speed));
        }
    }
    let modules: Modules = workshop::build(&wanted, everything, places)?;
    let step = Step::begin("counting", ours.workloads.len());
    let mut figures = BTreeMap::new();
    for workload in &ours.workloads {
        step.part(&workload.name);
        let mut plan = Plan {
            subjects: Subject::of_all(ours, &workload.program, &modules)?,
            ..Plan::of(workload)
        };
        plan.load_recording(workload, places)?;
        let mut counts = BTreeMap::new();
        for (allocator, count) in counting::instructions(&plan, places)? {
            match count {
                Ok(count) => counts.insert(allocator, count),
                Err(reason) => bail!("{} does not run with {allocator}: {reason}", workload.name),
            };
        }
        figures.insert(workload.name.clone(), counts);
    }
    Ok(figures)
}

#[cfg(test)]
mod tests {
    use super::{Figures, Kind, differences, read};
    use std::collections::BTreeMap;
    use std::path::Path;

    fn figures(count: u64) -> Figures {
        Figures {
            rustc: String::new(),
            figures: BTreeMap::from([("json".to_owned(), BTreeMap::from([("tiny".to_owned(), count)]))]),
        }
    }

    #[test]
    fn three_percent_more_fails_and_one_percent_more_is_only_reported() {
        let lines = differences(&figures(1000), &figures(1030), Kind::Size);
        assert_eq!(
            lines,
            [(true, "json with tiny: 1000 to 1030 bytes (+3.0 %)".to_owned())]
        );
        assert!(!differences(&figures(1000), &figures(1010), Kind::Size)[0].0);
    }

    #[test]
    fn a_little_less_is_only_reported_and_the_same_is_not() {
        assert!(!differences(&figures(1000), &figures(900), Kind::Size)[0].0);
        assert!(differences(&figures(1000), &figures(1000), Kind::Size).is_empty());
    }

    #[test]
    fn half_as_much_fails_since_something_else_may_be_measured() {
        assert!(differences(&figures(1000), &figures(500), Kind::Instructions)[0].0);
    }

    #[test]
    fn a_figure_that_was_never_committed_fails() {
        let lines = differences(&Figures::default(), &figures(1), Kind::Size);
        assert!(lines[0].0 && lines[0].1.contains("not committed"));
    }

    #[test]
    fn missing_figures_are_answered_with_the_command_that_writes_them() {
        let names = ["jaq".to_owned(), "boa".to_owned()];
        let missing = |kind| format!("{:#}", read(Path::new("no/figures.json"), kind).unwrap_err());
        let message = missing(Kind::Modules(&names));
        assert!(
            message.contains("`cargo make check-size --modules jaq,boa --accept`"),
            "{message}"
        );
        let message = missing(Kind::Size);
        assert!(message.contains("`cargo make accept-figures`"), "{message}");
    }

    #[test]
    fn one_percent_more_of_a_whole_module_fails() {
        let modules = Kind::Modules(&[]);
        assert!(differences(&figures(1000), &figures(1010), modules)[0].0);
        assert!(!differences(&figures(1000), &figures(1004), modules)[0].0);
    }
}
