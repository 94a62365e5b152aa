//! The inputs of a fuzzer, read as places, sizes and requests.

use super::programs::{END_PAGE, fitting};
use crate::heaps::Request;
use crate::memory::PAGE_BYTES;

/// The pages that a heap may have: 3 MiB, since all of it is compared at each refusal.
pub(crate) const SPAN_PAGES: u32 = 48;

/// The bytes of an input that were not read yet.
pub(crate) struct Input<'a>(pub(super) &'a [u8]);

impl Input<'_> {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn u8(&mut self) -> u8 {
        self.bytes::<1>()[0]
    }

    pub(crate) fn u16(&mut self) -> u16 {
        u16::from_le_bytes(self.bytes())
    }

    pub(crate) fn u64(&mut self) -> u64 {
        u64::from_le_bytes(self.bytes())
    }

    fn bytes<const LEN: usize>(&mut self) -> [u8; LEN] {
        let mut bytes = [0; LEN];
        let (read, rest) = self.0.split_at(LEN.min(self.0.len()));
        bytes[..read.len()].copy_from_slice(read);
        self.0 = rest;
        bytes
    }

    /// A heap base, and how many pages of initial memory there are from there on.
    pub(crate) fn place(&mut self) -> (u32, u32) {
        let (kind, offset, pages) = (self.u8() % 4, u32::from(self.u16()), u32::from(self.u8()) % 4);
        let within_page = offset * 16 % PAGE_BYTES;
        let last_pages = (END_PAGE - 1 - offset % 40) * PAGE_BYTES;
        match kind {
            // A module with static data in front of the heap, which the linker aligns to 16.
            0 => (within_page.max(16), pages + 1),
            // No initial memory to use.
            1 => ((pages + 1) * PAGE_BYTES, 0),
            // The last pages below 4 GiB.
            2 => (last_pages, 0),
            _ => (last_pages + within_page, 1),
        }
    }

    /// A size in bytes: 11 bits after a highest bit 1, shifted to where 5 bits say. Up to 512 KiB, or about 256 MiB.
    pub(crate) fn size(&mut self) -> u32 {
        let bits = u64::from(self.u16());
        let shift = match bits % 32 {
            shift @ 0..=18 => shift,
            31 => 27,
            shift => shift - 16,
        };
        ((1 << 11 | bits >> 5) << shift >> 11) as u32
    }

    /// A size and an alignment of up to `max`, which is most often one of Rust's own types.
    pub(crate) fn request(&mut self, max_align: u32) -> Request {
        let log2 = [3, 2, 1, 0, 3, 2, 3, 4, 4, 5, 6, 8, 12, 16, 17, 19][usize::from(self.u8()) % 16];
        let align = (1 << log2).min(max_align);
        let size = fitting(self.size(), align);
        Request { size, align }
    }
}
