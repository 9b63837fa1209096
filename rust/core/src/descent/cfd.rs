//! Characteristic functions and the phase-decoupled distance between two of them.
//!
//! `φ(ω) = E exp(i ω·x)` (Cui et al. 2025, Eq. 6). The plain distance at one frequency is
//! `|φ_X - φ_Y|^2` (Eq. 7); the phase-decoupled one (PD-CFD, Eq. 8 to 11) adds
//! `λ_φ(ω) wrap(θ_X - θ_Y)^2` with `λ_φ = λ_p / (1 + α r^2)`.
//!
//! Two departures. The attenuation uses the radius `r = |ω|/√p` instead of |ω|, so that it means
//! the same in any dimension. And the phase term is damped by `A^2/(A^2 + 1/m)` in both amplitudes
//! A: the phase of a sum of m unit vectors whose mean has length 1/√m or less is noise, and its
//! gradient has no bound.
//!
//! Phases, sines and sums are formed block by block; the (n, q) phase matrix never exists.

use crate::arrays::matrix::MatrixView;
use crate::kernels::product::{matmul_nn, matmul_nt};
use crate::kernels::sincos::{add_sincos, phase_derivative};
use crate::run::error::{Result, check_len};
use crate::run::parallel::{blocks, fill_and_sum_blocks, fill_two_blocks, sum_blocks};

/// Rows and frequencies of one tile of phases: 128 KiB, which stays in the second-level cache.
const ROWS: usize = 128;
const FREQS: usize = 256;

/// Attenuation α of the phase term with the squared radius.
const ATTENUATION: f64 = 1.2;

/// Values of a characteristic function at q frequencies.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CharacteristicFunction {
    /// Means of cos(ω·x), (q,).
    pub re: Vec<f64>,
    /// Means of sin(ω·x), (q,).
    pub im: Vec<f64>,
}

impl CharacteristicFunction {
    /// The values at the frequencies `index`.
    #[must_use]
    pub fn gather(&self, index: &[u32]) -> Self {
        let pick = |v: &[f64]| index.iter().map(|&k| v[k as usize]).collect();
        Self {
            re: pick(&self.re),
            im: pick(&self.im),
        }
    }

    /// `|φ - other|^2` at each frequency, (q,).
    pub fn squared_differences<'a>(&'a self, other: &'a Self) -> impl Iterator<Item = f64> + 'a {
        let re = self.re.iter().zip(&other.re);
        let im = self.im.iter().zip(&other.im);
        re.zip(im)
            .map(|((a, b), (c, d))| (a - b).powi(2) + (c - d).powi(2))
    }

    /// Mean of `|φ - other|^2` over the frequencies; 0 without any.
    ///
    /// ```
    /// use fast_select_core::descent::cfd::CharacteristicFunction;
    ///
    /// // |1 - i|^2 = 2 at the first frequency, 0 at the second.
    /// let a = CharacteristicFunction { re: vec![1.0, 0.5], im: vec![0.0, 0.0] };
    /// let b = CharacteristicFunction { re: vec![0.0, 0.5], im: vec![1.0, 0.0] };
    /// assert_eq!(a.distance(&b), 1.0);
    /// assert_eq!(a.gather(&[0]).distance(&b.gather(&[0])), 2.0);
    /// ```
    #[must_use]
    pub fn distance(&self, other: &Self) -> f64 {
        self.squared_differences(other).sum::<f64>() / (self.re.len().max(1) as f64)
    }
}

/// The characteristic function of the rows of `x`, (n, p), at `freqs`, (q, p). O(n q p).
///
/// Sums of 128 rows are f32, everything above is f64. Calls `tick(rows)` as rows are done.
///
/// ```
/// use fast_select_core::arrays::matrix::Matrix;
/// use fast_select_core::descent::cfd::characteristic_function;
///
/// // Of the rows ±π/2: φ(1) = cos(π/2) = 0 and φ(2) = cos(π) = -1.
/// let half_pi = std::f32::consts::FRAC_PI_2;
/// let x = Matrix::from_vec(vec![half_pi, -half_pi], 2, 1)?;
/// let freqs = Matrix::from_vec(vec![1.0, 2.0], 2, 1)?;
/// let cf = characteristic_function(x.view(), freqs.view(), |_| Ok(()))?;
/// assert!(cf.re[0].abs() < 1e-6 && (cf.re[1] + 1.0).abs() < 1e-6);
/// # Ok::<(), fast_select_core::Error>(())
/// ```
///
/// # Errors
/// [`crate::Error::Refused`] for frequencies of other columns, and what `tick` returns.
pub fn characteristic_function(
    x: MatrixView<'_>,
    freqs: MatrixView<'_>,
    tick: impl Fn(usize) -> Result<()> + Sync,
) -> Result<CharacteristicFunction> {
    check_len("columns of the frequencies", freqs.cols(), x.cols())?;
    let q = freqs.rows();
    let mut sums = sum_blocks(x.rows(), ROWS, 2 * q, |rows, sum| {
        let part = x.rows_range(rows.clone());
        let mut phases = vec![0.0; rows.len() * FREQS.min(q)];
        for at in blocks(q, FREQS) {
            let phases = &mut phases[..rows.len() * at.len()];
            matmul_nt(phases, part, freqs.rows_range(at.clone()), false);
            let (cos, sin) = sum.split_at_mut(q);
            add_column_sums(phases, &mut cos[at.clone()], &mut sin[at]);
        }
        tick(rows.len())
    })?;
    let scale = 1.0 / x.rows().max(1) as f64;
    sums.iter_mut().for_each(|s| *s *= scale);
    let im = sums.split_off(q);
    Ok(CharacteristicFunction { re: sums, im })
}

