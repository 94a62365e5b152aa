//! Workloads that several workers of one module run at once, each in a thread of its own. They run in a module without
//! threads too, which then has one worker.
//!
//! A host calls `<name>_prepare` in each worker, lets all of them start together, and calls `<name>` again and again. Each
//! call returns the number of operations that it did. Where there is a `<name>_finish`, the host calls it in each worker in
//! the end, for the operations that are left. A worker that finds a block overwritten panics.
//!
//! What workers share lies in static data, since an atomic access to pages that another thread has just grown may trap in
//! V8. So do the stacks and the thread-local storage of the workers: they are no part of a heap.

mod documents;
mod exchange;
mod hand_over;
mod message;
mod stage;
mod table;

harness::export_workloads! {
    "small-blocks_prepare" => table::prepare_small_blocks,
    "small-blocks" => table::small_blocks,
    "sizes-10k_prepare" => table::prepare_sizes_10k,
    "sizes-10k" => table::sizes_10k,
    "documents_prepare" => documents::prepare,
    "documents" => documents::parse_and_print,
    "hand-over_prepare" => hand_over::prepare,
    "hand-over" => hand_over::work,
    "hand-over_finish" => hand_over::finish,
    "exchange_prepare" => exchange::prepare,
    "exchange" => exchange::exchange,
}
