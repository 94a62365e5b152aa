//! Reads a recording made by `freeing_bump::Recorder`, whose documentation states the format.

use anyhow::{Context, Result, bail, ensure};
use hash32::{FnvHasher, Hasher};
use std::collections::HashMap;
use std::fs;
use std::hash::Hasher as _;
use std::path::Path;

const HEADER_BYTES: usize = 12;
const FRAME_HEADER_BYTES: usize = 6;
const VERSION: u8 = 1;

/// Slots that an operation can name: it keeps them in 24 bits.
const MOST_SLOTS: usize = 1 << 24;

/// A recording as operations on numbered slots, the form in which modules replay it.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Recording {
    /// The operations; a slot is used again once its block was released.
    pub operations: Vec<Operation>,
    /// The most blocks that are live at once.
    pub slots: usize,
}

/// One call of the recorded program on its allocator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Operation {
    kind: Kind,
    align_log2: u8,
    slot: u32,
    size: u32,
    size_before: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Allocated = 0,
    AllocatedZeroed = 1,
    Released = 2,
    Resized = 3,
}

impl Recording {
    /// Reads the file at `path`. A damaged file is refused with the place where it breaks.
    pub fn read(path: &Path) -> Result<Self> {
        let bytes = fs::read(path).with_context(|| format!("cannot read the recording {}", path.display()))?;
        Recording::parse(&bytes)
            .with_context(|| format!("{} is not a whole recording: record it again", path.display()))
    }

    /// Reads the bytes of a recording.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        ensure!(
            bytes.starts_with(b"FBREC"),
            "byte 0: it does not start with FBREC as a recording does"
        );
        let header: &[u8; HEADER_BYTES] = bytes
            .first_chunk()
            .with_context(|| format!("byte {}: it ends within the header of 12 bytes", bytes.len()))?;
        ensure!(
            header[5] == VERSION,
            "byte 5: its format has version {}, and this program reads version {VERSION}",
            header[5]
        );
        ensure!(
            header[6] == 0,
            "byte 6: the recorder ran out of memory, so later calls are missing; record a shorter run"
        );
        let promised = u32::from_le_bytes([header[8], header[9], header[10], header[11]]) as usize;
        let present = bytes.len() - HEADER_BYTES;
        ensure!(
            promised == present,
            "byte {}: the header promises {promised} bytes after it, and {present} follow",
            bytes.len()
        );
        let mut parser = Parser::default();
        let mut at = HEADER_BYTES;
        while at < bytes.len() {
            at = parser.frame(bytes, at)?;
        }
        Ok(parser.recording)
    }

    /// The operations as modules read them: three little-endian words each.
    pub fn words(&self) -> Vec<u8> {
        let mut words = Vec::with_capacity(self.operations.len() * 12);
        for operation in &self.operations {
            let head = operation.kind as u32 | u32::from(operation.align_log2) << 2 | operation.slot << 8;
            for word in [head, operation.size, operation.size_before] {
                words.extend(word.to_le_bytes());
            }
        }
        words
    }
}

/// A block that is live at some point of the recording.
#[derive(Clone, Copy)]
struct Live {
    slot: u32,
    size: u32,
    align_log2: u8,
}

#[derive(Default)]
struct Parser {
    recording: Recording,
    live: HashMap<i64, Live>,
    free_slots: Vec<u32>,
    last_address: i64,
}

impl Parser {
    /// Reads the frame at `at`; returns where the next one starts.
    fn frame(&mut self, bytes: &[u8], at: usize) -> Result<usize> {
        let start = at + FRAME_HEADER_BYTES;
        let Some(header) = bytes.get(at..start) else {
            bail!("byte {at}: it ends within the header of a frame");
        };
        let length = usize::from(u16::from_le_bytes([header[0], header[1]]));
        let checksum = u32::from_le_bytes([header[2], header[3], header[4], header[5]]);
        let end = start + length;
        let Some(events) = bytes.get(start..end).filter(|events| !events.is_empty()) else {
            bail!(
                "byte {at}: a frame promises {length} bytes, and {} follow",
                bytes.len() - start
            );
        };
        let mut found = FnvHasher::default();
        found.write(events);
        let found = found.finish32();
        ensure!(
            found == checksum,
            "bytes {start} to {end}: some of them have changed, since their checksum is {found:08x} and not {checksum:08x}"
        );
        let mut cursor = Cursor { bytes, at: start, end };
        while cursor.at < end {
            let event_at = cursor.at;
            self.event(&mut cursor)
                .with_context(|| format!("byte {event_at}: an impossible event"))?;
        }
        Ok(end)
    }

