//! Count sketch: lengths of linear combinations of tall vectors from a short summary of each.
//!
//! `S x` adds every entry of x, its sign kept or turned, to one of s buckets (Charikar et al. 2002).
//! S is linear and `E |S x|² = |x|²`, with a standard deviation of `|x|² √(2 / s)`: 9 % for our s.

use pulp::NullaryFnOnce;

use crate::arrays::matrix::{Matrix, MatrixView};
use crate::kernels::product::matmul_nn;
use crate::kernels::thin::WIDTH;
use crate::run::error::Result;
use crate::run::instruction_set;
use crate::run::parallel::{PARTIAL_SUMS, add_in_order, map_blocks};

/// Buckets, s.
const BUCKETS: usize = 256;

/// `S x` of each column of `x`, (n, [`WIDTH`]), one a row: (WIDTH, s). The same S for every `x` of n
/// rows. O(n).
///
/// # Errors
/// None: the tasks cannot fail.
pub fn count_sketch(x: &Matrix) -> Result<Vec<f32>> {
    let rows = x.as_slice().as_chunks::<WIDTH>().0;
    let parts = map_blocks(rows.len(), rows.len().div_ceil(PARTIAL_SUMS), |at| {
        let mut sums = vec![[0.0; WIDTH]; BUCKETS];
        instruction_set::arch().dispatch(Scatter {
            rows: &rows[at.clone()],
            first: at.start,
            sums: &mut sums,
        });
        Ok(sums)
    })?;
    let mut sums = vec![[0.0; WIDTH]; BUCKETS];
    add_in_order(
        sums.as_flattened_mut(),
        parts.iter().map(|part| part.as_flattened()),
    );
    let entries = 0..WIDTH * BUCKETS;
    Ok(entries.map(|e| sums[e % BUCKETS][e / BUCKETS]).collect())
}

/// Sketches of combinations, one a row: `turn sketches`, (c, s), for `turn`, (c, k), and k sketches.
///
/// # Errors
/// [`crate::Error::Refused`] for another number of sketches.
pub fn combined(turn: MatrixView<'_>, sketches: &[f32]) -> Result<Matrix> {
    let sketches = MatrixView::new(sketches, turn.cols(), BUCKETS)?;
    let mut out = Matrix::zeros(turn.rows(), BUCKETS);
    matmul_nn(out.as_mut_slice(), turn, sketches, false);
    Ok(out)
}

struct Scatter<'a> {
    rows: &'a [[f32; WIDTH]],
    first: usize,
    sums: &'a mut [[f32; WIDTH]],
}

impl NullaryFnOnce for Scatter<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        for (i, row) in (self.first..).zip(self.rows) {
            let (bucket, sign) = bucket(i);
            let sums = self.sums[bucket].iter_mut();
            sums.zip(row).for_each(|(s, x)| *s += sign * x);
        }
    }
}

/// Where row `i` goes, and its sign: `SplitMix64`'s mixing of i.
#[inline(always)]
fn bucket(i: usize) -> (usize, f32) {
    let mut z = (i as u64).wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^= z >> 31;
    let sign = if z & 1 == 0 { 1.0 } else { -1.0 };
    ((z >> 1) as usize % BUCKETS, sign)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_combinations_are_kept() {
        let n = 20_000;
        let data = (0..WIDTH * n)
            .map(|e| ((e * 37 % 101) as f32).sin())
            .collect();
        let x = Matrix::from_vec(data, n, WIDTH).unwrap();
        let sketches = count_sketch(&x).unwrap();
        let mut turn = Matrix::zeros(3, WIDTH);
        turn.row_mut(0)[0] = 1.0;
        turn.row_mut(1)[WIDTH - 1] = 1.0;
        turn.row_mut(2)[..3].copy_from_slice(&[1.0, -0.9, 0.5]);
        let found = combined(turn.view(), &sketches).unwrap();
        for c in 0..3 {
            let entry = |row: &[f32]| row.iter().zip(turn.row(c)).map(|(x, y)| x * y).sum::<f32>();
            let exact: f32 = (0..n).map(|i| entry(x.row(i)).powi(2)).sum();
            let estimate: f32 = found.row(c).iter().map(|x| x * x).sum();
            // Four standard deviations.
            assert!((estimate / exact - 1.0).abs() < 0.36, "{estimate} {exact}");
        }
        assert!(combined(turn.view(), &sketches[1..]).is_err());
    }

    #[test]
    fn one_row_keeps_its_length() {
        let mut x = Matrix::zeros(1, WIDTH);
        x.row_mut(0)[..2].copy_from_slice(&[-3.0, 4.0]);
        let sketches = count_sketch(&x).unwrap();
        assert_eq!(sketches.iter().map(|x| x * x).sum::<f32>(), 25.0);
        assert!(
            count_sketch(&Matrix::zeros(0, WIDTH))
                .unwrap()
                .iter()
                .all(|x| *x == 0.0)
        );
    }
}
