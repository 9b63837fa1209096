//! Row-major matrices and the only calls of dense products and factorisations, but for the kernels
//! [`crate::kernels::tile`] and [`crate::kernels::thin`].
//!
//! Products run on the calling thread: the callers cut the work into blocks of fixed size, which
//! keeps results independent of the number of threads.

use faer::linalg::matmul::matmul;
use faer::linalg::solvers::DenseSolveCore;
use faer::{Accum, MatMut, MatRef, Par, Side};

use crate::aligned::Aligned;
use crate::error::{Error, Result, check_len};

/// A dense row-major matrix of `f32`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Matrix {
    data: Aligned,
    rows: usize,
    cols: usize,
}

/// A borrowed dense row-major matrix of `f32`.
#[derive(Debug, Clone, Copy)]
pub struct MatrixView<'a> {
    data: &'a [f32],
    rows: usize,
    cols: usize,
    stride: usize,
}

impl Matrix {
    /// A matrix of zeros.
    #[must_use]
    pub fn zeros(rows: usize, cols: usize) -> Self {
        Self {
            data: Aligned::zeros(rows * cols),
            rows,
            cols,
        }
    }

    /// Takes `data`, rows one after the other.
    ///
    /// # Errors
    /// [`Error::Shape`] unless `data` has `rows * cols` entries.
    pub fn from_vec(data: Vec<f32>, rows: usize, cols: usize) -> Result<Self> {
        check_len("matrix data", data.len(), rows * cols)?;
        let data = data.into();
        Ok(Self { data, rows, cols })
    }

    /// Number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of columns.
    #[must_use]
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// Row `i`.
    #[must_use]
    pub fn row(&self, i: usize) -> &[f32] {
        &self.data[i * self.cols..(i + 1) * self.cols]
    }

    /// Row `i`, to write.
    pub fn row_mut(&mut self, i: usize) -> &mut [f32] {
        &mut self.data[i * self.cols..(i + 1) * self.cols]
    }

    /// All entries, row by row.
    #[must_use]
    pub fn as_slice(&self) -> &[f32] {
        &self.data
    }

    /// All entries, row by row, to write.
    pub fn as_mut_slice(&mut self) -> &mut [f32] {
        &mut self.data
    }

    /// The whole as a view.
    #[must_use]
    pub fn view(&self) -> MatrixView<'_> {
        MatrixView {
            data: &self.data,
            rows: self.rows,
            cols: self.cols,
            stride: self.cols,
        }
    }
}

impl<'a> MatrixView<'a> {
    /// A view of `data`, rows of `cols` entries one after the other.
    ///
    /// # Errors
    /// [`Error::Shape`] unless `data` has `rows * cols` entries.
    pub fn new(data: &'a [f32], rows: usize, cols: usize) -> Result<Self> {
        check_len("matrix data", data.len(), rows * cols)?;
        Ok(Self {
            data,
            rows,
            cols,
            stride: cols,
        })
    }

    /// Number of rows.
    #[must_use]
    pub fn rows(self) -> usize {
        self.rows
    }

    /// Number of columns.
    #[must_use]
    pub fn cols(self) -> usize {
        self.cols
    }

    /// Row `i`.
    #[must_use]
    pub fn row(self, i: usize) -> &'a [f32] {
        &self.data[i * self.stride..i * self.stride + self.cols]
    }

    /// Rows `rows` as a view.
    #[must_use]
    pub fn rows_range(self, rows: std::ops::Range<usize>) -> Self {
        let end = (rows.end * self.stride).min(self.data.len());
        Self {
            data: &self.data[(rows.start * self.stride).min(end)..end],
            rows: rows.len(),
            ..self
        }
    }

    /// The first `cols` columns as a view.
    #[must_use]
    pub fn first_columns(self, cols: usize) -> Self {
        Self {
            cols: cols.min(self.cols),
            ..self
        }
    }

    /// A copy of the rows `index`, in that order.
    #[must_use]
    pub fn gather(self, index: &[u32]) -> Matrix {
        let mut out = Matrix::zeros(index.len(), self.cols);
        for (at, &i) in index.iter().enumerate() {
            out.row_mut(at).copy_from_slice(self.row(i as usize));
        }
        out
    }

    fn faer(self) -> MatRef<'a, f32> {
        MatRef::from_row_major_slice_with_stride(self.data, self.rows, self.cols, self.stride)
    }
}

