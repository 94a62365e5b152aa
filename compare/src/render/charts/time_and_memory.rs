//! Time against memory: each allocator is a point, and the best corner is marked.

use super::axis::{Axis, END};
use super::canvas::{Canvas, Format, NEUTRAL, colour_of, pixel, svg};
use super::frame::{self, Side};
use super::labels::{self, Area, Labelled};
use super::marks;
use crate::render::overview::{Line, Overview};
use crate::shared::catalogue::Role;
use anyhow::Result;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// The name of the chart's file.
pub const FILE: &str = "time-and-memory.svg";

/// What marks mean; it stands below the chart.
pub const LEGEND: &str = "Red: allocators of this repository. Diamond: the one that ratios are taken to. Hollow: it \
    never frees, or it failed workloads. A triangle on the edge: it takes more than the picture shows.";

/// The words in the best corner.
const BEST: &str = "best: fast and small";

/// An allocator in the picture.
struct Point<'overview> {
    line: &'overview Line,
    memory: f64,
    time: f64,
}

impl Point<'_> {
    /// The name, with the numbers that lie beyond the picture.
    fn label(&self) -> String {
        let mut label = self.line.name.clone();
        for (number, what) in [(self.time, "time"), (self.memory, "memory")] {
            if number > END {
                label += &format!(", {number:.1} × {what}");
            }
        }
        label
    }
}

/// The chart as SVG.
pub fn draw(overview: &Overview, format: Format) -> Result<String> {
    let points = points(overview);
    let memory = Axis::of(points.iter().map(|point| point.memory));
    let time = Axis::of(points.iter().map(|point| point.time));
    svg(format, &alternative(overview), |canvas| {
        let whole = draw_frame(canvas, &memory, &time, reference(overview), format)?;
        let corner = best_corner(&whole, format);
        draw_best_corner(canvas, &whole, &corner, format)?;
        let labelled: Vec<Labelled> = points
            .iter()
            .map(|point| Labelled {
                point: whole.at(memory.share(point.memory), time.share(point.time)),
                extent: format.extent(&point.label()),
            })
            .collect();
        let areas = labels::place(&labelled, &whole, &[corner]);
        for ((point, label), area) in points.iter().zip(&labelled).zip(&areas) {
            draw_label(canvas, point, label, area, format)?;
        }
        // Marks that stand out come last: no other covers them.
        let mut marks: Vec<_> = points.iter().zip(&labelled).collect();
        marks.sort_by_key(|(point, _)| point.line.role != Role::Peer);
        for (point, label) in marks {
            let beyond = (point.memory > END, point.time > END);
            marks::draw(canvas, point.line, label.point, beyond, format)?;
        }
        Ok(())
    })
}

/// Draws the frame with the numbers of both axes; returns the area within.
fn draw_frame(canvas: &Canvas, memory: &Axis, time: &Axis, reference: &str, format: Format) -> Result<Area> {
    let letters = format.letters;
    let (width, height) = frame::extent(format, letters);
    let side = |axis: &Axis, pixels, apart, what| Side {
        range: axis.range(),
        ticks: axis.ticks(pixels, apart),
        title: format!("{what}, {reference} = 1"),
    };
    let across = side(memory, width, 3.2 * letters, "memory");
    let up = side(time, height, 2.4 * letters, "time");
    frame::draw(canvas, across, up, letters, format)
}

/// The allocators that have both numbers.
fn points(overview: &Overview) -> Vec<Point<'_>> {
    overview
        .lines
        .iter()
        .filter_map(|line| {
            Some(Point {
                line,
                memory: line.memory?,
                time: line.time?,
            })
        })
        .collect()
}

fn reference(overview: &Overview) -> &str {
    let mut lines = overview.lines.iter();
    lines
        .find(|line| line.role == Role::Reference)
        .map_or("the reference", |line| &line.name)
}

/// The chart in words.
pub fn alternative(overview: &Overview) -> String {
    let numbers: Vec<String> = points(overview)
        .iter()
        .map(|point| format!("{} {:.2} and {:.2}", point.line.name, point.time, point.memory))
        .collect();
    format!(
        "Time and memory of each allocator, less is better: {}",
        numbers.join("; ")
    )
}

