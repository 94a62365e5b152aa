//! A `BTreeMap` of strings that is filled, thinned out, filled again and read in order.

use harness::{Checksum, Random};
use std::collections::BTreeMap;

/// Holds `argument` entries at its fullest.
pub fn btree_of_strings(argument: u32) -> u64 {
    let mut random = Random::new(11);
    let mut map: BTreeMap<String, String> = BTreeMap::new();
    for round in 0..2 {
        while map.len() < argument as usize {
            let key = format!("{}-{:04x}", random.word(), random.below(0x1_0000));
            map.insert(key, random.sentence(4));
        }
        map.retain(|key, _| key.len() % 2 == round);
    }
    let mut checksum = Checksum::new();
    for (key, value) in &map {
        checksum.add_bytes(key.as_bytes());
        checksum.add(value.len() as u64);
    }
    checksum.finish()
}
