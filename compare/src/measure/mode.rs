//! Quick or full: how much is measured, and how often.

use crate::shared::catalogue::Family;
use anyhow::{Result, ensure};
use std::time::Duration;

/// How much is measured.
pub struct Mode {
    /// Whether default tiering, the other engines, and programs that have run for long are timed as well.
    pub full: bool,
    /// The runs of a cell.
    pub usual: Repetition,
    /// The runs of a cell of the family `reported`: most of its figures are the same in each run.
    pub reported: Repetition,
    /// The rounds of a number of workers.
    pub workers: Rounds,
    /// A single run that takes longer is ended.
    pub limit: Duration,
}

/// How often and how long workers are measured.
#[derive(Clone, Copy)]
pub struct Rounds {
    /// The measured rounds.
    pub rounds: u32,
    /// How long workers work before they are measured, in each round.
    pub warm_up: Duration,
    /// How long they are measured then.
    pub time: Duration,
}

/// How often a cell is measured.
#[derive(Clone, Copy)]
pub struct Repetition {
    /// The most measured runs. Cells of a millisecond get them all, since single runs are far off at times.
    pub most: u32,
    /// The measured runs that every cell gets.
    pub least: u32,
    /// After this much measured time a cell gets no further run.
    pub budget: Duration,
}

impl Mode {
    /// Enough for daily use: on a warm machine under 3 minutes.
    const QUICK: Mode = Mode {
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
        workers: Rounds {
            rounds: 9,
            warm_up: Duration::from_millis(30),
            time: Duration::from_millis(60),
        },
        limit: Duration::from_millis(500),
    };

    /// Enough to publish.
    const FULL: Mode = Mode {
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
        workers: Rounds {
            rounds: 15,
            warm_up: Duration::from_millis(50),
            time: Duration::from_millis(100),
        },
        limit: Duration::from_secs(3),
    };

    /// The full mode, or the quick one. A build without wasmtime has the quick mode only.
    pub fn of(full: bool) -> Result<&'static Mode> {
        if !full {
            return Ok(&Mode::QUICK);
        }
        ensure!(
            cfg!(feature = "wasmtime"),
            "--full times wasmtime as well, which this build leaves out: build with the feature `wasmtime`, as \
             `cargo make report --full` does"
        );
        Ok(&Mode::FULL)
    }

    /// How often a cell of `family` is measured.
    pub fn repetition(&self, family: Family) -> Repetition {
        match family {
            Family::Reported => self.reported,
            _ => self.usual,
        }
    }
}
