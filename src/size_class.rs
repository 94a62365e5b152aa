//! The size classes of `FreeingBump`: 16 for each doubling, 8 bytes apart at least. Arithmetic only.

/// log2 of how many classes there are for each doubling.
const CLASSES_SHIFT: u32 = 4;

/// Classes up to this power of two are [`STEP_BYTES`] apart.
const LINEAR_SHIFT: u32 = CLASSES_SHIFT + STEP_BYTES.trailing_zeros();

/// What the smallest classes differ by: 8, 16, 24 bytes and so on.
const STEP_BYTES: u32 = 8;

/// Requests of at most this many bytes are served from runs of one class.
pub(crate) const MAX_RUN_BLOCK_BYTES: u32 = 256;

/// Requests of at most this many bytes have a class.
pub(crate) const MAX_CLASS_BYTES: u32 = 1 << 15;

/// How many classes are served from runs.
pub(crate) const RUN_CLASSES: usize = SizeClass::of(MAX_RUN_BLOCK_BYTES).0 as usize + 1;

/// How many classes there are.
pub(crate) const CLASSES: usize = SizeClass::of(MAX_CLASS_BYTES).0 as usize + 1;

const _: () = assert!(RUN_CLASSES == 32 && CLASSES == 144);

/// The number of a class, from 0 for blocks of 8 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SizeClass(pub(crate) u32);

impl SizeClass {
    /// The class of the smallest blocks that hold `bytes`, which is 1 to [`MAX_CLASS_BYTES`].
    pub(crate) const fn of(bytes: u32) -> Self {
        let last = bytes.wrapping_sub(1);
        let exponent = 31 - (last | (1 << LINEAR_SHIFT)).leading_zeros();
        SizeClass((last >> (exponent - CLASSES_SHIFT)) + ((exponent - LINEAR_SHIFT) << CLASSES_SHIFT))
    }

    /// The bytes of a block of this class.
    pub(crate) const fn bytes(self) -> u32 {
        let doubling = (self.0 >> CLASSES_SHIFT).saturating_sub(1);
        (self.0 + 1 - (doubling << CLASSES_SHIFT)) << (doubling + STEP_BYTES.trailing_zeros())
    }

    /// The class as an index that is below 2^`BITS`, for arrays of which it is known to be in range: the mask changes
    /// nothing and spares the module a bounds check that can panic.
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
            let class = SizeClass::of(bytes);
            assert!(class == last || class.0 == last.0 + 1, "{bytes}");
            assert!(class.bytes() >= bytes, "{bytes}: {class:?} {}", class.bytes());
            assert!(class.0 == 0 || SizeClass(class.0 - 1).bytes() < bytes, "{bytes}");
            assert!(bytes <= 128 || (class.bytes() - bytes) * 16 <= bytes, "{bytes}");
            last = class;
        }
    }

    #[test]
    fn requests_that_are_multiples_of_sixteen_have_blocks_that_are() {
        for bytes in (16..=MAX_CLASS_BYTES).step_by(16) {
            assert_eq!(SizeClass::of(bytes).bytes() % 16, 0);
        }
    }
}