/// Adds the column sums of the cosines and sines of `phases`, (rows, q), to `cos` and `sin`.
fn add_column_sums(phases: &[f32], cos: &mut [f64], sin: &mut [f64]) {
    let (mut c, mut s) = ([0.0_f32; FREQS], [0.0_f32; FREQS]);
    let (c, s) = (&mut c[..cos.len()], &mut s[..sin.len()]);
    add_sincos(phases, c, s);
    cos.iter_mut().zip(c).for_each(|(t, x)| *t += f64::from(*x));
    sin.iter_mut().zip(s).for_each(|(t, x)| *t += f64::from(*x));
}

/// Weight of the phase term at radius r: `λ_p / (1 + α r^2)` (Eq. 10).
///
/// ```
/// use fast_select_core::descent::cfd::phase_weight;
///
/// // α is 1.2.
/// assert_eq!(phase_weight(0.5, 0.0), 0.5);
/// assert!((phase_weight(0.5, 1.0) - 0.5 / 2.2).abs() < 1e-12);
/// ```
#[must_use]
pub fn phase_weight(lambda_phase: f64, radius: f64) -> f64 {
    lambda_phase / (1.0 + ATTENUATION * radius * radius)
}

/// An angle brought into [-π, π].
fn wrap(angle: f64) -> f64 {
    angle.sin().atan2(angle.cos())
}

/// PD-CFD at one frequency and its derivatives by the real and imaginary part of φ_Y.
///
/// `floor` is the squared amplitude below which a phase is noise, 1/m.
///
/// ```
/// use fast_select_core::descent::cfd::pd_cfd;
/// use std::f64::consts::PI;
///
/// // From 1 to i: |i - 1|^2 = 2, and a quarter turn.
/// assert_eq!(pd_cfd((1.0, 0.0), (0.0, 1.0), 0.0, 0.5), (2.0, -2.0, 2.0));
/// let (value, by_re, by_im) = pd_cfd((1.0, 0.0), (0.0, 1.0), 1.0, 0.0);
/// assert!((value - (2.0 + PI * PI / 4.0)).abs() < 1e-12);
/// assert!((by_re - (-2.0 - PI)).abs() < 1e-12 && (by_im - 2.0).abs() < 1e-12);
/// ```
#[must_use]
pub fn pd_cfd(x: (f64, f64), y: (f64, f64), weight: f64, floor: f64) -> (f64, f64, f64) {
    let (da, db) = (y.0 - x.0, y.1 - x.1);
    let (ax, ay) = (x.0 * x.0 + x.1 * x.1, y.0 * y.0 + y.1 * y.1);
    let trust_x = weight * ax / (ax + floor);
    let trust_y = ay / (ay + floor);
    let turn = wrap(y.1.atan2(y.0) - x.1.atan2(x.0));
    let value = da * da + db * db + trust_x * trust_y * turn * turn;
    // d trust_y = 2 floor/(A^2+floor)^2 (a da + b db); d turn = (a db - b da)/A^2, whose 1/A^2
    // cancels against trust_y.
    let radial = 2.0 * floor / (ay + floor).powi(2) * turn * turn;
    let tangential = 2.0 * turn / (ay + floor);
    let by_re = 2.0 * da + trust_x * (radial * y.0 - tangential * y.1);
    let by_im = 2.0 * db + trust_x * (radial * y.1 + tangential * y.0);
    (value, by_re, by_im)
}

/// The frequencies of one step, the values to reach there and the weights of their phase terms.
#[derive(Debug, Clone, Copy)]
pub struct Batch<'a> {
    /// Frequencies, (q, p).
    pub freqs: MatrixView<'a>,
    /// φ_X at them, (q,).
    pub target: &'a CharacteristicFunction,
    /// λ_φ at them, (q,).
    pub phase_weights: &'a [f64],
}

