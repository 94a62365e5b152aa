//! Tests of the heaps of all threads.
//!
//! | file | what it owns |
//! |---|---|
//! | [`world`] | a memory that threads share, whose accesses Miri and ThreadSanitizer see |
//! | [`player`] | a thread that allocates and releases at random, and marks each block over all of its bytes |
//! | [`stress`] | players on real threads |
//! | [`situations`] | single situations, on threads that take turns |
//! | [`turns`] | the model's programs, played by threads that take turns |
//! | `survey.rs`, `regions.rs`, `peek.rs` | what the memory of the heaps is used for: children of the files that they look into |

mod player;
mod situations;
mod stress;
mod turns;
mod world;
