//! CF distance on frequencies that no selection has seen.

use std::iter;
use std::ops::Range;

use rand_distr::{Distribution, StandardNormal};

use crate::arrays::matrix::{Matrix, MatrixView};
use crate::kernels::product::matmul_nt;
use crate::kernels::rows::{add_rows, add_weighted_rows, add_widened};
use crate::kernels::sincos::sincos;
use crate::quality::distance_to_selection::within;
use crate::run::error::Result;
use crate::run::monitor::Monitor;
use crate::run::parallel::{blocks, sum_blocks};
use crate::run::rng::{Purpose, Streams};

/// Frequencies of `cfd_m`: its mean is over the three [`RADII`] in the middle.
pub const N_UNSEEN: usize = 1024;
/// Further ones for the outer two radii, half of them each.
const N_OUTER: usize = 256;
/// All frequencies, q.
pub const N_FREQS: usize = N_UNSEEN + N_OUTER;
/// Radii at which the distance is told, in units of one over the median distance.
pub const RADII: [f32; 5] = [0.25, 0.5, 1.0, 2.0, 4.0];
/// Rows and frequencies of a tile of phases.
const ROWS: usize = 128;
const FREQS: usize = 256;
/// Selections whose sums are held at a time: each takes 640 KiB.
pub const TOGETHER: usize = 64;

/// A figure at each of [`RADII`].
pub type AtRadius = [f64; RADII.len()];

/// m times the CF distance of a selection of m rows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CfDistance {
    /// Its mean over the radii 1/2, 1 and 2.
    pub cfd_m: f64,
    /// At each radius.
    pub at_radius: AtRadius,
    /// Mean of `|φ_S|` at each radius.
    pub modulus: AtRadius,
}

/// What [`unseen_distances`] finds.
#[derive(Debug, Clone, PartialEq)]
pub struct Unseen {
    /// Of each selection.
    pub distances: Vec<CfDistance>,
    /// Mean of `|φ_X|` at each radius.
    pub modulus: AtRadius,
}

/// Ascending rows, and how much each counts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Picked<'a> {
    /// The rows, (m,).
    pub rows: &'a [u32],
    /// Their weights, (m,), not all 0; `None` where they count alike.
    pub weights: Option<&'a [f64]>,
}

impl<'a> Picked<'a> {
    /// Rows that count alike.
    #[must_use]
    pub fn alike(rows: &'a Vec<u32>) -> Self {
        Self {
            rows,
            weights: None,
        }
    }

    /// Those of a block of rows, counted from its start, and their weights of mean 1 over all m.
    fn within(self, block: &Range<usize>) -> (Vec<usize>, Option<Vec<f32>>) {
        let rows = within(self.rows, block).collect::<Vec<_>>();
        let weights = self.weights.map(|weights| {
            let mean = weights.iter().sum::<f64>() / weights.len() as f64;
            let first = self.rows.partition_point(|&i| (i as usize) < block.start);
            let own = &weights[first..first + rows.len()];
            own.iter().map(|w| (w / mean) as f32).collect()
        });
        (rows, weights)
    }
}

