//! The kept rows of the input, centred and scaled, read block by block.

use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use crate::arrays::matrix::Matrix;
use crate::arrays::room::{Room, zeros_in};
use crate::kernels::columns::Affine;
use crate::kernels::product::dot;
use crate::options::Scale;
use crate::prepare::source::{RowSource, rows_at_a_time};
use crate::prepare::statistics::Statistics;
use crate::run::error::Result;
use crate::run::monitor::Monitor;
use crate::run::parallel::fill_blocks;

/// Median distances from the centre beyond which a row is far outside.
const FAR: f32 = 50.0;

/// The kept rows, (n kept, d), centred and scaled; those far outside drawn in.
///
/// A row at distance r from the centre, beyond R = 50 times the median of a sample, is moved towards it to
/// R (2 - R/r), between R and 2 R: order and direction stay, and a few rows take no digits from all others, neither in
/// products nor in principal components. No frequency of the report or the exchange tells such distances apart.
pub struct ScaledRows<'a> {
    source: &'a dyn RowSource,
    rows: &'a [u32],
    affine: Affine,
    /// R, or infinity.
    reach: f32,
    far: Mutex<Vec<usize>>,
    /// Sum over the columns of their variances.
    pub variance: f64,
}

impl<'a> ScaledRows<'a> {
    /// The rows `rows` of `source`, ascending; `sampled`: rows to take the median distance of; `scale`: `None` or
    /// `Standard`.
    pub fn new(
        source: &'a dyn RowSource,
        rows: &'a [u32],
        stats: &Statistics,
        scale: Scale,
        sampled: &[usize],
    ) -> Self {
        let inverse = |std: f64| (1.0 / std).min(f64::MAX);
        let scale: Vec<f64> = match scale {
            Scale::Standard => stats
                .std
                .iter()
                .map(|std| if *std > 0.0 { inverse(*std) } else { 0.0 })
                .collect(),
            Scale::Auto | Scale::None => {
                // One scale for all: brings the data near 1, far from the ends of f32's range.
                let largest = stats.std.iter().copied().fold(0.0, f64::max);
                let one = if largest > 0.0 { inverse(largest) } else { 1.0 };
                let ranges = stats.range.iter();
                ranges
                    .map(|range| if *range > 0.0 { one } else { 0.0 })
                    .collect()
            }
        };
        let pairs = stats.std.iter().zip(&scale);
        let variance = pairs.map(|(s, c)| (s * c).powi(2)).sum();
        let mut affine = Affine::new(&stats.middle, scale);
        affine.shift.copy_from_slice(&stats.mean);
        Self {
            reach: reach(source, &affine, sampled),
            source,
            rows,
            affine,
            far: Mutex::default(),
            variance,
        }
    }

    /// Number of kept rows.
    pub fn n_rows(&self) -> usize {
        self.rows.len()
    }

    /// Number of columns, d.
    pub fn n_cols(&self) -> usize {
        self.source.n_cols()
    }

    /// Rows of a block that fits the second-level cache.
    pub fn block(&self) -> usize {
        rows_at_a_time(self.n_cols())
    }

    /// Writes the kept rows `rows` to `out`, (rows, d). Returns those that are far outside.
    pub fn read(&self, rows: Range<usize>, out: &mut [f32]) -> Vec<usize> {
        let (d, mut far) = (self.n_cols(), Vec::new());
        let mut at = rows.start;
        while at < rows.end {
            // A run of rows without gaps.
            let mut end = at + 1;
            while end < rows.end && self.rows[end] == self.rows[end - 1] + 1 {
                end += 1;
            }
            let from = self.rows[at] as usize;
            let out = &mut out[(at - rows.start) * d..(end - rows.start) * d];
            self.source.read(from..from + end - at, &self.affine, out);
            far.extend(self.draw_in(at, out));
            at = end;
        }
        if !far.is_empty() {
            let mut known = self.far.lock().unwrap_or_else(PoisonError::into_inner);
            known.extend(&far);
        }
        far
    }

    /// Moves those of the kept rows from `first` on that are far outside, in `out`, (rows, d); returns them.
    fn draw_in(&self, first: usize, out: &mut [f32]) -> Vec<usize> {
        let mut far = Vec::new();
        if self.reach == f32::INFINITY {
            return far;
        }
        for (i, row) in out.chunks_exact_mut(self.n_cols()).enumerate() {
            let distance = dot(row, row).sqrt();
            if distance > self.reach {
                let nearer = self.reach / distance * (2.0 - self.reach / distance);
                row.iter_mut().for_each(|x| *x *= nearer);
                far.push(first + i);
            }
        }
        far
    }

