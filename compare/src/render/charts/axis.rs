//! A logarithmic axis of ratios: what it shows, where numbers lie on it, and which stand beside it.

use std::ops::Range;

/// No axis goes on beyond this. What has more stands at the end. That keeps the others far enough apart.
pub const END: f64 = 2.0;

/// How far an axis goes on after the outermost number, as a factor.
const MARGIN: f64 = 1.12;

/// The numbers that may stand beside an axis, the most useful first.
const NUMBERS: [f64; 22] = [
    1.0, 2.0, 0.5, 0.7, 1.4, 0.25, 0.35, 0.6, 0.8, 1.2, 1.7, 0.9, 0.1, 0.15, 0.3, 0.4, 1.1, 1.3, 1.6, 1.8, 0.2, 1.5,
];

/// An axis.
pub struct Axis {
    range: Range<f64>,
}

impl Axis {
    /// The axis that shows 1 and `numbers`, as far as `END`.
    pub fn of(numbers: impl Iterator<Item = f64>) -> Self {
        let (least, most) = numbers.fold((1.0_f64, 1.0_f64), |(least, most), number| {
            (least.min(number), most.max(number))
        });
        Axis {
            range: least / MARGIN..(most * MARGIN).min(END),
        }
    }

    /// Its first and its last number.
    pub fn range(&self) -> Range<f64> {
        self.range.clone()
    }

    /// Where `number` lies, from 0 at the start to 1 at the end. What is beyond the end stands there.
    pub fn share(&self, number: f64) -> f64 {
        let Range { start, end } = self.range;
        (number.min(end) / start).ln() / (end / start).ln()
    }

    /// The numbers that stand beside an axis of this many pixels, at least `apart` pixels from each other.
    pub fn ticks(&self, pixels: f64, apart: f64) -> Vec<f64> {
        let mut chosen: Vec<f64> = Vec::new();
        for number in NUMBERS {
            let fits = |other: &f64| (self.share(number) - self.share(*other)).abs() * pixels >= apart;
            let is_shown = number >= self.range.start && number <= self.range.end;
            if is_shown && chosen.iter().all(fits) {
                chosen.push(number);
            }
        }
        chosen.sort_by(f64::total_cmp);
        chosen
    }
}

#[cfg(test)]
mod tests {
    use super::Axis;

    #[test]
    fn a_long_axis_has_more_numbers_than_a_short_one_and_both_have_the_reference() {
        let axis = Axis::of([0.45, 3.0].into_iter());
        let short = axis.ticks(200.0, 40.0);
        let long = axis.ticks(600.0, 40.0);
        assert_eq!(short, [0.5, 0.7, 1.0, 1.4, 2.0]);
        assert!(long.len() > short.len() && long.contains(&1.0), "{long:?}");
    }

    #[test]
    fn what_is_beyond_the_end_stands_at_the_end_and_twice_and_half_are_equally_far_from_one() {
        let axis = Axis::of([0.5, 31.0].into_iter());
        assert_eq!(axis.share(31.0), 1.0);
        let (half, one, twice) = (axis.share(0.6), axis.share(1.0), axis.share(1.0 / 0.6));
        assert!((one - half - (twice - one)).abs() < 1e-9, "{half} {one} {twice}");
    }
}
