//! `TinyFreeingBump`.
use crate::cell::SingleThreaded;
use crate::linear_memory::ThisModule;
use crate::tiny_heap::{SizeClass, TinyHeap};
use core::alloc::{GlobalAlloc, Layout};
use core::ptr;

/// tiny
pub struct TinyFreeingBump(SingleThreaded<TinyHeap>);
impl TinyFreeingBump {
    /// new
    pub const fn new() -> Self {
        Self(SingleThreaded::new(TinyHeap::new()))
    }
}
unsafe impl GlobalAlloc for TinyFreeingBump {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ptr::with_exposed_provenance_mut(
            unsafe { self.0.get() }.allocate(&mut ThisModule, layout) as usize
        )
    }
    unsafe fn dealloc(&self, p: *mut u8, layout: Layout) {
        unsafe {
            self.0
                .get()
                .deallocate(&mut ThisModule, p.addr() as u32, layout)
        }
    }
    unsafe fn realloc(&self, p: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        let new_layout = unsafe { Layout::from_size_align_unchecked(new_size, layout.align()) };
        if SizeClass::of(layout) == SizeClass::of(new_layout) {
            return p;
        }
        unsafe {
            let new = self.alloc(new_layout);
            if !new.is_null() {
                ptr::copy_nonoverlapping(p, new, layout.size().min(new_size));
                self.dealloc(p, layout);
            }
            new
        }
    }
}
