//! Runs `runner.mjs` in Node: one process per workload, watched from outside so that a module may run forever.

use crate::places::Places;
use crate::plan::{Outcome, Plan, Runs, Served};
use anyhow::{Context, Result, bail};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

/// How V8 compiles the modules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tiering {
    /// `--no-liftoff`: the optimizing compiler alone.
    OptimizingOnly,
    /// V8's own choice: a quick compiler first, the optimizing one for functions that run often.
    Default,
}

impl Tiering {
    fn flags(self) -> &'static [&'static str] {
        match self {
            Tiering::OptimizingOnly => &["--no-liftoff"],
            Tiering::Default => &[],
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

/// Runs `plan` and returns the outcome of each subject. A run longer than `limit` is ended, and its subject left out.
pub fn run(plan: &Plan, tiering: Tiering, limit: Duration, places: &Places) -> Result<BTreeMap<String, Outcome>> {
    let mut plan = plan.clone();
    let mut failed = BTreeMap::new();
    loop {
        let (outcomes, stuck) = run_once(&plan, tiering, limit, places)?;
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
    tiering: Tiering,
    limit: Duration,
    places: &Places,
) -> Result<(BTreeMap<String, Outcome>, Option<String>)> {
    let mut node = start(plan, tiering, places)?;
    let lines = lines_of(&mut node)?;
    let mut outcomes: BTreeMap<String, Outcome> = BTreeMap::new();
    let mut running: Option<(String, Instant)> = None;
    // The engine compiles a module when it is loaded and when its functions first run. How long that takes, the first
    // subject shows, which is the reference; the others get three times as long, and the limit.
    let mut first_run = None;
    loop {
        let patience = match (&running, first_run) {
            (Some(_), Some(first_run)) => limit + 3 * first_run,
            _ => limit * 20,
        };
        let line = match lines.recv_timeout(patience) {
            Ok(line) => line,
            Err(RecvTimeoutError::Timeout) => {
                node.kill()?;
                node.wait()?;
                return match running {
                    Some((stuck, _)) => Ok((outcomes, Some(stuck))),
                    None => bail!(
                        "Node did not start to run {} in {patience:?}: is the machine overloaded?",
                        plan.export
                    ),
                };
            }
            Err(RecvTimeoutError::Disconnected) => return Err(failure_of(node, plan)),
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
            } => {
                if let Some((_, start)) = running.take() {
                    first_run.get_or_insert(start.elapsed());
                }
                let outcome = outcomes.entry(subject).or_insert(Outcome::Ran(Runs::default()));
                if let Outcome::Ran(runs) = outcome {
                    if !warm_up {
                        runs.milliseconds.push(milliseconds);
                    }
                    runs.checksum = checksum;
                    runs.pages = pages;
                    runs.heap_base = heap_base;
                    runs.served = served;
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
                node.wait()?;
                return Ok((outcomes, None));
            }
        }
    }
}

fn start(plan: &Plan, tiering: Tiering, places: &Places) -> Result<Child> {
    let mut node = Command::new("node")
        .args(tiering.flags())
        // Otherwise another thread returns the last instance's memory to the system while the next one is timed: a
        // millisecond, now and then.
        .args(["--expose-gc", "--single-threaded-gc"])
        .arg(places.compare.join("runner.mjs"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context("cannot start node: install Node.js 20 or newer and put it in PATH")?;
    let mut input = node.stdin.take().context("the input stream is piped")?;
    input.write_all(serde_json::to_string(plan)?.as_bytes())?;
    Ok(node)
}

fn lines_of(node: &mut Child) -> Result<Receiver<String>> {
    let output = node.stdout.take().context("the output stream is piped")?;
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

fn failure_of(mut node: Child, plan: &Plan) -> anyhow::Error {
    let mut errors = String::new();
    if let Some(mut stream) = node.stderr.take() {
        // What cannot be read cannot be shown; the status below still can.
        let _ = stream.read_to_string(&mut errors);
    }
    let status = node
        .wait()
        .map_or_else(|error| error.to_string(), |status| status.to_string());
    anyhow::anyhow!("Node stopped while it ran {} ({status}):\n{errors}", plan.export)
}

#[cfg(test)]
mod tests {
    use super::{Tiering, run};
    use crate::places::Places;
    use crate::plan::{Outcome, Plan, Served, Subject};
    use std::collections::BTreeMap;
    use std::time::Duration;

    /// Runs modules whose `work` has these bodies, and whose allocator serves or refuses.
    fn outcomes(same_instance: bool, bodies: &[(&str, &str, bool)]) -> BTreeMap<String, Outcome> {
        let plan = Plan {
            same_instance,
            ..Plan::default()
        };
        outcomes_of(plan, bodies)
    }

    /// The same with the settings of `plan`.
    fn outcomes_of(plan: Plan, bodies: &[(&str, &str, bool)]) -> BTreeMap<String, Outcome> {
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
        run(
            &plan,
            Tiering::OptimizingOnly,
            Duration::from_secs(2),
            &Places::of_this_checkout(),
        )
        .unwrap()
    }

    #[test]
    fn a_module_that_runs_forever_is_named_and_the_others_are_measured() {
        let outcomes = outcomes(
            false,
            &[
                ("fine", "i64.const 255", true),
                ("endless", "(loop br 0) i64.const 0", true),
            ],
        );
        assert_eq!(outcomes["endless"], Outcome::Failed("takes more than 2 s".to_owned()));
        let Outcome::Ran(runs) = &outcomes["fine"] else {
            panic!("{outcomes:?}");
        };
        assert_eq!((runs.milliseconds.len(), runs.checksum.as_str()), (2, "ff"));
        assert_eq!((runs.pages, runs.heap_base), (3, 1024));
    }

    #[test]
    fn rounds_share_an_instance_only_where_the_plan_says_so() {
        let count_calls = r"(i64.store (i32.const 0) (i64.add (i64.const 1) (i64.load (i32.const 0))))
            (i64.load (i32.const 0))";
        // One round to warm up, and two that are measured.
        for (same_instance, calls) in [(false, "1"), (true, "3")] {
            let outcomes = outcomes(same_instance, &[("counter", count_calls, true)]);
            assert!(matches!(&outcomes["counter"], Outcome::Ran(runs) if runs.checksum == calls));
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
        for (counts_served, expected) in [(true, Some(served)), (false, None)] {
            let plan = Plan {
                counts_served,
                ..Plan::default()
            };
            let outcomes = outcomes_of(plan, &[("counter", &body, true)]);
            assert!(matches!(&outcomes["counter"], Outcome::Ran(runs) if runs.served == expected));
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
        let outcomes = outcomes_of(plan, &[("fine", "i64.const 255", true)]);
        assert!(matches!(&outcomes["fine"], Outcome::Ran(_)));
        assert!(matches!(&outcomes["invalid"], Outcome::Failed(reason) if reason.contains("cannot be compiled")));
    }

    #[test]
    fn a_module_that_cannot_be_instantiated_says_so_and_the_others_are_measured() {
        let outcomes = outcomes(
            false,
            &[
                ("fine", "i64.const 255", true),
                ("broken", "i64.const 0) (data (i32.const 1000000) \"x\"", true),
            ],
        );
        assert!(matches!(&outcomes["fine"], Outcome::Ran(_)));
        assert!(matches!(&outcomes["broken"], Outcome::Failed(reason) if reason.contains("cannot be instantiated")));
    }

    #[test]
    fn a_trap_is_put_down_to_memory_only_where_the_allocator_refuses() {
        let outcomes = outcomes(
            false,
            &[("broken", "unreachable", true), ("full", "unreachable", false)],
        );
        assert_eq!(outcomes["broken"], Outcome::Failed("trap: unreachable".to_owned()));
        assert_eq!(outcomes["full"], Outcome::Failed("out of memory at 0.2 MiB".to_owned()));
    }
}
