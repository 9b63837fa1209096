//! Two further distances between a selection and the whole, which no stage optimises.
//!
//! * MMD^2 (Gretton et al. 2012, Eq. 3, unbiased) with the Gaussian kernel at the median heuristic,
//!   `exp(-|x-y|^2/2)` in units of the median distance, between samples of at most 2,048 rows of
//!   each side; its standard error is that of the two sample means of the witness function. As a
//!   selection is part of the whole, the rows that they share lower the value by up to 2/n.
//! * Sliced Wasserstein distance of order 2 (Bonneel et al. 2015): root mean square, over 64 random
//!   directions and 256 quantiles, of the difference of the projections' quantiles.

use rand_distr::{Distribution, StandardNormal};

use crate::arrays::matrix::{Matrix, MatrixView};
use crate::kernels::product::matmul_nt;
use crate::kernels::squared_distance::{squared_from_products, squared_norms};
use crate::numeric::sample::sample_rows;
use crate::run::error::Result;
use crate::run::monitor::Monitor;
use crate::run::parallel::{map_blocks, map_items};
use crate::run::rng::{Purpose, Streams};

const SAMPLE: usize = 2048;
const DIRECTIONS: usize = 64;
const QUANTILES: usize = 256;
/// Rows of a tile of kernels.
const ROWS: usize = 128;
/// Directions that a task projects on.
const TOGETHER: usize = 4;

/// MMD^2, its standard error, and the sliced Wasserstein distance.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Discrepancy {
    /// Unbiased MMD^2: may be below 0.
    pub mmd2: f64,
    /// Standard error of `mmd2`.
    pub mmd2_se: f64,
    /// Sliced Wasserstein distance, in median distances.
    pub sliced_wasserstein: f64,
}

/// The distances of each of `selections` (rows of `z`, not empty) from all rows of `z`, (n, p),
/// whose median distance is 1. O(selections 2,048^2 p + n log n).
///
/// `monitor` advances by n.
///
/// ```
/// use fast_select_core::arrays::matrix::Matrix;
/// use fast_select_core::quality::discrepancy::discrepancies;
/// use fast_select_core::run::{monitor::Monitor, rng::Streams};
///
/// // Both of two rows against both: k = exp(-1/2) within each side, (1 + k)/2 across, so that
/// // MMD^2 is 2 k - (1 + k).
/// let z = Matrix::from_vec(vec![0.0, 1.0], 2, 1)?;
/// let found = discrepancies(z.view(), &[vec![0, 1]], Streams::new(0), &Monitor::default())?;
/// assert_eq!(found[0].sliced_wasserstein, 0.0);
/// assert!((found[0].mmd2 - ((-0.5_f64).exp() - 1.0)).abs() < 1e-6);
/// # Ok::<(), fast_select_core::Error>(())
/// ```
///
/// # Errors
/// [`crate::Error::Interrupted`].
pub fn discrepancies(
    z: MatrixView<'_>,
    selections: &[Vec<u32>],
    streams: Streams,
    monitor: &Monitor,
) -> Result<Vec<Discrepancy>> {
    let mut rng = streams.stream(Purpose::Samples, 1);
    let mut directions = Matrix::zeros(DIRECTIONS, z.cols());
    for k in 0..DIRECTIONS {
        let row = directions.row_mut(k);
        row.iter_mut()
            .for_each(|v| *v = StandardNormal.sample(&mut rng));
        let norm = row
            .iter()
            .map(|v| v * v)
            .sum::<f32>()
            .sqrt()
            .max(f32::MIN_POSITIVE);
        row.iter_mut().for_each(|v| *v /= norm);
    }
    let whole = quantiles(z, directions.view(), monitor)?;
    let reference = thinned(z, &(0..z.rows() as u32).collect::<Vec<_>>(), streams, 2);
    let within_reference = mean_kernels(reference.view(), reference.view(), true, monitor)?;
    let judged = monitor.in_parts(z.rows(), selections.len());
    map_items(selections, |rows| {
        judged.advance()?;
        let picked = z.gather(rows);
        let gaps = quantiles(picked.view(), directions.view(), monitor)?;
        let squared = gaps
            .iter()
            .zip(&whole)
            .map(|(a, b)| f64::from(a - b).powi(2));
        let count = (DIRECTIONS * QUANTILES) as f64;
        let sliced_wasserstein = (squared.sum::<f64>() / count).sqrt();
        let own = thinned(z, rows, streams, 3);
        let within_own = mean_kernels(own.view(), own.view(), true, monitor)?;
        let across_own = mean_kernels(own.view(), reference.view(), false, monitor)?;
        let across_reference = mean_kernels(reference.view(), own.view(), false, monitor)?;
        let mean = |v: &[f64]| v.iter().sum::<f64>() / v.len() as f64;
        let witness = |within: &[f64], across: &[f64]| -> f64 {
            let values: Vec<f64> = within.iter().zip(across).map(|(w, a)| w - a).collect();
            let center = mean(&values);
            let squares = values.iter().map(|v| (v - center).powi(2)).sum::<f64>();
            squares / (values.len() as f64 - 1.0).max(1.0) / values.len() as f64
        };
        let variance =
            witness(&within_own, &across_own) + witness(&within_reference, &across_reference);
        Ok(Discrepancy {
            mmd2: mean(&within_own) + mean(&within_reference) - 2.0 * mean(&across_own),
            mmd2_se: 2.0 * variance.sqrt(),
            sliced_wasserstein,
        })
    })
}

