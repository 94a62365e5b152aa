//! What a heap says of an address: how far one use of the bytes goes from there.

use super::super::run::{BLOCKS_OFFSET, capacity};
use super::super::size_class::SizeClass;
use crate::heap_map::RangeKind;

/// What lies at an address.
pub(in super::super) enum Sight {
    /// Bytes up to `end` that have one use.
    Alike { kind: RangeKind, end: u32 },
    /// A run.
    Run(RunSight),
}

impl Sight {
    /// Bytes up to `end`, or to 2^32 where that is 0, that have one use.
    pub(in super::super) const fn alike(kind: RangeKind, end: u32) -> Self {
        Sight::Alike { kind, end }
    }

    /// The first address after it; 0 for 2^32.
    pub(super) fn end(&self) -> u32 {
        match self {
            Sight::Alike { end, .. } => *end,
            Sight::Run(run) => run.end,
        }
    }
}

/// The words of the bitmap: a bit for each block of 8 bytes. A power of two, so that a masked index needs no bounds check that
/// can panic.
const WORDS: usize = 32;

const WORD_BITS: u32 = u32::BITS;

/// Which blocks of a run are free.
pub(in super::super) struct RunSight {
    /// The address of the run's first block.
    first: u32,
    class: SizeClass,
    /// The first address after the run and what stays with it.
    end: u32,
    /// Bit `n % 32` of word `n / 32` is set if and only if block `n` is free.
    free: [u32; WORDS],
}

impl RunSight {
    /// The run at this address, whose chunk ends at `end`, with all blocks live.
    pub(in super::super) fn new(run: u32, class: SizeClass, end: u32) -> Self {
        RunSight {
            first: run + BLOCKS_OFFSET,
            class,
            end,
            free: [0; WORDS],
        }
    }

    /// Notes that a block of the run is free.
    pub(in super::super) fn set_free(&mut self, block: u32) {
        let number = self.class.blocks_in(block - self.first);
        self.free[(number / WORD_BITS) as usize % WORDS] |= 1 << (number % WORD_BITS);
    }

    /// Whether the block with this number is free.
    fn is_free(&self, number: u32) -> bool {
        self.free[(number / WORD_BITS) as usize % WORDS] >> (number % WORD_BITS) & 1 != 0
    }

    /// Calls `visit` with the first address after each range of the run, in address order, and with what the range is.
    pub(super) fn for_each(&self, mut visit: impl FnMut(u32, RangeKind)) {
        let mut border = self.first;
        visit(border, RangeKind::Own);
        for number in 0..capacity(self.class) {
            border += self.class.bytes();
            let kind = if self.is_free(number) {
                RangeKind::Free
            } else {
                RangeKind::Live
            };
            visit(border, kind);
        }
        visit(self.end, RangeKind::Own);
    }
}
