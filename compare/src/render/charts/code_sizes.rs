//! What each allocator adds to a module, as bars: built for size, and built for speed.

use super::canvas::{Canvas, Format, NEUTRAL, colour_of, svg};
use crate::results::report::{Column, Report};
use crate::results::size::CodeSize;
use crate::shared::profile::Profile;
use anyhow::Result;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// The name of the chart's file.
pub const FILE: &str = "code-sizes.svg";

/// What bars mean; it stands below the chart.
pub const LEGEND: &str = "Bytes that an allocator adds to a module, after wasm-opt -Oz. Full bars: built for size \
    (opt-level z). Hollow bars: built for speed (opt-level 3). Red: allocators of this repository.";

/// The bars of one allocator.
struct Bars<'report> {
    column: &'report Column,
    size: i64,
    speed: i64,
}

/// The chart as SVG; its height follows the number of allocators.
pub fn draw(report: &Report, format: Format) -> Result<String> {
    let bars = bars(report);
    let line = 2.2 * format.letters;
    let format = Format {
        height: (line * (bars.len() as f64 + 0.5)) as u32,
        ..format
    };
    svg(format, &alternative(report), |canvas| {
        let name_width = bars
            .iter()
            .map(|bars| format.extent(&bars.column.name).0)
            .fold(0.0, f64::max);
        let start = name_width + format.letters;
        let room = f64::from(format.width) - start - format.extent("100000").0;
        let most = bars.iter().map(|bars| bars.size.max(bars.speed)).max().unwrap_or(1);
        for (index, bars) in bars.iter().enumerate() {
            let top = line * (index as f64 + 0.25);
            draw_bars(canvas, bars, (start, top), room / most as f64, format)?;
        }
        Ok(())
    })
}

/// Those with a size under both profiles, the smallest first.
fn bars(report: &Report) -> Vec<Bars<'_>> {
    let bytes = |column: &Column, profile: Profile| {
        let is_it = |size: &&CodeSize| size.allocator == column.id && size.profile == profile.name();
        report.sizes.iter().find(is_it).map(|size| size.over_floor.optimized)
    };
    let mut bars: Vec<Bars> = report
        .allocators
        .iter()
        .filter_map(|column| {
            Some(Bars {
                column,
                size: bytes(column, Profile::Size)?,
                speed: bytes(column, Profile::Speed)?,
            })
        })
        .collect();
    bars.sort_by_key(|bars| bars.size);
    bars
}

/// The chart in words.
pub fn alternative(report: &Report) -> String {
    let numbers: Vec<String> = bars(report)
        .iter()
        .map(|bars| format!("{} {} and {}", bars.column.name, bars.size, bars.speed))
        .collect();
    format!(
        "Bytes of each allocator, built for size and for speed: {}",
        numbers.join("; ")
    )
}

/// Draws the bars of one allocator, with its name before and the bytes after them.
fn draw_bars(canvas: &Canvas, bars: &Bars, (start, top): (f64, f64), scale: f64, format: Format) -> Result<()> {
    let colour = colour_of(bars.column.role);
    let height = 0.8 * format.letters;
    let name = format.text(colour).pos(Pos::new(HPos::Right, VPos::Center));
    let before = ((start - 0.5 * format.letters) as i32, (top + height) as i32);
    canvas.draw(&Text::new(bars.column.name.as_str(), before, name))?;
    let numbers = Format {
        letters: 0.8 * format.letters,
        ..format
    };
    for (bytes, top, style) in [
        (bars.size, top, colour.filled()),
        (bars.speed, top + height, colour.stroke_width(1)),
    ] {
        let end = start + bytes as f64 * scale;
        let corners = [
            (start as i32, (top + 1.0) as i32),
            (end as i32, (top + height - 1.0) as i32),
        ];
        canvas.draw(&Rectangle::new(corners, style))?;
        let after = ((end + 0.4 * format.letters) as i32, (top + height / 2.0) as i32);
        let number = numbers.text(NEUTRAL).pos(Pos::new(HPos::Left, VPos::Center));
        canvas.draw(&Text::new(bytes.to_string(), after, number))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::draw;
    use crate::render::charts::canvas::Format;
    use crate::results::report::Report;
    use crate::results::size::{CodeSize, Size};

    fn with_sizes(sizes: &[(&str, &str, i64)]) -> Report {
        let mut report = Report::sample();
        report.sizes = sizes
            .iter()
            .map(|&(allocator, profile, optimized)| CodeSize {
                allocator: allocator.to_owned(),
                profile: profile.to_owned(),
                over_floor: Size {
                    raw: 0,
                    optimized,
                    gzipped: 0,
                },
            })
            .collect();
        report
    }

    #[test]
    fn the_smallest_comes_first_and_each_bar_has_its_bytes() {
        let report = with_sizes(&[
            ("dlmalloc", "size", 6001),
            ("freeing-bump", "size", 3001),
            ("dlmalloc", "speed", 7001),
            ("freeing-bump", "speed", 4001),
        ]);
        let picture = draw(&report, Format::WIDE).unwrap();
        let places = ["FreeingBump", "3001", "4001", "dlmalloc", "6001", "7001"]
            .map(|text| picture.find(&format!("\n{text}\n")).unwrap());
        assert!(places.is_sorted(), "{picture}");
    }
}
