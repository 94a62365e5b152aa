//! Wasmtime: the third engine, and the one that counts the instructions of single calls.
//!
//! Its fuel counter takes one unit for nearly every executed instruction, on every machine and in every run alike. A
//! `memory.copy` or `memory.fill` takes one for each byte, `memory.grow` one in all.
//!
//! It is a feature of this program, `wasmtime`, on by default: most of what takes time to compile is the engine.

mod probe;
mod run;

pub use probe::Probe;

use crate::measure::plan::Plan;
use crate::results::outcome::{Outcome, Runs};
use crate::shared::places::Places;
use anyhow::{Result, anyhow};
use run::{Run, compiled};
use std::collections::BTreeMap;
use std::path::Path;
use wasmtime::{Config, Engine, Module};

/// Wasmtime in two settings.
pub struct Wasmtime {
    timed: Engine,
    counting: Engine,
}

impl Wasmtime {
    /// Starts the engine.
    pub fn new() -> Result<Self> {
        let engine = |count| {
            let mut config = Config::new();
            config.consume_fuel(count);
            Engine::new(&config).map_err(|error| anyhow!("wasmtime does not start: {error:#}"))
        };
        Ok(Wasmtime {
            timed: engine(false)?,
            counting: engine(true)?,
        })
    }

    /// The bytes that the recorder of `module` holds after one run of `plan`.
    pub fn recording(&self, plan: &Plan, module: &Path, places: &Places) -> Result<Vec<u8>> {
        let mut run = Run::start(&compiled(&self.timed, module, places)?)?;
        let mut read = || {
            run.prepare(plan)?;
            run.execute(plan)?;
            let address = run.number("recording_address")? as usize;
            let mut bytes = vec![0; run.number("recording_bytes")? as usize];
            run.memory()?
                .read(&run.store, address, &mut bytes)
                .map_err(|error| error.to_string())?;
            Ok(bytes)
        };
        read().map_err(|reason: String| anyhow!("cannot record {}: {reason}", plan.export))
    }

    /// Runs `plan` as Node does: a fresh instance for each run, subjects in turn, after a warm-up.
    pub fn time(&self, plan: &Plan, places: &Places) -> Result<BTreeMap<String, Outcome>> {
        let modules = plan
            .subjects
            .iter()
            .map(|subject| Ok((&subject.id, compiled(&self.timed, &subject.path, places)?)))
            .collect::<Result<Vec<_>>>()?;
        let mut outcomes: BTreeMap<String, Outcome> = BTreeMap::new();
        for round in 0..plan.warm_up_runs + plan.runs {
            for turn in 0..modules.len() {
                let (id, module) = &modules[(round as usize + turn) % modules.len()];
                let outcome = outcomes.entry((*id).clone()).or_insert(Outcome::Ran(Runs::default()));
                if let Outcome::Ran(runs) = outcome
                    && wants_run(plan, round, runs)
                {
                    match time_once(plan, module)? {
                        Ok((milliseconds, checksum)) => {
                            if round >= plan.warm_up_runs {
                                runs.milliseconds.push(milliseconds);
                            }
                            runs.checksum = checksum;
                        }
                        Err(reason) => *outcome = Outcome::Failed(reason),
                    }
                }
            }
        }
        Ok(outcomes)
    }

    /// An instance of a size probe, whose calls are counted one by one.
    pub fn probe(&self, module: &Path, places: &Places) -> Result<Probe> {
        Probe::start(&self.counting, module, places)
    }
}

/// Whether a subject that had `runs` so far runs in `round` too, counted from the first warm-up.
fn wants_run(plan: &Plan, round: u32, runs: &Runs) -> bool {
    let spent: f64 = runs.milliseconds.iter().sum();
    round < plan.warm_up_runs + plan.least_runs || spent <= plan.budget_milliseconds
}

fn time_once(plan: &Plan, module: &Module) -> Result<Result<(f64, String), String>> {
    let mut run = Run::start(module)?;
    Ok(run.prepare(plan).and_then(|()| {
        let (time, checksum) = run.execute(plan)?;
        Ok((time.as_secs_f64() * 1000.0, format!("{checksum:x}")))
    }))
}

#[cfg(test)]
mod tests {
    use super::Wasmtime;
    use crate::measure::plan::{Plan, Subject};
    use crate::results::outcome::Outcome;
    use crate::shared::places::Places;

    /// A plan on one module whose `work` runs a loop as often as its argument says, then `end`.
    fn plan(argument: u32, end: &str) -> Plan {
        let text = format!(
            r#"(module (memory (export "memory") 1)
                (func (export "work") (param $n i32) (result i64)
                    (loop (br_if 0 (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
                    {end}))"#
        );
        plan_on(&text, argument)
    }

    /// A plan on the module with this text.
    fn plan_on(text: &str, argument: u32) -> Plan {
        let folder = Places::of_this_checkout().modules();
        std::fs::create_dir_all(&folder).unwrap();
        let bytes = wat::parse_str(text).unwrap();
        let path = folder.join(format!("test-{}.wasm", crate::shared::kept_files::digest_of(&bytes)));
        std::fs::write(&path, bytes).unwrap();
        Plan {
            export: "work".to_owned(),
            argument,
            runs: 3,
            least_runs: 3,
            subjects: vec![Subject {
                id: "it".to_owned(),
                path,
            }],
            ..Plan::default()
        }
    }

    #[test]
    fn a_trap_is_a_reason_and_a_result_a_checksum() {
        let engine = Wasmtime::new().unwrap();
        let places = Places::of_this_checkout();
        let trapped = engine.time(&plan(1, "unreachable"), &places).unwrap();
        assert!(matches!(&trapped["it"], Outcome::Failed(reason) if reason.contains("trap")));
        let ran = engine.time(&plan(1, "i64.const 16"), &places).unwrap();
        assert!(matches!(&ran["it"], Outcome::Ran(runs) if runs.checksum == "10" && runs.milliseconds.len() == 3));
    }

    #[test]
    fn a_recording_is_replayed_in_portions_that_the_module_has_room_for() {
        let text = r#"(module (memory (export "memory") 1)
            (func (export "work_buffer") (param i32) (result i64) i64.const 1024)
            (func (export "work_capacity") (param i32) (result i64) i64.const 2)
            (func (export "work") (param $count i32) (result i64)
                (if (i32.gt_u (local.get $count) (i32.const 2)) (then unreachable))
                (i64.extend_i32_u (local.get $count))))"#;
        let folder = tempfile::tempdir().unwrap();
        let operations = folder.path().join("operations.bin");
        std::fs::write(&operations, [0; 5 * super::run::OPERATION_BYTES]).unwrap();
        let plan = Plan {
            operations: Some(operations),
            ..plan_on(text, 0)
        };
        let places = Places::of_this_checkout();
        let ran = Wasmtime::new().unwrap().time(&plan, &places).unwrap();
        assert!(
            matches!(&ran["it"], Outcome::Ran(runs) if runs.checksum == "5"),
            "{ran:?}"
        );
    }
}
