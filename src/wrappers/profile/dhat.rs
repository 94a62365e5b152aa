//! A snapshot as a file of DHAT, Valgrind's heap profiler, for its viewer `dh_view.html`.
//!
//! The format, version 2, is documented in a comment of Valgrind's `dhat/dh_main.c`, "File format notes". What the viewer insists
//! on is in `checkFields` and `checkPP` of its `dhat/dh_view.js`: the fields below, and that no two program points have the same
//! frames. Each row of a place and a size class is a program point with two frames, the place and the size class, from which
//! the viewer makes a tree. Time is the number of blocks made and released.

use super::row::{Amount, Place, PlaceName, Row};
use super::size_class::SizeClass;
use super::snapshot::Snapshot;
use core::alloc::GlobalAlloc;
use core::fmt::{self, Write};

/// A block that lives for no more than so many others that are made or released is called short-lived by the viewer.
const SHORT_LIFETIME: u64 = 10;

impl<A: GlobalAlloc> Snapshot<'_, A> {
    /// Writes the profile as DHAT's JSON: what was ever made, the peak of each place and size class, what was live at the peak
    /// of the whole, and now as "at t-end". `program` becomes the command that the viewer shows, and `name` names the places.
    ///
    /// It allocates nothing itself. What `out` and `name` allocate counts as any block does, and changes nothing in the
    /// snapshot. O(n) for n rows. Fails where `out` or `name` does.
    ///
    /// ```
    /// # #[cfg(target_arch = "wasm32")]
    /// # mod module {
    /// # use freeing_bump::{FreeingBump, Profiled};
    /// # static ALLOCATOR: Profiled<FreeingBump> = Profiled::new(FreeingBump::new(), |_| 1);
    /// # fn export() -> Option<String> {
    /// let mut json = String::new();
    /// let snapshot = ALLOCATOR.snapshot()?;
    /// let written = snapshot.write_dhat(&mut json, "my program", &|place, out| write!(out, "place {place}"));
    /// # written.ok()?;
    /// # Some(json)
    /// # }
    /// # }
    /// ```
    pub fn write_dhat(&self, out: &mut dyn Write, program: &str, name: &PlaceName) -> fmt::Result {
        let mut json = Json { out, name };
        json.head("rust-heap", "Allocated", true, program, self.time())?;
        write!(json.out, ",\"tuth\":{SHORT_LIFETIME},\"tg\":{}", self.time_of_peak())?;
        json.points(self.rows().iter(), |out, row| {
            amount(out, '{', "tb", row.total)?;
            amount(out, ',', "mb", row.peak)?;
            amount(out, ',', "gb", row.at_peak)?;
            amount(out, ',', "eb", row.live)?;
            write!(out, ",\"tl\":{}", row.lifetimes)
        })?;
        json.frames(self.rows().iter())
    }

    /// Writes only what is [`kept`](Row::kept) as DHAT's JSON, as if nothing else had been made. Otherwise as
    /// [`write_dhat`](Self::write_dhat).
    pub fn write_kept_dhat(&self, out: &mut dyn Write, program: &str, name: &PlaceName) -> fmt::Result {
        let mut json = Json { out, name };
        json.head(
            "rust-heap, live of what was made since the mark",
            "Kept",
            false,
            program,
            self.time(),
        )?;
        let kept = self.rows().iter().filter(|row| row.kept.blocks != 0);
        json.points(kept.clone(), |out, row| amount(out, '{', "tb", row.kept))?;
        json.frames(kept)
    }
}

/// What is written to, and the names of places.
struct Json<'a> {
    out: &'a mut dyn Write,
    name: &'a PlaceName<'a>,
}

impl Json<'_> {
    fn head(&mut self, mode: &str, verb: &str, has_lifetimes: bool, program: &str, time: u64) -> fmt::Result {
        write!(
            self.out,
            "{{\"dhatFileVersion\":2,\"mode\":\"{mode}\",\"verb\":\"{verb}\",\"bklt\":{has_lifetimes},\"bkacc\":false,\
             \"tu\":\"events\",\"Mtu\":\"Mevent\",\"pid\":0,\"te\":{time},\"cmd\":\""
        )?;
        Escaped(self.out).write_str(program)?;
        self.out.write_char('"')
    }

    /// Writes each program point, of which `counts` writes the counts.
    fn points<'b>(
        &mut self,
        rows: impl Iterator<Item = &'b Row>,
        counts: impl Fn(&mut dyn Write, &Row) -> fmt::Result,
    ) -> fmt::Result {
        self.out.write_str(",\"pps\":[")?;
        let mut frame = LAST_CLASS_FRAME;
        let mut separator = "\n";
        for row in rows {
            let Some(place) = row.place else {
                continue;
            };
            // The rows of a place follow each other, the first of which is of all its size classes.
            if row.size_class.is_none() {
                frame += 1;
                if place != Place::Other {
                    continue;
                }
            }
            self.out.write_str(separator)?;
            separator = ",\n";
            counts(self.out, row)?;
            write!(self.out, ",\"fs\":[{frame}")?;
            if let Some(class) = row.size_class {
                write!(self.out, ",{}", frame_of_class(class))?;
            }
            self.out.write_str("]}")?;
        }
        self.out.write_char(']')
    }

    /// Writes the frames: the root, all size classes, and the places in the order of their rows.
    fn frames<'b>(&mut self, rows: impl Iterator<Item = &'b Row>) -> fmt::Result {
        self.out.write_str(",\"ftbl\":[\n\"[root]\"")?;
        for number in 0..SizeClass::COUNT {
            let class = SizeClass::numbered(number as u8);
            write!(
                self.out,
                ",\n\"{} to {} bytes\"",
                class.smallest_bytes(),
                class.largest_bytes()
            )?;
        }
        for row in rows.filter(|row| row.size_class.is_none()) {
            if let Some(place) = row.place {
                self.out.write_str(",\n\"")?;
                place.write_name(&mut Escaped(self.out), self.name)?;
                self.out.write_char('"')?;
            }
        }
        self.out.write_str("]}\n")
    }
}

/// The index of the frame of a size class; that of the root is 0.
fn frame_of_class(class: SizeClass) -> usize {
    class.number() as usize + 1
}

/// The index before that of the first place.
const LAST_CLASS_FRAME: usize = SizeClass::COUNT;

/// Writes a field of bytes, and one of blocks, whose name is that of the bytes and a `k`.
fn amount(out: &mut dyn Write, before: char, name: &str, amount: Amount) -> fmt::Result {
    let Amount { blocks, bytes } = amount;
    write!(out, "{before}\"{name}\":{bytes},\"{name}k\":{blocks}")
}

/// Writes what may stand between the quotes of a JSON string.
struct Escaped<'a>(&'a mut dyn Write);

impl Write for Escaped<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for character in text.chars() {
            match character {
                '"' | '\\' => write!(self.0, "\\{character}")?,
                '\0'..='\x1f' => write!(self.0, "\\u{:04x}", u32::from(character))?,
                _ => self.0.write_char(character)?,
            }
        }
        Ok(())
    }
}
