//! A linear memory for tests on the host: its limit, its place in the address space and its other users are set by
//! the test.

use crate::memory::linear::{LinearMemory, Region};
use crate::memory::{PAGE_BYTES, PAGE_SHIFT, PageCount};
use core::cell::Cell;
use core::ops::Range;
use std::vec;
use std::vec::Vec;

/// The byte that the initial memory is full of: a host may have written there before the module ran.
pub(crate) const HOST_BYTE: u8 = 0xA5;

/// The byte that the pages of others are full of.
pub(crate) const FOREIGN_BYTE: u8 = 0xF0;

/// The bytes that an operating system maps at once.
const SYSTEM_PAGE_BYTES: usize = 4096;

/// Pages of memory from `first_page` on, where an initial region may end in the middle of the first page.
pub(crate) struct SimulatedMemory {
    bytes: Vec<u8>,
    first_page: u32,
    initial: Region,
    /// Whether what lies below the first page may be read: the module's stack and static data, zeros here.
    has_static_data: bool,
    /// The page number at which `grow` refuses to go further, at most 65,536.
    pub(crate) limit_pages: u32,
    /// The page number up to which `grow` may be asked: as a host that ends a module when it asks for more.
    pub(crate) ceiling_pages: u32,
    /// What others have added.
    pub(crate) foreign: Vec<Region>,
    /// The page counts of all calls of `grow`, refused ones too.
    pub(crate) grow_calls: Vec<u32>,
    /// How many bytes `clear` has cleared.
    pub(crate) cleared_bytes: u64,
    /// How many bytes `copy` has copied.
    pub(crate) copied_bytes: u64,
    /// How many words have been read.
    pub(crate) words_read: Cell<u64>,
    /// For each page of the system's whether anything was written there.
    is_written: Vec<bool>,
    /// How many words have been read in pages of the system's where nothing was written before.
    pub(crate) words_read_before_a_write: Cell<u64>,
}

impl SimulatedMemory {
    /// A memory whose heap base is `heap_base`, with `initial_pages` in front of which static data lies, and which
    /// ends at page `limit_pages`.
    pub(crate) fn new(heap_base: u32, initial_pages: u32, limit_pages: u32) -> Self {
        let first_page = heap_base >> PAGE_SHIFT;
        SimulatedMemory {
            bytes: vec![HOST_BYTE; (initial_pages * PAGE_BYTES) as usize],
            first_page,
            initial: Region {
                start: heap_base,
                end: (first_page + initial_pages) << PAGE_SHIFT,
            },
            has_static_data: false,
            limit_pages,
            ceiling_pages: u32::MAX,
            foreign: Vec::new(),
            grow_calls: Vec::new(),
            cleared_bytes: 0,
            copied_bytes: 0,
            words_read: Cell::new(0),
            is_written: vec![false; initial_pages as usize * PAGE_BYTES as usize / SYSTEM_PAGE_BYTES],
            words_read_before_a_write: Cell::new(0),
        }
    }

    /// A memory without an initial region, from page `first_page` to page `limit_pages`.
    pub(crate) fn pages(first_page: u32, limit_pages: u32) -> Self {
        Self::new(first_page << PAGE_SHIFT, 0, limit_pages)
    }

    /// The memory for a heap that reads below its first page: one that is given pointers which it cannot trust.
    pub(crate) fn with_static_data(mut self) -> Self {
        self.has_static_data = true;
        self
    }

    /// Grows the memory as others would, and fills the new pages.
    pub(crate) fn foreign_grow(&mut self, pages: u32) -> Region {
        let start = self.bytes.len();
        self.add_pages(pages);
        self.bytes[start..].fill(FOREIGN_BYTE);
        let region = Region::of_pages(self.first_page + (start as u32 >> PAGE_SHIFT), self.end_page());
        self.foreign.push(region);
        region
    }

    /// The number of the page after the last one.
    pub(crate) fn end_page(&self) -> u32 {
        self.first_page + (self.bytes.len() as u32 >> PAGE_SHIFT)
    }

    /// The bytes of a range, which count as written.
    pub(crate) fn slice(&mut self, address: u32, bytes: u32) -> &mut [u8] {
        let start = self.offset(address);
        let range = start..start + bytes as usize;
        self.note_write(range.clone());
        &mut self.bytes[range]
    }

