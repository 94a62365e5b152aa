//! One heap for each thread, without a lock on the way to it. This layer uses `heaps`, `memory` and `stats`.
//!
//! ```text
//! thread  --->  its seat  --->  its heap: a whole single-threaded heap over pages of its own
//!                 ^
//!                 | a stack of blocks that other threads have released
//! ```
//!
//! | file | what it owns |
//! |---|---|
//! | [`shared_memory`] | what is asked of a memory that threads share |
//! | [`pages`] | which heap each page belongs to, and the growth of a memory that has a ceiling |
//! | [`heap_memory`] | the memory that one heap sees |
//! | [`remote_blocks`] | the stack of blocks that others have released |
//! | [`thread_heap`] | a heap with what it has taken off that stack |
//! | [`seat`] | who uses a heap |
//! | [`thread`] | what a thread knows: its heap, and how much of the memory it can see |
//! | [`heaps`] | all of it: where a block comes from, and where it goes back to |
//!
//! Heaps share `memory.grow` and nothing else. A page belongs to the heap that added it, for ever. So the page of a block says
//! which heap takes it back. Its entry is written before a block of the page is handed out, so whoever holds the
//! block may read the entry plainly. The owner of a heap releases a block as if there were no threads. Another thread pushes it
//! on the heap's stack: one atomic exchange. The owner takes the stack when a free list of its own is empty, before it looks
//! for more memory.
//!
//! Four heaps are *common*: a thread takes one for the time of a call. They serve requests above 10 KiB, whose free space all
//! threads can so use, and threads that have no heap: those whose thread-local storage does not exist, and those for
//! which no seat is left. No thread waits for another to finish a call, as long as another heap serves.
//!
//! A heap whose thread has given it up is adopted by the next thread that needs one.
//!
//! # What was tried and lost
//!
//! Times of V8, throughput of two threads over that of one:
//!
//! - One heap behind a spin lock: 0.19 where small blocks come and go, 0.25 on sizes to 10 kB, 0.75 where JSON is parsed and
//!   printed. A heap for each thread: 2.01, 1.99 and 1.97.
//! - A thread known by the address of its stack: stacks may share a page, and it is slower. By `pthread_getspecific`: twice
//!   the time of a call.
//! - Requests of all sizes served by the thread's own heap: 594 to 618 pages where four threads exchange blocks, instead of
//!   382 to 392 with those above 32 KiB served by common heaps. From 16 KiB on: 0.94 of the pages of that; from 10 KiB on,
//!   0.88 of those where no thread waits for the others and two processors run four.
//! - A common heap waited for as briefly as a call takes: 1,000 pages instead of 500 there, and no less time.
//! - A heap's state made by a constructor and moved to its page: 220 bytes of code more (opt-level "z").
//! - The fast paths inlined in a build for size too: 330 bytes more.

// Loom plays less of it than the other tests do.
#![cfg_attr(all(test, loom), allow(dead_code))]

pub(crate) mod heap_memory;
pub(crate) mod heaps;
pub(crate) mod pages;
pub(crate) mod remote_blocks;
pub(crate) mod seat;
pub(crate) mod shared_memory;
mod sync;
#[cfg(test)]
mod tests;
pub(crate) mod thread;
pub(crate) mod thread_heap;
