//! Products of a tall matrix V, (n, k), with a thin one W, (n, 16): `Vᵀ W` and `W += V C`.
//!
//! A row of W fills one to four vector registers, which every entry of V's row is multiplied into. A
//! general product would pack both operands first: on AVX-512, with blocks of 512 rows and k near
//! 100, it takes 2.5 times as long.

use pulp::{Simd, WithSimd};

use crate::arrays::matrix::MatrixView;
use crate::run::instruction_set;

/// Columns of W.
pub const WIDTH: usize = 16;

/// `sum += vᵀ w`. Shapes: v (r, k), w (r, 16) row by row, sum (k, 16). O(r k).
///
/// ```
/// use fast_select_core::arrays::matrix::Matrix;
/// use fast_select_core::kernels::thin::{WIDTH, add_inner};
///
/// // v is a column of 1 and 2; w a row of ones and a row of tens.
/// let v = Matrix::from_vec(vec![1.0, 2.0], 2, 1)?;
/// let w = [[1.0; WIDTH], [10.0; WIDTH]].concat();
/// let mut sum = [100.0; WIDTH];
/// add_inner(v.view(), &w, &mut sum);
/// assert_eq!(sum, [121.0; WIDTH]);
/// # Ok::<(), fast_select_core::Error>(())
/// ```
///
/// # Panics
/// Where the shapes do not fit.
pub fn add_inner(v: MatrixView<'_>, w: &[f32], sum: &mut [f32]) {
    let (w, sum) = (w.as_chunks::<WIDTH>().0, sum.as_chunks_mut::<WIDTH>().0);
    assert!(
        w.len() == v.rows() && sum.len() == v.cols(),
        "shapes differ"
    );
    instruction_set::arch().dispatch(Inner { v, w, sum });
}

/// `w += v c`. Shapes: v (r, k), c (k, 16), w (r, 16) row by row. O(r k).
///
/// ```
/// use fast_select_core::arrays::matrix::Matrix;
/// use fast_select_core::kernels::thin::{WIDTH, add_product};
///
/// let v = Matrix::from_vec(vec![1.0, 2.0], 2, 1)?;
/// let mut w = [0.5; 2 * WIDTH];
/// add_product(v.view(), &[10.0; WIDTH], &mut w);
/// assert_eq!(w[..WIDTH], [10.5; WIDTH]);
/// assert_eq!(w[WIDTH..], [20.5; WIDTH]);
/// # Ok::<(), fast_select_core::Error>(())
/// ```
///
/// # Panics
/// Where the shapes do not fit.
pub fn add_product(v: MatrixView<'_>, c: &[f32], w: &mut [f32]) {
    let (c, w) = (c.as_chunks::<WIDTH>().0, w.as_chunks_mut::<WIDTH>().0);
    assert!(w.len() == v.rows() && c.len() == v.cols(), "shapes differ");
    instruction_set::arch().dispatch(Combine { v, c, w });
}

struct Inner<'a> {
    v: MatrixView<'a>,
    w: &'a [[f32; WIDTH]],
    sum: &'a mut [[f32; WIDTH]],
}

impl WithSimd for Inner<'_> {
    type Output = ();

    // Tiles as large as the registers hold: sums, one row of W and the entry of V.
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        match S::F32_LANES {
            16 => self.run::<S, 1, 16>(simd),
            8 => self.run::<S, 2, 6>(simd),
            4 => self.run::<S, 4, 2>(simd),
            _ => self.run::<S, WIDTH, 1>(simd),
        }
    }
}

impl Inner<'_> {
    #[inline(always)]
    fn run<S: Simd, const N: usize, const T: usize>(self, simd: S) {
        let full = self.sum.len() / T * T;
        for at in (0..full).step_by(T) {
            let sums = inner_tile::<S, N, T>(simd, self.v, self.w, at);
            for (out, sums) in self.sum[at..at + T].iter_mut().zip(sums) {
                add::<S, N>(simd, out, sums);
            }
        }
        for at in full..self.sum.len() {
            let [sums] = inner_tile::<S, N, 1>(simd, self.v, self.w, at);
            add::<S, N>(simd, &mut self.sum[at], sums);
        }
    }
}

/// Rows `at..at + T` of vᵀ w.
#[inline(always)]
fn inner_tile<S: Simd, const N: usize, const T: usize>(
    simd: S,
    v: MatrixView<'_>,
    w: &[[f32; WIDTH]],
    at: usize,
) -> [[S::f32s; N]; T] {
    let mut sums = [[simd.splat_f32s(0.0); N]; T];
    for (r, w) in w.iter().enumerate() {
        let (w, _) = S::as_simd_f32s(w);
        // Never missing: the shapes were checked.
        let Some(v) = v.row(r)[at..].first_chunk::<T>() else {
            continue;
        };
        for t in 0..T {
            let x = simd.splat_f32s(v[t]);
            for c in 0..N {
                sums[t][c] = simd.mul_add_e_f32s(x, w[c], sums[t][c]);
            }
        }
    }
    sums
}

