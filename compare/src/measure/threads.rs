//! What several workers of one module do at once, in V8: how fast they are together, what threads cost one worker, and what
//! they take in memory and code.

use super::engines::workers::{self, Done, Round, Team, WorkersPlan};
use super::mode::Mode;
use super::sizes;
use super::versions;
use crate::modules::package::{SIZE_PROBE, THREADS, thread_packages};
use crate::modules::shared_memory::first_pages;
use crate::modules::toolchain;
use crate::modules::workshop::{self, MOST_MEMORY_BYTES, Modules};
use crate::results::figure::{Figure, PAGE_BYTES};
use crate::results::size::Size;
use crate::results::statistics::Summary;
use crate::results::threads::{BASE, Pace, ThreadCell, ThreadColumn, ThreadRow, ThreadSize, Threads};
use crate::shared::catalogue::{Catalogue, Compares, ThreadWorkload};
use crate::shared::places::{Group, Places};
use crate::shared::profile::Profile;
use crate::shared::progress::Step;
use anyhow::{Context, Result};
use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

/// A round that takes longer is ended.
const LIMIT: Duration = Duration::from_secs(20);

/// Measures the workloads for several workers in `chosen`; `None` if there are none, or no allocator that could run them.
///
/// What this machine cannot build is missing for that reason, as is what could not be measured: the rest of the report does
/// not depend on it.
pub fn measure(
    chosen: &Catalogue,
    everything: &Catalogue,
    command: &str,
    mode: &Mode,
    places: &Places,
) -> Option<Figure<Threads>> {
    if chosen.threads.is_empty() || chosen.in_threads().next().is_none() {
        return None;
    }
    let threads = match toolchain::lacks_for_threads(places) {
        Some(lack) => Figure::Missing(format!("SKIPPED: {lack}")),
        None => match measure_all(chosen, everything, command, mode, places) {
            Ok(threads) => Figure::Measured(threads),
            Err(error) => Figure::Missing(format!("{error:#}")),
        },
    };
    Some(threads)
}

fn measure_all(
    chosen: &Catalogue,
    everything: &Catalogue,
    command: &str,
    mode: &Mode,
    places: &Places,
) -> Result<Threads> {
    let date = jiff::ZonedDateTime::now().strftime("%Y-%m-%d %H:%M %Z").to_string();
    let packages = thread_packages(chosen).into_iter().flat_map(|package| {
        let for_size = (package.program == SIZE_PROBE).then(|| (package.clone(), Profile::Size));
        for_size.into_iter().chain([(package, Profile::Speed)])
    });
    let modules = workshop::build(&packages.collect::<Vec<_>>(), everything, places)?;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let step = Step::begin("measuring workers", chosen.threads.len());
    let mut rows = Vec::new();
    for workload in &chosen.threads {
        step.part(&workload.name);
        let row = row_of(workload, chosen, &modules, cores as u32, mode, places)
            .with_context(|| format!("cannot measure {}", workload.name))?;
        rows.push(row);
    }
    let version_of = versions::for_threads(chosen, places)?;
    let columns = chosen.thread_contenders().map(|(allocator, threads)| ThreadColumn {
        id: allocator.id.clone(),
        name: allocator.name.clone(),
        description: threads.description.clone(),
        version: version_of[&allocator.id].clone(),
        role: allocator.role,
        unsupported: threads.unsupported.clone(),
    });
    Ok(Threads {
        date,
        command: command.to_owned(),
        commit: versions::commit(&places.repository),
        rustc: first_line(&toolchain::rustc(Group::Threads)?),
        engine: versions::node(places)?,
        machine: versions::machine(),
        base: BASE.to_owned(),
        rounds: mode.workers.rounds,
        allocators: columns.collect(),
        rows,
        sizes: sizes_of(chosen, &modules, places)?,
    })
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}

/// The numbers of workers that run `workload` on a machine with this many hardware threads.
fn numbers_of_workers(workload: &ThreadWorkload, cores: u32) -> Vec<u32> {
    // Memory is compared wherever workers take turns.
    let can_run = |workers: &&u32| **workers <= cores || workload.compares == Compares::Memory;
    workload.workers.iter().filter(can_run).copied().collect()
}

