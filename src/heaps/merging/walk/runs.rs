//! What the runs tell a walk: which blocks of a run are free.

use super::super::walk::sight::RunSight;
use super::*;

impl Runs {
    /// Which blocks of a run are free. `end` is where its chunk ends. O(1): at most 1,021 blocks are looked at.
    pub(in super::super) fn sight_of<M: LinearMemory>(&self, memory: &M, run: Run, end: u32) -> RunSight {
        let class = run.waits(memory).class();
        let mut sight = RunSight::new(run.address(), class, end);
        let mut note = |mut list: FreeList| {
            while !list.is_empty() {
                sight.set_free(list.first());
                list = list.rest(memory);
            }
        };
        note(run.released(memory));
        for list in self.lists {
            // SAFETY: what is on a list lies in a run. All of it lies in the same one.
            if !list.is_empty() && unsafe { Run::of_block(list.first()) } == run {
                note(list);
            }
        }
        if run.address() == self.current[class.index()] {
            let first = run.unlinked(memory);
            for number in 0..run.unlinked_blocks(memory) {
                sight.set_free(first + number * class.bytes());
            }
        }
        sight
    }

    /// The address of the block in which the small blocks outside of runs are noted, or 0.
    pub(in super::super) fn own_block(&self) -> u32 {
        self.strays.bitmap_block()
    }
}
