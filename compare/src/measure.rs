//! `report`: builds the modules, runs all workloads, and writes and prints the report.

use crate::catalogue::{Allocator, Catalogue, Family, Workload};
use crate::js_engine::{self, JsEngine};
use crate::modules::{self, MOST_MEMORY_BYTES, Modules};
use crate::places::Places;
use crate::plan::{Outcome, Plan, Subject};
use crate::progress::Step;
use crate::report::{EARLIER_ROUNDS, Findings, JSC_WARM_UP_RUNS, PAGE_BYTES, Report, Row, Terms};
use crate::second_engine::SecondEngine;
use crate::sizes;
use crate::tables::{Style, render};
use crate::workspace::{Package, Profile, SIZE_PROBE, all_packages, product_packages};
use crate::{benchmarks, charts, limit, long_life, page, products, recordings, versions};
use anyhow::{Context, Result, bail};
use std::fs;
use std::time::Duration;

/// How much is measured.
pub struct Effort {
    /// Whether default tiering, the other engines, and programs that have run for long are timed as well.
    pub full: bool,
    /// The runs of a cell.
    pub usual: Repetition,
    /// The runs of a cell of the family `reported`: most of its figures are the same in each run.
    pub reported: Repetition,
    /// A single run that takes longer is ended.
    pub limit: Duration,
}

/// How often a cell is measured.
#[derive(Clone, Copy)]
pub struct Repetition {
    /// The most measured runs, which cells of a millisecond get: single ones are far off at times.
    pub most: u32,
    /// The measured runs that every cell gets.
    pub least: u32,
    /// After this much measured time a cell gets no further run.
    pub budget: Duration,
}

impl Effort {
    /// Enough for daily use: on a warm machine under 3 minutes.
    const QUICK: Effort = Effort {
        full: false,
        usual: Repetition {
            most: 25,
            least: 3,
            budget: Duration::from_millis(80),
        },
        reported: Repetition {
            most: 5,
            least: 1,
            budget: Duration::from_millis(10),
        },
        limit: Duration::from_millis(500),
    };

    /// Enough to publish.
    const FULL: Effort = Effort {
        full: true,
        usual: Repetition {
            most: 40,
            least: 5,
            budget: Duration::from_millis(400),
        },
        reported: Repetition {
            most: 20,
            least: 3,
            budget: Duration::from_millis(200),
        },
        limit: Duration::from_secs(3),
    };

    /// The quick effort, or the full one.
    pub fn of(full: bool) -> &'static Effort {
        if full { &Effort::FULL } else { &Effort::QUICK }
    }

    fn repetition(&self, family: Family) -> Repetition {
        match family {
            Family::Reported => self.reported,
            _ => self.usual,
        }
    }
}

/// Measures what `only` names, or everything if it is empty.
///
/// With `publish`, the report becomes `BENCHMARKS.md` as well.
pub fn report(only: &[String], effort: &Effort, publish: bool, places: &Places) -> Result<()> {
    let mut chosen = Catalogue::read(places)?;
    chosen.choose(only)?;
    if !effort.full {
        chosen.leave_out_long_workloads(only);
        chosen.leave_out_products(only);
    }
    let command = match publish {
        true => "cargo make benchmarks".to_owned(),
        false => command_line("cargo make report", only, effort, places),
    };
    let report = compare(&chosen, &command, effort, places)?;
    if publish {
        benchmarks::write(&report, places)?;
    }
    Ok(())
}

/// `command` with the options that chose what is measured, quoted for a shell that would take `*` as a file's name.
pub fn command_line(command: &str, only: &[String], effort: &Effort, places: &Places) -> String {
    let mut line = command.to_owned();
    if effort.full {
        line += " --full";
    }
    if let Some(node) = &places.other_node {
        line += &format!(" --node '{}'", node.display());
    }
    if !only.is_empty() {
        line += &format!(" --only '{}'", only.join(","));
    }
    line
}

