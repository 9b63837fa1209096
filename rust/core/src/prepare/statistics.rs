//! Facts of the input's columns and rows, from one pass.

use std::ops::Range;

use crate::arrays::bytes::{Bytes, Reader, Writer};
use crate::crew::{Crew, Scope, gather};
use crate::kernels::columns::{Affine, ColumnSums};
use crate::kernels::element::Exact;
use crate::options::Scale;
use crate::prepare::ordinary::{Ordinary, ordinary_columns};
use crate::prepare::source::{RowSource, rows_at_a_time};
use crate::prepare::values_hash::hash_of;
use crate::run::error::Result;
use crate::run::monitor::Monitor;
use crate::run::parallel::blocks;

/// Tasks of a pass: as many whatever the number of threads, on which results must not depend; fewer where columns are
/// so many that their sums would take more than [`SUM_BYTES`] times as many bytes.
const TASKS: usize = 64;
const LEAST_TASKS: usize = 4;
const ENTRIES: usize = 1 << 20;
/// Bytes that a task's sums of a column take.
const SUM_BYTES: usize = 32;
/// Ranges this many times apart are different scales.
const SCALE_RATIO: f64 = 10.0;
/// Column whose range stands for the narrow ones.
const NARROW: f64 = 0.05;

/// Tasks of the pass over rows of `d` columns.
pub fn n_tasks(d: usize) -> usize {
    (ENTRIES / d.max(1)).clamp(LEAST_TASKS, TASKS)
}

/// Bytes that the pass over rows of `d` columns takes for its sums.
pub fn sum_bytes(d: usize) -> usize {
    SUM_BYTES * d * n_tasks(d)
}

/// Facts of the columns and rows.
pub struct Statistics {
    /// Rows with NaN or infinity, ascending.
    pub bad: Vec<u32>,
    /// Hash of all entries, NaN among them ([`values_hash()`](crate::prepare::values_hash())).
    pub values_hash: u128,
    /// Distinct rows among the others.
    pub n_distinct: usize,
    /// Median of each column by a sample, (d,).
    pub middle: Vec<Exact>,
    /// Mean of each column over the others, less the median, (d,); this and what follows: of ordinary entries.
    pub mean: Vec<f64>,
    /// Standard deviation of each column, (d,).
    pub std: Vec<f64>,
    /// Greatest less least entry of each column, (d,); 0 where that is within rounding.
    pub range: Vec<f64>,
}

/// [`Statistics`] of some rows, in units of the columns from their middles.
struct Part {
    bad: Vec<u32>,
    /// Of all rows.
    hashes: Vec<u64>,
    columns: ColumnSums,
}

impl Statistics {
    /// Reads all rows of `source`, (n, d), and before some, `sampled`. O(n d).
    ///
    /// `monitor` advances by n.
    ///
    /// # Errors
    /// [`crate::Error::Interrupted`].
    pub fn of(
        source: &dyn RowSource,
        sampled: &[usize],
        crew: Option<&dyn Crew>,
        monitor: &Monitor,
    ) -> Result<Self> {
        let n = source.n_rows();
        let ordinary = ordinary_columns(source, sampled, monitor)?;
        let middle: Vec<Exact> = ordinary.iter().map(|column| column.middle).collect();
        let affine = Affine::new(&middle, ordinary.iter().map(|o| 1.0 / o.unit).collect());
        let limits: Vec<f32> = ordinary.iter().map(|o| (o.limit / o.unit) as f32).collect();
        let bounds: Vec<Range<usize>> = blocks(n, n.div_ceil(n_tasks(source.n_cols()))).collect();
        let task = |i: usize| part(source, bounds[i].clone(), &affine, &limits, monitor);
        let total = |parts: Vec<Part>| {
            let mut total = Part::empty(limits.clone());
            parts.into_iter().for_each(|part| total.add(part));
            Ok(Self::from_total(total, n, &ordinary, source.rounding()))
        };
        let name = (Scope::Input, "statistics");
        gather(crew, name, bounds.len(), monitor, task, total)
    }

