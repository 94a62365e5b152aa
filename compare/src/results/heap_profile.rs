//! A profile of a heap in the format of DHAT, Valgrind's heap profiler, version 2: what `freeing_bump::Profiled` exports, as
//! do DHAT itself and other profilers.
//!
//! The fields are those of the comment "File format notes" in Valgrind's `dhat/dh_main.c`. What is refused here is what its
//! viewer cannot show either: `checkFields`, `checkPP` and the frames in `dhat/dh_view.js`.

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use std::collections::HashSet;
use std::fs;
use std::path::Path;

const VERSION: u64 = 2;

/// A profile.
#[derive(Debug)]
pub struct HeapProfile {
    /// What kind of profile it is.
    pub mode: String,
    /// What was done with the blocks that are counted, such as "Allocated".
    pub verb: String,
    /// The command that ran.
    pub command: String,
    /// The unit of times.
    pub time_unit: String,
    /// The time at the end.
    pub end: u64,
    /// The program points, those with the most live bytes at the end first, then those with the most bytes ever.
    pub points: Vec<Point>,
}

/// The blocks that one place in the program has made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Point {
    /// Where that is: the innermost frame first.
    pub frames: Vec<String>,
    /// All blocks.
    pub total: Amount,
    /// How long they lived, if the profile says so.
    pub lives: Option<Lives>,
}

/// How long the blocks of a program point lived.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Lives {
    /// The most that were live at once.
    pub peak: Amount,
    /// What was live when most of all was.
    pub at_peak: Amount,
    /// What was live at the end.
    pub at_end: Amount,
    /// The sum of all lifetimes.
    pub lifetimes: u64,
}

/// Bytes in blocks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Amount {
    /// The bytes.
    pub bytes: u64,
    /// The blocks.
    pub blocks: u64,
}

impl Amount {
    /// The sum, unless it is more than any program can have made.
    pub fn plus(self, other: Self) -> Option<Self> {
        Some(Amount {
            bytes: self.bytes.checked_add(other.bytes)?,
            blocks: self.blocks.checked_add(other.blocks)?,
        })
    }
}

impl HeapProfile {
    /// Reads the file at `path`; one that is damaged, or of another kind, is refused with the reason.
    pub fn read(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path).with_context(|| format!("cannot read the profile {}", path.display()))?;
        HeapProfile::parse(&text).with_context(|| {
            let path = path.display();
            format!("{path} is no profile in DHAT's format, version {VERSION}, as `Snapshot::write_dhat` writes it")
        })
    }

    /// Reads the text of a file.
    pub fn parse(text: &str) -> Result<Self> {
        let Version { version } = serde_json::from_str(text)?;
        ensure!(
            version == VERSION,
            "its format has version {version}, and this program reads version {VERSION}"
        );
        let file: File = serde_json::from_str(text)?;
        let points: Result<Vec<Point>> = (1..)
            .zip(&file.pps)
            .map(|(number, point)| file.point(number, point))
            .collect();
        let mut points = points?;
        let mut seen = HashSet::new();
        for point in &file.pps {
            ensure!(
                seen.insert(&point.fs),
                "two program points have the frames {:?}",
                point.fs
            );
        }
        points.sort_by_key(|point| std::cmp::Reverse((point.lives.map(|lives| lives.at_end), point.total)));
        Ok(HeapProfile {
            mode: file.mode,
            verb: file.verb,
            command: file.cmd,
            time_unit: file.tu,
            end: file.te,
            points,
        })
    }

    /// What all program points together have of something.
    pub fn sum(&self, of: impl Fn(&Point) -> Amount) -> Result<Amount> {
        self.points
            .iter()
            .try_fold(Amount::default(), |sum, point| sum.plus(of(point)))
            .context("the counts add up to more than 2^64")
    }
}

#[derive(Deserialize)]
struct Version {
    #[serde(rename = "dhatFileVersion")]
    version: u64,
}

/// The file; fields that are not used here are named since the viewer wants them.
#[derive(Deserialize)]
struct File {
    mode: String,
    verb: String,
    bklt: bool,
    #[serde(rename = "bkacc")]
    _bkacc: bool,
    tu: String,
    #[serde(rename = "Mtu")]
    _mtu: String,
    tuth: Option<u64>,
    cmd: String,
    #[serde(rename = "pid")]
    _pid: i64,
    te: u64,
    tg: Option<u64>,
    pps: Vec<ProgramPoint>,
    ftbl: Vec<String>,
}

#[derive(Deserialize)]
struct ProgramPoint {
    tb: u64,
    tbk: u64,
    tl: Option<u64>,
    mb: Option<u64>,
    mbk: Option<u64>,
    gb: Option<u64>,
    gbk: Option<u64>,
    eb: Option<u64>,
    ebk: Option<u64>,
    fs: Vec<usize>,
}