    /// The bytes of a range, if it lies inside the memory.
    pub(crate) fn get(&self, address: u32, bytes: u32) -> Option<&[u8]> {
        let start = address.checked_sub(self.first_page << PAGE_SHIFT)? as usize;
        self.bytes.get(start..start + bytes as usize)
    }

    /// All bytes, from the first page on.
    pub(crate) fn all(&mut self) -> &mut [u8] {
        &mut self.bytes
    }

    /// Adds pages of zeros.
    fn add_pages(&mut self, pages: u32) {
        // Zeros from the system's allocator, which cost Miri nothing; it would count those of `resize` one by one.
        let mut bytes = vec![0; self.bytes.len() + pages as usize * PAGE_BYTES as usize];
        bytes[..self.bytes.len()].copy_from_slice(&self.bytes);
        self.is_written.resize(bytes.len() / SYSTEM_PAGE_BYTES, false);
        self.bytes = bytes;
    }

    /// Notes that something is written in this range of `bytes`.
    fn note_write(&mut self, range: Range<usize>) {
        let pages = range.start / SYSTEM_PAGE_BYTES..range.end.div_ceil(SYSTEM_PAGE_BYTES);
        self.is_written[pages].fill(true);
    }

    fn offset(&self, address: u32) -> usize {
        (address - (self.first_page << PAGE_SHIFT)) as usize
    }
}

/// A memory that says which parts of it a heap may use.
pub(crate) trait MemoryOfRegions: LinearMemory {
    /// What lies between the pages of others, the first part from `start` on.
    fn regions_from(&self, start: u32) -> Vec<Region>;
}

impl MemoryOfRegions for SimulatedMemory {
    fn regions_from(&self, mut start: u32) -> Vec<Region> {
        let mut regions = Vec::new();
        for &foreign in &self.foreign {
            regions.push(Region {
                start,
                end: foreign.start,
            });
            start = foreign.end;
        }
        let end = self.end_page() << PAGE_SHIFT;
        regions.push(Region { start, end });
        regions
    }
}

// SAFETY: regions are parts of `bytes`, which only grows; every access is bounds-checked.
unsafe impl LinearMemory for SimulatedMemory {
    fn initial_region(&self) -> Region {
        self.initial
    }

    fn size(&self) -> PageCount {
        PageCount(self.end_page())
    }

    fn grow(&mut self, pages: PageCount) -> Option<Region> {
        self.grow_calls.push(pages.0);
        let first = self.end_page();
        assert!(
            pages.0 <= self.ceiling_pages.saturating_sub(first),
            "the engine was asked for {} pages after {first}, with a ceiling of {}",
            pages.0,
            self.ceiling_pages
        );
        if u64::from(first) + u64::from(pages.0) > u64::from(self.limit_pages) {
            return None;
        }
        self.add_pages(pages.0);
        Some(Region::of_pages(first, first + pages.0))
    }

    unsafe fn read_word(&self, address: u32, offset: u32) -> u32 {
        self.words_read.set(self.words_read.get() + 1);
        let address = address + offset;
        if self.has_static_data && address < self.first_page << PAGE_SHIFT {
            return 0;
        }
        let at = self.offset(address);
        if !self.is_written[at / SYSTEM_PAGE_BYTES] {
            let words = &self.words_read_before_a_write;
            words.set(words.get() + 1);
        }
        u32::from_le_bytes(self.bytes[at..at + 4].try_into().unwrap())
    }

    unsafe fn write_word(&mut self, address: u32, offset: u32, word: u32) {
        self.slice(address + offset, 4).copy_from_slice(&word.to_le_bytes());
    }

    unsafe fn copy(&mut self, from: u32, to: u32, bytes: u32) {
        self.copied_bytes += u64::from(bytes);
        let from = self.offset(from);
        let to = self.offset(to);
        self.note_write(to..to + bytes as usize);
        self.bytes.copy_within(from..from + bytes as usize, to);
    }

    unsafe fn clear(&mut self, address: u32, bytes: u32) {
        self.cleared_bytes += u64::from(bytes);
        self.slice(address, bytes).fill(0);
    }

    unsafe fn clear_small(&mut self, address: u32, bytes: u32) {
        assert_eq!((address % 8, bytes % 8), (0, 0));
        // SAFETY: the range is checked, and lies in a block of the caller's heap.
        unsafe { self.clear(address, bytes) }
    }
}
