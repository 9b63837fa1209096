//! Rows of the input, block by block: no stage ever sees or copies the whole.

use std::ops::Range;

use ndarray::{ArrayView2, Axis, Slice};

use crate::kernels::columns::center_and_scale;
use crate::kernels::element::Element;

/// Entries that are read at a time: 256 KiB, which stay in the second-level cache.
const READ: usize = 1 << 16;

/// Rows of `d` entries to read at a time.
#[must_use]
pub fn rows_at_a_time(d: usize) -> usize {
    (READ / d.max(1)).max(1)
}

/// A matrix whose rows can be read in blocks, from several threads at once.
///
/// ```
/// use fast_select_core::prepare::source::RowSource;
///
/// // The second row, (3, 30), less (1, 10), times (1/2, 1/4).
/// let x = ndarray::array![[1_u8, 10], [3, 30]];
/// let mut out = [0.0; 2];
/// x.view().read(1..2, &[1.0, 10.0], &[0.5, 0.25], &mut out);
/// assert_eq!(out, [1.0, 5.0]);
/// ```
pub trait RowSource: Sync {
    /// Number of rows, n.
    fn n_rows(&self) -> usize;

    /// Number of columns, d.
    fn n_cols(&self) -> usize;

    /// Writes `(x - offset) * scale` of the rows `rows` to `out`, (rows, d), row-major.
    ///
    /// offset, scale: (d,). The difference is taken in f64, so that large offsets cost no digits;
    /// what leaves the range of f32 becomes infinite.
    fn read(&self, rows: Range<usize>, offset: &[f64], scale: &[f64], out: &mut [f32]);
}

impl<T: Element> RowSource for ArrayView2<'_, T> {
    fn n_rows(&self) -> usize {
        self.nrows()
    }

    fn n_cols(&self) -> usize {
        self.ncols()
    }

    fn read(&self, rows: Range<usize>, offset: &[f64], scale: &[f64], out: &mut [f32]) {
        let d = self.ncols();
        let part = self.slice_axis(Axis(0), Slice::from(rows));
        let value = |x: &T, j: usize| ((x.to_f64() - offset[j]) * scale[j]) as f32;
        if self.strides()[0].unsigned_abs() >= self.strides()[1].unsigned_abs() {
            for (row, out) in part.rows().into_iter().zip(out.chunks_exact_mut(d.max(1))) {
                if let Some(row) = row.as_slice() {
                    center_and_scale(row, offset, scale, out);
                } else {
                    let pairs = out.iter_mut().zip(row).enumerate();
                    pairs.for_each(|(j, (o, x))| *o = value(x, j));
                }
            }
        } else {
            // Fortran order: down the columns, as the memory lies.
            for (j, column) in part.columns().into_iter().enumerate() {
                for (i, x) in column.into_iter().enumerate() {
                    out[i * d + j] = value(x, j);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use half::{bf16, f16};
    use ndarray::{Array2, ShapeBuilder};

    fn read<T: Element>(x: &ArrayView2<'_, T>) -> Vec<f32> {
        let mut out = vec![f32::NAN; 2 * x.ncols()];
        let d = x.ncols();
        x.read(1..3, &vec![1.0; d], &vec![2.0; d], &mut out);
        out
    }

    #[test]
    fn every_type_and_order_reads_alike() {
        let expected: Vec<f32> = (5..15).map(|v| (v as f32 - 1.0) * 2.0).collect();
        let base = Array2::from_shape_fn((4, 5), |(i, j)| (5 * i + j) as f64);
        macro_rules! check {
            ($($type:ty),+) => {
                $(assert_eq!(read(&base.mapv(|v| v as $type).view()), expected);)+
            };
        }
        check!(f64, f32, u8, i8, u16, i16, u32, i32, u64, i64);
        assert_eq!(read(&base.mapv(f16::from_f64).view()), expected);
        assert_eq!(read(&base.mapv(bf16::from_f64).view()), expected);
        let mut fortran = Array2::zeros((4, 5).f());
        fortran.assign(&base);
        assert_eq!(read(&fortran.view()), expected);
        let wide = Array2::from_shape_fn((8, 10), |(i, j)| ((5 * (i / 2)) + j / 2) as i32);
        let mut every_other = wide.view();
        for axis in [Axis(0), Axis(1)] {
            every_other.slice_axis_inplace(axis, Slice::new(0, None, 2));
        }
        assert_eq!(read(&every_other), expected);
        let mut reversed = base.clone();
        reversed.invert_axis(Axis(0));
        let backwards = Array2::from_shape_fn((4, 5), |(i, j)| reversed[(i, j)]);
        let mut view = backwards.view();
        view.invert_axis(Axis(0));
        assert_eq!(read(&view), expected);
    }

    #[test]
    fn offsets_cost_no_digits() {
        let x = Array2::from_shape_fn((3, 1), |(i, _)| 1.6e9 + i as f64 * 0.25);
        let mut out = [0.0; 3];
        x.view().read(0..3, &[1.6e9], &[1.0], &mut out);
        assert_eq!(out, [0.0, 0.25, 0.5]);
    }
}
