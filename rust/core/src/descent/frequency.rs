//! Anisotropic frequency library (AFL): three bands of frequencies, shaped to where data and
//! selection differ.
//!
//! In each band a scale vector s, (p,), is fitted by gradient ascent on
//! `E_g |φ_X(t) - φ_Y(t)|^2` with `g ~ N(0, I)` and t made from `s ∘ g` (Cui et al. 2025, Eq. 13);
//! then a third of the q frequencies is drawn with it.
//!
//! Departure: the paper conditions N(0, diag(s^2)) on |t| lying in the band. In 64 to 96 dimensions
//! |t| hardly varies, so almost nothing would lie there. Here the direction is that of `s ∘ g` and
//! the radius r = |t|/√p is uniform in the band: phases `t·(x - y)` have standard deviation
//! `r |x - y|` in any dimension. Rows are expected in units of their median pairwise distance.

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use crate::arrays::matrix::{Matrix, MatrixView};
use crate::descent::cfd::characteristic_function;
use crate::kernels::product::{matmul_nt, matmul_tn};
use crate::kernels::sincos::phase_derivative;
use crate::numeric::sample::sample_rows_ascending;
use crate::run::error::{Error, Result};
use crate::run::monitor::Monitor;
use crate::run::rng::{Purpose, Streams};

/// Edges of the three bands in radians at the median distance: CFs of the whole are near 1, about
/// one half, and near 0 in them.
pub const BAND_EDGES: [f32; 4] = [0.25, 0.75, 1.5, 3.0];
/// Rows of each side that the scales are fitted on, frequencies a step and steps.
const FIT_ROWS: usize = 2048;
const FIT_FREQS: usize = 64;
const FIT_STEPS: usize = 20;
/// Step of the ascent in log s and the range of s: directions are favoured, none is given up.
const FIT_RATE: f32 = 0.05;
const MAX_SCALE: f32 = 4.0;

/// Frequencies and their radii.
#[derive(Debug, Clone)]
pub struct FrequencyLibrary {
    /// Frequencies, (q, p), in ascending bands.
    pub freqs: Matrix,
    /// Radii |ω|/√p, (q,).
    pub radii: Vec<f32>,
}

/// One draw: the direction of `s ∘ g`, the radius and `|s ∘ g|`.
struct Draw {
    freqs: Matrix,
    radii: Vec<f32>,
    gaussians: Matrix,
    norms: Vec<f32>,
}

fn draw(q: usize, scales: &[f32], band: (f32, f32), rng: &mut ChaCha8Rng) -> Draw {
    let p = scales.len();
    let (mut freqs, mut gaussians) = (Matrix::zeros(q, p), Matrix::zeros(q, p));
    let (mut radii, mut norms) = (vec![0.0; q], vec![0.0; q]);
    for k in 0..q {
        radii[k] = rng.random_range(band.0..band.1);
        for g in gaussians.row_mut(k) {
            *g = StandardNormal.sample(rng);
        }
        let row = freqs.row_mut(k);
        for ((t, g), s) in row.iter_mut().zip(gaussians.row(k)).zip(scales) {
            *t = g * s;
        }
        let norm = row.iter().map(|t| t * t).sum::<f32>().sqrt();
        norms[k] = norm.max(f32::MIN_POSITIVE);
        let stretch = radii[k] * (p as f32).sqrt() / norms[k];
        row.iter_mut().for_each(|t| *t *= stretch);
    }
    Draw {
        freqs,
        radii,
        gaussians,
        norms,
    }
}

/// Isotropic frequencies of one band, which must not be empty.
///
/// ```
/// use fast_select_core::descent::frequency::isotropic;
/// use fast_select_core::run::rng::{Purpose, Streams};
///
/// // In four dimensions |ω| is √4 times the radius.
/// let mut rng = Streams::new(0).stream(Purpose::HeldOut, 0);
/// let library = isotropic(3, 4, (1.0, 2.0), &mut rng);
/// for (k, radius) in library.radii.iter().enumerate() {
///     let length = library.freqs.row(k).iter().map(|t| t * t).sum::<f32>().sqrt();
///     assert!((1.0..2.0).contains(radius) && (length - 2.0 * radius).abs() < 1e-5);
/// }
/// ```
#[must_use]
pub fn isotropic(q: usize, p: usize, band: (f32, f32), rng: &mut ChaCha8Rng) -> FrequencyLibrary {
    let Draw { freqs, radii, .. } = draw(q, &vec![1.0; p], band, rng);
    FrequencyLibrary { freqs, radii }
}

