//! Large buffers that must read as zero.

use crate::dice::Dice;

/// `argument` times: a zeroed buffer of 64 KiB to 1 MiB is made while the 3 made before it live; one byte is written.
///
/// Counts the bytes that were not zero where the program expected them to be.
pub fn zeroed_buffers(argument: u32) -> u64 {
    let mut dice = Dice::new(0);
    let mut live: [Vec<u8>; 4] = Default::default();
    let mut dirty = 0;
    for step in 0..argument as usize {
        let bytes = (64 + dice.below(961)) * 1024;
        let mut buffer = vec![0u8; bytes];
        let touched = dice.below(1 << 16) * (bytes >> 16);
        dirty += u64::from(buffer[touched]);
        buffer[touched] = 1;
        live[step % 4] = buffer;
    }
    let written: u64 = live.iter().flatten().map(|&byte| u64::from(byte)).sum();
    written + 1000 * dirty
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_last_four_buffers_hold_the_one_byte_written_to_each() {
        assert_eq!(super::zeroed_buffers(10), 4);
    }
}