fn accum(add: bool) -> Accum {
    if add { Accum::Add } else { Accum::Replace }
}

/// `out = a bᵀ`, or `out += a bᵀ` where `add`. Shapes: a (r, k), b (s, k), out (r, s).
///
/// # Panics
/// Where the shapes do not fit.
pub fn matmul_nt(out: &mut [f32], a: MatrixView<'_>, b: MatrixView<'_>, add: bool) {
    let out = MatMut::from_row_major_slice_mut(out, a.rows, b.rows);
    matmul(
        out,
        accum(add),
        a.faer(),
        b.faer().transpose(),
        1.0,
        Par::Seq,
    );
}

/// `out = a b`, or `out += a b` where `add`. Shapes: a (r, k), b (k, s), out (r, s).
///
/// # Panics
/// Where the shapes do not fit.
pub fn matmul_nn(out: &mut [f32], a: MatrixView<'_>, b: MatrixView<'_>, add: bool) {
    let out = MatMut::from_row_major_slice_mut(out, a.rows, b.cols);
    matmul(out, accum(add), a.faer(), b.faer(), 1.0, Par::Seq);
}

/// `out = aᵀ b`, or `out += aᵀ b` where `add`. Shapes: a (k, r), b (k, s), out (r, s).
///
/// # Panics
/// Where the shapes do not fit.
pub fn matmul_tn(out: &mut [f32], a: MatrixView<'_>, b: MatrixView<'_>, add: bool) {
    let out = MatMut::from_row_major_slice_mut(out, a.cols, b.cols);
    matmul(
        out,
        accum(add),
        a.faer().transpose(),
        b.faer(),
        1.0,
        Par::Seq,
    );
}

/// `|a_i|^2` of each row, (n,), summed in f64 and rounded once.
#[must_use]
pub fn squared_norms(a: MatrixView<'_>) -> Vec<f32> {
    (0..a.rows())
        .map(|i| {
            a.row(i)
                .iter()
                .map(|&x| f64::from(x) * f64::from(x))
                .sum::<f64>() as f32
        })
        .collect()
}

/// Squared distances below this share of the two squared norms are what rounding leaves of 0.
const ROUNDING: f32 = 1e-6;

/// `|a - b|^2` of rows with squared norms `a` and `b` and product `dot`; 0 where rounding hides it.
#[inline]
#[must_use]
pub fn squared_from_product(a: f32, b: f32, dot: f32) -> f32 {
    let squared = a + b - 2.0 * dot;
    if squared > ROUNDING * (a + b) {
        squared
    } else {
        0.0
    }
}

/// `|a - b|^2` by differences: no cancellation, relative error a few ulps.
#[inline]
#[must_use]
pub fn squared_distance(a: &[f32], b: &[f32]) -> f32 {
    // Eight independent partial sums, so that the compiler can use vector registers.
    let mut sums = [0.0_f32; 8];
    let (a8, b8) = (a.chunks_exact(8), b.chunks_exact(8));
    let tail: f32 = a8
        .remainder()
        .iter()
        .zip(b8.remainder())
        .map(|(x, y)| (x - y) * (x - y))
        .sum();
    for (x, y) in a8.zip(b8) {
        for (s, (x, y)) in sums.iter_mut().zip(x.iter().zip(y)) {
            *s += (x - y) * (x - y);
        }
    }
    sums.iter().sum::<f32>() + tail
}

