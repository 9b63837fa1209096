//! Compressed sparse rows: the form in which graphs travel between the stages.

use pulp::{Arch, Simd, WithSimd};

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
        self.product(x, b, None, out)
    }

    /// `out = scale A x + shift x + keep out`: a step of a three-term recurrence. Shapes and cost as
    /// [`CsrMatrix::matmul`]'s, without another pass over memory.
    ///
    /// # Errors
    /// [`crate::Error::Shape`].
    pub fn recur(&self, x: &[f32], b: usize, terms: Recurrence, out: &mut [f32]) -> Result<()> {
        self.product(x, b, Some(terms), out)
    }

    fn product(
        &self,
        x: &[f32],
        b: usize,
        terms: Option<Recurrence>,
        out: &mut [f32],
    ) -> Result<()> {
        check_len("x", x.len(), self.n() * b)?;
        check_len("out", out.len(), self.n() * b)?;
        fill_blocks(out, b, ROWS, |first, rows| {
            Arch::new().dispatch(Product {
                matrix: self,
                x,
                b,
                terms,
                first,
                out: rows,
            });
            Ok(())
        })
    }
}

/// Factors of [`CsrMatrix::recur`].
#[derive(Debug, Clone, Copy)]
pub struct Recurrence {
    /// Of A x.
    pub scale: f32,
    /// Of x.
    pub shift: f32,
    /// Of what `out` held.
    pub keep: f32,
}

/// Columns that are summed in registers: a cache line of them.
const LANES: usize = 16;
/// Rows of a block.
const ROWS: usize = 512;

struct Product<'a> {
    matrix: &'a CsrMatrix,
    x: &'a [f32],
    b: usize,
    terms: Option<Recurrence>,
    first: usize,
    out: &'a mut [f32],
}

impl WithSimd for Product<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        match S::F32_LANES {
            16 => self.run::<S, 1>(simd),
            8 => self.run::<S, 2>(simd),
            4 => self.run::<S, 4>(simd),
            _ => self.run::<S, LANES>(simd),
        }
    }
}

impl Product<'_> {
    /// With N registers for LANES columns.
    #[inline(always)]
    fn run<S: Simd, const N: usize>(self, simd: S) {
        let (b, matrix) = (self.b, self.matrix);
        let (groups, _) = self.x.as_chunks::<LANES>();
        for (r, out) in self.out.chunks_exact_mut(b).enumerate() {
            let i = self.first + r;
            let at = matrix.indptr[i]..matrix.indptr[i + 1];
            let (indices, data) = (&matrix.indices[at.clone()], &matrix.data[at]);
            for (part, out) in out.chunks_mut(LANES).enumerate() {
                let from = part * LANES;
                let mut sum = [0.0_f32; LANES];
                if b.is_multiple_of(LANES) {
                    let mut registers = [simd.splat_f32s(0.0); N];
                    for (&j, &w) in indices.iter().zip(data) {
                        let (x, _) = S::as_simd_f32s(&groups[j as usize * (b / LANES) + part]);
                        let w = simd.splat_f32s(w);
                        for c in 0..N {
                            registers[c] = simd.mul_add_e_f32s(w, x[c], registers[c]);
                        }
                    }
                    S::as_mut_simd_f32s(&mut sum).0.copy_from_slice(&registers);
                } else {
                    for (&j, &w) in indices.iter().zip(data) {
                        let x = &self.x[j as usize * b + from..][..out.len()];
                        for (s, x) in sum.iter_mut().zip(x) {
                            *s += w * x;
                        }
                    }
                }
                match self.terms {
                    None => out.copy_from_slice(&sum[..out.len()]),
                    Some(t) => {
                        let x = &self.x[i * b + from..][..out.len()];
                        for ((o, s), x) in out.iter_mut().zip(sum).zip(x) {
                            *o = t.scale * s + t.shift * x + t.keep * *o;
                        }
                    }
                }
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
        // 32 and 48 have more than one group of columns.
        for b in (1..20).chain([32, 40, 48]) {
            let x: Vec<f32> = (0..3 * b).map(|e| (e * 7 % 5) as f32).collect();
            let mut out = vec![9.0; 3 * b];
            matrix.matmul(&x, b, &mut out).unwrap();
            for c in 0..b {
                assert_eq!(out[c], 2.0 * x[c] - x[2 * b + c]);
                assert_eq!(out[b + c], 0.0);
                assert_eq!(out[2 * b + c], 0.5 * x[b + c]);
            }
            let terms = Recurrence {
                scale: 2.0,
                shift: -1.0,
                keep: 0.5,
            };
            let before = out.clone();
            matrix.recur(&x, b, terms, &mut out).unwrap();
            for (e, got) in out.iter().enumerate() {
                assert_eq!(*got, 2.0 * before[e] - x[e] + 0.5 * before[e]);
            }
        }
        assert_eq!(matrix.row_sums(), [1.0, 0.0, 0.5]);
    }
}
