//! Distance from sampled rows to the nearest selected one.

use std::ops::Range;

use rand::seq::index::sample;

use crate::error::Result;
use crate::kernels::rows::min_rows;
use crate::linalg::{MatrixView, matmul_nt, squared_norms};
use crate::monitor::Monitor;
use crate::parallel::{blocks, map_blocks};
use crate::rng::{Purpose, stream};

/// Sampled rows of a task and columns of a tile of distances.
const SAMPLED: usize = 64;
const COLUMNS: usize = 1024;

/// Greatest and mean distance of up to s = `n_sampled` rows of `z`, (n, p), to each of `selections`
/// (ascending rows). O(s (n p + total selected)).
///
/// `monitor` advances by n.
///
/// # Errors
/// [`crate::Error::Interrupted`].
pub fn coverages(
    z: MatrixView<'_>,
    selections: &[Vec<u32>],
    n_sampled: usize,
    seed: u64,
    monitor: &Monitor,
) -> Result<Vec<(f64, f64)>> {
    let mut rng = stream(seed, Purpose::Samples, 0, 0);
    let count = n_sampled.clamp(1, z.rows());
    let mut sampled: Vec<u32> = sample(&mut rng, z.rows(), count)
        .into_iter()
        .map(|i| i as u32)
        .collect();
    sampled.sort_unstable();
    let norms = squared_norms(z);
    let parts = map_blocks(count, SAMPLED, |at| {
        let ids = &sampled[at.clone()];
        let rows = z.gather(ids);
        let mut best = vec![f32::INFINITY; selections.len() * ids.len()];
        let mut tile = vec![0.0; ids.len() * COLUMNS.min(z.rows())];
        for columns in blocks(z.rows(), COLUMNS) {
            monitor.check()?;
            let tile = &mut tile[..ids.len() * columns.len()];
            matmul_nt(tile, z.rows_range(columns.clone()), rows.view(), false);
            for (dots, norm) in tile
                .chunks_exact_mut(ids.len())
                .zip(&norms[columns.clone()])
            {
                dots.iter_mut().for_each(|d| *d = norm - 2.0 * *d);
            }
            for (best, selection) in best.chunks_exact_mut(ids.len()).zip(selections) {
                min_rows(tile, &within(selection, &columns).collect::<Vec<_>>(), best);
            }
        }
        for best in best.chunks_exact_mut(ids.len()) {
            for (b, &i) in best.iter_mut().zip(ids) {
                *b = (*b + norms[i as usize]).max(0.0).sqrt();
            }
        }
        // Sampled rows stand for all: the last block brings the count to n.
        monitor.advance(z.rows() * at.end / count - z.rows() * at.start / count)?;
        Ok(best)
    })?;
    Ok((0..selections.len())
        .map(|s| {
            let distances = parts.iter().flat_map(|part| {
                let len = part.len() / selections.len();
                part[s * len..(s + 1) * len].iter().map(|&d| f64::from(d))
            });
            let (max, sum) = distances.fold((0.0_f64, 0.0), |(m, s), d| (m.max(d), s + d));
            (max, sum / count as f64)
        })
        .collect())
}

/// The part of ascending `rows` that lies in `range`, counted from its start.
pub(crate) fn within(rows: &[u32], range: &Range<usize>) -> impl Iterator<Item = usize> {
    let at = |bound: usize| rows.partition_point(|&i| (i as usize) < bound);
    let start = range.start;
    rows[at(range.start)..at(range.end)]
        .iter()
        .map(move |&i| i as usize - start)
}
