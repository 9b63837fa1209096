//! Chebyshev filters: polynomials of a symmetric matrix that lift the top of its spectrum.
//!
//! `T_d((A - centre) / half)` stays within ± 1 on the interval `centre ± half`, and above it grows as
//! `cosh(d acosh(x))`, faster than any other polynomial of degree d (Zhou & Saad 2007).

use crate::arrays::matrix::Matrix;
use crate::numeric::sparse::{CsrMatrix, Recurrence};
use crate::run::error::Result;
use crate::run::monitor::Monitor;

/// Nepers by which the filter lifts the last wanted vector above the unwanted ones. Between 2 and 4
/// the time on Fashion-MNIST hardly changes.
const LIFT: f64 = 3.0;
/// Nepers by which it lifts an eigenvalue of 1 at most: more would cost f32 its digits.
const MAX_LIFT: f64 = 8.0;
/// Highest degree.
const MAX_DEGREE: usize = 40;
/// Half the width of the interval, at least.
const MIN_HALF: f64 = 1e-3;

/// The interval and the degree d.
#[derive(Debug, Clone, Copy)]
pub struct ChebyshevFilter {
    centre: f64,
    half: f64,
    degree: usize,
}

impl ChebyshevFilter {
    /// One that damps from `low` to a cut below `last`, the least eigenvalue wanted; none is above 1.
    ///
    /// The cut is `gap_end` or, if that is less, twice as far from 1 as `last`.
    #[must_use]
    pub fn new(low: f64, gap_end: f64, last: f64) -> Self {
        let cut = (2.0 * last - 1.0).min(gap_end);
        let cut = cut.max(low + 0.1 * (last - low));
        let half = (0.5 * (cut - low)).max(MIN_HALF);
        let rate = |value: f64| (1.0 + ((value - cut) / half).max(0.0)).acosh();
        let degree = (LIFT / rate(last)).ceil().min(MAX_LIFT / rate(1.0));
        Self {
            centre: low + half,
            half,
            degree: (degree as usize).clamp(1, MAX_DEGREE),
        }
    }

    /// Factors of `times (A - centre) / half x + keep out`.
    #[must_use]
    pub fn terms(self, times: f64, keep: f32) -> Recurrence {
        Recurrence {
            scale: (times / self.half) as f32,
            shift: (-times * self.centre / self.half) as f32,
            keep,
        }
    }

    /// Turns T_0 x and T_1 x, (n, b) each, into T_d x, in the first of them, by
    /// `T_k+1 = 2 (A - centre) / half T_k - T_k-1`; returns the number of products. O(entries b d).
    ///
    /// # Errors
    /// [`crate::Error::Refused`] for blocks of other shapes; [`crate::Error::Interrupted`].
    pub fn apply(
        self,
        a: &CsrMatrix,
        first: &mut Matrix,
        second: &mut Matrix,
        monitor: &Monitor,
    ) -> Result<usize> {
        let b = first.cols();
        for _ in 1..self.degree {
            monitor.check()?;
            let terms = self.terms(2.0, -1.0);
            a.recur(second.as_slice(), b, terms, first.as_mut_slice())?;
            std::mem::swap(first, second);
        }
        std::mem::swap(first, second);
        Ok(self.degree - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A diagonal matrix.
    fn diagonal(values: &[f32]) -> CsrMatrix {
        CsrMatrix {
            indptr: (0..=values.len()).collect(),
            indices: (0..values.len() as u32).collect(),
            data: values.to_vec(),
        }
    }

    #[test]
    fn damps_below_the_cut_and_lifts_above() {
        let values: Vec<f32> = (0..=60).map(|i| -0.5 + i as f32 / 40.0).collect();
        let a = diagonal(&values);
        let filter = ChebyshevFilter::new(-0.5, 0.95, 0.95);
        let mut first = Matrix::from_vec(vec![1.0; values.len()], values.len(), 1).unwrap();
        let mut second = Matrix::zeros(values.len(), 1);
        let terms = filter.terms(1.0, 0.0);
        a.recur(first.as_slice(), 1, terms, second.as_mut_slice())
            .unwrap();
        filter
            .apply(&a, &mut first, &mut second, &Monitor::default())
            .unwrap();
        for (value, got) in values.iter().zip(first.as_slice()) {
            let x = (f64::from(*value) - filter.centre) / filter.half;
            let d = filter.degree as f64;
            let expected = if x.abs() <= 1.0 {
                (d * x.acos()).cos()
            } else {
                (d * x.acosh()).cosh()
            };
            assert!((f64::from(*got) - expected).abs() < 1e-4 * expected.abs().max(1.0));
            // cosh(3) is 10.
            assert!(*value < 0.95 || *got > 10.0);
        }
    }

    #[test]
    fn survives_spectra_without_gap_or_width() {
        for (low, gap_end, last) in [(1.0, 1.0, 1.0), (-1.0, 1.0, 1.0), (0.2, 0.2, 0.2)] {
            let filter = ChebyshevFilter::new(low, gap_end, last);
            assert!(filter.half > 0.0 && filter.centre.is_finite());
            assert!((1..=MAX_DEGREE).contains(&filter.degree));
        }
    }
}
