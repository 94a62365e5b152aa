//! Which of the [`bins`](super::bins) a free chunk lies in, by its span: 16 for each doubling. Arithmetic only.

use super::bins::{BINS, SEARCHED_BINS};
use super::chunk::GRANULE_BYTES;
use super::size_class::CLASSES;
use core::ops::Range;

/// log2 of how many bins there are for each doubling of the span.
const BINS_SHIFT: u32 = 4;

/// Below this power of two there is a bin for each span.
const LINEAR_SHIFT: u32 = GRANULE_BYTES.trailing_zeros() + BINS_SHIFT;

/// The bin of reserves, which the search leaves out.
pub(super) const RESERVES: usize = SEARCHED_BINS;

/// The bin of chunks with this span: that of the greatest lower bound. The bins before those of chunks are the runs', one for
/// each size class.
pub(super) const fn bin_of(span: u32) -> usize {
    let exponent = 31 - (span | (1 << LINEAR_SHIFT)).leading_zeros();
    let bin = (span >> (exponent - BINS_SHIFT)) + ((exponent - LINEAR_SHIFT) << BINS_SHIFT);
    (CLASSES + bin as usize) % BINS
}

const _: () = assert!(bin_of(GRANULE_BYTES) >= CLASSES);
// The search looks at no word of the bitmap that has no bin of chunks.
const _: () = assert!((bin_of(u32::MAX) + 1).next_multiple_of(32) == RESERVES);

/// All bins of chunks.
pub(super) const CHUNK_BINS: Range<usize> = CLASSES..RESERVES + 1;

#[cfg(test)]
mod tests {
    //! In this file since the functions are private.
    use super::*;

    #[test]
    fn bins_are_in_order_and_each_holds_spans_that_differ_by_less_than_a_sixteenth() {
        let mut first = 16;
        for span in (16..1 << 20).step_by(16) {
            if bin_of(span) != bin_of(first) {
                assert_eq!(bin_of(span), bin_of(first) + 1, "{span}");
                first = span;
            }
            assert!((span - first) * 16 < span, "{span}");
        }
        assert!((20..31).all(|shift| bin_of(2 << shift) == bin_of(1 << shift) + (1 << BINS_SHIFT)));
        assert_eq!((bin_of(u32::MAX) + 1).next_multiple_of(32), RESERVES);
        assert!(bin_of(GRANULE_BYTES) >= CLASSES);
    }
}
