//! `FreeingBump`, the global allocator: layouts and pointers in front of [`MergingHeap`].

#[cfg(for_threads)]
use super::heap_of_each_thread::HeapOfEachThread as Heap;
use super::implement::implement_global_alloc;
#[cfg(feature = "malloc")]
use super::shared_heap::SharedHeap as Heap;
#[cfg(feature = "walk")]
use crate::heap_map::HeapRange;
#[cfg(feature = "walk")]
use crate::heaps::merging::walk::Walk;
use crate::memory::Growth;
use crate::stats::HeapStats;
use core::fmt;
#[cfg(not(any(feature = "malloc", for_threads)))]
use {
    super::cell::SingleThreaded,
    crate::heaps::{UncheckedHeap, merging::MergingHeap},
    crate::memory::linear::ThisModule,
};

/// The allocator's own heap.
#[cfg(not(any(feature = "malloc", for_threads)))]
type Heap = SingleThreaded<MergingHeap<ThisModule>>;

/// The global allocator to choose by default: the hot path of the freeing-bump algorithm (size class, free list, bump
/// pointer) in front of a heap that merges what is released and reuses it for any size.
///
/// ```
/// # #[cfg(target_arch = "wasm32")]
/// # mod module {
/// use freeing_bump::FreeingBump;
///
/// #[global_allocator]
/// static ALLOCATOR: FreeingBump = FreeingBump::new();
/// # }
/// ```
///
/// - Requests of up to 512 bytes get a block of a run: 8 KiB of blocks of one size, a multiple of 8 bytes, or of 16 above
///   256, with no bytes beside them. A run whose last block is released becomes memory for anything again. Up to one run of
///   each size stays with its size, 384 KiB in all at most. Before the memory grows, such runs become memory for anything
///   too. Where that was done three times in short succession for a new run, the memory grows instead.
/// - A size earns its runs. Before that it borrows blocks from the runs of the next power of two, 512 bytes of them at a time. So
///   the sizes that a program makes few blocks of share a few runs. What a size has borrowed is counted from the last time that
///   all blocks of one of these runs were released. It gets a run of its own where they have no free block and it has borrowed
///   4 KiB. In a heap of 512 KiB or more it also gets one where it has borrowed a thirty-second of the heap and shares four runs at
///   least.
/// - Larger blocks have a tag of 4 bytes, are rounded up to a multiple of 16, and are merged with their neighbours at once.
///   The rest of a free block stays free, unless it is at most a sixteenth of the request, or for a request of less than
///   32 KiB a quarter, as long as the memory can grow.
/// - A sixteenth of each block of 64 KiB or more stays free before and after it, where the memory can grow by that. A buffer
///   or a state that is replaced by one a little larger then alternates between two places. At the memory's limit this space
///   serves any request. Where such a block is cut from a free one that is much larger, that sixteenth is part of the block.
/// - Allocation and release are O(1). A request of up to 512 bytes may also link blocks of a new run, 256 at most. Before the
///   memory grows, borrowed blocks are given back, fewer than 512 bytes of each size, and up to 2,048 free blocks are counted, for
///   runs to release. No other work is deferred. Where the engine refuses to grow the memory, up to 2,048 free blocks of about
///   the size are looked at.
/// - `realloc` leaves a block in place within its size, into free space after it, and at the bump pointer, for which the
///   memory may grow. Otherwise it copies, and can be refused even where it shrinks. `alloc_zeroed` does not clear what
///   comes fresh from the engine.
/// - The memory between `__heap_base` and the end of the initial memory comes first (not on WASI, where the C library
///   owns it). Then comes `memory.grow` by a thirty-second, or as [`with_growth`](Self::with_growth) says, or by just what
///   is needed where the engine refuses more.
/// - Where the engine refuses to grow the memory, a request that fits into some free space is still served, small ones
///   too: see [`promise`](crate::promise) for the exact rule.
/// - Alignments up to 16 cost nothing. Above that, the bytes cut off around a block become free.
/// - Out of memory is a null pointer. It changes nothing that is in use, and what is free is still handed out.
/// - With the feature `malloc` all values of this type are one heap, which C's functions use too: see [`c_code`](crate::c_code).
/// - With the feature `threads`, each thread has a heap of its own in a build for threads, and blocks cross threads freely: see
///   [`with_threads`](crate::with_threads). All values of this type are one set of heaps then.
/// - Nothing is checked: releasing twice, or with another layout, is undefined behaviour, as
///   [`GlobalAlloc`](core::alloc::GlobalAlloc) says.
///
/// # The design, and what was tried and lost
///
/// A run is found from an address by masking it, and a block's size class is known from its `Layout`, as in mimalloc
/// (Leijen and others, 2019). Each run counts the releases until something is to be done. So a release is two loads,
/// three stores and one branch, whichever run the block is from. Large blocks have boundary tags (Knuth, 1973) and bins in
/// the manner of two-level segregated fit (Masmano and others, 2004). The first block of a bin knows the bin's number,
/// so none is computed to take a block out. All fields of a chunk lie after its address, where WebAssembly reaches them with
/// an offset that costs nothing. Chunks begin 8 bytes before their blocks, as in dlmalloc.
///
/// - Powers of two with one list for each, the original algorithm without its header, and `TinyFreeingBump` now: fewer
///   instructions, up to 7 times the memory of dlmalloc where sizes change.
/// - One list for each size class, with a sweep that merges what is free before the memory grows: as fast. But a program
///   that releases a structure and builds it again gets its blocks in a scrambled order, and is slower than with dlmalloc.
///   And the sweep is a pause that grows with the heap.
/// - Free lists for blocks of 256 bytes to 32 KiB in front of the merging heap, eight for each doubling of the size. With
///   at most four blocks in each, all handed back before the memory grows: 0.33 instead of 0.51 of dlmalloc's
///   instructions on random sizes up to 10 kB, 1.22 instead of 1.04 times its memory where such blocks are resized, and 290
///   bytes of code. Emptied after 64 KiB of releases instead: 1.4 times its memory.
/// - The bin's number computed from the span, fields before a chunk's address, bins as rings with the oldest chunk first,
///   and a look at the bin of the size apart from the search above it: 1.45 times the instructions of the whole workload
///   of random sizes up to 10 kB.
/// - One bit for each eight bins, which are then looked at one after another: 44 bytes less, 4 % more instructions where
///   blocks of many sizes are made anew. A second bitmap of the words of the first: no fewer instructions, and 45 bytes
///   more.
/// - A bitmap of 64-bit words: 0.98 of the time of random sizes up to 10 kB and 28 bytes more. With the choice between two chunks
///   that has no branch: nothing more.
/// - The heads of the bins in the memory. Then the members of a bin are a ring, and one leaves it without a test: as many
///   instructions, and 77 bytes of code more.
/// - A branch where a member has no next one in its bin, instead of a write to a word that nothing else uses: no branch predictor
///   guesses it. 1.17 times the time of random sizes up to 10 kB, with 0.96 of the instructions.
/// - Eight bins for each doubling of the size instead of sixteen: 1.04 times that time. Only bins whose blocks all fit, although
///   one of the bin below may fit: 0.98 of it, and a program that asks for the same size again does not get the same place.
/// - Runs of 4 KiB for blocks of up to 256 bytes: 1.08 times the time of the workloads that only allocate, the recordings
///   and the programs, and 0.98 of the memory (V8 14.6, as all that follows). Runs of 16 KiB for the same blocks: 1.02
///   times the time and 1.01 times the memory. Runs of 16 KiB for blocks of up to 512 bytes: 0.99 and 1.01, and 1.3 times
///   the memory of heaps below 1 MiB; for blocks of up to 1,024 bytes: 0.98 and 1.01.
/// - Runs of 4 KiB in the first 512 KiB of a heap, and of 16 KiB after that: 1.06 times the time, and 1.03 times the
///   memory, since what is free among the short runs serves no long one.
/// - Sizes 8 bytes apart to 512 bytes: a program that repeats itself took new pages after its first rounds, because so many
///   sizes had runs of their own. 32 bytes apart above 256: in 2 of 10 random sequences of phases the memory passed the
///   bound that `src/tests/regressions/footprint.rs` sets.
/// - Sizes 8 bytes apart to 128 bytes, then 32 apart to 256 and 64 apart to 512: 0.97 of the memory of nine programs and
///   products, since fewer sizes have a run that is half empty. But 1.2 times the time of random sizes up to 200 bytes, whose
///   sizes then have many runs each, and a fifth of a block lost to requests just above a size.
/// - Runs of its own for a size after two blocks, wherever they are: 1.02 times the memory of eight programs and products at the
///   first call, each with several inputs, and 1.03 times after twelve calls, since most of 48 sizes then have a run that is
///   nearly empty. It takes the same time. After 4 to 64 blocks: the memory of small programs grows late, after hundreds of rounds.
/// - As now, but what a size has borrowed is counted from the start on, whatever was given back: the memory of a replaced state
///   grows late, after 30 rounds. From 2 or 8 KiB on instead of 4: the same memory within half a percent. Blocks of 1 or 2 KiB
///   borrowed at a time: the same time, and up to 1.01 times the memory. Two sizes to borrow from for each doubling: 1.01 times.
/// - Runs of its own for a size only where the runs that it shares have no free block: 1.09 times the time of random sizes up to
///   200 bytes, and 1.06 times that of blocks released from the oldest to the newest, whose blocks then lie farther apart. And 1.01
///   times the memory of six programs and products after 300 calls, each with several inputs. Also after 8 KiB, in each heap:
///   1.05 times the memory, and that of small programs grows late. In heaps of 768 KiB or more: 1.03 times, and a state of
///   300 kB that is replaced takes a page more after 30 rounds. After a sixty-fourth of a heap of 512 KiB or more: 1.06 times.
///   Where a run of which all blocks were released, but which stays with its size, begins the count anew too: 1.02 times. The
///   four shared runs bring the rest.
/// - Up to 64 runs without a live block that stay with their sizes until a larger block needs memory, so that their blocks
///   need not be linked again: 0.89 of the time of blocks released from the newest to the oldest, 0.97 of that in random
///   order, and the same of all else. Programs that repeat themselves take 1.01 times the memory, one of them 1.26 times.
/// - Runs without a live block released before each growth of the memory: a small program that used some blocks of each of
///   32 sizes in turn made the same few runs again and again: 103 ns for an allocation with its release instead of 8.
/// - The address and the number of a run's released blocks in one word: a load and a store less for a release, and masks
///   for both calls. It takes the same time.
/// - Growth by a sixty-fourth: 0.99 of the memory, and up to twice the calls of `memory.grow`, which cost old engines much.
///   With sizes that earned runs after 4 to 12 blocks, the memory of replaced states also grew late then.
/// - Releases that are a call, while allocations are inlined: 1.14 times the time, and 0.94 and 0.83 of the code of jaq and
///   of a SQL parser that are built for speed. Both as calls, as in [`Outlined`](crate::Outlined): 1.23 times the time, and
///   0.91 and 0.82 of the code. Releases that are a call only where the size is no constant: 0.95 and 0.84 of the code, after
///   `wasm-opt -Oz` and gzip 0.98 and 0.94, in the same time of these two. The workloads that only allocate and the
///   recordings take 1.03 times the time, up to 1.2 times, and time comes before code here.
/// - A sixteenth more inside each block of 64 KiB, wherever it comes from, in place of free space after it: the memory is as
///   flat where a state is replaced, but the space is lost to others at the limit. Free space only before large blocks:
///   three places for a state where two suffice. Only after them, and before those of 2 MiB and more: up to 1.8 times
///   dlmalloc's memory after 10 rounds of a state that grows by 0.1 to 6 % in each, and in 16 of 156 shapes of it above 1.3
///   times. With free space on both sides 1.57 times, in 6 of them.
/// - The best fitting of 16 free blocks for all sizes, not only from 32 KiB on: the same memory, and 1.15 times the time
///   of random sizes up to 10 kB. Only from 64 KiB on: 1.08 times dlmalloc's memory where buffers of 40 kB are replaced,
///   instead of 1.02. For no size, which spares a branch that no predictor guesses: the same 1.08, 1.08 times the
///   memory of zeroed buffers, and 0.96 of the time of random sizes up to 100 kB.
/// - A block of less than 32 KiB that keeps at most a sixteenth of the place it takes over, instead of a quarter: 1.2 times the
///   time of random sizes up to 10 kB, since free space is cut and merged more often, at times that no branch predictor
///   guesses. At most three eighths or a half: 0.96 and 0.92 of it, in the same memory of the workloads. But up to a third
///   of a place could be lost in a block then. A quarter after a refusal too: an eighth fewer small blocks at the limit.
/// - The same for blocks of 64 KiB and more, with an eighth: 0.95 of the time of random sizes up to 100 kB, and 1.06 times
///   the memory of a buffer that grows by a page at a time.
/// - The header of each run at another place, where headers share no lines of the processor's cache: on one processor 0.81 of
///   the time of blocks that are released in random order, on another 1.03 times that of random sizes up to 200 bytes.
/// - Blocks of a class's current run counted apart. Each release then asks for the class, and whether the run is current: a
///   seventh more instructions where blocks of one size come and go.
pub struct FreeingBump {
    heap: Heap,
}

