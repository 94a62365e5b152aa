//! The profile of a heap as a table: a line for each program point.

use crate::results::heap_profile::{Amount, HeapProfile, Lives, Point};
use anyhow::Result;
use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{CellAlignment, ContentArrangement, Table};

/// How many frames of a program point are shown.
const MOST_FRAMES: usize = 6;

/// The heading, the table of the first `most` program points, and a line on the others.
pub fn text(profile: &HeapProfile, most: usize) -> Result<String> {
    let has_lives = profile.points.iter().any(|point| point.lives.is_some());
    let mut headings = Vec::new();
    if has_lives {
        headings.extend(["live at the end", "at the peak", "own peak"].map(str::to_owned));
    }
    headings.push(profile.verb.to_lowercase());
    if has_lives {
        headings.push(format!("mean life, {}", profile.time_unit));
    }
    let numbers = headings.len();
    headings.push("where".to_owned());
    let mut table = Table::new();
    // As wide as the terminal, if it is one.
    table.set_content_arrangement(ContentArrangement::Dynamic);
    table.load_style(UTF8_FULL_CONDENSED);
    table.set_header(headings);
    for column in table.column_iter_mut().take(numbers) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    for point in profile.points.iter().take(most) {
        table.add_row(line(point.lives, point.total, frames(point)));
    }
    let lives_of = |of: fn(Lives) -> Amount| profile.sum(|point| of(point.lives.unwrap_or_default()));
    let mut all = None;
    if has_lives {
        let lifetimes = profile
            .points
            .iter()
            .filter_map(|point| point.lives)
            .map(|lives| lives.lifetimes);
        all = Some(Lives {
            // The peak of the whole is what all points had then; their own peaks are at other times.
            peak: lives_of(|lives| lives.at_peak)?,
            at_peak: lives_of(|lives| lives.at_peak)?,
            at_end: lives_of(|lives| lives.at_end)?,
            lifetimes: lifetimes.fold(0, u64::saturating_add),
        });
    }
    table.add_row(line(all, profile.sum(|point| point.total)?, "everywhere".to_owned()));
    let mut text = format!(
        "{}: {}, {} {}. Bytes, and in how many blocks:\n{table}\n",
        profile.command, profile.mode, profile.end, profile.time_unit
    );
    if profile.points.len() > most {
        text += &format!(
            "{} more; --top {} shows all.\n",
            profile.points.len() - most,
            profile.points.len()
        );
    }
    Ok(text)
}

fn line(lives: Option<Lives>, total: Amount, place: String) -> Vec<String> {
    let mut cells = Vec::new();
    if let Some(lives) = lives {
        cells.extend([lives.at_end, lives.at_peak, lives.peak].map(amount));
    }
    cells.push(amount(total));
    if let Some(lives) = lives {
        cells.push(
            lives
                .lifetimes
                .checked_div(total.blocks)
                .unwrap_or_default()
                .to_string(),
        );
    }
    cells.push(place);
    cells
}

fn amount(Amount { bytes, blocks }: Amount) -> String {
    format!("{bytes} in {blocks}")
}

fn frames(point: &Point) -> String {
    let mut shown = point.frames.iter().take(MOST_FRAMES).cloned().collect::<Vec<_>>();
    if point.frames.len() > MOST_FRAMES {
        shown.push(format!("and {} more", point.frames.len() - MOST_FRAMES));
    }
    shown.join("\n")
}

#[cfg(test)]
mod tests {
    use super::text;
    use crate::results::heap_profile::HeapProfile;

    fn profile(has_lives: bool, points: &[(u64, &str)]) -> HeapProfile {
        let lives = |bytes: u64| match has_lives {
            true => format!(
                r#","mb":{},"mbk":2,"gb":{bytes},"gbk":1,"eb":{bytes},"ebk":1,"tl":90"#,
                2 * bytes
            ),
            false => String::new(),
        };
        let points: Vec<String> = points
            .iter()
            .map(|(bytes, frames)| format!(r#"{{"tb":{},"tbk":9,"fs":{frames}{}}}"#, 10 * bytes, lives(*bytes)))
            .collect();
        let json = format!(
            r#"{{"dhatFileVersion":2,"mode":"rust-heap","verb":"{}","bklt":{has_lives},"bkacc":false,"tu":"events",
            "Mtu":"Mevent","tuth":1,"cmd":"program","pid":0,"te":350,"tg":331,"pps":[{}],
            "ftbl":["[root]","33 to 64 bytes","parsing","drawing"]}}"#,
            if has_lives { "Allocated" } else { "Kept" },
            points.join(",")
        );
        HeapProfile::parse(&json).unwrap()
    }

    #[test]
    fn the_place_with_the_most_live_bytes_stands_first_and_the_sums_last() {
        let profile = profile(true, &[(40, "[2,1]"), (3000, "[3,1]")]);
        assert_eq!(
            text(&profile, 25).unwrap(),
            "\
program: rust-heap, 350 events. Bytes, and in how many blocks:
┌─────────────────┬─────────────┬───────────┬─────────────┬───────────────────┬────────────────┐
│ live at the end ┆ at the peak ┆  own peak ┆   allocated ┆ mean life, events ┆ where          │
╞═════════════════╪═════════════╪═══════════╪═════════════╪═══════════════════╪════════════════╡
│       3000 in 1 ┆   3000 in 1 ┆ 6000 in 2 ┆  30000 in 9 ┆                10 ┆ drawing        │
│                 ┆             ┆           ┆             ┆                   ┆ 33 to 64 bytes │
│         40 in 1 ┆     40 in 1 ┆   80 in 2 ┆    400 in 9 ┆                10 ┆ parsing        │
│                 ┆             ┆           ┆             ┆                   ┆ 33 to 64 bytes │
│       3040 in 2 ┆   3040 in 2 ┆ 3040 in 2 ┆ 30400 in 18 ┆                10 ┆ everywhere     │
└─────────────────┴─────────────┴───────────┴─────────────┴───────────────────┴────────────────┘
"
        );
    }

    #[test]
    fn a_profile_without_lifetimes_has_one_column_of_counts_and_says_what_is_left_out() {
        let profile = profile(false, &[(1, "[2,1]"), (2, "[3,1]"), (3, "[1,1,1,1,1,1,1,2]")]);
        let text = text(&profile, 1).unwrap();
        assert!(text.contains("│  30 in 9 ┆ 33 to 64 bytes"), "{text}");
        assert!(text.contains("and 2 more"), "{text}");
        assert!(!text.contains("parsing") && !text.contains("live at the end"), "{text}");
        assert!(text.contains("│ 60 in 27 ┆ everywhere"), "{text}");
        assert!(text.ends_with("2 more; --top 3 shows all.\n"), "{text}");
    }

    #[test]
    fn a_profile_of_nothing_is_a_table_of_one_line() {
        let text = text(&profile(true, &[]), 25).unwrap();
        assert!(text.contains("everywhere"), "{text}");
    }
}
