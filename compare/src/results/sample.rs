//! A report with made-up figures of every allocator and workload of the repository, for the tests of what is drawn.

use crate::results::figure::Figure;
use crate::results::long_life::LongLifeRow;
use crate::results::outcome::{Outcome, Runs};
use crate::results::product::{CallFigures, ProductCell, ProductRow};
use crate::results::report::{Report, Terms};
use crate::results::size::{CodeSize, Size};
use crate::results::statistics::Summary;
use crate::results::threads::{BASE, Pace, ThreadCell, ThreadColumn, ThreadRow, ThreadSize, Threads};
use crate::results::versions::Versions;
use crate::results::workload::{Findings, Row};
use crate::shared::catalogue::{Catalogue, Compares, ThreadWorkload};
use crate::shared::places::Places;
use crate::shared::profile::Profile;
use fastrand::Rng;
use std::collections::BTreeMap;

/// A quick report; some allocators fail a workload, and each has figures of its own kind.
pub fn report() -> Report {
    let catalogue = Catalogue::read(&Places::of_this_checkout()).unwrap();
    let mut rng = Rng::with_seed(1);
    let allocators = Report::columns(&catalogue);
    let factors: BTreeMap<&str, (f64, f64)> = allocators
        .iter()
        .map(|column| {
            let factors = match column.id.as_str() {
                "dlmalloc" => (1.0, 1.0),
                "lol_alloc" => (4.0, 1.0),
                _ if !column.frees => (1.5, 20.0),
                _ => (0.6 + 0.6 * rng.f64(), 0.9 + 0.6 * rng.f64()),
            };
            (column.id.as_str(), factors)
        })
        .collect();
    let mut workloads = Vec::new();
    for workload in &catalogue.workloads {
        let milliseconds = 4.0 + 20.0 * rng.f64();
        let findings = Findings {
            v8: factors
                .iter()
                .map(|(&id, &(time, memory))| {
                    let outcome = match (id, workload.name.as_str()) {
                        ("wee_alloc", "random-sizes-100k") => Outcome::Failed("trap: unreachable".to_owned()),
                        _ => ran(milliseconds * time * (0.8 + 0.4 * rng.f64()), 20.0 + 40.0 * memory),
                    };
                    (id.to_owned(), outcome)
                })
                .collect(),
            instructions: factors
                .iter()
                .map(|(&id, &(time, _))| (id.to_owned(), Ok((1e6 * time) as u64)))
                .collect(),
            curve: (!workload.points.is_empty()).then(|| {
                let with_id = |(&id, &(time, memory)): (&&str, &(f64, f64))| {
                    let outcome = match id {
                        "wee_alloc" => Outcome::Failed("out of memory at 1023.1 MiB".to_owned()),
                        _ => followed(&workload.points, 30.0 * time, memory),
                    };
                    (id.to_owned(), outcome)
                };
                factors.iter().map(with_id).collect()
            }),
            peak_live_bytes: 2_000_000,
            ..Findings::default()
        };
        workloads.push(Row::new(workload, &findings, "dlmalloc", "bump-floor").0);
    }
    let long_lives = catalogue.long_lives.iter().map(|program| LongLifeRow {
        name: program.name.clone(),
        about: program.about.clone(),
        cells: factors
            .iter()
            .map(|(&id, &(_, memory))| {
                let pages = |cycles: u32| (20.0 + 10.0 * memory * f64::from(cycles).ln_1p()) as u32;
                let curve = [1, 10, 100, 1000].map(|cycles| (cycles, pages(cycles)));
                (id.to_owned(), Figure::Measured(curve.to_vec()))
            })
            .collect(),
    });
    let long_lives = long_lives.collect();
    let products = catalogue.products.iter().map(|product| {
        let outcomes: BTreeMap<String, Outcome> = catalogue
            .product_contenders()
            .map(|allocator| {
                let (time, memory) = factors[allocator.id.as_str()];
                (allocator.id.clone(), ran(25.0 * time, 30.0 * memory))
            })
            .collect();
        let call = |id: &str| CallFigures::of(&outcomes, id, "dlmalloc");
        let cells = outcomes.keys().map(|id| {
            let cell = ProductCell {
                first: call(id),
                last: call(id),
                size: size(rng.i64(1_000_000..1_100_000)),
            };
            (id.clone(), cell)
        });
        ProductRow {
            name: product.name.clone(),
            about: product.about.clone(),
            cells: cells.collect(),
        }
    });
    let products = products.collect();
    let sizes = [Profile::Size, Profile::Speed].into_iter().flat_map(|profile| {
        let sizes = allocators.iter().map(|column| CodeSize {
            allocator: column.id.clone(),
            profile: profile.name().to_owned(),
            over_floor: size(rng.i64(500..9000)),
        });
        sizes.collect::<Vec<_>>()
    });
    let sizes = sizes.collect();
    Report {
        date: "2026-01-01 12:00 UTC".to_owned(),
        command: "cargo make report".to_owned(),
        runs: 25,
        full: false,
        terms: Terms::of_this_program(),
        versions: Versions {
            allocators: allocators
                .iter()
                .map(|column| (column.id.clone(), "1.0.0".to_owned()))
                .collect(),
            products: catalogue
                .products
                .iter()
                .map(|product| (product.name.clone(), "1.0.0".to_owned()))
                .collect(),
            ..Versions::default()
        },
        allocators: Report::columns(&catalogue),
        workloads,
        long_lives,
        products,
        sizes,
        threads: Some(Figure::Measured(threads())),
    }
}

