//! A service that replaces its state: a large payload, and the small objects that were decoded from it.

use crate::block::{Block, Chain};
use std::cell::RefCell;

/// What one generation of the state consists of.
struct Shape {
    /// The bytes of the payload in generation `i`.
    payload: fn(i: usize) -> usize,
    /// How many small blocks follow it.
    small_blocks: usize,
}

struct Service {
    generation: usize,
    state: Chain,
}

thread_local! {
    static SERVICE: RefCell<Service> = const { RefCell::new(Service { generation: 0, state: Chain::new() }) };
}

/// The payload grows by 7,000 bytes each time, from 900,000; 1,500 small blocks follow it.
pub fn as_reported(rounds: u32) -> u64 {
    run(
        rounds,
        &Shape {
            payload: |i| 900_000 + 7000 * i,
            small_blocks: 1500,
        },
    )
}

/// The payload stays within one percent of 900,000 bytes.
pub fn steady(rounds: u32) -> u64 {
    run(
        rounds,
        &Shape {
            payload: |i| 895_500 + 7919 * i % 9001,
            small_blocks: 1500,
        },
    )
}

/// A ninth of the payload, with as many small blocks.
pub fn of_100_kb(rounds: u32) -> u64 {
    run(
        rounds,
        &Shape {
            payload: |i| 100_000 + 800 * i,
            small_blocks: 1500,
        },
    )
}

/// Nine times the payload, with as many small blocks.
pub fn of_8_mb(rounds: u32) -> u64 {
    run(
        rounds,
        &Shape {
            payload: |i| 8_000_000 + 60_000 * i,
            small_blocks: 1500,
        },
    )
}

/// A tenth of the small blocks.
pub fn with_few_small_blocks(rounds: u32) -> u64 {
    run(
        rounds,
        &Shape {
            payload: |i| 900_000 + 7000 * i,
            small_blocks: 150,
        },
    )
}

/// Ten times the small blocks.
pub fn with_many_small_blocks(rounds: u32) -> u64 {
    run(
        rounds,
        &Shape {
            payload: |i| 900_000 + 7000 * i,
            small_blocks: 15_000,
        },
    )
}

/// Replaces the state `rounds` more times: the new one is complete before the old one is released.
fn run(rounds: u32, shape: &Shape) -> u64 {
    SERVICE.with_borrow_mut(|service| {
        let mut released = 0;
        for _ in 0..rounds {
            let mut next = Chain::new();
            next.push(Block::new((shape.payload)(service.generation)));
            for number in 0..shape.small_blocks {
                next.push(Block::new(16 + 8 * (number % 24)));
            }
            released += std::mem::replace(&mut service.state, next).release();
            service.generation += 1;
        }
        released
    })
}

#[cfg(test)]
mod tests {
    use super::{as_reported, steady};
    use crate::limited_heap;

    #[test]
    fn a_state_is_released_once_the_next_one_is_complete() {
        // 62 cycles of 16 to 200 bytes, and the first 12 sizes again.
        let small = 62 * (16..=200).step_by(8).sum::<u64>() + (16..=104).step_by(8).sum::<u64>();
        let (released, left) = limited_heap::with_bytes(1 << 30, || [as_reported(1), as_reported(2)]);
        assert_eq!(released, [0, 2 * small + 900_000 + 907_000]);
        assert_eq!(left as u64, small + 914_000);
    }

    #[test]
    fn payloads_that_stay_within_one_percent_differ() {
        let sizes: Vec<usize> = (0..1000).map(|i| 895_500 + 7919 * i % 9001).collect();
        assert!(sizes.iter().all(|size| (895_500..=904_500).contains(size)));
        assert!(sizes.windows(2).all(|pair| pair[0] != pair[1]));
        assert_eq!(steady(1), 0);
    }
}
