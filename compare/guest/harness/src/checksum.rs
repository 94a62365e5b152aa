//! A running 64-bit checksum (FNV-1a) of what a workload computed.
//!
//! It is written out here, since the crate `fnv` takes a number byte by byte: workloads that add many numbers would
//! execute more instructions than in published figures.

/// A checksum over bytes and numbers; equal inputs in equal order give equal checksums.
pub struct Checksum(u64);

impl Checksum {
    /// The checksum of nothing.
    pub const fn new() -> Self {
        Checksum(0xcbf2_9ce4_8422_2325)
    }

    /// Adds one number.
    pub fn add(&mut self, number: u64) {
        self.0 = (self.0 ^ number).wrapping_mul(0x0000_0100_0000_01b3);
    }

    /// Adds each byte.
    pub fn add_bytes(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.add(u64::from(byte));
        }
    }

    /// The checksum of all that was added.
    pub const fn finish(&self) -> u64 {
        self.0
    }
}

impl Default for Checksum {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::Checksum;

    fn checksum_of(bytes: &[u8]) -> u64 {
        let mut checksum = Checksum::new();
        checksum.add_bytes(bytes);
        checksum.finish()
    }

    #[test]
    fn the_checksum_of_text_is_its_published_fnv_1a_value() {
        assert_eq!(checksum_of(b"foobar"), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn the_order_of_bytes_changes_the_checksum() {
        assert_ne!(checksum_of(b"ab"), checksum_of(b"ba"));
    }
}