/// At most [`SAMPLE`] of `rows`.
fn thinned(z: MatrixView<'_>, rows: &[u32], streams: Streams, block: usize) -> Matrix {
    let mut rng = streams.stream(Purpose::Samples, block);
    let kept = sample_rows(rows.len(), SAMPLE, &mut rng);
    z.gather(
        &kept
            .into_iter()
            .map(|i| rows[i as usize])
            .collect::<Vec<_>>(),
    )
}

/// Mean of k(a_i, b_j) over j for each i, (a rows,); `same`: a is b, and j = i is left out (1 for a
/// single row).
fn mean_kernels(
    a: MatrixView<'_>,
    b: MatrixView<'_>,
    same: bool,
    monitor: &Monitor,
) -> Result<Vec<f64>> {
    let (norms_a, norms_b) = (squared_norms(a), squared_norms(b));
    let means = map_blocks(a.rows(), ROWS, |rows| {
        monitor.check()?;
        let mut tile = vec![0.0; rows.len() * b.rows()];
        matmul_nt(&mut tile, a.rows_range(rows.clone()), b, false);
        let mean = |(i, dots): (usize, &mut [f32])| {
            squared_from_products(dots, norms_a[i], &norms_b);
            let sum: f64 = dots.iter().map(|d| f64::from((-0.5 * d).exp())).sum();
            match (same, b.rows()) {
                (true, 1) => 1.0,
                (true, n) => (sum - 1.0) / (n - 1) as f64,
                (false, n) => sum / n as f64,
            }
        };
        let rows = rows.zip(tile.chunks_exact_mut(b.rows()));
        Ok(rows.map(mean).collect::<Vec<_>>())
    })?;
    Ok(means.concat())
}

