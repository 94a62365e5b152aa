//! What a long step shows while it runs: in a terminal a bar with the time left, in a log a line for each part.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{IsTerminal, Write, stderr};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

/// One step of a command, which has several parts.
pub struct Step {
    what: String,
    bar: ProgressBar,
    /// Where the error stream is not a terminal, lines take the place of the bar.
    log: Option<Mutex<Box<dyn Write + Send>>>,
}

impl Step {
    /// Begins a step of `parts` parts.
    pub fn begin(what: &str, parts: usize) -> Self {
        let log: Option<Box<dyn Write + Send>> = match stderr().is_terminal() {
            true => None,
            false => Some(Box::new(stderr())),
        };
        Step::begin_in(log, what, parts)
    }

    fn begin_in(log: Option<Box<dyn Write + Send>>, what: &str, parts: usize) -> Self {
        let target = match &log {
            Some(_) => ProgressDrawTarget::hidden(),
            None => ProgressDrawTarget::stderr(),
        };
        let style = ProgressStyle::with_template("{prefix:>20} [{bar:30}] {pos}/{len}, {eta} left  {wide_msg}")
            .expect("the template is valid")
            .progress_chars("=> ");
        let bar = ProgressBar::with_draw_target(Some(parts as u64), target).with_style(style);
        bar.set_prefix(what.to_owned());
        bar.enable_steady_tick(Duration::from_millis(250));
        let step = Step {
            what: what.to_owned(),
            bar,
            log: log.map(Mutex::new),
        };
        if parts > 1 {
            step.write(&format!("{what}: {parts} in all"));
        }
        step
    }

    /// The part `name` begins, and the one before it is done.
    pub fn part(&self, name: &str) {
        if !self.bar.message().is_empty() {
            self.bar.inc(1);
        }
        self.bar.set_message(name.to_owned());
        self.write_part(self.bar.position() + 1, name);
    }

    /// The part `name` is done: for parts of which several run at once.
    pub fn done(&self, name: &str) {
        self.bar.inc(1);
        self.write_part(self.bar.position(), name);
    }

    /// What the parts share is done. A log says so: it would be silent until the first part is done.
    pub fn shared(&self, name: &str) {
        self.write(&format!("{}: {name}", self.what));
    }

    fn write_part(&self, number: u64, name: &str) {
        let parts = self.bar.length().unwrap_or_default();
        self.write(&format!("{}, {number} of {parts}: {name}", self.what));
    }

    fn write(&self, line: &str) {
        if let Some(log) = &self.log {
            // A log that cannot be written to is no reason to stop measuring.
            let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
            let _ = writeln!(log, "{:>5} s  {line}", elapsed().as_secs());
        }
    }
}

impl Drop for Step {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// The time since the first step began.
fn elapsed() -> Duration {
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed()
}

#[cfg(test)]
mod tests {
    use super::Step;
    use std::io::{Read, Seek};

    fn log_of(step: impl FnOnce(&Step)) -> String {
        let mut log = tempfile::tempfile().unwrap();
        step(&Step::begin_in(
            Some(Box::new(log.try_clone().unwrap())),
            "measuring",
            2,
        ));
        log.rewind().unwrap();
        let mut text = String::new();
        log.read_to_string(&mut text).unwrap();
        text
    }

    #[test]
    fn a_log_says_which_step_begins_and_each_part_of_it() {
        let log = log_of(|step| {
            step.part("json");
            step.part("regex");
        });
        let lines: Vec<&str> = log.lines().collect();
        assert_eq!(lines.len(), 3, "{log}");
        assert!(lines[0].ends_with(" s  measuring: 2 in all"), "{log}");
        assert!(lines[1].ends_with(" s  measuring, 1 of 2: json"), "{log}");
        assert!(lines[2].ends_with(" s  measuring, 2 of 2: regex"), "{log}");
    }

    #[test]
    fn parts_that_run_at_once_are_counted_when_they_are_done() {
        let log = log_of(|step| {
            step.done("b");
            step.done("a");
        });
        assert!(log.contains("1 of 2: b") && log.contains("2 of 2: a"), "{log}");
    }
}
