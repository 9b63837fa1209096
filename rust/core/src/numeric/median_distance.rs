//! The median distance between two rows: the unit of length.

use rand::Rng;

use crate::arrays::matrix::MatrixView;
use crate::kernels::squared_distance::squared_distance;
use crate::run::rng::{Purpose, Streams};

/// Pairs that are sampled.
const PAIRS: usize = 4096;

/// Median distance of up to 4,096 sampled pairs of rows of `z`, (n, p), that differ; 1 where all rows
/// are equal. O(4,096 p).
///
/// ```
/// use fast_select_core::arrays::matrix::Matrix;
/// use fast_select_core::numeric::median_distance::median_distance;
/// use fast_select_core::run::rng::Streams;
///
/// // Copies of a row are passed over.
/// let z = Matrix::from_vec(vec![0.0, 0.0, 0.0, 2.0], 4, 1)?;
/// assert_eq!(median_distance(z.view(), Streams::new(0)), 2.0);
/// assert_eq!(median_distance(Matrix::zeros(4, 1).view(), Streams::new(0)), 1.0);
/// # Ok::<(), fast_select_core::Error>(())
/// ```
#[must_use]
pub fn median_distance(z: MatrixView<'_>, streams: Streams) -> f32 {
    median_distance_of(z.rows(), |i| z.row(i), streams)
}

/// The same of n rows wherever they are.
pub fn median_distance_of<'a>(n: usize, row: impl Fn(usize) -> &'a [f32], streams: Streams) -> f32 {
    median_of_pairs(&sampled_pairs(n, streams), row)
}

/// The pairs of n rows that are sampled; none of fewer than two rows.
#[must_use]
pub fn sampled_pairs(n: usize, streams: Streams) -> Vec<(usize, usize)> {
    if n < 2 {
        return vec![];
    }
    let mut rng = streams.stream(Purpose::MedianDistance, 0);
    let mut pair = || {
        let i = rng.random_range(0..n);
        (i, (i + rng.random_range(1..n)) % n)
    };
    (0..PAIRS).map(|_| pair()).collect()
}

/// The median distance of pairs that differ; 1 without any.
pub fn median_of_pairs<'a>(pairs: &[(usize, usize)], row: impl Fn(usize) -> &'a [f32]) -> f32 {
    let distance = |&(i, j): &(usize, usize)| squared_distance(row(i), row(j)).sqrt();
    let mut distances: Vec<f32> = pairs.iter().map(distance).filter(|d| *d > 0.0).collect();
    if distances.is_empty() {
        return 1.0;
    }
    let middle = distances.len() / 2;
    *distances.select_nth_unstable_by(middle, f32::total_cmp).1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arrays::matrix::Matrix;

    #[test]
    fn two_values_and_equal_rows() {
        let two = Matrix::from_vec(vec![0.0, 3.0, 0.0, 3.0], 4, 1).unwrap();
        assert_eq!(median_distance(two.view(), Streams::new(0)), 3.0);
        for n in [0, 1, 5] {
            let equal = Matrix::zeros(n, 2);
            assert_eq!(median_distance(equal.view(), Streams::new(0)), 1.0);
        }
    }
}