/// Measures everything in `chosen`, which `command` asked for; prints and writes the report.
pub fn compare(chosen: &Catalogue, command: &str, effort: &Effort, places: &Places) -> Result<Report> {
    let date = jiff::ZonedDateTime::now().strftime("%Y-%m-%d %H:%M %Z").to_string();
    let everything = Catalogue::read(places)?;
    let rustc = versions::rustc()?;
    let modules = modules::build(&wanted(chosen), &everything, places, &rustc)?;
    let (workloads, mut different) = run_all(chosen, &modules, effort, places)?;
    let long_lives = long_life::follow(chosen, &modules, effort.limit * 2, places)?;
    let (products, different_products) = products::measure(chosen, &modules, places)?;
    different.extend(different_products);
    let mut sizes = Vec::new();
    for profile in [Profile::Size, Profile::Speed] {
        sizes.extend(sizes::measure(chosen, &modules, profile, places)?);
    }
    let report = Report {
        date,
        command: command.to_owned(),
        runs: effort.usual.most,
        full: effort.full,
        terms: Terms::of_this_program(),
        versions: versions::of_everything(chosen, effort.full, places)?,
        allocators: Report::columns(chosen),
        workloads,
        long_lives,
        products,
        sizes,
    };
    write(&report, places)?;
    println!("{}", render(&report, Style::Terminal(terminal_width())));
    println!(
        "The same as a page, as Markdown and as JSON: index.html, report.md with its charts, and report.json in {}",
        places.report.display()
    );
    if !different.is_empty() {
        bail!(
            "these programs computed something else than with the reference, so that the allocator corrupted their memory or the workload depends on addresses: {}",
            different.join(", ")
        );
    }
    Ok(report)
}

/// All modules that a run needs: the programs of its workloads and its products for speed, the size probe for both
/// profiles.
fn wanted(chosen: &Catalogue) -> Vec<(Package, Profile)> {
    let mut wanted = Vec::new();
    for package in all_packages(chosen) {
        if chosen.recorder().is_ok_and(|recorder| recorder.id == package.allocator) {
            continue;
        }
        if package.program == SIZE_PROBE {
            wanted.push((package.clone(), Profile::Size));
        }
        wanted.push((package, Profile::Speed));
    }
    wanted.extend(
        product_packages(chosen)
            .into_iter()
            .map(|package| (package, Profile::Speed)),
    );
    wanted
}

fn run_all(chosen: &Catalogue, modules: &Modules, effort: &Effort, places: &Places) -> Result<(Vec<Row>, Vec<String>)> {
    let reference = &chosen.reference()?.id;
    let floor = &chosen.floor()?.id;
    let second_engine = SecondEngine::new()?;
    let step = Step::begin("measuring", chosen.workloads.len());
    let mut rows = Vec::new();
    let mut all_different = Vec::new();
    for workload in &chosen.workloads {
        step.part(&workload.name);
        let findings = examine(workload, chosen, modules, effort, &second_engine, places)
            .with_context(|| format!("cannot measure {}", workload.name))?;
        let (row, different) = Row::new(workload, &findings, reference, floor);
        rows.push(row);
        all_different.extend(
            different
                .into_iter()
                .map(|allocator| format!("{} with {allocator}", workload.name)),
        );
    }
    Ok((rows, all_different))
}