impl FreeingBump {
    /// The allocator, for use in a `static`. A module must have only one that takes its memory from `__heap_base`: one
    /// global allocator of this crate.
    #[must_use]
    pub const fn new() -> Self {
        Self::with_growth(Growth::THIRTY_SECOND)
    }

    /// The allocator with another growth policy: [`Growth::Exact`] where each page is paid for, [`Growth::DOUBLING`] or a
    /// [`Growth::Step`] of many pages where calls of `memory.grow` cost most.
    ///
    /// ```
    /// # #[cfg(target_arch = "wasm32")]
    /// # mod module {
    /// use freeing_bump::{FreeingBump, Growth};
    ///
    /// #[global_allocator]
    /// static ALLOCATOR: FreeingBump = FreeingBump::with_growth(Growth::Exact);
    /// # }
    /// ```
    #[must_use]
    pub const fn with_growth(growth: Growth) -> Self {
        #[cfg(not(any(feature = "malloc", for_threads)))]
        let heap = SingleThreaded::new(MergingHeap::new(ThisModule, growth));
        #[cfg(any(feature = "malloc", for_threads))]
        let heap = Heap::new(growth);
        FreeingBump { heap }
    }

    /// The same allocator for a memory of at most `pages` pages of 64 KiB: the whole linear memory, as the instruction
    /// `memory.size` counts it, with stack, static data and the pages of others. From 65,536 on there is no such ceiling,
    /// as by default.
    ///
    /// A request that would need more pages gets null, as when the engine refuses to grow the memory, but the engine is
    /// not asked. The steps of the growth policy end at the ceiling. For hosts that end a module when it asks for too
    /// much, and for a budget. The initial memory is used even above the ceiling. Each growth of the memory costs
    /// one comparison. Nothing else costs anything.
    ///
    /// ```
    /// # #[cfg(target_arch = "wasm32")]
    /// # mod module {
    /// use freeing_bump::FreeingBump;
    ///
    /// /// In a memory of up to 16 MiB.
    /// #[global_allocator]
    /// static ALLOCATOR: FreeingBump = FreeingBump::new().with_max_pages(256);
    /// # }
    /// ```
    #[must_use]
    pub const fn with_max_pages(mut self, pages: u32) -> Self {
        self.heap.get_mut().limit_pages(pages);
        self
    }

