//! The rows of a profile, and the hash table that finds the row of a place and a size class.
//!
//! ```text
//! +-----+----------------------------+-------+------------------------------------------------+
//! | all | one for each size class    | other | a hash table: the rows of places, and those of |
//! |     | of all places              |       | a place and a size class                       |
//! +-----+----------------------------+-------+------------------------------------------------+
//! 0     1                                    FIXED_ROWS
//! ```
//!
//! A block counts in four rows: that of its place and size class, that of its place, that of its size class, and the first. So
//! each of them has a peak of its own. A row that is in use stays where it is, since headers have its index. One slot in eight
//! stays empty. Where that leaves no room, a block counts as of another place, in the row `other`.

use super::header::Header;
use super::row::{Place, Row};
use super::size_class::SizeClass;
use super::tally::{ALL_CLASSES, Clock, Tally};

/// The row of all places and all size classes.
const ALL: usize = 0;

/// The row of the blocks for whose place and size class there was no room.
const OTHER: usize = SizeClass::COUNT + 1;

/// The rows before the hash table.
const FIXED_ROWS: usize = OTHER + 1;

/// No row.
const NONE: usize = u32::MAX as usize;

/// The row of a size class of all places.
const fn row_of_class(class: SizeClass) -> usize {
    class.number() as usize + 1
}

// The kinds of places in a row. 0 is that of a row that is not used.
const NUMBER: u8 = 1;
const ASKING: u8 = 2;

/// The rows that a block counts in, the first one of which is `row`, and the last one [`ALL`].
#[inline]
fn rows_of(rows: &[Tally], row: usize, class: SizeClass) -> [usize; 4] {
    let place_row = match rows.get(row) {
        Some(tally) if row != OTHER => tally.place_row as usize,
        _ => NONE,
    };
    [row, place_row, row_of_class(class), ALL]
}

/// What the table knows beside its rows.
#[derive(Clone, Copy)]
pub(super) struct State {
    clock: Clock,
    /// Slots of the hash table that are in use.
    used: usize,
}

impl State {
    pub(super) const fn new() -> Self {
        State {
            clock: Clock::START,
            used: 0,
        }
    }
}

/// The rows and the state of a profile.
pub(super) struct Table<'a> {
    rows: &'a mut [Tally],
    state: &'a mut State,
}

impl<'a> Table<'a> {
    /// The number of rows of a table whose hash table has `slots`, a power of two.
    pub(super) const fn row_count(slots: usize) -> usize {
        FIXED_ROWS + slots
    }

    /// The table of these rows, which were all 0 at first: [`row_count`](Self::row_count) of them.
    #[inline]
    pub(super) fn new(rows: &'a mut [Tally], state: &'a mut State) -> Self {
        Table { rows, state }
    }

    /// Counts a block of `size` bytes that was made at `place`; its header.
    pub(super) fn make(&mut self, place: Place, size: usize) -> Header {
        let class = SizeClass::holding(size);
        let row = self.row_of(place, class);
        let clock = &mut self.state.clock;
        clock.now += 1;
        let mut is_peak = false;
        for row in rows_of(self.rows, row, class) {
            if let Some(tally) = self.rows.get_mut(row) {
                is_peak = tally.make(size, clock);
            }
        }
        // The last row was that of all places and all size classes.
        if is_peak {
            clock.peak_at = clock.now;
        }
        Header {
            row: row as u32,
            generation: clock.generation,
        }
    }

    /// Counts the release of the block of `size` bytes that has this header.
    pub(super) fn release(&mut self, header: Header, size: usize) {
        if header == Header::UNCOUNTED {
            return;
        }
        let clock = &mut self.state.clock;
        clock.now += 1;
        for row in rows_of(self.rows, header.row as usize, SizeClass::holding(size)) {
            if let Some(tally) = self.rows.get_mut(row) {
                tally.release(size, header, clock);
            }
        }
    }

    /// Counts what is made from now on as kept, and nothing else.
    pub(super) fn mark(&mut self) {
        self.state.clock.generation = self.state.clock.generation.wrapping_add(1);
    }

    /// The present time.
    pub(super) fn clock(&self) -> Clock {
        self.state.clock
    }

    /// The number of [`used_rows`](Self::used_rows).
    pub(super) fn used_row_count(&self) -> usize {
        self.used_rows().count()
    }

