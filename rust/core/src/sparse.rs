//! Compressed sparse rows: the form in which graphs travel between the stages.

use pulp::{Arch, NullaryFnOnce};

use crate::error::{Result, check_len};
use crate::parallel::fill_blocks;

/// A square sparse matrix, (n, n), by rows; within a row the columns ascend.
#[derive(Debug, Clone, PartialEq)]
pub struct CsrMatrix {
    /// Row i occupies `indptr[i]..indptr[i + 1]` of the other two; (n + 1,).
    pub indptr: Vec<usize>,
    /// Column of each entry.
    pub indices: Vec<u32>,
    /// Value of each entry.
    pub data: Vec<f32>,
}

impl CsrMatrix {
    /// Number of rows, n.
    #[must_use]
    pub fn n(&self) -> usize {
        self.indptr.len() - 1
    }

    /// Columns and values of row `i`.
    pub fn row(&self, i: usize) -> impl ExactSizeIterator<Item = (u32, f32)> + '_ {
        let at = self.indptr[i]..self.indptr[i + 1];
        self.indices[at.clone()]
            .iter()
            .copied()
            .zip(self.data[at].iter().copied())
    }

    /// Sum of each row, (n,): the degrees of a weighted graph.
    #[must_use]
    pub fn row_sums(&self) -> Vec<f64> {
        (0..self.n())
            .map(|i| self.row(i).map(|(_, w)| f64::from(w)).sum())
            .collect()
    }

    /// `out = A x` for dense row-major `x` and `out`, (n, b). O(entries b).
    ///
    /// # Errors
    /// [`crate::Error::Shape`].
    pub fn matmul(&self, x: &[f32], b: usize, out: &mut [f32]) -> Result<()> {
        check_len("x", x.len(), self.n() * b)?;
        check_len("out", out.len(), self.n() * b)?;
        fill_blocks(out, b, ROWS, |first, rows| {
            Arch::new().dispatch(Product {
                matrix: self,
                x,
                b,
                first,
                out: rows,
            });
            Ok(())
        })
    }
}

/// Columns that are summed in registers.
const LANES: usize = 8;
/// Rows of a block.
const ROWS: usize = 512;

struct Product<'a> {
    matrix: &'a CsrMatrix,
    x: &'a [f32],
    b: usize,
    first: usize,
    out: &'a mut [f32],
}

impl NullaryFnOnce for Product<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let b = self.b;
        for (r, out) in self.out.chunks_exact_mut(b).enumerate() {
            for from in (0..b).step_by(LANES) {
                let width = LANES.min(b - from);
                let mut sum = [0.0_f32; LANES];
                for (j, w) in self.matrix.row(self.first + r) {
                    let x = &self.x[j as usize * b + from..][..width];
                    if let Ok(x) = <&[f32; LANES]>::try_from(x) {
                        for (s, x) in sum.iter_mut().zip(x) {
                            *s += w * x;
                        }
                    } else {
                        for (s, x) in sum.iter_mut().zip(x) {
                            *s += w * x;
                        }
                    }
                }
                out[from..from + width].copy_from_slice(&sum[..width]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn product_matches_a_plain_loop() {
        let matrix = CsrMatrix {
            indptr: vec![0, 2, 2, 3],
            indices: vec![0, 2, 1],
            data: vec![2.0, -1.0, 0.5],
        };
        for b in 1..20 {
            let x: Vec<f32> = (0..3 * b).map(|e| (e * 7 % 5) as f32).collect();
            let mut out = vec![9.0; 3 * b];
            matrix.matmul(&x, b, &mut out).unwrap();
            for c in 0..b {
                assert_eq!(out[c], 2.0 * x[c] - x[2 * b + c]);
                assert_eq!(out[b + c], 0.0);
                assert_eq!(out[2 * b + c], 0.5 * x[b + c]);
            }
        }
        assert_eq!(matrix.row_sums(), [1.0, 0.0, 0.5]);
    }
}
