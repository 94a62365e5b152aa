//! A `HashMap` that counts words and then forgets the rare ones.

use harness::{Checksum, Random};
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, DefaultHasher};

/// Counts `argument` words. The hasher has fixed keys: the order of the map does not depend on the allocator.
pub fn hash_map(argument: u32) -> u64 {
    let mut random = Random::new(12);
    let mut counts: HashMap<String, Vec<u32>, BuildHasherDefault<DefaultHasher>> = HashMap::default();
    for position in 0..argument {
        counts.entry(random.word()).or_default().push(position);
    }
    counts.retain(|_, positions| positions.len() > 2);
    let mut checksum = Checksum::new();
    checksum.add(counts.len() as u64);
    for (word, positions) in &counts {
        checksum.add_bytes(word.as_bytes());
        checksum.add(positions.len() as u64);
    }
    checksum.finish()
}
