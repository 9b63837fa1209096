//! Distance from sampled rows to the nearest selected one.

use std::ops::Range;

use crate::arrays::matrix::MatrixView;
use crate::kernels::product::matmul_nt;
use crate::kernels::rows::min_rows;
use crate::kernels::squared_distance::{squared_from_products, squared_norms};
use crate::numeric::sample::sample_rows_ascending;
use crate::run::error::Result;
use crate::run::monitor::Monitor;
use crate::run::parallel::{blocks, map_blocks};
use crate::run::rng::{Purpose, Streams};

/// Sampled rows of a task and columns of a tile of distances.
const SAMPLED: usize = 64;
const COLUMNS: usize = 1024;

/// Distances of sampled rows to the nearest row of a selection.
#[derive(Debug, Clone, PartialEq)]
pub struct Sampled {
    /// Their mean.
    pub mean: f64,
    /// The rows and their distances, which ascend.
    pub ascending: Vec<(u32, f64)>,
}

/// The distances of up to s = `n_sampled` rows of `z`, (n, p), to each of `selections` (ascending
/// rows). O(s (n p + total selected)).
///
/// `monitor` advances by n.
///
/// # Errors
/// [`crate::Error::Interrupted`].
pub fn distances_to_selections(
    z: MatrixView<'_>,
    selections: &[Vec<u32>],
    n_sampled: usize,
    streams: Streams,
    monitor: &Monitor,
) -> Result<Vec<Sampled>> {
    let mut rng = streams.stream(Purpose::Samples, 0);
    let sampled = sample_rows_ascending(z.rows(), n_sampled.max(1), &mut rng);
    let count = sampled.len();
    let norms = squared_norms(z);
    let parts = map_blocks(count, SAMPLED, |at| {
        let ids = &sampled[at.clone()];
        let rows = z.gather(ids);
        let own: Vec<f32> = ids.iter().map(|&i| norms[i as usize]).collect();
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
                squared_from_products(dots, *norm, &own);
            }
            for (best, selection) in best.chunks_exact_mut(ids.len()).zip(selections) {
                min_rows(tile, &within(selection, &columns).collect::<Vec<_>>(), best);
            }
        }
        best.iter_mut().for_each(|b| *b = b.sqrt());
        // Sampled rows stand for all: the last block brings the count to n.
        monitor.advance(z.rows() * at.end / count - z.rows() * at.start / count)?;
        Ok(best)
    })?;
    let of_selection = |s: usize| {
        let distances = parts.iter().flat_map(|part| {
            let len = part.len() / selections.len();
            part[s * len..(s + 1) * len].iter().map(|&d| f64::from(d))
        });
        let mut ascending: Vec<(u32, f64)> = sampled.iter().copied().zip(distances).collect();
        let mean = ascending.iter().map(|(_, d)| d).sum::<f64>() / count as f64;
        ascending.sort_by(|a, b| a.1.total_cmp(&b.1));
        Sampled { mean, ascending }
    };
    Ok((0..selections.len()).map(of_selection).collect())
}

/// The part of ascending `rows` that lies in `range`, counted from its start.
pub(crate) fn within(rows: &[u32], range: &Range<usize>) -> impl Iterator<Item = usize> {
    let at = |bound: usize| rows.partition_point(|&i| (i as usize) < bound);
    let start = range.start;
    rows[at(range.start)..at(range.end)]
        .iter()
        .map(move |&i| i as usize - start)
}
