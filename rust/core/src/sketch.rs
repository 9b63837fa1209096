//! Count sketch: lengths of linear combinations of tall vectors from a short summary of each.
//!
//! `S x` adds every entry of x, its sign kept or turned, to one of s buckets (Charikar et al. 2002).
//! S is linear and `E |S x|² = |x|²`, with a standard deviation of `|x|² √(2 / s)`: 9 % for our s.

use crate::error::{Result, check_len};
use crate::linalg::Matrix;
use crate::parallel::sum_blocks;

/// Buckets, s.
pub const BUCKETS: usize = 256;
/// Rows of a block.
const ROWS: usize = 512;

/// `S x` of each column of `x`, (n, b), one after the other: (b, s). The same S for every `x` of n
/// rows. O(n b).
///
/// # Errors
/// None but what the threads pass on.
pub fn count_sketch(x: &Matrix) -> Result<Vec<f64>> {
    let b = x.cols();
    let sums = sum_blocks(x.rows(), ROWS, BUCKETS * b, |rows, sums| {
        for i in rows {
            let (bucket, sign) = bucket(i);
            let sums = &mut sums[bucket * b..][..b];
            for (s, x) in sums.iter_mut().zip(x.row(i)) {
                *s += f64::from(sign * x);
            }
        }
        Ok(())
    })?;
    let transposed = (0..b * BUCKETS).map(|e| sums[e % BUCKETS * b + e / BUCKETS]);
    Ok(transposed.collect())
}

/// `Σ_j y_j sketch_j` of k sketches one after the other, (k, s), for `y`, (k,): the combination's
/// sketch, (s,).
///
/// # Errors
/// [`crate::Error::Shape`].
pub fn combined(sketches: &[f64], y: &[f64]) -> Result<Vec<f64>> {
    check_len("sketches", sketches.len(), y.len() * BUCKETS)?;
    let mut out = vec![0.0; BUCKETS];
    for (y, sketch) in y.iter().zip(sketches.chunks_exact(BUCKETS)) {
        out.iter_mut().zip(sketch).for_each(|(o, s)| *o += y * s);
    }
    Ok(out)
}

/// Where row `i` goes, and its sign: `SplitMix64`'s mixing of i.
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
        let data = (0..2 * n).map(|e| ((e * 37 % 101) as f32).sin()).collect();
        let x = Matrix::from_vec(data, n, 2).unwrap();
        let sketches = count_sketch(&x).unwrap();
        for y in [[1.0, 0.0], [0.0, 1.0], [1.0, -0.9]] {
            let rows = x.as_slice().chunks_exact(2);
            let entries = rows.map(|r| y[0] * f64::from(r[0]) + y[1] * f64::from(r[1]));
            let exact = entries.map(|x| x * x).sum::<f64>();
            let sketch = combined(&sketches, &y).unwrap();
            let estimate = sketch.iter().map(|x| x * x).sum::<f64>();
            // Four standard deviations.
            assert!((estimate / exact - 1.0).abs() < 0.36, "{estimate} {exact}");
        }
    }

    #[test]
    fn one_row_keeps_its_length() {
        let x = Matrix::from_vec(vec![-3.0, 4.0], 1, 2).unwrap();
        let sketches = count_sketch(&x).unwrap();
        let total: f64 = sketches.iter().map(|x| x * x).sum();
        assert_eq!(total, 25.0);
        assert!(combined(&sketches, &[1.0]).is_err());
    }
}
