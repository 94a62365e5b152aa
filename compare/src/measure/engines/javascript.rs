//! Runs `runner.mjs` in a JavaScript engine: one process per workload. The process is watched from outside, since a module
//! may run forever.

use crate::measure::plan::Plan;
use crate::results::outcome::{Outcome, Runs, Served};
use crate::shared::places::Places;
use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

/// A JavaScript engine, and how it compiles the modules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JsEngine {
    /// V8 with `--no-liftoff`: the optimizing compiler alone.
    V8,
    /// V8's own choice: a quick compiler first, the optimizing one for functions that run often.
    V8Tiered,
    /// V8 with its quick compiler alone: for what is counted and not timed.
    V8Quick,
    /// JavaScriptCore's own choice, since it has no switch for its optimizing compiler alone: an interpreter first, then
    /// a quick compiler, then the optimizing one.
    JavaScriptCore,
}

impl JsEngine {
    /// The program that the engine is a part of.
    fn host(self) -> &'static str {
        match self {
            JsEngine::V8 | JsEngine::V8Tiered | JsEngine::V8Quick => "Node",
            JsEngine::JavaScriptCore => "Bun",
        }
    }

    fn command(self, places: &Places) -> Command {
        // Without the second, another thread returns the last instance's memory to the system while the next one is
        // timed: a millisecond, now and then.
        const OF_V8: [&str; 2] = ["--expose-gc", "--single-threaded-gc"];
        let node = |compilers: &[&str]| {
            let mut node = Command::new(places.node());
            node.args(compilers).args(OF_V8);
            node
        };
        match self {
            JsEngine::V8 => node(&["--no-liftoff"]),
            JsEngine::V8Tiered => node(&[]),
            JsEngine::V8Quick => node(&["--liftoff-only"]),
            JsEngine::JavaScriptCore => Command::new(places.bun()),
        }
    }
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
        milliseconds: f64,
        checksum: String,
        pages: u32,
        heap_base: u32,
        served: Option<Served>,
        instructions: Option<u64>,
        peak_live_bytes: Option<u64>,
        last: Option<LastCall>,
    },
    Point {
        subject: String,
        cycle: u32,
        pages: u32,
    },
    Failed {
        subject: String,
        reason: String,
    },
    Done,
}

#[derive(Deserialize)]
struct LastCall {
    milliseconds: f64,
    pages: u32,
}

/// The program that runs modules one after the other.
const RUNNER: &str = "runner.mjs";

/// Runs `plan` and returns the outcome of each subject. A run longer than `limit` is ended, and its subject left out.
pub fn run(plan: &Plan, engine: JsEngine, limit: Duration, places: &Places) -> Result<BTreeMap<String, Outcome>> {
    let mut plan = plan.clone();
    let mut failed = BTreeMap::new();
    loop {
        let (outcomes, stuck) = run_once(&plan, engine, limit, places)?;
        let Some(stuck) = stuck else {
            failed.extend(outcomes);
            return Ok(failed);
        };
        // The process died with the stuck subject: the others are measured in a new one.
        plan.subjects.retain(|subject| subject.id != stuck);
        let reason = format!("takes more than {} s", limit.as_secs_f64());
        failed.insert(stuck, Outcome::Failed(reason));
        if plan.subjects.is_empty() {
            return Ok(failed);
        }
    }
}

