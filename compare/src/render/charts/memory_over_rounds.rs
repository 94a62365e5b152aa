//! Memory over the rounds of a service that replaces its state: each allocator is a line.

use super::canvas::{Canvas, Format, colour_of, pixel, svg};
use super::frame::{self, Side};
use crate::results::figure::Figure;
use crate::results::report::{Column, Report};
use crate::results::workload::Row;
use crate::shared::catalogue::Role;
use anyhow::Result;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use std::ops::Range;

/// The name of the chart's file.
pub const FILE: &str = "memory-over-rounds.svg";

/// The workload whose rounds are shown.
pub const WORKLOAD: &str = "replaced-payload";

/// The upright axis ends at this multiple of the reference's last number. That keeps the lines below far enough apart.
const END: f64 = 4.0;

/// How far an axis goes on after the outermost number, as a factor.
const MARGIN: f64 = 1.08;

/// The MiB that may stand beside the upright axis.
const MEBIBYTES: [f64; 13] = [
    1.0, 2.0, 3.0, 5.0, 10.0, 20.0, 30.0, 50.0, 100.0, 200.0, 300.0, 500.0, 1000.0,
];

/// The memory of each allocator after some numbers of rounds.
pub struct Curves<'report> {
    row: &'report Row,
    lines: Vec<Line<'report>>,
    /// The allocators without a line, with the reason.
    without: Vec<(&'report str, &'report str)>,
}

/// The memory of one allocator.
struct Line<'report> {
    column: &'report Column,
    /// Numbers of rounds, and the MiB after them.
    points: Vec<(f64, f64)>,
}

impl Line<'_> {
    fn last(&self) -> f64 {
        self.points.last().map_or(0.0, |point| point.1)
    }

    fn label(&self) -> String {
        format!("{} {:.1}", self.column.name, self.last())
    }
}

impl<'report> Curves<'report> {
    /// The curves of `report`; `None` if it has none, as reports of earlier versions of this program.
    pub fn of(report: &'report Report) -> Option<Self> {
        let row = report.workloads.iter().find(|row| row.name == WORKLOAD)?;
        let mut lines = Vec::new();
        let mut without = Vec::new();
        for column in &report.allocators {
            match row.cells.get(&column.id).and_then(|cell| cell.curve.as_ref()) {
                Some(Figure::Measured(curve)) if curve.len() > 1 => {
                    let point = |&(rounds, pages): &(u32, u32)| (f64::from(rounds), f64::from(pages) / 16.0);
                    let points = curve.iter().map(point).collect();
                    lines.push(Line { column, points });
                }
                Some(Figure::Missing(reason)) => without.push((column.name.as_str(), reason.as_str())),
                _ => {}
            }
        }
        lines.sort_by(|one, other| one.last().total_cmp(&other.last()));
        (!lines.is_empty()).then_some(Curves { row, lines, without })
    }

    /// The chart as SVG.
    pub fn draw(&self, format: Format) -> Result<String> {
        let small = Format {
            letters: 0.85 * format.letters,
            ..format
        };
        let widest = self.lines.iter().map(|line| small.extent(&line.label()).0);
        let right = widest.fold(0.0, f64::max) + 2.0 * format.letters;
        let (rounds, memory) = (self.rounds(), self.memory());
        svg(format, &self.alternative(), |canvas| {
            let across = Side {
                range: rounds.clone(),
                ticks: self.row.points().into_iter().map(f64::from).collect(),
                title: "rounds".to_owned(),
            };
            let up = Side {
                range: memory.clone(),
                ticks: MEBIBYTES.into_iter().filter(|number| memory.contains(number)).collect(),
                title: "linear memory, MiB".to_owned(),
            };
            let whole = frame::draw(canvas, across, up, right, format)?;
            let place = |point: (f64, f64)| whole.at(share(point.0, &rounds), share(point.1, &memory));
            // From top to bottom.
            let paths: Vec<Vec<_>> = self
                .lines
                .iter()
                .rev()
                .map(|line| until_top(line.points.iter().map(|&point| place(point)), whole.top))
                .collect();
            let heights: Vec<f64> = paths.iter().flat_map(|path| path.last()).map(|end| end.1).collect();
            let labels = spread(&heights, small.extent("").1, whole.top..whole.bottom);
            // Lines that stand out come last: no other covers them.
            let mut drawn: Vec<_> = self.lines.iter().rev().zip(paths.iter().zip(labels)).collect();
            drawn.sort_by_key(|(line, _)| line.column.role != Role::Peer);
            for (line, (path, label)) in drawn {
                draw_line(canvas, line, path, whole.top)?;
                draw_label(canvas, line, path, (whole.right, label), small)?;
            }
            Ok(())
        })
    }

