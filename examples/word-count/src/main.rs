//! Counts the words of the standard input and prints the most frequent ones.

use freeing_bump::FreeingBump;
use std::cmp::Reverse;
use std::collections::HashMap;
use std::io;

#[global_allocator]
static ALLOCATOR: FreeingBump = FreeingBump::new();

/// How many words are printed.
const PRINTED: usize = 10;

fn main() -> io::Result<()> {
    let mut counts: HashMap<String, u64> = HashMap::new();
    for line in io::stdin().lines() {
        for word in line?.split(|character: char| !character.is_alphanumeric()) {
            if !word.is_empty() {
                *counts.entry(word.to_lowercase()).or_default() += 1;
            }
        }
    }

    let total: u64 = counts.values().sum();
    let mut by_count: Vec<(String, u64)> = counts.into_iter().collect();
    by_count.sort_by(|(word, count), (other_word, other_count)| {
        (Reverse(count), word).cmp(&(Reverse(other_count), other_word))
    });

    println!("{total} words, {} of them different", by_count.len());
    for (word, count) in by_count.iter().take(PRINTED) {
        println!("{count:8} {word}");
    }
    let heap = ALLOCATOR.stats();
    eprintln!(
        "heap: {} bytes, {} of them live",
        heap.address_space_bytes, heap.live_bytes
    );
    Ok(())
}