    /// What the memory is used for now, in bytes. The heap's own bytes count as live: tags, the headers of runs, and what
    /// blocks were rounded up by. O(free blocks): nothing is counted while allocating.
    ///
    /// In a build for threads these are the figures of all heaps. What is free in a heap that another thread uses now is not known,
    /// and counts as live. So does a block that another thread has released until its heap takes it back.
    #[must_use]
    pub fn stats(&self) -> HeapStats {
        // SAFETY: counting runs no code of the user.
        unsafe { self.heap.with(|heap| heap.stats()) }
    }

    /// Gives up the calling thread's heap, for the next thread that needs one. With the cargo feature `threads`; in a build for one
    /// thread it does nothing.
    ///
    /// Call it as the last thing in a thread on wasm32-unknown-unknown, where nothing tells of a thread's end. A thread that ends
    /// without it keeps what is free in its heap from all others, and one of the 250 heaps that threads can have. On
    /// wasm32-wasip1-threads it happens by itself. Blocks of the thread stay live, wherever they are. If the thread
    /// allocates again, it takes a heap again. O(blocks that other threads have released since the thread's last
    /// allocation).
    #[cfg(feature = "threads")]
    pub fn release_thread(&self) {
        #[cfg(for_threads)]
        self.heap.release_thread();
    }

