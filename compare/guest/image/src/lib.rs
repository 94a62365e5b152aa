//! A picture compressed as PNG and decoded again.

use harness::{Checksum, Random};

harness::export_workloads! {
    "image" => encode_and_decode,
}

/// A picture of `argument` by `argument` pixels: gradients with some noise.
fn picture(argument: u32) -> Vec<u8> {
    let mut random = Random::new(51);
    let mut pixels = Vec::new();
    for y in 0..argument {
        for x in 0..argument {
            let noise = (random.below(16) == 0) as u32 * 40;
            pixels.extend([(x + noise) as u8, (y + noise) as u8, (x ^ y) as u8]);
        }
    }
    pixels
}

/// Compresses and decodes the picture 4 times, at each of the crate's levels that allocate differently.
fn encode_and_decode(argument: u32) -> u64 {
    let pixels = picture(argument);
    let mut checksum = Checksum::new();
    for compression in [
        png::Compression::Fast,
        png::Compression::Balanced,
        png::Compression::Fastest,
        png::Compression::Balanced,
    ] {
        let file = encode(&pixels, argument, compression);
        let decoded = decode(&file);
        assert!(decoded == pixels, "the picture changed");
        checksum.add(file.len() as u64);
    }
    checksum.add_bytes(&pixels);
    checksum.finish()
}

fn encode(pixels: &[u8], side: u32, compression: png::Compression) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, side, side);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_compression(compression);
    let mut writer = encoder.write_header().expect("the header is valid");
    writer.write_image_data(pixels).expect("the picture has this size");
    writer.finish().expect("writing to a vector succeeds");
    file
}

fn decode(file: &[u8]) -> Vec<u8> {
    let mut reader = png::Decoder::new(std::io::Cursor::new(file))
        .read_info()
        .expect("the file was just written");
    let mut pixels = vec![0; reader.output_buffer_size().expect("the picture is small")];
    reader.next_frame(&mut pixels).expect("the file has one frame");
    pixels
}

#[cfg(test)]
mod tests {
    use super::{decode, encode, picture};

    #[test]
    fn a_decoded_picture_is_the_one_that_was_encoded_and_the_file_is_smaller() {
        let pixels = picture(64);
        let file = encode(&pixels, 64, png::Compression::Balanced);
        assert_eq!(decode(&file), pixels);
        assert!(file.len() < pixels.len());
    }
}
