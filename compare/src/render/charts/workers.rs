//! What workers do together, as bars: for each workload and allocator a bar for each number of workers.

use super::canvas::{Canvas, Format, NEUTRAL, colour_of, svg};
use crate::results::threads::{ThreadColumn, ThreadRow, Threads};
use crate::shared::catalogue::Compares;
use anyhow::Result;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// The name of the chart's file.
pub const FILE: &str = "workers.svg";

/// What bars mean; it stands below the chart.
pub const LEGEND: &str = "What workers do together in the same time, over what one does with the standard library's default: \
    more is better. The first bar of each allocator is one worker. Red: the allocator of this repository.";

/// The bars of all workloads whose work is compared.
pub struct Bars<'threads> {
    groups: Vec<Group<'threads>>,
}

/// The bars of one workload.
struct Group<'threads> {
    row: &'threads ThreadRow,
    /// Each allocator, with numbers of workers and what they do.
    lines: Vec<(&'threads ThreadColumn, Vec<(u32, f64)>)>,
}

impl<'threads> Bars<'threads> {
    /// The bars of `threads`; `None` if there are none.
    pub fn of(threads: &'threads Threads) -> Option<Self> {
        let work = threads.rows.iter().filter(|row| row.compares == Compares::Work);
        let groups: Vec<Group> = work.filter_map(|row| Group::of(threads, row)).collect();
        (!groups.is_empty()).then_some(Bars { groups })
    }

    /// The chart as SVG; its height follows the number of bars.
    pub fn draw(&self, format: Format) -> Result<String> {
        let bar = 1.1 * format.letters;
        let gap = 0.5 * format.letters;
        let title = 1.8 * format.letters;
        let height_of = |group: &Group| {
            let lines = group.lines.iter().map(|(_, bars)| bars.len() as f64 * bar + gap);
            title + lines.sum::<f64>() + gap
        };
        let format = Format {
            height: self.groups.iter().map(height_of).sum::<f64>() as u32,
            ..format
        };
        let lines = || self.groups.iter().flat_map(|group| &group.lines);
        let names = lines().map(|(column, _)| format.extent(&column.name).0);
        let start = names.fold(0.0, f64::max) + format.letters;
        let room = f64::from(format.width) - start - format.extent("0.00, 2 workers").0;
        let most = lines().flat_map(|(_, bars)| bars).map(|bar| bar.1).fold(0.0, f64::max);
        svg(format, &self.alternative(), |canvas| {
            let mut top = 0.0;
            for group in &self.groups {
                let style = format.text(NEUTRAL).pos(Pos::new(HPos::Left, VPos::Center));
                let place = (start as i32, (top + 0.5 * title) as i32);
                canvas.draw(&Text::new(group.row.name.as_str(), place, style))?;
                top += title;
                for (column, bars) in &group.lines {
                    draw_line(canvas, column, bars, (start, top, bar), room / most, format)?;
                    top += bars.len() as f64 * bar + gap;
                }
                top += gap;
            }
            Ok(())
        })
    }

    /// The chart in words.
    pub fn alternative(&self) -> String {
        let groups: Vec<String> = self.groups.iter().map(Group::in_words).collect();
        format!(
            "What workers do together, over one worker with the standard library's default: {}",
            groups.join(". ")
        )
    }
}

impl<'threads> Group<'threads> {
    fn of(threads: &'threads Threads, row: &'threads ThreadRow) -> Option<Self> {
        let base = row.cells.get(&threads.base)?.pace(1)?;
        let mut lines = Vec::new();
        for column in threads.measured() {
            let Some(cell) = row.cells.get(&column.id) else {
                continue;
            };
            let bar = |&workers: &u32| Some((workers, cell.pace(workers)?.over(base)));
            let bars: Vec<(u32, f64)> = row.workers.iter().filter_map(bar).collect();
            if !bars.is_empty() {
                lines.push((column, bars));
            }
        }
        Some(Group { row, lines })
    }

    fn in_words(&self) -> String {
        let lines: Vec<String> = self
            .lines
            .iter()
            .map(|(column, bars)| {
                let numbers: Vec<String> = bars.iter().map(|bar| format!("{:.2}", bar.1)).collect();
                format!("{} {}", column.name, numbers.join(", "))
            })
            .collect();
        let workers: Vec<String> = self.row.workers.iter().map(u32::to_string).collect();
        format!(
            "{}, {} workers: {}",
            self.row.name,
            workers.join(", "),
            lines.join("; ")
        )
    }
}

/// Draws the bars of one allocator, with its name before them, and after each what it stands for.
fn draw_line(
    canvas: &Canvas,
    column: &ThreadColumn,
    bars: &[(u32, f64)],
    (start, top, height): (f64, f64, f64),
    scale: f64,
    format: Format,
) -> Result<()> {
    let colour = colour_of(column.role);
    let name = format.text(colour).pos(Pos::new(HPos::Right, VPos::Center));
    let middle = top + height * bars.len() as f64 / 2.0;
    let before = ((start - 0.5 * format.letters) as i32, middle as i32);
    canvas.draw(&Text::new(column.name.as_str(), before, name))?;
    let small = Format {
        letters: 0.8 * format.letters,
        ..format
    };
    for (index, &(workers, work)) in bars.iter().enumerate() {
        let top = top + height * index as f64;
        let end = start + work * scale;
        let corners = [
            (start as i32, (top + 1.0) as i32),
            (end as i32, (top + height - 1.0) as i32),
        ];
        let style = if workers == 1 {
            colour.stroke_width(1)
        } else {
            colour.filled()
        };
        canvas.draw(&Rectangle::new(corners, style))?;
        let after = ((end + 0.4 * format.letters) as i32, (top + height / 2.0) as i32);
        let plural = if workers == 1 { "" } else { "s" };
        let text = format!("{work:.2}, {workers} worker{plural}");
        let number = small.text(NEUTRAL).pos(Pos::new(HPos::Left, VPos::Center));
        canvas.draw(&Text::new(text, after, number))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::Bars;
    use crate::render::charts::canvas::Format;
    use crate::results::sample;

    #[test]
    fn each_number_of_workers_has_a_bar_over_one_worker_with_the_default() {
        let mut threads = sample::threads();
        threads.rows.retain(|row| row.name == "workers-small-blocks");
        let bars = Bars::of(&threads).unwrap();
        let picture = bars.draw(Format::WIDE).unwrap();
        // The made-up figures: 25 ns with one worker and the default, 12.5 and 6.4 with one and two and ours.
        for text in [
            "1.00, 1 worker",
            "2.00, 1 worker",
            "3.91, 2 workers",
            "FreeingBump",
            "workers-small-blocks",
        ] {
            assert!(picture.contains(&format!("\n{text}\n")), "{text}: {picture}");
        }
        let words = bars.alternative();
        assert!(
            words.contains("workers-small-blocks, 1, 2 workers: FreeingBump 2.00, 3.91; "),
            "{words}"
        );
    }

    #[test]
    fn without_the_default_nothing_is_drawn() {
        let mut threads = sample::threads();
        for row in &mut threads.rows {
            row.cells.remove("std");
        }
        assert!(Bars::of(&threads).is_none());
    }
}