fn examine(
    workload: &Workload,
    chosen: &Catalogue,
    modules: &Modules,
    effort: &Effort,
    second_engine: &SecondEngine,
    places: &Places,
) -> Result<Findings> {
    let limited = |subject| limit::limited(subject, workload.limit_pages, places);
    let subjects = subjects(chosen, &workload.program, modules)?;
    let repetition = effort.repetition(workload.family);
    let mut plan = Plan {
        runs: repetition.most,
        least_runs: repetition.least,
        budget_milliseconds: repetition.budget.as_secs_f64() * 1000.0,
        subjects: subjects.into_iter().map(limited).collect::<Result<_>>()?,
        ..plan_of(workload)
    };
    recordings::load(&mut plan, workload, places)?;
    let meter = limited(subject(chosen.meter()?, &workload.program, modules)?)?;
    let peak_live_bytes = second_engine.peak_live_bytes(&plan, &meter, places)?;
    let v8 = js_engine::run(&plan, JsEngine::V8, effort.limit, places)?;
    // What did not run to the end in V8 would not do so elsewhere.
    let plan = plan.only(|id| matches!(v8.get(id), Some(Outcome::Ran(_))));
    let instructions = second_engine.instructions(&plan, places)?;
    let mut curve = None;
    if !workload.points.is_empty() {
        let plan = Plan {
            points: workload.points.clone(),
            ..plan.clone()
        };
        curve = Some(js_engine::run(&plan, JsEngine::V8, effort.limit * 2, places)?);
    }
    let mut v8_tiered = None;
    let mut v8_later = None;
    let mut javascriptcore = None;
    let mut wasmtime = None;
    if effort.full {
        if workload.family == Family::Programs {
            let later = Plan {
                same_instance: true,
                warm_up_runs: EARLIER_ROUNDS,
                ..plan.clone()
            };
            v8_later = Some(js_engine::run(&later, JsEngine::V8, effort.limit, places)?);
        }
        v8_tiered = Some(js_engine::run(&plan, JsEngine::V8Tiered, effort.limit * 10, places)?);
        let longer_warm_up = Plan {
            warm_up_runs: JSC_WARM_UP_RUNS,
            ..plan.clone()
        };
        let engine = JsEngine::JavaScriptCore;
        javascriptcore = Some(js_engine::run(&longer_warm_up, engine, effort.limit * 10, places)?);
        wasmtime = Some(second_engine.time(&plan, places)?);
    }
    Ok(Findings {
        v8,
        v8_tiered,
        v8_later,
        javascriptcore,
        wasmtime,
        instructions,
        curve,
        peak_live_bytes,
    })
}

/// The plan that runs `workload` once, without subjects.
pub fn plan_of(workload: &Workload) -> Plan {
    Plan {
        export: workload.export().to_owned(),
        argument: workload.argument,
        prepare: workload.prepare,
        warm_up_runs: 1,
        most_memory_bytes: workload
            .limit_pages
            .map_or(MOST_MEMORY_BYTES, |pages| u64::from(pages) * PAGE_BYTES),
        counts_served: workload.limit_pages.is_some(),
        ..Plan::default()
    }
}

/// The modules of `program` with all allocators that run workloads.
pub fn subjects(chosen: &Catalogue, program: &str, modules: &Modules) -> Result<Vec<Subject>> {
    chosen
        .contenders()
        .map(|allocator| subject(allocator, program, modules))
        .collect()
}

fn subject(allocator: &Allocator, program: &str, modules: &Modules) -> Result<Subject> {
    Ok(Subject {
        id: allocator.id.clone(),
        path: modules.path(program, &allocator.id, Profile::Speed)?.to_owned(),
    })
}

fn write(report: &Report, places: &Places) -> Result<()> {
    charts::write(report, &places.report.join(charts::FOLDER))?;
    let files = [
        ("report.md", render(report, Style::Markdown)),
        ("report.json", serde_json::to_string_pretty(report)?),
        ("index.html", page::render(report, places)?),
    ];
    for (name, content) in files {
        let path = places.report.join(name);
        fs::write(&path, content).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

/// The columns of the terminal; 120 where the output is no terminal.
fn terminal_width() -> usize {
    comfy_table::Table::new().width().map_or(120, usize::from)
}

#[cfg(test)]
mod tests {
    use super::{Effort, command_line};
    use crate::places::Places;

    #[test]
    fn the_recorded_command_measures_the_same_again() {
        let mut places = Places::of_this_checkout();
        assert_eq!(
            command_line("cargo make report", &[], Effort::of(false), &places),
            "cargo make report"
        );
        places.other_node = Some("/opt/node".into());
        let only = ["tiny*".to_owned(), "json".to_owned()];
        assert_eq!(
            command_line("cargo make report", &only, Effort::of(true), &places),
            "cargo make report --full --node '/opt/node' --only 'tiny*,json'"
        );
    }
}
