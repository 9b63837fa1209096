//! What holds the blocks of a whole together: its characteristic function from low to middle frequencies.
//!
//! Each block is matched to its own distribution. What is left over there is a bias that blocks may share:
//! it adds up where random errors average out, so that m times the CF distance of the whole grows with m.
//! The residual `R = Σ_{s in S} ψ(s) - M φ_X`, ψ(x) = exp(iω·x) at q frequencies, M picks in all, carries it from
//! block to block: blocks are exchanged one after the other, and each is pulled to undo what those
//! before have left, as in error diffusion. To the score of a block is added
//! `μ |R|^2 / (M a)`, a the value of `|R|^2 / M` for random picks.
//!
//! Ours, after the paper's order from low frequencies to high (PDAS): the bands are its library's (AFL), the high
//! frequencies are the blocks' own matter. Its phase term is left out: it was neutral in the exchange before, and was
//! not tried in this pull.
//!
//! | trial (CF distance over random's, by radius 1/2, 1, 2; 131,072 rows in 32 blocks, 2 %) | |
//! |---|---|
//! | no residual | .12 .34 .55 |
//! | 512 frequencies, μ = 1, 3, 10 | .06 .17 .44, .04 .12 .31, .03 .10 .31 |
//! | 2,048 frequencies, μ = 1, 3, 10 | .06 .16 .43, .04 .09 .28, .03 .07 .24 |
//! | radii of a block in equal shares, then 2,048 and μ = 3 | .04 .09 .33 |

use crate::arrays::matrix::{Matrix, MatrixView};
use crate::kernels::product::{dot, matmul_nt};
use crate::kernels::sincos::sincos;
use crate::run::error::Result;
use crate::run::parallel::sum_blocks;

/// Rows of a tile of features.
const ROWS: usize = 128;
/// Frequencies for every so many picks, within bounds: fewer picks would be fitted to the frequencies drawn, not to the
/// distribution.
const PICKS_PER_FREQUENCY: usize = 5;
const MIN_FREQS: usize = 1024;
const MAX_FREQS: usize = 2048;
/// μ rises from 0 at [`FEW_BLOCKS`] to [`STRENGTH`] at twice as many, in proportion to the picks of a block up to
/// [`PICKS_OF_A_BLOCK`]: where a block has few, each is worth more as itself than as a part, and the pull cost
/// accuracy (letter by class at 1, 2, 5, 10 %, 5 to 46 picks a class: 2.5, 2.1, 1.0, .3 points at the full
/// strength; banking77 with 1 to 7: 1 to 2.6, with 13: none).
const FEW_BLOCKS: f64 = 12.0;
const STRENGTH: f64 = 3.0;
const PICKS_OF_A_BLOCK: f64 = 50.0;
/// From so many blocks on it grows as a power, whatever their picks: what is left of each adds up.
const MANY_BLOCKS: f64 = 100.0;
const GROWTH: f64 = 1.5;

/// Frequencies at which `count` picks are held together.
#[must_use]
pub fn n_freqs(count: usize) -> usize {
    (count / PICKS_PER_FREQUENCY).clamp(MIN_FREQS, MAX_FREQS)
}

/// The weight μ of the residual of `n_blocks` blocks with `count` picks in all.
///
/// ```
/// use fast_select_core::exchange::residual::strength;
///
/// // Ten classes need nothing that holds them together; dozens do where they have many picks.
/// assert_eq!([1, 10, 12].map(|blocks| strength(blocks, 6000)), [0.0; 3]);
/// for (count, expected) in [(60, 0.15), (600, 1.5), (6000, 3.0)] {
///     assert!((strength(24, count) - expected).abs() < 1e-12);
/// }
/// // A thousand classes do with any number.
/// assert!((90.0..95.0).contains(&strength(1000, 10_000)));
/// ```
#[must_use]
pub fn strength(n_blocks: usize, count: usize) -> f64 {
    let (n_blocks, count) = (n_blocks as f64, count as f64);
    let risen = ((n_blocks - FEW_BLOCKS) / FEW_BLOCKS).clamp(0.0, 1.0);
    let filled = (count / n_blocks.max(1.0) / PICKS_OF_A_BLOCK).min(1.0);
    let grown = (n_blocks / MANY_BLOCKS).max(1.0).powf(GROWTH) - 1.0;
    STRENGTH * (risen * filled + grown)
}

