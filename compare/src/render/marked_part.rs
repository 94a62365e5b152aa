//! A part of a document that is written between two marks; the rest is written by hand, or at another time.

use anyhow::{Result, bail};

/// The part between two lines of a document.
#[derive(Clone, Copy)]
pub struct MarkedPart {
    /// The document's file, for messages.
    pub file: &'static str,
    /// The line before the part.
    pub before: &'static str,
    /// The line after it.
    pub after: &'static str,
}

impl MarkedPart {
    /// The document up to the end of the first mark, the part, and the document from the second mark on.
    pub fn find<'document>(&self, document: &'document str) -> Result<[&'document str; 3]> {
        let file = self.file;
        let place_of = |mark: &str| match document.match_indices(mark).collect::<Vec<_>>()[..] {
            [(place, _)] => Ok(place),
            [] => bail!("{file} has no line `{mark}`: add it where the part that is written begins or ends"),
            _ => bail!("{file} has the line `{mark}` more than once: keep one"),
        };
        let (before, after) = (place_of(self.before)?, place_of(self.after)?);
        if after < before {
            bail!("{file} has `{}` before `{}`: swap them", self.after, self.before);
        }
        let start = before + self.before.len();
        Ok([&document[..start], &document[start..after], &document[after..]])
    }

    /// The document with `text` as the part, and nothing else changed.
    pub fn replace(&self, document: &str, text: &str) -> Result<String> {
        let [before, _, after] = self.find(document)?;
        Ok(format!("{before}\n\n{text}\n{after}"))
    }
}
