//! The size classes of the blocks that lie in runs: 8 bytes apart to 256 bytes, then 16 bytes apart to 512. Arithmetic only.

use crate::heaps::Request;
use core::num::NonZeroU32;

/// All classes are multiples of it. Those to [`LAST_FINE_CLASS_BYTES`] differ by it.
const STEP_BYTES: u32 = 8;

/// The last class before those that differ by [`COARSE_STEP_BYTES`].
const LAST_FINE_CLASS_BYTES: u32 = 256;

/// What the classes of larger blocks differ by: at most a sixteenth of them.
const COARSE_STEP_BYTES: u32 = 16;

/// Blocks of at most this many bytes have a class.
const MAX_CLASS_BYTES: u32 = 512;

/// The bytes of the smallest blocks that serve other classes than their own.
const LEAST_SHARED_BYTES: u32 = 16;

/// The largest alignment that blocks with a class can have.
pub(super) const MAX_CLASS_ALIGN: u32 = 16;

/// The number of classes. Those between the coarse ones, which no request has, count too. That makes it a power of two: a
/// masked index needs no bounds check.
pub(super) const CLASSES: usize = (MAX_CLASS_BYTES / STEP_BYTES) as usize;

/// The bytes of a class's blocks in steps of 8 bytes: not 0, so that `None` is a plain 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SizeClass(NonZeroU32);

impl SizeClass {
    /// The class of the smallest blocks that serve a request, or none.
    #[inline]
    pub(super) const fn of(request: Request) -> Option<Self> {
        let Request { size: bytes, align } = request;
        if bytes > MAX_CLASS_BYTES || align > MAX_CLASS_ALIGN {
            return None;
        }
        let step = if bytes > LAST_FINE_CLASS_BYTES {
            COARSE_STEP_BYTES
        } else {
            STEP_BYTES
        };
        // `align / 16` is 1 for requests aligned to 16, else 0: for 1 the number of steps becomes even.
        let last_step = (((bytes - 1) | (step - 1)) / STEP_BYTES) | (align / MAX_CLASS_ALIGN);
        Self::with_steps(last_step + 1)
    }

    /// Whether a request has a class.
    #[cfg(any(for_threads, test))]
    #[inline]
    pub(super) const fn serves(request: Request) -> bool {
        request.size <= MAX_CLASS_BYTES && request.align <= MAX_CLASS_ALIGN
    }

    /// The class with this number of steps of 8 bytes; none for 0.
    pub(super) const fn with_steps(steps: u32) -> Option<Self> {
        match NonZeroU32::new(steps) {
            Some(steps) => Some(SizeClass(steps)),
            None => None,
        }
    }

    /// The class with this number of steps of 8 bytes, as [`steps`](Self::steps) returned it.
    pub(super) const fn from_steps(steps: u32) -> Self {
        match Self::with_steps(steps) {
            Some(class) => class,
            None => SizeClass(NonZeroU32::MIN),
        }
    }

    /// The bytes of a block of this class, in steps of 8.
    pub(super) const fn steps(self) -> u32 {
        self.0.get()
    }

    /// How many blocks of this class fit into `bytes`. A division by what cannot be 0 spares the module a check that can
    /// panic.
    pub(super) const fn blocks_in(self, bytes: u32) -> u32 {
        bytes / STEP_BYTES / self.0.get()
    }

    /// The class whose runs serve this one until it has runs of its own: that of the next power of two, of 16 bytes at least.
    pub(super) fn shared(self) -> Self {
        Self::from_steps(self.steps().next_power_of_two().max(LEAST_SHARED_BYTES / STEP_BYTES))
    }

    /// The next class whose blocks are larger and aligned at least as well, or none.
    pub(super) const fn larger(self) -> Option<Self> {
        let steps = self.steps() + 2 - self.steps() % 2;
        if steps <= CLASSES as u32 {
            Some(Self::from_steps(steps))
        } else {
            None
        }
    }

    /// All classes, from the largest blocks to the smallest.
    pub(super) fn all() -> impl Iterator<Item = Self> {
        (1..=CLASSES as u32).rev().filter_map(NonZeroU32::new).map(SizeClass)
    }

    /// Whether a block of this class has room in one of another, and fills more than half of it.
    #[cfg(feature = "malloc")]
    pub(super) const fn fills_more_than_half_of(self, class: Self) -> bool {
        self.steps() <= class.steps() && class.steps() < 2 * self.steps()
    }

    /// The bytes of a block of this class.
    pub(super) const fn bytes(self) -> u32 {
        self.0.get() * STEP_BYTES
    }

    /// The class's place in an array with one for each: that of the smallest blocks is 0. [`of`](Self::of) adds 1, which this
    /// takes back, so that neither is left in the code. The modulus spares the module a bounds check that can panic.
    pub(super) const fn index(self) -> usize {
        (self.0.get() - 1) as usize % CLASSES
    }
}

#[cfg(test)]
mod tests {
    //! In this file since `SizeClass` is private.
    use super::*;

    fn class_of(size: u32, align: u32) -> Option<SizeClass> {
        SizeClass::of(Request { size, align })
    }

    #[test]
    fn a_class_is_the_smallest_that_holds_the_request() {
        for bytes in 1..=MAX_CLASS_BYTES {
            let class = class_of(bytes, 1).unwrap();
            let step = if bytes <= 256 { 8 } else { 16 };
            assert_eq!(class.bytes(), bytes.next_multiple_of(step));
            assert_eq!(class_of(bytes, 8), Some(class));
            assert!(SizeClass::serves(Request { size: bytes, align: 16 }));
            assert!(class.index() < CLASSES);
        }
    }

    #[test]
    fn requests_aligned_to_sixteen_have_blocks_that_are_multiples_of_it() {
        for bytes in 1..=MAX_CLASS_BYTES {
            assert_eq!(class_of(bytes, 16).unwrap().bytes(), bytes.next_multiple_of(16));
        }
    }

    #[test]
    fn large_and_over_aligned_requests_have_no_class() {
        for (bytes, align) in [(MAX_CLASS_BYTES + 1, 1), (1 << 31, 16), (1, 32), (1, 1 << 31)] {
            assert_eq!(class_of(bytes, align), None);
            assert!(!SizeClass::serves(Request { size: bytes, align }));
        }
    }
}
