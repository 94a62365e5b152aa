//! What threads share words by. In a test of the protocol, built with `--cfg loom`, these are loom's types: it plays all orders in
//! which threads can run, and has each load return all values that it can.

#[cfg(all(test, loom))]
pub(crate) use super::tests::loom_types::{AtomicPtr, AtomicU32, Table, spin_loop};
#[cfg(not(all(test, loom)))]
pub(crate) use core::{
    hint::spin_loop,
    sync::atomic::{AtomicPtr, AtomicU32},
};
#[cfg(not(all(test, loom)))]
pub(crate) use table::Table;

/// How often a thread tries something again that another one can have hindered: so many times, or few where all orders are played
/// and where Miri interprets each of them.
pub(crate) const fn tries(number: u32) -> u32 {
    if cfg!(all(test, loom)) {
        3
    } else if cfg!(miri) && number > 1000 {
        1000
    } else {
        number
    }
}

#[cfg(not(all(test, loom)))]
mod table {
    use core::cell::UnsafeCell;

    /// Bytes that threads read and write plainly; all zero at first.
    pub(crate) struct Table<const BYTES: usize>(UnsafeCell<[u8; BYTES]>);

    // SAFETY: each access is unsafe, and rests on an order that the caller knows.
    unsafe impl<const BYTES: usize> Sync for Table<BYTES> {}

    impl<const BYTES: usize> Table<BYTES> {
        /// Zeros.
        pub(crate) const fn new() -> Self {
            Table(UnsafeCell::new([0; BYTES]))
        }

        /// A byte.
        ///
        /// # Safety
        ///
        /// The index must be below `BYTES`. Each write to the byte must have happened before, or happen after.
        #[inline]
        pub(crate) unsafe fn read(&self, index: u32) -> u8 {
            // SAFETY: the byte is in the table.
            let entry = unsafe { self.0.get().cast::<u8>().add(index as usize) };
            // SAFETY: no other thread writes to it now.
            unsafe { entry.read() }
        }

        /// Sets `count` bytes from the index `first` on.
        ///
        /// # Safety
        ///
        /// The bytes must be in the table. Each access to them must have happened before, or happen after.
        pub(crate) unsafe fn fill(&self, first: u32, count: u32, byte: u8) {
            // SAFETY: the bytes are in the table.
            let entry = unsafe { self.0.get().cast::<u8>().add(first as usize) };
            // SAFETY: no other thread reads or writes them now.
            unsafe { entry.write_bytes(byte, count as usize) };
        }
    }
}
