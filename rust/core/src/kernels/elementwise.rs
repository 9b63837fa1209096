//! Loops that the compiler vectorises, at the machine's width.
//!
//! Entries are independent, sums have lanes of their own and no products are fused, so that results
//! are the same at any width.

use pulp::{Arch, NullaryFnOnce};

use crate::source::Element;

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
pub fn center_and_scale<T: Element>(x: &[T], offset: &[f64], scale: &[f64], out: &mut [f32]) {
    Arch::new().dispatch(CenterAndScale {
        x,
        offset,
        scale,
        out,
    });
}

struct SquaredDistances<'a> {
    dots: &'a mut [f32],
    own: f32,
    norms: &'a [f32],
}

impl NullaryFnOnce for SquaredDistances<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        for (d, norm) in self.dots.iter_mut().zip(self.norms) {
            *d = (self.own + norm - 2.0 * *d).max(0.0);
        }
    }
}

/// `dots <- max(own + norms - 2 dots, 0)`: squared distances from the products of a row of squared
/// norm `own` with others of squared norms `norms`. Both slices: (len,).
pub fn squared_distances(dots: &mut [f32], own: f32, norms: &[f32]) {
    Arch::new().dispatch(SquaredDistances { dots, own, norms });
}

/// Sums, sums of squares, minima and maxima of columns, (d,) each.
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
        Arch::new().dispatch(AddRow { row, sums: self });
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

/// Partial sums side by side.
const SUMS: usize = 16;

struct Sum<'a>(&'a [f32]);

impl NullaryFnOnce for Sum<'_> {
    type Output = f64;

    #[inline(always)]
    fn call(self) -> f64 {
        let (parts, rest) = self.0.as_chunks::<SUMS>();
        let mut sums = [0.0; SUMS];
        for part in parts {
            sums.iter_mut()
                .zip(part)
                .for_each(|(s, x)| *s += f64::from(*x));
        }
        let rest: f64 = rest.iter().map(|x| f64::from(*x)).sum();
        sums.iter().sum::<f64>() + rest
    }
}

/// The sum of `values`, (len,), in f64.
#[must_use]
pub fn sum(values: &[f32]) -> f64 {
    Arch::new().dispatch(Sum(values))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_match_plain_loops_at_every_length() {
        for len in 0..70 {
            let value = |i: usize| (i * 7 % 11) as f64 - 5.0;
            let (offset, scale): (Vec<f64>, Vec<f64>) =
                (0..len).map(|i| (value(i + 1), value(i + 2))).unzip();
            let x: Vec<u8> = (0..len).map(|i| (i * 37 % 256) as u8).collect();
            let mut out = vec![f32::NAN; len];
            center_and_scale(&x, &offset, &scale, &mut out);
            let norms: Vec<f32> = (0..len).map(|i| value(i + 3) as f32).collect();
            let mut squared: Vec<f32> = (0..len).map(|i| value(i) as f32).collect();
            squared_distances(&mut squared, 2.0, &norms);
            for i in 0..len {
                assert_eq!(out[i], ((f64::from(x[i]) - offset[i]) * scale[i]) as f32);
                let expected = 2.0 + norms[i] - 2.0 * value(i) as f32;
                assert_eq!(squared[i], expected.max(0.0));
            }
            let mut columns = ColumnSums::new(len);
            let rows = [&norms, &squared];
            rows.iter().for_each(|row| columns.add_row(row));
            let mut twice = columns.clone();
            twice.add(&columns);
            for i in 0..len {
                let column = rows.map(|row| f64::from(row[i]));
                let [a, b] = column;
                assert_eq!((columns.sum[i], columns.squares[i]), (a + b, a * a + b * b));
                let (min, max) = (f64::from(columns.min[i]), f64::from(columns.max[i]));
                assert_eq!((min, max), (a.min(b), a.max(b)));
                assert_eq!(
                    (twice.sum[i], twice.min[i]),
                    (2.0 * (a + b), columns.min[i])
                );
            }
            // Whole numbers: every order of summation is exact.
            assert_eq!(
                sum(&norms),
                norms.iter().map(|x| f64::from(*x)).sum::<f64>()
            );
        }
    }

    #[test]
    fn not_a_number_stays_where_it_is() {
        let mut out = [0.0; 3];
        let x = [1.0, f64::NAN, f64::INFINITY];
        center_and_scale(&x, &[0.0; 3], &[2.0; 3], &mut out);
        assert!(out[0] == 2.0 && out[1].is_nan() && out[2] == f32::INFINITY);
        assert!(sum(&[1.0, f32::NAN, 2.0]).is_nan());
    }
}