/// m times the mean of `|φ_S(t) - φ_X(t)|^2` over the frequencies, of each of `selections` (m rows of `z`,
/// (n, p), in each); φ of weighted rows is their weighted mean. O(n q p + total selected q).
///
/// The distance far below the median's scale (radius 4) and far above it (1/4) is told beside the
/// mean, not in it: a selection may have lost there what it gained in the middle.
///
/// `monitor` advances by n for every [`TOGETHER`] of them.
///
/// ```
/// use fast_select_core::arrays::matrix::Matrix;
/// use fast_select_core::quality::unseen::{Picked, Unseen, unseen_distances};
/// use fast_select_core::run::{monitor::Monitor, rng::Streams};
///
/// // |1 - (1 + exp(it))/2|^2 = (1 - cos t)/2, and the mean of cos t is exp(-r^2/2).
/// let z = Matrix::from_vec(vec![0.0, 1.0], 2, 1)?;
/// let selections = [vec![0], vec![0, 1]];
/// let mut picked: Vec<Picked> = selections.iter().map(Picked::alike).collect();
/// picked.push(Picked { rows: &[0, 1], weights: Some(&[7.0, 0.0]) });
/// let Unseen { distances: found, modulus } =
///     unseen_distances(z.view(), &picked, Streams::new(0), &Monitor::default())?;
/// let at = |r: f64| (1.0 - (-0.5 * r * r).exp()) / 2.0;
/// assert!((found[0].cfd_m - (at(0.5) + at(1.0) + at(2.0)) / 3.0).abs() < 0.03);
/// assert!((found[0].at_radius[3] - at(2.0)).abs() < 0.05);
/// assert_eq!(found[1].cfd_m, 0.0);
/// // |φ| of a single row is 1; of both it is that of the whole.
/// assert!((found[0].modulus[0] - 1.0).abs() < 1e-6);
/// assert_eq!(found[1].modulus, modulus);
/// assert!((found[2].cfd_m - 2.0 * found[0].cfd_m).abs() < 1e-6);
/// # Ok::<(), fast_select_core::Error>(())
/// ```
///
/// # Errors
/// [`crate::Error::Interrupted`].
pub fn unseen_distances(
    z: MatrixView<'_>,
    selections: &[Picked<'_>],
    streams: Streams,
    monitor: &Monitor,
) -> Result<Unseen> {
    let mut found = Unseen {
        distances: Vec::with_capacity(selections.len()),
        modulus: [0.0; RADII.len()],
    };
    for together in selections.chunks(TOGETHER) {
        let Unseen { distances, modulus } = cf_distances(z, together, streams, monitor)?;
        found.distances.extend(distances);
        found.modulus = modulus;
    }
    Ok(found)
}

/// Which of [`RADII`] frequency k has.
fn radius_of(k: usize) -> usize {
    match k.checked_sub(N_UNSEEN) {
        None => 1 + k % 3,
        Some(outer) => outer % 2 * (RADII.len() - 1),
    }
}

/// Frequencies `t = r g`, (q, p), g ~ N(0, I).
pub(super) fn unseen_frequencies(p: usize, streams: Streams) -> Matrix {
    // The outer ones have a stream of their own: how many there are leaves `cfd_m` alone.
    let mut rngs = [0, 1].map(|block| streams.stream(Purpose::Unseen, block));
    let mut freqs = Matrix::zeros(N_FREQS, p);
    for k in 0..N_FREQS {
        let (radius, rng) = (RADII[radius_of(k)], &mut rngs[k / N_UNSEEN]);
        for t in freqs.row_mut(k) {
            let g: f32 = StandardNormal.sample(rng);
            *t = radius * g;
        }
    }
    freqs
}

fn cf_distances(
    z: MatrixView<'_>,
    selections: &[Picked<'_>],
    streams: Streams,
    monitor: &Monitor,
) -> Result<Unseen> {
    let q = N_FREQS;
    let freqs = unseen_frequencies(z.cols(), streams);
    // Sums of the whole, then of each selection: q cosines and q sines each.
    let sums = sum_blocks(
        z.rows(),
        ROWS,
        (1 + selections.len()) * 2 * q,
        |rows, sums| {
            let part = z.rows_range(rows.clone());
            let mut buffer = vec![0.0_f32; 3 * rows.len() * FREQS];
            let all: Vec<usize> = (0..rows.len()).collect();
            let picked = selections.iter().map(|of| of.within(&rows));
            let local: Vec<_> = iter::once((all, None)).chain(picked).collect();
            for at in blocks(q, FREQS) {
                let tile = rows.len() * at.len();
                let (phases, rest) = buffer.split_at_mut(tile);
                let (sin, rest) = rest.split_at_mut(tile);
                let cos = &mut rest[..tile];
                matmul_nt(phases, part, freqs.view().rows_range(at.clone()), false);
                sincos(phases, sin, cos);
                let to = local.iter().zip(sums.chunks_exact_mut(2 * q));
                for ((local, weights), sums) in to.filter(|((local, _), _)| !local.is_empty()) {
                    let (to_cos, to_sin) = sums.split_at_mut(q);
                    for (values, sums) in [(&*cos, to_cos), (&*sin, to_sin)] {
                        let mut sum = [0.0_f32; FREQS];
                        match weights {
                            None => add_rows(values, local, &mut sum[..at.len()]),
                            Some(w) => add_weighted_rows(values, local, w, &mut sum[..at.len()]),
                        }
                        add_widened(&sum[..at.len()], &mut sums[at.clone()]);
                    }
                }
            }
            monitor.advance(rows.len())
        },
    )?;
    let (whole, parts) = sums.split_at(2 * q);
    let n = z.rows() as f64;
    let distance = |(part, of): (&[f64], &Picked<'_>)| {
        let m = of.rows.len() as f64;
        let means = part.iter().zip(whole).map(|(s, x)| s / m - x / n);
        let squares: Vec<f64> = means.map(|difference| difference.powi(2)).collect();
        m_times(&squares, m, modulus(part, m))
    };
    Ok(Unseen {
        distances: parts
            .chunks_exact(2 * q)
            .zip(selections)
            .map(distance)
            .collect(),
        modulus: modulus(whole, n),
    })
}

/// From squared differences of q cosine and q sine means, (2 q,), to m times their means.
fn m_times(squares: &[f64], m: f64, modulus: AtRadius) -> CfDistance {
    let (cos, sin) = squares.split_at(N_FREQS);
    let middle = cos[..N_UNSEEN].iter().chain(&sin[..N_UNSEEN]);
    CfDistance {
        cfd_m: middle.sum::<f64>() / N_UNSEEN as f64 * m,
        at_radius: mean_at_radius(|k| cos[k] + sin[k]).map(|mean| mean * m),
        modulus,
    }
}

/// From sums of q cosines and q sines over `count` rows, (2 q,), to the mean of |φ| at each radius.
fn modulus(sums: &[f64], count: f64) -> AtRadius {
    let (cos, sin) = sums.split_at(N_FREQS);
    mean_at_radius(|k| cos[k].hypot(sin[k]) / count)
}

/// Means of what frequency k has over those of each radius.
fn mean_at_radius(of: impl Fn(usize) -> f64) -> AtRadius {
    let (mut sums, mut counts) = ([0.0; RADII.len()], [0.0; RADII.len()]);
    for k in 0..N_FREQS {
        sums[radius_of(k)] += of(k);
        counts[radius_of(k)] += 1.0;
    }
    std::array::from_fn(|radius| sums[radius] / counts[radius])
}
