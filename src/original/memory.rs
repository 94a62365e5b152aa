//! The bounds-checked view of a linear memory that the original algorithm reads and writes its headers through.

use super::error::Error;

/// A linear memory with 32-bit addresses, accessed with bounds checks.
///
/// Implemented for byte slices, which cannot grow. Implement it for what holds a guest's memory to run
/// [`FreeingBumpHeapAllocator`](crate::FreeingBumpHeapAllocator) over it.
///
/// ```
/// use freeing_bump::{Error, FreeingBumpHeapAllocator, Memory};
///
/// /// A memory that grows up to `limit` bytes.
/// struct Growing { bytes: Vec<u8>, limit: u64 }
///
/// impl Memory for Growing {
///     fn size(&self) -> u64 { self.bytes.as_slice().size() }
///     fn read_le_u64(&self, ptr: u32) -> Result<u64, Error> { self.bytes.as_slice().read_le_u64(ptr) }
///     fn write_le_u64(&mut self, ptr: u32, value: u64) -> Result<(), Error> {
///         self.bytes.as_mut_slice().write_le_u64(ptr, value)
///     }
///     fn grow(&mut self, pages: u32) -> Result<u64, Error> {
///         let start = self.size();
///         let size = start + u64::from(pages) * 65_536;
///         if size > self.limit {
///             return Err(Error::AllocatorOutOfSpace);
///         }
///         self.bytes.resize(size as usize, 0);
///         Ok(start)
///     }
/// }
///
/// let mut memory = Growing { bytes: vec![], limit: 1 << 20 };
/// let mut heap = FreeingBumpHeapAllocator::new(0);
/// assert_eq!(heap.allocate(&mut memory, 100_000), Ok(8));
/// assert_eq!(memory.bytes.len(), 3 * 65_536);
/// ```
pub trait Memory {
    /// The memory's size in bytes, up to 2^32: the heap may use what lies between its base and this address.
    fn size(&self) -> u64;

    /// The eight bytes at `ptr` as a little-endian integer.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidAddress`] if not all eight lie inside the memory.
    fn read_le_u64(&self, ptr: u32) -> Result<u64, Error>;

    /// Sets the eight bytes at `ptr` to `value`, little-endian.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidAddress`] if not all eight lie inside the memory, which is then unchanged.
    fn write_le_u64(&mut self, ptr: u32, value: u64) -> Result<(), Error>;

    /// Adds `pages` of 65,536 bytes and returns the address of the first new byte.
    ///
    /// That address is the former [`size`](Self::size), or a higher one when others use what lies between.
    /// A memory that cannot grow keeps the provided implementation.
    ///
    /// # Errors
    ///
    /// [`Error::AllocatorOutOfSpace`] if the memory cannot grow by that much. It is then unchanged.
    fn grow(&mut self, pages: u32) -> Result<u64, Error> {
        let _ = pages;
        Err(Error::AllocatorOutOfSpace)
    }
}

impl Memory for [u8] {
    fn size(&self) -> u64 {
        self.len() as u64
    }

    fn read_le_u64(&self, ptr: u32) -> Result<u64, Error> {
        self.get(ptr as usize..)
            .and_then(|bytes| bytes.first_chunk())
            .map(|bytes| u64::from_le_bytes(*bytes))
            .ok_or(Error::InvalidAddress { address: ptr })
    }

    fn write_le_u64(&mut self, ptr: u32, value: u64) -> Result<(), Error> {
        self.get_mut(ptr as usize..)
            .and_then(|bytes| bytes.first_chunk_mut())
            .map(|bytes| *bytes = value.to_le_bytes())
            .ok_or(Error::InvalidAddress { address: ptr })
    }
}
