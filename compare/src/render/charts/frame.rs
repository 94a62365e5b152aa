//! The frame of a chart: two logarithmic axes with their numbers, and the grid between them.

use super::canvas::{Canvas, Format, NEUTRAL};
use super::labels::Area;
use anyhow::Result;
use plotters::prelude::*;
use std::ops::Range;

/// One of the two axes.
pub struct Side {
    /// Its first and its last number.
    pub range: Range<f64>,
    /// The numbers that stand beside it.
    pub ticks: Vec<f64>,
    /// What they are.
    pub title: String,
}

/// The pixels to the left of a frame, which hold the numbers and the title of the upright axis.
fn left(format: Format) -> f64 {
    3.9 * format.letters
}

/// The pixels below a frame, which hold the numbers and the title of the other one.
fn below(format: Format) -> f64 {
    3.4 * format.letters
}

/// The width and the height within a frame that leaves `right` pixels on its right.
pub fn extent(format: Format, right: f64) -> (f64, f64) {
    (
        f64::from(format.width) - left(format) - right,
        f64::from(format.height) - below(format) - format.letters,
    )
}

/// Draws the frame, which leaves `right` pixels on its right; returns the area within.
pub fn draw(canvas: &Canvas, across: Side, up: Side, right: f64, format: Format) -> Result<Area> {
    let mut chart = ChartBuilder::on(canvas)
        .margin(format.letters as u32)
        .margin_left(4)
        .margin_right(right as u32)
        .margin_bottom(0)
        .x_label_area_size(below(format) as u32)
        .y_label_area_size(left(format) as u32)
        .build_cartesian_2d(
            across.range.log_scale().with_key_points(across.ticks),
            up.range.log_scale().with_key_points(up.ticks),
        )?;
    let number = |number: &f64| format!("{number}");
    let text = format.text(NEUTRAL);
    chart
        .configure_mesh()
        .axis_style(NEUTRAL)
        .bold_line_style(NEUTRAL.mix(0.25))
        .max_light_lines(0)
        .x_label_formatter(&number)
        .y_label_formatter(&number)
        .x_desc(across.title)
        .y_desc(up.title)
        .label_style(text.clone())
        .axis_desc_style(text)
        .draw()?;
    let (xs, ys) = chart.plotting_area().get_pixel_range();
    Ok(Area {
        left: f64::from(xs.start),
        top: f64::from(ys.start),
        right: f64::from(xs.end),
        bottom: f64::from(ys.end),
    })
}
