//! Facts of the input's columns and rows, from one pass.

use std::ops::Range;

use xxhash_rust::xxh3::xxh3_64;

use crate::kernels::columns::ColumnSums;
use crate::options::Scale;
use crate::prepare::source::{RowSource, rows_at_a_time};
use crate::run::error::Result;
use crate::run::monitor::Monitor;
use crate::run::parallel::{blocks, map_blocks};

/// Tasks of a pass at most: a constant, as results must not depend on the number of threads.
const TASKS: usize = 64;
/// Ranges this many times apart are different scales.
const SCALE_RATIO: f64 = 10.0;
/// Column whose range stands for the narrow ones.
const NARROW: f64 = 0.05;

/// Facts of the columns and rows.
pub struct Statistics {
    /// Rows with NaN or infinity, ascending.
    pub bad: Vec<u32>,
    /// Distinct rows among the others.
    pub n_distinct: usize,
    /// Mean of each column over the others, (d,).
    pub mean: Vec<f64>,
    /// Standard deviation of each column, (d,).
    pub std: Vec<f64>,
    /// Least difference from the input's first row in each column, (d,).
    pub min: Vec<f32>,
    /// Greatest difference from the input's first row in each column, (d,).
    pub max: Vec<f32>,
}

/// [`Statistics`] of some rows, as differences from the first row of the input.
struct Part {
    bad: Vec<u32>,
    hashes: Vec<u64>,
    columns: ColumnSums,
}

impl Statistics {
    /// Reads all rows of `source`, (n, d). O(n d).
    ///
    /// `monitor` advances by n.
    ///
    /// # Errors
    /// [`crate::Error::Interrupted`].
    pub fn of(source: &dyn RowSource, monitor: &Monitor) -> Result<Self> {
        let (n, d) = (source.n_rows(), source.n_cols());
        // Differences from one row keep the sums of squares small where offsets are large.
        let mut first = vec![0.0_f32; d];
        source.read(0..1, &vec![0.0; d], &vec![1.0; d], &mut first);
        let offset: Vec<f64> = first
            .iter()
            .map(|x| if x.is_finite() { f64::from(*x) } else { 0.0 })
            .collect();
        let parts = map_blocks(n, n.div_ceil(TASKS), |rows| {
            part(source, rows, &offset, monitor)
        })?;
        let mut total = Part::empty(d);
        for part in parts {
            total.add(part);
        }
        let kept = total.hashes.len() as f64;
        let mean = total.columns.sum.iter().map(|s| s / kept.max(1.0));
        let std = mean
            .clone()
            .zip(&total.columns.squares)
            .map(|(m, s)| (s / kept.max(1.0) - m * m).max(0.0).sqrt());
        total.hashes.sort_unstable();
        total.hashes.dedup();
        Ok(Self {
            n_distinct: total.hashes.len(),
            std: std.collect(),
            mean: mean.zip(&offset).map(|(m, o)| m + o).collect(),
            bad: total.bad,
            min: total.columns.min,
            max: total.columns.max,
        })
    }

    /// Whether each column has more than one value, (d,).
    pub fn varies(&self) -> impl Iterator<Item = bool> {
        self.min.iter().zip(&self.max).map(|(a, b)| a != b)
    }

    /// The scaling that `wanted` means here.
    pub fn scale(&self, wanted: Scale) -> Scale {
        if wanted != Scale::Auto {
            return wanted;
        }
        let pairs = self.max.iter().zip(&self.min);
        let ranges = pairs.map(|(a, b)| f64::from(*a) - f64::from(*b));
        let mut ranges: Vec<f64> = ranges.filter(|r| *r > 0.0).collect();
        ranges.sort_unstable_by(f64::total_cmp);
        let narrow = (NARROW * ranges.len() as f64) as usize;
        match (ranges.get(narrow), ranges.last()) {
            (Some(narrow), Some(widest)) if *widest > SCALE_RATIO * narrow => Scale::Standard,
            _ => Scale::None,
        }
    }
}

impl Part {
    fn empty(d: usize) -> Self {
        Self {
            bad: Vec::new(),
            hashes: Vec::new(),
            columns: ColumnSums::new(d),
        }
    }

    fn add(&mut self, other: Self) {
        self.bad.extend(other.bad);
        self.hashes.extend(other.hashes);
        self.columns.add(&other.columns);
    }
}

fn part(
    source: &dyn RowSource,
    rows: Range<usize>,
    offset: &[f64],
    monitor: &Monitor,
) -> Result<Part> {
    let d = source.n_cols();
    let (mut part, one) = (Part::empty(d), vec![1.0; d]);
    let mut buffer = vec![0.0; rows_at_a_time(d) * d];
    for at in blocks(rows.len(), rows_at_a_time(d)) {
        let buffer = &mut buffer[..at.len() * d];
        source.read(
            rows.start + at.start..rows.start + at.end,
            offset,
            &one,
            buffer,
        );
        // Makes -0.0 and 0.0 one value.
        buffer.iter_mut().for_each(|x| *x += 0.0);
        for (k, row) in buffer.chunks_exact(d).enumerate() {
            if row.iter().all(|x| x.is_finite()) {
                part.columns.add_row(row);
                part.hashes.push(xxh3_64(bytemuck::cast_slice(row)));
            } else {
                part.bad.push((rows.start + at.start + k) as u32);
            }
        }
        monitor.advance(at.len())?;
    }
    Ok(part)
}
