//! Random programs whose counts are compared with those of an oracle, which keeps a list of all live blocks and, as DHAT does,
//! looks at all of them at each peak.

use super::super::{Amount, Place, Profiled, Row, SizeClass};
use super::inner::{Inner, PLACE, place};
use crate::tests::model::random::{aligns, sizes};
use crate::tests::model::runner::test_random;
use core::alloc::{GlobalAlloc, Layout};
use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::vec::Vec;

const AVERAGE_STEPS: u32 = if cfg!(miri) { 20 } else { 250 };

#[derive(Clone, Debug)]
enum Step {
    Make {
        place: u64,
        size: u32,
        align: u32,
        zeroed: bool,
    },
    Resize {
        which: u16,
        place: u64,
        size: u32,
    },
    Release {
        which: u16,
    },
    Mark,
    /// Refuses so many of the next requests.
    Refuse {
        requests: u32,
    },
}

fn programs() -> impl Strategy<Value = Vec<Step>> {
    // Few places that are used again and again, and many that are used once.
    let place = || prop_oneof![4 => 0..6u64, 1 => any::<u64>()];
    let step = prop_oneof![
        40 => (place(), sizes(), aligns(1 << 12), any::<bool>())
            .prop_map(|(place, size, align, zeroed)| Step::Make { place, size, align, zeroed }),
        15 => (any::<u16>(), place(), sizes()).prop_map(|(which, place, size)| Step::Resize { which, place, size }),
        30 => any::<u16>().prop_map(|which| Step::Release { which }),
        1 => Just(Step::Mark),
        1 => (1..4u32).prop_map(|requests| Step::Refuse { requests }),
    ];
    vec(step, 1..=2 * AVERAGE_STEPS as usize)
}

type Key = (Option<Place>, Option<SizeClass>);

struct Live {
    block: *mut u8,
    layout: Layout,
    fill: u8,
    place: Place,
    made_at: u64,
    is_kept: bool,
}

impl Live {
    fn keys(&self) -> [Key; 4] {
        let (place, class) = (Some(self.place), Some(SizeClass::holding(self.layout.size())));
        [(None, None), (None, class), (place, None), (place, class)]
    }
}

/// What the oracle cannot find out from the live blocks.
#[derive(Default)]
struct Past {
    peak: Amount,
    at_peak: Amount,
    total: Amount,
    lifetimes: u64,
}

#[derive(Default)]
struct Oracle {
    live: Vec<Live>,
    past: BTreeMap<Key, Past>,
    time: u64,
    peak: u64,
    peak_at: u64,
}

fn sum<'a>(live: impl Iterator<Item = &'a Live>) -> Amount {
    live.fold(Amount::default(), |sum, block| Amount {
        blocks: sum.blocks + 1,
        bytes: sum.bytes + block.layout.size() as u64,
    })
}

impl Oracle {
    fn live_of(&self, key: Key) -> Amount {
        sum(self.live.iter().filter(|block| block.keys().contains(&key)))
    }

    fn make(&mut self, block: *mut u8, layout: Layout, place: u64) {
        self.time += 1;
        let live = Live {
            block,
            layout,
            fill: self.time as u8,
            place: Place::Number(place),
            made_at: self.time,
            is_kept: true,
        };
        // SAFETY: the block has so many bytes.
        unsafe { block.write_bytes(live.fill, layout.size()) };
        let keys = live.keys();
        self.live.push(live);
        for key in keys {
            let now = self.live_of(key);
            let past = self.past.entry(key).or_default();
            past.total.blocks += 1;
            past.total.bytes += layout.size() as u64;
            if now.bytes > past.peak.bytes {
                past.peak = now;
            }
        }
        let now = self.live_of((None, None)).bytes;
        if now > self.peak {
            self.peak = now;
            self.peak_at = self.time;
            let keys: Vec<Key> = self.past.keys().copied().collect();
            for key in keys {
                let live = self.live_of(key);
                self.past.entry(key).or_default().at_peak = live;
            }
        }
    }

    fn release(&mut self, index: usize) {
        self.time += 1;
        let block = self.live.swap_remove(index);
        for key in block.keys() {
            self.past.entry(key).or_default().lifetimes += self.time - block.made_at;
        }
    }

    /// The rows that a snapshot has to have.
    fn rows(&self) -> Vec<Row> {
        let row = |(&key, past): (&Key, &Past)| {
            let live = || self.live.iter().filter(|block| block.keys().contains(&key));
            Row {
                place: key.0,
                size_class: key.1,
                live: sum(live()),
                peak: past.peak,
                at_peak: past.at_peak,
                total: past.total,
                kept: sum(live().filter(|block| block.is_kept)),
                lifetimes: past.lifetimes + live().map(|block| self.time - block.made_at).sum::<u64>(),
            }
        };
        self.past.iter().map(row).collect()
    }
}

impl Live {
    fn check(&self, bytes: usize) {
        assert_eq!(self.block.addr() % self.layout.align(), 0);
        // SAFETY: the block is live and was filled.
        let contents = unsafe { core::slice::from_raw_parts(self.block, bytes) };
        assert!(contents.iter().all(|&byte| byte == self.fill));
    }
}

