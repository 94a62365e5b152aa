//! How figures are put into words.

/// A number of bytes, with a comma before each three digits.
pub fn with_commas(bytes: i64) -> String {
    match bytes {
        1000.. => format!("{},{:03}", with_commas(bytes / 1000), bytes % 1000),
        _ => bytes.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::with_commas;

    #[test]
    fn bytes_have_a_comma_before_each_three_digits() {
        assert_eq!(
            [7, 999, 3854, 1_002_003].map(with_commas),
            ["7", "999", "3,854", "1,002,003"]
        );
    }
}
