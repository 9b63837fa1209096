//! What is ordinary in a column, from a sample of rows: its middle and its breadth.
//!
//! Means, deviations and ranges are taken of entries near the middle: a few entries far outside, as sensors, ids or
//! unit errors leave them, would otherwise set the scale of all. Near is within 20 times the range of all but the
//! outer 1 % on either side, and within 1,000 times that of all but the outer 10 %, as one in a hundred may be as bad.
//! A range of 0, as that of columns that are rarely anything but 0, bounds nothing.

use crate::kernels::element::Exact;
use crate::numeric::sample::sample_rows;
use crate::prepare::source::RowSource;
use crate::run::error::Result;
use crate::run::monitor::Monitor;
use crate::run::parallel::map_blocks;
use crate::run::rng::{Purpose, Streams};

/// Rows of the sample, and rows in which so many without NaN or infinity are looked for.
const SAMPLED: usize = 1024;
const LOOKED_AT: [usize; 3] = [SAMPLED, 64 * SAMPLED, usize::MAX];
/// Columns of a task: their sampled entries take 1 MiB.
const COLUMNS: usize = 64;
/// Shares of a column beyond either end of a range, and how many ranges from the middle an entry may be.
const RANGES: [(f64, f64); 2] = [(0.1, 1000.0), (0.01, 20.0)];

/// A column's middle, an entry, and what lies around it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ordinary {
    /// The median.
    pub middle: Exact,
    /// Distance from it up to which an entry is ordinary, or infinity.
    pub limit: f64,
    /// A power of two near the narrowest range, or near what else is known of the size of entries.
    pub unit: f64,
}

/// Rows without NaN or infinity, of which columns are judged: sampled, the same for every seed.
pub fn sampled_rows(source: &dyn RowSource) -> Vec<usize> {
    let (n, mut found) = (source.n_rows(), Vec::new());
    for count in LOOKED_AT {
        let mut rng = Streams::new(0).stream(Purpose::Columns, 0);
        let rows = sample_rows(n, count, &mut rng)
            .into_iter()
            .map(|i| i as usize);
        let is_finite = |&i: &usize| source.hashes(i..i + 1)[0].is_finite;
        found = rows.filter(is_finite).take(SAMPLED).collect();
        if 4 * found.len() >= SAMPLED.min(n) {
            break;
        }
    }
    found
}

/// What is ordinary in each column of `source`, by the rows `sampled`, (d,). O(SAMPLED d).
///
/// # Errors
/// [`crate::Error::Interrupted`].
pub fn ordinary_columns(
    source: &dyn RowSource,
    sampled: &[usize],
    monitor: &Monitor,
) -> Result<Vec<Ordinary>> {
    let found = map_blocks(source.n_cols(), COLUMNS, |columns| {
        monitor.check()?;
        let width = columns.len();
        let mut entries = vec![Exact::default(); sampled.len() * width];
        let rows = entries.chunks_exact_mut(width);
        rows.zip(sampled)
            .for_each(|(out, &i)| source.exact(i, columns.clone(), out));
        let column = |j| {
            let column = entries.iter().skip(j).step_by(width);
            Ordinary::of(column.copied().collect())
        };
        Ok((0..width).map(column).collect::<Vec<_>>())
    })?;
    Ok(found.concat())
}

impl Ordinary {
    /// Of the entries `sorted`, not sorted yet.
    fn of(mut sorted: Vec<Exact>) -> Self {
        let Some(last) = sorted.len().checked_sub(1) else {
            return Self {
                middle: Exact::default(),
                limit: f64::INFINITY,
                unit: 1.0,
            };
        };
        sorted.sort_unstable_by(|a, b| {
            let by_value = a.value.total_cmp(&b.value);
            by_value.then(a.rest.total_cmp(&b.rest))
        });
        let middle = sorted[sorted.len() / 2];
        let apart = |a: Exact, b: Exact| (b.value - a.value) + (b.rest - a.rest);
        let ranges = RANGES.map(|(share, times)| {
            // One on either side at least, as soon as that leaves some.
            let outer = ((share * sorted.len() as f64).ceil() as usize).min(last / 2);
            (apart(sorted[outer], sorted[last - outer]), times)
        });
        let bounding = ranges.iter().filter(|(range, _)| *range > 0.0);
        let limits = bounding.map(|(range, times)| range * times);
        let farthest = apart(sorted[0], middle).max(apart(middle, sorted[last]));
        let sizes = [ranges[0].0, ranges[1].0, farthest, middle.value.abs()];
        let unit = sizes.into_iter().find(|size| *size > 0.0).unwrap_or(1.0);
        Self {
            middle,
            limit: limits.fold(f64::INFINITY, f64::min),
            unit: power_of_two_below(unit.min(f64::MAX)),
        }
    }
}

/// The power of two at or below `x`, above 0, as far as one over it is a number.
fn power_of_two_below(x: f64) -> f64 {
    const EXPONENT: u64 = 0x7ff << 52;
    f64::from_bits(x.to_bits() & EXPONENT).max(f64::MIN_POSITIVE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::element::Element;

    fn of(values: &[f64]) -> Ordinary {
        Ordinary::of(values.iter().map(|v| v.exact()).collect())
    }

    #[test]
    fn a_few_entries_far_outside_set_nothing() {
        let mut column: Vec<f64> = (0..1000).map(f64::from).collect();
        let plain = of(&column);
        assert_eq!((plain.middle.value, plain.limit), (500.0, 20.0 * 979.0));
        column[3] = 1e12;
        let spoilt = of(&column);
        assert!((spoilt.limit / plain.limit - 1.0).abs() < 0.01 && spoilt.middle.value == 501.0);
        // Also among very few.
        assert_eq!(of(&[1.0, 2.0, 3.0, 4.0, 1e9]).limit, 20.0 * 2.0);
    }

    #[test]
    fn nor_do_some_in_a_hundred() {
        let mut column: Vec<f64> = (0..1000).map(f64::from).collect();
        column[..80].fill(1e12);
        let spoilt = of(&column);
        assert!(spoilt.limit < 1e6 && (500.0..600.0).contains(&spoilt.middle.value));
    }

    #[test]
    fn columns_of_rare_values_have_no_limit() {
        let mut column = vec![0.0; 1000];
        column[5] = 255.0;
        assert_eq!(
            of(&column),
            Ordinary {
                middle: Exact::default(),
                limit: f64::INFINITY,
                unit: 128.0
            }
        );
        assert_eq!(of(&[7.0; 9]).unit, 4.0);
        assert_eq!((of(&[]).unit, of(&[0.0; 3]).unit), (1.0, 1.0));
        assert_eq!(of(&[0.0, 1e-300]).unit, power_of_two_below(1e-300));
    }

    #[test]
    fn rows_with_nan_are_not_sampled() {
        let x =
            ndarray::Array2::from_shape_fn(
                (5000, 1),
                |(i, _)| {
                    if i < 4990 { f64::NAN } else { i as f64 }
                },
            );
        let mut sampled = sampled_rows(&x.view());
        sampled.sort_unstable();
        assert!(sampled.iter().eq(&(4990..5000).collect::<Vec<_>>()));
        let all = ndarray::Array2::from_elem((3, 1), f64::NAN);
        assert!(sampled_rows(&all.view()).is_empty());
    }
}
