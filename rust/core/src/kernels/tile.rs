//! Products of rows that stay in registers until they have been used.
//!
//! A tile is [`ROWS`] rows by [`COLS`] columns of `a bᵀ`. The right side is packed so that one step
//! of the inner dimension is contiguous: [`COLS`] / lanes vectors against as many scalars as the tile
//! has rows, read where they are (after Goto & van de Geijn 2008). What is done with a tile is
//! inlined behind the products ([`Epilogue`]), so that no matrix of products is written and read
//! again.
//!
//! # Numerics
//! Each product is summed over the inner dimension in ascending order, with fused rounding where
//! the machine has it, wherever in a tile it lies: its value depends on its two rows alone.

use pulp::{Simd, WithSimd};

use crate::arrays::matrix::MatrixView;
use crate::run::instruction_set;

/// Rows of a tile: with [`COLS`], 24 of the 32 vector registers of AVX-512 hold sums.
pub const ROWS: usize = 12;
/// Columns of a tile.
pub const COLS: usize = 32;
/// `rows` and those that fill up a tile, as its rows and as its columns.
#[must_use]
pub fn padded(rows: usize) -> usize {
    rows.next_multiple_of(ROWS).max(rows.next_multiple_of(COLS))
}

/// Rows whose sums fit into registers of four or eight lanes.
const FEW_ROWS: usize = 3;

/// A cache line, so that vectors never straddle two.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
struct Line([f32; LINE]);

const LINE: usize = 16;
const LINES: usize = COLS / LINE;

/// Rows packed [`COLS`] at a time for the right side of a tile; the last panel is filled up with
/// zeros.
#[derive(Debug, Clone, Default)]
pub struct RightPanels {
    /// Entries of a row.
    depth: usize,
    /// Panel by panel, entry by entry.
    steps: Vec<[Line; LINES]>,
}

impl RightPanels {
    /// Packs `x`, (n, p), in place of what was packed before.
    pub fn pack(&mut self, x: MatrixView<'_>) {
        let depth = x.cols();
        self.depth = depth;
        self.steps.clear();
        let zeros = [Line([0.0; LINE]); LINES];
        self.steps.resize(x.rows().div_ceil(COLS) * depth, zeros);
        for i in 0..x.rows() {
            let panel = &mut self.steps[i / COLS * depth..];
            let at = i % COLS;
            for (step, v) in panel.iter_mut().zip(x.row(i)) {
                step[at / LINE].0[at % LINE] = *v;
            }
        }
    }
}

/// What is done with the products of a row and some neighbouring columns.
pub trait Epilogue {
    /// `products`: of left row `row` and the right rows from `col` on, one a lane. Rows and
    /// columns that fill up a tile come too: the last row once more, and columns of zeros.
    ///
    /// Implementations must be `#[inline(always)]`, or the instruction set is lost.
    fn take<S: Simd>(&mut self, simd: S, row: usize, col: usize, products: S::f32s);
}

/// Calls `epilogue` with every product of a row of `left`, (r, p), and a row of `right`, also of p
/// entries.
///
/// Columns go in panels: all rows with the first [`COLS`] columns, then all with the next.
///
/// # Panics
/// Where the rows have not as many entries on both sides.
pub fn for_each_tile(left: MatrixView<'_>, right: &RightPanels, epilogue: &mut impl Epilogue) {
    assert_eq!(left.cols(), right.depth, "shapes differ");
    instruction_set::arch().dispatch(Tiles {
        left,
        right: &right.steps,
        epilogue,
    });
}

struct Tiles<'a, E> {
    left: MatrixView<'a>,
    right: &'a [[Line; LINES]],
    epilogue: &'a mut E,
}

impl<E: Epilogue> WithSimd for Tiles<'_, E> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        match S::F32_LANES {
            16 => self.run::<S, ROWS, { COLS / 16 }>(simd),
            8 => self.run::<S, FEW_ROWS, { COLS / 8 }>(simd),
            4 => self.run::<S, FEW_ROWS, { COLS / 4 }>(simd),
            _ => self.run::<S, 1, COLS>(simd),
        }
    }
}

