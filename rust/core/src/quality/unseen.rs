//! CF distance on frequencies that no selection has seen.

use rand_distr::{Distribution, StandardNormal};

use crate::arrays::matrix::{Matrix, MatrixView};
use crate::kernels::product::matmul_nt;
use crate::kernels::rows::add_rows;
use crate::kernels::sincos::sincos;
use crate::quality::distance_to_selection::within;
use crate::run::error::Result;
use crate::run::monitor::Monitor;
use crate::run::parallel::{blocks, sum_blocks};
use crate::run::rng::{Purpose, Streams};

/// Unseen frequencies, q.
pub const N_UNSEEN: usize = 1024;
/// Rows and frequencies of a tile of phases.
const ROWS: usize = 128;
const FREQS: usize = 256;
/// Selections whose sums are held at a time: each takes half a MiB.
pub const TOGETHER: usize = 64;
/// Radii of the unseen frequencies.
const UNSEEN_RADII: [f32; 3] = [0.5, 1.0, 2.0];

/// The mean of `|φ_S(t) - φ_X(t)|^2` over the frequencies, of each of `selections` (ascending rows of
/// `z`, (n, p)). O(n q p + total selected q).
///
/// `monitor` advances by n for every [`TOGETHER`] of them.
///
/// ```
/// use fast_select_core::arrays::matrix::Matrix;
/// use fast_select_core::quality::unseen::unseen_distances;
/// use fast_select_core::run::{monitor::Monitor, rng::Streams};
///
/// // |1 - (1 + exp(it))/2|^2 = (1 - cos t)/2, and the mean of cos t is exp(-r^2/2).
/// let z = Matrix::from_vec(vec![0.0, 1.0], 2, 1)?;
/// let selections = [vec![0], vec![0, 1]];
/// let found = unseen_distances(z.view(), &selections, Streams::new(0), &Monitor::default())?;
/// let mean = [0.5, 1.0, 2.0].map(|r: f64| (-0.5 * r * r).exp()).iter().sum::<f64>() / 3.0;
/// assert!((found[0] - (1.0 - mean) / 2.0).abs() < 0.03);
/// assert_eq!(found[1], 0.0);
/// # Ok::<(), fast_select_core::Error>(())
/// ```
///
/// # Errors
/// [`crate::Error::Interrupted`].
pub fn unseen_distances(
    z: MatrixView<'_>,
    selections: &[Vec<u32>],
    streams: Streams,
    monitor: &Monitor,
) -> Result<Vec<f64>> {
    let mut distances = Vec::with_capacity(selections.len());
    for together in selections.chunks(TOGETHER) {
        distances.extend(cf_distances(z, together, streams, monitor)?);
    }
    Ok(distances)
}

/// Frequencies `t = r g`, (q, p), g ~ N(0, I).
pub(super) fn unseen_frequencies(q: usize, p: usize, streams: Streams) -> Matrix {
    let mut rng = streams.stream(Purpose::Unseen, 0);
    let mut freqs = Matrix::zeros(q, p);
    for k in 0..q {
        let radius = UNSEEN_RADII[k % UNSEEN_RADII.len()];
        for t in freqs.row_mut(k) {
            let g: f32 = StandardNormal.sample(&mut rng);
            *t = radius * g;
        }
    }
    freqs
}

fn cf_distances(
    z: MatrixView<'_>,
    selections: &[Vec<u32>],
    streams: Streams,
    monitor: &Monitor,
) -> Result<Vec<f64>> {
    let q = N_UNSEEN;
    let freqs = unseen_frequencies(q, z.cols(), streams);
    // Sums of the whole, then of each selection: q cosines and q sines each.
    let sums = sum_blocks(
        z.rows(),
        ROWS,
        (1 + selections.len()) * 2 * q,
        |rows, sums| {
            let part = z.rows_range(rows.clone());
            let mut buffer = vec![0.0_f32; 3 * rows.len() * FREQS];
            for at in blocks(q, FREQS) {
                let tile = rows.len() * at.len();
                let (phases, rest) = buffer.split_at_mut(tile);
                let (sin, rest) = rest.split_at_mut(tile);
                let cos = &mut rest[..tile];
                matmul_nt(phases, part, freqs.view().rows_range(at.clone()), false);
                sincos(phases, sin, cos);
                let mut add = |of: usize, local: &[usize]| {
                    let (mut c, mut s) = ([0.0_f32; FREQS], [0.0_f32; FREQS]);
                    add_rows(cos, local, &mut c[..at.len()]);
                    add_rows(sin, local, &mut s[..at.len()]);
                    let sums = &mut sums[of * 2 * q..(of + 1) * 2 * q];
                    let (to_cos, to_sin) = sums.split_at_mut(q);
                    let pairs = to_cos[at.clone()].iter_mut().zip(c);
                    pairs.for_each(|(t, x)| *t += f64::from(x));
                    let pairs = to_sin[at.clone()].iter_mut().zip(s);
                    pairs.for_each(|(t, x)| *t += f64::from(x));
                };
                add(0, &(0..rows.len()).collect::<Vec<_>>());
                for (s, selection) in selections.iter().enumerate() {
                    add(1 + s, &within(selection, &rows).collect::<Vec<_>>());
                }
            }
            monitor.advance(rows.len())
        },
    )?;
    let (whole, parts) = sums.split_at(2 * q);
    let n = z.rows() as f64;
    Ok(parts
        .chunks_exact(2 * q)
        .zip(selections)
        .map(|(part, rows)| {
            let m = rows.len() as f64;
            part.iter()
                .zip(whole)
                .map(|(s, x)| (s / m - x / n).powi(2))
                .sum::<f64>()
                / q as f64
        })
        .collect())
}