struct Combine<'a> {
    v: MatrixView<'a>,
    c: &'a [[f32; WIDTH]],
    w: &'a mut [[f32; WIDTH]],
}

impl WithSimd for Combine<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        match S::F32_LANES {
            16 => self.run::<S, 1, 8>(simd),
            8 => self.run::<S, 2, 6>(simd),
            4 => self.run::<S, 4, 2>(simd),
            _ => self.run::<S, WIDTH, 1>(simd),
        }
    }
}

impl Combine<'_> {
    #[inline(always)]
    fn run<S: Simd, const N: usize, const T: usize>(self, simd: S) {
        let full = self.w.len() / T * T;
        for at in (0..full).step_by(T) {
            combine_tile::<S, N, T>(simd, self.v, self.c, at, &mut self.w[at..at + T]);
        }
        for at in full..self.w.len() {
            combine_tile::<S, N, 1>(simd, self.v, self.c, at, &mut self.w[at..=at]);
        }
    }
}

/// `out += v[at..at + T] c`.
#[inline(always)]
fn combine_tile<S: Simd, const N: usize, const T: usize>(
    simd: S,
    v: MatrixView<'_>,
    c: &[[f32; WIDTH]],
    at: usize,
    out: &mut [[f32; WIDTH]],
) {
    let mut sums = [[simd.splat_f32s(0.0); N]; T];
    let rows: [&[f32]; T] = std::array::from_fn(|t| &v.row(at + t)[..c.len()]);
    for (j, c) in c.iter().enumerate() {
        let (c, _) = S::as_simd_f32s(c);
        for t in 0..T {
            let x = simd.splat_f32s(rows[t][j]);
            for n in 0..N {
                sums[t][n] = simd.mul_add_e_f32s(x, c[n], sums[t][n]);
            }
        }
    }
    for (out, sums) in out.iter_mut().zip(sums) {
        add::<S, N>(simd, out, sums);
    }
}

#[inline(always)]
fn add<S: Simd, const N: usize>(simd: S, out: &mut [f32; WIDTH], sums: [S::f32s; N]) {
    let (out, _) = S::as_mut_simd_f32s(out);
    for n in 0..N {
        out[n] = simd.add_f32s(out[n], sums[n]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::instruction_set::twin::twins;

    #[test]
    fn not_a_number_stays_in_its_row() {
        let v = [1.0, f32::NAN, f32::INFINITY];
        let v = MatrixView::new(&v, 3, 1).unwrap();
        let mut w = vec![0.0; 3 * WIDTH];
        add_product(v, &[1.0; WIDTH], &mut w);
        assert!(w[..WIDTH].iter().all(|x| *x == 1.0));
        assert!(w[WIDTH..2 * WIDTH].iter().all(|x| x.is_nan()));
        assert!(w[2 * WIDTH..].iter().all(|x| *x == f32::INFINITY));
    }

    #[test]
    fn products_match_triple_loops() {
        for (r, k) in (0..70).flat_map(|k| [(1, k), (19, k)]).chain([(64, 49)]) {
            // Small integers: every order of summation is exact.
            let value = |i: usize| (i * 7 % 11) as f32 - 5.0;
            let stored: Vec<f32> = (0..r * k).map(value).collect();
            let v = MatrixView::new(&stored, r, k).unwrap();
            let w: Vec<f32> = (0..r * WIDTH).map(|i| value(i + 3)).collect();
            let mut inner = vec![1.0; k * WIDTH];
            add_inner(v, &w, &mut inner);
            for twin in twins() {
                let mut again = vec![1.0; k * WIDTH];
                let (w, sum) = (w.as_chunks().0, again.as_chunks_mut().0);
                twin.run(Inner { v, w, sum });
                assert_eq!(again, inner);
            }
            for (e, got) in inner.iter().enumerate() {
                let (j, c) = (e / WIDTH, e % WIDTH);
                let sum: f32 = (0..r).map(|i| v.row(i)[j] * w[i * WIDTH + c]).sum();
                assert_eq!(*got, 1.0 + sum);
            }
            let coefficients: Vec<f32> = (0..k * WIDTH).map(|i| value(i + 5)).collect();
            let mut out = w.clone();
            add_product(v, &coefficients, &mut out);
            for twin in twins() {
                let mut again = w.clone();
                let (c, w) = (coefficients.as_chunks().0, again.as_chunks_mut().0);
                twin.run(Combine { v, c, w });
                assert_eq!(again, out);
            }
            for (e, got) in out.iter().enumerate() {
                let (i, c) = (e / WIDTH, e % WIDTH);
                let sum: f32 = (0..k)
                    .map(|j| v.row(i)[j] * coefficients[j * WIDTH + c])
                    .sum();
                assert_eq!(*got, w[e] + sum);
            }
        }
    }
}