impl<E: Epilogue> Tiles<'_, E> {
    #[inline(always)]
    fn run<S: Simd, const R: usize, const VECTORS: usize>(self, simd: S) {
        let (n, depth) = (self.left.rows(), self.left.cols());
        for (c, b) in self.right.chunks_exact(depth.max(1)).enumerate() {
            for first in (0..n.next_multiple_of(ROWS)).step_by(R) {
                let rows = std::array::from_fn(|i| self.left.row((first + i).min(n - 1)));
                let sums = products::<S, R, VECTORS>(simd, rows, b);
                for (i, sums) in sums.into_iter().enumerate() {
                    for (v, sums) in sums.into_iter().enumerate() {
                        let col = c * COLS + v * S::F32_LANES;
                        self.epilogue.take(simd, first + i, col, sums);
                    }
                }
            }
        }
    }
}

/// Products of rows and a panel.
#[inline(always)]
fn products<S: Simd, const R: usize, const VECTORS: usize>(
    simd: S,
    rows: [&[f32]; R],
    panel: &[[Line; LINES]],
) -> [[S::f32s; VECTORS]; R] {
    let rows = rows.map(|row| &row[..panel.len()]);
    let mut sums = [[simd.splat_f32s(0.0); VECTORS]; R];
    for (k, step) in panel.iter().enumerate() {
        let mut vectors = [simd.splat_f32s(0.0); VECTORS];
        let lines = step.iter().flat_map(|line| S::as_simd_f32s(&line.0).0);
        vectors.iter_mut().zip(lines).for_each(|(v, x)| *v = *x);
        for i in 0..R {
            let x = simd.splat_f32s(rows[i][k]);
            for v in 0..VECTORS {
                sums[i][v] = simd.mul_add_e_f32s(x, vectors[v], sums[i][v]);
            }
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arrays::matrix::Matrix;
    use crate::run::instruction_set::twin::{Twin, twins};

    struct Written {
        cols: usize,
        out: Vec<f32>,
    }

    impl Epilogue for Written {
        #[inline(always)]
        fn take<S: Simd>(&mut self, simd: S, row: usize, col: usize, products: S::f32s) {
            let at = row * self.cols + col;
            simd.partial_store_f32s(&mut self.out[at..at + S::F32_LANES], products);
        }
    }

    fn matrix(rows: usize, cols: usize, from: usize) -> Matrix {
        let value = |i: usize| ((i * 7 + from) % 11) as f32 - 5.0;
        Matrix::from_vec((0..rows * cols).map(value).collect(), rows, cols).unwrap()
    }

    fn tiles(a: MatrixView<'_>, b: &Matrix, twin: Option<Twin>) -> Written {
        let mut right = RightPanels::default();
        // Packed twice: nothing of the first may remain.
        right.pack(matrix(70, a.cols() + 1, 0).view());
        right.pack(b.view());
        let cols = b.rows().div_ceil(COLS) * COLS;
        let mut written = Written {
            cols,
            out: vec![f32::NAN; a.rows().div_ceil(ROWS) * ROWS * cols],
        };
        match twin {
            None => for_each_tile(a, &right, &mut written),
            Some(twin) => twin.run(Tiles {
                left: a,
                right: &right.steps,
                epilogue: &mut written,
            }),
        }
        written
    }

    #[test]
    fn products_match_plain_loops_at_every_width() {
        let runs: Vec<_> = twins().into_iter().map(Some).chain([None]).collect();
        for rows in [0, 1, 3, 12, 13, 40] {
            for cols in 0..70 {
                for depth in [1, 2, 17] {
                    let (a, b) = (matrix(rows, depth, 1), matrix(cols, depth, 2));
                    for &run in &runs {
                        let got = tiles(a.view(), &b, run);
                        for (i, j) in (0..rows).flat_map(|i| (0..cols).map(move |j| (i, j))) {
                            let pairs = a.row(i).iter().zip(b.row(j));
                            let expected: f32 = pairs.map(|(x, y)| x * y).sum();
                            assert_eq!(got.out[i * got.cols + j], expected, "row {i} column {j}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn not_a_number_stays_in_its_row() {
        let (mut a, b) = (matrix(5, 3, 1), matrix(5, 3, 2));
        a.row_mut(2)[1] = f32::NAN;
        let got = tiles(a.view(), &b, None);
        for i in 0..5 {
            let row = &got.out[i * got.cols..i * got.cols + 5];
            assert!(row.iter().all(|v| v.is_nan() == (i == 2)));
        }
    }
}
