//! Rows of the input, block by block: no stage ever sees or copies the whole.

use std::ops::Range;

use ndarray::{ArrayView2, Axis, Slice};
use xxhash_rust::xxh3::xxh3_64;

use crate::kernels::columns::Affine;
use crate::kernels::element::{Element, Exact};
use crate::run::parallel::blocks;

/// Entries that are read at a time: 256 KiB, which stay in the second-level cache.
const READ: usize = 1 << 16;

/// Entries whose bits are hashed at a time: as many bytes.
const HASHED: usize = READ / 2;

/// A hash of a row's numbers, which is equal for equal numbers of any type. NaN equals NaN here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RowHash {
    /// The hash.
    pub hash: u64,
    /// Whether the row holds neither NaN nor infinity.
    pub is_finite: bool,
}

/// Rows of `d` entries to read at a time.
#[must_use]
pub fn rows_at_a_time(d: usize) -> usize {
    (READ / d.max(1)).max(1)
}

/// A matrix whose rows can be read in blocks, from several threads at once.
///
/// ```
/// use fast_select_core::kernels::columns::Affine;
/// use fast_select_core::kernels::element::Element;
/// use fast_select_core::prepare::source::RowSource;
///
/// // The second row, (3, 30), less (1, 10), times (1/2, 1/4).
/// let x = ndarray::array![[1_u8, 10], [3, 30]];
/// let affine = Affine::new(&[1_u8.exact(), 10_u8.exact()], vec![0.5, 0.25]);
/// let mut out = [0.0; 2];
/// x.view().read(1..2, &affine, &mut out);
/// assert_eq!(out, [1.0, 5.0]);
/// ```
pub trait RowSource: Sync {
    /// Number of rows, n.
    fn n_rows(&self) -> usize;

    /// Number of columns, d.
    fn n_cols(&self) -> usize;

    /// Relative spread that rounding leaves in a column ([`Element::ROUNDING`]).
    fn rounding(&self) -> f64;

    /// The entries of row `row` in `columns`, exactly, to `out`.
    fn exact(&self, row: usize, columns: Range<usize>, out: &mut [Exact]);

    /// A hash of each of the rows `rows`.
    fn hashes(&self, rows: Range<usize>) -> Vec<RowHash>;

    /// Writes what `affine` makes of the rows `rows` to `out`, (rows, d), row-major.
    fn read(&self, rows: Range<usize>, affine: &Affine, out: &mut [f32]);
}

impl<T: Element> RowSource for ArrayView2<'_, T> {
    fn n_rows(&self) -> usize {
        self.nrows()
    }

    fn n_cols(&self) -> usize {
        self.ncols()
    }

    fn rounding(&self) -> f64 {
        T::ROUNDING
    }

    fn exact(&self, row: usize, columns: Range<usize>, out: &mut [Exact]) {
        let entries = self.row(row);
        let pairs = out.iter_mut().zip(columns);
        pairs.for_each(|(o, j)| *o = entries[j].exact());
    }

    fn hashes(&self, rows: Range<usize>) -> Vec<RowHash> {
        let (d, mut found) = (self.ncols(), Vec::with_capacity(rows.len()));
        let step = (HASHED / d.max(1)).clamp(1, rows.len().max(1));
        let mut numbers = vec![0.0; step * d];
        for at in blocks(rows.len(), step) {
            let at = rows.start + at.start..rows.start + at.end;
            let numbers = &mut numbers[..at.len() * d];
            let pairs = |row: &[T], out: &mut [f64]| {
                let pairs = out.iter_mut().zip(row);
                pairs.for_each(|(o, x)| *o = x.canonical());
            };
            copy(self, at.clone(), numbers, pairs, |x, _| x.canonical());
            for (i, numbers) in at.zip(numbers.chunks_exact(d.max(1))) {
                let hash = match rests(self, i) {
                    Some(rests) => xxh3_64(bytemuck::cast_slice(&[numbers, &rests].concat())),
                    None => xxh3_64(bytemuck::cast_slice(numbers)),
                };
                let is_finite = numbers.iter().fold(true, |all, v| all & v.is_finite());
                found.push(RowHash { hash, is_finite });
            }
        }
        found
    }

    fn read(&self, rows: Range<usize>, affine: &Affine, out: &mut [f32]) {
        copy(
            self,
            rows,
            out,
            |row, out| affine.row(row, out),
            |x, j| affine.of(x, j),
        );
    }
}

