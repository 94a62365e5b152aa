//! A block straight from the global allocator, with contents that distinguish it from other blocks.

use crate::pattern;
use alloc::alloc;
use core::alloc::Layout;
use core::ptr::NonNull;
use core::slice;

/// A block of memory that is checked and released when it is dropped.
pub struct Block {
    start: NonNull<u8>,
    layout: Layout,
    fill: u8,
}

impl Block {
    /// Allocates `size` bytes at `alignment` and writes the pattern of `fill`; `None` when the allocator refuses.
    ///
    /// # Panics
    ///
    /// When `size` is 0, when `size` and `alignment` make no layout, and when the address is not aligned.
    pub fn try_new(size: usize, alignment: usize, fill: u8) -> Option<Self> {
        let layout = layout(size, alignment);
        // SAFETY: `layout` refuses a size of 0.
        let start = NonNull::new(unsafe { alloc::alloc(layout) })?;
        let mut block = Block { start, layout, fill };
        block.check_alignment();
        block.write_pattern_from(0);
        Some(block)
    }

    /// As [`try_new`](Self::try_new), for requests that the allocator must serve.
    ///
    /// # Panics
    ///
    /// When the allocator refuses, and as `try_new`.
    pub fn new(size: usize, alignment: usize, fill: u8) -> Self {
        Self::try_new(size, alignment, fill).unwrap_or_else(|| {
            panic!("the allocator refused {size} bytes at alignment {alignment}; it must serve them")
        })
    }

    /// Allocates zeroed memory, checks that all of it is zero, and then writes the pattern of `fill`; `None` when the
    /// allocator refuses.
    ///
    /// # Panics
    ///
    /// When a byte is not zero, and as [`try_new`](Self::try_new).
    pub fn try_new_zeroed(size: usize, alignment: usize, fill: u8) -> Option<Self> {
        let layout = layout(size, alignment);
        // SAFETY: `layout` refuses a size of 0.
        let start = NonNull::new(unsafe { alloc::alloc_zeroed(layout) })?;
        let mut block = Block { start, layout, fill };
        block.check_alignment();
        if let Some(offset) = first_nonzero(block.bytes()) {
            panic!(
                "byte {offset} of {size} zeroed bytes at {:#x} is {:#04x}",
                block.address(),
                block.bytes()[offset]
            );
        }
        block.write_pattern_from(0);
        Some(block)
    }

    /// As [`try_new_zeroed`](Self::try_new_zeroed), for requests that the allocator must serve.
    ///
    /// # Panics
    ///
    /// When the allocator refuses, and as `try_new_zeroed`.
    pub fn new_zeroed(size: usize, alignment: usize, fill: u8) -> Self {
        Self::try_new_zeroed(size, alignment, fill).unwrap_or_else(|| {
            panic!("the allocator refused {size} zeroed bytes at alignment {alignment}; it must serve them")
        })
    }

    /// Reallocates to `new_size` bytes, checks the bytes that must be kept, and writes the pattern after them. Returns
    /// false if the allocator refuses; the block is then unchanged.
    ///
    /// # Panics
    ///
    /// When a kept byte has changed, and when `new_size` is 0.
    #[must_use]
    pub fn try_resize(&mut self, new_size: usize) -> bool {
        let old_layout = self.layout;
        let new_layout = layout(new_size, old_layout.align());
        // SAFETY: the block was allocated with `old_layout`, and `layout` refuses a size of 0.
        let start = unsafe { alloc::realloc(self.start.as_ptr(), old_layout, new_size) };
        let Some(start) = NonNull::new(start) else {
            self.check();
            return false;
        };
        self.start = start;
        let kept_bytes = old_layout.size().min(new_size);
        self.layout = layout(kept_bytes, old_layout.align());
        self.check();
        self.layout = new_layout;
        self.write_pattern_from(kept_bytes);
        true
    }

    /// As [`try_resize`](Self::try_resize), for requests that the allocator must serve.
    ///
    /// # Panics
    ///
    /// When the allocator refuses, and as `try_resize`.
    pub fn resize(&mut self, new_size: usize) {
        let old_size = self.layout.size();
        assert!(
            self.try_resize(new_size),
            "the allocator refused to resize {old_size} bytes to {new_size}; it must serve them"
        );
    }

    /// Compares every byte with the pattern.
    ///
    /// # Panics
    ///
    /// When the address is not aligned or a byte differs.
    pub fn check(&self) {
        self.check_alignment();
        pattern::check(self.bytes(), self.fill);
    }

    /// The bytes that were asked for.
    pub fn size(&self) -> usize {
        self.layout.size()
    }

    /// The alignment that was asked for.
    pub fn alignment(&self) -> usize {
        self.layout.align()
    }

    /// The address of the first byte.
    pub fn address(&self) -> usize {
        self.start.addr().get()
    }

    /// The address of the last byte, which exists even for a block at the top of the address space.
    pub fn last_address(&self) -> usize {
        self.address()
            .checked_add(self.layout.size() - 1)
            .expect("a block must end inside the address space")
    }

    fn bytes(&self) -> &[u8] {
        // SAFETY: the block is live, `layout.size()` bytes long, and initialized by the pattern or by `alloc_zeroed`.
        unsafe { slice::from_raw_parts(self.start.as_ptr(), self.layout.size()) }
    }

    fn check_alignment(&self) {
        assert!(
            self.address().is_multiple_of(self.layout.align()),
            "the block of {} bytes at {:#x} is not aligned to {}",
            self.layout.size(),
            self.address(),
            self.layout.align(),
        );
    }

    fn write_pattern_from(&mut self, offset: usize) {
        let size = self.layout.size() - offset;
        // SAFETY: the block is live, `offset + size` bytes long and ours alone.
        let memory = unsafe {
            let start = self.start.as_ptr().add(offset);
            start.write_bytes(0, size);
            slice::from_raw_parts_mut(start, size)
        };
        pattern::write(memory, offset, self.fill);
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        self.check();
        // SAFETY: the block was allocated with this layout and is released once, here.
        unsafe { alloc::dealloc(self.start.as_ptr(), self.layout) }
    }
}

fn layout(size: usize, alignment: usize) -> Layout {
    assert!(size > 0, "a block has at least one byte");
    Layout::from_size_align(size, alignment)
        .unwrap_or_else(|_| panic!("{size} bytes at alignment {alignment} make no layout"))
}

fn first_nonzero(bytes: &[u8]) -> Option<usize> {
    static ZEROS: [u8; 4096] = [0; 4096];
    let dirty = bytes
        .chunks(ZEROS.len())
        .position(|chunk| chunk != &ZEROS[..chunk.len()])?;
    let start = dirty * ZEROS.len();
    let offset = bytes[start..].iter().position(|&byte| byte != 0)?;
    Some(start + offset)
}
