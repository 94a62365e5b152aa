//! A service that replaces a large state while small records live on.
//!
//! Reported as a cause of unbounded growth: the records that outlive a state lie between its blocks, so that the next
//! state, a little larger or smaller, does not fit the gaps.

use harness::{Checksum, Random};
use std::cell::RefCell;

struct Service {
    random: Random,
    /// The state of now: buffers of a few hundred kilobytes.
    state: Vec<Vec<u8>>,
    /// Small records; the oldest goes when a new one comes.
    records: Vec<String>,
    cycles: usize,
}

const LIVE_RECORDS: usize = 2000;
const RECORDS_PER_CYCLE: usize = 20;

thread_local! {
    static SERVICE: RefCell<Service> = const {
        RefCell::new(Service { random: Random::new(61), state: Vec::new(), records: Vec::new(), cycles: 0 })
    };
}

/// Runs `cycles` more cycles.
pub fn replace(cycles: u32) -> u64 {
    SERVICE.with_borrow_mut(|service| {
        let mut checksum = Checksum::new();
        for _ in 0..cycles {
            service.cycle();
            checksum.add(service.state.iter().map(|buffer| buffer.capacity() as u64).sum());
            checksum.add(service.records.len() as u64);
        }
        checksum.finish()
    })
}

impl Service {
    /// The new state is complete before the old one goes; records are made in between.
    fn cycle(&mut self) {
        let mut next = Vec::new();
        for part in 0..RECORDS_PER_CYCLE {
            let bytes = self.random.within(150_000, 250_000);
            let mut buffer = Vec::with_capacity(bytes);
            buffer.push(part as u8);
            next.push(buffer);
            let record = self.random.sentence(6);
            if self.records.len() < LIVE_RECORDS {
                self.records.push(record);
            } else {
                let oldest = (self.cycles * RECORDS_PER_CYCLE + part) % LIVE_RECORDS;
                self.records[oldest] = record;
            }
        }
        self.state = next;
        self.cycles += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::{LIVE_RECORDS, SERVICE, replace};

    #[test]
    fn records_live_on_across_cycles_up_to_their_limit() {
        replace(LIVE_RECORDS as u32 / 20 + 5);
        SERVICE.with_borrow(|service| assert_eq!(service.records.len(), LIVE_RECORDS));
    }
}
