//! The generator of all made-up inputs: SplitMix64, in which a seed gives the same input everywhere.
//!
//! It is written out here, since published figures rest on this sequence, and some workloads start it in a constant, which
//! the crate `rand_xoshiro` cannot.

/// A seeded sequence of random numbers.
pub struct Random(u64);

impl Random {
    /// The sequence of `seed`.
    pub const fn new(seed: u64) -> Self {
        Random(seed)
    }

    /// The next 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// A number from 0 up to, not including, `bound`, which must not be 0.
    pub fn below(&mut self, bound: usize) -> usize {
        (((self.bits() >> 32) * bound as u64) >> 32) as usize
    }

    /// A number from `low` to `high`, both included.
    pub fn within(&mut self, low: usize, high: usize) -> usize {
        low + self.below(high - low + 1)
    }

    /// One of `choices`, which must not be empty.
    pub fn choose<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[self.below(choices.len())]
    }

    /// A lower-case word of 2 to 11 letters.
    pub fn word(&mut self) -> String {
        const SYLLABLES: [&str; 16] = [
            "ba", "co", "di", "fe", "gu", "la", "me", "ni", "o", "pra", "que", "ri", "sto", "ta", "vi", "zen",
        ];
        let mut word = String::new();
        for _ in 0..self.within(2, 3) {
            let syllable: &&str = self.choose(&SYLLABLES);
            word.push_str(syllable);
        }
        word
    }

    /// A sentence of `words` words with a capital and a full stop.
    pub fn sentence(&mut self, words: usize) -> String {
        let mut sentence = String::new();
        for index in 0..words {
            let word = self.word();
            if index == 0 {
                sentence.push_str(&word[..1].to_uppercase());
                sentence.push_str(&word[1..]);
            } else {
                sentence.push(' ');
                sentence.push_str(&word);
            }
        }
        sentence.push('.');
        sentence
    }
}

#[cfg(test)]
mod tests {
    use super::Random;

    #[test]
    fn the_sequence_of_a_seed_is_the_published_one() {
        let mut random = Random::new(1_234_567);
        assert_eq!(random.bits(), 6_457_827_717_110_365_317);
        assert_eq!(random.bits(), 3_203_168_211_198_807_973);
    }

    #[test]
    fn numbers_stay_within_their_bounds_and_reach_them() {
        let mut random = Random::new(7);
        let numbers: Vec<usize> = (0..1000).map(|_| random.within(3, 6)).collect();
        assert_eq!(numbers.iter().min(), Some(&3));
        assert_eq!(numbers.iter().max(), Some(&6));
    }
}
