//! A place for an input that is made before the clock starts.

use std::cell::RefCell;
use std::thread::LocalKey;

/// An input made by one export and used by another of the same module.
pub type Input<T> = RefCell<Option<T>>;

/// Uses the input that was prepared.
///
/// # Panics
///
/// When the host runs a workload before it called the workload's `_prepare` export.
pub fn with_input<T, R>(key: &'static LocalKey<Input<T>>, work: impl FnOnce(&T) -> R) -> R {
    key.with_borrow(|input| work(input.as_ref().expect("prepare the input first")))
}
