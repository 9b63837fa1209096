//! Principal components by randomised subspace iteration, streamed.
//!
//! Halko, Martinsson & Tropp 2011, Algorithm 4.4: a random test matrix, two power iterations, then
//! Rayleigh-Ritz on X Q. Each power iteration is one pass, `Σ_blocks X_bᵀ (X_b Q)`; the last pass
//! forms X Q. X is read in blocks of 256 KiB and never held. Memory: 16 (d, r) sums and (n, r) for
//! X Q, in which Z is made.

use std::ops::Range;

use rand_distr::{Distribution, StandardNormal};

use crate::arrays::matrix::{Matrix, MatrixView};
use crate::arrays::room::{Room, zeros_in};
use crate::crew::{Crew, Piece, Scope, share};
use crate::kernels::product::{dot, matmul_nn, matmul_tn};
use crate::numeric::factorise::{orthonormal_columns, symmetric_eigen};
use crate::numeric::signs::{turn_columns, turned};
use crate::prepare::scaled_rows::ScaledRows;
use crate::run::error::Result;
use crate::run::monitor::Monitor;
use crate::run::parallel::{add_in_order, blocks, fill_blocks, sum_blocks};
use crate::run::rng::{Purpose, Streams};

const POWER_ITERATIONS: usize = 2;
pub(crate) const OVERSAMPLES: usize = 16;
/// Partial sums of a power iteration.
pub(crate) const PCA_TASKS: usize = 16;
/// Rows of a block of X Q.
pub(crate) const ROWS: usize = 512;

/// Passes over the rows.
pub(crate) const PASSES: usize = POWER_ITERATIONS + 1;

/// Coordinates in the leading principal components.
pub(crate) struct Reduced {
    /// (n, p0), centred.
    pub z: Matrix,
    /// Share of the variance kept.
    pub explained_variance: f64,
}

/// The `n_dims` leading principal components of `x`, (n, d), d > `n_dims`. O(n d p0).
///
/// `monitor` advances by n times [`PASSES`].
pub(crate) fn reduce(
    x: &ScaledRows<'_>,
    n_dims: usize,
    streams: Streams,
    room: Option<Box<dyn Room>>,
    monitor: &Monitor,
) -> Result<Reduced> {
    let n = x.n_rows();
    let q = leading_subspace(x, n_dims, streams, None, monitor)?;
    let r = q.cols();
    let mut scores = zeros_in(room, n, r)?;
    fill_blocks(scores.as_mut_slice(), r, x.block(), |first, out| {
        let rows = first..first + out.len() / r;
        let _ = scores_of(x, rows.clone(), &q, out)?;
        monitor.advance(rows.len())
    })?;
    let gram = sum_blocks(n, ROWS, r * r, |rows, sum| {
        add_gram(scores.view().rows_range(rows), sum);
        Ok(())
    })?;
    let Rotation { turn, kept } = Rotation::of(&gram, &q, n_dims)?;
    let p0 = turn.cols();
    // In place: together with another matrix of n rows they would take nearly twice the memory.
    fill_blocks(scores.as_mut_slice(), r, ROWS, |_, scores| {
        let count = scores.len() / r;
        let mut z = vec![0.0; count * p0];
        let rows = MatrixView::new(scores, count, r)?;
        matmul_nn(&mut z, rows, turn.view(), false);
        for (row, z) in scores.chunks_exact_mut(r).zip(z.chunks_exact(p0)) {
            row[..p0].copy_from_slice(z);
        }
        Ok(())
    })?;
    let z = scores.first_columns(p0);
    let far = x.far();
    let rows = far.iter().map(|&i| z.row(i));
    let explained_variance = explained(kept, rows, x.variance, n - far.len());
    Ok(Reduced {
        z,
        explained_variance,
    })
}

/// An orthonormal basis, (d, r), of a subspace that holds the `n_dims` leading principal directions of `x`, and some
/// more.
pub(crate) fn leading_subspace(
    x: &ScaledRows<'_>,
    n_dims: usize,
    streams: Streams,
    crew: Option<&dyn Crew>,
    monitor: &Monitor,
) -> Result<Matrix> {
    let d = x.n_cols();
    let mut q = Matrix::zeros(d, (n_dims + OVERSAMPLES).min(d));
    let mut rng = streams.stream(Purpose::Sketch, 0);
    for v in q.as_mut_slice() {
        *v = StandardNormal.sample(&mut rng);
    }
    for iteration in 0..POWER_ITERATIONS {
        let name = format!("sums-{iteration}");
        let product = covariance_times(x, &q, (Scope::Input, &name), crew, monitor)?;
        q = orthonormal_columns(&product);
    }
    Ok(q)
}

