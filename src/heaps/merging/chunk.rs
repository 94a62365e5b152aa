//! What a chunk looks like in memory: the words of the [`chunk_heap`](super::chunk_heap).
//!
//! ```text
//! chunk, in use                         chunk, free
//! v                                     v
//! +-------+-----+-----------------------+-------+-----+----------+------+----+-------+-----+
//! |       | tag | block: the payload    ..      | tag | previous | next | .. | span  | tag |
//! +-------+-----+-----------------------+-------+-----+----------+------+----+-------+-----+
//! +0      +4    +8                      |       |<- links in a bin -->|      |
//! |<---------------- span ------------->|<---------------- span ------------>|
//! ```
//!
//! A chunk starts 8 bytes before its block. Blocks are aligned to 16 bytes and spans are multiples of 16: the address of a
//! chunk plus its span is the next chunk. A block runs on into the first word of the next chunk: a chunk of `span` bytes has
//! a block of `span - 4`. While a chunk is free, that word repeats its span. The next chunk finds there where the free one
//! starts. All fields lie at or after the address of their chunk, because loads and stores add a non-negative offset for
//! free.

use crate::memory::linear::LinearMemory;

/// Every span is a multiple of this, and every block is aligned to it.
pub(super) const GRANULE_BYTES: u32 = 16;

/// The bytes of a tag.
pub(super) const TAG_BYTES: u32 = 4;

/// Where a chunk has the span of the chunk before it, if that is free.
const SPAN_BEFORE_OFFSET: u32 = 0;

/// Where a chunk has its tag.
const TAG_OFFSET: u32 = 4;

/// Where a chunk has its block.
pub(super) const BLOCK_OFFSET: u32 = 8;

/// The span of a chunk whose block has room for `bytes`, which are at most 2^31.
pub(super) const fn span_for(bytes: u32) -> u32 {
    (bytes + TAG_BYTES + (GRANULE_BYTES - 1)) & !(GRANULE_BYTES - 1)
}

/// The first chunk of a region that starts at this address: its tag lies there, or up to 8 bytes after.
pub(super) const fn first_chunk(start: u32) -> u32 {
    ((start + TAG_BYTES + (GRANULE_BYTES - 1)) & !(GRANULE_BYTES - 1)) - BLOCK_OFFSET
}

/// A tag: the span of its chunk, whether the chunk is free, and whether the chunk before it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tag(u32);

impl Tag {
    const FREE: u32 = 1;
    const PREVIOUS_FREE: u32 = 2;
    #[cfg(feature = "walk")]
    const RUN: u32 = 4;
    const FLAGS: u32 = GRANULE_BYTES - 1;

    /// Ends the chain of chunks: in use, without a span.
    pub(super) const END: Tag = Tag(0);

    /// The tag of a free chunk. The chunk before it is in use, because free neighbours merge.
    pub(super) const fn free(span: u32) -> Self {
        Tag(span | Self::FREE)
    }

    /// The tag of a chunk in use after another one in use.
    pub(super) const fn in_use(span: u32) -> Self {
        Tag(span)
    }

    /// The bytes from the chunk to the next one.
    pub(super) const fn span(self) -> u32 {
        self.0 & !Self::FLAGS
    }

    /// Whether the chunk is free.
    pub(super) const fn is_free(self) -> bool {
        self.0 & Self::FREE != 0
    }

    /// Whether the chunk before it is free.
    pub(super) const fn is_previous_free(self) -> bool {
        self.0 & Self::PREVIOUS_FREE != 0
    }

    /// Whether the chunk is a run.
    #[cfg(feature = "walk")]
    pub(super) const fn is_run(self) -> bool {
        self.0 & Self::RUN != 0
    }

    /// The same, after a free chunk.
    const fn after_free(self) -> Self {
        Tag(self.0 | Self::PREVIOUS_FREE)
    }

    /// The same, after a chunk in use.
    const fn after_in_use(self) -> Self {
        Tag(self.0 & !Self::PREVIOUS_FREE)
    }

    /// The tag of a chunk in use of this span, after the same chunk as before.
    const fn with_span_in_use(self, span: u32) -> Self {
        Tag(span | self.0 & Self::PREVIOUS_FREE)
    }
}

/// The address of a chunk, or of the place after the last one, where another chunk's tag has room. It is used with the memory of
/// its heap alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Chunk(u32);

impl Chunk {
    /// The chunk at this address.
    ///
    /// # Safety
    ///
    /// A chunk of the heap must lie there, or the heap must own the bytes of a tag there and no live block may.
    pub(super) const unsafe fn at(address: u32) -> Self {
        Chunk(address)
    }

