//! What the workers do. All that is random follows from the seed and the worker's number.
//!
//! Each scenario but the last two has two parts: in the first tenth of the rounds every block is up to twice as large as any later
//! one. So the memory that the first part has taken should suffice for the second, which the host can check.

use crate::failure::{Stopped, fail, go_on};
use crate::meeting::{expected, meet, wait_until};
use crate::requests::{LARGEST_BYTES, any_size, request, size_for_own_heap};
use crate::slot::Slot;
use crate::stamped::{Stamp, StampedBlock};
use crate::unwritten::UnwrittenBlock;
use core::arch::wasm32::memory_grow;
use core::sync::atomic::{AtomicU32, Ordering};
use fastrand::Rng;

/// Gives the calling thread's heap up, where the allocator has such.
pub(crate) fn release_thread() {
    #[cfg(feature = "freeing-bump")]
    crate::ALLOCATOR.release_thread();
}

/// The most workers.
pub(crate) const MAX_WORKERS: usize = 300;

/// Blocks that are on their way from any worker to any other.
const SHARED: usize = 256;

/// Blocks that are on their way from a producer to its consumer.
const RING: usize = 64;

/// Blocks that a worker has for itself.
const OWN: usize = 200;

static SLOTS: [Slot; SHARED] = [const { Slot::new() }; SHARED];

static RINGS: [[Slot; RING]; MAX_WORKERS / 2] = [const { [const { Slot::new() }; RING] }; MAX_WORKERS / 2];

/// What the host asks for afterwards.
pub(crate) static FIGURES: [AtomicU32; 5] = [const { AtomicU32::new(0) }; 5];

/// The index of a figure.
#[derive(Clone, Copy)]
pub(crate) enum Figure {
    /// The pages after a tenth of the rounds.
    PagesAfterATenth,
    /// The pages after all rounds, before the last blocks are released.
    PagesAtTheEnd,
    /// Requests that the allocator has served.
    Served,
    /// Requests that it has refused.
    Refused,
    /// Blocks that came from another worker.
    Received,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scenario {
    /// Workers put blocks into shared slots, and resize or release what others put there.
    Exchange = 0,
    /// Workers of even numbers allocate and never release; those of odd numbers do the opposite.
    ProducersAndConsumers = 1,
    /// Each worker replaces and resizes blocks of its own.
    Churn = 2,
    /// Each worker keeps more than the memory may have, and releases some when it is refused.
    Refusals = 3,
    /// As the exchange, while workers give their heaps up at random moments.
    Ends = 4,
    /// Own blocks and exchanged ones. No worker waits for another, so that any may be stopped, or come later.
    Storm = 5,
    /// Large blocks and small ones, which nobody writes: nearly all of the time is spent in the allocator. No worker waits for
    /// another here either.
    Flood = 6,
}

impl Scenario {
    pub(crate) fn of(number: u32) -> Self {
        use Scenario::*;
        let all = [Exchange, ProducersAndConsumers, Churn, Refusals, Ends, Storm, Flood];
        match all.get(number as usize) {
            Some(&scenario) => scenario,
            None => fail(format_args!("there is no scenario {number}")),
        }
    }
}

/// One thread's part.
pub(crate) struct Worker {
    index: u32,
    random: Rng,
    /// Blocks that it has stamped.
    serial: u32,
    /// What sizes are multiplied by.
    factor: usize,
    /// What it adds to each figure at its end.
    counts: [u32; FIGURES.len()],
    own: [Option<StampedBlock>; OWN],
}

impl Worker {
    pub(crate) fn new(index: u32, seed: u32) -> Self {
        if index as usize >= MAX_WORKERS {
            fail(format_args!("there is no worker {index}, only {MAX_WORKERS}"));
        }
        Worker {
            index,
            random: Rng::with_seed((u64::from(seed) << 32) | u64::from(index)),
            serial: 0,
            factor: 1,
            counts: [0; FIGURES.len()],
            own: [const { None }; OWN],
        }
    }

    /// Plays the scenario and adds what it has counted to the figures.
    pub(crate) fn play(mut self, scenario: Scenario, rounds: u32) -> Result<(), Stopped> {
        let outcome = self.play_parts(scenario, rounds);
        for (figure, count) in FIGURES.iter().zip(self.counts) {
            figure.fetch_add(count, Ordering::Relaxed);
        }
        outcome
    }

    fn play_parts(&mut self, scenario: Scenario, rounds: u32) -> Result<(), Stopped> {
        if matches!(scenario, Scenario::Storm | Scenario::Flood) {
            return self.part(scenario, rounds);
        }
        if scenario == Scenario::ProducersAndConsumers && !expected().is_multiple_of(2) {
            fail(format_args!("each producer needs a consumer"));
        }
        meet()?;
        self.factor = 2;
        self.part(scenario, rounds / 10)?;
        self.record(Figure::PagesAfterATenth)?;
        self.factor = 1;
        self.part(scenario, rounds - rounds / 10)?;
        self.record(Figure::PagesAtTheEnd)?;
        let all = expected() as usize;
        for slot in SLOTS.iter().skip(self.index as usize).step_by(all) {
            drop(slot.take());
        }
        self.own.fill_with(|| None);
        meet()
    }

    /// Notes the pages when all workers are here.
    fn record(&self, figure: Figure) -> Result<(), Stopped> {
        meet()?;
        if self.index == 0 {
            FIGURES[figure as usize].store(pages(), Ordering::Relaxed);
        }
        meet()
    }

