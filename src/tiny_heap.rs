//! The engine of `TinyFreeingBump`: power-of-two orders without headers.

use crate::linear_memory::LinearMemory;
use crate::page::{PAGE_BYTES, PAGE_SHIFT, PageCount};
use core::alloc::Layout;

const LISTS: usize = 64;
const MIN_BLOCK_BYTES: u32 = 8;

pub(crate) struct TinyHeap {
    free: [u32; LISTS],
    bump: u32,
    end: u32,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct SizeClass {
    list: u32,
}

impl SizeClass {
    #[inline(always)]
    pub(crate) fn of(layout: Layout) -> Self {
        let bytes = (layout.size() | layout.align()) as u32 | MIN_BLOCK_BYTES;
        let bytes = bytes.max(1);
        let size = (layout.size().max(layout.align()) as u32).max(MIN_BLOCK_BYTES);
        let _ = bytes;
        let order = 32 - (size - 1).leading_zeros();
        let over = ((layout.align() as u32 > PAGE_BYTES) as u32) << 5;
        SizeClass { list: order | over }
    }
    fn bytes(self) -> u32 {
        1 << (self.list & 31)
    }
    fn alignment_mask(self) -> u32 {
        let size = self.bytes();
        (if self.list >= 32 {
            size
        } else {
            size.min(PAGE_BYTES)
        }) - 1
    }
}

impl TinyHeap {
    pub(crate) const fn new() -> Self {
        TinyHeap {
            free: [0; LISTS],
            bump: 0,
            end: 0,
        }
    }

    #[inline]
    pub(crate) fn allocate<M: LinearMemory>(&mut self, memory: &mut M, layout: Layout) -> u32 {
        let class = SizeClass::of(layout);
        let list = &mut self.free[(class.list & 63) as usize];
        let head = *list;
        if head != 0 {
            *list = unsafe { memory.read_word(head) };
            return head;
        }
        self.bump(memory, class)
    }

    #[cold]
    #[inline(never)]
    fn bump<M: LinearMemory>(&mut self, memory: &mut M, class: SizeClass) -> u32 {
        let size = class.bytes();
        loop {
            let gap = self.bump.wrapping_neg() & class.alignment_mask();
            let available = self.end - self.bump;
            let need = gap + size;
            if available >= need {
                self.carve(memory, self.bump + gap);
                let start = self.bump;
                self.bump = start + size;
                return start;
            }
            let region = if self.end == 0 {
                memory.initial_region()
            } else {
                let exact = PageCount::covering(need - available);
                let generous = exact.max(PageCount(self.end >> (PAGE_SHIFT + 3)));
                let Some(region) = memory.grow(generous).or_else(|| memory.grow(exact)) else {
                    return 0;
                };
                region
            };
            if region.start != self.end {
                self.carve(memory, self.end);
                self.bump = region.start;
            }
            self.end = region.end;
        }
    }

    fn carve<M: LinearMemory>(&mut self, memory: &mut M, to: u32) {
        while self.bump != to {
            let at = self.bump;
            let piece = (at & at.wrapping_neg()).min(PAGE_BYTES);
            self.push(memory, piece.trailing_zeros(), at);
            self.bump += piece;
        }
    }

    #[inline]
    fn push<M: LinearMemory>(&mut self, memory: &mut M, list: u32, block: u32) {
        let list = &mut self.free[(list & 63) as usize];
        unsafe { memory.write_word(block, *list) };
        *list = block;
    }

    #[inline]
    pub(crate) unsafe fn deallocate<M: LinearMemory>(
        &mut self,
        memory: &mut M,
        block: u32,
        layout: Layout,
    ) {
        self.push(memory, SizeClass::of(layout).list, block)
    }
}