/// What the doubles nearest to the entries of a row miss, if that is anything.
fn rests<T: Element>(x: &ArrayView2<'_, T>, row: usize) -> Option<Vec<f64>> {
    if !T::HAS_RESTS {
        return None;
    }
    let rests: Vec<f64> = x.row(row).iter().map(|x| x.exact().rest).collect();
    rests.iter().any(|rest| *rest != 0.0).then_some(rests)
}

/// Fills `out`, (rows, d), as the memory of `x` lies: with `by_row` where rows are contiguous, else with `by_entry`
/// of an entry and its column.
fn copy<T: Element, O>(
    x: &ArrayView2<'_, T>,
    rows: Range<usize>,
    out: &mut [O],
    by_row: impl Fn(&[T], &mut [O]),
    by_entry: impl Fn(T, usize) -> O,
) {
    let d = x.ncols();
    let part = x.slice_axis(Axis(0), Slice::from(rows));
    if x.strides()[0].unsigned_abs() >= x.strides()[1].unsigned_abs() {
        for (row, out) in part.rows().into_iter().zip(out.chunks_exact_mut(d.max(1))) {
            if let Some(row) = row.as_slice() {
                by_row(row, out);
            } else {
                let pairs = out.iter_mut().zip(row).enumerate();
                pairs.for_each(|(j, (o, x))| *o = by_entry(*x, j));
            }
        }
    } else {
        // Fortran order: down the columns.
        for (j, column) in part.columns().into_iter().enumerate() {
            for (i, x) in column.into_iter().enumerate() {
                out[i * d + j] = by_entry(*x, j);
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
        let one = 1.0.exact();
        let affine = Affine::new(&vec![one; x.ncols()], vec![2.0; x.ncols()]);
        x.read(1..3, &affine, &mut out);
        let mut entries = [Exact::default(); 2];
        x.exact(1, 1..3, &mut entries);
        assert_eq!(entries.map(|e| 2.0 * (e.value - 1.0) as f32), out[1..3]);
        let plain: Vec<f64> = x.iter().map(|x| x.exact().value).collect();
        let plain = ArrayView2::from_shape(x.raw_dim(), &plain).unwrap();
        assert_eq!(x.hashes(0..4), plain.hashes(0..4));
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
        let affine = Affine::new(&[1.6e9.exact()], vec![1.0]);
        let mut out = [0.0; 3];
        x.view().read(0..3, &affine, &mut out);
        assert_eq!(out, [0.0, 0.25, 0.5]);
    }

    #[test]
    fn equal_rows_have_equal_hashes() {
        let nan = f64::from_bits(f64::NAN.to_bits() ^ 1);
        let x = ndarray::array![
            [0.0, 1.0],
            [-0.0, 1.0],
            [f64::NAN, 1.0],
            [nan, 1.0],
            [1.0, 0.0]
        ];
        let hashes = x.view().hashes(0..5);
        assert_eq!((hashes[0], hashes[2]), (hashes[1], hashes[3]));
        assert!(!hashes[2].is_finite && hashes[0].is_finite);
        let mut all = [hashes[0].hash, hashes[2].hash, hashes[4].hash].to_vec();
        all.dedup();
        assert_eq!(all.len(), 3);
    }

    #[test]
    fn integers_beyond_doubles_have_hashes_of_their_own() {
        let ids = Array2::from_shape_fn((5, 1), |(i, _)| (1_i64 << 60) + i as i64);
        let hashes = ids.view().hashes(0..5);
        assert_eq!(hashes, ids.mapv(|id| id as u64).view().hashes(0..5));
        // The first is a double.
        assert_eq!(hashes[0], ids.mapv(|id| id as f64).view().hashes(0..1)[0]);
        let mut hashes: Vec<u64> = hashes.into_iter().map(|row| row.hash).collect();
        hashes.dedup();
        assert_eq!(hashes.len(), 5);
    }

    #[test]
    fn hashes_do_not_depend_on_how_many_are_taken() {
        let x = Array2::from_shape_fn((9, HASHED / 2), |(i, j)| (i * j) as f32);
        let one_by_one = (0..9).map(|i| x.view().hashes(i..i + 1)[0]);
        assert_eq!(x.view().hashes(0..9), one_by_one.collect::<Vec<_>>());
    }
}