/// Eigenvalues in ascending order and the eigenvectors (row-major, column j belongs to value j) of
/// a symmetric (k, k) matrix, of which the lower half is read. O(k^3).
///
/// # Errors
/// [`Error::Shape`]; [`Error::NotConverged`] for NaN or infinity in the input, or where the QR
/// iteration fails.
pub fn symmetric_eigen(a: &[f64], k: usize) -> Result<(Vec<f64>, Vec<f64>)> {
    check_len("symmetric matrix", a.len(), k * k)?;
    let failed = Error::NotConverged {
        stage: "dense eigenproblem",
        residual: f64::NAN,
        tol: 0.0,
        iterations: 0,
    };
    if !a.iter().all(|x| x.is_finite()) {
        return Err(failed);
    }
    let eigen = MatRef::from_row_major_slice(a, k, k)
        .self_adjoint_eigen(Side::Lower)
        .map_err(|_| failed)?;
    let values = eigen.S().column_vector().iter().copied().collect();
    let vectors = (0..k * k).map(|e| eigen.U()[(e / k, e % k)]).collect();
    Ok((values, vectors))
}

/// An orthonormal basis, (r, k), of the columns of `a`, (r, k), k <= r, by Householder's QR in f64;
/// where the columns are dependent, completed by others. O(r k^2).
#[must_use]
pub fn orthonormal_columns(a: &Matrix) -> Matrix {
    let wide = faer::Mat::from_fn(a.rows, a.cols, |i, j| f64::from(a.row(i)[j]));
    let q = wide.qr().compute_thin_Q();
    let mut out = Matrix::zeros(a.rows, a.cols);
    for i in 0..a.rows {
        let row = out.row_mut(i).iter_mut().enumerate();
        row.for_each(|(j, x)| *x = q[(i, j)] as f32);
    }
    out
}

/// Inverse (row-major) and log-determinant of a symmetric positive definite (k, k) matrix, of which
/// the lower half is read, by Cholesky's factorisation. O(k^3).
///
/// # Errors
/// [`Error::Shape`]; [`Error::Parameter`] where the matrix is not positive definite.
pub fn spd_inverse_logdet(a: &[f64], k: usize) -> Result<(Vec<f64>, f64)> {
    check_len("symmetric matrix", a.len(), k * k)?;
    let not_definite = || Error::parameter("matrix", "symmetric", "must be positive definite");
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

    fn matrix(rows: usize, cols: usize, from: u32) -> Matrix {
        let value = |i: u32| ((i * 7 + from) % 11) as f32 - 5.0;
        Matrix::from_vec((0..(rows * cols) as u32).map(value).collect(), rows, cols).unwrap()
    }

    #[test]
    fn products_match_triple_loops() {
        let (a, b) = (matrix(5, 3, 1), matrix(4, 3, 2));
        let mut nt = vec![1.0; 20];
        matmul_nt(&mut nt, a.view(), b.view(), true);
        for i in 0..5 {
            for j in 0..4 {
                let dot: f32 = a.row(i).iter().zip(b.row(j)).map(|(x, y)| x * y).sum();
                assert_eq!(nt[i * 4 + j], dot + 1.0);
            }
        }
        let bt = matrix(3, 4, 3);
        let mut nn = vec![0.0; 20];
        matmul_nn(&mut nn, a.view(), bt.view(), false);
        assert_eq!(nn[6], (0..3).map(|k| a.row(1)[k] * bt.row(k)[2]).sum());
        let mut tn = vec![0.0; 12];
        matmul_tn(&mut tn, bt.view(), a.view().rows_range(0..3), false);
        assert_eq!(tn[4], (0..3).map(|k| bt.row(k)[1] * a.row(k)[1]).sum());
    }

    #[test]
    fn distance_by_hand() {
        let a: Vec<f32> = (0..11).map(|i| i as f32).collect();
        let b = vec![1.0_f32; 11];
        let expected: f32 = (0..11).map(|i| (i as f32 - 1.0).powi(2)).sum();
        assert_eq!(squared_distance(&a, &b), expected);
        assert_eq!(squared_distance(&[], &[]), 0.0);
    }

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
