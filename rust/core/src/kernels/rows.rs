//! Sums and minima over some rows of a block.

use pulp::NullaryFnOnce;

use crate::run::instruction_set;

struct AddWidened<'a> {
    values: &'a [f32],
    sum: &'a mut [f64],
}

impl NullaryFnOnce for AddWidened<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let pairs = self.sum.iter_mut().zip(self.values);
        pairs.for_each(|(sum, value)| *sum += f64::from(*value));
    }
}

/// Adds `values` to `sum`, both (width,).
///
/// ```
/// use fast_select_core::kernels::rows::add_widened;
///
/// let mut sum = [1e10, 0.0];
/// add_widened(&[0.5, 0.25], &mut sum);
/// assert_eq!(sum, [10_000_000_000.5, 0.25]);
/// ```
pub fn add_widened(values: &[f32], sum: &mut [f64]) {
    instruction_set::arch().dispatch(AddWidened { values, sum });
}

struct FoldRows<'a, F> {
    values: &'a [f32],
    rows: &'a [usize],
    out: &'a mut [f32],
    fold: F,
}

impl<F: Fn(f32, f32) -> f32> NullaryFnOnce for FoldRows<'_, F> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let width = self.out.len();
        for &i in self.rows {
            let row = &self.values[i * width..][..width];
            for (o, x) in self.out.iter_mut().zip(row) {
                *o = (self.fold)(*o, *x);
            }
        }
    }
}

/// Adds the rows `rows` of `values`, (n, width) row-major, in that order, to `sum`, (width,).
///
/// ```
/// use fast_select_core::kernels::rows::add_rows;
///
/// let mut sum = [100.0, 100.0];
/// add_rows(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], &[0, 2], &mut sum);
/// assert_eq!(sum, [106.0, 108.0]);
/// ```
pub fn add_rows(values: &[f32], rows: &[usize], sum: &mut [f32]) {
    instruction_set::arch().dispatch(FoldRows {
        values,
        rows,
        out: sum,
        fold: |s, x| s + x,
    });
}

struct AddWeightedRows<'a> {
    values: &'a [f32],
    rows: &'a [usize],
    weights: &'a [f32],
    sum: &'a mut [f32],
}

impl NullaryFnOnce for AddWeightedRows<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let width = self.sum.len();
        for (&i, weight) in self.rows.iter().zip(self.weights) {
            let row = &self.values[i * width..][..width];
            for (s, x) in self.sum.iter_mut().zip(row) {
                *s += weight * x;
            }
        }
    }
}

/// Adds the rows `rows` of `values`, (n, width) row-major, times `weights`, in that order, to `sum`, (width,).
///
/// ```
/// use fast_select_core::kernels::rows::add_weighted_rows;
///
/// let mut sum = [100.0, 100.0];
/// add_weighted_rows(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], &[0, 2], &[2.0, 0.5], &mut sum);
/// assert_eq!(sum, [104.5, 107.0]);
/// ```
pub fn add_weighted_rows(values: &[f32], rows: &[usize], weights: &[f32], sum: &mut [f32]) {
    instruction_set::arch().dispatch(AddWeightedRows {
        values,
        rows,
        weights,
        sum,
    });
}

/// Lowers `least`, (width,), to the rows `rows` of `values`, (n, width) row-major; NaN is never
/// less.
///
/// ```
/// use fast_select_core::kernels::rows::min_rows;
///
/// let mut least = [4.0, 4.0];
/// min_rows(&[1.0, 9.0, 0.0, 0.0, f32::NAN, 3.0], &[0, 2], &mut least);
/// assert_eq!(least, [1.0, 3.0]);
/// ```
pub fn min_rows(values: &[f32], rows: &[usize], least: &mut [f32]) {
    instruction_set::arch().dispatch(FoldRows {
        values,
        rows,
        out: least,
        fold: |least, x| if x < least { x } else { least },
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folds_what_a_plain_loop_folds() {
        for width in 0..70 {
            let values: Vec<f32> = (0..5 * width).map(|i| (i * 7 % 13) as f32).collect();
            let (mut sum, mut least) = (vec![1.0; width], vec![5.0; width]);
            add_rows(&values, &[4, 0, 4], &mut sum);
            min_rows(&values, &[4, 0, 4], &mut least);
            for k in 0..width {
                let (a, b) = (values[4 * width + k], values[k]);
                assert_eq!(sum[k], 1.0 + 2.0 * a + b);
                assert_eq!(least[k], a.min(b).min(5.0));
            }
        }
    }

    #[test]
    fn not_a_number_stays_in_its_column() {
        let values = [1.0, f32::NAN, f32::INFINITY];
        let (mut sum, mut least) = ([0.0; 3], [2.0; 3]);
        add_rows(&values, &[0], &mut sum);
        assert!(sum[0] == 1.0 && sum[1].is_nan() && sum[2] == f32::INFINITY);
        min_rows(&values, &[0], &mut least);
        assert_eq!(least, [1.0, 2.0, 2.0]);
    }
}
