//! Snapshots, their difference, and what is written of them.

use super::super::{Amount, Place, Profiled, SizeClass};
use super::inner::{Inner, PLACE, place};
use core::alloc::{GlobalAlloc, Layout};
use core::fmt::{self, Write};
use std::string::String;
use std::vec::Vec;

const LAYOUT: Layout = match Layout::from_size_align(40, 8) {
    Ok(layout) => layout,
    Err(_) => unreachable!(),
};

fn make_at(profiled: &Profiled<Inner>, place: u64) -> *mut u8 {
    PLACE.set(place);
    // SAFETY: the layout is not empty.
    unsafe { profiled.alloc(LAYOUT) }
}

fn release(profiled: &Profiled<Inner>, block: *mut u8) {
    // SAFETY: the block is live.
    unsafe { profiled.dealloc(block, LAYOUT) };
}

fn amount(blocks: u64) -> Amount {
    Amount {
        blocks,
        bytes: blocks * LAYOUT.size() as u64,
    }
}

fn name(place: u64, out: &mut dyn Write) -> fmt::Result {
    write!(out, "place {place}")
}

/// A program that works at place 1 and leaks three blocks at place 2, after it has made two for good; the blocks of place 1.
fn leak(profiled: &Profiled<Inner>) -> Vec<*mut u8> {
    let old = [make_at(profiled, 1), make_at(profiled, 1)];
    profiled.mark();
    for _ in 0..3 {
        let worked_on = make_at(profiled, 1);
        make_at(profiled, 2);
        release(profiled, worked_on);
    }
    old.to_vec()
}

#[test]
fn what_is_kept_since_the_mark_names_the_place_of_the_leak_alone() {
    let profiled = Profiled::new(Inner::default(), place);
    let old = leak(&profiled);
    let kept_of = |place| {
        let snapshot = profiled.snapshot().unwrap();
        snapshot.row(Some(Place::Number(place)), None).unwrap().kept
    };
    assert_eq!((kept_of(1), kept_of(2)), (amount(0), amount(3)));
    // The release of what is older changes nothing, and a new mark begins anew.
    old.into_iter().for_each(|block| release(&profiled, block));
    assert_eq!((kept_of(1), kept_of(2)), (amount(0), amount(3)));
    profiled.mark();
    assert_eq!(kept_of(2), amount(0));
}

#[test]
fn the_difference_of_two_snapshots_has_what_was_made_and_released_between_them() {
    let profiled = Profiled::new(Inner::default(), place);
    let old = make_at(&profiled, 1);
    make_at(&profiled, 3);
    let before = profiled.snapshot().unwrap();
    make_at(&profiled, 1);
    release(&profiled, old);
    make_at(&profiled, 2);
    let after = profiled.snapshot().unwrap();
    let class = Some(SizeClass::holding(LAYOUT.size()));
    let (one, two) = (Some(Place::Number(1)), Some(Place::Number(2)));
    let changes: Vec<_> = after
        .since(&before)
        .map(|change| (change.place, change.size_class, change.made, change.released))
        .collect();
    assert_eq!(
        changes,
        [
            (None, None, amount(2), amount(1)),
            (None, class, amount(2), amount(1)),
            (one, None, amount(1), amount(1)),
            (one, class, amount(1), amount(1)),
            (two, None, amount(1), amount(0)),
            (two, class, amount(1), amount(0)),
        ]
    );
    assert_eq!(after.since(&after).count(), 0);
}

#[test]
fn a_snapshot_stays_as_it_was_counts_nothing_and_gives_its_memory_back() {
    let profiled = Profiled::new(Inner::default(), place);
    make_at(&profiled, 1);
    let live_within = profiled.inner().live.get();
    let snapshot = profiled.snapshot().unwrap();
    make_at(&profiled, 1);
    assert_eq!(snapshot.row(None, None).unwrap().live, amount(1));
    assert_eq!(profiled.snapshot().unwrap().row(None, None).unwrap().live, amount(2));
    drop(snapshot);
    assert_eq!(profiled.inner().live.get(), live_within + 1);
    profiled.inner().refusals.set(1);
    assert!(profiled.snapshot().is_none());
}

#[test]
fn before_the_first_request_a_snapshot_has_one_row_of_nothing() {
    let profiled = Profiled::new(Inner::default(), place);
    profiled.mark();
    let snapshot = profiled.snapshot().unwrap();
    assert_eq!(snapshot.rows().len(), 1);
    assert_eq!(snapshot.rows()[0].total, amount(0));
}

#[test]
fn the_table_has_the_leak_first_then_other_places_then_size_classes() {
    let profiled = Profiled::new(Inner::default(), place);
    leak(&profiled);
    let mut table = String::new();
    let snapshot = profiled.snapshot().unwrap();
    snapshot.write_table(&mut table, &name).unwrap();
    assert_eq!(
        table,
        "  kept bytes    blocks  live bytes    blocks  peak bytes   total bytes    blocks  place
         120         3         120         3         120           120         3  place 2
           0         0          80         2         120           200         5  place 1
         120         3         200         5         240           320         8  all places
         120         3         200         5         240           320         8  33 to 64 bytes
"
    );
}

#[test]
fn a_writer_that_fails_ends_the_export_with_its_error() {
    /// Takes so many bytes.
    struct Short(usize);

    impl Write for Short {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            self.0 = self.0.checked_sub(text.len()).ok_or(fmt::Error)?;
            Ok(())
        }
    }

    let profiled = Profiled::new(Inner::default(), place);
    leak(&profiled);
    let snapshot = profiled.snapshot().unwrap();
    let mut whole = String::new();
    snapshot.write_dhat(&mut whole, "leak", &name).unwrap();
    assert!(snapshot.write_dhat(&mut Short(whole.len()), "leak", &name).is_ok());
    for bytes in 0..whole.len() {
        assert!(snapshot.write_dhat(&mut Short(bytes), "leak", &name).is_err());
    }
    assert!(snapshot.write_kept_dhat(&mut Short(20), "leak", &name).is_err());
    assert!(snapshot.write_table(&mut Short(20), &name).is_err());
}