fn row_of(
    workload: &ThreadWorkload,
    chosen: &Catalogue,
    modules: &Modules,
    cores: u32,
    mode: &Mode,
    places: &Places,
) -> Result<ThreadRow> {
    let numbers = numbers_of_workers(workload, cores);
    let mut teams = Vec::new();
    for allocator in chosen.in_threads() {
        let mut team = |id: String, group, workers| {
            let path = modules.for_threads(THREADS, &allocator.id, group, Profile::Speed)?;
            let module = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
            teams.push(Team {
                id,
                path: path.to_owned(),
                pages: first_pages(&module)?,
                workers,
            });
            anyhow::Ok(())
        };
        if workload.compares == Compares::Work {
            team(id_of(&allocator.id, None), Group::OneThread, 1)?;
        }
        for &workers in &numbers {
            team(id_of(&allocator.id, Some(workers)), Group::Threads, workers)?;
        }
    }
    let plan = WorkersPlan {
        export: workload.export.clone(),
        argument: workload.argument,
        calls: workload.calls,
        in_step: workload.in_step,
        milliseconds: mode.workers.time.as_secs_f64() * 1000.0,
        // What is called a number of times starts with a fresh heap.
        warm_up_milliseconds: match workload.calls {
            Some(_) => 0.0,
            None => mode.workers.warm_up.as_secs_f64() * 1000.0,
        },
        warm_up_runs: 1,
        runs: mode.workers.rounds,
        most_pages: MOST_MEMORY_BYTES / PAGE_BYTES,
        subjects: teams,
    };
    let done = workers::run(&plan, LIMIT, places)?;
    let cells = chosen.in_threads().map(|allocator| {
        let figure = |workers| pace_of(done.get(&id_of(&allocator.id, workers)));
        let cell = ThreadCell {
            one_thread: (workload.compares == Compares::Work).then(|| figure(None)),
            workers: numbers
                .iter()
                .map(|&workers| (workers, figure(Some(workers))))
                .collect(),
        };
        (allocator.id.clone(), cell)
    });
    Ok(ThreadRow::new(workload, cells.collect(), numbers))
}

/// The name of a team: of some workers, or of the one in a build without threads.
fn id_of(allocator: &str, workers: Option<u32>) -> String {
    match workers {
        Some(workers) => format!("{allocator}, {workers} workers"),
        None => format!("{allocator}, one thread"),
    }
}

fn pace_of(done: Option<&Done>) -> Figure<Pace> {
    let rounds = match done {
        None => return Figure::Missing("did not run in V8".to_owned()),
        Some(Done::Failed(reason)) => return Figure::Missing(reason.clone()),
        Some(Done::Ran(rounds)) => rounds,
    };
    let summary = |number: fn(&Round) -> f64| Summary::of(&rounds.iter().map(number).collect::<Vec<_>>());
    let pace = || {
        Some(Pace {
            operations_per_second: summary(|round| round.operations_per_second)?,
            pages: summary(|round| f64::from(round.pages))?,
            heap_base: rounds.last()?.heap_base,
        })
    };
    pace().map_or_else(|| Figure::Missing("no measured round".to_owned()), Figure::Measured)
}

/// What each allocator adds to the size probe, in modules for threads and in those without.
fn sizes_of(chosen: &Catalogue, modules: &Modules, places: &Places) -> Result<Vec<ThreadSize>> {
    let floor = &chosen.size_floor()?.id;
    let mut all = Vec::new();
    for profile in [Profile::Size, Profile::Speed] {
        let size_of = |id: &str, group| sizes::of_module(modules.for_threads(SIZE_PROBE, id, group, profile)?, places);
        let floors = BTreeMap::from([
            (Group::Threads, size_of(floor, Group::Threads)?),
            (Group::OneThread, size_of(floor, Group::OneThread)?),
        ]);
        for allocator in chosen.in_threads() {
            let over_floor = |group| anyhow::Ok(over(size_of(&allocator.id, group)?, floors[&group]));
            all.push(ThreadSize {
                allocator: allocator.id.clone(),
                profile: profile.name().to_owned(),
                threads: over_floor(Group::Threads)?,
                one_thread: over_floor(Group::OneThread)?,
            });
        }
    }
    Ok(all)
}

fn over(size: Size, floor: Size) -> Size {
    Size {
        raw: size.raw - floor.raw,
        optimized: size.optimized - floor.optimized,
        gzipped: size.gzipped - floor.gzipped,
    }
}

#[cfg(test)]
mod tests {
    use super::{numbers_of_workers, pace_of};
    use crate::measure::engines::workers::{Done, Round};
    use crate::results::figure::Figure;
    use crate::shared::catalogue::{Catalogue, Compares};
    use crate::shared::places::Places;

    #[test]
    fn more_workers_than_hardware_threads_share_work_only_where_memory_is_compared() {
        let catalogue = Catalogue::read(&Places::of_this_checkout()).unwrap();
        for workload in &catalogue.threads {
            let most = numbers_of_workers(workload, 2).into_iter().max();
            let expected = if workload.compares == Compares::Memory { 4 } else { 2 };
            assert_eq!(most, Some(expected), "{}", workload.name);
            assert_eq!(numbers_of_workers(workload, 64), workload.workers);
        }
    }

    #[test]
    fn a_pace_is_the_median_of_the_rounds_and_a_team_that_stopped_has_none() {
        let round = |operations_per_second, pages| Round {
            operations_per_second,
            pages,
            heap_base: 7,
        };
        let rounds = vec![round(10.0, 3), round(30.0, 9), round(20.0, 4)];
        let Figure::Measured(pace) = pace_of(Some(&Done::Ran(rounds))) else {
            panic!("three rounds have a median");
        };
        assert_eq!(
            (pace.operations_per_second.median, pace.pages.median, pace.heap_base),
            (20.0, 4.0, 7)
        );
        let failed = Done::Failed("trap".to_owned());
        assert_eq!(pace_of(Some(&failed)), Figure::Missing("trap".to_owned()));
    }
}
