//! Dense products, by faer; tiles that stay in registers are in [`super::tile`] and [`super::thin`].
//!
//! Products run on the calling thread: the callers cut the task into blocks of fixed size, which
//! keeps results independent of the number of threads.
//!
//! # Numerics
//! An entry is summed over the inner dimension in ascending order, in parts of 512 that are
//! added in order, with fused rounding where the machine has it: faer's kernels for AVX2 and AVX-512
//! do so, and so do the plain loops here, which stand in for them where another instruction set than
//! the machine's best was asked for ([`crate::run::instruction_set`]), and on ARM, where faer's parts
//! are as long as the machine's caches have it. The exception is
//! [`matmul_nt`] with a single row, which is ours, as faer would sum in lanes of the machine's width: sixteen
//! sums side by side, added in order.

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};
use pulp::Arch;

use crate::arrays::matrix::MatrixView;
use crate::kernels::{Loop, dispatch, mul_add};
use crate::run::instruction_set;

/// Entries of the inner dimension that are summed before they are added to the result.
const DEPTH: usize = 512;
/// Columns of the result that are summed side by side.
const WIDTH: usize = 64;

/// `out = a bᵀ`, or `out += a bᵀ` where `add`. Shapes: a (r, k), b (s, k), out (r, s).
///
/// ```
/// use fast_select_core::arrays::matrix::Matrix;
/// use fast_select_core::kernels::product::matmul_nt;
///
/// let a = Matrix::from_vec(vec![1.0, 2.0], 1, 2)?;
/// let b = Matrix::from_vec(vec![3.0, 4.0, 5.0, 6.0], 2, 2)?;
/// let mut out = [0.0; 2];
/// matmul_nt(&mut out, a.view(), b.view(), false);
/// assert_eq!(out, [11.0, 17.0]);
/// # Ok::<(), fast_select_core::Error>(())
/// ```
///
/// # Panics
/// Where the shapes do not fit.
pub fn matmul_nt(out: &mut [f32], a: MatrixView<'_>, b: MatrixView<'_>, add: bool) {
    if a.rows() == 1 {
        assert!(
            out.len() == b.rows() && a.cols() == b.cols(),
            "shapes differ"
        );
        let dots = RowProducts {
            out,
            a: a.row(0),
            b,
            add,
        };
        return dispatch(dots);
    }
    product(out, faer_view(a), faer_view(b).transpose(), add);
}

/// `out = a b`, or `out += a b` where `add`. Shapes: a (r, k), b (k, s), out (r, s).
///
/// ```
/// use fast_select_core::arrays::matrix::Matrix;
/// use fast_select_core::kernels::product::matmul_nn;
///
/// let a = Matrix::from_vec(vec![1.0, 2.0], 1, 2)?;
/// let b = Matrix::from_vec(vec![3.0, 4.0, 5.0, 6.0], 2, 2)?;
/// let mut out = [0.0; 2];
/// matmul_nn(&mut out, a.view(), b.view(), false);
/// assert_eq!(out, [13.0, 16.0]);
/// # Ok::<(), fast_select_core::Error>(())
/// ```
///
/// # Panics
/// Where the shapes do not fit.
pub fn matmul_nn(out: &mut [f32], a: MatrixView<'_>, b: MatrixView<'_>, add: bool) {
    product(out, faer_view(a), faer_view(b), add);
}

/// `out = aᵀ b`, or `out += aᵀ b` where `add`. Shapes: a (k, r), b (k, s), out (r, s).
///
/// ```
/// use fast_select_core::arrays::matrix::Matrix;
/// use fast_select_core::kernels::product::matmul_tn;
///
/// // (1, 2) times (3, 4) as a column and a row, added to 100 each.
/// let a = Matrix::from_vec(vec![1.0, 2.0], 1, 2)?;
/// let b = Matrix::from_vec(vec![3.0, 4.0], 1, 2)?;
/// let mut out = [100.0; 4];
/// matmul_tn(&mut out, a.view(), b.view(), true);
/// assert_eq!(out, [103.0, 104.0, 106.0, 108.0]);
/// # Ok::<(), fast_select_core::Error>(())
/// ```
///
/// # Panics
/// Where the shapes do not fit.
pub fn matmul_tn(out: &mut [f32], a: MatrixView<'_>, b: MatrixView<'_>, add: bool) {
    product(out, faer_view(a).transpose(), faer_view(b), add);
}

fn faer_view(a: MatrixView<'_>) -> MatRef<'_, f32> {
    MatRef::from_row_major_slice(a.as_slice(), a.rows(), a.cols())
}

fn product(out: &mut [f32], a: MatRef<'_, f32>, b: MatRef<'_, f32>, add: bool) {
    let has_avx = cfg!(target_arch = "x86_64") && !matches!(instruction_set::arch(), Arch::Scalar);
    if has_avx && instruction_set::is_best() {
        let out = MatMut::from_row_major_slice_mut(out, a.nrows(), b.ncols());
        let accum = if add { Accum::Add } else { Accum::Replace };
        matmul(out, accum, a, b, 1.0, Par::Seq);
    } else {
        dispatch(PlainProduct { out, a, b, add });
    }
}

/// Partial sums of a product of two rows.
const LANES: usize = 16;

/// The product of two rows, (k,): [`matmul_nt`]'s of a single row.
///
/// ```
/// use fast_select_core::kernels::product::dot;
///
/// assert_eq!(dot(&[1.0, 2.0], &[3.0, 4.0]), 11.0);
/// ```
///
/// # Panics
/// Where their lengths differ.
#[must_use]
pub fn dot(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len(), "shapes differ");
    dispatch(RowProduct { a, b })
}

