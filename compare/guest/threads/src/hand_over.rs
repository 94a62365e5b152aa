//! Producers and consumers: a worker with an even number makes messages, and the next one releases them. A worker that is
//! alone does both in turn.

use crate::message::Message;
use crate::stage::{MOST_WORKERS, worker, workers};
use churn::Dice;
use std::cell::RefCell;
use std::hint::spin_loop;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicBool, AtomicUsize};

/// The messages that are on their way at most.
const LENGTH: usize = 1024;

/// Sizes from 8 to 256 bytes.
const LEAST: usize = 8;
const MOST: usize = 256;

/// The way from one producer to its consumer.
struct Queue {
    /// A message's number, or 0 for a free place.
    places: [AtomicUsize; LENGTH],
    /// Whether the producer will make no more.
    is_closed: AtomicBool,
}

static QUEUES: [Queue; MOST_WORKERS / 2] = [const {
    Queue {
        places: [const { AtomicUsize::new(0) }; LENGTH],
        is_closed: AtomicBool::new(false),
    }
}; MOST_WORKERS / 2];

/// Where a worker is in its queue, and its random numbers.
struct End {
    next: usize,
    dice: Dice,
}

thread_local! {
    static END: RefCell<End> = const { RefCell::new(End { next: 0, dice: Dice::new(7) }) };
}

/// Opens the queue of this worker. Nobody waits at it yet, or any longer.
pub fn prepare(_: u32) -> u64 {
    queue().is_closed.store(false, Relaxed);
    0
}

/// Makes `messages` messages, or releases that many; returns how many were released.
pub fn work(messages: u32) -> u64 {
    END.with_borrow_mut(|end| match (workers(), worker() % 2) {
        (1, _) => (0..messages).map(|_| end.produce_and_consume()).sum(),
        (_, 0) => {
            (0..messages).for_each(|_| end.produce());
            0
        }
        _ => (0..messages).map(|_| u64::from(end.consume())).sum(),
    })
}

/// Closes the queue, or releases all messages that are in it until it is closed; returns how many were released.
pub fn finish(_: u32) -> u64 {
    if worker().is_multiple_of(2) {
        queue().is_closed.store(true, Release);
        return 0;
    }
    END.with_borrow_mut(|end| {
        let mut released = 0;
        while end.consume() {
            released += 1;
        }
        released
    })
}

fn queue() -> &'static Queue {
    &QUEUES[worker() / 2]
}

impl End {
    fn place(&mut self) -> &'static AtomicUsize {
        let place = &queue().places[self.next];
        self.next = (self.next + 1) % LENGTH;
        place
    }

    fn message(&mut self) -> Message {
        Message::new(LEAST + self.dice.below(MOST - LEAST + 1))
    }

    /// Makes a message, as soon as there is a place for it.
    fn produce(&mut self) {
        let message = self.message();
        let place = self.place();
        while place.load(Acquire) != 0 {
            spin_loop();
        }
        place.store(message.into_number(), Release);
    }

    /// Releases the next message, as soon as there is one; false if there will be none.
    fn consume(&mut self) -> bool {
        let place = &queue().places[self.next];
        loop {
            let is_closed = queue().is_closed.load(Acquire);
            match take(place) {
                Some(message) => {
                    message.release();
                    self.place();
                    return true;
                }
                None if is_closed => return false,
                None => spin_loop(),
            }
        }
    }

    /// Releases what has been in the next place for a whole turn, and puts a new message there.
    fn produce_and_consume(&mut self) -> u64 {
        let place = self.place();
        let released = take(place).map(Message::release);
        let message = self.message();
        place.store(message.into_number(), Release);
        u64::from(released.is_some())
    }
}

/// Takes the message out of `place`, whose only consumer is this worker.
fn take(place: &AtomicUsize) -> Option<Message> {
    let number = place.load(Acquire);
    // SAFETY: only this worker takes messages from this place, and it becomes free below.
    let message = unsafe { Message::from_number(number) }?;
    place.store(0, Release);
    Some(message)
}

#[cfg(test)]
mod tests {
    use super::{finish, prepare, work};
    use crate::stage::enter;
    use std::thread;

    #[test]
    fn every_message_that_is_made_is_released_once() {
        // Not the queue of the test below.
        enter(2, 4);
        prepare(0);
        let consumer = thread::spawn(|| {
            enter(3, 4);
            work(3_000) + finish(0)
        });
        assert_eq!(work(5_000), 0);
        finish(0);
        assert_eq!(consumer.join().unwrap(), 5_000);
    }

    #[test]
    fn a_worker_that_is_alone_releases_what_it_made_a_turn_before() {
        thread::spawn(|| {
            enter(0, 1);
            work(1_024);
            assert_eq!(work(1_000), 1_000);
        })
        .join()
        .unwrap();
    }
}
