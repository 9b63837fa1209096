//! Columns of a matrix: shifted and scaled, and their sums, squares and ends, row by row.

use pulp::NullaryFnOnce;

use crate::kernels::element::{Element, Exact};
use crate::run::instruction_set;

/// Entries beyond are cut off: their squares, summed over any row, are still numbers in f32.
const LARGEST: f32 = 1e15;

/// What the entries of a row become: `(x - origin - shift) scale`, each (d,).
///
/// The first difference is exact or rounded once, however large the numbers; the second is small.
#[derive(Debug, Clone, PartialEq)]
pub struct Affine {
    origin: Vec<f64>,
    rest: Vec<f64>,
    /// Shift beyond the origin, in the unit of the input.
    pub shift: Vec<f64>,
    /// Factor.
    pub scale: Vec<f64>,
}

impl Affine {
    /// From `origin`, by `scale`, both (d,), without a shift.
    #[must_use]
    pub fn new(origin: &[Exact], scale: Vec<f64>) -> Self {
        let (origin, rest): (Vec<f64>, Vec<f64>) = origin.iter().map(|o| (o.value, o.rest)).unzip();
        Self {
            shift: vec![0.0; origin.len()],
            origin,
            rest,
            scale,
        }
    }

    /// The entry that `x` in column `j` becomes.
    #[inline(always)]
    pub fn of<T: Element>(&self, x: T, j: usize) -> f32 {
        let origin = (self.origin[j], self.rest[j]);
        entry(x, origin, self.shift[j], self.scale[j])
    }

    /// Those of a row `x`, (d,), to `out`.
    ///
    /// ```
    /// use fast_select_core::kernels::columns::Affine;
    /// use fast_select_core::kernels::element::{Element, Exact};
    ///
    /// // In f32, 1e9 + 2 would be 1e9.
    /// let affine = Affine::new(&[1e9_f64.exact(), 5.0_f64.exact()], vec![0.5, 3.0]);
    /// let mut out = [0.0; 2];
    /// affine.row(&[1e9 + 2.0, 6.0], &mut out);
    /// assert_eq!(out, [1.0, 3.0]);
    /// ```
    pub fn row<T: Element>(&self, x: &[T], out: &mut [f32]) {
        instruction_set::arch().dispatch(AffineRow {
            x,
            affine: self,
            out,
        });
    }
}

struct AffineRow<'a, T> {
    x: &'a [T],
    affine: &'a Affine,
    out: &'a mut [f32],
}

impl<T: Element> NullaryFnOnce for AffineRow<'_, T> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Affine {
            origin,
            rest,
            shift,
            scale,
        } = self.affine;
        let origins = origin.iter().zip(rest);
        let rest = shift.iter().zip(scale);
        let columns = self.x.iter().zip(origins.zip(rest));
        for (o, (x, ((value, rest), (shift, scale)))) in self.out.iter_mut().zip(columns) {
            *o = entry(*x, (*value, *rest), *shift, *scale);
        }
    }
}

#[inline(always)]
fn entry<T: Element>(x: T, (value, rest): (f64, f64), shift: f64, scale: f64) -> f32 {
    let entry = (x.minus(Exact { value, rest }) - shift) * scale;
    (entry as f32).clamp(-LARGEST, LARGEST)
}

/// Sums, sums of squares, minima and maxima of columns, (d,) each, of the entries within limits.
///
/// ```
/// use fast_select_core::kernels::columns::ColumnSums;
///
/// let mut sums = ColumnSums::new(vec![9.0, 9.0]);
/// sums.add_row(&[1.0, 5.0]);
/// sums.add_row(&[3.0, -10.0]);
/// assert_eq!((sums.sum, sums.squares), (vec![4.0, 5.0], vec![10.0, 25.0]));
/// assert_eq!((sums.min, sums.max), (vec![1.0, 5.0], vec![3.0, 5.0]));
/// assert_eq!(sums.beyond, [0, 1]);
/// ```
#[derive(Debug, Clone)]
pub struct ColumnSums {
    /// Largest absolute value of each column that counts.
    pub limits: Vec<f32>,
    /// Sum of each column.
    pub sum: Vec<f64>,
    /// Sum of its squares.
    pub squares: Vec<f64>,
    /// Its least entry; infinity before the first.
    pub min: Vec<f32>,
    /// Its greatest; minus infinity before the first.
    pub max: Vec<f32>,
    /// Entries whose absolute value is above the limit.
    pub beyond: Vec<u32>,
}