    /// Those of the kept rows that lie far outside, of all that were read, ascending.
    pub fn far(&self) -> Vec<usize> {
        let far = self.far.lock().unwrap_or_else(PoisonError::into_inner);
        let mut far = far.clone();
        far.sort_unstable();
        far.dedup();
        far
    }

    /// All of them. `monitor` advances by their number.
    ///
    /// # Errors
    /// [`crate::Error::Interrupted`], or [`crate::Error::Refused`] for too little `room`.
    pub fn all(&self, room: Option<Box<dyn Room>>, monitor: &Monitor) -> Result<Matrix> {
        let d = self.n_cols();
        let mut z = zeros_in(room, self.n_rows(), d)?;
        fill_blocks(z.as_mut_slice(), d, self.block(), |first, out| {
            self.read(first..first + out.len() / d, out);
            monitor.advance(out.len() / d)
        })?;
        Ok(z)
    }
}

/// [`FAR`] times the median distance of the rows `sampled` from the centre; infinity where all are there.
fn reach(source: &dyn RowSource, affine: &Affine, sampled: &[usize]) -> f32 {
    let mut row = vec![0.0; source.n_cols()];
    let distance = |&i: &usize| {
        source.read(i..i + 1, affine, &mut row);
        dot(&row, &row).sqrt()
    };
    let mut distances: Vec<f32> = sampled.iter().map(distance).filter(|d| *d > 0.0).collect();
    if distances.is_empty() {
        return f32::INFINITY;
    }
    let middle = distances.len() / 2;
    FAR * *distances.select_nth_unstable_by(middle, f32::total_cmp).1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prepare::ordinary::sampled_rows;
    use ndarray::Array2;

    fn scaled(x: &Array2<f64>, rows: &[u32], scale: Scale) -> (Matrix, Vec<usize>) {
        let view = x.view();
        let (sampled, monitor) = (sampled_rows(&view), Monitor::default());
        let stats = Statistics::of(&view, &sampled, None, &monitor).unwrap();
        let scaled = ScaledRows::new(&view, rows, &stats, scale, &sampled);
        (scaled.all(None, &monitor).unwrap(), scaled.far())
    }

    fn line(n: usize) -> Array2<f64> {
        Array2::from_shape_fn((n, 2), |(i, j)| {
            if j == 0 {
                i as f64
            } else {
                4.0 * ((i * 7) % n) as f64
            }
        })
    }

    #[test]
    fn kept_rows_are_centred_and_scaled() {
        let (x, rows) = (line(101), [0, 3, 4, 5, 100]);
        let std = (0..101).map(|i| (i as f64 - 50.0).powi(2)).sum::<f64>() / 101.0;
        for (scale, per_column) in [(Scale::Standard, [1.0, 0.25]), (Scale::None, [0.25, 0.25])] {
            let (got, far) = scaled(&x, &rows, scale);
            assert!(far.is_empty());
            for (row, i) in got.as_slice().chunks_exact(2).zip(rows) {
                let expected = [x[(i as usize, 0)] - 50.0, x[(i as usize, 1)] - 200.0];
                for j in 0..2 {
                    let expected = expected[j] * per_column[j] / std.sqrt();
                    assert!((f64::from(row[j]) - expected).abs() < 1e-6);
                }
            }
        }
    }

    #[test]
    fn rows_far_outside_keep_direction_and_order() {
        let mut x = line(1001);
        for (row, factor) in [(17, 1e3), (3, 1e9), (900, 1e250)] {
            x[(row, 0)] = -3.0 * factor * 1000.0;
            x[(row, 1)] = 4.0 * factor * 1000.0;
        }
        let rows: Vec<u32> = (0..1001).collect();
        let (got, far) = scaled(&x, &rows, Scale::None);
        assert_eq!(far, [3, 17, 900]);
        let norm = |i: usize| dot(got.row(i), got.row(i)).sqrt();
        assert!(norm(17) < norm(3) && norm(3) <= norm(900));
        assert!(norm(900) < 2.001 * FAR * norm(500).max(1.5));
        for i in [17, 3] {
            assert!((got.row(i)[1] / got.row(i)[0] + 4.0 / 3.0).abs() < 1e-2);
        }
    }
}