    /// The chart in words.
    pub fn alternative(&self) -> String {
        let rounds: Vec<String> = self.row.points().iter().map(u32::to_string).collect();
        let numbers: Vec<String> = self
            .lines
            .iter()
            .map(|line| {
                let points: Vec<String> = line.points.iter().map(|point| format!("{:.1}", point.1)).collect();
                format!("{} {}", line.column.name, points.join(", "))
            })
            .collect();
        format!(
            "MiB of memory of each allocator after {} rounds: {}",
            rounds.join(", "),
            numbers.join("; ")
        )
    }

    /// What lines mean, and which allocators have none; it stands below the chart.
    pub fn legend(&self) -> String {
        let mut legend = format!(
            "Linear memory over the rounds of `{WORKLOAD}`, with the MiB after the last. Red: allocators of this \
             repository. Blue: the one that ratios are taken to. A line that leaves the picture at its top ends at the \
             number beside it."
        );
        if !self.without.is_empty() {
            let without: Vec<String> = self
                .without
                .iter()
                .map(|(name, reason)| format!("{name} ({reason})"))
                .collect();
            legend += &format!(" Without a line: {}.", without.join(", "));
        }
        legend
    }

    /// The first and the last number of rounds.
    fn rounds(&self) -> Range<f64> {
        let points = self.row.points();
        let number = |rounds: Option<&u32>| rounds.map_or(1.0, |&rounds| f64::from(rounds));
        number(points.first())..number(points.last())
    }

    /// The memory that the chart shows.
    fn memory(&self) -> Range<f64> {
        let all = || self.lines.iter().flat_map(|line| &line.points).map(|point| point.1);
        let reference = self.lines.iter().find(|line| line.column.role == Role::Reference);
        let end = reference.map_or(f64::INFINITY, |line| END * line.last());
        all().fold(f64::INFINITY, f64::min) / MARGIN..(all().fold(0.0, f64::max) * MARGIN).min(end)
    }
}

/// Where `number` lies on a logarithmic axis, from 0 at its start to 1 at its end.
fn share(number: f64, range: &Range<f64>) -> f64 {
    (number / range.start).ln() / (range.end / range.start).ln()
}

/// The part of a line before it first crosses `top`.
fn until_top(points: impl IntoIterator<Item = (f64, f64)>, top: f64) -> Vec<(f64, f64)> {
    let mut visible: Vec<(f64, f64)> = Vec::new();
    for (x, y) in points {
        if y >= top {
            visible.push((x, y));
            continue;
        }
        let (last_x, last_y) = visible.last().copied().unwrap_or((x, top));
        let share = (last_y - top) / (last_y - y);
        visible.push((last_x + (x - last_x) * share, top));
        break;
    }
    visible
}

/// Places near those in `wanted`, which rise, at least `apart` from each other and from the ends of `room`.
fn spread(wanted: &[f64], apart: f64, room: Range<f64>) -> Vec<f64> {
    // Each group of places that touch lies around the mean of what its members want. Without the distances that they keep,
    // the members of a group lie in one place.
    let mut groups: Vec<(f64, usize)> = Vec::new();
    for (index, place) in wanted.iter().enumerate() {
        let mut group = (place - apart * index as f64, 1);
        while let Some((before, members)) = groups.pop_if(|before| before.0 >= group.0) {
            let sum = before * members as f64 + group.0 * group.1 as f64;
            group = (sum / (members + group.1) as f64, members + group.1);
        }
        groups.push(group);
    }
    let last = room.end - apart * wanted.len() as f64;
    let places = groups
        .iter()
        .flat_map(|&(place, members)| std::iter::repeat_n(place, members));
    places
        .enumerate()
        .map(|(index, place)| place.min(last + 0.5 * apart).max(room.start + 0.5 * apart) + apart * index as f64)
        .collect()
}

fn draw_line(canvas: &Canvas, line: &Line, path: &[(f64, f64)], top: f64) -> Result<()> {
    let colour = colour_of(line.column.role);
    let (radius, width) = if line.column.role == Role::Peer { (2, 1) } else { (3, 2) };
    for &point in path.iter().filter(|point| point.1 > top) {
        canvas.draw(&Circle::new(pixel(point), radius, colour.filled()))?;
    }
    let path: Vec<_> = path.iter().map(|&point| pixel(point)).collect();
    canvas.draw(&PathElement::new(path, colour.stroke_width(width)))?;
    Ok(())
}

