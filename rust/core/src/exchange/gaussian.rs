//! Kernels from products that are in registers.

use pulp::Simd;

use crate::arrays::matrix::MatrixView;
use crate::kernels::exp::gaussian_powers_of;
use crate::kernels::tile::{Epilogue, RightPanels, for_each_tile, padded};

/// Exponent of rows that fill up a tile: their kernels are 0.
const NOTHING: f32 = -1e30;

/// What squared norms have to do with the exponents of kernels, to base 2.
#[derive(Debug, Clone, Default)]
pub struct Exponents {
    /// The exponent of the coarsest kernel at squared distance 1, below 0.
    scale: f32,
    /// That times the squared norm of each row.
    of_rows: Vec<f32>,
}

impl Exponents {
    /// Of rows of squared norms `norms`; `scale`: exponent, to base e, of the coarsest kernel at squared
    /// distance 1.
    pub fn new(norms: &[f32], scale: f32) -> Self {
        let base = Self {
            scale: scale * std::f32::consts::LOG2_E,
            of_rows: vec![],
        };
        base.of_others(norms)
    }

    /// Those of other rows, for the same kernels.
    fn of_others(&self, norms: &[f32]) -> Self {
        let scale = self.scale;
        let mut of_rows: Vec<f32> = norms.iter().map(|norm| scale * norm).collect();
        of_rows.resize(padded(norms.len()), NOTHING);
        Self { scale, of_rows }
    }

    /// Kernels of row `row` of these with neighbouring rows of `others`, from `col` on, whose products with it
    /// are `products`.
    #[inline(always)]
    pub fn kernels<S: Simd>(
        &self,
        simd: S,
        row: usize,
        others: &Self,
        col: usize,
        products: S::f32s,
    ) -> S::f32s {
        let columns = &others.of_rows[col..col + S::F32_LANES];
        let norms = simd.add_f32s(
            simd.splat_f32s(self.of_rows[row]),
            S::as_simd_f32s(columns).0[0],
        );
        // |a - b|^2 = |a|^2 + |b|^2 - 2 a·b
        let per_product = simd.splat_f32s(-2.0 * self.scale);
        let exponent = simd.mul_add_e_f32s(products, per_product, norms);
        gaussian_powers_of(simd, exponent)
    }
}

/// Rows packed for kernels with others.
#[derive(Debug, Clone, Default)]
pub struct Packed {
    panels: RightPanels,
    exponents: Exponents,
    rows: usize,
}

impl Packed {
    /// Packs `x`, (m, p), of squared norms `norms`, in place of what was packed before.
    pub fn pack(&mut self, x: MatrixView<'_>, norms: &[f32], scale: f32) {
        self.panels.pack(x);
        self.exponents = Exponents::new(norms, scale);
        self.rows = x.rows();
    }

    /// Kernels of the rows `x`, (r, p), of squared norms `norms`, with those packed, written to `out`, (r, m).
    /// O(r m p).
    pub fn kernels(&self, x: MatrixView<'_>, norms: &[f32], out: &mut [f32]) {
        let mut written = Written {
            rows: &self.exponents.of_others(norms),
            n_rows: x.rows(),
            columns: &self.exponents,
            n_columns: self.rows,
            out,
        };
        for_each_tile(x, &self.panels, &mut written);
    }
}

/// Kernels on their way into a matrix.
struct Written<'a> {
    rows: &'a Exponents,
    n_rows: usize,
    columns: &'a Exponents,
    n_columns: usize,
    out: &'a mut [f32],
}

impl Epilogue for Written<'_> {
    #[inline(always)]
    fn take<S: Simd>(&mut self, simd: S, row: usize, col: usize, products: S::f32s) {
        if row >= self.n_rows || col >= self.n_columns {
            return;
        }
        let kernels = self.rows.kernels(simd, row, self.columns, col, products);
        let at = row * self.n_columns + col;
        let len = S::F32_LANES.min(self.n_columns - col);
        simd.partial_store_f32s(&mut self.out[at..at + len], kernels);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arrays::matrix::random_matrix;
    use crate::kernels::squared_distance::{squared_distance, squared_norms};

    #[test]
    fn kernels_match_plain_loops_at_every_size() {
        let mut packed = Packed::default();
        for (r, m, p) in [(1, 1, 1), (13, 70, 3), (5, 33, 17), (40, 12, 2)] {
            let (x, picks) = (random_matrix(r, p, 31), random_matrix(m, p, 37));
            packed.pack(picks.view(), &squared_norms(picks.view()), -0.245);
            let mut out = vec![-1.0; r * m];
            packed.kernels(x.view(), &squared_norms(x.view()), &mut out);
            for (i, j) in (0..r).flat_map(|i| (0..m).map(move |j| (i, j))) {
                let e = (-0.245 * f64::from(squared_distance(x.row(i), picks.row(j)))).exp();
                let expected = e + e.powi(4) + e.powi(16) + e.powi(64);
                let got = f64::from(out[i * m + j]);
                assert!(
                    (got - expected).abs() < 2e-5 * expected + 1e-6,
                    "{got} {expected}"
                );
            }
        }
    }
}