    /// What the sums over all `n` rows say.
    fn from_total(mut total: Part, n: usize, ordinary: &[Ordinary], rounding: f64) -> Self {
        let values_hash = hash_of(&total.hashes);
        let mut bad = total.bad.iter().copied().peekable();
        let mut rows = 0..n as u32;
        let mut is_kept = |_: &u64| rows.next().is_some_and(|i| bad.next_if_eq(&i).is_none());
        total.hashes.retain(&mut is_kept);
        total.hashes.sort_unstable();
        let n_kept = total.hashes.len();
        total.hashes.dedup();
        let (sums, d) = (&total.columns, ordinary.len());
        let (mut mean, mut std, mut range) = (vec![0.0; d], vec![0.0; d], vec![0.0; d]);
        for (j, column) in ordinary.iter().enumerate() {
            let counted = (n_kept - sums.beyond[j] as usize).max(1) as f64;
            let own = sums.sum[j] / counted;
            mean[j] = own * column.unit;
            let wide = (f64::from(sums.max[j]) - f64::from(sums.min[j])) * column.unit;
            if wide > rounding * column.middle.value.abs() {
                range[j] = wide;
                std[j] = (sums.squares[j] / counted - own * own).max(0.0).sqrt() * column.unit;
            }
        }
        Self {
            bad: total.bad,
            values_hash,
            n_distinct: total.hashes.len(),
            middle: ordinary.iter().map(|column| column.middle).collect(),
            mean,
            std,
            range,
        }
    }

    /// The scaling that `wanted` means here.
    pub fn scale(&self, wanted: Scale) -> Scale {
        if wanted != Scale::Auto {
            return wanted;
        }
        let mut ranges: Vec<f64> = self.range.iter().copied().filter(|r| *r > 0.0).collect();
        ranges.sort_unstable_by(f64::total_cmp);
        let narrow = (NARROW * ranges.len() as f64) as usize;
        match (ranges.get(narrow), ranges.last()) {
            (Some(narrow), Some(widest)) if *widest > SCALE_RATIO * narrow => Scale::Standard,
            _ => Scale::None,
        }
    }
}

impl Part {
    fn empty(limits: Vec<f32>) -> Self {
        Self {
            bad: Vec::new(),
            hashes: Vec::new(),
            columns: ColumnSums::new(limits),
        }
    }

    fn add(&mut self, other: Self) {
        self.bad.extend(other.bad);
        self.hashes.extend(other.hashes);
        self.columns.add(&other.columns);
    }
}

impl Bytes for Part {
    fn write(&self, to: &mut Writer) {
        let ColumnSums {
            limits,
            sum,
            squares,
            min,
            max,
            beyond,
        } = &self.columns;
        to.list(&self.bad);
        to.list(&self.hashes);
        [limits, min, max]
            .into_iter()
            .for_each(|list| to.list(list));
        [sum, squares].into_iter().for_each(|list| to.list(list));
        to.list(beyond);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self> {
        let (bad, hashes) = (from.list()?, from.list()?);
        let (limits, min, max) = (from.list()?, from.list()?, from.list()?);
        let (sum, squares) = (from.list()?, from.list()?);
        let columns = ColumnSums {
            limits,
            sum,
            squares,
            min,
            max,
            beyond: from.list()?,
        };
        Ok(Self {
            bad,
            hashes,
            columns,
        })
    }
}

impl Bytes for Statistics {
    fn write(&self, to: &mut Writer) {
        to.list(&self.bad);
        to.number(self.values_hash);
        to.number(self.n_distinct as u64);
        let parts = |part: fn(&Exact) -> f64| self.middle.iter().map(part).collect::<Vec<f64>>();
        to.list(&parts(|middle| middle.value));
        to.list(&parts(|middle| middle.rest));
        [&self.mean, &self.std, &self.range]
            .into_iter()
            .for_each(|list| to.list(list));
    }