impl ColumnSums {
    /// Of no rows yet; `limits`: largest absolute value that counts, (d,).
    #[must_use]
    pub fn new(limits: Vec<f32>) -> Self {
        let d = limits.len();
        Self {
            limits,
            sum: vec![0.0; d],
            squares: vec![0.0; d],
            min: vec![f32::INFINITY; d],
            max: vec![f32::NEG_INFINITY; d],
            beyond: vec![0; d],
        }
    }

    /// Adds a row, (d,).
    pub fn add_row(&mut self, row: &[f32]) {
        instruction_set::arch().dispatch(AddRow { row, sums: self });
    }

    /// Adds what `other` has seen.
    pub fn add(&mut self, other: &Self) {
        fn combine<T: Copy>(a: &mut [T], b: &[T], with: impl Fn(T, T) -> T) {
            a.iter_mut().zip(b).for_each(|(a, b)| *a = with(*a, *b));
        }
        combine(&mut self.sum, &other.sum, |a, b| a + b);
        combine(&mut self.squares, &other.squares, |a, b| a + b);
        combine(&mut self.min, &other.min, f32::min);
        combine(&mut self.max, &other.max, f32::max);
        combine(&mut self.beyond, &other.beyond, |a, b| a + b);
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
        let sums = self.sums;
        let row = || self.row.iter().zip(&sums.limits);
        let totals = sums.sum.iter_mut().zip(&mut sums.squares);
        for ((x, limit), (sum, squares)) in row().zip(totals) {
            let counted = if x.abs() <= *limit { *x } else { 0.0 };
            let wide = f64::from(counted);
            *sum += wide;
            *squares += wide * wide;
        }
        let ends = sums.min.iter_mut().zip(&mut sums.max);
        for ((x, limit), ((min, max), beyond)) in row().zip(ends.zip(&mut sums.beyond)) {
            let counts = x.abs() <= *limit;
            *min = min.min(if counts { *x } else { f32::INFINITY });
            *max = max.max(if counts { *x } else { f32::NEG_INFINITY });
            *beyond += u32::from(!counts);
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
            let origin: Vec<Exact> = (0..len).map(|i| value(i + 1).exact()).collect();
            let mut affine = Affine::new(&origin, (0..len).map(|i| value(i + 2)).collect());
            affine.shift = (0..len).map(|i| 0.25 * value(i + 3)).collect();
            let x: Vec<u8> = (0..len).map(|i| (i * 37 % 256) as u8).collect();
            let mut out = vec![f32::NAN; len];
            affine.row(&x, &mut out);
            for i in 0..len {
                let from = value(i + 1) + 0.25 * value(i + 3);
                assert_eq!(out[i], ((f64::from(x[i]) - from) * value(i + 2)) as f32);
                assert_eq!(out[i], affine.of(x[i], i));
            }
        }
    }

    #[test]
    fn sums_and_ends_match_plain_loops_at_every_length() {
        for len in 0..70 {
            let rows = [3, 0].map(|from| (0..len).map(|i| value(i + from) as f32).collect());
            let mut columns = ColumnSums::new(vec![4.0; len]);
            rows.iter().for_each(|row: &Vec<f32>| columns.add_row(row));
            let mut twice = columns.clone();
            twice.add(&columns);
            for i in 0..len {
                let both = [f64::from(rows[0][i]), f64::from(rows[1][i])];
                let counted: Vec<f64> = both.into_iter().filter(|x| x.abs() <= 4.0).collect();
                let sum: f64 = counted.iter().sum();
                assert_eq!(columns.sum[i], sum);
                assert_eq!(
                    columns.squares[i],
                    counted.iter().map(|x| x * x).sum::<f64>()
                );
                let (min, max) = (f64::from(columns.min[i]), f64::from(columns.max[i]));
                assert_eq!(min, counted.iter().copied().fold(f64::INFINITY, f64::min));
                assert_eq!(
                    max,
                    counted.iter().copied().fold(f64::NEG_INFINITY, f64::max)
                );
                assert_eq!(columns.beyond[i] as usize, 2 - counted.len());
                assert_eq!((twice.sum[i], twice.min[i]), (2.0 * sum, columns.min[i]));
            }
        }
    }

    #[test]
    fn what_is_too_large_is_cut_off() {
        let affine = Affine::new(&[Exact::default(); 3], vec![2.0; 3]);
        let mut out = [0.0; 3];
        affine.row(&[1.0, 1e300, -1e16], &mut out);
        assert_eq!(out, [2.0, LARGEST, -LARGEST]);
    }
}
