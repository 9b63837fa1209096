//! The kept rows of the input, centred and scaled, read block by block.

use std::ops::Range;

use crate::arrays::matrix::Matrix;
use crate::options::Scale;
use crate::prepare::source::{RowSource, rows_at_a_time};
use crate::prepare::statistics::Statistics;
use crate::run::error::Result;
use crate::run::monitor::Monitor;
use crate::run::parallel::fill_blocks;

/// The kept rows, (n kept, d), centred and scaled.
pub struct ScaledRows<'a> {
    source: &'a dyn RowSource,
    rows: &'a [u32],
    offset: Vec<f64>,
    scale: Vec<f64>,
    /// Sum over the columns of their variances.
    pub variance: f64,
}

impl<'a> ScaledRows<'a> {
    /// The rows `rows` of `source`, ascending; `scale`: `None` or `Standard`.
    pub fn new(
        source: &'a dyn RowSource,
        rows: &'a [u32],
        stats: &Statistics,
        scale: Scale,
    ) -> Self {
        let pairs = stats.std.iter().zip(stats.varies());
        let scale: Vec<f64> = match scale {
            Scale::Standard => pairs
                .map(|(s, varies)| if varies && *s > 0.0 { 1.0 / s } else { 0.0 })
                .collect(),
            Scale::Auto | Scale::None => {
                // One scale for all: brings the data near 1, far from the ends of f32's range.
                let largest = stats.std.iter().copied().fold(0.0, f64::max);
                let one = if largest > 0.0 { 1.0 / largest } else { 1.0 };
                stats
                    .varies()
                    .map(|varies| if varies { one } else { 0.0 })
                    .collect()
            }
        };
        let variance = stats
            .std
            .iter()
            .zip(&scale)
            .map(|(s, c)| (s * c).powi(2))
            .sum();
        Self {
            source,
            rows,
            offset: stats.mean.clone(),
            scale,
            variance,
        }
    }

    /// Number of kept rows.
    pub fn n_rows(&self) -> usize {
        self.rows.len()
    }

    /// Number of columns, d.
    pub fn n_cols(&self) -> usize {
        self.offset.len()
    }

    /// Rows of a block that fits the second-level cache.
    pub fn block(&self) -> usize {
        rows_at_a_time(self.n_cols())
    }

    /// Writes the kept rows `rows` to `out`, (rows, d).
    pub fn read(&self, rows: Range<usize>, out: &mut [f32]) {
        let d = self.n_cols();
        let mut at = rows.start;
        while at < rows.end {
            // A run of rows without gaps.
            let mut end = at + 1;
            while end < rows.end && self.rows[end] == self.rows[end - 1] + 1 {
                end += 1;
            }
            let from = self.rows[at] as usize;
            let out = &mut out[(at - rows.start) * d..(end - rows.start) * d];
            self.source
                .read(from..from + end - at, &self.offset, &self.scale, out);
            at = end;
        }
    }

    /// All of them. `monitor` advances by their number.
    ///
    /// # Errors
    /// [`crate::Error::Interrupted`].
    pub fn all(&self, monitor: &Monitor) -> Result<Matrix> {
        let d = self.n_cols();
        let mut z = Matrix::zeros(self.n_rows(), d);
        fill_blocks(z.as_mut_slice(), d, self.block(), |first, out| {
            self.read(first..first + out.len() / d, out);
            monitor.advance(out.len() / d)
        })?;
        Ok(z)
    }
}
