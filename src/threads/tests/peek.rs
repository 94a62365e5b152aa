//! A look at the stack.

use super::*;

impl RemoteStack {
    /// What is on it, and stays there.
    pub(in super::super) fn peek(&self) -> RemoteBlocks {
        RemoteBlocks(self.0.load(Ordering::Relaxed))
    }
}
