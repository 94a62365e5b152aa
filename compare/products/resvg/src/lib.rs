//! resvg: a drawing is parsed, rendered to pixels and compressed as a PNG, as a preview service does.

use harness::{Checksum, Input, Random, with_input};
use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree};

harness::export_workloads! {
    "resvg_prepare" => prepare,
    "resvg" => render,
}

thread_local! {
    static DRAWING: Input<String> = const { Input::new(None) };
}

/// Pixels of an edge.
const EDGE: usize = 256;

/// Makes a drawing of `argument` groups of shapes.
fn prepare(argument: u32) -> u64 {
    let mut random = Random::new(41);
    let groups: String = (0..argument).map(|_| group(&mut random)).collect();
    let drawing = format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" width="{EDGE}" height="{EDGE}">
<defs>
<linearGradient id="sky"><stop offset="0" stop-color="#cfe8ff"/><stop offset="1" stop-color="#2a5b8c"/></linearGradient>
<radialGradient id="sun"><stop offset="0.2" stop-color="#fff3b0"/><stop offset="1" stop-color="#e09f3e" stop-opacity="0.3"/></radialGradient>
<clipPath id="window"><circle cx="24" cy="24" r="22"/></clipPath>
<mask id="fade"><rect width="48" height="48" fill="url(#sky)"/></mask>
<filter id="shadow"><feGaussianBlur stdDeviation="2"/></filter>
</defs>
<rect width="100%" height="100%" fill="url(#sky)"/>
{groups}</svg>
"##
    );
    let bytes = drawing.len() as u64;
    DRAWING.set(Some(drawing));
    bytes
}

fn group(random: &mut Random) -> String {
    let effect = *random.choose(&[
        "",
        "",
        "",
        r##" clip-path="url(#window)""##,
        r##" mask="url(#fade)""##,
        r##" opacity="0.6""##,
        r##" filter="url(#shadow)""##,
    ]);
    let shapes: String = (0..random.within(2, 6)).map(|_| shape(random)).collect();
    format!(
        "<g transform=\"translate({} {}) rotate({})\"{effect}>\n{shapes}</g>\n",
        random.below(EDGE - 32),
        random.below(EDGE - 32),
        random.below(360)
    )
}

fn shape(random: &mut Random) -> String {
    let paint = match random.below(4) {
        0 => r##"fill="url(#sun)""##.to_owned(),
        1 => format!(
            r##"fill="none" stroke="#{:06x}" stroke-width="{}" stroke-dasharray="{} 2""##,
            random.below(1 << 24),
            random.within(1, 4),
            random.within(2, 8)
        ),
        _ => format!(r##"fill="#{:06x}""##, random.below(1 << 24)),
    };
    match random.below(4) {
        0 => format!(
            "<circle cx=\"{}\" cy=\"{}\" r=\"{}\" {paint}/>\n",
            at(random),
            at(random),
            random.within(2, 24)
        ),
        1 => format!(
            "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"3\" {paint}/>\n",
            at(random),
            at(random),
            random.within(4, 40),
            random.within(4, 40)
        ),
        2 => {
            let points: Vec<String> = (0..random.within(3, 12))
                .map(|_| format!("{},{}", at(random), at(random)))
                .collect();
            format!("<polygon points=\"{}\" {paint}/>\n", points.join(" "))
        }
        _ => {
            let curves: String = (0..random.within(2, 14))
                .map(|_| {
                    format!(
                        " C {} {} {} {} {} {}",
                        at(random),
                        at(random),
                        at(random),
                        at(random),
                        at(random),
                        at(random)
                    )
                })
                .collect();
            format!("<path d=\"M {} {}{curves} Z\" {paint}/>\n", at(random), at(random))
        }
    }
}

fn at(random: &mut Random) -> usize {
    random.below(48)
}

fn render(_argument: u32) -> u64 {
    with_input(&DRAWING, |drawing| {
        let mut checksum = Checksum::new();
        checksum.add_bytes(&picture(drawing));
        checksum.finish()
    })
}

/// The drawing as a PNG.
fn picture(drawing: &str) -> Vec<u8> {
    let tree = Tree::from_str(drawing, &Options::default()).expect("the drawing is SVG");
    let mut pixels = Pixmap::new(EDGE as u32, EDGE as u32).expect("the size is not 0");
    resvg::render(&tree, Transform::identity(), &mut pixels.as_mut());
    pixels.encode_png().expect("the pixels can be compressed")
}

#[cfg(test)]
mod tests {
    use super::{EDGE, picture, prepare, render};
    use resvg::tiny_skia::Pixmap;

    #[test]
    fn a_red_square_is_red_where_it_is_and_clear_elsewhere() {
        let drawing = r#"<svg xmlns="http://www.w3.org/2000/svg"><rect width="10" height="10" fill="red"/></svg>"#;
        let pixels = Pixmap::decode_png(&picture(drawing)).unwrap();
        let red = pixels.pixel(5, 5).unwrap();
        assert_eq!((red.red(), red.green(), red.alpha()), (255, 0, 255));
        assert_eq!(pixels.pixel(EDGE as u32 - 1, 5).unwrap().alpha(), 0);
    }

    #[test]
    fn the_same_drawing_gives_the_same_picture() {
        prepare(20);
        assert_eq!(render(0), render(0));
    }
}
