//! Two large blocks, released in the order they were made: the pattern in which wee_alloc loses a block per cycle.

use std::hint::black_box;

/// Runs `cycles` cycles.
pub fn run(cycles: u32) -> u64 {
    let mut bytes = 0;
    for _ in 0..cycles {
        let first: Vec<u8> = black_box(Vec::with_capacity(85_196));
        let second: Vec<u8> = black_box(Vec::with_capacity(80_000));
        bytes += (first.capacity() + second.capacity()) as u64;
        drop(first);
        drop(second);
    }
    bytes
}

#[cfg(test)]
mod tests {
    #[test]
    fn each_cycle_makes_both_blocks() {
        assert_eq!(super::run(3), 3 * 165_196);
    }
}
