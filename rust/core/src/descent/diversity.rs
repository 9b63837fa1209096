//! Diversity of the anchors: a determinantal point process seen through random Fourier features.
//!
//! `L_div = -logdet(ΨΨᵀ + δI_m)` (Cui et al. 2025, Sec. 3; Kulesza & Taskar 2012), where row i of Ψ,
//! (m, r), holds cosines and sines of r/2 random frequencies at y_i, so that ΨΨᵀ approximates a
//! Gaussian kernel (Rahimi & Recht 2007). Only the r x r form is ever made:
//! `logdet(ΨΨᵀ + δI_m) = (m - r) log δ + logdet(ΨᵀΨ + δI_r)`, gradient `-2 Ψ (ΨᵀΨ + δI_r)^-1`.

use rand_distr::{Distribution, StandardNormal};

use crate::arrays::matrix::{Matrix, MatrixView};
use crate::kernels::product::{matmul_nn, matmul_nt, matmul_tn};
use crate::kernels::sincos::sincos;
use crate::numeric::factorise::spd_inverse_logdet;
use crate::run::error::{Result, check_len};
use crate::run::parallel::{fill_blocks, sum_blocks};
use crate::run::rng::{Purpose, Streams};

/// Random frequencies; the feature map has twice as many entries.
const FREQS: usize = 32;
/// Rows of a block.
const ROWS: usize = 128;

/// A random feature map and the regulariser δ.
///
/// ```
/// use fast_select_core::arrays::matrix::Matrix;
/// use fast_select_core::descent::diversity::Diversity;
/// use fast_select_core::run::rng::Streams;
///
/// // With δ = 1, as rows of Ψ have norm 1: -ln 2 of one anchor; of two at one place -ln(2·2 - 1),
/// // and less, towards -ln(2·2), of two that are apart.
/// let diversity = Diversity::new(1, 0.5, 1.0, Streams::new(0));
/// let value = |y: Vec<f32>| {
///     let (m, mut grad) = (y.len(), vec![0.0; y.len()]);
///     diversity.gradient(Matrix::from_vec(y, m, 1)?.view(), 1.0, &mut grad)
/// };
/// assert!((value(vec![0.3])? + 2.0_f64.ln()).abs() < 1e-5);
/// assert!((value(vec![0.3, 0.3])? + 3.0_f64.ln()).abs() < 1e-5);
/// assert!((-(4.0_f64.ln())..-(3.0_f64.ln())).contains(&value(vec![0.3, 1.3])?));
/// # Ok::<(), fast_select_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Diversity {
    freqs: Matrix,
    delta: f64,
}

impl Diversity {
    /// A map for rows of length p and a Gaussian kernel of length scale `length`, in the unit of
    /// the rows.
    #[must_use]
    pub fn new(p: usize, length: f32, delta: f64, streams: Streams) -> Self {
        let mut rng = streams.stream(Purpose::Diversity, 0);
        let mut freqs = Matrix::zeros(FREQS, p);
        for t in freqs.as_mut_slice() {
            let g: f32 = StandardNormal.sample(&mut rng);
            *t = g / length;
        }
        Self { freqs, delta }
    }

    /// Ψ of some rows: r entries a row, cosines first, each row of unit norm.
    #[must_use]
    pub fn features(&self, y: MatrixView<'_>) -> Matrix {
        let scale = (1.0 / FREQS as f32).sqrt();
        let mut phases = vec![0.0; y.rows() * FREQS];
        matmul_nt(&mut phases, y, self.freqs.view(), false);
        let mut psi = Matrix::zeros(y.rows(), 2 * FREQS);
        for (i, phases) in phases.chunks_exact(FREQS).enumerate() {
            let (cos, sin) = psi.row_mut(i).split_at_mut(FREQS);
            sincos(phases, sin, cos);
        }
        psi.as_mut_slice().iter_mut().for_each(|v| *v *= scale);
        psi
    }

