//! Columns of a matrix: centred and scaled, and their sums, squares and ends, row by row.

use pulp::NullaryFnOnce;

use crate::kernels::element::Element;
use crate::run::instruction_set;

struct CenterAndScale<'a, T> {
    x: &'a [T],
    offset: &'a [f64],
    scale: &'a [f64],
    out: &'a mut [f32],
}

impl<T: Element> NullaryFnOnce for CenterAndScale<'_, T> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let columns = self.offset.iter().zip(self.scale);
        for ((o, x), (offset, scale)) in self.out.iter_mut().zip(self.x).zip(columns) {
            *o = ((x.to_f64() - offset) * scale) as f32;
        }
    }
}

/// `out = (x - offset) scale`, in f64 and rounded once. All slices: (len,).
///
/// ```
/// use fast_select_core::kernels::columns::center_and_scale;
///
/// // In f32, 1e9 + 2 would be 1e9.
/// let mut out = [0.0; 2];
/// center_and_scale(&[1e9 + 2.0, 6.0], &[1e9, 5.0], &[0.5, 3.0], &mut out);
/// assert_eq!(out, [1.0, 3.0]);
/// ```
pub fn center_and_scale<T: Element>(x: &[T], offset: &[f64], scale: &[f64], out: &mut [f32]) {
    instruction_set::arch().dispatch(CenterAndScale {
        x,
        offset,
        scale,
        out,
    });
}

/// Sums, sums of squares, minima and maxima of columns, (d,) each.
///
/// ```
/// use fast_select_core::kernels::columns::ColumnSums;
///
/// let mut sums = ColumnSums::new(2);
/// sums.add_row(&[1.0, 5.0]);
/// sums.add_row(&[3.0, -5.0]);
/// assert_eq!((sums.sum, sums.squares), (vec![4.0, 0.0], vec![10.0, 50.0]));
/// assert_eq!((sums.min, sums.max), (vec![1.0, -5.0], vec![3.0, 5.0]));
/// ```
#[derive(Debug, Clone)]
pub struct ColumnSums {
    /// Sum of each column.
    pub sum: Vec<f64>,
    /// Sum of its squares.
    pub squares: Vec<f64>,
    /// Its least entry; infinity before the first.
    pub min: Vec<f32>,
    /// Its greatest; minus infinity before the first.
    pub max: Vec<f32>,
}

impl ColumnSums {
    /// Of no rows yet, of `d` columns.
    #[must_use]
    pub fn new(d: usize) -> Self {
        Self {
            sum: vec![0.0; d],
            squares: vec![0.0; d],
            min: vec![f32::INFINITY; d],
            max: vec![f32::NEG_INFINITY; d],
        }
    }

    /// Adds a row, (d,).
    pub fn add_row(&mut self, row: &[f32]) {
        instruction_set::arch().dispatch(AddRow { row, sums: self });
    }

    /// Adds what `other` has seen.
    pub fn add(&mut self, other: &Self) {
        let add = |a: &mut [f64], b: &[f64]| a.iter_mut().zip(b).for_each(|(a, b)| *a += b);
        add(&mut self.sum, &other.sum);
        add(&mut self.squares, &other.squares);
        let pairs = self.min.iter_mut().zip(&other.min);
        pairs.for_each(|(a, b)| *a = a.min(*b));
        let pairs = self.max.iter_mut().zip(&other.max);
        pairs.for_each(|(a, b)| *a = a.max(*b));
    }
}

struct AddRow<'a> {
    row: &'a [f32],
    sums: &'a mut ColumnSums,
}

impl NullaryFnOnce for AddRow<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let totals = self.sums.sum.iter_mut().zip(&mut self.sums.squares);
        for (x, (sum, squares)) in self.row.iter().zip(totals) {
            let wide = f64::from(*x);
            *sum += wide;
            *squares += wide * wide;
        }
        let ends = self.sums.min.iter_mut().zip(&mut self.sums.max);
        for (x, (min, max)) in self.row.iter().zip(ends) {
            *min = min.min(*x);
            *max = max.max(*x);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(i: usize) -> f64 {
        (i * 7 % 11) as f64 - 5.0
    }

    #[test]
    fn entries_match_plain_loops_at_every_length() {
        for len in 0..70 {
            let (offset, scale): (Vec<f64>, Vec<f64>) =
                (0..len).map(|i| (value(i + 1), value(i + 2))).unzip();
            let x: Vec<u8> = (0..len).map(|i| (i * 37 % 256) as u8).collect();
            let mut out = vec![f32::NAN; len];
            center_and_scale(&x, &offset, &scale, &mut out);
            for i in 0..len {
                assert_eq!(out[i], ((f64::from(x[i]) - offset[i]) * scale[i]) as f32);
            }
        }
    }

    #[test]
    fn sums_and_ends_match_plain_loops_at_every_length() {
        for len in 0..70 {
            let rows = [3, 0].map(|from| (0..len).map(|i| value(i + from) as f32).collect());
            let mut columns = ColumnSums::new(len);
            rows.iter().for_each(|row: &Vec<f32>| columns.add_row(row));
            let mut twice = columns.clone();
            twice.add(&columns);
            for i in 0..len {
                let [a, b] = [f64::from(rows[0][i]), f64::from(rows[1][i])];
                assert_eq!((columns.sum[i], columns.squares[i]), (a + b, a * a + b * b));
                let (min, max) = (f64::from(columns.min[i]), f64::from(columns.max[i]));
                assert_eq!((min, max), (a.min(b), a.max(b)));
                assert_eq!(
                    (twice.sum[i], twice.min[i]),
                    (2.0 * (a + b), columns.min[i])
                );
            }
        }
    }

    #[test]
    fn not_a_number_stays_where_it_is() {
        let mut out = [0.0; 3];
        let x = [1.0, f64::NAN, f64::INFINITY];
        center_and_scale(&x, &[0.0; 3], &[2.0; 3], &mut out);
        assert!(out[0] == 2.0 && out[1].is_nan() && out[2] == f32::INFINITY);
    }
}
