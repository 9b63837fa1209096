//! Several inputs, one below the other, as one: none of them is copied.

use std::mem::take;
use std::ops::Range;

use crate::kernels::columns::Affine;
use crate::kernels::element::Exact;
use crate::prepare::source::{RowHash, RowSource};
use crate::run::error::{Error, Result};

/// The rows of all parts, in order, each read where it lies. Finding a part is O(log parts).
///
/// ```
/// use fast_select_core::kernels::columns::Affine;
/// use fast_select_core::kernels::element::Element;
/// use fast_select_core::prepare::source::RowSource;
/// use fast_select_core::prepare::stacked::Stacked;
///
/// let (above, below) = (ndarray::array![[1.0], [2.0]], ndarray::array![[3.0]]);
/// let all = Stacked::new(vec![Box::new(above.view()), Box::new(below.view())])?;
/// let mut out = [0.0; 2];
/// all.read(1..3, &Affine::new(&[0.0.exact()], vec![1.0]), &mut out);
/// assert_eq!(out, [2.0, 3.0]);
/// # Ok::<(), fast_select_core::Error>(())
/// ```
pub struct Stacked<'a> {
    parts: Vec<Box<dyn RowSource + 'a>>,
    /// First row of each part, and last the number of all rows.
    starts: Vec<usize>,
}

impl<'a> Stacked<'a> {
    /// These parts, some of which may have no rows.
    ///
    /// # Errors
    /// [`Error::Refused`] naming `x` unless all have as many columns.
    pub fn new(parts: Vec<Box<dyn RowSource + 'a>>) -> Result<Self> {
        let d = parts.first().map_or(0, |part| part.n_cols());
        let mut starts = vec![0];
        for (at, part) in parts.iter().enumerate() {
            if part.n_cols() != d {
                let fact = format!("has {} columns in part {at}, {d} before", part.n_cols());
                return Err(Error::refused("x", fact));
            }
            starts.push(starts[at] + part.n_rows());
        }
        Ok(Self { parts, starts })
    }

    /// The part with row `row`.
    fn place(&self, row: usize) -> usize {
        self.starts.partition_point(|start| *start <= row) - 1
    }

    /// Cuts `rows` at the seams: calls `each` with a part and rows of its own.
    fn cut(&self, rows: Range<usize>, mut each: impl FnMut(&dyn RowSource, Range<usize>)) {
        let (mut at, mut place) = (rows.start, self.place(rows.start));
        while at < rows.end {
            let (first, end) = (self.starts[place], self.starts[place + 1].min(rows.end));
            if at < end {
                each(&*self.parts[place], at - first..end - first);
            }
            (at, place) = (end, place + 1);
        }
    }
}

impl RowSource for Stacked<'_> {
    fn n_rows(&self) -> usize {
        self.starts[self.parts.len()]
    }

    fn n_cols(&self) -> usize {
        self.parts.first().map_or(0, |part| part.n_cols())
    }

    fn rounding(&self) -> f64 {
        let parts = self.parts.iter().map(|part| part.rounding());
        parts.fold(0.0, f64::max)
    }

    fn exact(&self, row: usize, columns: Range<usize>, out: &mut [Exact]) {
        let place = self.place(row);
        self.parts[place].exact(row - self.starts[place], columns, out);
    }

    fn hashes(&self, rows: Range<usize>) -> Vec<RowHash> {
        let mut found = Vec::with_capacity(rows.len());
        self.cut(rows, |part, rows| found.extend(part.hashes(rows)));
        found
    }

    fn read(&self, rows: Range<usize>, affine: &Affine, mut out: &mut [f32]) {
        let d = self.n_cols();
        self.cut(rows, |part, rows| {
            let (own, rest) = take(&mut out).split_at_mut(rows.len() * d);
            part.read(rows, affine, own);
            out = rest;
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::element::Element;
    use crate::options::ValidParams;
    use crate::prepare::prepare;
    use crate::prepare::source::rows_at_a_time;
    use crate::run::monitor::Monitor;
    use ndarray::{Array2, Axis, ShapeBuilder, Slice};

    /// Owned parts of `x`, cut at `seams`, every other one in Fortran order.
    fn parts(x: &Array2<f32>, seams: &[usize]) -> Vec<Array2<f32>> {
        let starts = [&[0], seams].concat();
        let ends = [seams, &[x.nrows()]].concat();
        let part = |(at, (start, end)): (usize, (usize, usize))| {
            let own = x.slice_axis(Axis(0), Slice::from(start..end));
            let mut part = if at % 2 == 0 {
                Array2::zeros(own.raw_dim())
            } else {
                Array2::zeros(own.raw_dim().f())
            };
            part.assign(&own);
            part
        };
        starts.into_iter().zip(ends).enumerate().map(part).collect()
    }

    fn stacked(parts: &[Array2<f32>]) -> Stacked<'_> {
        let boxed = parts.iter().map(|part| Box::new(part.view()) as _);
        Stacked::new(boxed.collect()).unwrap()
    }

    fn points(n: usize, d: usize) -> Array2<f32> {
        Array2::from_shape_fn((n, d), |(i, j)| ((i * 31 + j * 17) % 101) as f32 + j as f32)
    }

    #[test]
    fn any_rows_are_those_of_the_whole() {
        let x = points(13, 3);
        let affine = Affine::new(&[1.0.exact(); 3], vec![0.5; 3]);
        // Parts without rows first, last, in the middle, twice; of one row; one part.
        for seams in [&[0, 4, 4, 4, 5, 11, 13][..], &[1, 2, 12], &[]] {
            let parts = parts(&x, seams);
            let all = stacked(&parts);
            assert_eq!((all.n_rows(), all.n_cols()), (13, 3));
            assert_eq!(all.rounding(), f32::ROUNDING);
            for start in 0..13 {
                for end in start..=13 {
                    let mut got = vec![f32::NAN; (end - start) * 3];
                    let mut expected = got.clone();
                    all.read(start..end, &affine, &mut got);
                    x.view().read(start..end, &affine, &mut expected);
                    assert_eq!(got, expected);
                    assert_eq!(all.hashes(start..end), x.view().hashes(start..end));
                }
                let mut got = [Exact::default(); 2];
                let mut expected = got;
                all.exact(start, 1..3, &mut got);
                x.view().exact(start, 1..3, &mut expected);
                assert_eq!(got, expected);
            }
        }
    }

    #[test]
    fn what_is_prepared_knows_no_seams() {
        for d in [5, 70] {
            let block = rows_at_a_time(d);
            let mut x = points(block + 300, d);
            x[(7, 1)] = 1e20;
            let (params, monitor) = (ValidParams::default(), Monitor::default());
            let whole = prepare(&x.view(), &params, &monitor).unwrap();
            for seams in [&[block - 1, block, block + 1][..], &[1, 64, 65, 200]] {
                let parts = parts(&x, seams);
                let got = prepare(&stacked(&parts), &params, &monitor).unwrap();
                assert_eq!(got, whole);
            }
        }
    }

    #[test]
    fn parts_of_other_widths_are_refused() {
        let (a, b) = (points(2, 3), points(2, 4));
        let refused = Stacked::new(vec![Box::new(a.view()), Box::new(b.view())]);
        assert!(matches!(refused.err(), Some(Error::Refused { .. })));
        let none = Stacked::new(Vec::new()).unwrap();
        assert_eq!((none.n_rows(), none.n_cols()), (0, 0));
    }
}