/// Draws the name and the last number of a line beside the frame, with a thin line from the end of its `path`.
fn draw_label(canvas: &Canvas, line: &Line, path: &[(f64, f64)], at: (f64, f64), format: Format) -> Result<()> {
    let colour = colour_of(line.column.role);
    let start = (at.0 + 1.6 * format.letters, at.1);
    let joint = path.last().copied().into_iter().chain([(start.0 - 3.0, start.1)]);
    canvas.draw(&PathElement::new(joint.map(pixel).collect::<Vec<_>>(), colour.mix(0.6)))?;
    let style = format.text(colour).pos(Pos::new(HPos::Left, VPos::Center));
    canvas.draw(&Text::new(line.label(), pixel(start), style))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Curves, WORKLOAD, spread, until_top};
    use crate::render::charts::canvas::Format;
    use crate::results::figure::Figure;
    use crate::results::report::Report;
    use crate::results::workload::{Cell, Row};
    use crate::shared::catalogue::Family;

    /// Pages after some numbers of rounds.
    type Curve = Figure<Vec<(u32, u32)>>;

    fn report_with(curves: &[(&str, Curve)]) -> Report {
        let mut report = Report::sample();
        let cell = |curve: &Curve| Cell {
            curve: Some(curve.clone()),
            ..Cell::sample(Figure::Missing(String::new()), None)
        };
        report.workloads.push(Row {
            name: WORKLOAD.to_owned(),
            family: Family::Reported,
            about: String::new(),
            report: None,
            limit_pages: None,
            peak_live_bytes: 1,
            cells: curves
                .iter()
                .map(|(id, curve)| ((*id).to_owned(), cell(curve)))
                .collect(),
        });
        report
    }

    #[test]
    fn each_line_has_its_name_and_its_last_number() {
        let report = report_with(&[
            ("dlmalloc", Figure::Measured(vec![(1, 32), (1000, 320)])),
            ("freeing-bump", Figure::Measured(vec![(1, 48), (1000, 160)])),
            ("rlsf", Figure::Measured(vec![(1, 32), (1000, 16_000)])),
        ]);
        let curves = Curves::of(&report).unwrap();
        let picture = curves.draw(Format::WIDE).unwrap();
        for text in ["dlmalloc 20.0", "FreeingBump 10.0", "rlsf 1000.0"] {
            assert!(picture.contains(&format!("\n{text}\n")), "{text}: {picture}");
        }
        let words = curves.alternative();
        assert!(
            words.contains("after 1, 1000 rounds: FreeingBump 3.0, 10.0; "),
            "{words}"
        );
    }

    #[test]
    fn an_allocator_that_stopped_before_the_last_round_is_named_with_the_reason() {
        let report = report_with(&[
            ("dlmalloc", Figure::Measured(vec![(1, 32), (1000, 320)])),
            ("wee_alloc", Figure::Missing("out of memory".to_owned())),
        ]);
        let legend = Curves::of(&report).unwrap().legend();
        assert!(
            legend.ends_with(" Without a line: wee_alloc (out of memory)."),
            "{legend}"
        );
    }

    #[test]
    fn a_report_without_curves_has_no_chart() {
        assert!(Curves::of(&Report::sample()).is_none());
        let mut report = report_with(&[("dlmalloc", Figure::Missing(String::new()))]);
        assert!(Curves::of(&report).is_none());
        for cell in report.workloads[0].cells.values_mut() {
            cell.curve = None;
        }
        assert!(Curves::of(&report).is_none());
    }

    #[test]
    fn a_line_that_leaves_the_picture_ends_at_its_edge() {
        let points = [(0.0, 100.0), (10.0, 60.0), (20.0, -20.0), (30.0, -90.0)];
        assert_eq!(until_top(points, 0.0), [(0.0, 100.0), (10.0, 60.0), (17.5, 0.0)]);
        assert_eq!(until_top([points[0], points[1]], 0.0), points[..2]);
    }

    #[test]
    fn labels_of_lines_that_end_in_one_place_stand_one_below_the_other_around_it() {
        assert_eq!(spread(&[50.0, 50.0, 50.0], 10.0, 0.0..100.0), [40.0, 50.0, 60.0]);
        assert_eq!(spread(&[20.0, 50.0], 10.0, 0.0..100.0), [20.0, 50.0]);
        assert_eq!(spread(&[0.0, 0.0, 99.0], 10.0, 0.0..100.0), [5.0, 15.0, 95.0]);
    }
}
