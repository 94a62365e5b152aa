//! Loom's types with constructors that can be `const`: what loom tracks is made at the first access. All that two threads access must
//! be accessed once before there are two, since loom takes the making for a write.

use core::ops::Deref;
use core::ptr;
use loom::sync::atomic;
use std::sync::OnceLock;
use std::vec::Vec;

pub(crate) use loom::hint::spin_loop;

pub(crate) struct AtomicU32 {
    first: u32,
    made: OnceLock<atomic::AtomicU32>,
}

impl AtomicU32 {
    pub(crate) const fn new(first: u32) -> Self {
        AtomicU32 {
            first,
            made: OnceLock::new(),
        }
    }
}

impl Deref for AtomicU32 {
    type Target = atomic::AtomicU32;

    fn deref(&self) -> &atomic::AtomicU32 {
        self.made.get_or_init(|| atomic::AtomicU32::new(self.first))
    }
}

pub(crate) struct AtomicPtr<T>(OnceLock<atomic::AtomicPtr<T>>);

impl<T> AtomicPtr<T> {
    /// Null, as all of them are at first.
    pub(crate) const fn new(first: *mut T) -> Self {
        assert!(first.is_null());
        AtomicPtr(OnceLock::new())
    }
}

impl<T> Deref for AtomicPtr<T> {
    type Target = atomic::AtomicPtr<T>;

    fn deref(&self) -> &atomic::AtomicPtr<T> {
        self.0.get_or_init(|| atomic::AtomicPtr::new(ptr::null_mut()))
    }
}

/// How many bytes of a table loom tracks: the tests use no more.
const TRACKED: usize = 16;

/// A table of bytes, whose accesses loom compares with each other.
pub(crate) struct Table<const BYTES: usize>(OnceLock<Vec<loom::cell::UnsafeCell<u8>>>);

// SAFETY: loom finds accesses without an order.
unsafe impl<const BYTES: usize> Sync for Table<BYTES> {}
// SAFETY: as above.
unsafe impl<const BYTES: usize> Send for Table<BYTES> {}

impl<const BYTES: usize> Table<BYTES> {
    pub(crate) const fn new() -> Self {
        Table(OnceLock::new())
    }

    fn entries(&self) -> &[loom::cell::UnsafeCell<u8>] {
        self.0
            .get_or_init(|| (0..TRACKED).map(|_| loom::cell::UnsafeCell::new(0)).collect())
    }

    pub(crate) unsafe fn read(&self, index: u32) -> u8 {
        // SAFETY: loom finds a race.
        self.entries()[index as usize].with(|entry| unsafe { *entry })
    }

    pub(crate) unsafe fn fill(&self, first: u32, count: u32, byte: u8) {
        for index in first..first + count {
            // SAFETY: loom finds a race.
            self.entries()[index as usize].with_mut(|entry| unsafe { *entry = byte });
        }
    }
}
