//! A snapshot as a table to read.

use super::row::{Place, PlaceName, Row};
use super::snapshot::Snapshot;
use core::alloc::GlobalAlloc;
use core::fmt::{self, Write};

impl<A: GlobalAlloc> Snapshot<'_, A> {
    /// Writes a table in which each place is a line, then each size class: first what is kept since the mark, then what is live,
    /// was live at the place's own peak, and was ever made. The place that keeps the most bytes comes first, then the one with
    /// the most live bytes. `name` names the places.
    ///
    /// It allocates nothing itself. O(n²) for n places. Fails where `out` or `name` does.
    pub fn write_table(&self, out: &mut dyn Write, name: &PlaceName) -> fmt::Result {
        writeln!(
            out,
            "{:>12}{:>10}{:>12}{:>10}{:>12}{:>14}{:>10}  place",
            "kept bytes", "blocks", "live bytes", "blocks", "peak bytes", "total bytes", "blocks"
        )?;
        let rows = self.rows();
        let places = || {
            rows.iter()
                .filter(|row| row.place.is_some() && row.size_class.is_none())
        };
        let mut last = None;
        loop {
            let next = places()
                .filter(|row| last.is_none_or(|last| rank(row) < rank(last)))
                .max_by_key(|row| rank(row));
            let Some(row) = next else {
                break;
            };
            counts(out, row)?;
            if let Some(place) = row.place {
                place.write_name(out, name)?;
            }
            out.write_char('\n')?;
            last = Some(row);
        }
        for row in rows.iter().filter(|row| row.place.is_none()) {
            counts(out, row)?;
            match row.size_class {
                None => writeln!(out, "all places")?,
                Some(class) => writeln!(out, "{} to {} bytes", class.smallest_bytes(), class.largest_bytes())?,
            }
        }
        Ok(())
    }
}

/// What places are sorted by; no two have the same.
fn rank(row: &Row) -> (u64, u64, Option<Place>) {
    (row.kept.bytes, row.live.bytes, row.place)
}

/// Writes the counts of a line, up to its name.
fn counts(out: &mut dyn Write, row: &Row) -> fmt::Result {
    write!(
        out,
        "{:>12}{:>10}{:>12}{:>10}{:>12}{:>14}{:>10}  ",
        row.kept.bytes,
        row.kept.blocks,
        row.live.bytes,
        row.live.blocks,
        row.peak.bytes,
        row.total.bytes,
        row.total.blocks
    )
}
