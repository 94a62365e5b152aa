//! Tests of the heaps of all threads.
//!
//! | file | what it owns |
//! |---|---|
//! | [`world`] | a memory that threads share, whose accesses Miri and ThreadSanitizer see |
//! | [`player`] | a thread that allocates and releases at random, and marks each block over all of its bytes |
//! | [`stress`] | players on real threads |
//! | [`situations`] | single situations, on threads that take turns |
//! | [`turns`] | the model's programs, played by threads that take turns |
//! | `protocol`, `loom_types` | with `--cfg loom` in place of these: all orders of small cases |
//! | `survey`, `regions`, `peek` | looks into the files of this layer: children of theirs, which see their fields |

#[cfg(loom)]
pub(crate) mod loom_types;
#[cfg(not(loom))]
mod player;
#[cfg(loom)]
mod protocol;
#[cfg(not(loom))]
mod situations;
#[cfg(not(loom))]
mod stress;
#[cfg(not(loom))]
mod turns;
#[cfg(not(loom))]
mod world;
