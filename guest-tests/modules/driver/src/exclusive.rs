//! The cell for the state that an export keeps from one call to the next.

use core::cell::RefCell;

/// A value that the exports of this module use in turn.
pub(crate) struct Exclusive<T>(RefCell<T>);

// SAFETY: a module without shared memory, which this one does not have, is run by one thread at a time.
unsafe impl<T> Sync for Exclusive<T> {}

impl<T> Exclusive<T> {
    /// A cell around `value`.
    pub(crate) const fn new(value: T) -> Self {
        Exclusive(RefCell::new(value))
    }

    /// Calls `call` with the value and returns what it returns.
    pub(crate) fn with<R>(&self, call: impl FnOnce(&mut T) -> R) -> R {
        call(&mut self.0.borrow_mut())
    }
}
