//! Compressed sparse rows: the form in which graphs travel between the stages.

use pulp::{Simd, WithSimd};

use crate::arrays::bytes::{Bytes, Reader, Writer};
use crate::run::error::{Error, Result, check_len};
use crate::run::instruction_set;
use crate::run::parallel::fill_blocks;

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

impl Bytes for CsrMatrix {
    fn write(&self, to: &mut Writer) {
        let indptr: Vec<u64> = self.indptr.iter().map(|&i| i as u64).collect();
        to.list(&indptr);
        to.list(&self.indices);
        to.list(&self.data);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self> {
        let indptr: Vec<u64> = from.list()?;
        Ok(Self {
            indptr: indptr.into_iter().map(|i| i as usize).collect(),
            indices: from.list()?,
            data: from.list()?,
        })
    }
}

impl CsrMatrix {
    /// Number of rows, n.
    #[must_use]
    pub fn n(&self) -> usize {
        self.indptr.len() - 1
    }

    /// Checks that the three arrays make a matrix of finite values: for those from outside.
    ///
    /// ```
    /// use fast_select_core::numeric::sparse::CsrMatrix;
    ///
    /// let edge = CsrMatrix { indptr: vec![0, 1, 2], indices: vec![1, 0], data: vec![1.0; 2] };
    /// assert!(edge.check().is_ok());
    /// assert!(CsrMatrix { indptr: vec![0, 2, 1], ..edge.clone() }.check().is_err());
    /// assert!(CsrMatrix { indices: vec![2, 0], ..edge }.check().is_err());
    /// ```
    ///
    /// # Errors
    /// [`crate::Error::Refused`] naming the array that does not fit.
    pub fn check(&self) -> Result<()> {
        check_indptr(&self.indptr, self.indices.len())?;
        check_len("data", self.data.len(), self.indices.len())?;
        check_columns(&self.indices, self.n())?;
        match self.data.iter().find(|w| !w.is_finite()) {
            Some(w) => Err(Error::refused("data", format!("holds {w}"))),
            None => Ok(()),
        }
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
    ///
    /// ```
    /// use fast_select_core::numeric::sparse::CsrMatrix;
    ///
    /// // The path 0 - 1 - 2 with weights 1 and 2.
    /// let path = CsrMatrix {
    ///     indptr: vec![0, 1, 3, 4],
    ///     indices: vec![1, 0, 2, 1],
    ///     data: vec![1.0, 1.0, 2.0, 2.0],
    /// };
    /// assert_eq!(path.row_sums(), [1.0, 3.0, 2.0]);
    /// ```
    #[must_use]
    pub fn row_sums(&self) -> Vec<f64> {
        (0..self.n())
            .map(|i| self.row(i).map(|(_, w)| f64::from(w)).sum())
            .collect()
    }

    /// `out = A x` for dense row-major `x` and `out`, (n, b). O(entries b).
    ///
    /// ```
    /// use fast_select_core::numeric::sparse::CsrMatrix;
    ///
    /// // The path 0 - 1 - 2 with weights 1 and 2.
    /// let path = CsrMatrix {
    ///     indptr: vec![0, 1, 3, 4],
    ///     indices: vec![1, 0, 2, 1],
    ///     data: vec![1.0, 1.0, 2.0, 2.0],
    /// };
    /// let mut out = [0.0; 3];
    /// path.matmul(&[1.0, 10.0, 100.0], 1, &mut out)?;
    /// assert_eq!(out, [10.0, 201.0, 20.0]);
    /// # Ok::<(), fast_select_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`crate::Error::Refused`] for arrays of other lengths.
    pub fn matmul(&self, x: &[f32], b: usize, out: &mut [f32]) -> Result<()> {
        self.product(x, b, None, out)
    }

    /// `out = scale A x + shift x + keep out`: a step of a three-term recurrence. Shapes and cost as
    /// [`CsrMatrix::matmul`]'s, without another pass over memory.
    ///
    /// ```
    /// use fast_select_core::numeric::sparse::{CsrMatrix, Recurrence};
    ///
    /// // One edge of weight 1, so that A x is (2, 1).
    /// let edge = CsrMatrix { indptr: vec![0, 1, 2], indices: vec![1, 0], data: vec![1.0; 2] };
    /// let terms = Recurrence { scale: 10.0, shift: 3.0, keep: -1.0 };
    /// let mut out = [7.0, 0.0];
    /// edge.recur(&[1.0, 2.0], 1, terms, &mut out)?;
    /// assert_eq!(out, [20.0 + 3.0 - 7.0, 10.0 + 6.0]);
    /// # Ok::<(), fast_select_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`crate::Error::Refused`] for arrays of other lengths.
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
            instruction_set::arch().dispatch(Product {
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

/// Checks that `indptr` cuts `entries` entries into rows.
///
/// # Errors
/// [`crate::Error::Refused`] unless it ascends from 0 to `entries`.
pub fn check_indptr(indptr: &[usize], entries: usize) -> Result<()> {
    if indptr.first() == Some(&0) && indptr.last() == Some(&entries) && indptr.is_sorted() {
        Ok(())
    } else {
        let fact = format!("does not ascend from 0 to the {entries} entries");
        Err(Error::refused("indptr", fact))
    }
}

/// Checks that every one of `indices` is a column of n.
///
/// # Errors
/// [`crate::Error::Refused`] naming the first that is not.
pub fn check_columns(indices: &[u32], n: usize) -> Result<()> {
    match indices.iter().find(|j| **j as usize >= n) {
        Some(j) => Err(Error::refused("indices", format!("name column {j} of {n}"))),
        None => Ok(()),
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
const GROUP: usize = 16;
/// Sums of a row's entries kept side by side: a single one would wait for each product before the
/// next.
const CHAINS: usize = 4;
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
            _ => self.run::<S, GROUP>(simd),
        }
    }
}

impl Product<'_> {
    /// With N registers for GROUP columns.
    #[inline(always)]
    fn run<S: Simd, const N: usize>(self, simd: S) {
        let (b, matrix) = (self.b, self.matrix);
        let (groups, _) = self.x.as_chunks::<GROUP>();
        for (r, out) in self.out.chunks_exact_mut(b).enumerate() {
            let i = self.first + r;
            let at = matrix.indptr[i]..matrix.indptr[i + 1];
            let (indices, data) = (&matrix.indices[at.clone()], &matrix.data[at]);
            for (part, out) in out.chunks_mut(GROUP).enumerate() {
                let from = part * GROUP;
                let mut sum = [0.0_f32; GROUP];
                if b.is_multiple_of(GROUP) {
                    let column = Column {
                        groups,
                        stride: b / GROUP,
                        part,
                    };
                    let total = column.sum::<S, N>(simd, indices, data);
                    S::as_mut_simd_f32s(&mut sum).0.copy_from_slice(&total);
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

/// GROUP columns of a dense matrix.
struct Column<'a> {
    groups: &'a [[f32; GROUP]],
    /// Groups a row, and which of them.
    stride: usize,
    part: usize,
}

impl Column<'_> {
    /// `Σ_e data_e x[indices_e]`.
    #[inline(always)]
    fn sum<S: Simd, const N: usize>(&self, simd: S, indices: &[u32], data: &[f32]) -> [S::f32s; N] {
        let mut sums = [[simd.splat_f32s(0.0); N]; CHAINS];
        let (indices, last_indices) = indices.as_chunks::<CHAINS>();
        let (data, last_data) = data.as_chunks::<CHAINS>();
        for (j, w) in indices.iter().zip(data) {
            for k in 0..CHAINS {
                self.add(simd, &mut sums[k], j[k], w[k]);
            }
        }
        for (&j, &w) in last_indices.iter().zip(last_data) {
            self.add(simd, &mut sums[0], j, w);
        }
        let mut total = sums[0];
        for sum in &sums[1..] {
            for c in 0..N {
                total[c] = simd.add_f32s(total[c], sum[c]);
            }
        }
        total
    }

    /// `sum += w x[j]`.
    #[inline(always)]
    fn add<S: Simd, const N: usize>(&self, simd: S, sum: &mut [S::f32s; N], j: u32, w: f32) {
        let (x, _) = S::as_simd_f32s(&self.groups[j as usize * self.stride + self.part]);
        let w = simd.splat_f32s(w);
        for c in 0..N {
            sum[c] = simd.mul_add_e_f32s(w, x[c], sum[c]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::instruction_set::twin::twins;

    /// 70 rows, of 0 to 69 entries.
    fn uneven() -> CsrMatrix {
        let n = 70;
        let mut matrix = CsrMatrix {
            indptr: vec![0],
            indices: vec![],
            data: vec![],
        };
        for i in 0..n {
            // Whole numbers: every order of summation is exact.
            let mut columns: Vec<u32> = (0..i as u32).map(|e| (e * 3 + 1) % n as u32).collect();
            columns.sort_unstable();
            matrix
                .data
                .extend(columns.iter().map(|j| (j * 5 % 7) as f32 - 3.0));
            matrix.indices.extend(columns);
            matrix.indptr.push(matrix.indices.len());
        }
        matrix
    }

    #[test]
    fn products_match_plain_loops_at_every_width() {
        let matrix = uneven();
        let n = matrix.n();
        let terms = Recurrence {
            scale: 2.0,
            shift: -1.0,
            keep: 0.5,
        };
        // 32 and 48 have more than one group of columns.
        for b in (1..20).chain([32, 40, 48]) {
            let x: Vec<f32> = (0..n * b).map(|e| (e * 7 % 5) as f32).collect();
            let before: Vec<f32> = (0..n * b).map(|e| (e % 3) as f32).collect();
            let (mut product, mut recurred) = (vec![9.0; n * b], before.clone());
            matrix.matmul(&x, b, &mut product).unwrap();
            matrix.recur(&x, b, terms, &mut recurred).unwrap();
            for (e, got) in product.iter().enumerate() {
                let entries = matrix.row(e / b);
                let sum: f32 = entries.map(|(j, w)| w * x[j as usize * b + e % b]).sum();
                assert_eq!(*got, sum);
                assert_eq!(recurred[e], 2.0 * sum - x[e] + 0.5 * before[e]);
            }
            for (twin, terms) in twins()
                .into_iter()
                .flat_map(|t| [(t, None), (t, Some(terms))])
            {
                let mut out = before.clone();
                twin.run(Product {
                    matrix: &matrix,
                    x: &x,
                    b,
                    terms,
                    first: 0,
                    out: &mut out,
                });
                assert_eq!(
                    out,
                    if terms.is_some() {
                        &recurred[..]
                    } else {
                        &product[..]
                    }
                );
            }
        }
    }

    #[test]
    fn not_a_number_stays_in_its_column() {
        let matrix = uneven();
        let mut x = vec![1.0; matrix.n() * GROUP];
        x[GROUP + 2] = f32::NAN;
        let mut out = vec![0.0; x.len()];
        matrix.matmul(&x, GROUP, &mut out).unwrap();
        for (i, row) in out.chunks_exact(GROUP).enumerate() {
            let touched = matrix.row(i).any(|(j, _)| j == 1);
            let found = row.iter().map(|v| v.is_nan());
            assert!(found.eq((0..GROUP).map(|c| touched && c == 2)));
        }
        assert!(matrix.matmul(&x[1..], GROUP, &mut out).is_err());
    }

    #[test]
    fn rows_are_summed() {
        let matrix = CsrMatrix {
            indptr: vec![0, 2, 2, 3],
            indices: vec![0, 2, 1],
            data: vec![2.0, -1.0, 0.5],
        };
        assert_eq!(matrix.row_sums(), [1.0, 0.0, 0.5]);
    }
}
