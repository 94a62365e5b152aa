//! How figures are put into words.

/// A number of bytes, with a comma before each three digits.
pub fn with_commas(bytes: i64) -> String {
    match bytes {
        1000.. => format!("{},{:03}", with_commas(bytes / 1000), bytes % 1000),
        _ => bytes.to_string(),
    }
}

/// A commit's first seven digits, and what is said of it.
pub fn short_commit(commit: &str) -> String {
    let digits = commit.chars().take_while(char::is_ascii_hexdigit).count();
    match digits {
        40.. => format!("{}{}", &commit[..7], &commit[digits..]),
        _ => commit.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{short_commit, with_commas};

    #[test]
    fn a_commit_has_seven_digits_and_keeps_what_is_said_of_it() {
        assert_eq!(
            short_commit("0123456789012345678901234567890123456789, with uncommitted changes"),
            "0123456, with uncommitted changes"
        );
        assert_eq!(short_commit("unknown: no git checkout"), "unknown: no git checkout");
    }

    #[test]
    fn bytes_have_a_comma_before_each_three_digits() {
        assert_eq!(
            [7, 999, 3854, 1_002_003].map(with_commas),
            ["7", "999", "3,854", "1,002,003"]
        );
    }
}
