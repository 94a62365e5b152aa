//! What a size class has borrowed from the runs of another one. Arithmetic only.
//!
//! A loan counts the bytes that a class has borrowed since the lender last had an idle run: one whose blocks were all released. A
//! program that repeats itself releases whole runs in each round, and all loans begin anew. So a size that it uses little never
//! gets runs of its own.

/// The bytes that a class borrows before it has earned runs of its own.
const EARNING_BYTES: u32 = 1 << 12;

/// How many runs a class lends from at least before those that borrow may be busy: with fewer, runs of their own would hardly lie
/// closer together.
const LEAST_RUNS_OF_LENDER: u32 = 4;

/// A loan is one word. The lower bits are the bytes that were borrowed, or how many runs the class has. The 12 bits above them say
/// how often the lender had had an idle run at that time, modulo 2^12.
const AMOUNT_BITS: u32 = 20;

/// Fewer bytes than this are counted.
const TOO_MANY_BYTES: u32 = Loan::HAS_RUNS.0;

/// What a class has borrowed, or how many runs of its own it has. For a class that lends, also how often it had an idle run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Loan(u32);

impl Loan {
    /// Of a class that has borrowed nothing, or that lends and has no run.
    pub(super) const NONE: Loan = Loan(0);

    /// Of a class that gets runs of its own. There is no memory for so many runs that their number would reach this bit.
    pub(super) const HAS_RUNS: Loan = Loan(1 << (AMOUNT_BITS - 1));

    /// The lower bits.
    const fn amount(self) -> u32 {
        self.0 % (1 << AMOUNT_BITS)
    }

    /// The bits above.
    const fn idle_runs(self) -> u32 {
        self.0 >> AMOUNT_BITS
    }

    /// Whether the class has runs of its own, or had some.
    pub(super) const fn is_of_class_with_runs(self) -> bool {
        self.0 & Self::HAS_RUNS.0 != 0
    }

    /// Whether the class has borrowed enough to get runs of its own.
    pub(super) const fn earns_runs(self) -> bool {
        self.amount() >= EARNING_BYTES
    }

    /// The bytes that were borrowed since the lender had an idle run.
    pub(super) const fn bytes_from(self, lender: Loan) -> u32 {
        if self.idle_runs() == lender.idle_runs() {
            self.amount()
        } else {
            0
        }
    }

    /// Whether a class that has borrowed so many bytes from this lender is a busy one, in a heap that extends over `extent` bytes: if
    /// it has borrowed a thirty-second of it. No class is busy in a heap of less than 512 KiB, of which its runs would fill much.
    pub(super) fn lends_to_busy_class(self, bytes: u32, extent: u32) -> bool {
        self.amount() >= LEAST_RUNS_OF_LENDER && extent >= 1 << 19 && bytes >= (extent >> 5).min(TOO_MANY_BYTES - 1)
    }

    /// So many bytes, or 512 KiB if they are more, borrowed since the lender had an idle run.
    pub(super) fn of_bytes_from(bytes: u32, lender: Loan) -> Self {
        Loan(bytes.min(TOO_MANY_BYTES - 1) | lender.idle_runs() << AMOUNT_BITS)
    }

    /// Notes that the class has one run more.
    pub(super) const fn note_new_run(&mut self) {
        self.0 = self.0.wrapping_add(1);
    }

    /// Notes that the class has an idle run, which it keeps.
    pub(super) const fn note_idle_run(&mut self) {
        self.0 = self.0.wrapping_add(1 << AMOUNT_BITS);
    }

    /// Notes that the class gives back an idle run.
    pub(super) const fn note_given_run(&mut self) {
        self.note_idle_run();
        self.0 = self.0.wrapping_sub(1);
    }
}

#[cfg(test)]
mod tests {
    //! In this file since a `Loan` is private.
    use super::*;

    const ROUNDS: u32 = if cfg!(miri) { 100 } else { 70_000 };

    #[test]
    fn a_loan_counts_until_the_lender_has_an_idle_run() {
        let mut lender = Loan::NONE;
        lender.note_new_run();
        for _ in 0..ROUNDS {
            let loan = Loan::of_bytes_from(512, lender);
            lender.note_new_run();
            assert_eq!(loan.bytes_from(lender), 512);
            lender.note_given_run();
            assert_eq!(loan.bytes_from(lender), 0);
            let loan = Loan::of_bytes_from(512, lender);
            lender.note_idle_run();
            assert_eq!(loan.bytes_from(lender), 0);
        }
    }

    #[test]
    fn a_class_earns_runs_with_4_kib_and_does_not_have_them_before_that_is_noted() {
        for (bytes, earns) in [(4095, false), (4096, true), (40_960, true), (1 << 20, true)] {
            let loan = Loan::of_bytes_from(bytes, Loan::NONE);
            assert_eq!(loan.earns_runs(), earns, "{bytes} bytes");
            assert!(!loan.is_of_class_with_runs());
        }
        assert!(!Loan::NONE.is_of_class_with_runs());
    }

    #[test]
    fn a_class_with_runs_still_has_runs_however_many_it_gets_and_gives_back() {
        let mut loan = Loan::HAS_RUNS;
        for _ in 0..ROUNDS {
            loan.note_new_run();
            loan.note_new_run();
            loan.note_given_run();
            assert!(loan.is_of_class_with_runs());
        }
        // A memory of 4 GiB has this many runs at most.
        for _ in ROUNDS..(1 << 19) - 1 {
            loan.note_new_run();
        }
        assert!(loan.is_of_class_with_runs());
    }

    #[test]
    fn a_class_is_busy_with_a_thirty_second_of_a_heap_of_512_kib_if_the_lender_has_four_runs() {
        let lender_with = |runs| {
            let mut lender = Loan::NONE;
            (0..runs + 1).for_each(|_| lender.note_new_run());
            lender.note_given_run();
            lender
        };
        for (runs, bytes, extent, is_busy) in [
            (4, 16_384, 1 << 19, true),
            (3, 16_384, 1 << 19, false),
            (4, 16_383, 1 << 19, false),
            (4, 1 << 18, (1 << 19) - 1, false),
            (5, 131_071, 1 << 22, false),
            (5, 131_072, 1 << 22, true),
            (4, (1 << 19) - 2, 1 << 30, false),
            (4, (1 << 19) - 1, 1 << 30, true),
        ] {
            let busy = lender_with(runs).lends_to_busy_class(bytes, extent);
            assert_eq!(busy, is_busy, "{runs} runs, {bytes} bytes in a heap of {extent}");
        }
    }
}
