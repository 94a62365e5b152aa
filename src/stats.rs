//! Figures on request.

/// What a [`FreeingBumpHeapAllocator`](crate::FreeingBumpHeapAllocator) has handed out, in bytes.
///
/// A block counts with its header and with the bytes that its request was rounded up by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Bytes of the blocks that are in use now.
    pub bytes_allocated: u32,
    /// The most bytes that were in use at any one time.
    pub bytes_allocated_peak: u32,
    /// Bytes of all blocks ever handed out; a block that is handed out again counts again.
    pub bytes_allocated_sum: u64,
    /// Bytes from the heap base to the bump pointer: used at some time, by blocks that are in use or free now.
    /// Pages of others in between count too.
    pub address_space_used: u32,
}

/// What the memory of `FreeingBump` or `TinyFreeingBump` is used for now, in bytes.
///
/// `live_bytes + free_bytes + tail_bytes == address_space_bytes`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct HeapStats {
    /// Bytes of the blocks in use, with what each request was rounded up by, what the heap needs for itself, and pages that
    /// others added in between.
    pub live_bytes: u32,
    /// Bytes that were released and wait for a request that they serve.
    pub free_bytes: u32,
    /// Bytes in the tail: from the bump pointer to the end of the heap's memory. Blocks may have lain there before.
    pub tail_bytes: u32,
    /// Bytes from the heap base to the end of the heap's memory. Pages that others added in between are part of
    /// it, because nothing records them.
    pub address_space_bytes: u32,
    /// The largest request, with an alignment of up to 8, for which there is room in one piece; blocks that only small
    /// requests are served from are left out.
    ///
    /// `TinyFreeingBump` serves it without growing the memory. `FreeingBump` may grow the memory first: it does not
    /// look at all free blocks of about that size, and leaves space free beside large blocks. Where growth is refused, it
    /// serves it.
    pub largest_free_bytes: u32,
}
