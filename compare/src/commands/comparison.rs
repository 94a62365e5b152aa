//! What `report` and `replay` share: building and measuring all that was chosen, and showing the report.

use crate::measure::mode::Mode;
use crate::measure::{long_lives, products, sizes, threads, versions, workloads};
use crate::modules::package::{Package, SIZE_PROBE, all_packages, product_packages};
use crate::modules::workshop;
use crate::render::files;
use crate::render::overview::Overview;
use crate::render::story;
use crate::render::tables::{Style, render};
use crate::results::report::{Report, Terms};
use crate::shared::catalogue::Catalogue;
use crate::shared::places::Places;
use crate::shared::profile::Profile;
use anyhow::{Result, bail};

/// Measures everything in `chosen`, which `command` asked for. Prints and writes the report.
pub fn run(chosen: &Catalogue, command: &str, mode: &Mode, places: &Places) -> Result<Report> {
    let date = jiff::ZonedDateTime::now().strftime("%Y-%m-%d %H:%M %Z").to_string();
    let everything = Catalogue::read(places)?;
    let modules = workshop::build(&modules_for(chosen), &everything, places)?;
    let (workloads, mut different) = workloads::measure(chosen, &modules, mode, places)?;
    let long_lives = long_lives::follow(chosen, &modules, mode.limit * 2, places)?;
    let (products, different_products) = products::measure(chosen, &modules, places)?;
    different.extend(different_products);
    let mut sizes = Vec::new();
    for profile in [Profile::Size, Profile::Speed] {
        sizes.extend(sizes::measure(chosen, &modules, profile, places)?);
    }
    let threads = threads::measure(chosen, &everything, command, mode, places);
    let report = Report {
        date,
        command: command.to_owned(),
        runs: mode.usual.most,
        full: mode.full,
        terms: Terms::of_this_program(),
        versions: versions::of_everything(chosen, mode.full, places)?,
        allocators: Report::columns(chosen),
        workloads,
        long_lives,
        products,
        sizes,
        threads,
    };
    files::write(&report, places)?;
    println!("{}", render(&report, Style::Terminal(terminal_width())));
    for sentence in story::of(&Overview::of(&report).lines) {
        println!("{sentence}");
    }
    println!(
        "\nThe page: {}. Beside it, report.md and report.json have the same as Markdown with charts and as JSON.",
        places.report.join("index.html").display()
    );
    if !different.is_empty() {
        bail!(
            "these programs computed something else than with the reference: the allocator corrupted their memory, or the workload depends on addresses: {}",
            different.join(", ")
        );
    }
    Ok(report)
}

/// All modules that a run needs: the programs of its workloads and its products for speed, the size probe for both
/// profiles.
fn modules_for(chosen: &Catalogue) -> Vec<(Package, Profile)> {
    let mut wanted = Vec::new();
    for package in all_packages(chosen) {
        if chosen.recorder().is_ok_and(|recorder| recorder.id == package.allocator) {
            continue;
        }
        if package.program == SIZE_PROBE {
            wanted.push((package.clone(), Profile::Size));
        }
        wanted.push((package, Profile::Speed));
    }
    wanted.extend(
        product_packages(chosen)
            .into_iter()
            .map(|package| (package, Profile::Speed)),
    );
    wanted
}

/// The columns of the terminal; 120 where the output is not a terminal.
fn terminal_width() -> usize {
    comfy_table::Table::new().width().map_or(120, usize::from)
}

/// `command` with the options that chose what is measured. They are quoted, since a shell expands `*`.
pub fn command_line(command: &str, only: &[String], mode: &Mode, places: &Places) -> String {
    let mut line = command.to_owned();
    if mode.full {
        line += " --full";
    }
    if let Some(node) = &places.other_node {
        line += &format!(" --node '{}'", node.display());
    }
    if !only.is_empty() {
        line += &format!(" --only '{}'", only.join(","));
    }
    line
}

#[cfg(test)]
mod tests {
    use super::{Mode, command_line};
    use crate::shared::places::Places;

    #[test]
    fn the_recorded_command_measures_the_same_again() {
        let mut places = Places::of_this_checkout();
        assert_eq!(
            command_line("cargo make report", &[], Mode::of(false).unwrap(), &places),
            "cargo make report"
        );
        places.other_node = Some("/opt/node".into());
        let only = ["tiny*".to_owned(), "json".to_owned()];
        assert_eq!(
            command_line("cargo make report", &only, Mode::of(true).unwrap(), &places),
            "cargo make report --full --node '/opt/node' --only 'tiny*,json'"
        );
    }
}