/// A library of `n_freqs` frequencies for the rows `x`, (n, p), and the starting set `y`, (m, p).
///
/// Both are sampled to 2,048 rows for the fit. O(q p + steps 2,048 p).
///
/// ```
/// use fast_select_core::arrays::matrix::Matrix;
/// use fast_select_core::descent::frequency::{BAND_EDGES, frequency_library};
/// use fast_select_core::run::{monitor::Monitor, rng::Streams};
///
/// let x = Matrix::from_vec(vec![0.0, 0.5, 1.5], 3, 1)?;
/// let y = x.view().gather(&[0, 1]);
/// let (streams, monitor) = (Streams::new(0), Monitor::default());
/// let library = frequency_library(x.view(), y.view(), 6, streams, &monitor)?;
/// // Two of each band; on a line |ω| is the radius.
/// for (k, radius) in library.radii.iter().enumerate() {
///     assert!((BAND_EDGES[k / 2]..BAND_EDGES[k / 2 + 1]).contains(radius));
///     assert!((library.freqs.row(k)[0].abs() - radius).abs() < 1e-5);
/// }
/// # Ok::<(), fast_select_core::Error>(())
/// ```
///
/// # Errors
/// [`Error::Refused`] where `n_freqs` is below 3; [`Error::Interrupted`].
pub fn frequency_library(
    x: MatrixView<'_>,
    y: MatrixView<'_>,
    n_freqs: usize,
    streams: Streams,
    monitor: &Monitor,
) -> Result<FrequencyLibrary> {
    if n_freqs < 3 {
        let fact = format!("{n_freqs} is not an integer, 3 or more");
        return Err(Error::refused("n_freqs", fact));
    }
    let p = x.cols();
    let mut rng = streams.stream(Purpose::Frequencies, 0);
    let x = subsample(x, &mut rng);
    let y = subsample(y, &mut rng);
    let (mut data, mut radii) = (Vec::with_capacity(n_freqs * p), Vec::new());
    for band in 0..3 {
        let edges = (BAND_EDGES[band], BAND_EDGES[band + 1]);
        let q = n_freqs / 3 + usize::from(band < n_freqs % 3);
        let scales = fitted_scales(x.view(), y.view(), edges, &mut rng, monitor)?;
        let draw = draw(q, &scales, edges, &mut rng);
        data.extend_from_slice(draw.freqs.as_slice());
        radii.extend(draw.radii);
    }
    Ok(FrequencyLibrary {
        freqs: Matrix::from_vec(data, n_freqs, p)?,
        radii,
    })
}

fn subsample(x: MatrixView<'_>, rng: &mut ChaCha8Rng) -> Matrix {
    let rows = sample_rows_ascending(x.rows(), FIT_ROWS, rng);
    x.gather(&rows)
}

/// Gradient ascent on Eq. 13 in log s, by the sign of the gradient (its size is that of a sampling
/// error and says nothing), normalised to a root mean square of 1.
fn fitted_scales(
    x: MatrixView<'_>,
    y: MatrixView<'_>,
    band: (f32, f32),
    rng: &mut ChaCha8Rng,
    monitor: &Monitor,
) -> Result<Vec<f32>> {
    let p = x.cols();
    let mut scales = vec![1.0_f32; p];
    for step in 0..FIT_STEPS {
        monitor.check()?;
        let draw = draw(FIT_FREQS, &scales, band, rng);
        let slopes = scale_gradient(x, y, &draw, &scales)?;
        let largest = slopes.iter().fold(0.0_f64, |a, g| a.max(g.abs()));
        if largest == 0.0 {
            break; // y is x: no band differs anywhere
        }
        let rate = FIT_RATE * (1.0 - step as f32 / FIT_STEPS as f32);
        for (s, g) in scales.iter_mut().zip(&slopes) {
            *s = (*s * (rate * (*g / largest) as f32).exp()).clamp(1.0 / MAX_SCALE, MAX_SCALE);
        }
        let rms = (scales.iter().map(|s| s * s).sum::<f32>() / p as f32).sqrt();
        scales.iter_mut().for_each(|s| *s /= rms);
    }
    Ok(scales)
}

