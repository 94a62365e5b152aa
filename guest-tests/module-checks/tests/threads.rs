//! Threads that use one allocator on wasm32-wasip1-threads. Each block is stamped over its bytes by its maker, and verified by
//! whoever resizes or releases it. `FREEING_BUMP_SEED` makes the same requests again; the threads meet at other moments.

use fastrand::Rng;
use module_checks::{
    Figures, Scenario, THREADS_TARGET, ThreadEnd, ThreadedGuest, ThreadsModule, build_threads_module, seed,
};
use std::collections::BTreeSet;
use std::sync::LazyLock;
use wasmparser::{KnownCustom, Name, Operator, Parser, Payload, TypeRef};

/// The features of the module.
const ALLOCATOR: &str = "freeing-bump";

/// More than the scenarios need.
const MANY_PAGES: u32 = 8_000;

/// `CEILING_PAGES` of `threads-module`.
const CEILING_PAGES: u32 = 64;

/// The numbers of threads that work at a time.
const WORKERS: [u32; 3] = [2, 4, 8];

fn build(features: &str) -> Vec<u8> {
    build_threads_module(env!("CARGO_TARGET_TMPDIR"), THREADS_TARGET, features)
}

/// The module with `FreeingBump`.
fn module() -> &'static ThreadsModule {
    static MODULE: LazyLock<ThreadsModule> = LazyLock::new(|| ThreadsModule::new(&build(ALLOCATOR)));
    &MODULE
}

/// Plays a scenario with 2, 4 and 8 threads, each time in a memory of its own of at most `max_pages` of the number of threads.
fn play(scenario: Scenario, rounds: u32, max_pages: impl Fn(u32) -> u32) -> Vec<Figures> {
    let play = |workers| ThreadedGuest::new(module(), max_pages(workers)).play(scenario, workers, rounds, seed());
    WORKERS.into_iter().map(play).collect()
}

/// Checks that a memory which had `before` pages has taken at most an eighth more, since sizes are random.
#[track_caller]
fn assert_steady(before: u32, after: u32) {
    assert!(after <= before + before / 8, "{before} pages became {after}");
}

/// Checks that a memory which had `before` pages has taken at most half as many more. A thread that the system does not run keeps
/// what others release of its heap, so the memory of an exchange depends on when threads run. If one in a hundred blocks were
/// lost, it would double.
#[track_caller]
fn assert_bounded(before: u32, after: u32) {
    assert!(after <= before + before / 2, "{before} pages became {after}");
}

#[test]
fn blocks_that_two_four_and_eight_threads_exchange_keep_their_bytes() {
    for figures in play(Scenario::Exchange, 30_000, |_| MANY_PAGES) {
        assert!(figures.received > 30_000, "{figures:?}");
        assert_bounded(figures.pages_after_a_tenth, figures.pages_at_the_end);
    }
}

#[test]
fn threads_that_only_allocate_and_threads_that_only_release_hold_a_steady_memory() {
    for figures in play(Scenario::ProducersAndConsumers, 100_000, |_| MANY_PAGES) {
        assert_eq!(figures.received, figures.served);
        assert_steady(figures.pages_after_a_tenth, figures.pages_at_the_end);
    }
}

#[test]
fn a_producer_and_a_consumer_hold_a_steady_memory_over_a_million_rounds() {
    let mut guest = ThreadedGuest::new(module(), MANY_PAGES);
    let figures = guest.play(Scenario::ProducersAndConsumers, 2, 1_000_000, seed());
    assert_eq!(figures.received, 1_000_000);
    assert_eq!(figures.pages_at_the_end, figures.pages_after_a_tenth);
}

#[test]
fn threads_with_blocks_of_their_own_do_not_disturb_each_other() {
    for figures in play(Scenario::Churn, 1_000_000, |_| MANY_PAGES) {
        assert_eq!(figures.pages_at_the_end, figures.pages_after_a_tenth);
    }
}

#[test]
fn threads_that_are_refused_memory_at_random_lose_no_block() {
    for figures in play(Scenario::Refusals, 10_000, |workers| 20 + 10 * workers) {
        assert!(figures.refused > 100 && figures.served > figures.refused, "{figures:?}");
    }
}

#[test]
fn threads_that_give_their_heaps_up_at_random_moments_go_on_with_another() {
    for figures in play(Scenario::Ends, 30_000, |_| MANY_PAGES) {
        assert!(figures.received > 30_000, "{figures:?}");
        assert_bounded(figures.pages_after_a_tenth, figures.pages_at_the_end);
    }
}

#[test]
fn threads_that_end_at_random_moments_leave_their_blocks_to_the_others() {
    const THREADS: u32 = 400;
    for workers in WORKERS {
        let mut guest = ThreadedGuest::new(module(), MANY_PAGES);
        let halfway = guest.play_in_succession(workers, THREADS, seed());
        assert!(guest.figures().received > THREADS, "{:?}", guest.figures());
        assert_bounded(halfway, guest.pages());
    }
}

#[test]
fn ten_thousand_short_threads_one_after_another_hold_a_steady_memory() {
    let mut guest = ThreadedGuest::new(module(), MANY_PAGES);
    let at_first = guest.pages();
    guest.call("prepare", &[1]);
    let mut settled = 0;
    for number in 0..10_000 {
        guest.spawn(Scenario::Churn, 0, 20, seed().wrapping_add(number));
        guest.join("a short thread");
        if number == 1_000 {
            settled = guest.pages();
        }
    }
    // By then there would be a heap for each seat, of a page at least, if the end of a thread did not give its heap up.
    assert!(settled < at_first + 30, "{at_first} pages became {settled}");
    assert_steady(settled, guest.pages());
}

