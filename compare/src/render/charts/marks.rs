//! The mark of an allocator in a picture: its shape and its colour say what it is.

use super::canvas::{Canvas, Format, colour_of, pixel};
use crate::render::overview::Line;
use crate::shared::catalogue::Role;
use anyhow::Result;
use plotters::prelude::*;

/// Draws the mark of `line` at `place`: hollow where its numbers do not compare with the others.
///
/// It is a triangle that points to where the allocator would be if it lies `beyond` the right or the upper edge.
pub fn draw(canvas: &Canvas, line: &Line, place: (f64, f64), beyond: (bool, bool), format: Format) -> Result<()> {
    let (x, y) = pixel(place);
    let radius = (0.38 * format.letters).round() as i32;
    let long = radius + 2;
    let colour = colour_of(line.role);
    let is_hollow = !line.mark.is_empty();
    let corners = match beyond {
        (false, false) if line.role == Role::Reference => {
            vec![(x - long, y), (x, y - long), (x + long, y), (x, y + long)]
        }
        (false, false) => {
            let style = if is_hollow {
                colour.stroke_width(2)
            } else {
                colour.filled()
            };
            canvas.draw(&Circle::new((x, y), radius, style))?;
            return Ok(());
        }
        (false, true) => vec![(x - long, y + long), (x, y - 2), (x + long, y + long)],
        (true, false) => vec![(x - long, y - long), (x + 2, y), (x - long, y + long)],
        (true, true) => vec![(x - 2 * long, y), (x, y), (x, y + 2 * long)],
    };
    if is_hollow {
        let closed: Vec<_> = corners.iter().chain(&corners[..1]).copied().collect();
        canvas.draw(&PathElement::new(closed, colour.stroke_width(2)))?;
    } else {
        canvas.draw(&Polygon::new(corners, colour.filled()))?;
    }
    Ok(())
}
