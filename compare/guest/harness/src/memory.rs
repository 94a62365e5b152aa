//! Exports by which a host learns what a figure of linear memory consists of, and why a program stopped.

#[cfg(target_arch = "wasm32")]
mod exports {
    use std::alloc::{Layout, alloc, dealloc};

    unsafe extern "C" {
        safe static __heap_base: u8;
    }

    /// The address after the stack and the static data, which no allocator can avoid.
    #[unsafe(export_name = "heap_base")]
    extern "C" fn heap_base() -> u32 {
        (&raw const __heap_base).addr() as u32
    }

    /// Whether the allocator still serves one block of `bytes`; asked after a trap, to name its cause.
    #[unsafe(export_name = "can_allocate")]
    extern "C" fn can_allocate(bytes: u32) -> u32 {
        let Ok(layout) = Layout::from_size_align(bytes.max(1) as usize, 8) else {
            return 0;
        };
        // SAFETY: the layout's size is not 0, and the block is released with the layout it was allocated with.
        unsafe {
            let block = alloc(layout);
            if !block.is_null() {
                dealloc(block, layout);
            }
            u32::from(!block.is_null())
        }
    }
}