/// Made-up figures of builds for threads.
pub fn threads() -> Threads {
    let catalogue = Catalogue::read(&Places::of_this_checkout()).unwrap();
    let exactly = |number: f64| Summary::of(&[number; 3]).unwrap();
    let pace = |nanoseconds: f64, heap: f64| {
        Figure::Measured(Pace {
            operations_per_second: exactly(1e9 / nanoseconds),
            pages: exactly(30.0 + heap),
            heap_base: 30 * 65_536,
        })
    };
    // Without threads, with one worker, with more, and the pages of the heap.
    let figures = |id: &str| match id {
        "freeing-bump" => (10.0, 12.5, 6.4, 450.0),
        "std" => (24.0, 25.0, 110.0, 350.0),
        _ => (22.0, 25.0, 140.0, 480.0),
    };
    let row = |workload: &ThreadWorkload| {
        let workers: Vec<u32> = match workload.compares {
            Compares::Memory => workload.workers.clone(),
            _ => workload
                .workers
                .iter()
                .copied()
                .filter(|&workers| workers < 3)
                .collect(),
        };
        let cells = catalogue.in_threads().map(|allocator| {
            let (one_thread, one, more, heap) = figures(&allocator.id);
            let cell = ThreadCell {
                one_thread: (workload.compares == Compares::Work).then(|| pace(one_thread, heap)),
                workers: workers
                    .iter()
                    .map(|&workers| (workers, pace(if workers == 1 { one } else { more }, heap)))
                    .collect(),
            };
            (allocator.id.clone(), cell)
        });
        ThreadRow::new(workload, cells.collect(), workers)
    };
    let sizes = ["size", "speed"].into_iter().flat_map(|profile| {
        let sizes = catalogue.in_threads().map(move |allocator| {
            let bytes = if allocator.id == "freeing-bump" { 5000 } else { 2000 };
            ThreadSize {
                allocator: allocator.id.clone(),
                profile: profile.to_owned(),
                threads: size(bytes),
                one_thread: size(bytes - 1000),
            }
        });
        sizes.collect::<Vec<_>>()
    });
    Threads {
        date: "2026-02-02 12:00 UTC".to_owned(),
        command: "cargo make benchmarks-threads".to_owned(),
        commit: "abcdef".to_owned(),
        rustc: "rustc 1.99.0-nightly".to_owned(),
        engine: "V8 1.2 of Node v26".to_owned(),
        machine: "a processor, 2 hardware threads, linux".to_owned(),
        base: BASE.to_owned(),
        rounds: 15,
        allocators: catalogue
            .thread_contenders()
            .map(|(allocator, threads)| ThreadColumn {
                id: allocator.id.clone(),
                name: allocator.name.clone(),
                description: threads.description.clone(),
                version: "1.0.0".to_owned(),
                role: allocator.role,
                unsupported: threads.unsupported.clone(),
            })
            .collect(),
        rows: catalogue.threads.iter().map(row).collect(),
        sizes: sizes.collect(),
    }
}

fn ran(milliseconds: f64, pages: f64) -> Outcome {
    Outcome::Ran(Runs {
        milliseconds: vec![0.98 * milliseconds, milliseconds, 1.02 * milliseconds],
        pages: pages as u32,
        ..Runs::default()
    })
}

/// A program that was followed to each of `points`: it starts with `pages`, and takes `growth` more in each round.
fn followed(points: &[u32], pages: f64, growth: f64) -> Outcome {
    let after = |&rounds: &u32| (rounds, (pages + growth * f64::from(rounds)) as u32);
    Outcome::Ran(Runs {
        curve: points.iter().map(after).collect(),
        ..Runs::default()
    })
}

fn size(optimized: i64) -> Size {
    Size {
        raw: optimized * 2,
        optimized,
        gzipped: optimized / 2,
    }
}
