//! Phases of one size after another, and a buffer that grows a little in each cycle and starts again.

use std::hint::black_box;

/// Bytes that a phase fills.
const PHASE_BYTES: usize = 100_000;

/// In each cycle, fills 100 kB in blocks of one size and releases them, for 8 sizes from 16 to 50,000 bytes.
pub fn run(cycles: u32) -> u64 {
    let mut blocks_made = 0;
    for _ in 0..cycles {
        for size in [16, 100, 40, 700, 3000, 256, 10_000, 50_000] {
            let blocks: Vec<Vec<u8>> = (0..PHASE_BYTES / size).map(|_| Vec::with_capacity(size)).collect();
            blocks_made += black_box(blocks).len() as u64;
        }
    }
    blocks_made
}

/// In each cycle, a buffer of 1000 bytes grows by an eighth until it has 100 kB, with a small block made at each step.
pub fn grow(cycles: u32) -> u64 {
    let mut steps = 0;
    for _ in 0..cycles {
        let mut buffer: Vec<u8> = Vec::new();
        let mut small: Vec<Box<u64>> = Vec::new();
        let mut bytes = 1000;
        while bytes < 100_000 {
            buffer.reserve_exact(bytes - buffer.len());
            buffer.resize(bytes, 1);
            small.push(Box::new(steps));
            bytes += bytes / 8;
            steps += 1;
        }
        black_box((buffer, small));
    }
    steps
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_cycle_makes_100_kb_of_blocks_of_each_size() {
        let expected: usize = [16, 100, 40, 700, 3000, 256, 10_000, 50_000]
            .map(|size| 100_000 / size)
            .iter()
            .sum();
        assert_eq!(super::run(1), expected as u64);
    }
}