    #[cfg(feature = "walk")]
    /// Tells `visitor` what each address of the heap is used for: every range once, in address order, without gaps and
    /// overlaps, from where the heap's memory begins to where it ends. For a picture of the heap, for the largest free block
    /// and fragmentation (see [`HeapSummary`](crate::HeapSummary)), and to find what lives between free blocks. With the cargo
    /// feature `walk`.
    ///
    /// ```
    /// # #[cfg(target_arch = "wasm32")]
    /// # mod module {
    /// use freeing_bump::{FreeingBump, RangeKind};
    ///
    /// #[global_allocator]
    /// static ALLOCATOR: FreeingBump = FreeingBump::new();
    ///
    /// /// The addresses and sizes of the blocks of at least 64 KiB.
    /// fn large_blocks() -> Vec<(u32, u32)> {
    ///     let mut large = Vec::new();
    ///     ALLOCATOR.walk(|range| {
    ///         if range.kind == RangeKind::Live && range.bytes >= 65_536 {
    ///             large.push((range.address, range.bytes));
    ///         }
    ///     });
    ///     large
    /// }
    /// # }
    /// ```
    ///
    /// The bytes of all ranges together are the `address_space_bytes` of [`stats`](Self::stats), those of the free ranges its
    /// `free_bytes`, and those of the tail its `tail_bytes`. In `live_bytes` it has the rest. Until the heap has handed out a
    /// block, all of the initial memory is tail. `TinyFreeingBump` has no such function: nothing in its memory says where a
    /// live block ends.
    ///
    /// # While the visitor allocates and releases
    ///
    /// It may: the heap is not in use while the visitor runs. Then the heap changes during the walk, and the ranges do not show
    /// it at one moment. The visitor gets:
    ///
    /// - still each address once, in order, up to the end that the memory had when the walk began;
    /// - each block that lives through all of the walk, without being resized, as one range;
    /// - everything else as it was when the walk reached it. A block that was made, resized or released during the walk can be
    ///   missing, or only a part of it is a live range. The walk looks once at a run, 8 KiB of small blocks, before the visitor
    ///   gets the first range of it.
    ///
    /// # Cost
    ///
    /// O(blocks). Until the visitor allocates or releases, each step takes a bounded time: it goes on from the last larger
    /// block, or looks at the up to 1,021 blocks of a run. When a block above 512 bytes was released or resized since the last
    /// step, or a run has become free, the next step finds its place anew, from the first larger block on. A walk allocates
    /// nothing: a bitmap of 128 bytes lies on the stack. Where the feature is enabled and no code walks, a release of a block
    /// above 512 bytes takes one store more, and a new run a load and a store; that is 83 bytes of code (Rust 1.95, opt-level
    /// "z"). A call brings 1.6 kB. Without the feature a module is byte for byte as if there were no walk.
    pub fn walk(&self, mut visitor: impl FnMut(HeapRange)) {
        // SAFETY: reading two addresses runs no code of the user.
        let mut walk = unsafe { self.heap.with(|heap| Walk::of(heap)) };
        // SAFETY: a step runs no code of the user. The visitor runs when the heap is free again.
        while let Some(seen) = unsafe { self.heap.with(|heap| walk.step(heap)) } {
            seen.tell(&mut visitor);
        }
    }
}

/// Shows the figures of [`stats`](FreeingBump::stats).
impl fmt::Debug for FreeingBump {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("FreeingBump").field(&self.stats()).finish()
    }
}

impl Default for FreeingBump {
    fn default() -> Self {
        Self::new()
    }
}

implement_global_alloc!(FreeingBump);
