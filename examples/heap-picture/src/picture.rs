//! Draws the heap into a frame. It allocates nothing, so that the picture does not change what it shows.

use crate::frame::{CELLS, Frame, Head};
use freeing_bump::{FreeingBump, HeapRange, HeapSummary, RangeKind};
use std::sync::Mutex;

static FRAME: Mutex<Frame> = Mutex::new(Frame {
    head: Head {
        address: 0,
        bytes_per_cell: 0,
        cells: 0,
        heap_bytes: 0,
        live_bytes: 0,
        live_blocks: 0,
        free_bytes: 0,
        tail_bytes: 0,
        own_bytes: 0,
        foreign_bytes: 0,
        largest_free_address: 0,
        largest_free_bytes: 0,
    },
    cells: [[0; 4]; CELLS],
});

/// Draws the heap of this allocator, and returns the address of the frame, which stays the same.
pub fn draw(allocator: &FreeingBump) -> usize {
    let mut frame = FRAME.lock().expect("nothing has panicked");
    let heap_bytes = allocator.stats().address_space_bytes;
    let bytes_per_cell = heap_bytes.div_ceil(CELLS as u32).max(16).next_power_of_two();
    let mut brush = Brush {
        bytes_per_cell,
        cell: 0,
        bytes: [0; 4],
        left: bytes_per_cell,
    };
    let mut summary = HeapSummary::default();
    let mut address = 0;
    let mut largest_free_address = 0;
    allocator.walk(|range| {
        if address == 0 {
            address = range.address;
        }
        let largest = summary.largest_free_bytes;
        summary.add(range);
        if summary.largest_free_bytes > largest {
            largest_free_address = range.address;
        }
        brush.paint(&mut frame.cells, range);
    });
    brush.finish(&mut frame.cells);
    frame.head = Head {
        address,
        bytes_per_cell,
        cells: brush.cell as u32,
        heap_bytes,
        live_bytes: summary.live_bytes,
        live_blocks: summary.live_blocks,
        free_bytes: summary.free_bytes,
        tail_bytes: summary.tail_bytes,
        own_bytes: summary.own_bytes,
        foreign_bytes: summary.foreign_bytes,
        largest_free_address,
        largest_free_bytes: summary.largest_free_bytes,
    };
    (&raw const *frame).addr()
}

/// Where the drawing has come to.
struct Brush {
    bytes_per_cell: u32,
    /// The cell at hand.
    cell: usize,
    /// How many bytes of it are of each of the kinds that a cell tells.
    bytes: [u32; 4],
    /// How many bytes of it are still to come.
    left: u32,
}

impl Brush {
    /// Paints the next range, which begins where the last one ended.
    fn paint(&mut self, cells: &mut [[u8; 4]], range: HeapRange) {
        let kind = match range.kind {
            RangeKind::Live => Some(0),
            RangeKind::Free => Some(1),
            RangeKind::Tail => Some(2),
            RangeKind::Own => Some(3),
            _ => None,
        };
        let mut rest = range.bytes;
        while rest != 0 {
            let bytes = rest.min(self.left);
            if let Some(kind) = kind {
                self.bytes[kind] += bytes;
            }
            rest -= bytes;
            self.left -= bytes;
            if self.left == 0 {
                self.next(cells);
            }
        }
    }

    /// Paints the last cell, if that is begun.
    fn finish(&mut self, cells: &mut [[u8; 4]]) {
        if self.left != self.bytes_per_cell {
            self.next(cells);
        }
    }

    /// Paints the cell at hand and goes on to the next one.
    fn next(&mut self, cells: &mut [[u8; 4]]) {
        let share = |bytes| (u64::from(bytes) * 255 / u64::from(self.bytes_per_cell)) as u8;
        cells[self.cell] = self.bytes.map(share);
        self.cell += 1;
        self.bytes = [0; 4];
        self.left = self.bytes_per_cell;
    }
}