/// Frequencies, and the features ψ at them.
#[derive(Debug, Clone)]
pub struct Features {
    /// Frequencies in the unit of the rows, (q, p).
    pub freqs: Matrix,
}

impl Features {
    /// Entries of a row's features: cosines, then sines, 2 q.
    #[must_use]
    pub fn width(&self) -> usize {
        2 * self.freqs.rows()
    }

    /// Those of `rows`, (r, p), written to `out`, (r, 2 q). O(r q p).
    ///
    /// ```
    /// use fast_select_core::arrays::matrix::Matrix;
    /// use fast_select_core::exchange::residual::Features;
    ///
    /// // cos and sin of 0 and π/2.
    /// let features = Features { freqs: Matrix::from_vec(vec![1.0], 1, 1)? };
    /// let rows = Matrix::from_vec(vec![0.0, std::f32::consts::FRAC_PI_2], 2, 1)?;
    /// let mut out = [9.0; 4];
    /// features.of(rows.view(), &mut out);
    /// assert_eq!(out.map(|f| f.abs().round()), [1.0, 0.0, 0.0, 1.0]);
    /// # Ok::<(), fast_select_core::Error>(())
    /// ```
    pub fn of(&self, rows: MatrixView<'_>, out: &mut [f32]) {
        let q = self.freqs.rows();
        let mut phases = vec![0.0; rows.rows() * q];
        matmul_nt(&mut phases, rows, self.freqs.view(), false);
        for (phases, out) in phases.chunks_exact(q).zip(out.chunks_exact_mut(2 * q)) {
            let (cos, sin) = out.split_at_mut(q);
            sincos(phases, sin, cos);
        }
    }

    /// Σ_i w(i) ψ(x_i) over the rows of `x`, (n, p); (2 q,). O(n q p).
    ///
    /// # Errors
    /// What `tick`, called with the rows done, returns.
    pub fn weighted_sum(
        &self,
        x: MatrixView<'_>,
        weight: impl Fn(usize) -> f32 + Sync,
        tick: impl Fn(usize) -> Result<()> + Sync,
    ) -> Result<Vec<f64>> {
        let width = self.width();
        sum_blocks(x.rows(), ROWS, width, |rows, sums| {
            let mut features = vec![0.0; rows.len() * width];
            self.of(x.rows_range(rows.clone()), &mut features);
            let mut part = vec![0.0_f32; width];
            for (row, features) in rows.clone().zip(features.chunks_exact(width)) {
                let weight = weight(row);
                let entries = part.iter_mut().zip(features);
                entries.for_each(|(sum, f)| *sum += weight * f);
            }
            let entries = sums.iter_mut().zip(part);
            entries.for_each(|(sum, f)| *sum += f64::from(f));
            tick(rows.len())
        })
    }
}

/// The residual of the blocks that were exchanged, and its weight.
#[derive(Debug, Clone, PartialEq)]
pub struct Residual {
    /// R, (2 q,).
    pub sums: Vec<f64>,
    /// μ/(M a).
    pub weight: f64,
}

/// What residuals ask of a block.
#[derive(Debug)]
pub struct Pull<'a> {
    /// The features.
    pub features: &'a Features,
    /// Rows of the block in the unit of the frequencies, (n, p).
    pub rows: MatrixView<'a>,
    /// Weighted sum of the residuals as they stand, the block's picks among them, (2 q,).
    pub slope: Vec<f32>,
    /// Sum of their weights.
    pub weight: f64,
}

