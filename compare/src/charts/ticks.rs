//! The numbers on a logarithmic axis of ratios.

use std::ops::Range;

/// The numbers that may stand on an axis, the most useful first.
const NUMBERS: [f64; 22] = [
    1.0, 2.0, 0.5, 0.7, 1.4, 0.25, 0.35, 0.6, 0.8, 1.2, 1.7, 0.9, 0.1, 0.15, 0.3, 0.4, 1.1, 1.3, 1.6, 1.8, 0.2, 1.5,
];

/// Those of them that fit on an axis of so many pixels, at least `apart` pixels from each other.
pub fn fitting(range: &Range<f64>, pixels: f64, apart: f64) -> Vec<f64> {
    let place = |number: f64| (number / range.start).ln() / (range.end / range.start).ln() * pixels;
    let mut chosen: Vec<f64> = Vec::new();
    for number in NUMBERS {
        let fits = |other: &f64| (place(number) - place(*other)).abs() >= apart;
        if number >= range.start && number <= range.end && chosen.iter().all(fits) {
            chosen.push(number);
        }
    }
    chosen.sort_by(f64::total_cmp);
    chosen
}

#[cfg(test)]
mod tests {
    use super::fitting;

    #[test]
    fn a_long_axis_has_more_numbers_than_a_short_one_and_both_have_the_reference() {
        let short = fitting(&(0.4..2.0), 200.0, 40.0);
        let long = fitting(&(0.4..2.0), 600.0, 40.0);
        assert_eq!(short, [0.5, 0.7, 1.0, 1.4, 2.0]);
        assert!(long.len() > short.len() && long.contains(&1.0), "{long:?}");
    }
}
