//! How modules are compiled.

/// A profile of the repository's `Cargo.toml` that modules are built with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Profile {
    /// For timing: opt-level 3.
    Speed,
    /// For code size: opt-level "z".
    Size,
}

impl Profile {
    /// The profile's name in `Cargo.toml`.
    pub fn name(self) -> &'static str {
        match self {
            Profile::Speed => "speed",
            Profile::Size => "size",
        }
    }
}
