//! The cheapest usable random numbers, since a costlier generator would hide the allocator's share of the time.

/// A linear congruential generator of 64 bits, of which the upper half is used.
pub struct Dice(u64);

impl Dice {
    /// The sequence of `seed`.
    pub const fn new(seed: u64) -> Self {
        Dice(seed)
    }

    /// A number from 0 up to, not including, `bound`.
    #[inline]
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(0x5851_f42d_4c95_7f2d)
            .wrapping_add(0x1405_7b7e_f767_814f);
        (((self.0 >> 32) * bound as u64) >> 32) as usize
    }
}
