//! What a size class has borrowed from the runs of another one. Arithmetic only.
//!
//! A loan counts the bytes that a class has borrowed since the lender last gave back a run. A program that repeats itself gives
//! back runs in each round, and all loans begin anew. So a size that it uses little never gets runs of its own.

/// The bytes that a class borrows before it has earned runs of its own.
const EARNING_BYTES: u32 = 1 << 12;

/// A loan is one word. Its lower 16 bits say how many runs the lender had given back at that time, modulo 2^16. The bits above them
/// are the bytes that were borrowed.
const BYTES_SHIFT: u32 = u16::BITS;

/// What a class has borrowed, or that it has runs of its own. For a class that lends, how many runs it has given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Loan(u32);

impl Loan {
    /// Of a class that has borrowed nothing, or that has given back no run.
    pub(super) const NONE: Loan = Loan(0);

    /// Of a class that has runs of its own.
    pub(super) const HAS_RUNS: Loan = Loan(1 << 31);

    /// Whether the class has runs of its own. They may be given back, too: that changes the lower bits.
    pub(super) const fn is_of_class_with_runs(self) -> bool {
        self.0 >= Self::HAS_RUNS.0
    }

    /// Whether the class has borrowed enough to get runs of its own.
    pub(super) const fn earns_runs(self) -> bool {
        self.0 >= EARNING_BYTES << BYTES_SHIFT
    }

    /// The bytes that were borrowed since the lender gave back a run.
    pub(super) const fn bytes_from(self, lender: Loan) -> u32 {
        if self.0 as u16 == lender.0 as u16 {
            self.0 >> BYTES_SHIFT
        } else {
            0
        }
    }

    /// So many bytes, or 4 KiB if they are more, borrowed since the lender gave back a run.
    pub(super) fn of_bytes_from(bytes: u32, lender: Loan) -> Self {
        Loan(bytes.min(EARNING_BYTES) << BYTES_SHIFT | u32::from(lender.0 as u16))
    }

    /// Notes that the class gives back a run.
    pub(super) const fn give_back_run(&mut self) {
        self.0 = self.0.wrapping_add(1);
    }
}

#[cfg(test)]
mod tests {
    //! In this file since a `Loan` is private.
    use super::*;

    #[test]
    fn a_loan_counts_until_the_lender_gives_back_a_run() {
        let mut lender = Loan::NONE;
        for _ in 0..if cfg!(miri) { 100 } else { 70_000 } {
            let loan = Loan::of_bytes_from(512, lender);
            assert_eq!(loan.bytes_from(lender), 512);
            lender.give_back_run();
            assert_eq!(loan.bytes_from(lender), 0);
        }
    }

    #[test]
    fn a_class_earns_runs_with_4_kib_and_does_not_have_them_before_that_is_noted() {
        for (bytes, earns) in [(4095, false), (4096, true), (40_960, true)] {
            let loan = Loan::of_bytes_from(bytes, Loan::NONE);
            assert_eq!(loan.earns_runs(), earns, "{bytes} bytes");
            assert!(!loan.is_of_class_with_runs());
        }
        assert!(!Loan::NONE.is_of_class_with_runs());
    }

    #[test]
    fn a_class_with_runs_that_gives_them_back_still_has_runs() {
        let mut loan = Loan::HAS_RUNS;
        for _ in 0..if cfg!(miri) { 100 } else { 70_000 } {
            loan.give_back_run();
            assert!(loan.is_of_class_with_runs());
        }
    }
}
