//! What is asked of a heap.

/// A request as its `Layout` states it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    /// In bytes, not 0. Rounded up to the alignment it is at most `isize::MAX` of the target.
    pub(crate) size: u32,
    /// In bytes, a power of two.
    pub(crate) align: u32,
}

impl Request {
    /// A request for other bytes with the same alignment.
    pub(crate) const fn with_size(self, size: u32) -> Self {
        Request {
            size,
            align: self.align,
        }
    }
}