/// Coordinates of the rows `rows` in the basis `q`, (d, r), to `out`, (rows, r). Returns those that are far outside.
pub(crate) fn scores_of(
    x: &ScaledRows<'_>,
    rows: Range<usize>,
    q: &Matrix,
    out: &mut [f32],
) -> Result<Vec<usize>> {
    let mut block = vec![0.0; rows.len() * q.rows()];
    let far = x.read(rows.clone(), &mut block);
    let block = MatrixView::new(&block, rows.len(), q.rows())?;
    matmul_nn(out, block, q.view(), false);
    Ok(far)
}

/// Adds `scoresᵀ scores` to `sum`, (r, r).
pub(crate) fn add_gram(scores: MatrixView<'_>, sum: &mut [f64]) {
    let mut product = vec![0.0; sum.len()];
    matmul_tn(&mut product, scores, scores, false);
    sum.iter_mut()
        .zip(product)
        .for_each(|(s, v)| *s += f64::from(v));
}

/// From scores to principal components.
pub(crate) struct Rotation {
    /// (r, p0).
    pub turn: Matrix,
    /// Sum of squares that is kept.
    pub kept: f64,
}

impl Rotation {
    /// From the sums of products of all scores, (r, r), in the basis `q`, (d, r).
    pub fn of(gram: &[f64], q: &Matrix, n_dims: usize) -> Result<Self> {
        let r = q.cols();
        let (values, vectors) = symmetric_eigen(gram, r)?;
        let p0 = n_dims.min(r);
        let mut turn = Matrix::zeros(r, p0);
        for i in 0..r {
            for (j, t) in turn.row_mut(i).iter_mut().enumerate() {
                *t = vectors[i * r + r - 1 - j] as f32;
            }
        }
        fix_signs(q, &mut turn);
        let kept = values.iter().rev().take(p0).map(|v| v.max(0.0)).sum();
        Ok(Self { turn, kept })
    }
}

/// Share of the variance kept, of `n` rows without those that are far outside, `far`: these would be all of it.
pub(crate) fn explained<'a>(
    kept: f64,
    far: impl Iterator<Item = &'a [f32]>,
    variance: f64,
    n: usize,
) -> f64 {
    let kept = kept - far.map(|row| f64::from(dot(row, row))).sum::<f64>();
    let total = variance * n as f64;
    if total > 0.0 {
        (kept / total).clamp(0.0, 1.0)
    } else {
        1.0
    }
}

/// Xᵀ X q, (d, r), in one pass, whose pieces are called `name`.
fn covariance_times(
    x: &ScaledRows<'_>,
    q: &Matrix,
    name: Piece<'_>,
    crew: Option<&dyn Crew>,
    monitor: &Monitor,
) -> Result<Matrix> {
    let (n, d, r) = (x.n_rows(), x.n_cols(), q.cols());
    let bounds: Vec<Range<usize>> = blocks(n, n.div_ceil(PCA_TASKS)).collect();
    let mut parts = share(crew, name, bounds.len(), monitor, |i| {
        let rows = bounds[i].clone();
        let mut sum = Matrix::zeros(d, r);
        let mut block = vec![0.0; x.block() * d];
        for at in blocks(rows.len(), x.block()) {
            let block = &mut block[..at.len() * d];
            x.read(rows.start + at.start..rows.start + at.end, block);
            let block = MatrixView::new(block, at.len(), d)?;
            let mut product = Matrix::zeros(at.len(), r);
            matmul_nn(product.as_mut_slice(), block, q.view(), false);
            matmul_tn(sum.as_mut_slice(), block, product.view(), true);
            monitor.advance(at.len())?;
        }
        Ok(sum)
    })?
    .into_iter();
    let mut total = parts.next().unwrap_or_else(|| Matrix::zeros(d, r));
    add_in_order(total.as_mut_slice(), parts.map(Matrix::into_entries));
    Ok(total)
}

