//! Which of two opposite vectors is meant: that whose first entry of largest magnitude is positive.

use crate::arrays::matrix::{Matrix, MatrixView};

/// Whether each column of `vectors`, (n, c), has to be turned; (c,).
///
/// ```
/// use fast_select_core::arrays::matrix::Matrix;
/// use fast_select_core::numeric::signs::turned;
///
/// let vectors = Matrix::from_vec(vec![1.0, 0.5, -2.0, 0.5], 2, 2)?;
/// assert_eq!(turned(vectors.view()), [true, false]);
/// # Ok::<(), fast_select_core::Error>(())
/// ```
#[must_use]
pub fn turned(vectors: MatrixView<'_>) -> Vec<bool> {
    let mut largest = vec![0.0_f32; vectors.cols()];
    for i in 0..vectors.rows() {
        for (l, x) in largest.iter_mut().zip(vectors.row(i)) {
            if x.abs() > l.abs() {
                *l = *x;
            }
        }
    }
    largest.into_iter().map(|l| l < 0.0).collect()
}

/// Turns the columns of `vectors`, (n, c), for which `turned`, (c,), is true.
///
/// ```
/// use fast_select_core::arrays::matrix::Matrix;
/// use fast_select_core::numeric::signs::turn_columns;
///
/// let mut vectors = Matrix::from_vec(vec![1.0, 0.5, -2.0, 0.5], 2, 2)?;
/// turn_columns(&mut vectors, &[true, false]);
/// assert_eq!(vectors.as_slice(), [-1.0, 0.5, 2.0, 0.5]);
/// # Ok::<(), fast_select_core::Error>(())
/// ```
pub fn turn_columns(vectors: &mut Matrix, turned: &[bool]) {
    for i in 0..vectors.rows() {
        let pairs = vectors.row_mut(i).iter_mut().zip(turned);
        pairs
            .filter(|(_, turned)| **turned)
            .for_each(|(x, _)| *x = -*x);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_opposite_vectors_one_remains() {
        for sign in [1.0, -1.0] {
            let entries = [0.5, -3.0, 3.0].map(|x: f32| sign * x);
            let mut column = Matrix::from_vec(entries.to_vec(), 3, 1).unwrap();
            let turns = turned(column.view());
            turn_columns(&mut column, &turns);
            assert_eq!(column.as_slice(), [-0.5, 3.0, -3.0]);
        }
        assert_eq!(turned(Matrix::zeros(2, 1).view()), [false]);
    }
}
