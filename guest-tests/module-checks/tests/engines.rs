//! Random requests inside modules, in V8 and in wasmtime, while the host refuses memory, adds memory, and writes to it.
//!
//! `driver-module` makes the requests and checks what it gets, with an oracle of its own; see `guest-tests/kit/block_table.rs`.
//! `FREEING_BUMP_SEED=7 cargo make test-host` runs them with another seed. A failure prints its seed.

use module_checks::{ALL_PAGES, ALLOCATORS, Engine, Guest, Limits, PAGE_BYTES, build_driver_module, merges, seed};
use std::ops::Range;

/// Enough for the memory to grow several times.
const STEPS: u32 = 1_000;

/// Requests at a time while everything is refused.
const REFUSED_STEPS: u32 = 200;

/// The memory that a module starts with.
const INITIAL_PAGES: usize = 17;

/// More than the table of blocks has room for.
const MANY_PAGES: usize = 1_000;

/// What fills the memory.
#[derive(Clone, Copy, Debug)]
enum Load {
    /// Random requests.
    Random,
    /// Blocks of this many bytes.
    Blocks(u32),
}

/// A module that drives its allocator, and what to say when a check fails in it.
struct Driven {
    guest: Guest,
    seed: u32,
    /// The number of sequences of requests begun so far. Each has a seed of its own.
    sequences: u32,
    context: String,
}

impl Driven {
    fn new(allocator: &str, engine: Engine, module: &[u8], limits: Limits) -> Self {
        let seed = seed();
        let context = format!("{allocator} in {engine:?} with {limits:?}, FREEING_BUMP_SEED={seed}");
        Driven {
            guest: Guest::new(engine, module, limits),
            seed,
            sequences: 0,
            context,
        }
    }

    fn drive(&mut self, function: &str, arguments: &[u32]) -> u32 {
        self.guest.drive(function, arguments, &self.context)
    }

    /// Makes random requests, new ones at each call. All must be served.
    fn run_served(&mut self, steps: u32) {
        let seed = self.seed.wrapping_add(self.sequences);
        self.sequences += 1;
        let served = self.drive("run", &[seed, steps]);
        assert_eq!(served, steps, "{}: step {served} was refused", self.context);
    }

    /// Puts `load` on the allocator; returns how far it got before the first refusal.
    fn load(&mut self, load: Load) -> u32 {
        match load {
            Load::Random => self.drive("run", &[self.seed, STEPS]),
            Load::Blocks(size) => self.drive("fill", &[size]),
        }
    }

    /// Checks what must hold after `load` was refused at its step `served`. All data is kept. `CheckedFreeingBump` refuses
    /// everything from then on. The others reuse what is released, and go on.
    fn check_after_refusal(&mut self, allocator: &str, load: Load, served: u32) {
        self.drive("check", &[]);
        if allocator == "checked" {
            let pages = self.guest.pages();
            self.drive("run_refused", &[self.seed, REFUSED_STEPS]);
            self.drive("check", &[]);
            self.drive("release_all", &[]);
            self.drive("run_refused", &[self.seed, REFUSED_STEPS]);
            assert_eq!(self.guest.pages(), pages, "{}", self.context);
            return;
        }
        self.drive("exchange_all", &[]);
        self.drive("check", &[]);
        self.drive("release_all", &[]);
        if merges(allocator) {
            self.drive("exchange_largest", &[]);
        }
        let served_again = self.load(load);
        self.drive("check", &[]);
        // An allocator that merges keeps a run for each small size. It can split the space where a large block was.
        if !merges(allocator) || matches!(load, Load::Blocks(_)) {
            assert!(
                served_again >= served,
                "{}: {load:?} was served for {served} steps, and for {served_again} after everything was released",
                self.context
            );
        }
    }
}

/// The module that drives `allocator`, linked with these arguments.
fn module(allocator: &str, link_arguments: &[&str]) -> Vec<u8> {
    build_driver_module(env!("CARGO_TARGET_TMPDIR"), allocator, link_arguments)
}

/// Calls `test` with each allocator, each engine, and the module that is linked with these arguments.
fn for_each(link_arguments: &[&str], test: impl Fn(&str, Engine, &[u8])) {
    for allocator in ALLOCATORS {
        let module = module(allocator, link_arguments);
        for engine in Engine::ALL {
            test(allocator, engine, &module);
        }
    }
}

#[test]
fn random_requests_never_overlap_and_keep_their_bytes() {
    for_each(&[], |allocator, engine, module| {
        let mut driven = Driven::new(allocator, engine, module, Limits::pages(MANY_PAGES));
        driven.run_served(40 * STEPS);
        driven.drive("check", &[]);
        driven.drive("release_all", &[]);
        driven.run_served(STEPS);
    });
}

