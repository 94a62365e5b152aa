//! Vectors that grow by pushing, several at once, so that none is always the last block.

use harness::{Checksum, Random};

/// Pushes `argument` thousand numbers, in runs of 40, onto 16 vectors; 4 times, starting with empty vectors.
pub fn growing_vectors(argument: u32) -> u64 {
    let mut random = Random::new(13);
    let mut checksum = Checksum::new();
    for _ in 0..4 {
        let mut vectors: [Vec<u32>; 16] = Default::default();
        for run in 0..argument * 25 {
            // The smaller of two numbers: the first vectors grow longest.
            let index = random.below(16).min(random.below(16));
            vectors[index].extend((0..40).map(|number| run ^ number));
        }
        for vector in &vectors {
            checksum.add(vector.len() as u64);
            checksum.add(vector.last().copied().unwrap_or(0).into());
        }
    }
    checksum.finish()
}

#[cfg(test)]
mod tests {
    use super::growing_vectors;

    #[test]
    fn more_numbers_give_another_checksum() {
        assert_ne!(growing_vectors(4), growing_vectors(5));
    }
}