fn run_once(
    plan: &Plan,
    engine: JsEngine,
    limit: Duration,
    places: &Places,
) -> Result<(BTreeMap<String, Outcome>, Option<String>)> {
    let mut process = start(RUNNER, plan, engine, places)?;
    let lines = lines_of(&mut process)?;
    let mut outcomes: BTreeMap<String, Outcome> = BTreeMap::new();
    let mut running: Option<(String, Instant)> = None;
    // The engine compiles a module when it is loaded and when its functions first run. The first subject, the reference,
    // shows how long that takes. The others get three times as long, and the limit.
    let mut first_run = None;
    loop {
        let patience = match (&running, first_run) {
            (Some(_), Some(first_run)) => limit + 3 * first_run,
            _ => limit * 20,
        };
        let line = match lines.recv_timeout(patience) {
            Ok(line) => line,
            Err(RecvTimeoutError::Timeout) => {
                process.kill()?;
                process.wait()?;
                return match running {
                    Some((stuck, _)) => Ok((outcomes, Some(stuck))),
                    None => bail!(
                        "{} did not start to run {} in {patience:?}: is the machine overloaded?",
                        engine.host(),
                        plan.export
                    ),
                };
            }
            Err(RecvTimeoutError::Disconnected) => return Err(failure_of(process, engine, &plan.export)),
        };
        let event =
            serde_json::from_str(&line).with_context(|| format!("runner.mjs printed what is not an event: {line}"))?;
        match event {
            Event::Started { subject } => running = Some((subject, Instant::now())),
            Event::Sample {
                subject,
                warm_up,
                milliseconds,
                checksum,
                pages,
                heap_base,
                served,
                instructions,
                peak_live_bytes,
                last,
            } => {
                if let Some((_, start)) = running.take() {
                    first_run.get_or_insert(start.elapsed());
                }
                let outcome = outcomes.entry(subject).or_insert(Outcome::Ran(Runs::default()));
                if let Outcome::Ran(runs) = outcome {
                    if !warm_up {
                        runs.milliseconds.push(milliseconds);
                    }
                    if let Some(last) = last {
                        if !warm_up {
                            runs.last.milliseconds.push(last.milliseconds);
                        }
                        runs.last.pages = last.pages;
                    }
                    runs.checksum = checksum;
                    runs.pages = pages;
                    runs.heap_base = heap_base;
                    runs.served = served;
                    runs.instructions = instructions;
                    runs.peak_live_bytes = peak_live_bytes;
                }
            }
            Event::Point { subject, cycle, pages } => {
                if let Some((_, start)) = running.take() {
                    first_run.get_or_insert(start.elapsed());
                }
                if let Outcome::Ran(runs) = outcomes.entry(subject).or_insert(Outcome::Ran(Runs::default())) {
                    runs.curve.push((cycle, pages));
                }
            }
            Event::Failed { subject, reason } => {
                running = None;
                outcomes.insert(subject, Outcome::Failed(reason));
            }
            Event::Done => {
                process.wait()?;
                return Ok((outcomes, None));
            }
        }
    }
}

/// Starts `runner`, a file of `compare/`, in `engine`, and hands it `plan`.
pub(super) fn start(runner: &str, plan: &impl Serialize, engine: JsEngine, places: &Places) -> Result<Child> {
    let mut command = engine.command(places);
    let mut process = command
        .arg(places.compare.join(runner))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| {
            let program = Path::new(command.get_program()).display();
            format!("cannot start {program}: run `cargo make install-compare-tools`, which installs it with npm")
        })?;
    let mut input = process.stdin.take().context("the input stream is piped")?;
    input.write_all(serde_json::to_string(plan)?.as_bytes())?;
    Ok(process)
}

/// The lines that `process` prints, as they come.
pub(super) fn lines_of(process: &mut Child) -> Result<Receiver<String>> {
    let output = process.stdout.take().context("the output stream is piped")?;
    let (sender, receiver) = channel();
    thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    Ok(receiver)
}

/// Why `process`, which ran the export `export`, stopped.
pub(super) fn failure_of(mut process: Child, engine: JsEngine, export: &str) -> anyhow::Error {
    let mut errors = String::new();
    if let Some(mut stream) = process.stderr.take() {
        // What cannot be read cannot be shown; the status below still can.
        let _ = stream.read_to_string(&mut errors);
    }
    let status = process
        .wait()
        .map_or_else(|error| error.to_string(), |status| status.to_string());
    anyhow::anyhow!("{} stopped while it ran {export} ({status}):\n{errors}", engine.host(),)
}

#[cfg(test)]
mod tests {
    use super::{JsEngine, run};
    use crate::measure::plan::{Plan, Subject};
    use crate::results::outcome::{Outcome, Served};
    use crate::shared::places::Places;
    use std::collections::BTreeMap;
    use std::time::Duration;

