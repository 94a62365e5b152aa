//! What a snapshot says of a place and a size class.

use super::size_class::SizeClass;
use core::fmt::{self, Write};

/// Where a block was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Place {
    /// The number that the place function returned.
    Number(u64),
    /// Within the place function, which is not asked about its own blocks.
    Asking,
    /// Wherever the table had no row left for: all such blocks together, of all sizes.
    Other,
}

/// Writes the name of the place of this number, as `|place, out| write!(out, "place {place}")` does.
pub type PlaceName<'a> = dyn Fn(u64, &mut dyn Write) -> fmt::Result + 'a;

impl Place {
    /// Writes the place's name, with `name` if it has a number.
    pub(super) fn write_name(self, out: &mut dyn Write, name: &PlaceName) -> fmt::Result {
        match self {
            Place::Number(number) => name(number, out),
            Place::Asking => out.write_str("within the place function"),
            Place::Other => out.write_str("other: the table had no entry left"),
        }
    }
}

/// Blocks, and what was asked for them together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amount {
    /// The number of blocks.
    pub blocks: u64,
    /// The bytes that they were asked for, without what they were rounded up by.
    pub bytes: u64,
}

/// The counts of the blocks of one place and one size class, or of all places or all size classes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Row {
    /// The place; `None`: all places together.
    pub place: Option<Place>,
    /// The size class; `None`: all size classes together.
    pub size_class: Option<SizeClass>,
    /// What is live.
    pub live: Amount,
    /// The most bytes of this row that were live at any one time, and how many blocks they were then.
    pub peak: Amount,
    /// What of this row was live when the most bytes of all rows were, for the first time.
    pub at_peak: Amount,
    /// What was ever made. A block that is resized counts again, with its new size.
    pub total: Amount,
    /// What is live of what was made since the last [`mark`](super::Profiled::mark), or since the first call.
    pub kept: Amount,
    /// How long its blocks have lived together: the number of blocks that the program has made or released meanwhile.
    pub lifetimes: u64,
}

// `Profiled::snapshot` states what one takes.
#[cfg(target_pointer_width = "32")]
const _: () = assert!(size_of::<Row>() == 112);

/// What happened to the blocks of a place and a size class between two snapshots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Change {
    /// The place; `None`: all places together.
    pub place: Option<Place>,
    /// The size class; `None`: all size classes together.
    pub size_class: Option<SizeClass>,
    /// What was made. A block that is resized counts as released, and as made with its new size.
    pub made: Amount,
    /// What was released, whenever it was made.
    pub released: Amount,
}

impl Row {
    /// What was released since the first call.
    #[must_use]
    pub fn released(&self) -> Amount {
        self.total.less(self.live)
    }

    /// What rows are sorted by: all places first, then each place; within it all size classes first, then each.
    pub(super) fn key(&self) -> (Option<Place>, Option<SizeClass>) {
        (self.place, self.size_class)
    }
}

impl Amount {
    /// The difference; 0 instead of less.
    pub(super) fn less(self, other: Self) -> Self {
        Amount {
            blocks: self.blocks.saturating_sub(other.blocks),
            bytes: self.bytes.saturating_sub(other.bytes),
        }
    }
}