struct RowProduct<'a> {
    a: &'a [f32],
    b: &'a [f32],
}

impl Loop for RowProduct<'_> {
    type Output = f32;

    #[inline(always)]
    fn run<const FMA: bool>(self) -> f32 {
        let ((a, a_rest), (b, b_rest)) = (self.a.as_chunks::<LANES>(), self.b.as_chunks::<LANES>());
        let mut sums = [0.0_f32; LANES];
        for (a, b) in a.iter().zip(b) {
            for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
                *sum = mul_add::<FMA>(*a, *b, *sum);
            }
        }
        for ((a, b), sum) in a_rest.iter().zip(b_rest).zip(&mut sums) {
            *sum = mul_add::<FMA>(*a, *b, *sum);
        }
        let half: [f32; LANES / 2] = std::array::from_fn(|l| sums[l] + sums[l + LANES / 2]);
        let quarter: [f32; LANES / 4] = std::array::from_fn(|l| half[l] + half[l + LANES / 4]);
        (quarter[0] + quarter[2]) + (quarter[1] + quarter[3])
    }
}

/// Products of a row with others.
struct RowProducts<'a> {
    out: &'a mut [f32],
    a: &'a [f32],
    b: MatrixView<'a>,
    add: bool,
}

impl Loop for RowProducts<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool>(self) {
        for (i, out) in self.out.iter_mut().enumerate() {
            let product = RowProduct {
                a: self.a,
                b: self.b.row(i),
            };
            let product = product.run::<FMA>();
            *out = if self.add { *out + product } else { product };
        }
    }
}

struct PlainProduct<'a> {
    out: &'a mut [f32],
    a: MatRef<'a, f32>,
    b: MatRef<'a, f32>,
    add: bool,
}

impl Loop for PlainProduct<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool>(self) {
        let Self { out, a, b, add } = self;
        let (depth, cols) = (a.ncols(), b.ncols());
        assert!(
            out.len() == a.nrows() * cols && b.nrows() == depth,
            "shapes differ"
        );
        if !add {
            out.fill(0.0);
        }
        let mut panel = vec![[0.0_f32; WIDTH]; DEPTH.min(depth)];
        for from in (0..depth).step_by(DEPTH) {
            let part = from..depth.min(from + DEPTH);
            for col in (0..cols).step_by(WIDTH) {
                let width = WIDTH.min(cols - col);
                for (k, entries) in part.clone().zip(&mut panel) {
                    (0..width).for_each(|c| entries[c] = b[(k, col + c)]);
                }
                for (i, out) in out.chunks_exact_mut(cols).enumerate() {
                    let mut sums = [0.0_f32; WIDTH];
                    for (k, entries) in part.clone().zip(&panel) {
                        let x = a[(i, k)];
                        for (sum, y) in sums.iter_mut().zip(entries) {
                            *sum = mul_add::<FMA>(x, *y, *sum);
                        }
                    }
                    let out = &mut out[col..col + width];
                    out.iter_mut().zip(sums).for_each(|(o, sum)| *o += sum);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arrays::matrix::Matrix;
    use crate::run::rng::test_stream;
    use rand::Rng;

    fn matrix(rows: usize, cols: usize, from: u32) -> Matrix {
        let value = |i: u32| ((i * 7 + from) % 11) as f32 - 5.0;
        Matrix::from_vec((0..(rows * cols) as u32).map(value).collect(), rows, cols).unwrap()
    }

    #[test]
    fn products_of_single_rows_match_plain_loops_at_every_length() {
        for k in 0..70 {
            let (a, b) = (matrix(1, k, 1), matrix(5, k, 2));
            let mut out = [1.0; 5];
            matmul_nt(&mut out, a.view(), b.view(), true);
            for (i, out) in out.iter().enumerate() {
                let pairs = a.row(0).iter().zip(b.row(i));
                let expected: f32 = pairs.map(|(x, y)| x * y).sum();
                assert_eq!(dot(a.row(0), b.row(i)), expected);
                assert_eq!(*out, expected + 1.0);
            }
        }
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

    /// To the last bit where both fuse: else lesser instruction sets would not be what they stand
    /// for.
    #[test]
    fn plain_loops_are_what_the_library_computes() {
        let mut rng = test_stream(9, 0, 0);
        for (r, k, s) in [
            (1, 1, 1),
            (3, 5, 7),
            (17, 64, 33),
            (128, 16, 512),
            (40, 700, 65),
            (130, 513, 96),
        ] {
            let mut random = |len: usize| -> Vec<f32> {
                (0..len).map(|_| rng.random_range(-1.0..1.0)).collect()
            };
            let (a, b) = (random(r * k), random(k * s));
            let a = MatRef::from_row_major_slice(&a, r, k);
            for b in [
                MatRef::from_row_major_slice(&b, k, s),
                MatRef::from_row_major_slice(&b, s, k).transpose(),
            ] {
                for add in [false, true] {
                    let (mut got, mut expected) = (vec![0.5; r * s], vec![0.5; r * s]);
                    product(&mut expected, a, b, add);
                    dispatch(PlainProduct {
                        out: &mut got,
                        a,
                        b,
                        add,
                    });
                    let differ = got.iter().zip(&expected).filter(|(a, b)| a != b).count();
                    assert_eq!(differ, 0, "{r} {k} {s} {add}");
                }
            }
        }
    }
}
