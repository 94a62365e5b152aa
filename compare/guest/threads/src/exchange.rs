//! Workers that exchange blocks: each puts what it makes into a random slot that all share, and releases what lay there. So
//! most blocks are released by another worker than made them.

use crate::message::Message;
use crate::stage::worker;
use churn::Dice;
use std::cell::RefCell;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::AcqRel;

/// The blocks that are live in the end.
const SLOTS: usize = 1_200;

/// Sizes from 8 bytes to 128 KiB. Each power of two is as likely as the others: about 13 kB in the mean.
const LEAST_POWER: usize = 3;
const MOST_POWER: usize = 17;

static TABLE: [AtomicUsize; SLOTS] = [const { AtomicUsize::new(0) }; SLOTS];

thread_local! {
    static DICE: RefCell<Option<Dice>> = const { RefCell::new(None) };
}

/// Seeds the random numbers of this worker.
pub fn prepare(_: u32) -> u64 {
    DICE.set(Some(Dice::new(0xe8c + worker() as u32)));
    0
}

/// Puts `blocks` blocks into slots; returns their number.
pub fn exchange(blocks: u32) -> u64 {
    DICE.with_borrow_mut(|dice| {
        let dice = dice.as_mut().expect("prepare the random numbers first");
        for _ in 0..blocks {
            let slot = &TABLE[dice.below(SLOTS)];
            let number = slot.swap(Message::new(size(dice)).into_number(), AcqRel);
            // SAFETY: the number was in a slot, and whoever swaps it out is the only one that has it.
            if let Some(message) = unsafe { Message::from_number(number) } {
                message.release();
            }
        }
    });
    u64::from(blocks)
}

fn size(dice: &mut Dice) -> usize {
    let power = LEAST_POWER + dice.below(MOST_POWER - LEAST_POWER);
    (1 << power) + (dice.below(1 << 10) << power >> 10)
}

#[cfg(test)]
mod tests {
    use super::{TABLE, exchange, prepare, size};
    use churn::Dice;
    use std::sync::atomic::Ordering::Acquire;
    use std::thread;

    #[test]
    fn sizes_are_from_8_bytes_to_128_kib_and_about_13_kb_in_the_mean() {
        let mut dice = Dice::new(1);
        let sizes: Vec<usize> = (0..100_000).map(|_| size(&mut dice)).collect();
        assert!(sizes.iter().all(|size| (8..1 << 17).contains(size)));
        let mean = sizes.iter().sum::<usize>() / sizes.len();
        assert!((12_000..15_000).contains(&mean), "{mean}");
    }

    #[test]
    fn every_slot_holds_a_block_after_many_exchanges_among_threads() {
        let workers: Vec<_> = (0..2)
            .map(|_| {
                thread::spawn(|| {
                    prepare(0);
                    exchange(20_000)
                })
            })
            .collect();
        for worker in workers {
            assert_eq!(worker.join().unwrap(), 20_000);
        }
        assert!(TABLE.iter().all(|slot| slot.load(Acquire) != 0));
    }
}
