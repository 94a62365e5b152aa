//! The size classes of `FreeingBump`: 16 for each doubling, 8 bytes apart at least. Arithmetic only.

/// log2 of how many classes there are for each doubling.
const CLASSES_SHIFT: u32 = 4;

/// Classes up to this power of two are [`STEP_BYTES`] apart.
const LINEAR_SHIFT: u32 = CLASSES_SHIFT + STEP_BYTES.trailing_zeros();

/// What the smallest classes differ by: 8, 16, 24 bytes and so on.
const STEP_BYTES: u32 = 8;

/// Blocks of at most this many bytes lie in runs of one class.
const MAX_RUN_BLOCK_BYTES: u32 = 256;

/// Blocks of at most this many bytes have a class.
const MAX_CLASS_BYTES: u32 = 1 << 15;

/// The largest alignment that blocks with a class have.
pub(crate) const MAX_CLASS_ALIGN: u32 = 16;

/// How many classes are served from runs: those with a lower number.
pub(crate) const RUN_CLASSES: u32 = SizeClass::of(MAX_RUN_BLOCK_BYTES, 1).0 + 1;

/// How many classes there are.
pub(crate) const CLASSES: u32 = SizeClass::of(MAX_CLASS_BYTES, 1).0 + 1;

const _: () = assert!(RUN_CLASSES == 32 && CLASSES == 144);

/// The number of a size class, from 0 for blocks of 8 bytes. [`CLASSES`] and more stand for requests without a class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SizeClass(u32);

impl SizeClass {
    /// The class of the smallest blocks that hold `bytes` (not 0) and are aligned to `align`, a power of two.
    pub(crate) const fn of(bytes: u32, align: u32) -> Self {
        if align > MAX_CLASS_ALIGN {
            return SizeClass(u32::MAX);
        }
        // A request aligned to 16 is rounded up to a multiple of 16, and every class that holds one is one.
        let below_align = (align / MAX_CLASS_ALIGN).wrapping_neg() & (MAX_CLASS_ALIGN - 1);
        let last = (bytes.wrapping_add(below_align) & !below_align).wrapping_sub(1);
        if last < 2 << LINEAR_SHIFT {
            return SizeClass(last / STEP_BYTES);
        }
        let exponent = 31 - last.leading_zeros();
        SizeClass((last >> (exponent - CLASSES_SHIFT)) + ((exponent - LINEAR_SHIFT) << CLASSES_SHIFT))
    }

    /// The class with this number.
    pub(crate) const fn from_number(number: u32) -> Self {
        SizeClass(number)
    }

    /// Whether blocks of this class lie in runs.
    pub(crate) const fn is_in_runs(self) -> bool {
        self.0 < RUN_CLASSES
    }

    /// Whether this is a class at all.
    pub(crate) const fn exists(self) -> bool {
        self.0 < CLASSES
    }

    /// The bytes of a block of this class.
    pub(crate) const fn bytes(self) -> u32 {
        let doubling = self.doubling();
        (self.0 + 1 - (doubling << CLASSES_SHIFT)) << (doubling + STEP_BYTES.trailing_zeros())
    }

    /// By how many powers of two blocks of this class are larger than those which are [`STEP_BYTES`] apart.
    pub(crate) const fn doubling(self) -> u32 {
        (self.0 >> CLASSES_SHIFT).saturating_sub(1)
    }

    /// The number as an index into an array of a power of two: the mask changes nothing for classes that the array has
    /// a place for, and spares the module a bounds check that can panic.
    pub(crate) const fn index<const LEN: usize>(self) -> usize {
        const { assert!(LEN.is_power_of_two()) };
        self.0 as usize % LEN
    }
}

#[cfg(test)]
mod tests {
    //! In this file since `SizeClass` is private.
    use super::*;

    #[test]
    fn a_class_is_the_smallest_that_holds_the_request_and_wastes_little() {
        let mut last = SizeClass(0);
        for bytes in 1..=MAX_CLASS_BYTES {
            let class = SizeClass::of(bytes, 1);
            assert!(class == last || class.0 == last.0 + 1, "{bytes}");
            assert!(class.bytes() >= bytes, "{bytes}: {class:?} {}", class.bytes());
            assert!(class.0 == 0 || SizeClass(class.0 - 1).bytes() < bytes, "{bytes}");
            assert!(bytes <= 128 || (class.bytes() - bytes) * 16 <= bytes, "{bytes}");
            last = class;
        }
    }

    #[test]
    fn requests_aligned_to_sixteen_have_blocks_that_are_multiples_of_it() {
        for bytes in 1..=MAX_CLASS_BYTES {
            let class = SizeClass::of(bytes, 16);
            assert_eq!(class.bytes() % 16, 0, "{bytes}");
            assert!(class.exists() && class.bytes() >= bytes, "{bytes}");
        }
    }

    #[test]
    fn large_and_over_aligned_requests_have_no_class() {
        for (bytes, align) in [(MAX_CLASS_BYTES + 1, 1), (1 << 31, 16), (1, 32), (1, 1 << 31)] {
            assert!(!SizeClass::of(bytes, align).exists());
        }
    }
}