/// Plays a program; the allocator after it, and what the oracle says.
fn play(profiled: &Profiled<Inner>, program: Vec<Step>) -> Oracle {
    let mut oracle = Oracle::default();
    for step in program {
        match step {
            Step::Make {
                place,
                size,
                align,
                zeroed,
            } => {
                PLACE.set(place);
                let layout = Layout::from_size_align(size as usize, align as usize).unwrap();
                // SAFETY: no size is 0.
                let block = unsafe {
                    if zeroed {
                        profiled.alloc_zeroed(layout)
                    } else {
                        profiled.alloc(layout)
                    }
                };
                if !block.is_null() {
                    if zeroed {
                        // SAFETY: the block has so many bytes, which were zeroed.
                        let contents = unsafe { core::slice::from_raw_parts(block, layout.size()) };
                        assert!(contents.iter().all(|&byte| byte == 0));
                    }
                    oracle.make(block, layout, place);
                }
            }
            Step::Resize { which, place, size } if !oracle.live.is_empty() => {
                PLACE.set(place);
                let index = which as usize % oracle.live.len();
                let (block, layout) = (oracle.live[index].block, oracle.live[index].layout);
                oracle.live[index].check(layout.size());
                // SAFETY: the block is live, and no size is 0.
                let resized = unsafe { profiled.realloc(block, layout, size as usize) };
                if !resized.is_null() {
                    oracle.live[index].block = resized;
                    oracle.live[index].check(layout.size().min(size as usize));
                    oracle.release(index);
                    let layout = Layout::from_size_align(size as usize, layout.align()).unwrap();
                    oracle.make(resized, layout, place);
                }
            }
            Step::Release { which } if !oracle.live.is_empty() => {
                let index = which as usize % oracle.live.len();
                let live = &oracle.live[index];
                live.check(live.layout.size());
                // SAFETY: the block is live.
                unsafe { profiled.dealloc(live.block, live.layout) };
                oracle.release(index);
            }
            Step::Mark => {
                profiled.mark();
                oracle.live.iter_mut().for_each(|block| block.is_kept = false);
            }
            Step::Refuse { requests } => profiled.inner().refusals.set(requests),
            Step::Resize { .. } | Step::Release { .. } => {}
        }
    }
    profiled.inner().refusals.set(0);
    oracle
}

/// Releases everything, and the table, which a wrapper in a `static` keeps.
fn release_all(profiled: &Profiled<Inner>, oracle: Oracle) {
    for live in oracle.live {
        live.check(live.layout.size());
        // SAFETY: the block is live.
        unsafe { profiled.dealloc(live.block, live.layout) };
    }
    assert_eq!(profiled.inner().live.get(), 1, "only the table is left");
}

/// A wrapper that has its table before a request is refused.
fn profiled(entries: usize) -> Profiled<Inner> {
    let profiled = Profiled::new(Inner::default(), place).with_entries(entries);
    drop(profiled.snapshot());
    profiled
}

#[test]
fn all_counts_are_those_of_the_oracle_after_any_program() {
    test_random(programs(), AVERAGE_STEPS, |program| {
        let profiled = profiled(4096);
        let oracle = play(&profiled, program);
        let snapshot = profiled.snapshot().unwrap();
        assert!(snapshot.is_complete());
        assert_eq!(
            (snapshot.time(), snapshot.time_of_peak()),
            (oracle.time, oracle.peak_at)
        );
        if oracle.time == 0 {
            assert_eq!(snapshot.rows().len(), 1);
        } else {
            assert_eq!(snapshot.rows(), oracle.rows());
        }
        drop(snapshot);
        release_all(&profiled, oracle);
    });
}

#[test]
fn a_table_that_is_full_miscounts_nothing_but_the_place() {
    test_random(programs(), AVERAGE_STEPS, |program| {
        let profiled = profiled(32);
        let oracle = play(&profiled, program);
        let snapshot = profiled.snapshot().unwrap();
        let of_all_places = |rows: &[Row]| -> Vec<Row> {
            let of_all_places = rows.iter().filter(|row| row.place.is_none());
            of_all_places.copied().collect()
        };
        if oracle.time != 0 {
            assert_eq!(of_all_places(snapshot.rows()), of_all_places(&oracle.rows()));
        }
        let all = snapshot.row(None, None).unwrap();
        let of_places = || {
            let rows = snapshot.rows().iter();
            rows.filter(|row| row.place.is_some() && row.size_class.is_none())
        };
        for count in [
            (|row| row.live) as fn(&Row) -> Amount,
            |row| row.at_peak,
            |row| row.total,
            |row| row.kept,
        ] {
            assert_eq!(of_places().map(|row| count(row).bytes).sum::<u64>(), count(all).bytes);
            assert_eq!(of_places().map(|row| count(row).blocks).sum::<u64>(), count(all).blocks);
        }
        assert_eq!(of_places().map(|row| row.lifetimes).sum::<u64>(), all.lifetimes);
        drop(snapshot);
        release_all(&profiled, oracle);
    });
}