    fn read(from: &mut Reader<'_>) -> Result<Self> {
        let bad = from.list()?;
        let (values_hash, n_distinct) = (from.number()?, from.number::<u64>()? as usize);
        let (values, rests): (Vec<f64>, Vec<f64>) = (from.list()?, from.list()?);
        let middle = values.into_iter().zip(rests);
        Ok(Self {
            bad,
            values_hash,
            n_distinct,
            middle: middle.map(|(value, rest)| Exact { value, rest }).collect(),
            mean: from.list()?,
            std: from.list()?,
            range: from.list()?,
        })
    }
}

fn part(
    source: &dyn RowSource,
    rows: Range<usize>,
    affine: &Affine,
    limits: &[f32],
    monitor: &Monitor,
) -> Result<Part> {
    let d = source.n_cols();
    let mut part = Part::empty(limits.to_vec());
    let mut buffer = vec![0.0; rows_at_a_time(d).min(rows.len()) * d];
    for at in blocks(rows.len(), rows_at_a_time(d)) {
        let buffer = &mut buffer[..at.len() * d];
        let at = rows.start + at.start..rows.start + at.end;
        source.read(at.clone(), affine, buffer);
        let hashes = source.hashes(at.clone());
        for ((i, hash), row) in at.clone().zip(hashes).zip(buffer.chunks_exact(d)) {
            part.hashes.push(hash.hash);
            if hash.is_finite {
                part.columns.add_row(row);
            } else {
                part.bad.push(i as u32);
            }
        }
        monitor.advance(at.len())?;
    }
    Ok(part)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prepare::ordinary::sampled_rows;
    use crate::run::rng::test_stream;
    use ndarray::Array2;
    use rand::Rng;

    fn of(x: &Array2<f64>) -> Statistics {
        let x = x.view();
        Statistics::of(&x, &sampled_rows(&x), None, &Monitor::default()).unwrap()
    }

    fn points(n: usize) -> Array2<f64> {
        let mut rng = test_stream(43, n, 0);
        Array2::from_shape_simple_fn((n, 3), || rng.random_range(-1.0..1.0))
    }

    /// Means, deviations and ranges of columns by two plain loops.
    fn expected(column: &[f64]) -> (f64, f64, f64) {
        let n = column.len() as f64;
        let mean = column.iter().sum::<f64>() / n;
        let squares: f64 = column.iter().map(|v| (v - mean).powi(2)).sum();
        let (min, max) = column
            .iter()
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| {
                (a.min(*v), b.max(*v))
            });
        (mean, (squares / n).sqrt(), max - min)
    }

    /// `got` is of `x` times `scale`.
    fn assert_matches(x: &Array2<f64>, scale: f64, got: &Statistics, rows: &[usize]) {
        for j in 0..x.ncols() {
            let column: Vec<f64> = rows.iter().map(|&i| x[(i, j)]).collect();
            let (mean, std, range) = expected(&column);
            let own = (got.middle[j].value + got.mean[j]) / scale;
            assert!((own - mean).abs() <= 1e-6 * std, "{own} {mean}");
            assert!((got.std[j] / scale / std - 1.0).abs() < 1e-6);
            assert!((got.range[j] / scale / range - 1.0).abs() < 1e-6);
        }
    }

    #[test]
    fn figures_match_plain_loops_at_any_scale() {
        for scale in [1.0, 1e-300, 1e-46, 1e38, 1e300] {
            let x = points(3000);
            let got = of(&(&x * scale));
            assert_matches(&x, scale, &got, &(0..3000).collect::<Vec<_>>());
            assert_eq!((got.n_distinct, got.bad.len()), (3000, 0));
        }
    }

    #[test]
    fn rows_far_outside_and_bad_ones_set_nothing() {
        let mut x = points(3000);
        x.row_mut(0).fill(f64::NAN);
        x[(0, 1)] = 1e9;
        x.row_mut(7).fill(-1e200);
        let got = of(&x);
        let kept: Vec<usize> = (1..3000).filter(|i| *i != 7).collect();
        assert_matches(&x, 1.0, &got, &kept);
        assert_eq!((got.n_distinct, got.bad), (2999, vec![0]));
    }

    #[test]
    fn a_spread_within_rounding_is_none() {
        let noise = |i: usize| 14.62 + (i % 9) as f64 * 14.62 * f64::EPSILON;
        let wide = |i: usize| 14.62 + (i % 9) as f64 * 1e-9;
        let x = Array2::from_shape_fn((90, 2), |(i, j)| if j == 0 { noise(i) } else { wide(i) });
        let got = of(&x);
        assert_eq!((got.range[0], got.std[0]), (0.0, 0.0));
        assert!((got.range[1] - 8e-9).abs() < 1e-12);
    }
}
