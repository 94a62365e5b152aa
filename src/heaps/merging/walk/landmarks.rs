//! What a heap notes for walks while it works: two words, and one at the end of each region that another one follows.

/// The landmarks; all zero while the heap has no memory.
pub(in super::super) struct Landmarks {
    /// Where the first region begins, or 0 where there is none.
    pub(in super::super) first_region: u32,
    /// The address of a chunk from which a walk can find those after it, or 0.
    pub(in super::super) chunk: u32,
}

impl Landmarks {
    /// None.
    pub(in super::super) const fn new() -> Self {
        Landmarks {
            first_region: 0,
            chunk: 0,
        }
    }

    /// To be called before a chunk ceases to be one.
    pub(in super::super) fn forget_chunk(&mut self) {
        self.chunk = 0;
    }
}