#[test]
fn more_threads_at_a_time_than_there_are_heaps_work_and_hold_a_steady_memory() {
    const THREADS: u32 = 280;
    let mut guest = ThreadedGuest::new(module(), MANY_PAGES);
    let pages = [0, 1, 2, 3, 4, 5].map(|play| {
        let figures = guest.play(Scenario::Exchange, THREADS, 300, seed().wrapping_add(play));
        assert!(figures.received > 20 * THREADS, "{figures:?}");
        figures.pages_at_the_end
    });
    assert_bounded(pages[2], pages[5]);
}

#[test]
fn a_thread_that_its_host_stops_in_the_middle_of_a_call_blocks_no_other() {
    // Each takes the heap with it that it used just then.
    const VICTIMS: u32 = 50;
    let mut guest = ThreadedGuest::new(&ThreadsModule::with_fuel(&build(ALLOCATOR)), MANY_PAGES);
    let mut random = Rng::with_seed(seed().into());
    for victim in 0..VICTIMS {
        let context = format!("victim {victim} with FREEING_BUMP_SEED={}", seed());
        guest.call("prepare", &[3]);
        guest.spawn_with_fuel(
            Scenario::Flood,
            0,
            u32::MAX,
            seed().wrapping_add(victim),
            random.u64(100_000..1_000_000),
        );
        for index in 1..3 {
            guest.spawn(Scenario::Storm, index, 200, seed().wrapping_add(victim));
        }
        let mut stopped = 0;
        while let Some(end) = guest.next_end() {
            match end {
                ThreadEnd::Stopped => stopped += 1,
                end => guest.assert_returned(&end, &context),
            }
        }
        assert_eq!(stopped, 1, "{context}: the others must go on");
    }
    guest.call("release_shared_blocks", &[]);
    let figures = guest.play(Scenario::Exchange, 4, 5_000, seed());
    assert!(figures.received > 5_000, "{figures:?}");
}

#[test]
fn threads_together_never_ask_for_more_than_the_ceiling() {
    let module = ThreadsModule::new(&build("ceiling"));
    for workers in WORKERS {
        // Every growth is granted: a request for more than the ceiling would leave its pages.
        let mut guest = ThreadedGuest::new(&module, MANY_PAGES);
        let figures = guest.play(Scenario::Refusals, workers, 3_000, seed());
        assert!(figures.refused > 0, "{figures:?}");
        assert_eq!(guest.pages(), CEILING_PAGES, "{figures:?}");
    }
}

#[test]
fn the_wrappers_serve_threads_and_report_their_refusals() {
    let mut guest = ThreadedGuest::new(&ThreadsModule::new(&build("wrapped")), 60);
    let figures = guest.play(Scenario::Refusals, 4, 5_000, seed());
    // None is reported while another one is.
    let reported = guest.call("reported_refusals", &[]);
    assert!(0 < reported && reported <= figures.refused, "{reported} of {figures:?}");
}

/// The names of the functions that contain `memory.atomic.wait32` or `memory.atomic.wait64`.
fn functions_that_wait(module: &[u8]) -> BTreeSet<String> {
    let mut names = Vec::new();
    let mut waiting = Vec::new();
    let mut function = 0;
    for payload in Parser::new(0).parse_all(module) {
        match payload.expect("rustc must have made a valid module") {
            Payload::ImportSection(imports) => {
                let imports = imports
                    .into_imports()
                    .map(|import| import.expect("rustc must have made a valid import"));
                function += imports.filter(|import| matches!(import.ty, TypeRef::Func(_))).count() as u32;
            }
            Payload::CodeSectionEntry(body) => {
                let operators = body.get_operators_reader().expect("rustc must have made valid code");
                let is_wait = |operator| {
                    matches!(
                        operator,
                        Operator::MemoryAtomicWait32 { .. } | Operator::MemoryAtomicWait64 { .. }
                    )
                };
                if operators
                    .into_iter()
                    .any(|operator| is_wait(operator.expect("rustc must have made valid code")))
                {
                    waiting.push(function);
                }
                function += 1;
            }
            Payload::CustomSection(section) => {
                if let KnownCustom::Name(subsections) = section.as_known() {
                    for subsection in subsections {
                        if let Name::Function(functions) = subsection.expect("rustc must have made valid names") {
                            names.extend(
                                functions
                                    .into_iter()
                                    .map(|name| name.expect("rustc must have made valid names")),
                            );
                        }
                    }
                }
            }
            _ => (),
        }
    }
    let name_of = |function| {
        names
            .iter()
            .find(|name| name.index == function)
            .map(|name| name.name.to_owned())
    };
    waiting
        .into_iter()
        .map(|function| name_of(function).expect("the profile keeps names"))
        .collect()
}

#[test]
fn the_allocator_brings_no_instruction_that_waits_into_a_module() {
    let without = functions_that_wait(&build(""));
    let with = functions_that_wait(&build(ALLOCATOR));
    assert!(!without.is_empty(), "the standard library waits somewhere");
    let new: Vec<_> = with.difference(&without).collect();
    assert!(new.is_empty(), "these wait too: {new:?}");
}