    /// Runs modules whose `work` has these bodies, and whose allocator serves or refuses.
    fn outcomes(engine: JsEngine, same_instance: bool, bodies: &[(&str, &str, bool)]) -> BTreeMap<String, Outcome> {
        let plan = Plan {
            same_instance,
            ..Plan::default()
        };
        outcomes_of(engine, plan, bodies)
    }

    /// The same with the settings of `plan`.
    fn outcomes_of(engine: JsEngine, plan: Plan, bodies: &[(&str, &str, bool)]) -> BTreeMap<String, Outcome> {
        let folder = tempfile::tempdir().unwrap();
        let modules = bodies.iter().map(|(id, body, serves)| {
            let text = format!(
                r#"(module (memory (export "memory") 3)
                        (func (export "work") (param i32) (result i64) {body})
                        (func (export "heap_base") (result i32) i32.const 1024)
                        (func (export "can_allocate") (param i32) (result i32) i32.const {}))"#,
                i32::from(*serves)
            );
            let path = folder.path().join(format!("{id}.wasm"));
            std::fs::write(&path, wat::parse_str(text).unwrap()).unwrap();
            Subject {
                id: (*id).to_owned(),
                path,
            }
        });
        let subjects = plan.subjects.iter().cloned().chain(modules).collect();
        let plan = Plan {
            export: "work".to_owned(),
            warm_up_runs: 1,
            runs: 2,
            least_runs: 2,
            most_memory_bytes: 1 << 30,
            subjects,
            ..plan
        };
        run(&plan, engine, Duration::from_secs(2), &places()).unwrap()
    }

    /// With any Node, since tests need no packages of npm.
    fn places() -> Places {
        Places {
            other_node: Some("node".into()),
            ..Places::of_this_checkout()
        }
    }

    /// The engines that this machine has; the pinned ones come with `cargo make install-compare-tools`.
    fn engines() -> Vec<JsEngine> {
        let mut engines = vec![JsEngine::V8, JsEngine::V8Tiered, JsEngine::V8Quick];
        match places().bun().exists() {
            true => engines.push(JsEngine::JavaScriptCore),
            false => println!("SKIPPED: JavaScriptCore, since npm has not installed Bun"),
        }
        engines
    }

    #[test]
    fn a_module_that_runs_forever_is_named_and_the_others_are_measured() {
        for engine in engines() {
            let bodies = [
                ("fine", "i64.const 255", true),
                ("endless", "(loop br 0) i64.const 0", true),
            ];
            let outcomes = outcomes(engine, false, &bodies);
            assert_eq!(outcomes["endless"], Outcome::Failed("takes more than 2 s".to_owned()));
            let Outcome::Ran(runs) = &outcomes["fine"] else {
                panic!("{engine:?}: {outcomes:?}");
            };
            assert_eq!((runs.milliseconds.len(), runs.checksum.as_str()), (2, "ff"));
            assert_eq!((runs.pages, runs.heap_base), (3, 1024));
        }
    }

    #[test]
    fn rounds_share_an_instance_only_where_the_plan_says_so() {
        let count_calls = r"(i64.store (i32.const 0) (i64.add (i64.const 1) (i64.load (i32.const 0))))
            (i64.load (i32.const 0))";
        for engine in engines() {
            // One round to warm up, and two that are measured.
            for (same_instance, calls) in [(false, "1"), (true, "3")] {
                let outcomes = outcomes(engine, same_instance, &[("counter", count_calls, true)]);
                let counter = &outcomes["counter"];
                assert!(
                    matches!(counter, Outcome::Ran(runs) if runs.checksum == calls),
                    "{engine:?}: {counter:?}"
                );
            }
        }
    }

    #[test]
    fn what_a_module_was_served_is_read_where_the_plan_says_so() {
        let names = [
            "blocks_before_refusal",
            "bytes_before_refusal",
            "blocks_after_release",
            "bytes_after_release",
        ];
        let exports = names
            .iter()
            .zip(1..)
            .map(|(name, number)| format!(r#") (func (export "served_{name}") (result i32) i32.const {number}"#));
        let body = format!("i64.const 0{}", exports.collect::<String>());
        let served = Served {
            blocks_before_refusal: 1,
            bytes_before_refusal: 2,
            blocks_after_release: 3,
            bytes_after_release: 4,
        };
        for engine in engines() {
            for (counts_served, expected) in [(true, Some(served)), (false, None)] {
                let plan = Plan {
                    counts_served,
                    ..Plan::default()
                };
                let outcomes = outcomes_of(engine, plan, &[("counter", &body, true)]);
                assert!(matches!(&outcomes["counter"], Outcome::Ran(runs) if runs.served == expected));
            }
        }
    }

    #[test]
    fn a_module_that_starts_with_more_memory_than_its_maximum_says_so_and_the_others_are_measured() {
        let folder = tempfile::tempdir().unwrap();
        let mut invalid = wat::parse_str("(module (memory 3 4))").unwrap();
        // The maximum is the last byte.
        *invalid.last_mut().unwrap() = 2;
        let path = folder.path().join("invalid.wasm");
        std::fs::write(&path, invalid).unwrap();
        let subject = Subject {
            id: "invalid".to_owned(),
            path,
        };
        let plan = Plan {
            subjects: vec![subject],
            ..Plan::default()
        };
        for engine in engines() {
            let outcomes = outcomes_of(engine, plan.clone(), &[("fine", "i64.const 255", true)]);
            assert!(matches!(&outcomes["fine"], Outcome::Ran(_)));
            assert!(matches!(&outcomes["invalid"], Outcome::Failed(reason) if reason.contains("cannot be compiled")));
        }
    }

    #[test]
    fn the_last_of_an_instances_calls_is_timed_and_its_pages_are_read() {
        // Each call adds a page to three.
        let grows = "(drop (memory.grow (i32.const 1))) i64.const 7";
        let plan = Plan {
            further_calls: 4,
            ..Plan::default()
        };
        let outcomes = outcomes_of(JsEngine::V8, plan, &[("grows", grows, true)]);
        let Outcome::Ran(runs) = &outcomes["grows"] else {
            panic!("{outcomes:?}");
        };
        assert_eq!((runs.pages, runs.last.pages), (4, 8));
        assert_eq!((runs.milliseconds.len(), runs.last.milliseconds.len()), (2, 2));
    }

    #[test]
    fn a_call_that_computes_something_else_than_the_first_is_a_failure() {
        let count_calls = r"(i64.store (i32.const 0) (i64.add (i64.const 1) (i64.load (i32.const 0))))
            (i64.load (i32.const 0))";
        let plan = Plan {
            further_calls: 1,
            ..Plan::default()
        };
        let outcomes = outcomes_of(JsEngine::V8, plan, &[("counter", count_calls, true)]);
        assert!(matches!(&outcomes["counter"], Outcome::Failed(reason) if reason.contains("call 2 computed 2")));
    }

    #[test]
    fn a_module_that_cannot_be_instantiated_says_so_and_the_others_are_measured() {
        for engine in engines() {
            let bodies = [
                ("fine", "i64.const 255", true),
                ("broken", "i64.const 0) (data (i32.const 1000000) \"x\"", true),
            ];
            let outcomes = outcomes(engine, false, &bodies);
            assert!(matches!(&outcomes["fine"], Outcome::Ran(_)));
            let broken = &outcomes["broken"];
            assert!(
                matches!(broken, Outcome::Failed(reason) if reason.contains("cannot be instantiated")),
                "{engine:?}: {broken:?}"
            );
        }
    }

    #[test]
    fn a_trap_is_put_down_to_memory_only_where_the_allocator_refuses() {
        for engine in engines() {
            let bodies = [("broken", "unreachable", true), ("full", "unreachable", false)];
            let outcomes = outcomes(engine, false, &bodies);
            let broken = &outcomes["broken"];
            assert!(
                matches!(broken, Outcome::Failed(reason) if reason.starts_with("trap: ")),
                "{engine:?}: {broken:?}"
            );
            assert_eq!(outcomes["full"], Outcome::Failed("out of memory at 0.2 MiB".to_owned()));
        }
    }
}