    fn event(&mut self, cursor: &mut Cursor) -> Result<()> {
        let first = cursor.byte()?;
        let align_log2 = first >> 2;
        ensure!(align_log2 < 32, "the alignment 2^{align_log2} does not fit 32 bits");
        let operation = match first & 3 {
            2 => {
                let block = self.take(cursor)?;
                self.free_slots.push(block.slot);
                Operation {
                    kind: Kind::Released,
                    align_log2: block.align_log2,
                    slot: block.slot,
                    size: block.size,
                    size_before: 0,
                }
            }
            3 => {
                let before = self.take(cursor)?;
                let size = cursor.size()?;
                let block = Live { size, ..before };
                self.put(cursor, block)?;
                Operation {
                    kind: Kind::Resized,
                    align_log2: block.align_log2,
                    slot: block.slot,
                    size,
                    size_before: before.size,
                }
            }
            kind => {
                let size = cursor.size()?;
                let slot = match self.free_slots.pop() {
                    Some(slot) => slot,
                    None => {
                        let slot = self.recording.slots;
                        ensure!(slot < MOST_SLOTS, "more than {MOST_SLOTS} blocks are live at once");
                        self.recording.slots += 1;
                        slot as u32
                    }
                };
                self.put(cursor, Live { slot, size, align_log2 })?;
                Operation {
                    kind: if kind == 0 {
                        Kind::Allocated
                    } else {
                        Kind::AllocatedZeroed
                    },
                    align_log2,
                    slot,
                    size,
                    size_before: 0,
                }
            }
        };
        self.recording.operations.push(operation);
        Ok(())
    }

    fn address(&mut self, cursor: &mut Cursor) -> Result<i64> {
        let coded = cursor.number()?;
        let difference = (coded >> 1) as i64 ^ -((coded & 1) as i64);
        self.last_address = self.last_address.wrapping_add(difference);
        Ok(self.last_address)
    }

    fn take(&mut self, cursor: &mut Cursor) -> Result<Live> {
        let address = self.address(cursor)?;
        self.live
            .remove(&address)
            .with_context(|| format!("no block is live at address {address:#x}"))
    }

    fn put(&mut self, cursor: &mut Cursor, block: Live) -> Result<()> {
        let address = self.address(cursor)?;
        ensure!(
            self.live.insert(address, block).is_none(),
            "a block is live at address {address:#x} already"
        );
        Ok(())
    }
}

/// The bytes of one frame.
struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
    end: usize,
}

impl Cursor<'_> {
    fn byte(&mut self) -> Result<u8> {
        ensure!(self.at < self.end, "the frame ends within it");
        self.at += 1;
        Ok(self.bytes[self.at - 1])
    }

    fn number(&mut self) -> Result<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        bail!("a number has more than 64 bits")
    }

    fn size(&mut self) -> Result<u32> {
        let size = self.number()?;
        ensure!(
            (1..1 << 31).contains(&size),
            "a size of {size} bytes is not possible on wasm32"
        );
        Ok(size as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::Recording;
    use freeing_bump::Recorder;
    use std::alloc::{GlobalAlloc, Layout, System};

    /// What the library's recorder writes for a few calls.
    fn recorded() -> Vec<u8> {
        let recorder = Recorder::new(System);
        let layout = |size| Layout::from_size_align(size, 8).unwrap();
        // SAFETY: each block is resized and released with its layout.
        unsafe {
            let kept: Vec<*mut u8> = (1..2000).map(|size| recorder.alloc_zeroed(layout(size))).collect();
            let first = recorder.alloc(layout(24));
            let first = recorder.realloc(first, layout(24), 5000);
            recorder.dealloc(first, layout(5000));
            for (block, size) in kept.into_iter().zip(1..) {
                recorder.dealloc(block, layout(size));
            }
            let recording = recorder.recording();
            let start = std::ptr::with_exposed_provenance::<u8>(recording.address);
            std::slice::from_raw_parts(start, recording.bytes).to_vec()
        }
    }

    #[test]
    fn what_the_recorder_writes_is_read_call_by_call() {
        let recording = Recording::parse(&recorded()).unwrap();
        assert_eq!(recording.operations.len(), 1999 + 3 + 1999);
        assert_eq!(recording.slots, 2000);
        let resized = recording.operations[2000];
        assert_eq!((resized.size, resized.size_before, resized.align_log2), (5000, 24, 3));
        assert_eq!(recording.words().len(), 12 * recording.operations.len());
    }

    #[test]
    fn a_recording_cut_anywhere_is_refused_with_the_place() {
        let whole = recorded();
        for length in 0..whole.len() {
            let message = format!("{:#}", Recording::parse(&whole[..length]).unwrap_err());
            assert!(message.contains("byte"), "cut to {length}: {message}");
        }
    }

    #[test]
    fn a_recording_with_one_bit_changed_is_refused_or_says_the_same() {
        let whole = recorded();
        for at in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[at] ^= 4;
            match Recording::parse(&damaged) {
                // Byte 7 of the header means nothing.
                Ok(_) => assert_eq!(at, 7, "the change of byte {at} went unnoticed"),
                Err(error) => assert!(format!("{error:#}").contains("byte"), "{error:#}"),
            }
        }
    }

    #[test]
    fn a_changed_byte_is_located_within_its_frame() {
        let mut damaged = recorded();
        damaged[5000] ^= 1;
        let message = Recording::parse(&damaged).unwrap_err().to_string();
        assert!(message.starts_with("bytes 41"), "{message}");
    }
}
