//! The cell for the state that an export of a module keeps from one call to the next.

use core::cell::RefCell;

/// A value that the exports of a module use in turn.
pub struct Exclusive<T>(RefCell<T>);

// SAFETY: a module without shared memory, as all that use this are, is run by one thread at a time.
unsafe impl<T> Sync for Exclusive<T> {}

impl<T> Exclusive<T> {
    /// A cell around `value`.
    pub const fn new(value: T) -> Self {
        Exclusive(RefCell::new(value))
    }

    /// Calls `call` with the value and returns what it returns.
    ///
    /// # Panics
    ///
    /// When `call` comes here again.
    pub fn with<R>(&self, call: impl FnOnce(&mut T) -> R) -> R {
        call(&mut self.0.borrow_mut())
    }
}
