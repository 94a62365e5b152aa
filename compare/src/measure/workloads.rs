//! Runs the workloads with every allocator in every engine.

use super::counting;
use super::engines::javascript::{self, JsEngine};
#[cfg(feature = "wasmtime")]
use super::engines::wasmtime::Wasmtime;
use super::mode::Mode;
use super::plan::{Plan, Subject};
use crate::modules::memory_limit::with_memory_limit;
use crate::modules::workshop::Modules;
use crate::results::outcome::Outcome;
use crate::results::workload::{EARLIER_ROUNDS, Findings, JSC_WARM_UP_RUNS, Row};
use crate::shared::catalogue::{Allocator, Catalogue, Family, Workload};
use crate::shared::places::Places;
use crate::shared::profile::Profile;
use crate::shared::progress::Step;
use anyhow::{Context, Result};
use std::collections::BTreeMap;

/// Measures the workloads of `chosen`.
///
/// Returns the rows, and the names of workloads and allocators that computed something else than with the reference.
pub fn measure(chosen: &Catalogue, modules: &Modules, mode: &Mode, places: &Places) -> Result<(Vec<Row>, Vec<String>)> {
    let reference = &chosen.reference()?.id;
    let floor = &chosen.floor()?.id;
    let step = Step::begin("measuring", chosen.workloads.len());
    let mut rows = Vec::new();
    let mut all_different = Vec::new();
    for workload in &chosen.workloads {
        step.part(&workload.name);
        let findings = examine(workload, chosen, modules, mode, places)
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
    mode: &Mode,
    places: &Places,
) -> Result<Findings> {
    let subject = |allocator: &Allocator| {
        let module = modules.path(&workload.program, &allocator.id, Profile::Speed)?;
        Ok(Subject {
            id: allocator.id.clone(),
            path: with_memory_limit(module, workload.limit_pages, places)?,
        })
    };
    let repetition = mode.repetition(workload.family);
    let mut plan = Plan {
        runs: repetition.most,
        least_runs: repetition.least,
        budget_milliseconds: repetition.budget.as_secs_f64() * 1000.0,
        subjects: chosen.contenders().map(subject).collect::<Result<_>>()?,
        ..Plan::of(workload)
    };
    plan.load_recording(workload, places)?;
    let meter = subject(chosen.meter()?)?;
    let peak_live_bytes = counting::peak_live_bytes(&plan, meter, places)?;
    let v8 = javascript::run(&plan, JsEngine::V8, mode.limit, places)?;
    // What did not run to the end in V8 would not do so elsewhere.
    let plan = plan.only(|id| matches!(v8.get(id), Some(Outcome::Ran(_))));
    let instructions = counting::instructions(&plan, places)?;
    let mut curve = None;
    if !workload.points.is_empty() {
        let plan = Plan {
            points: workload.points.clone(),
            ..plan.clone()
        };
        curve = Some(javascript::run(&plan, JsEngine::V8, mode.limit * 2, places)?);
    }
    let mut v8_tiered = None;
    let mut v8_later = None;
    let mut javascriptcore = None;
    let mut wasmtime = None;
    if mode.full {
        if workload.family == Family::Programs {
            let later = Plan {
                same_instance: true,
                warm_up_runs: EARLIER_ROUNDS,
                ..plan.clone()
            };
            v8_later = Some(javascript::run(&later, JsEngine::V8, mode.limit, places)?);
        }
        v8_tiered = Some(javascript::run(&plan, JsEngine::V8Tiered, mode.limit * 10, places)?);
        let longer_warm_up = Plan {
            warm_up_runs: JSC_WARM_UP_RUNS,
            ..plan.clone()
        };
        javascriptcore = Some(javascript::run(
            &longer_warm_up,
            JsEngine::JavaScriptCore,
            mode.limit * 10,
            places,
        )?);
        wasmtime = Some(time_in_wasmtime(&plan, places)?);
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

#[cfg(feature = "wasmtime")]
fn time_in_wasmtime(plan: &Plan, places: &Places) -> Result<BTreeMap<String, Outcome>> {
    Wasmtime::new()?.time(plan, places)
}

/// `Mode::of` refuses the full mode in such a build.
#[cfg(not(feature = "wasmtime"))]
fn time_in_wasmtime(_: &Plan, _: &Places) -> Result<BTreeMap<String, Outcome>> {
    anyhow::bail!("this build has no wasmtime")
}