/// Turns each component by its entries in the columns of X.
fn fix_signs(q: &Matrix, turn: &mut Matrix) {
    let mut components = Matrix::zeros(q.rows(), turn.cols());
    matmul_nn(components.as_mut_slice(), q.view(), turn.view(), false);
    turn_columns(turn, &turned(components.view()));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arrays::matrix::random_matrix;
    use crate::options::Scale;
    use crate::prepare::ordinary::sampled_rows;
    use crate::prepare::statistics::Statistics;
    use ndarray::Array2;

    /// `n` rows of `d` columns of which `rank` directions vary, each less than the one before.
    fn low_rank(n: usize, d: usize, rank: usize) -> Array2<f64> {
        let (scores, directions) = (random_matrix(n, rank, 7), random_matrix(rank, d, 11));
        Array2::from_shape_fn((n, d), |(i, j)| {
            let terms = (0..rank).map(|k| {
                f64::from(scores.row(i)[k] * directions.row(k)[j]) * 0.7_f64.powi(k as i32)
            });
            terms.sum()
        })
    }

    fn reduced(x: &Array2<f64>, n_dims: usize) -> Reduced {
        let (view, monitor) = (x.view(), Monitor::default());
        let sampled = sampled_rows(&view);
        let stats = Statistics::of(&view, &sampled, None, &monitor).unwrap();
        let rows: Vec<u32> = (0..x.nrows() as u32).collect();
        let scaled = ScaledRows::new(&view, &rows, &stats, Scale::None, &sampled);
        reduce(&scaled, n_dims, Streams::new(0), None, &monitor).unwrap()
    }

    #[test]
    fn scores_have_the_variances_of_the_covariance() {
        let (n, d, n_dims) = (300, 90, 6);
        let x = low_rank(n, d, 20);
        let got = reduced(&x, n_dims);
        // Its eigenvalues, from the centred columns in f64, in the unit of the widest column.
        let mean = x.mean_axis(ndarray::Axis(0)).unwrap();
        let centred = &x - &mean;
        let covariance = centred.t().dot(&centred) / n as f64;
        let widest = covariance.diag().iter().copied().fold(0.0, f64::max);
        let entries: Vec<f64> = covariance.iter().map(|c| c / widest).collect();
        let (values, _) = symmetric_eigen(&entries, d).unwrap();
        let column = |k: usize| (0..n).map(move |i| (i, k));
        for k in 0..n_dims {
            let square = |(i, k): (usize, usize)| f64::from(got.z.row(i)[k]).powi(2);
            let variance = column(k).map(square).sum::<f64>() / n as f64;
            assert!((variance / values[d - 1 - k] - 1.0).abs() < 1e-3, "{k}");
            for other in 0..k {
                let product =
                    |i: usize| f64::from(got.z.row(i)[k]) * f64::from(got.z.row(i)[other]);
                let covariance = (0..n).map(product).sum::<f64>() / n as f64;
                assert!(covariance.abs() < 1e-4 * values[d - 1]);
            }
        }
        let total: f64 = values.iter().sum();
        let kept: f64 = values[d - n_dims..].iter().sum();
        assert!((got.explained_variance - kept / total).abs() < 1e-4);
    }

    #[test]
    fn rows_far_outside_explain_nothing() {
        let mut x = low_rank(3000, 90, 20);
        let plain = reduced(&x, 6).explained_variance;
        for i in [7, 900] {
            x.row_mut(i).fill(1e12);
        }
        let spoilt = reduced(&x, 7).explained_variance; // one more dimension for these
        assert!(
            plain < 0.99 && (spoilt - plain).abs() < 0.01,
            "{plain} {spoilt}"
        );
    }

    #[test]
    fn distances_stay_where_all_directions_are_kept() {
        let x = low_rank(40, 70, 5);
        let got = reduced(&x, 8);
        assert!(got.explained_variance > 1.0 - 1e-5);
        let ratio = |i: usize, j: usize| {
            let pairs = got.z.row(i).iter().zip(got.z.row(j));
            let there: f64 = pairs.map(|(a, b)| f64::from(a - b).powi(2)).sum();
            let pairs = x.row(i).to_vec().into_iter().zip(x.row(j).to_vec());
            there / pairs.map(|(a, b)| (a - b).powi(2)).sum::<f64>()
        };
        let first = ratio(0, 1);
        for (i, j) in [(2, 3), (10, 39), (5, 20)] {
            assert!((ratio(i, j) / first - 1.0).abs() < 1e-3);
        }
    }
}