    /// All rows that were ever counted in, and the first one, in no order.
    pub(super) fn used_rows(&self) -> impl Iterator<Item = Row> {
        let clock = self.state.clock;
        self.rows.iter().enumerate().filter_map(move |(index, tally)| {
            let total = tally.total();
            if total.blocks == 0 && index != ALL {
                return None;
            }
            let (place, size_class) = Self::key_of(index, tally);
            Some(Row {
                place,
                size_class,
                live: tally.live(),
                peak: tally.peak(),
                at_peak: tally.at_peak(&clock),
                total,
                kept: tally.kept(&clock),
                lifetimes: tally.lifetimes(&clock),
            })
        })
    }

    fn key_of(index: usize, tally: &Tally) -> (Option<Place>, Option<SizeClass>) {
        match index {
            ALL => (None, None),
            OTHER => (Some(Place::Other), None),
            _ if index < OTHER => (None, Some(SizeClass::numbered((index - 1) as u8))),
            _ => {
                let place = match tally.kind {
                    NUMBER => Place::Number(tally.place),
                    _ => Place::Asking,
                };
                let is_of_a_class = tally.class != ALL_CLASSES;
                (Some(place), is_of_a_class.then_some(SizeClass::numbered(tally.class)))
            }
        }
    }

    /// The row of a place and a size class, which is [`OTHER`] if there is none and no room for it.
    #[inline]
    fn row_of(&mut self, place: Place, class: SizeClass) -> usize {
        let (kind, number) = match place {
            Place::Number(number) => (NUMBER, number),
            Place::Asking => (ASKING, 0),
            Place::Other => return OTHER,
        };
        let key = Key {
            kind,
            number,
            class: class.number(),
        };
        match self.find(key) {
            Slot::Used(row) => row,
            Slot::Empty(_) => self.add(key),
        }
    }

    /// Makes the row of a place and a size class, and that of the place if it has none.
    #[cold]
    fn add(&mut self, key: Key) -> usize {
        let of_place = Key {
            class: ALL_CLASSES,
            ..key
        };
        let found = self.find(of_place);
        let needed = match found {
            Slot::Used(_) => 1,
            Slot::Empty(_) => 2,
        };
        let slots = self.rows.len() - FIXED_ROWS;
        if self.state.used + needed > slots - slots / 8 {
            return OTHER;
        }
        let place_row = match found {
            Slot::Used(row) => row,
            Slot::Empty(row) => self.fill(row, of_place, NONE),
        };
        match self.find(key) {
            Slot::Used(row) => row,
            Slot::Empty(row) => self.fill(row, key, place_row),
        }
    }

    fn fill(&mut self, row: usize, key: Key, place_row: usize) -> usize {
        if let Some(tally) = self.rows.get_mut(row) {
            tally.kind = key.kind;
            tally.place = key.number;
            tally.class = key.class;
            tally.place_row = place_row as u32;
            self.state.used += 1;
        }
        row
    }

    /// The slot of this key, or the empty one that it would take. There always is an empty one.
    #[inline(never)]
    fn find(&self, key: Key) -> Slot {
        let mask = self.rows.len() - FIXED_ROWS - 1;
        let mut slot = key.hash();
        loop {
            let row = FIXED_ROWS + (slot & mask);
            match self.rows.get(row) {
                Some(tally) if tally.kind != 0 => {
                    if key.is_of(tally) {
                        return Slot::Used(row);
                    }
                }
                _ => return Slot::Empty(row),
            }
            slot = slot.wrapping_add(1);
        }
    }
}

enum Slot {
    Used(usize),
    Empty(usize),
}

/// What finds a row.
#[derive(Clone, Copy)]
struct Key {
    kind: u8,
    class: u8,
    number: u64,
}

impl Key {
    fn is_of(&self, tally: &Tally) -> bool {
        tally.place == self.number && tally.class == self.class && tally.kind == self.kind
    }

    /// Knuth's multiplicative hashing (The Art of Computer Programming, volume 3, section 6.4): the key times 2^64 divided by
    /// the golden ratio. The bits of the result depend on all bits of the factor from bit 32 down, so the upper half is folded
    /// into the lower.
    fn hash(&self) -> usize {
        let folded = self.number ^ self.number >> 32 ^ u64::from(self.kind) << 20 ^ u64::from(self.class) << 24;
        (folded.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as usize
    }
}
