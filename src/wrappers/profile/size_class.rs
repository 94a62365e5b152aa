//! Which sizes are counted together.

/// The sizes that are counted together: those up to 8 bytes, and then those above each power of two up to the next.
///
/// It is finer than it looks: a row of a profile has the sum of its blocks' sizes beside their number, and so their mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SizeClass(u8);

/// log2 of the largest size of the first class.
const FIRST_LOG2: u32 = 3;

impl SizeClass {
    /// The number of classes; the last one ends with `isize::MAX + 1`, above which there is no layout.
    pub(super) const COUNT: usize = (usize::BITS - FIRST_LOG2) as usize;

    /// The class that holds blocks of `size` bytes; the last one for sizes that no layout has.
    #[inline]
    #[must_use]
    pub const fn holding(size: usize) -> Self {
        let last_byte = size.saturating_sub(1) & isize::MAX as usize;
        let bits = usize::BITS - (last_byte | ((1 << FIRST_LOG2) - 1)).leading_zeros();
        SizeClass((bits - FIRST_LOG2) as u8)
    }

    /// The class of this number, from 0 on.
    pub(super) const fn numbered(number: u8) -> Self {
        SizeClass(number)
    }

    /// Its number, below [`COUNT`](Self::COUNT).
    #[inline]
    pub(super) const fn number(self) -> u8 {
        self.0
    }

    /// The smallest size in bytes.
    #[must_use]
    pub const fn smallest_bytes(self) -> usize {
        match self.0 {
            0 => 1,
            _ => self.largest_bytes() / 2 + 1,
        }
    }

    /// The largest size in bytes: a power of two, 8 at least.
    #[must_use]
    pub const fn largest_bytes(self) -> usize {
        1 << (self.0 as u32 + FIRST_LOG2)
    }
}

#[cfg(test)]
mod tests {
    use super::SizeClass;

    #[test]
    fn each_size_lies_between_the_smallest_and_the_largest_of_its_class_and_classes_touch() {
        for size in (1..5_000).chain([1 << 30, (1 << 30) + 1, isize::MAX as usize]) {
            let class = SizeClass::holding(size);
            assert!(
                (class.smallest_bytes()..=class.largest_bytes()).contains(&size),
                "{size}"
            );
            assert!((class.number() as usize) < SizeClass::COUNT);
            assert_eq!(SizeClass::holding(class.largest_bytes()), class);
            assert_eq!(SizeClass::holding(class.smallest_bytes()), class);
        }
        let ends: [usize; 4] = core::array::from_fn(|number| SizeClass::numbered(number as u8).largest_bytes());
        assert_eq!(ends, [8, 16, 32, 64]);
        assert_eq!(SizeClass::holding(usize::MAX), SizeClass::holding(isize::MAX as usize));
    }
}
