//! Players on real threads.
//!
//! A failing run prints its seed. What the players want follows from that, but not when each of them runs. So a failure may need
//! some tries to come back:
//!
//! ```text
//! FREEING_BUMP_SEED=7 FREEING_BUMP_THREAD_STEPS=100000 cargo test threads
//! ```

use super::player::{Exchange, Player, RULE};
use super::world::World;
use crate::heaps::Request;
use crate::memory::Growth;
use crate::memory::linear::{PackedGrowth, PageLimit};
use crate::tests::model::random::{number_from_environment, seed};
use crate::threads::heaps::Heaps;
use crate::threads::thread_heap::Rule;
use std::boxed::Box;
use std::println;
use std::sync::mpsc::sync_channel;
use std::thread;

/// The steps of each player unless the environment says otherwise.
const DEFAULT_STEPS: u32 = if cfg!(miri) { 25 } else { 3_000 };

/// The pages of a world.
const PAGES: u32 = if cfg!(miri) { 200 } else { 4_000 };

fn steps() -> u32 {
    number_from_environment("FREEING_BUMP_THREAD_STEPS", DEFAULT_STEPS)
}

/// What happens beside the players' steps.
#[derive(Clone, Copy)]
struct Play {
    lanes: u32,
    /// How many threads run after one another in a lane.
    generations: u32,
    /// Whether some threads end without giving up their heap.
    forgets: bool,
    /// One of so many growths is refused; 0 for none.
    one_refused_in: u32,
    /// The pages that the memory may have, with those of others.
    limit: Option<u32>,
    /// Whether others grow the memory too.
    with_others: bool,
    first_page: u32,
}

const PLAIN: Play = Play {
    lanes: 4,
    generations: 1,
    forgets: false,
    one_refused_in: 0,
    limit: None,
    with_others: false,
    first_page: 3,
};