/// Mean PD-CFD of `y`, (m, p), over a batch; `scale` times its gradient goes to `grad`, (m, p).
///
/// Two passes, each one product: phases, whose sums give φ_Y, and the pull-back
/// `∂φ/∂y_i = (-sin ω·y_i, cos ω·y_i) ω / m`. O(m q p); `phases` is scratch of m q entries.
///
/// ```
/// use fast_select_core::arrays::matrix::Matrix;
/// use fast_select_core::descent::cfd::{Batch, CharacteristicFunction, pd_cfd_gradient};
///
/// // One anchor y, to be at π/2: |exp(iy) - i|^2 = 2 - 2 sin y, of slope -2 at y = 0.
/// let (y, freqs) = (Matrix::zeros(1, 1), Matrix::from_vec(vec![1.0], 1, 1)?);
/// let target = CharacteristicFunction { re: vec![0.0], im: vec![1.0] };
/// let batch = Batch { freqs: freqs.view(), target: &target, phase_weights: &[0.0] };
/// let mut grad = [0.0];
/// let value = pd_cfd_gradient(y.view(), batch, 1.0, &mut Vec::new(), &mut grad)?;
/// assert!((value - 2.0).abs() < 1e-6 && (grad[0] + 2.0).abs() < 1e-6);
/// # Ok::<(), fast_select_core::Error>(())
/// ```
///
/// # Errors
/// [`crate::Error::Refused`] for arrays of other shapes.
pub fn pd_cfd_gradient(
    y: MatrixView<'_>,
    batch: Batch<'_>,
    scale: f64,
    phases: &mut Vec<f32>,
    grad: &mut [f32],
) -> Result<f64> {
    let (m, p, q) = (y.rows(), y.cols(), batch.freqs.rows());
    check_len("columns of the frequencies", batch.freqs.cols(), p)?;
    check_len("target", batch.target.re.len(), q)?;
    check_len("target", batch.target.im.len(), q)?;
    check_len("phase_weights", batch.phase_weights.len(), q)?;
    check_len("gradient", grad.len(), m * p)?;
    if m == 0 || q == 0 {
        grad.fill(0.0);
        return Ok(0.0);
    }
    phases.resize(m * q, 0.0);
    let sums = fill_and_sum_blocks(phases, q, ROWS, 2 * q, |first, rows, sum| {
        let part = y.rows_range(first..first + rows.len() / q);
        matmul_nt(rows, part, batch.freqs, false);
        let (mut c, mut s) = (vec![0.0; q], vec![0.0; q]);
        add_sincos(rows, &mut c, &mut s);
        for (t, x) in sum.iter_mut().zip(c.iter().chain(&s)) {
            *t += f64::from(*x);
        }
        Ok(())
    })?;
    let (inv_m, inv_q) = (1.0 / m as f64, 1.0 / q as f64);
    let mut value = 0.0;
    let (mut by_cos, mut by_sin) = (vec![0.0_f32; q], vec![0.0_f32; q]);
    for k in 0..q {
        let x = (batch.target.re[k], batch.target.im[k]);
        let at = (sums[k] * inv_m, sums[q + k] * inv_m);
        let (v, by_re, by_im) = pd_cfd(x, at, batch.phase_weights[k], inv_m);
        value += v;
        by_cos[k] = (by_re * inv_m * inv_q * scale) as f32;
        by_sin[k] = (by_im * inv_m * inv_q * scale) as f32;
    }
    pull_back(phases, grad, batch.freqs, &by_cos, &by_sin)?;
    Ok(value * inv_q)
}

