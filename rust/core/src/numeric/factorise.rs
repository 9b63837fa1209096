//! Small dense factorisations in f64, by faer: the only calls of them.

use faer::linalg::solvers::DenseSolveCore;
use faer::{MatRef, Side};

use crate::arrays::matrix::Matrix;
use crate::run::error::{Error, Result, check_len};

/// Eigenvalues in ascending order and the eigenvectors (row-major, column j belongs to value j) of
/// a symmetric (k, k) matrix, of which the lower half is read. O(k^3).
///
/// ```
/// use fast_select_core::numeric::factorise::symmetric_eigen;
///
/// // 1 along (1, -1) and 3 along (1, 1).
/// let (values, vectors) = symmetric_eigen(&[2.0, 1.0, 1.0, 2.0], 2)?;
/// assert!((values[0] - 1.0).abs() < 1e-12 && (values[1] - 3.0).abs() < 1e-12);
/// assert!((vectors[0] + vectors[2]).abs() < 1e-12 && (vectors[1] - vectors[3]).abs() < 1e-12);
/// # Ok::<(), fast_select_core::Error>(())
/// ```
///
/// # Errors
/// [`Error::Refused`] for a wrong shape; [`Error::Failed`] for NaN or infinity in the input, or where
/// the QR iteration fails.
pub fn symmetric_eigen(a: &[f64], k: usize) -> Result<(Vec<f64>, Vec<f64>)> {
    check_len("symmetric matrix", a.len(), k * k)?;
    let failed = |fact| Error::failed("dense eigenproblem", fact);
    if !a.iter().all(|x| x.is_finite()) {
        return Err(failed("its matrix holds NaN or infinity"));
    }
    let eigen = MatRef::from_row_major_slice(a, k, k)
        .self_adjoint_eigen(Side::Lower)
        .map_err(|_| failed("its QR iteration does not converge"))?;
    let values = eigen.S().column_vector().iter().copied().collect();
    let vectors = (0..k * k).map(|e| eigen.U()[(e / k, e % k)]).collect();
    Ok((values, vectors))
}

/// An orthonormal basis, (r, k), of the columns of `a`, (r, k), k <= r, by Householder's QR in f64;
/// where the columns are dependent, completed by others. O(r k^2).
///
/// ```
/// use fast_select_core::arrays::matrix::Matrix;
/// use fast_select_core::numeric::factorise::orthonormal_columns;
///
/// // (3, 4) has length 5; its sign is not settled.
/// let q = orthonormal_columns(&Matrix::from_vec(vec![3.0, 4.0], 2, 1)?);
/// let sign = q.row(0)[0].signum();
/// assert!((sign * q.row(0)[0] - 0.6).abs() < 1e-6 && (sign * q.row(1)[0] - 0.8).abs() < 1e-6);
/// # Ok::<(), fast_select_core::Error>(())
/// ```
#[must_use]
pub fn orthonormal_columns(a: &Matrix) -> Matrix {
    let wide = faer::Mat::from_fn(a.rows(), a.cols(), |i, j| f64::from(a.row(i)[j]));
    let q = wide.qr().compute_thin_Q();
    let mut out = Matrix::zeros(a.rows(), a.cols());
    for i in 0..a.rows() {
        let row = out.row_mut(i).iter_mut().enumerate();
        row.for_each(|(j, x)| *x = q[(i, j)] as f32);
    }
    out
}

/// Inverse (row-major) and log-determinant of a symmetric positive definite (k, k) matrix, of which
/// the lower half is read, by Cholesky's factorisation. O(k^3).
///
/// ```
/// use fast_select_core::numeric::factorise::spd_inverse_logdet;
///
/// // Determinant 3.
/// let (inverse, logdet) = spd_inverse_logdet(&[2.0, 1.0, 1.0, 2.0], 2)?;
/// let expected = [2.0, -1.0, -1.0, 2.0].map(|entry| entry / 3.0);
/// assert!(inverse.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12));
/// assert!((logdet - 3.0_f64.ln()).abs() < 1e-12);
/// # Ok::<(), fast_select_core::Error>(())
/// ```
///
/// # Errors
/// [`Error::Refused`] for a wrong shape; [`Error::Failed`] where the matrix is not positive definite.
pub fn spd_inverse_logdet(a: &[f64], k: usize) -> Result<(Vec<f64>, f64)> {
    check_len("symmetric matrix", a.len(), k * k)?;
    let not_definite = || {
        Error::failed(
            "Cholesky factorisation",
            "its matrix is not positive definite",
        )
    };
    if !a.iter().all(|x| x.is_finite()) {
        return Err(not_definite());
    }
    let factor = MatRef::from_row_major_slice(a, k, k)
        .llt(Side::Lower)
        .map_err(|_| not_definite())?;
    let logdet = (0..k).map(|i| 2.0 * factor.L()[(i, i)].ln()).sum();
    let inverse = factor.inverse();
    let inverse = (0..k * k).map(|e| inverse[(e / k, e % k)]).collect();
    Ok((inverse, logdet))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eigen_of_two_by_two() {
        let (values, vectors) = symmetric_eigen(&[2.0, 1.0, 1.0, 2.0], 2).unwrap();
        assert!((values[0] - 1.0).abs() < 1e-12 && (values[1] - 3.0).abs() < 1e-12);
        assert!((vectors[1] - vectors[3]).abs() < 1e-12);
        assert!(symmetric_eigen(&[f64::NAN; 4], 2).is_err());
    }

    #[test]
    fn inverse_of_two_by_two() {
        let (inverse, logdet) = spd_inverse_logdet(&[2.0, 1.0, 1.0, 2.0], 2).unwrap();
        for (got, expected) in inverse.iter().zip([2.0, -1.0, -1.0, 2.0]) {
            assert!((got - expected / 3.0).abs() < 1e-12);
        }
        assert!((logdet - 3.0_f64.ln()).abs() < 1e-12);
        assert!(spd_inverse_logdet(&[1.0, 2.0, 2.0, 1.0], 2).is_err());
    }
}
