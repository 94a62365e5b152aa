//! The counts of one row of the table.
//!
//! Time is the number of blocks made and released so far. Two sums of it replace what would otherwise need a list of all live
//! blocks, or a walk over all rows:
//!
//! - The lifetimes of a row's blocks are the times of their releases less the times at which they were made. For the live ones
//!   the present is added when somebody asks.
//! - What was live at the peak of the whole heap: a row that has not changed since that peak still has it. Otherwise its first
//!   change after the peak has kept it.

use super::header::Header;
use super::row::Amount;

/// Blocks and bytes of live blocks, which have room in memory at the same time.
#[derive(Clone, Copy)]
struct Live {
    blocks: usize,
    bytes: usize,
}

/// The counts of one row. All numbers are 0 in a row that was never used.
pub(super) struct Tally {
    /// The number of the place.
    pub(super) place: u64,
    /// The row of the place, if this is one of a place and a size class.
    pub(super) place_row: u32,
    /// What kind of place it is; 0 in a row that is not used.
    pub(super) kind: u8,
    /// The number of the size class, or [`ALL_CLASSES`].
    pub(super) class: u8,
    /// The mark since which `kept` counts.
    generation: u32,
    live: Live,
    peak: Live,
    at_peak: Live,
    kept: Live,
    total_blocks: u64,
    total_bytes: u64,
    /// The time of the last change.
    changed_at: u64,
    /// The times of the releases less those at which blocks were made, wrapped.
    lifetimes: u64,
}

// `Profiled` states what a table takes.
#[cfg(target_pointer_width = "32")]
const _: () = assert!(size_of::<Tally>() == 88);

/// In place of a size class: all of them.
pub(super) const ALL_CLASSES: u8 = u8::MAX;

/// When something happens.
#[derive(Clone, Copy)]
pub(super) struct Clock {
    /// The number of blocks made and released so far.
    pub(super) now: u64,
    /// When the most bytes were live.
    pub(super) peak_at: u64,
    /// The number of the last mark.
    pub(super) generation: u32,
}

impl Clock {
    /// The time before the first block.
    pub(super) const START: Self = Clock {
        now: 0,
        peak_at: 0,
        generation: 0,
    };
}

impl Tally {
    /// Counts a block of `size` bytes that is made. Whether as many bytes were never live before.
    #[inline]
    pub(super) fn make(&mut self, size: usize, clock: &Clock) -> bool {
        self.change(clock);
        if self.generation != clock.generation {
            self.generation = clock.generation;
            self.kept = Live { blocks: 0, bytes: 0 };
        }
        self.live.add(size);
        self.kept.add(size);
        self.total_blocks += 1;
        self.total_bytes += size as u64;
        self.lifetimes = self.lifetimes.wrapping_sub(clock.now);
        let is_peak = self.live.bytes > self.peak.bytes;
        if is_peak {
            self.peak = self.live;
        }
        is_peak
    }

    /// Counts a block of `size` bytes, made when `header` says, that is released.
    #[inline]
    pub(super) fn release(&mut self, size: usize, header: Header, clock: &Clock) {
        self.change(clock);
        self.live.subtract(size);
        if header.generation == clock.generation {
            self.kept.subtract(size);
        }
        self.lifetimes = self.lifetimes.wrapping_add(clock.now);
    }

    /// Keeps what was live at the peak, if this is the first change since.
    #[inline]
    fn change(&mut self, clock: &Clock) {
        if self.changed_at <= clock.peak_at {
            self.at_peak = self.live;
        }
        self.changed_at = clock.now;
    }

    pub(super) fn live(&self) -> Amount {
        self.live.amount()
    }

    pub(super) fn peak(&self) -> Amount {
        self.peak.amount()
    }

    pub(super) fn at_peak(&self, clock: &Clock) -> Amount {
        if self.changed_at <= clock.peak_at {
            self.live.amount()
        } else {
            self.at_peak.amount()
        }
    }

    pub(super) fn total(&self) -> Amount {
        Amount {
            blocks: self.total_blocks,
            bytes: self.total_bytes,
        }
    }

    pub(super) fn kept(&self, clock: &Clock) -> Amount {
        if self.generation == clock.generation {
            self.kept.amount()
        } else {
            Amount::default()
        }
    }

    pub(super) fn lifetimes(&self, clock: &Clock) -> u64 {
        let live = self.live.blocks as u64;
        self.lifetimes.wrapping_add(live.wrapping_mul(clock.now))
    }
}

impl Live {
    #[inline]
    fn add(&mut self, size: usize) {
        self.blocks = self.blocks.wrapping_add(1);
        self.bytes = self.bytes.wrapping_add(size);
    }

    #[inline]
    fn subtract(&mut self, size: usize) {
        self.blocks = self.blocks.wrapping_sub(1);
        self.bytes = self.bytes.wrapping_sub(size);
    }

    fn amount(self) -> Amount {
        Amount {
            blocks: self.blocks as u64,
            bytes: self.bytes as u64,
        }
    }
}