/// Quantiles of the projections on each direction, (directions, 256), by linear interpolation.
fn quantiles(x: MatrixView<'_>, directions: MatrixView<'_>, monitor: &Monitor) -> Result<Vec<f32>> {
    let parts = map_blocks(directions.rows(), TOGETHER, |at| {
        let mut projections = vec![0.0; at.len() * x.rows()];
        matmul_nt(&mut projections, directions.rows_range(at), x, false);
        let mut out = Vec::new();
        for values in projections.chunks_exact_mut(x.rows()) {
            monitor.check()?;
            values.sort_unstable_by(f32::total_cmp);
            for k in 0..QUANTILES {
                let level = (k as f64 + 0.5) / QUANTILES as f64;
                let at = (level * values.len() as f64 - 0.5).clamp(0.0, values.len() as f64 - 1.0);
                let (low, share) = (at as usize, at.fract() as f32);
                let high = (low + 1).min(values.len() - 1);
                out.push(values[low] + share * (values[high] - values[low]));
            }
        }
        Ok(out)
    })?;
    Ok(parts.concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::rng::test_stream;
    use rand::Rng;

    fn points(n: usize, shift: f32) -> Matrix {
        let mut rng = test_stream(47, n, 0);
        let data = (0..n * 2)
            .map(|_| rng.random_range(-0.6..0.6) + shift)
            .collect();
        Matrix::from_vec(data, n, 2).unwrap()
    }

    #[test]
    fn mmd_by_hand_on_three_rows() {
        // S = {0, 1}, X = {0, 1, 3} on a line.
        let z = Matrix::from_vec(vec![0.0, 1.0, 3.0], 3, 1).unwrap();
        let got = discrepancies(
            z.view(),
            &[vec![0, 1]],
            Streams::new(0),
            &Monitor::default(),
        )
        .unwrap()[0];
        let k = |d: f64| (-0.5 * d * d).exp();
        let within_x = (k(1.0) + k(3.0) + k(2.0)) / 3.0;
        let across = (2.0 + 2.0 * k(1.0) + k(3.0) + k(2.0)) / 6.0;
        assert!((got.mmd2 - (k(1.0) + within_x - 2.0 * across)).abs() < 1e-6);
    }

    #[test]
    fn a_shifted_part_is_far_and_a_random_one_near() {
        let (mut z, far) = (points(1000, 0.0), points(500, 0.5));
        for i in 0..500 {
            z.row_mut(i).copy_from_slice(far.row(i));
        }
        let one_side: Vec<u32> = (0..200).collect();
        let mixed: Vec<u32> = (0..1000).step_by(5).collect();
        let got = discrepancies(
            z.view(),
            &[one_side, mixed],
            Streams::new(0),
            &Monitor::default(),
        )
        .unwrap();
        assert!(got[0].mmd2 > 5.0 * got[0].mmd2_se);
        assert!(got[1].mmd2.abs() < 2.0 * got[1].mmd2_se + 2.0 / 1000.0);
        assert!(got[1].mmd2_se < 0.2 * got[0].mmd2);
        assert!(got[0].sliced_wasserstein > 3.0 * got[1].sliced_wasserstein);
    }

    #[test]
    fn shift_is_the_wasserstein_distance_in_one_dimension() {
        let z = Matrix::from_vec(
            (0..2000).map(|i| (i % 1000) as f32 / 1000.0).collect(),
            2000,
            1,
        );
        let mut z = z.unwrap();
        (0..1000).for_each(|i| z.row_mut(i)[0] += 5.0);
        let upper: Vec<u32> = (0..1000).collect();
        let got =
            discrepancies(z.view(), &[upper], Streams::new(0), &Monitor::default()).unwrap()[0];
        // Quantile u of the mixture of [0, 1] and [5, 6] against that of [5, 6].
        let gap = |u: f64| {
            if u < 0.5 {
                2.0 * u - 5.0 - u
            } else {
                2.0 * u - 1.0 - u
            }
        };
        let squares = (0..10_000).map(|k| gap((f64::from(k) + 0.5) / 10_000.0).powi(2));
        let expected = (squares.sum::<f64>() / 10_000.0).sqrt();
        assert!((got.sliced_wasserstein - expected).abs() < 0.01 * expected);
    }

    #[test]
    fn one_row() {
        let got = discrepancies(
            points(9, 0.0).view(),
            &[vec![4]],
            Streams::new(0),
            &Monitor::default(),
        );
        let got = got.unwrap()[0];
        assert!(got.mmd2.is_finite() && got.mmd2_se.is_finite());
    }
}
