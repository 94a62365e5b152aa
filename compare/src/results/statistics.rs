//! Median and spread of a few runs.

use serde::{Deserialize, Serialize};
use statrs::statistics::{Data, OrderStatistics, Statistics};

/// A spread above this share of the median is marked: the figure should not be relied on.
pub const WIDE_SPREAD: f64 = 0.10;

/// A figure that was measured several times.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// The median.
    pub median: f64,
    /// The lower quartile.
    pub lower_quartile: f64,
    /// The upper quartile.
    pub upper_quartile: f64,
    /// How many times it was measured.
    pub runs: usize,
}

impl Summary {
    /// The summary of `samples`; `None` if there are none.
    pub fn of(samples: &[f64]) -> Option<Self> {
        if samples.is_empty() {
            return None;
        }
        let mut data = Data::new(samples.to_vec());
        Some(Summary {
            median: data.median(),
            lower_quartile: data.lower_quartile(),
            upper_quartile: data.upper_quartile(),
            runs: samples.len(),
        })
    }

    /// Half the distance between the quartiles, as a share of the median.
    pub fn spread(&self) -> f64 {
        (self.upper_quartile - self.lower_quartile) / 2.0 / self.median
    }

    /// Whether the spread is too wide to rely on the median.
    pub fn is_wide(&self) -> bool {
        self.spread() > WIDE_SPREAD
    }
}

/// The geometric mean of `ratios`; `None` if there are none.
pub fn geometric_mean(ratios: &[f64]) -> Option<f64> {
    (!ratios.is_empty()).then(|| ratios.iter().copied().geometric_mean())
}

#[cfg(test)]
mod tests {
    use super::{Summary, geometric_mean};

    #[test]
    fn one_slow_run_in_nine_moves_neither_the_median_nor_the_spread() {
        let mut samples = vec![10.0; 8];
        samples.push(1000.0);
        let summary = Summary::of(&samples).unwrap();
        assert_eq!((summary.median, summary.spread(), summary.runs), (10.0, 0.0, 9));
    }

    #[test]
    fn runs_that_differ_by_half_are_marked_as_wide() {
        assert!(Summary::of(&[8.0, 10.0, 12.0, 14.0]).unwrap().is_wide());
        assert!(!Summary::of(&[9.9, 10.0, 10.1, 10.0]).unwrap().is_wide());
    }

    #[test]
    fn twice_and_half_as_fast_cancel_out_and_nothing_has_no_mean() {
        assert!((geometric_mean(&[2.0, 0.5]).unwrap() - 1.0).abs() < 1e-12);
        assert_eq!(geometric_mean(&[]), None);
        assert_eq!(Summary::of(&[]), None);
    }
}
