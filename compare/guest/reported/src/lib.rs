//! Inputs made after public reports of programs whose memory grew, ran out, or became slow.
//!
//! Nearly all of them ask the allocator for blocks directly and keep no list of them on the heap: each block holds the
//! address of the next. So the allocator sees exactly the calls that the description of a workload names.
//!
//! A workload that runs into the memory's maximum counts what it was served, for the host to read: see [`served`].

mod bitmaps;
mod block;
mod exhaustion;
mod first_calls;
mod growing;
mod pinned;
mod replaced_payload;
mod replaced_slots;
mod sections;
mod served;
mod tree;

#[cfg(test)]
mod limited_heap;

harness::export_workloads! {
    "replaced-payload" => replaced_payload::as_reported,
    "replaced-payload-steady" => replaced_payload::steady,
    "replaced-payload-100k" => replaced_payload::of_100_kb,
    "replaced-payload-8m" => replaced_payload::of_8_mb,
    "replaced-payload-few-small" => replaced_payload::with_few_small_blocks,
    "replaced-payload-many-small" => replaced_payload::with_many_small_blocks,
    "small-after-large" => exhaustion::small_after_large,
    "holes-at-the-limit" => exhaustion::holes_at_the_limit,
    "small-memory" => exhaustion::every_small_size,
    "pinned-runs" => pinned::one_in_170,
    "replaced-buffers" => replaced_slots::buffers_of_40_kb,
    "replaced-large-buffers" => replaced_slots::buffers_of_300_kb,
    "filled-memory" => exhaustion::half_released,
    "kilobytes-to-the-end" => exhaustion::kilobytes,
    "plug-in" => exhaustion::plug_in,
    "growing-vector" => growing::vector_among_small_blocks,
    "page-ratchet" => growing::by_a_page,
    "released-tree" => tree::made_and_dropped,
    "zeroed-bitmaps" => bitmaps::sparsely_drawn,
    "aligned-sections" => sections::replaced,
    "first-calls" => first_calls::one_of_each_size,
}
