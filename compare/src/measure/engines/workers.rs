//! Runs `workers.mjs` in V8: several workers of one module at once. The process is watched from outside, since workers may
//! wait for each other forever.

use super::javascript::{self, JsEngine};
use crate::shared::places::Places;
use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;

/// The program that runs workers.
const RUNNER: &str = "workers.mjs";

/// One workload, run in turn by different numbers of workers, on modules that differ in their allocator.
#[derive(Debug, Clone, Default, Serialize)]
pub struct WorkersPlan {
    /// The exported name of the workload.
    pub export: String,
    /// The number it is called with.
    pub argument: u32,
    /// How often each worker calls it; if there is no such number, for `milliseconds`.
    pub calls: Option<u32>,
    /// Whether the workers wait for each other after each of these calls.
    pub in_step: bool,
    /// How long each worker calls it.
    pub milliseconds: f64,
    /// How long each worker calls it before that.
    pub warm_up_milliseconds: f64,
    /// Rounds that are not measured.
    pub warm_up_runs: u32,
    /// Rounds that are measured.
    pub runs: u32,
    /// The maximum of shared memories.
    pub most_pages: u64,
    /// The modules, each with its workers.
    pub subjects: Vec<Team>,
}

/// The workers of one module.
#[derive(Debug, Clone, Serialize)]
pub struct Team {
    /// What its events are found by.
    pub id: String,
    /// The module's file.
    pub path: PathBuf,
    /// The pages that a shared memory starts with; if there are none, the module has a memory of its own, and one worker.
    pub pages: Option<u64>,
    /// How many they are.
    pub workers: u32,
}

/// What a team did.
#[derive(Debug, Clone, PartialEq)]
pub enum Done {
    /// It ran to the end each time.
    Ran(Vec<Round>),
    /// It stopped; the text says why.
    Failed(String),
}

/// One measured round of a team.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Round {
    /// The operations of all its workers in a second.
    pub operations_per_second: f64,
    /// Pages of linear memory in the end.
    pub pages: u32,
    /// Where the heap starts.
    pub heap_base: u32,
}

#[derive(Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
enum Event {
    Started {
        subject: String,
    },
    Sample {
        subject: String,
        warm_up: bool,
        operations_per_second: f64,
        pages: u32,
        heap_base: u32,
    },
    Failed {
        subject: String,
        reason: String,
    },
    Done,
}

/// Runs `plan` and returns what each team did. A team that takes longer than `limit` for a round is left out.
pub fn run(plan: &WorkersPlan, limit: Duration, places: &Places) -> Result<BTreeMap<String, Done>> {
    let mut plan = plan.clone();
    let mut failed = BTreeMap::new();
    while !plan.subjects.is_empty() {
        let (done, stuck) = run_once(&plan, limit, places)?;
        let Some(stuck) = stuck else {
            failed.extend(done);
            break;
        };
        // The process died with the team that was stuck: the others are measured in a new one.
        plan.subjects.retain(|team| team.id != stuck);
        let reason = format!("takes more than {} s", limit.as_secs_f64());
        failed.insert(stuck, Done::Failed(reason));
    }
    Ok(failed)
}

