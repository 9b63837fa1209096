//! Short rows that lie no farther apart than those they stand for.
//!
//! A row z about the centre becomes its coordinates along the leading principal directions, and the norm of
//! what is left: `|a - b|^2 = |a₁ - b₁|^2 + |a₂ - b₂|^2`, and `|a₂ - b₂|` is no less than the difference of the
//! norms. Distances of short rows bound those of the rows from below at a fraction of the products.

use crate::arrays::matrix::{Matrix, MatrixView};
use crate::kernels::product::matmul_nt;
use crate::numeric::factorise::symmetric_eigen;
use crate::run::error::Result;

/// Rows at most, evenly spaced, from which centre and directions are taken: any give true bounds.
const SAMPLED: usize = 2048;
/// Share of the variance that the directions are to hold.
const HELD: f64 = 0.8;
/// Entries of a short row at most, over those of a row: with more, products of whole rows cost as much.
const WORTH: f64 = 0.7;
/// Multiply-adds of all pairs from which directions pay for themselves.
const PAYS: f64 = 2e9;
/// Share of the two squared norms by which rounding may raise a squared distance of short rows; without
/// directions, of products alone.
const ROUNDING: f32 = 2e-4;
const PRODUCT_ROUNDING: f32 = 1e-5;

/// From rows of p entries to short ones.
pub struct Contraction {
    centre: Vec<f32>,
    /// Leading directions, (s, p); `None`: short rows are the rows about the centre.
    directions: Option<Matrix>,
}

impl Contraction {
    /// For the rows `rows` of `z`, (n, p), which are to meet `n_others`. O(p^3).
    ///
    /// # Errors
    /// [`crate::Error::Failed`] where directions cannot be found.
    pub fn of(z: MatrixView<'_>, rows: &[u32], n_others: usize) -> Result<Self> {
        let step = rows.len().div_ceil(SAMPLED).max(1);
        let sampled: Vec<u32> = rows.iter().copied().step_by(step).collect();
        let mut centre = vec![0.0; z.cols()];
        for &i in &sampled {
            let entries = centre.iter_mut().zip(z.row(i as usize));
            entries.for_each(|(c, x)| *c += f64::from(*x) / sampled.len() as f64);
        }
        let mut contraction = Self {
            centre: centre.iter().map(|c| *c as f32).collect(),
            directions: None,
        };
        if rows.len() as f64 * n_others as f64 * z.cols() as f64 >= PAYS {
            contraction.directions = leading(&contraction.about_centre(z, &sampled))?;
        }
        Ok(contraction)
    }

    /// Share of two squared norms of short rows by which their squared distance may exceed that of the rows.
    pub fn rounding(&self) -> f32 {
        match self.directions {
            Some(_) => ROUNDING,
            None => PRODUCT_ROUNDING,
        }
    }

    /// The short rows of rows `rows` of `z`.
    pub fn short(&self, z: MatrixView<'_>, rows: &[u32]) -> Matrix {
        let about = self.about_centre(z, rows);
        let Some(directions) = &self.directions else {
            return about;
        };
        let s = directions.rows();
        let mut along = vec![0.0; rows.len() * s];
        matmul_nt(&mut along, about.view(), directions.view(), false);
        let mut short = Matrix::zeros(rows.len(), s + 1);
        for (i, along) in along.chunks_exact(s).enumerate() {
            let left = squared_norm(about.row(i)) - squared_norm(along);
            let row = short.row_mut(i);
            row[..s].copy_from_slice(along);
            row[s] = left.max(0.0).sqrt() as f32;
        }
        short
    }

    fn about_centre(&self, z: MatrixView<'_>, rows: &[u32]) -> Matrix {
        let mut about = z.gather(rows);
        for i in 0..rows.len() {
            let entries = about.row_mut(i).iter_mut().zip(&self.centre);
            entries.for_each(|(x, c)| *x -= c);
        }
        about
    }
}

fn squared_norm(row: &[f32]) -> f64 {
    row.iter().map(|&x| f64::from(x) * f64::from(x)).sum()
}

/// Directions that hold enough of the variance of `x`, (n, p), (s, p); `None` where that takes most of them.
fn leading(x: &Matrix) -> Result<Option<Matrix>> {
    let p = x.cols();
    let mut scatter = vec![0.0; p * p];
    for i in 0..x.rows() {
        let row = x.row(i);
        for (a, sums) in scatter.chunks_exact_mut(p).enumerate() {
            let entries = sums[..=a].iter_mut().zip(row);
            entries.for_each(|(s, b)| *s += f64::from(row[a]) * f64::from(*b));
        }
    }
    let (values, vectors) = symmetric_eigen(&scatter, p)?;
    let wanted = HELD * values.iter().sum::<f64>();
    let mut held = 0.0;
    let largest_first = (0..p).rev();
    let taken = largest_first.take_while(|&k| {
        let short = held < wanted;
        held += values[k];
        short
    });
    let taken: Vec<usize> = taken.collect();
    if taken.is_empty() || (taken.len() + 1) as f64 > WORTH * p as f64 {
        return Ok(None);
    }
    let mut directions = Matrix::zeros(taken.len(), p);
    for (at, k) in taken.into_iter().enumerate() {
        let row = directions.row_mut(at).iter_mut().enumerate();
        row.for_each(|(j, x)| *x = vectors[j * p + k] as f32);
    }
    Ok(Some(directions))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arrays::matrix::random_matrix;
    use crate::kernels::squared_distance::squared_distance;

    #[test]
    fn short_rows_lie_no_farther_apart_and_hold_most_of_the_distance() {
        let mut z = random_matrix(400, 20, 73);
        for i in 0..400 {
            let row = z.row_mut(i).iter_mut().enumerate();
            row.for_each(|(j, x)| *x = *x * 0.7_f32.powi(j as i32) + 30.0);
        }
        let all: Vec<u32> = (0..400).collect();
        let contraction = Contraction::of(z.view(), &all, usize::MAX).unwrap();
        let short = contraction.short(z.view(), &all);
        assert!(short.cols() < 10);
        let (mut all, mut held) = (0.0, 0.0);
        for (i, j) in (0..400).flat_map(|i| (0..i).map(move |j| (i, j))) {
            let (near, far) = (
                squared_distance(short.row(i), short.row(j)),
                squared_distance(z.row(i), z.row(j)),
            );
            assert!(near <= far + 1e-5, "{i} {j}: {near} {far}");
            (all, held) = (all + far, held + near);
        }
        assert!(held > 0.8 * all);
    }

    #[test]
    fn level_rows_and_few_pairs_have_no_directions() {
        for (z, n_others) in [
            (random_matrix(500, 9, 73), usize::MAX),
            (random_matrix(50, 30, 73), 4),
            (Matrix::zeros(50, 3), usize::MAX),
        ] {
            let contraction =
                Contraction::of(z.view(), &(0..50).collect::<Vec<_>>(), n_others).unwrap();
            assert!(contraction.directions.is_none());
            assert_eq!(contraction.short(z.view(), &[3, 4]).cols(), z.cols());
        }
    }
}