    fn part(&mut self, scenario: Scenario, rounds: u32) -> Result<(), Stopped> {
        for round in 0..rounds {
            go_on()?;
            match scenario {
                Scenario::Exchange => self.exchange(),
                Scenario::ProducersAndConsumers if self.index.is_multiple_of(2) => self.produce(round)?,
                Scenario::ProducersAndConsumers => self.consume(round)?,
                Scenario::Churn => self.churn(),
                Scenario::Refusals => self.keep_all(),
                Scenario::Ends => {
                    self.exchange();
                    if self.random.u32(0..100) == 0 {
                        release_thread();
                    }
                }
                Scenario::Storm => {
                    self.exchange();
                    self.churn();
                }
                Scenario::Flood => self.flood(),
            }
        }
        Ok(())
    }

    fn exchange(&mut self) {
        let size = any_size(&mut self.random);
        let block = self.make(size);
        self.pass_on(block);
        let Some(mut received) = self.any_slot().take() else {
            return;
        };
        self.count(Figure::Received);
        match self.random.u32(0..4) {
            0 => {
                let size = any_size(&mut self.random);
                self.resize(&mut received, size);
                self.pass_on(received);
            }
            1 => {
                let index = self.random.usize(0..OWN);
                self.own[index] = Some(received);
            }
            _ => drop(received),
        }
    }

    /// Puts the block into a slot; where that is not free, it is released.
    fn pass_on(&mut self, block: StampedBlock) {
        drop(self.any_slot().put(block));
    }

    fn produce(&mut self, round: u32) -> Result<(), Stopped> {
        let size = size_for_own_heap(&mut self.random);
        let block = self.make(size);
        let slot = &RINGS[self.index as usize / 2][round as usize % RING];
        wait_until(|| slot.is_free())?;
        if slot.put(block).is_some() {
            fail(format_args!(
                "a second producer has come to the ring of worker {}",
                self.index
            ));
        }
        Ok(())
    }

    fn consume(&mut self, round: u32) -> Result<(), Stopped> {
        let slot = &RINGS[self.index as usize / 2][round as usize % RING];
        wait_until(|| slot.is_full())?;
        if slot.take().is_none() {
            fail(format_args!(
                "a second consumer has come to the ring of worker {}",
                self.index
            ));
        }
        self.count(Figure::Received);
        Ok(())
    }

    fn churn(&mut self) {
        let index = self.random.usize(0..OWN);
        match self.own[index].take() {
            Some(mut block) if self.random.u32(0..3) == 0 => {
                let size = size_for_own_heap(&mut self.random);
                self.resize(&mut block, size);
                self.own[index] = Some(block);
            }
            Some(block) if self.random.bool() => drop(block),
            _ => {
                let size = size_for_own_heap(&mut self.random);
                self.own[index] = Some(self.make(size));
            }
        }
    }

    /// Makes some blocks, and releases them.
    fn flood(&mut self) {
        let mut blocks = [const { None }; 8];
        for block in &mut blocks {
            let size = match self.random.bool() {
                true => self.random.usize(1..=LARGEST_BYTES),
                false => self.random.usize(1..=256),
            };
            let request = request(size, &mut self.random);
            *block = UnwrittenBlock::make(request);
            self.count(if block.is_some() {
                Figure::Served
            } else {
                Figure::Refused
            });
        }
    }

    /// Replaces or resizes one block. When that is refused, releases one in five.
    fn keep_all(&mut self) {
        let index = self.random.usize(0..OWN);
        let size = self.factor * any_size(&mut self.random);
        let served = match self.own[index].take() {
            Some(mut block) if self.random.bool() => {
                let stamp = self.next_stamp();
                let served = block.resize(size, stamp);
                self.own[index] = Some(block);
                served
            }
            _ => {
                let request = request(size, &mut self.random);
                self.own[index] = StampedBlock::make(request, self.next_stamp());
                self.own[index].is_some()
            }
        };
        if served {
            self.count(Figure::Served);
            return;
        }
        self.count(Figure::Refused);
        for block in &mut self.own {
            if self.random.u32(0..5) == 0 {
                *block = None;
            }
        }
    }

    /// A new block, which the allocator must serve.
    fn make(&mut self, size: usize) -> StampedBlock {
        let size = self.factor * size;
        let request = request(size, &mut self.random);
        match StampedBlock::make(request, self.next_stamp()) {
            Some(block) => {
                self.count(Figure::Served);
                block
            }
            None => fail(format_args!(
                "worker {} was refused {size} bytes at {}",
                self.index, request.align
            )),
        }
    }

    /// Resizes a block, which the allocator must serve.
    fn resize(&mut self, block: &mut StampedBlock, size: usize) {
        let size = self.factor * size;
        if !block.resize(size, self.next_stamp()) {
            fail(format_args!(
                "worker {} was refused {size} bytes for {block}",
                self.index
            ));
        }
        self.count(Figure::Served);
    }

    fn next_stamp(&mut self) -> Stamp {
        self.serial += 1;
        Stamp {
            worker: self.index,
            serial: self.serial,
        }
    }

    fn count(&mut self, figure: Figure) {
        self.counts[figure as usize] += 1;
    }

    fn any_slot(&mut self) -> &'static Slot {
        &SLOTS[self.random.usize(0..SHARED)]
    }
}

/// Releases the blocks in the shared slots, which workers of a storm leave there.
pub(crate) fn release_shared_blocks() {
    for slot in &SLOTS {
        drop(slot.take());
    }
}

/// The pages of the memory. `memory.size` may be an older number in V8, when another thread has grown the memory.
pub(crate) fn pages() -> u32 {
    memory_grow::<0>(0) as u32
}