#[test]
fn each_growth_in_turn_is_refused_and_no_data_is_lost() {
    let refusals: [fn(usize) -> Range<usize>; 4] = [|n| n..n + 1, |n| n..n + 2, |n| n..n + 4, |n| n..usize::MAX];
    for allocator in ALLOCATORS {
        // A request fails when so many growths in a row are refused: the growth policy's share, and then just what is missing.
        // `FreeingBump` asks for both with the free space beside a large block, and then without it.
        let growths_of_a_request = if allocator == "freeing-bump" { 4 } else { 2 };
        let module = module(allocator, &[]);
        for refused in refusals {
            let mut refusals = 0;
            for first in 0.. {
                let limits = Limits {
                    refused_growth: refused(first),
                    ..Limits::pages(MANY_PAGES)
                };
                let mut driven = Driven::new(allocator, Engine::Wasmtime, &module, limits);
                let served = driven.load(Load::Random);
                if served < STEPS {
                    refusals += 1;
                    driven.check_after_refusal(allocator, Load::Random, served);
                }
                if driven.guest.growths() <= first {
                    assert!(first > 3, "{allocator} has grown its memory only {first} times");
                    break;
                }
            }
            if refused(0).len() >= growths_of_a_request {
                assert!(refusals > 3, "{allocator}: {refusals} refusals");
            }
        }
    }
}

#[test]
fn an_imported_memory_is_used_to_its_maximum_whatever_that_is_and_no_data_is_lost() {
    for_each(&["--import-memory"], |allocator, engine, module| {
        let mut refusals = 0;
        for max_pages in INITIAL_PAGES.. {
            let mut driven = Driven::new(allocator, engine, module, Limits::pages(max_pages));
            let served = driven.load(Load::Random);
            if served == STEPS {
                break;
            }
            refusals += 1;
            driven.check_after_refusal(allocator, Load::Random, served);
        }
        assert!(refusals > 10, "{allocator} in {engine:?}: {refusals} refusals");
    });
}

#[test]
fn a_declared_maximum_is_used_and_no_data_is_lost() {
    for max_pages in [INITIAL_PAGES, INITIAL_PAGES + 1, INITIAL_PAGES + 9] {
        let maximum = format!("--max-memory={}", max_pages * PAGE_BYTES);
        for_each(&[&maximum], |allocator, engine, module| {
            let mut driven = Driven::new(allocator, engine, module, Limits::pages(MANY_PAGES));
            let load = Load::Blocks(5_000);
            let served = driven.load(load);
            assert_eq!(driven.guest.pages(), max_pages, "{}", driven.context);
            driven.check_after_refusal(allocator, load, served);
        });
    }
}

#[test]
fn pages_that_the_host_adds_between_calls_stay_as_they_are() {
    for_each(&[], |allocator, engine, module| {
        let mut driven = Driven::new(allocator, engine, module, Limits::pages(MANY_PAGES));
        let mut foreign = Vec::new();
        for round in 0..20_u8 {
            let start = (driven.guest.pages() * PAGE_BYTES) as u32;
            driven.guest.grow(1);
            driven.guest.fill(start, PAGE_BYTES as u32, round);
            foreign.push((start, round));
            driven.run_served(STEPS / 20);
        }
        driven.drive("check", &[]);
        driven.drive("release_all", &[]);
        driven.run_served(STEPS);
        for (start, fill) in foreign {
            assert!(
                driven.guest.is_filled(start, PAGE_BYTES as u32, fill),
                "{}: the foreign page at {start:#x} has changed",
                driven.context
            );
        }
    });
}

#[test]
fn zeroed_memory_is_zero_where_the_host_has_written_before_the_first_request() {
    let initial_memory = format!("--initial-memory={}", 64 * PAGE_BYTES);
    for_each(
        &[&initial_memory, "--export=__heap_base"],
        |allocator, engine, module| {
            let mut driven = Driven::new(allocator, engine, module, Limits::pages(MANY_PAGES));
            let heap_base = driven.guest.heap_base();
            let heap_bytes = (driven.guest.pages() * PAGE_BYTES) as u32 - heap_base;
            driven.guest.fill(heap_base, heap_bytes, 0xee);
            driven.run_served(10 * STEPS);
            driven.drive("check", &[]);
        },
    );
}

#[test]
fn the_last_page_below_four_gib_is_used_and_nothing_wraps_around() {
    for_each(&[], |allocator, engine, module| {
        let mut driven = Driven::new(allocator, engine, module, Limits::pages(ALL_PAGES));
        let pages = driven.guest.pages();
        driven.guest.grow(ALL_PAGES - pages - 20);
        let load = Load::Blocks(5_000);
        let served = driven.load(load);
        assert_eq!(driven.guest.pages(), ALL_PAGES, "{}", driven.context);
        let last_address = driven.drive("last_address", &[]);
        assert!(
            last_address as usize / PAGE_BYTES == ALL_PAGES - 1,
            "{}: the last block ends at {last_address:#x}",
            driven.context
        );
        driven.check_after_refusal(allocator, load, served);
    });
}