    /// The chunk of this block.
    ///
    /// # Safety
    ///
    /// The heap must have handed the block out, and not have taken it back.
    pub(super) const unsafe fn of_block(block: u32) -> Self {
        Chunk(block - BLOCK_OFFSET)
    }

    /// Where the chunk starts.
    pub(super) const fn address(self) -> u32 {
        self.0
    }

    /// The address of the chunk's block.
    pub(super) const fn block(self) -> u32 {
        self.0 + BLOCK_OFFSET
    }

    /// The chunk that starts `bytes` bytes after this one.
    ///
    /// # Safety
    ///
    /// As for [`at`](Self::at).
    pub(super) const unsafe fn after(self, bytes: u32) -> Self {
        Chunk(self.0 + bytes)
    }

    /// The chunk before this one.
    ///
    /// # Safety
    ///
    /// This chunk's tag must say that the one before is free.
    pub(super) unsafe fn before<M: LinearMemory>(self, memory: &M) -> Self {
        // SAFETY: a free chunk repeats its span in the first word of the next one.
        Chunk(self.0 - unsafe { memory.read_word(self.0, SPAN_BEFORE_OFFSET) })
    }

    /// The chunk's tag.
    pub(super) fn tag<M: LinearMemory>(self, memory: &M) -> Tag {
        // SAFETY: each chunk has a tag, and the place after the last one has room for it.
        Tag(unsafe { memory.read_word(self.0, TAG_OFFSET) })
    }

    /// Sets the chunk's tag.
    pub(super) fn set_tag<M: LinearMemory>(self, memory: &mut M, tag: Tag) {
        // SAFETY: as in `tag`; no block reaches as far as a tag.
        unsafe { memory.write_word(self.0, TAG_OFFSET, tag.0) }
    }

    /// The chunk's span.
    pub(super) fn span<M: LinearMemory>(self, memory: &M) -> u32 {
        self.tag(memory).span()
    }

    /// Says in the chunk's tag that it is in use with this span. The flag of the chunk before stays.
    pub(super) fn set_in_use<M: LinearMemory>(self, memory: &mut M, span: u32) {
        let tag = self.tag(memory).with_span_in_use(span);
        self.set_tag(memory, tag);
    }

    /// Notes that the chunk is a run, until its tag is that of another chunk.
    #[cfg(feature = "walk")]
    pub(super) fn note_run<M: LinearMemory>(self, memory: &mut M) {
        let tag = Tag(self.tag(memory).0 | Tag::RUN);
        self.set_tag(memory, tag);
    }

    /// Notes that the chunk before is in use.
    pub(super) fn follow_in_use<M: LinearMemory>(self, memory: &mut M) {
        let tag = self.tag(memory).after_in_use();
        self.set_tag(memory, tag);
    }

    /// Notes that the chunk before is free, with this span.
    ///
    /// # Safety
    ///
    /// The chunk before must be free, so that no block runs on into this one.
    pub(super) unsafe fn follow_free<M: LinearMemory>(self, memory: &mut M, span: u32) {
        // SAFETY: the word belongs to the block before, which is free.
        unsafe { memory.write_word(self.0, SPAN_BEFORE_OFFSET, span) }
        let tag = self.tag(memory).after_free();
        self.set_tag(memory, tag);
    }
}

#[cfg(test)]
mod tests {
    //! In this file since `Tag` is private.
    use super::*;

    #[test]
    fn a_tag_keeps_the_span_and_both_flags_apart() {
        let free = Tag::free(4096);
        assert_eq!(
            (free.span(), free.is_free(), free.is_previous_free()),
            (4096, true, false)
        );
        let after_free = Tag::in_use(32).after_free();
        assert_eq!(
            (after_free.span(), after_free.is_free(), after_free.is_previous_free()),
            (32, false, true)
        );
        assert_eq!(after_free.after_in_use(), Tag::in_use(32));
        assert_eq!(after_free.with_span_in_use(64), Tag::in_use(64).after_free());
        assert_eq!(Tag::free(64).with_span_in_use(48), Tag::in_use(48));
    }

    #[test]
    fn a_span_holds_its_bytes_and_a_tag_in_as_few_granules_as_can_be() {
        for (bytes, span) in [(1, 16), (12, 16), (13, 32), (1 << 31, (1 << 31) + 16)] {
            assert_eq!(span_for(bytes), span);
        }
    }
}
