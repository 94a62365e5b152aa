//! What is counted and not timed: executed instructions, and the bytes that a program has live.
//!
//! Both are the same in every run and engine. V8's quick compiler serves for them.

use super::engines::javascript::{self, JsEngine};
use super::plan::{Plan, Subject};
use crate::modules::counted::counting;
use crate::results::outcome::{Outcome, Runs};
use crate::shared::places::Places;
use anyhow::{Context, Result, bail};
use std::collections::BTreeMap;
use std::time::Duration;

/// A subject that takes longer is not waited for.
const LIMIT: Duration = Duration::from_secs(60);

/// Executed instructions of one run of `plan` on each subject, without those of preparing the input; or the reason why there
/// is no figure.
pub fn instructions(plan: &Plan, places: &Places) -> Result<BTreeMap<String, Result<u64, String>>> {
    let counting = |subject: &Subject| {
        Ok(Subject {
            id: subject.id.clone(),
            path: counting(&subject.path, places)?,
        })
    };
    let subjects = plan.subjects.iter().map(counting).collect::<Result<_>>()?;
    let outcomes = run_once(plan, subjects, places)?;
    let count = |(id, outcome)| {
        let count = match outcome {
            Outcome::Ran(runs) => Ok(runs.instructions.context("a counting module exports its counter")?),
            Outcome::Failed(reason) => Err(reason),
        };
        Ok((id, count))
    };
    outcomes.into_iter().map(count).collect()
}

/// The most bytes that were live at once in one run of `plan`, as the metering allocator of `subject` counts them.
pub fn peak_live_bytes(plan: &Plan, subject: Subject, places: &Places) -> Result<u64> {
    match run_once(plan, vec![subject], places)?.into_values().next() {
        Some(Outcome::Ran(Runs {
            peak_live_bytes: Some(bytes),
            ..
        })) => Ok(bytes),
        other => bail!("cannot count the live bytes of {}: {other:?}", plan.export),
    }
}

fn run_once(plan: &Plan, subjects: Vec<Subject>, places: &Places) -> Result<BTreeMap<String, Outcome>> {
    if subjects.is_empty() {
        return Ok(BTreeMap::new());
    }
    let plan = Plan {
        warm_up_runs: 0,
        runs: 1,
        least_runs: 1,
        subjects,
        ..plan.clone()
    };
    javascript::run(&plan, JsEngine::V8Quick, LIMIT, places)
}

#[cfg(test)]
mod tests {
    use super::{instructions, peak_live_bytes};
    use crate::measure::plan::{Plan, Subject};
    use crate::shared::kept_files::digest_of;
    use crate::shared::places::Places;

    /// With any Node, since tests need no packages of npm.
    fn places() -> Places {
        Places {
            other_node: Some("node".into()),
            ..Places::of_this_checkout()
        }
    }

    /// A plan on one module whose `work` runs a loop as often as its argument says, then `end`.
    fn plan(argument: u32, end: &str) -> Plan {
        let text = format!(
            r#"(module (memory (export "memory") 1)
                (func (export "heap_base") (result i32) i32.const 1024)
                (func (export "peak_live_bytes") (result i32) i32.const -4096)
                (func (export "work_prepare") (param $n i32) (result i64)
                    (loop (br_if 0 (local.tee $n (i32.sub (local.get $n) (i32.const 1))))) i64.const 1)
                (func (export "work") (param $n i32) (result i64)
                    (loop (br_if 0 (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
                    {end}))"#
        );
        let folder = Places::of_this_checkout().modules();
        std::fs::create_dir_all(&folder).unwrap();
        let bytes = wat::parse_str(text).unwrap();
        let path = folder.join(format!("test-{}.wasm", digest_of(&bytes)));
        std::fs::write(&path, bytes).unwrap();
        Plan {
            export: "work".to_owned(),
            argument,
            runs: 3,
            subjects: vec![Subject {
                id: "it".to_owned(),
                path,
            }],
            most_memory_bytes: 1 << 30,
            ..Plan::default()
        }
    }

    fn count_of(plan: &Plan) -> Result<u64, String> {
        instructions(plan, &places()).unwrap().remove("it").unwrap()
    }

    #[test]
    fn twice_the_work_is_twice_the_instructions_and_the_same_work_the_same() {
        let count = |argument| count_of(&plan(argument, "i64.const 1")).unwrap();
        assert_eq!(count(1000), count(1000));
        assert_eq!(count(20_000) - count(10_000), 10_000 * 5);
        assert_eq!(count(1), 7);
    }

    #[test]
    fn preparing_the_input_does_not_count() {
        let prepared = Plan {
            prepare: true,
            ..plan(1000, "i64.const 1")
        };
        assert_eq!(count_of(&prepared), count_of(&plan(1000, "i64.const 1")));
    }

    #[test]
    fn a_copied_byte_counts_like_an_instruction_and_growth_as_one() {
        let count = |end: &str| count_of(&plan(1, end)).unwrap();
        let nothing = count("i64.const 1");
        let copy = "(memory.copy (i32.const 0) (i32.const 20000) (i32.const 10000)) i64.const 1";
        let fill = "(memory.fill (i32.const 0) (i32.const 0) (i32.const 10000)) i64.const 1";
        let grow = "(drop (memory.grow (i32.const 100))) i64.const 1";
        assert_eq!(count(copy) - nothing, 10_004);
        assert_eq!(count(fill) - nothing, 10_004);
        assert_eq!(count(grow) - nothing, 2);
    }

    #[test]
    fn a_trap_is_a_reason_and_no_count() {
        let reason = count_of(&plan(1, "unreachable")).unwrap_err();
        assert!(reason.contains("trap"), "{reason}");
    }

    #[test]
    fn live_bytes_are_a_number_without_a_sign() {
        let plan = plan(1, "i64.const 1");
        let subject = plan.subjects[0].clone();
        assert_eq!(peak_live_bytes(&plan, subject, &places()).unwrap(), (1 << 32) - 4096);
    }
}
