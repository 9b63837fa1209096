//! Squared distances, by products and by differences.
//!
//! `|a - b|^2 = |a|^2 + |b|^2 - 2 a·b` is fast, as many products are formed together, but loses what
//! distances are small beside norms. What is less than rounding leaves of two equal rows counts as
//! 0, everywhere by the same rule ([`squared_from_product`]): copies of a row lie at distance 0.
//! Differences lose nothing ([`squared_distance`]) and serve where few pairs are measured.

use pulp::NullaryFnOnce;

use crate::arrays::matrix::MatrixView;
use crate::run::instruction_set;

/// `|a_i|^2` of each row, (n,), summed in f64 and rounded once.
///
/// ```
/// use fast_select_core::arrays::matrix::Matrix;
/// use fast_select_core::kernels::squared_distance::squared_norms;
///
/// let a = Matrix::from_vec(vec![3.0, 4.0, 0.0, 2.0], 2, 2)?;
/// assert_eq!(squared_norms(a.view()), [25.0, 4.0]);
/// # Ok::<(), fast_select_core::Error>(())
/// ```
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
///
/// ```
/// use fast_select_core::kernels::squared_distance::squared_from_product;
///
/// // (3, 4) and (3, 0); then copies of a row of norm 1,000, whose product is rounded.
/// assert_eq!(squared_from_product(25.0, 9.0, 9.0), 16.0);
/// assert_eq!(squared_from_product(1e6, 1e6, 1e6 - 0.25), 0.0);
/// ```
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
///
/// ```
/// use fast_select_core::kernels::squared_distance::squared_distance;
///
/// assert_eq!(squared_distance(&[1.0, 1.0], &[4.0, 5.0]), 25.0);
/// ```
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

/// The same in f64, rounded as little as matters: what decides which of two rows is nearer.
///
/// ```
/// use fast_select_core::kernels::squared_distance::squared_distance_f64;
///
/// assert_eq!(squared_distance_f64(&[1.0, 4096.0], &[4.0, 0.0]), 9.0 + 16_777_216.0);
/// ```
#[inline]
#[must_use]
pub fn squared_distance_f64(a: &[f32], b: &[f32]) -> f64 {
    let square = |x: &f32, y: &f32| (f64::from(*x) - f64::from(*y)).powi(2);
    let mut sums = [0.0_f64; 8];
    let (a8, b8) = (a.chunks_exact(8), b.chunks_exact(8));
    let tail = a8.remainder().iter().zip(b8.remainder());
    let tail: f64 = tail.map(|(x, y)| square(x, y)).sum();
    for (x, y) in a8.zip(b8) {
        for (s, (x, y)) in sums.iter_mut().zip(x.iter().zip(y)) {
            *s += square(x, y);
        }
    }
    sums.iter().sum::<f64>() + tail
}

struct FromProducts<'a> {
    dots: &'a mut [f32],
    own: f32,
    norms: &'a [f32],
}

impl NullaryFnOnce for FromProducts<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        for (d, norm) in self.dots.iter_mut().zip(self.norms) {
            *d = squared_from_product(self.own, *norm, *d);
        }
    }
}

/// [`squared_from_product`] of each of `dots`, in place: products of a row of squared norm `own` with
/// others of squared norms `norms`. Both slices: (len,).
///
/// ```
/// use fast_select_core::kernels::squared_distance::squared_from_products;
///
/// // From (3, 4), of squared norm 25, to (3, 0) and to itself.
/// let mut dots = [9.0, 25.0];
/// squared_from_products(&mut dots, 25.0, &[9.0, 25.0]);
/// assert_eq!(dots, [16.0, 0.0]);
/// ```
pub fn squared_from_products(dots: &mut [f32], own: f32, norms: &[f32]) {
    instruction_set::arch().dispatch(FromProducts { dots, own, norms });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arrays::matrix::Matrix;

    #[test]
    fn by_hand() {
        let a: Vec<f32> = (0..11).map(|i| i as f32).collect();
        let b = vec![1.0_f32; 11];
        let expected: f32 = (0..11).map(|i| (i as f32 - 1.0).powi(2)).sum();
        assert_eq!(squared_distance(&a, &b), expected);
        assert_eq!(squared_distance(&[], &[]), 0.0);
        assert_eq!(squared_from_product(25.0, 1.0, 5.0), 16.0);
        let x = Matrix::from_vec(vec![3.0, 4.0, 0.0, 1.0], 2, 2).unwrap();
        assert_eq!(squared_norms(x.view()), [25.0, 1.0]);
    }

    #[test]
    fn copies_lie_at_zero_and_not_a_number_does_too() {
        // What rounding may leave of equal rows.
        assert_eq!(squared_from_product(1e6, 1e6, 1e6 - 0.5), 0.0);
        assert_eq!(squared_from_product(1e6, 1e6, 1e6 + 0.5), 0.0);
        assert_eq!(squared_from_product(f32::NAN, 1.0, 0.0), 0.0);
    }

    #[test]
    fn rows_of_products_match_single_ones_at_every_length() {
        for len in 0..70 {
            let value = |i: usize| (i * 7 % 11) as f32 - 5.0;
            let norms: Vec<f32> = (0..len).map(|i| value(i + 3).abs()).collect();
            let dots: Vec<f32> = (0..len).map(value).collect();
            let mut squared = dots.clone();
            squared_from_products(&mut squared, 2.0, &norms);
            for i in 0..len {
                assert_eq!(squared[i], squared_from_product(2.0, norms[i], dots[i]));
            }
        }
    }
}
