//! The patterns of the command line: a name, or the start of names with `*` after it.

/// Whether `pattern` stands for `name`.
pub fn matches(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => name == pattern,
    }
}