/// `grad_i = Σ_k (by_sin_k cos θ_ik - by_cos_k sin θ_ik) ω_k`, from the phases θ, (m, q).
fn pull_back(
    phases: &mut [f32],
    grad: &mut [f32],
    freqs: MatrixView<'_>,
    by_cos: &[f32],
    by_sin: &[f32],
) -> Result<()> {
    let (q, p) = (freqs.rows(), freqs.cols());
    fill_two_blocks((phases, q), (grad, p), ROWS, |phases, grad| {
        phase_derivative(phases, by_cos, by_sin);
        let derivatives = MatrixView::new(phases, phases.len() / q, q)?;
        matmul_nn(grad, derivatives, freqs, false);
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arrays::matrix::Matrix;
    use crate::run::parallel::with_pool;
    use crate::run::rng::test_stream;
    use rand::Rng;

    fn random(rows: usize, cols: usize, block: usize) -> Matrix {
        let mut rng = test_stream(3, 0, block);
        let data = (0..rows * cols).map(|_| rng.random_range(-1.5..1.5));
        Matrix::from_vec(data.collect(), rows, cols).unwrap()
    }

    fn oracle(x: &Matrix, freqs: &Matrix) -> CharacteristicFunction {
        let mut cf = CharacteristicFunction::default();
        for k in 0..freqs.rows() {
            let (mut re, mut im) = (0.0, 0.0);
            for i in 0..x.rows() {
                let pairs = x.row(i).iter().zip(freqs.row(k));
                let phase: f64 = pairs.map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
                re += phase.cos() / x.rows() as f64;
                im += phase.sin() / x.rows() as f64;
            }
            cf.re.push(re);
            cf.im.push(im);
        }
        cf
    }

    #[test]
    fn two_points_by_hand() {
        // x = ±π/2 in one dimension: φ(1) = cos(π/2) = 0, φ(2) = cos(π) = -1.
        let half_pi = std::f32::consts::FRAC_PI_2;
        let x = Matrix::from_vec(vec![half_pi, -half_pi], 2, 1).unwrap();
        let freqs = Matrix::from_vec(vec![1.0, 2.0], 2, 1).unwrap();
        let cf = characteristic_function(x.view(), freqs.view(), |_| Ok(())).unwrap();
        for (got, expected) in cf.re.iter().chain(&cf.im).zip([0.0, -1.0, 0.0, 0.0]) {
            assert!((got - expected).abs() < 1e-6);
        }
    }

    #[test]
    fn matches_direct_sums_at_any_number_of_threads() {
        for (n, q) in [(1, 1), (127, 255), (300, 257), (129, 600)] {
            let (x, freqs) = (random(n, 5, 0), random(q, 5, 1));
            let cf = |threads| {
                with_pool(threads, || {
                    characteristic_function(x.view(), freqs.view(), |_| Ok(()))
                })
                .unwrap()
                .unwrap()
            };
            assert!(cf(1).distance(&oracle(&x, &freqs)) < 1e-13);
            assert_eq!(cf(1), cf(4));
        }
    }

    #[test]
    fn gradient_matches_central_differences() {
        let (x, y, freqs) = (random(40, 3, 0), random(150, 3, 1), random(20, 3, 2));
        let target = oracle(&x, &freqs);
        let weights: Vec<f64> = (0..20).map(|k| phase_weight(0.3, k as f64 / 7.0)).collect();
        let batch = Batch {
            freqs: freqs.view(),
            target: &target,
            phase_weights: &weights,
        };
        let value = |y: &Matrix| -> f64 {
            let cf = oracle(y, &freqs);
            let one = |k: usize| {
                let at = (cf.re[k], cf.im[k]);
                pd_cfd((target.re[k], target.im[k]), at, weights[k], 1.0 / 150.0).0
            };
            (0..20).map(one).sum::<f64>() / 20.0
        };
        // What was there before does not count.
        let mut grad = vec![9.0; 450];
        let got = pd_cfd_gradient(y.view(), batch, 150.0, &mut Vec::new(), &mut grad).unwrap();
        assert!((got - value(&y)).abs() < 1e-6 * got);
        for e in (0..450).step_by(17) {
            let shifted = |step: f32| {
                let mut moved = y.clone();
                moved.as_mut_slice()[e] += step;
                (value(&moved), f64::from(moved.as_slice()[e]))
            };
            let ((up, at_up), (down, at_down)) = (shifted(1e-2), shifted(-1e-2));
            let expected = 150.0 * (up - down) / (at_up - at_down);
            let got = f64::from(grad[e]);
            assert!(
                (got - expected).abs() < 2e-3 * expected.abs() + 2e-5,
                "{got} {expected}"
            );
        }
    }

    #[test]
    fn nothing_to_match_has_no_gradient() {
        let (y, none) = (random(4, 3, 0), random(0, 3, 1));
        let batch = Batch {
            freqs: none.view(),
            target: &CharacteristicFunction::default(),
            phase_weights: &[],
        };
        let mut grad = vec![9.0; 12];
        let got = pd_cfd_gradient(y.view(), batch, 1.0, &mut Vec::new(), &mut grad).unwrap();
        assert_eq!((got, grad), (0.0, vec![0.0; 12]));
    }

    #[test]
    fn derivatives_are_finite_where_amplitudes_vanish() {
        for (x, y) in [
            ((0.0, 0.0), (0.0, 0.0)),
            ((0.5, 0.0), (0.0, 0.0)),
            ((1.0, 0.0), (-1.0, 0.0)),
        ] {
            let (v, a, b) = pd_cfd(x, y, 0.3, 0.01);
            assert!(v.is_finite() && a.is_finite() && b.is_finite());
        }
        assert_eq!(pd_cfd((0.3, 0.4), (0.3, 0.4), 0.3, 0.01).0, 0.0);
    }
}
