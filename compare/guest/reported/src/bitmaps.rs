//! Bitmaps that must start out as zero.

use harness::Random;

/// As many zeroed bitmaps as `count` says, of 640 x 480 to 1,920 x 1,080 pixels of 4 bytes; 3 live at a time, and one
/// pixel in each row is set.
///
/// Counts the pixels that were set, and a million for each that was not zero before.
pub fn sparsely_drawn(count: u32) -> u64 {
    let mut random = Random::new(1080);
    let mut live: [Vec<u32>; 3] = Default::default();
    let mut set = 0;
    for number in 0..count as usize {
        let (width, height) = (random.within(640, 1920), random.within(480, 1080));
        let mut bitmap = vec![0u32; width * height];
        for row in bitmap.chunks_mut(width) {
            let pixel = &mut row[random.below(width)];
            set += 1 + 1_000_000 * u64::from(*pixel != 0);
            *pixel = u32::MAX;
        }
        live[number % 3] = bitmap;
    }
    std::hint::black_box(live);
    set
}

#[cfg(test)]
mod tests {
    #[test]
    fn one_pixel_in_each_row_is_set_and_was_zero() {
        let set = super::sparsely_drawn(5);
        assert!((5 * 480..=5 * 1080).contains(&set), "{set}");
    }
}