/// d/d(log s) of the mean of |φ_X - φ_Y|^2 over the frequencies drawn, (p,).
fn scale_gradient(
    x: MatrixView<'_>,
    y: MatrixView<'_>,
    draw: &Draw,
    scales: &[f32],
) -> Result<Vec<f64>> {
    let (q, p) = (draw.freqs.rows(), x.cols());
    let cf_x = characteristic_function(x, draw.freqs.view(), |_| Ok(()))?;
    let cf_y = characteristic_function(y, draw.freqs.view(), |_| Ok(()))?;
    let mut by_freq = vec![0.0_f32; q * p];
    for (rows, sign) in [(x, 1.0), (y, -1.0)] {
        let weight = 2.0 * sign / (rows.rows() as f64 * q as f64);
        let coefficients = |a: &[f64], b: &[f64]| -> Vec<f32> {
            let pairs = a.iter().zip(b);
            pairs.map(|(a, b)| ((a - b) * weight) as f32).collect()
        };
        let by_cos = coefficients(&cf_x.re, &cf_y.re);
        let by_sin = coefficients(&cf_x.im, &cf_y.im);
        let mut phases = Matrix::zeros(rows.rows(), q);
        matmul_nt(phases.as_mut_slice(), rows, draw.freqs.view(), false);
        phase_derivative(phases.as_mut_slice(), &by_cos, &by_sin);
        matmul_tn(&mut by_freq, phases.view(), rows, true);
    }
    // t = ρ v/|v| with v = s ∘ g: d/dv = (ρ/|v|) (I - v̂v̂ᵀ) d/dt, then d/d(log s_j) = v_j d/dv_j.
    let mut slopes = vec![0.0_f64; p];
    for k in 0..q {
        let (t, by_t) = (draw.freqs.row(k), &by_freq[k * p..(k + 1) * p]);
        let length = draw.radii[k] * (p as f32).sqrt();
        let along = t.iter().zip(by_t).map(|(a, b)| a * b).sum::<f32>() / (length * length);
        for j in 0..p {
            let by_v = (length / draw.norms[k]) * (by_t[j] - along * t[j]);
            slopes[j] += f64::from(by_v * scales[j] * draw.gaussians.row(k)[j]);
        }
    }
    Ok(slopes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::rng::test_stream;

    fn gaussian(rows: usize, spread: &[f32], block: usize) -> Matrix {
        let mut rng = test_stream(11, 0, block);
        let mut x = Matrix::zeros(rows, spread.len());
        for i in 0..rows {
            for (v, s) in x.row_mut(i).iter_mut().zip(spread) {
                let g: f32 = StandardNormal.sample(&mut rng);
                *v = g * s;
            }
        }
        x
    }

    #[test]
    fn radii_lie_in_their_bands() {
        let (x, y) = (gaussian(300, &[0.5; 7], 0), gaussian(20, &[0.5; 7], 1));
        let library = frequency_library(
            x.view(),
            y.view(),
            100,
            Streams::new(0),
            &Monitor::default(),
        )
        .unwrap();
        assert_eq!((library.freqs.rows(), library.radii.len()), (100, 100));
        for (k, &r) in library.radii.iter().enumerate() {
            let norm = library
                .freqs
                .row(k)
                .iter()
                .map(|t| t * t)
                .sum::<f32>()
                .sqrt();
            assert!((norm / 7.0_f32.sqrt() - r).abs() < 1e-4);
            let band = [34, 67, 100].iter().position(|&end| k < end).unwrap();
            assert!(BAND_EDGES[band] <= r && r <= BAND_EDGES[band + 1]);
        }
    }

    #[test]
    fn scales_grow_where_the_sets_differ() {
        let (x, y) = (
            gaussian(2000, &[0.6, 0.6, 0.6], 0),
            gaussian(2000, &[0.2, 0.6, 0.6], 1),
        );
        let mut rng = test_stream(0, 0, 0);
        let monitor = Monitor::default();
        let s = fitted_scales(x.view(), y.view(), (0.75, 1.5), &mut rng, &monitor).unwrap();
        assert!(s[0] > 1.1 * s[1] && s[0] > 1.1 * s[2], "{s:?}");
    }

    #[test]
    fn scale_gradient_matches_central_differences() {
        let (x, y) = (gaussian(80, &[0.6, 0.3], 0), gaussian(50, &[0.2, 0.6], 1));
        let scales = [0.8_f32, 1.3];
        let value = |scales: &[f32]| {
            let mut rng = test_stream(0, 0, 0);
            let d = draw(16, scales, (0.75, 1.5), &mut rng);
            let cf = |x: &Matrix| characteristic_function(x.view(), d.freqs.view(), |_| Ok(()));
            cf(&x).unwrap().distance(&cf(&y).unwrap())
        };
        let mut rng = test_stream(0, 0, 0);
        let d = draw(16, &scales, (0.75, 1.5), &mut rng);
        let got = scale_gradient(x.view(), y.view(), &d, &scales).unwrap();
        for j in 0..2 {
            let shifted = |step: f32| {
                let mut s = scales;
                s[j] *= step.exp();
                value(&s)
            };
            let expected = (shifted(1e-2) - shifted(-1e-2)) / 2e-2;
            assert!(
                (got[j] - expected).abs() < 1e-3 * expected.abs() + 1e-6,
                "{got:?} {expected}"
            );
        }
    }

    #[test]
    fn equal_sets_keep_unit_scales() {
        let x = gaussian(10, &[0.5, 0.5], 0);
        let mut rng = test_stream(0, 0, 0);
        let monitor = Monitor::default();
        let s = fitted_scales(x.view(), x.view(), (0.25, 0.75), &mut rng, &monitor).unwrap();
        assert_eq!(s, [1.0, 1.0]);
    }
}
