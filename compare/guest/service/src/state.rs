//! A service that replaces a large state while small records live on.
//!
//! Reported as a cause of unbounded growth: the records that outlive a state lie between its blocks. The next state, a
//! little larger or smaller, does not fit the gaps.

use harness::{Checksum, Random};
use std::cell::RefCell;

struct Service {
    random: Random,
    /// The present state: buffers of a few hundred kilobytes.
    state: Vec<Vec<u8>>,
    /// Small records. A new one replaces the oldest.
    records: Vec<String>,
    /// The record that is replaced next.
    oldest: usize,
}

const BUFFERS: usize = 20;
const RECORDS_PER_BUFFER: usize = 2;

/// As many as 10 cycles make. After these the program holds no more than before.
const LIVE_RECORDS: usize = 10 * BUFFERS * RECORDS_PER_BUFFER;

thread_local! {
    static SERVICE: RefCell<Service> = const {
        RefCell::new(Service { random: Random::new(61), state: Vec::new(), records: Vec::new(), oldest: 0 })
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
    /// The new state is complete before the old one is released. Records are made in between.
    fn cycle(&mut self) {
        let mut next = Vec::new();
        for part in 0..BUFFERS {
            let bytes = self.random.within(150_000, 250_000);
            let mut buffer = Vec::with_capacity(bytes);
            buffer.push(part as u8);
            next.push(buffer);
            for _ in 0..RECORDS_PER_BUFFER {
                let record = self.random.sentence(6);
                if self.records.len() < LIVE_RECORDS {
                    self.records.push(record);
                } else {
                    self.records[self.oldest] = record;
                    self.oldest = (self.oldest + 1) % LIVE_RECORDS;
                }
            }
        }
        self.state = next;
    }
}

#[cfg(test)]
mod tests {
    use super::{LIVE_RECORDS, SERVICE, replace};

    #[test]
    fn after_ten_cycles_there_are_no_more_records_and_the_newest_are_kept() {
        replace(10);
        SERVICE.with_borrow(|service| assert_eq!((service.records.len(), service.oldest), (LIVE_RECORDS, 0)));
        replace(1);
        SERVICE.with_borrow(|service| assert_eq!((service.records.len(), service.oldest), (LIVE_RECORDS, 40)));
    }
}