    /// L_div of `y`, (m, p); `scale` times its gradient is added to `grad`, (m, p).
    /// O(m r (p + r) + r^3).
    ///
    /// # Errors
    /// [`crate::Error::Refused`] for arrays of other shapes; [`crate::Error::Failed`] where y is not finite.
    pub fn gradient(&self, y: MatrixView<'_>, scale: f64, grad: &mut [f32]) -> Result<f64> {
        let (m, p, r) = (y.rows(), y.cols(), 2 * FREQS);
        check_len("columns of y", p, self.freqs.cols())?;
        check_len("gradient", grad.len(), m * p)?;
        let mut gram = sum_blocks(m, ROWS, r * r, |rows, sum| {
            let psi = self.features(y.rows_range(rows));
            let mut block = vec![0.0; r * r];
            matmul_tn(&mut block, psi.view(), psi.view(), false);
            sum.iter_mut()
                .zip(block)
                .for_each(|(s, x)| *s += f64::from(x));
            Ok(())
        })?;
        gram.iter_mut()
            .step_by(r + 1)
            .for_each(|d| *d += self.delta);
        let (inverse, logdet) = spd_inverse_logdet(&gram, r)?;
        let inverse: Vec<f32> = inverse.iter().map(|&x| (-2.0 * scale * x) as f32).collect();
        let inverse = MatrixView::new(&inverse, r, r)?;
        fill_blocks(grad, p, ROWS, |first, grad| {
            let psi = self.features(y.rows_range(first..first + grad.len() / p));
            let mut by_psi = Matrix::zeros(psi.rows(), r);
            matmul_nn(by_psi.as_mut_slice(), psi.view(), inverse, false);
            let mut by_phase = Matrix::zeros(psi.rows(), FREQS);
            for i in 0..psi.rows() {
                let (psi, by_psi) = (psi.row(i), by_psi.row(i));
                for (k, out) in by_phase.row_mut(i).iter_mut().enumerate() {
                    *out = psi[k] * by_psi[FREQS + k] - psi[FREQS + k] * by_psi[k];
                }
            }
            matmul_nn(grad, by_phase.view(), self.freqs.view(), true);
            Ok(())
        })?;
        Ok(-((m as f64 - r as f64) * self.delta.ln() + logdet))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numeric::factorise::symmetric_eigen;
    use crate::run::rng::test_stream;
    use rand::Rng;

    fn points(m: usize) -> Matrix {
        let mut rng = test_stream(5, 0, 0);
        let data = (0..m * 3).map(|_| rng.random_range(-1.0..1.0)).collect();
        Matrix::from_vec(data, m, 3).unwrap()
    }

    /// The m x m form, in f64 from the features on.
    fn dense(diversity: &Diversity, y: &Matrix) -> f64 {
        let (m, psi) = (y.rows(), diversity.features(y.view()));
        let mut kernel = vec![0.0; m * m];
        for i in 0..m {
            for j in 0..m {
                let pairs = psi.row(i).iter().zip(psi.row(j));
                kernel[i * m + j] = pairs.map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
            }
            kernel[i * m + i] += diversity.delta;
        }
        let (values, _) = symmetric_eigen(&kernel, m).unwrap();
        -values.iter().map(|v| v.ln()).sum::<f64>()
    }

    #[test]
    fn equals_the_dense_form() {
        let diversity = Diversity::new(3, 0.7, 1e-2, Streams::new(0));
        for m in [1, 5, 64, 200] {
            let y = points(m);
            let got = diversity
                .gradient(y.view(), 1.0, &mut vec![0.0; m * 3])
                .unwrap();
            let expected = dense(&diversity, &y);
            assert!(
                (got - expected).abs() < 1e-3 * expected.abs().max(1.0),
                "{got} {expected}"
            );
        }
    }

    #[test]
    fn gradient_matches_central_differences() {
        let (diversity, y) = (Diversity::new(3, 0.7, 1e-2, Streams::new(0)), points(40));
        let mut grad = vec![0.0; 120];
        diversity.gradient(y.view(), 1.0, &mut grad).unwrap();
        for e in (0..120).step_by(7) {
            let shifted = |step: f32| {
                let mut moved = y.clone();
                moved.as_mut_slice()[e] += step;
                (dense(&diversity, &moved), f64::from(moved.as_slice()[e]))
            };
            let ((up, at_up), (down, at_down)) = (shifted(5e-3), shifted(-5e-3));
            let expected = (up - down) / (at_up - at_down);
            let got = f64::from(grad[e]);
            assert!(
                (got - expected).abs() < 5e-3 * expected.abs() + 5e-3,
                "{got} {expected}"
            );
        }
    }
}
