//! Coordinates whose distances are commute times, damped.

use crate::arrays::matrix::Matrix;
use crate::spectral::SpectralEmbedding;

/// Share of the largest eigenvalue that is added to each.
const DAMPING: f64 = 0.1;

/// Damped commute-time coordinates: column j times `√n / √(λ_j + β)`, (n, c).
///
/// With β = 0, distances between rows are, up to a factor, root mean commute times of a random walk
/// (Saerens et al. 2004). But a nearly cut piece has an eigenvalue near 0 and would take over (letter: 1.5e-8 to
/// 8e-7 four times, then 3e-4 to 7e-3), and below the residual all is noise. β is a tenth of the largest
/// eigenvalue here, or the residual where that is more: the walk ends at this rate (the regularised Laplacian of
/// Smola & Kondor 2003). So no column is more than √11 times as long as another.
///
/// ```
/// use fast_select_core::arrays::matrix::Matrix;
/// use fast_select_core::spectral::{SpectralEmbedding, commute_time::commute_time_scaled};
///
/// // One pair of a ring of four, of eigenvalue 1: times √4/√1.1.
/// let embedding = SpectralEmbedding {
///     eigenvalues: vec![1.0],
///     vectors: Matrix::from_vec(vec![0.5, 0.5, -0.5, -0.5], 4, 1)?,
///     max_residual: 0.0,
///     n_matvecs: 0,
/// };
/// let expected = 1.0 / 1.1_f32.sqrt();
/// for (got, sign) in commute_time_scaled(&embedding).as_slice().iter().zip([1.0, 1.0, -1.0, -1.0]) {
///     assert!((got - sign * expected).abs() < 1e-6);
/// }
/// # Ok::<(), fast_select_core::Error>(())
/// ```
#[must_use]
pub fn commute_time_scaled(embedding: &SpectralEmbedding) -> Matrix {
    let mut v = embedding.vectors.clone();
    let n = v.rows() as f64;
    let largest = embedding.eigenvalues.last().copied().unwrap_or(0.0);
    let beta = (DAMPING * largest).max(embedding.max_residual);
    let scale = |&value: &f64| (n / (value + beta).max(f64::MIN_POSITIVE)).sqrt() as f32;
    let scales: Vec<f32> = embedding.eigenvalues.iter().map(scale).collect();
    for i in 0..v.rows() {
        v.row_mut(i)
            .iter_mut()
            .zip(&scales)
            .for_each(|(x, s)| *x *= s);
    }
    v
}