impl Pull<'_> {
    /// Features of the rows `rows`, written to `out`, (r, 2 q).
    pub fn features_of(&self, rows: &[u32], out: &mut [f32]) {
        self.features.of(self.rows.gather(rows).view(), out);
    }

    /// How the pull changes as a row of features `enters` comes in and one of `leaves` goes.
    ///
    /// ```
    /// use fast_select_core::arrays::matrix::Matrix;
    /// use fast_select_core::exchange::residual::{Features, Pull};
    ///
    /// // |R|^2 from |(1, 0)|^2 to |(1, 0) + (0, 1) - (1, 0)|^2: as much.
    /// let features = Features { freqs: Matrix::zeros(1, 1) };
    /// let rows = Matrix::zeros(1, 1);
    /// let slope = vec![1.0, 0.0];
    /// let mut pull = Pull { features: &features, rows: rows.view(), slope, weight: 1.0 };
    /// let (enters, leaves) = ([0.0, 1.0], [1.0, 0.0]);
    /// assert_eq!(pull.change(&enters, &leaves), 0.0);
    /// pull.take(&enters, &leaves);
    /// assert_eq!(pull.slope, enters);
    /// # Ok::<(), fast_select_core::Error>(())
    /// ```
    #[must_use]
    pub fn change(&self, enters: &[f32], leaves: &[f32]) -> f64 {
        let along = f64::from(dot(enters, &self.slope)) - f64::from(dot(leaves, &self.slope));
        // |ψ|^2 = q for both.
        let squared = enters.len() as f64 - 2.0 * f64::from(dot(enters, leaves));
        2.0 * along + self.weight * squared
    }

    /// Takes in a row of features `enters` for one of `leaves`.
    pub fn take(&mut self, enters: &[f32], leaves: &[f32]) {
        let weight = self.weight as f32;
        for ((a, b), slope) in enters.iter().zip(leaves).zip(&mut self.slope) {
            *slope += weight * (a - b);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arrays::matrix::random_matrix;
    use crate::run::parallel::with_pool;

    #[test]
    fn weighted_sums_match_plain_loops_at_any_number_of_threads() {
        let (x, freqs) = (random_matrix(300, 3, 41), random_matrix(7, 3, 43));
        let features = Features { freqs };
        let weight = |i: usize| (i % 5) as f32 - 1.0;
        let run = |threads| {
            with_pool(threads, || {
                features.weighted_sum(x.view(), weight, |_| Ok(()))
            })
            .unwrap()
            .unwrap()
        };
        let got = run(1);
        assert_eq!(got, run(3));
        for k in 0..7 {
            let (mut cos, mut sin) = (0.0, 0.0);
            for i in 0..300 {
                let pairs = x.row(i).iter().zip(features.freqs.row(k));
                let phase: f64 = pairs.map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
                cos += f64::from(weight(i)) * phase.cos();
                sin += f64::from(weight(i)) * phase.sin();
            }
            assert!((got[k] - cos).abs() < 1e-3 && (got[7 + k] - sin).abs() < 1e-3);
        }
    }

    #[test]
    fn a_swap_changes_the_pull_by_what_the_squares_differ() {
        let weight = 0.3;
        let r: Vec<f32> = (0..8).map(|k| (k * 5 % 7) as f32 / 3.0 - 1.0).collect();
        let row = |from: usize| -> Vec<f32> {
            let phases = || (0..4).map(move |k| ((k * 5 + from) % 7) as f32);
            phases()
                .map(f32::cos)
                .chain(phases().map(f32::sin))
                .collect()
        };
        let (enters, leaves) = (row(2), row(5));
        let features = Features {
            freqs: Matrix::zeros(4, 1),
        };
        let rows = Matrix::zeros(1, 1);
        let pull = Pull {
            features: &features,
            rows: rows.view(),
            slope: r.iter().map(|r| weight * r).collect(),
            weight: f64::from(weight),
        };
        let square = |shift: f32| -> f64 {
            let moved = r.iter().zip(enters.iter().zip(&leaves));
            moved
                .map(|(r, (a, b))| f64::from(r + shift * (a - b)).powi(2))
                .sum()
        };
        let expected = f64::from(weight) * (square(1.0) - square(0.0));
        assert!((pull.change(&enters, &leaves) - expected).abs() < 1e-5);
    }
}
