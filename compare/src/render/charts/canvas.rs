//! What charts are drawn on, and in which colours and sizes.
//!
//! Every colour reads on white and on black. So one file serves a page of either.

use crate::shared::catalogue::Role;
use anyhow::Result;
use plotters::prelude::*;

/// Text, axes, and the allocators of others.
pub const NEUTRAL: RGBColor = RGBColor(0x76, 0x76, 0x76);

/// The allocators of this repository.
pub const OURS: RGBColor = RGBColor(0xe6, 0x21, 0x13);

/// The allocator that ratios are taken to.
pub const REFERENCE: RGBColor = RGBColor(0x0c, 0x72, 0xe7);

/// The colour of an allocator.
pub fn colour_of(role: Role) -> RGBColor {
    match role {
        Role::Ours => OURS,
        Role::Reference => REFERENCE,
        _ => NEUTRAL,
    }
}

/// The size of a chart, in pixels.
#[derive(Debug, Clone, Copy)]
pub struct Format {
    /// From left to right.
    pub width: u32,
    /// From top to bottom.
    pub height: u32,
    /// The height of letters.
    pub letters: f64,
}

impl Format {
    /// For a screen of some width, and for documents.
    pub const WIDE: Format = Format {
        width: 720,
        height: 520,
        letters: 14.0,
    };

    /// For a phone.
    pub const NARROW: Format = Format {
        width: 360,
        height: 380,
        letters: 11.5,
    };

    /// The width and height that `text` takes at most in the usual fonts; the reader's own are not known here.
    pub fn extent(&self, text: &str) -> (f64, f64) {
        (0.62 * self.letters * text.chars().count() as f64, 1.2 * self.letters)
    }

    /// Letters in `colour`.
    pub fn text(&self, colour: RGBColor) -> TextStyle<'static> {
        // The library divides the height by this number before it writes it.
        const DIVISOR: f64 = 1.24;
        TextStyle {
            color: colour.to_backend_color(),
            ..TextStyle::from(("system-ui, sans-serif", self.letters * DIVISOR).into_font())
        }
    }
}

/// The nearest pixel.
pub fn pixel((x, y): (f64, f64)) -> (i32, i32) {
    (x.round() as i32, y.round() as i32)
}

/// The area that a chart is drawn on.
pub type Canvas<'text> = DrawingArea<SVGBackend<'text>, plotters::coord::Shift>;

/// The SVG text of what `draw` draws; `alternative` is for readers who do not see it.
pub fn svg(format: Format, alternative: &str, draw: impl FnOnce(&Canvas) -> Result<()>) -> Result<String> {
    let mut text = String::new();
    {
        let canvas = SVGBackend::with_string(&mut text, (format.width, format.height)).into_drawing_area();
        draw(&canvas)?;
        canvas.present()?;
    }
    let alternative = alternative
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('"', "&quot;");
    Ok(text.replacen("<svg ", &format!("<svg role=\"img\" aria-label=\"{alternative}\" "), 1))
}

#[cfg(test)]
mod tests {
    use super::{NEUTRAL, OURS, REFERENCE};
    use plotters::style::RGBColor;

    /// The relative luminance of the Web Content Accessibility Guidelines.
    fn luminance(colour: RGBColor) -> f64 {
        let linear = |part: u8| {
            let part = f64::from(part) / 255.0;
            match part <= 0.03928 {
                true => part / 12.92,
                false => ((part + 0.055) / 1.055).powf(2.4),
            }
        };
        0.2126 * linear(colour.0) + 0.7152 * linear(colour.1) + 0.0722 * linear(colour.2)
    }

    #[test]
    fn every_colour_has_the_contrast_of_readable_text_on_white_and_on_black() {
        for colour in [NEUTRAL, OURS, REFERENCE] {
            let luminance = luminance(colour);
            let on_white = 1.05 / (luminance + 0.05);
            let on_black = (luminance + 0.05) / 0.05;
            assert!(on_white >= 4.5 && on_black >= 4.5, "{colour:?}: {on_white}, {on_black}");
        }
    }
}
