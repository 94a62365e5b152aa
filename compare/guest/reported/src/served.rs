//! What the allocator served, for a host to read after a workload that runs into the memory's maximum.

use std::cell::Cell;

/// Blocks and the bytes that were asked for in them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Served {
    pub blocks: u32,
    pub bytes: u32,
}

impl Served {
    /// Counts one block of `size` bytes.
    pub fn add(&mut self, size: usize) {
        self.blocks += 1;
        self.bytes += size as u32;
    }
}

/// The parts of a workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Until the allocator first refuses a block.
    BeforeRefusal,
    /// After some blocks were released, until the allocator refuses one again.
    AfterRelease,
}

thread_local! {
    static SERVED: [Cell<Served>; 2] = const { [const { Cell::new(Served { blocks: 0, bytes: 0 }) }; 2] };
}

/// States what was served in `phase`.
pub fn record(phase: Phase, served: Served) {
    SERVED.with(|all| all[phase as usize].set(served));
}

/// What was served in `phase`.
pub fn of(phase: Phase) -> Served {
    SERVED.with(|all| all[phase as usize].get())
}

#[unsafe(export_name = "served_blocks_before_refusal")]
extern "C" fn blocks_before_refusal() -> u32 {
    of(Phase::BeforeRefusal).blocks
}

#[unsafe(export_name = "served_bytes_before_refusal")]
extern "C" fn bytes_before_refusal() -> u32 {
    of(Phase::BeforeRefusal).bytes
}

#[unsafe(export_name = "served_blocks_after_release")]
extern "C" fn blocks_after_release() -> u32 {
    of(Phase::AfterRelease).blocks
}

#[unsafe(export_name = "served_bytes_after_release")]
extern "C" fn bytes_after_release() -> u32 {
    of(Phase::AfterRelease).bytes
}
