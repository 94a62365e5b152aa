//! `publish`: writes what is committed of a report that was measured before.

use crate::render::publication;
use crate::results::report::Report;
use crate::shared::places::Places;
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::Path;

/// The commands that measure everything at length, on the pinned engines.
const COMPLETE: [&str; 2] = ["cargo make benchmarks", "cargo make report --full"];

/// The commands that measure threads at length, on the pinned engine, and nothing else.
const OF_THREADS: [&str; 2] = [
    "cargo make benchmarks-threads",
    "cargo make report --full --only 'threads'",
];

/// Publishes the report in `file`, a `report.json`. Without a `file` it is that of the last run.
pub fn run(file: Option<&Path>, places: &Places) -> Result<()> {
    let last = places.report.join("report.json");
    let file = file.unwrap_or(&last);
    let text = fs::read_to_string(file)
        .with_context(|| format!("cannot read {}: `{}` writes such a file", file.display(), COMPLETE[0]))?;
    let report: Report = serde_json::from_str(&text)
        .with_context(|| format!("{} is not a report of this version: measure again", file.display()))?;
    let command = report.command.as_str();
    if COMPLETE.contains(&command) {
        publication::write(&report, places)
    } else if OF_THREADS.contains(&command) {
        publication::write_threads(&report, places)
    } else {
        bail!(
            "`{command}` measured {}, but only the report of `{}` is published: run that",
            file.display(),
            [COMPLETE, OF_THREADS].concat().join("` or `"),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::run;
    use crate::results::sample;
    use crate::shared::places::Places;
    use std::fs;

    #[test]
    fn the_report_of_a_part_or_of_the_quick_mode_is_not_published() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("report.json");
        let places = Places {
            repository: folder.path().to_owned(),
            compare: folder.path().to_owned(),
            report: folder.path().to_owned(),
            other_node: None,
        };
        for command in ["cargo make report", "cargo make report --full --only 'json'"] {
            let mut report = sample::report();
            report.command = command.to_owned();
            fs::write(&file, serde_json::to_string(&report).unwrap()).unwrap();
            let error = run(None, &places).unwrap_err().to_string();
            assert!(error.starts_with(&format!("`{command}` measured ")), "{error}");
        }
        fs::write(&file, "{}").unwrap();
        let error = run(Some(&file), &places).unwrap_err().to_string();
        assert!(error.contains("is not a report of this version"), "{error}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
