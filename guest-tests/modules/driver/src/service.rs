//! A load like that of a service that runs for weeks: a large state that is replaced, small records that outlive many
//! of its replacements, aligned buffers, and a text that grows and shrinks.
//!
//! The service starts with a peak of load. In its first rounds every block is twice as large as any later one or, where
//! sizes are steady, as large as the largest later one. The memory of these rounds must suffice from then on. That leaves
//! an allocator a factor of about three for fragmentation, which comes and goes while sizes are random.

use fastrand::Rng;
use guest_tests::{Block, Exclusive, failure};

/// Parts of the state.
const PARTS: usize = 4;

/// Small records that are live.
const RECORDS: usize = 1024;

/// Records that one round replaces.
const REPLACED: usize = 32;

/// The rounds with the largest blocks: enough to replace every record.
const PEAK_ROUNDS: usize = 2 * RECORDS / REPLACED;

/// Buffers aligned to 16 bytes and more.
const BUFFERS: usize = 8;

struct Service {
    random: Rng,
    /// Whether the sizes of each kind of block stay within one power of two.
    steady_sizes: bool,
    round: usize,
    /// Records replaced in turn.
    replaced: usize,
    state: [Option<Block>; PARTS],
    records: [Option<Block>; RECORDS],
    buffers: [Option<Block>; BUFFERS],
    text: Option<Block>,
}

static SERVICE: Exclusive<Service> = Exclusive::new(Service {
    random: Rng::with_seed(0),
    steady_sizes: false,
    round: 0,
    replaced: 0,
    state: [const { None }; PARTS],
    records: [const { None }; RECORDS],
    buffers: [const { None }; BUFFERS],
    text: None,
});

/// Sets the seed of the sizes. If `steady_sizes` is not 0, each kind of block stays within one power of two, as allocators
/// that never merge need it.
#[unsafe(no_mangle)]
extern "C" fn begin_service(seed: u32, steady_sizes: u32) {
    SERVICE.with(|service| {
        service.random.seed(seed.into());
        service.steady_sizes = steady_sizes != 0;
    });
}

/// Serves `rounds` more rounds.
#[unsafe(no_mangle)]
extern "C" fn serve(rounds: u32) {
    SERVICE.with(|service| {
        for _ in 0..rounds {
            failure::begin_step();
            service.serve_round();
        }
    });
}

/// Checks every byte that is live.
#[unsafe(no_mangle)]
extern "C" fn check_service() {
    SERVICE.with(|service| service.blocks().for_each(Block::check));
}

impl Service {
    /// Makes a new state, part by part, with new records and buffers in between, and only then releases the old state.
    /// Every block is filled, and checked when it is released.
    fn serve_round(&mut self) {
        let mut next = [const { None }; PARTS];
        for (part, slot) in next.iter_mut().enumerate() {
            *slot = Some(self.new_block(8_192 << part, 1));
            for _ in 0..REPLACED / PARTS {
                let record = self.next_record();
                self.records[record] = Some(self.new_block(16 << (record % 4), 8));
            }
            self.resize_text([100, 900, 5_000, 40][part]);
        }
        let buffer = self.round % BUFFERS;
        self.buffers[buffer] = Some(self.new_block(300, 16 << buffer));
        self.state = next;
        self.round += 1;
    }

    /// The record to replace: each in turn at first, then any.
    fn next_record(&mut self) -> usize {
        if self.is_at_peak() {
            self.replaced += 1;
            self.replaced % RECORDS
        } else {
            self.random.usize(0..RECORDS)
        }
    }

    fn is_at_peak(&self) -> bool {
        self.round < PEAK_ROUNDS
    }

    /// A block of up to `most` bytes.
    fn new_block(&mut self, most: usize, alignment: usize) -> Block {
        let size = match (self.is_at_peak(), self.steady_sizes) {
            (true, true) => most,
            (true, false) => 2 * most,
            (false, true) => self.random.usize(most / 2 + 1..=most),
            (false, false) => self.random.usize(most / 8..=most),
        };
        Block::new(size, alignment, self.random.u8(..))
    }

    fn resize_text(&mut self, size: usize) {
        match &mut self.text {
            Some(text) => text.resize(size),
            None => self.text = Some(Block::new(size, 1, 0)),
        }
    }

    fn blocks(&self) -> impl Iterator<Item = &Block> {
        let records = self.records.iter().chain(&self.buffers).chain(&self.state);
        records.chain([&self.text]).flatten()
    }
}