/// Where the words in the best corner stand.
fn best_corner(whole: &Area, format: Format) -> Area {
    let (width, height) = format.extent(BEST);
    let triangle = 1.6 * format.letters;
    Area {
        left: whole.left,
        top: whole.bottom - height.max(triangle) - 4.0,
        right: whole.left + triangle + width + 4.0,
        bottom: whole.bottom,
    }
}

fn draw_best_corner(canvas: &Canvas, whole: &Area, corner: &Area, format: Format) -> Result<()> {
    let side = 1.6 * format.letters;
    let triangle = vec![
        pixel((whole.left, whole.bottom)),
        pixel((whole.left, whole.bottom - side)),
        pixel((whole.left + side, whole.bottom)),
    ];
    canvas.draw(&Polygon::new(triangle, NEUTRAL.filled()))?;
    let style = format.text(NEUTRAL).pos(Pos::new(HPos::Left, VPos::Bottom));
    let words = pixel((corner.left + side + 2.0, corner.bottom - 4.0));
    canvas.draw(&Text::new(BEST, words, style))?;
    Ok(())
}

fn draw_label(canvas: &Canvas, point: &Point, label: &Labelled, area: &Area, format: Format) -> Result<()> {
    /// A label that is nearer than this needs no line to its point.
    const NEAR: f64 = 12.0;
    let colour = colour_of(point.line.role);
    if area.distance(label.point) > NEAR {
        let line = vec![pixel(label.point), pixel(area.nearest(label.point))];
        canvas.draw(&PathElement::new(line, colour.mix(0.6)))?;
    }
    // The side that is nearest to the point stays there, however wide the reader's letters are.
    let (x, side) = match label.point.0 {
        x if x < area.left => (area.left, HPos::Left),
        x if x > area.right => (area.right, HPos::Right),
        _ => ((area.left + area.right) / 2.0, HPos::Center),
    };
    let style = format.text(colour).pos(Pos::new(side, VPos::Center));
    let place = pixel((x, (area.top + area.bottom) / 2.0));
    canvas.draw(&Text::new(point.label(), place, style))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::draw;
    use crate::render::charts::canvas::Format;
    use crate::render::overview::{Line, Overview};
    use crate::shared::catalogue::Role;

    fn overview(lines: &[(&str, Role, f64, f64, &str)]) -> Overview {
        Overview {
            lines: lines
                .iter()
                .map(|&(name, role, time, memory, mark)| Line {
                    id: name.to_owned(),
                    name: name.to_owned(),
                    role,
                    time: Some(time),
                    memory: Some(memory),
                    code_bytes: None,
                    mark: mark.to_owned(),
                })
                .collect(),
            meaning: Vec::new(),
            remarks: Vec::new(),
        }
    }

    #[test]
    fn every_allocator_is_labelled_and_the_best_corner_is_marked() {
        let lines = [
            ("dlmalloc", Role::Reference, 1.0, 1.0, ""),
            ("FreeingBump", Role::Ours, 0.7, 0.9, ""),
            ("rlsf", Role::Peer, 1.1, 1.1, ""),
        ];
        for format in [Format::WIDE, Format::NARROW] {
            let picture = draw(&overview(&lines), format).unwrap();
            for text in ["dlmalloc", "FreeingBump", "rlsf", "best: fast and small"] {
                assert!(picture.contains(&format!("\n{text}\n")), "{text}: {picture}");
            }
        }
    }

    #[test]
    fn what_lies_beyond_the_picture_stands_on_its_edge_with_its_number() {
        let lines = [
            ("dlmalloc", Role::Reference, 1.0, 1.0, ""),
            ("bump floor", Role::Peer, 1.5, 31.0, "never frees"),
        ];
        let picture = draw(&overview(&lines), Format::WIDE).unwrap();
        assert!(picture.contains("\nbump floor, 31.0 × memory\n"), "{picture}");
    }

    #[test]
    fn an_allocator_without_numbers_is_not_drawn() {
        let mut overview = overview(&[
            ("dlmalloc", Role::Reference, 1.0, 1.0, ""),
            ("stuck", Role::Peer, 1.0, 1.0, "failed 9 of 9"),
        ]);
        overview.lines[1].time = None;
        assert!(!draw(&overview, Format::WIDE).unwrap().contains("stuck"));
    }
}
