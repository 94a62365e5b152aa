//! What is committed of a full report: `BENCHMARKS.md`, the README's figures, and the charts that both show.

use super::{benchmarks, charts, readme};
use crate::results::figure::Figure;
use crate::results::report::Report;
use crate::shared::kept_files::keep;
use crate::shared::places::Places;
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};

/// Checks that a report could be written: for use before the hours in which it is measured.
pub fn check(places: &Places) -> Result<()> {
    read(&notes_file(places))?;
    readme::check(&read(&readme_file(places))?)
}

/// Writes what is committed of `report`. Everything is drawn before the first file is replaced.
pub fn write(report: &Report, places: &Places) -> Result<()> {
    let folder = places.compare.join(charts::FOLDER);
    // There is none before the first report.
    let old = fs::read_to_string(benchmarks_file(places)).ok();
    let benchmarks = benchmarks::render(report, &read(&notes_file(places))?, old.as_deref());
    let readme_text = readme::with_figures(&read(&readme_file(places))?, report)?;
    let charts = charts::draw(report)?;
    fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    for chart in charts {
        replace(&folder.join(chart.file), &chart.svg)?;
    }
    replace(&benchmarks_file(places), &benchmarks)?;
    replace(&readme_file(places), &readme_text)?;
    println!(
        "BENCHMARKS.md, README.md and compare/{} hold this report: commit them",
        charts::FOLDER
    );
    Ok(())
}

/// Writes what is committed of the figures of threads in `report`: their section in `BENCHMARKS.md`, and their chart.
pub fn write_threads(report: &Report, places: &Places) -> Result<()> {
    match &report.threads {
        Some(Figure::Measured(_)) => {}
        Some(Figure::Missing(reason)) => bail!("there are no figures of threads: {reason}"),
        None => bail!("{} measured no threads", report.command),
    }
    let benchmarks = benchmarks::with_threads(&read(&benchmarks_file(places))?, report)?;
    let folder = places.compare.join(charts::FOLDER);
    if let Some(chart) = charts::draw_threads(report)? {
        fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
        replace(&folder.join(chart.file), &chart.svg)?;
    }
    replace(&benchmarks_file(places), &benchmarks)?;
    println!(
        "BENCHMARKS.md and compare/{} hold these figures of threads: commit them",
        charts::FOLDER
    );
    Ok(())
}

fn benchmarks_file(places: &Places) -> PathBuf {
    places.repository.join("BENCHMARKS.md")
}

fn readme_file(places: &Places) -> PathBuf {
    places.repository.join("README.md")
}

fn notes_file(places: &Places) -> PathBuf {
    places.compare.join("notes.md")
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

/// Writes a file that has its old text or all of the new one at each time.
fn replace(path: &Path, text: &str) -> Result<()> {
    keep(path, |unfinished| {
        fs::write(unfinished, text).with_context(|| format!("cannot write {}", unfinished.display()))
    })
}

#[cfg(test)]
mod tests {
    use super::{check, write, write_threads};
    use crate::results::sample;
    use crate::shared::places::Places;
    use std::collections::BTreeMap;
    use std::fs;
    use std::path::Path;
    use tempfile::TempDir;

    /// A repository with this README.
    fn repository(readme: &str) -> (TempDir, Places) {
        let folder = tempfile::tempdir().unwrap();
        let places = Places {
            repository: folder.path().to_owned(),
            compare: folder.path().join("compare"),
            report: folder.path().join("report"),
            other_node: None,
        };
        fs::create_dir(&places.compare).unwrap();
        fs::write(places.compare.join("notes.md"), "## Notes\n").unwrap();
        fs::write(folder.path().join("README.md"), readme).unwrap();
        (folder, places)
    }

    /// All files below `folder`, with what they hold.
    fn files(folder: &Path) -> BTreeMap<String, String> {
        let mut files = BTreeMap::new();
        for entry in fs::read_dir(folder).unwrap().flatten() {
            let name = entry.file_name().into_string().unwrap();
            match entry.path() {
                path if path.is_dir() => {
                    files.extend(
                        self::files(&path)
                            .into_iter()
                            .map(|(below, text)| (format!("{name}/{below}"), text)),
                    );
                }
                path => {
                    files.insert(name, fs::read_to_string(path).unwrap());
                }
            }
        }
        files
    }

    #[test]
    fn the_readme_the_benchmarks_and_every_chart_that_they_show_are_written() {
        let readme = fs::read_to_string(Places::of_this_checkout().repository.join("README.md")).unwrap();
        let (folder, places) = repository(&readme);
        check(&places).unwrap();
        write(&sample::report(), &places).unwrap();
        let files = files(folder.path());
        assert!(files["BENCHMARKS.md"].contains("\n## Notes\n"));
        for chart in ["time-and-memory", "code-sizes", "memory-over-rounds"] {
            let path = format!("compare/charts/{chart}.svg");
            assert!(files[&path].starts_with("<svg "), "{path}");
            for document in ["README.md", "BENCHMARKS.md"] {
                assert!(files[document].contains(&format!("]({path})")), "{path} in {document}");
            }
        }
        assert!(files["BENCHMARKS.md"].contains("](compare/charts/workers.svg)"));
        assert_eq!(files.len(), 7, "{:?}", files.keys());
    }

    #[test]
    fn the_figures_of_threads_can_be_written_alone_into_a_page_that_has_a_place_for_them() {
        let readme = fs::read_to_string(Places::of_this_checkout().repository.join("README.md")).unwrap();
        let (folder, places) = repository(&readme);
        assert!(write_threads(&sample::report(), &places).is_err());
        write(&sample::report(), &places).unwrap();
        let before = files(folder.path());
        let chart = "compare/charts/workers.svg";
        fs::remove_file(folder.path().join(chart)).unwrap();
        write_threads(&sample::report(), &places).unwrap();
        assert_eq!(files(folder.path()), before);
        let mut without = sample::report();
        without.threads = None;
        assert!(write_threads(&without, &places).is_err());
        assert_eq!(files(folder.path()), before);
    }

    #[test]
    fn a_repository_whose_readme_has_no_marks_is_left_as_it_is() {
        let (folder, places) = repository("# A crate\n");
        let before = files(folder.path());
        assert!(check(&places).is_err() && write(&sample::report(), &places).is_err());
        assert_eq!(files(folder.path()), before);
    }
}
