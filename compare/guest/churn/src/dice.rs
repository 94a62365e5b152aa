//! The cheapest usable random numbers, since a costlier generator would hide the allocator's share of the time. It is
//! written out here, since published figures rest on this sequence.

/// A linear congruential generator of 32 bits (Numerical Recipes), of which the upper half is used.
pub struct Dice(u32);

impl Dice {
    /// The sequence of `seed`.
    pub const fn new(seed: u32) -> Self {
        Dice(seed)
    }

    /// A number from 0 up to, not including, `bound`, which is at most 65,536.
    #[inline]
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (((self.0 >> 16) * bound as u32) >> 16) as usize
    }
}