impl File {
    /// The program point of this number, which counts from 1.
    fn point(&self, number: usize, point: &ProgramPoint) -> Result<Point> {
        let frames = point.fs.iter().map(|&frame| match self.ftbl.get(frame) {
            Some(name) => Ok(name.clone()),
            None => bail!(
                "program point {number} has the frame {frame}, and the table of frames ends before {}",
                self.ftbl.len()
            ),
        });
        let frames: Vec<String> = frames.collect::<Result<_>>()?;
        ensure!(!frames.is_empty(), "program point {number} has no frames");
        let total = Amount {
            bytes: point.tb,
            blocks: point.tbk,
        };
        let lives = self.bklt.then(|| self.lives(number, point, total)).transpose()?;
        Ok(Point { frames, total, lives })
    }

    fn lives(&self, number: usize, point: &ProgramPoint, total: Amount) -> Result<Lives> {
        let missing = |field: &str| format!("it has lifetimes (bklt), but no field {field}");
        self.tg.with_context(|| missing("tg"))?;
        self.tuth.with_context(|| missing("tuth"))?;
        let field = |name: &str, value: Option<u64>| {
            value.with_context(|| format!("it has lifetimes (bklt), but program point {number} has no field {name}"))
        };
        let amount = |name: &str, bytes, blocks| {
            let amount = Amount {
                bytes: field(name, bytes)?,
                blocks: field(&format!("{name}k"), blocks)?,
            };
            ensure!(
                amount.bytes <= total.bytes && amount.blocks <= total.blocks,
                "program point {number} has more in {name} or {name}k than it ever made, which is in tb and tbk"
            );
            Ok(amount)
        };
        Ok(Lives {
            peak: amount("mb", point.mb, point.mbk)?,
            at_peak: amount("gb", point.gb, point.gbk)?,
            at_end: amount("eb", point.eb, point.ebk)?,
            lifetimes: field("tl", point.tl)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Amount, HeapProfile};
    use freeing_bump::Profiled;
    use freeing_bump::profile::{PlaceName, Row, Snapshot};
    use std::alloc::{GlobalAlloc, Layout, System};
    use std::fmt::Write;

    /// What a program has made whose blocks of 100 bytes leak.
    fn with_leak(test: impl Fn(Snapshot<System>)) {
        let allocator = Profiled::new(System, |layout| (layout.size() == 100).into());
        // SAFETY: the layout is not empty.
        let make = |size| unsafe { allocator.alloc(layout(size)) };
        let kept_for_good = make(500);
        make(100);
        allocator.mark();
        for size in [20, 30, 700] {
            let block = make(size);
            make(100);
            // SAFETY: the block is live.
            unsafe { allocator.dealloc(block, layout(size)) };
        }
        test(allocator.snapshot().unwrap());
        // SAFETY: the block is live.
        unsafe { allocator.dealloc(kept_for_good, layout(500)) };
    }

    fn layout(size: usize) -> Layout {
        Layout::from_size_align(size, 8).unwrap()
    }

    const NAME: &PlaceName<'static> = &|place, out| out.write_str(["the \"work\"", "the\tleak \\o/"][place as usize]);

    fn written(write: impl Fn(&mut dyn Write) -> std::fmt::Result) -> String {
        let mut json = String::new();
        write(&mut json).unwrap();
        json
    }

    #[test]
    fn what_a_snapshot_exports_is_read_back_point_by_point() {
        with_leak(|snapshot| {
            let json = written(|out| snapshot.write_dhat(out, "a \"program\"", NAME));
            let profile = HeapProfile::parse(&json).unwrap();
            assert_eq!(profile.command, "a \"program\"");
            assert_eq!((profile.time_unit.as_str(), profile.end), ("events", snapshot.time()));
            let rows: Vec<&Row> = snapshot
                .rows()
                .iter()
                .filter(|row| row.place.is_some() && row.size_class.is_some())
                .collect();
            assert_eq!((profile.points.len(), rows.len()), (4, 4));
            let amount = |amount: freeing_bump::profile::Amount| Amount {
                bytes: amount.bytes,
                blocks: amount.blocks,
            };
            for row in rows {
                let class = row.size_class.unwrap();
                let frames = [
                    written(|out| match row.place.unwrap() {
                        freeing_bump::profile::Place::Number(place) => NAME(place, out),
                        _ => Ok(()),
                    }),
                    format!("{} to {} bytes", class.smallest_bytes(), class.largest_bytes()),
                ];
                let point = profile.points.iter().find(|point| point.frames == frames).unwrap();
                assert_eq!(point.total, amount(row.total));
                let lives = point.lives.unwrap();
                assert_eq!(lives.peak, amount(row.peak));
                assert_eq!(lives.at_peak, amount(row.at_peak));
                assert_eq!(lives.at_end, amount(row.live));
                assert_eq!(lives.lifetimes, row.lifetimes);
            }
            // The sums are those of the whole.
            let all = snapshot.rows()[0];
            let sum = |of: fn(super::Lives) -> Amount| profile.sum(|point| of(point.lives.unwrap())).unwrap();
            assert_eq!(sum(|lives| lives.at_end), amount(all.live));
            assert_eq!(sum(|lives| lives.at_peak), amount(all.peak));
            assert_eq!(profile.sum(|point| point.total).unwrap(), amount(all.total));
        });
    }

    #[test]
    fn the_only_point_of_what_is_kept_is_the_leak() {
        with_leak(|snapshot| {
            let json = written(|out| snapshot.write_kept_dhat(out, "program", NAME));
            let profile = HeapProfile::parse(&json).unwrap();
            let [leak] = profile.points.as_slice() else {
                panic!("{:?}", profile.points);
            };
            assert_eq!(leak.frames, ["the\tleak \\o/", "65 to 128 bytes"]);
            assert_eq!((leak.total.bytes, leak.total.blocks), (300, 3));
        });
    }

    #[test]
    fn blocks_of_other_places_are_a_point_of_their_own() {
        let allocator = Profiled::new(System, |layout| layout.size() as u64).with_entries(8);
        for size in 1..=10 {
            // SAFETY: the layout is not empty.
            unsafe { allocator.alloc(layout(size)) };
        }
        let snapshot = allocator.snapshot().unwrap();
        let json = written(|out| snapshot.write_dhat(out, "program", &|place, out| write!(out, "{place}")));
        let profile = HeapProfile::parse(&json).unwrap();
        let other = profile.points.iter().find(|point| point.frames.len() == 1).unwrap();
        assert_eq!(other.frames, ["other: the table had no entry left"]);
        assert_eq!(other.total.blocks, 7);
        assert_eq!(profile.sum(|point| point.total).unwrap().blocks, 10);
    }

    /// A small valid file, with a word in it replaced.
    fn changed(from: &str, to: &str) -> Result<HeapProfile, String> {
        let text = r#"{"dhatFileVersion":2,"mode":"heap","verb":"Allocated","bklt":true,"bkacc":false,"tu":"instrs",
            "Mtu":"Minstr","tuth":500,"cmd":"date","pid":1,"te":350,"tg":331,"pps":[
            {"tb":5,"tbk":2,"tl":274,"mb":5,"mbk":1,"gb":0,"gbk":0,"eb":3,"ebk":1,"fs":[1,2]},
            {"tb":9,"tbk":1,"tl":27,"mb":9,"mbk":1,"gb":9,"gbk":1,"eb":0,"ebk":0,"fs":[1]}],
            "ftbl":["[root]","one","two"]}"#;
        assert!(text.contains(from), "{from}");
        HeapProfile::parse(&text.replacen(from, to, 1)).map_err(|error| format!("{error:#}"))
    }

    #[test]
    fn a_file_that_is_no_whole_profile_is_refused_with_the_reason() {
        assert!(changed("500", "500").is_ok());
        for (from, to, reason) in [
            (
                "Version\":2",
                "Version\":1",
                "its format has version 1, and this program reads version 2",
            ),
            ("dhatFileVersion", "version", "missing field `dhatFileVersion`"),
            ("\"ftbl\"", "\"frames\"", "missing field `ftbl`"),
            ("}]", "}", "expected `,` or `]`"),
            ("\"tg\":331,", "", "it has lifetimes (bklt), but no field tg"),
            (
                "\"eb\":0,",
                "",
                "it has lifetimes (bklt), but program point 2 has no field eb",
            ),
            (
                "[1,2]",
                "[1,3]",
                "program point 1 has the frame 3, and the table of frames ends before 3",
            ),
            ("[1,2]", "[]", "program point 1 has no frames"),
            ("[1,2]", "[1]", "two program points have the frames [1]"),
            (
                "\"eb\":3",
                "\"eb\":6",
                "program point 1 has more in eb or ebk than it ever made",
            ),
            ("\"tb\":5", "\"tb\":-5", "invalid value: integer `-5`"),
        ] {
            let error = changed(from, to).unwrap_err();
            assert!(error.contains(reason), "{error}");
        }
    }

    #[test]
    fn sums_that_no_program_can_reach_are_refused() {
        let most = u64::MAX.to_string();
        let profile = changed("\"tb\":5", &format!("\"tb\":{most}")).unwrap();
        assert!(profile.sum(|point| point.total).is_err());
    }
}