fn run_once(plan: &WorkersPlan, limit: Duration, places: &Places) -> Result<(BTreeMap<String, Done>, Option<String>)> {
    let engine = JsEngine::V8;
    let mut process = javascript::start(RUNNER, plan, engine, places)?;
    let lines = javascript::lines_of(&mut process)?;
    let mut done: BTreeMap<String, Done> = BTreeMap::new();
    let mut running = None;
    loop {
        // Until the first team starts, the engine starts and compiles all modules.
        let patience = if running.is_some() { limit } else { limit * 20 };
        let line = match lines.recv_timeout(patience) {
            Ok(line) => line,
            Err(RecvTimeoutError::Timeout) => {
                process.kill()?;
                process.wait()?;
                match running {
                    Some(stuck) => return Ok((done, Some(stuck))),
                    None => bail!(
                        "Node did not start to run {} in {patience:?}: is the machine overloaded?",
                        plan.export
                    ),
                }
            }
            Err(RecvTimeoutError::Disconnected) => return Err(javascript::failure_of(process, engine, &plan.export)),
        };
        let event =
            serde_json::from_str(&line).with_context(|| format!("{RUNNER} printed what is not an event: {line}"))?;
        match event {
            Event::Started { subject } => running = Some(subject),
            Event::Sample {
                subject,
                warm_up,
                operations_per_second,
                pages,
                heap_base,
            } => {
                let round = Round {
                    operations_per_second,
                    pages,
                    heap_base,
                };
                if let Done::Ran(rounds) = done.entry(subject).or_insert(Done::Ran(Vec::new()))
                    && !warm_up
                {
                    rounds.push(round);
                }
            }
            Event::Failed { subject, reason } => {
                done.insert(subject, Done::Failed(reason));
            }
            Event::Done => {
                process.wait()?;
                return Ok((done, None));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Done, Team, WorkersPlan, run};
    use crate::shared::places::Places;
    use std::collections::BTreeMap;
    use std::time::Duration;

    /// What teams of two do whose `work` has these bodies. The global `$worker` is the number of the worker, counted from 0.
    fn done(bodies: &[(&str, &str)]) -> BTreeMap<String, Done> {
        let folder = tempfile::tempdir().unwrap();
        let teams = bodies.iter().map(|(id, body)| {
            let text = format!(
                r#"(module (import "env" "memory" (memory 3 16 shared))
                    (global $worker (mut i32) (i32.const 0))
                    (global (export "__stack_pointer") (mut i32) (i32.const 0))
                    (global (export "__tls_size") i32 (i32.const 8))
                    (func (export "__wasm_init_tls") (param i32))
                    (func (export "storage") (param i32 i32) (result i32) i32.const 64)
                    (func (export "end_of_stack") (param i32) (result i32) i32.const 128)
                    (func (export "enter") (param i32 i32) (global.set $worker (local.get 0)))
                    (func (export "heap_base") (result i32) i32.const 1024)
                    (func (export "work_prepare") (param i32) (result i64) i64.const 0)
                    (func (export "work") (param i32) (result i64) {body}))"#
            );
            let path = folder.path().join(format!("{id}.wasm"));
            std::fs::write(&path, wat::parse_str(text).unwrap()).unwrap();
            Team {
                id: (*id).to_owned(),
                path,
                pages: Some(3),
                workers: 2,
            }
        });
        let plan = WorkersPlan {
            export: "work".to_owned(),
            calls: Some(10),
            warm_up_runs: 1,
            runs: 3,
            most_pages: 16,
            subjects: teams.collect(),
            ..WorkersPlan::default()
        };
        // With any Node, since tests need no packages of npm.
        let places = Places {
            other_node: Some("node".into()),
            ..Places::of_this_checkout()
        };
        run(&plan, Duration::from_secs(10), &places).unwrap()
    }

    /// Counts its calls in static data, and returns when as many calls have come from two workers.
    const MEETS: &str = "(local $number i32)
        (local.set $number (i32.atomic.rmw.add (i32.const 0) (i32.const 1)))
        (loop $again (br_if $again
            (i32.le_u (i32.atomic.load (i32.const 0)) (i32.or (local.get $number) (i32.const 1)))))
        i64.const 1";

    #[test]
    fn workers_share_a_memory_which_is_a_fresh_one_in_each_round() {
        let done = done(&[
            ("meets", MEETS),
            ("grows", "(drop (memory.grow (i32.const 0))) i64.const 5"),
        ]);
        for id in ["meets", "grows"] {
            let Done::Ran(rounds) = &done[id] else {
                panic!("{done:?}");
            };
            assert_eq!(rounds.len(), 3);
            assert!(rounds.iter().all(|round| round.operations_per_second > 0.0));
            assert!(rounds.iter().all(|round| (round.pages, round.heap_base) == (3, 1024)));
        }
    }

    #[test]
    fn the_pages_are_those_that_all_workers_have_grown_together() {
        // The last of 2 workers' 10 calls.
        let grows = "(if (i32.eq (i32.atomic.rmw.add (i32.const 8) (i32.const 1)) (i32.const 19))
                (then (drop (memory.grow (i32.const 2)))))
            i64.const 1";
        let done = done(&[("grows", grows)]);
        assert!(
            matches!(&done["grows"], Done::Ran(rounds) if rounds.iter().all(|round| round.pages == 5)),
            "{done:?}"
        );
    }

    #[test]
    fn a_worker_that_traps_or_waits_forever_does_not_stop_other_teams() {
        let traps = "(if (i32.eqz (global.get $worker)) (then unreachable))
            (loop $again (br $again)) i64.const 1";
        let waits = "(loop $again (br_if $again (global.get $worker))) i64.const 1";
        let done = done(&[("traps", traps), ("waits", waits), ("fine", "i64.const 1")]);
        assert!(
            matches!(&done["traps"], Done::Failed(reason) if reason.contains("unreachable")),
            "{done:?}"
        );
        assert_eq!(done["waits"], Done::Failed("takes more than 10 s".to_owned()));
        assert!(
            matches!(&done["fine"], Done::Ran(rounds) if rounds.len() == 3),
            "{done:?}"
        );
    }
}