/// Has threads play, in lanes in which one runs after another, and then releases everything. Returns how many requests were refused.
fn play(play: Play) -> u32 {
    let seed = seed();
    println!("FREEING_BUMP_SEED={seed}");
    let mut world = Box::new(World::new(play.first_page, PAGES.min(65_536 - play.first_page)));
    world.one_refused_in = play.one_refused_in;
    let mut rule = RULE;
    if let Some(limit) = play.limit {
        world.ceiling_page = play.first_page + limit;
        rule = Rule {
            growth: PackedGrowth::new(Growth::DOUBLING),
            limit: PageLimit::new(play.first_page + limit),
        };
    }
    let world = &*world;
    let heaps = &*Box::new(Heaps::new(world.shared()));
    let exchange = &Exchange::<16>::new();
    let estates = thread::scope(|scope| {
        let lanes: std::vec::Vec<_> = (0..play.lanes)
            .map(|lane| {
                let new = move |number: u32| {
                    Player::new(
                        world,
                        heaps,
                        rule,
                        seed.wrapping_mul(1009).wrapping_add(lane * 101 + number),
                    )
                };
                scope.spawn(move || {
                    let mut before = None;
                    for number in 0..play.generations {
                        let run = thread::scope(|inner| {
                            let body = move || {
                                // Of several lanes one has no storage, of the first generation.
                                let mut player = new(number);
                                if lane == 3 && number == 0 {
                                    player = player.without_storage();
                                }
                                if let Some(before) = before {
                                    player.inherit(before);
                                }
                                for step in 0..steps() {
                                    player.step(exchange);
                                    if play.with_others && step % 256 == 0 {
                                        world.foreign_grow(1);
                                    }
                                    if player.below(200) == 0 {
                                        player.release_heap();
                                    }
                                }
                                if !play.forgets || player.below(2) == 0 {
                                    player.release_heap();
                                }
                                player.end()
                            };
                            inner.spawn(body).join()
                        });
                        before = Some(run.unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
                    }
                    before
                })
            })
            .collect();
        lanes
            .into_iter()
            .map(|lane| lane.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect::<std::vec::Vec<_>>()
    });
    let mut last = Player::new(world, heaps, rule, seed);
    for estate in estates.into_iter().flatten() {
        last.inherit(estate);
    }
    let refused = last.refused;
    last.release_all(exchange);
    // SAFETY: all other threads have ended, and all blocks were released.
    unsafe { heaps.assert_all_is_free() };
    world.check_the_memory_of_others();
    refused
}

#[test]
fn blocks_that_two_threads_exchange_overlap_nothing_and_keep_their_bytes() {
    assert_eq!(play(Play { lanes: 2, ..PLAIN }), 0);
}

#[test]
#[cfg_attr(miri, ignore = "with two and four threads it sees the same accesses")]
fn blocks_that_eight_threads_exchange_overlap_nothing_and_keep_their_bytes() {
    assert_eq!(play(Play { lanes: 8, ..PLAIN }), 0);
}

#[test]
fn threads_that_end_hand_their_heaps_over_and_those_that_forget_it_lose_no_block() {
    let generations = if cfg!(miri) { 2 } else { 6 };
    let refused = play(Play {
        generations,
        forgets: true,
        ..PLAIN
    });
    assert_eq!(refused, 0);
}

#[test]
fn a_refused_growth_loses_nothing_in_any_thread() {
    let refused = play(Play {
        one_refused_in: 2,
        with_others: true,
        ..PLAIN
    });
    // Where a heap cannot grow, it serves from what is free.
    println!("{refused} requests were refused");
}

#[test]
fn threads_that_share_a_ceiling_ask_the_engine_for_nothing_above_it() {
    let refused = play(Play {
        limit: Some(16),
        ..PLAIN
    });
    assert!(cfg!(miri) || refused != 0, "the ceiling was never reached");
}

#[test]
#[cfg_attr(miri, ignore = "under a ceiling it sees the same accesses")]
fn threads_in_the_last_pages_of_the_address_space_are_refused_what_does_not_fit() {
    let pages = 24;
    let refused = play(Play {
        first_page: 65_536 - pages,
        with_others: true,
        ..PLAIN
    });
    assert!(refused != 0, "the end was never reached");
}

#[test]
fn a_producer_that_never_releases_and_a_consumer_that_never_allocates_hold_a_steady_memory() {
    let world = &*Box::new(World::new(1, PAGES));
    let heaps = &*Box::new(Heaps::new(world.shared()));
    let rounds = steps() * 4;
    let request = |round: u32| Request {
        size: [40, 200, 700, 3000, 40_000][round as usize % 5],
        align: 8,
    };
    thread::scope(|scope| {
        let (sender, receiver) = sync_channel(32);
        scope.spawn(move || {
            let mut producer = Player::new(world, heaps, RULE, 1);
            for round in 0..rounds {
                let block = producer.allocate(request(round), false);
                sender
                    .send(block.expect("there is memory"))
                    .expect("the consumer lives");
            }
            producer.release_heap();
        });
        scope.spawn(move || {
            let mut consumer = Player::new(world, heaps, RULE, 2);
            for block in receiver {
                consumer.release(block);
            }
            assert!(consumer.thread.is_some_and(|thread| thread.heap.is_none()));
        });
    });
    // What is under way, three times: some 34 blocks, a fifth of them of 40,000 bytes.
    let pages = world.end_page() - 1;
    assert!(pages < 20, "{rounds} rounds took {pages} pages");
    // SAFETY: all other threads have ended, and all blocks were released.
    unsafe { heaps.assert_all_is_free() };
}

#[test]
#[cfg_attr(miri, ignore = "takes minutes")]
fn more_threads_at_a_time_than_there_are_heaps_are_all_served() {
    let world = &*Box::new(World::new(1, PAGES));
    let heaps = &*Box::new(Heaps::new(world.shared()));
    let exchange = &Exchange::<16>::new();
    let barrier = &std::sync::Barrier::new(80);
    thread::scope(|scope| {
        for number in 0..80 {
            scope.spawn(move || {
                let mut player = Player::new(world, heaps, RULE, number);
                for _ in 0..50 {
                    player.step(exchange);
                }
                barrier.wait();
                // Now each has a heap, or none is left.
                for _ in 0..steps() / 20 {
                    player.step(exchange);
                }
                barrier.wait();
                player.release_heap();
                player.release_all(exchange);
                assert_eq!(player.refused, 0);
            });
        }
    });
    // SAFETY: all other threads have ended, and all blocks were released.
    unsafe { heaps.assert_all_is_free() };
}
