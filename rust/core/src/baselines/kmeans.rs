//! k-means by Lloyd's iterations, and the rows nearest to its centres.
//!
//! Lloyd 1982, "Least squares quantization in PCM". Rows are assigned by blocked products, as in
//! [`crate::graph::knn`]; a centre that loses all its rows stays where it is.

use crate::arrays::matrix::{Matrix, MatrixView};
use crate::graph::knn::knn_query;
use crate::kernels::product::matmul_nt;
use crate::kernels::scan::scan_below;
use crate::kernels::squared_distance::{squared_distance, squared_norms};
use crate::run::error::{Result, check_len};
use crate::run::monitor::Monitor;
use crate::run::parallel::{blocks, fill_blocks};

/// Rows and centres of a tile.
const ROWS: usize = 128;
const CENTERS: usize = 512;
/// Rows that are tried for a centre before all are.
const CANDIDATES: usize = 16;

/// Centres, (k, p), after at most `max_iter` iterations from `centers`, (k, p), on the rows of `x`,
/// (n, p). O(max_iter n k p).
///
/// ```
/// use fast_select_core::arrays::matrix::Matrix;
/// use fast_select_core::baselines::kmeans::kmeans;
/// use fast_select_core::run::monitor::Monitor;
///
/// let x = Matrix::from_vec(vec![0.0, 2.0, 10.0, 12.0], 4, 1)?;
/// let start = Matrix::from_vec(vec![0.0, 2.0], 2, 1)?;
/// let centers = kmeans(x.view(), start, 10, &Monitor::default())?;
/// assert_eq!(centers.as_slice(), [1.0, 11.0]);
/// # Ok::<(), fast_select_core::Error>(())
/// ```
///
/// # Errors
/// [`crate::Error::Refused`] for centres of other columns; [`crate::Error::Interrupted`].
pub fn kmeans(
    x: MatrixView<'_>,
    mut centers: Matrix,
    max_iter: usize,
    monitor: &Monitor,
) -> Result<Matrix> {
    check_len("columns of the centres", centers.cols(), x.cols())?;
    let mut labels = vec![u32::MAX; x.rows()];
    for _ in 0..max_iter {
        let before = labels.clone();
        nearest_centers(x, centers.view(), &mut labels, monitor)?;
        if labels == before {
            break;
        }
        move_centers(x, &labels, &mut centers, monitor)?;
    }
    Ok(centers)
}

/// The nearest centre of each row, (n,); ties: the lower one.
fn nearest_centers(
    x: MatrixView<'_>,
    centers: MatrixView<'_>,
    labels: &mut [u32],
    monitor: &Monitor,
) -> Result<()> {
    let norms = squared_norms(centers);
    fill_blocks(labels, 1, ROWS, |first, labels| {
        let rows = x.rows_range(first..first + labels.len());
        let mut tile = vec![0.0; rows.rows() * CENTERS.min(centers.rows())];
        let mut best = vec![f32::INFINITY; rows.rows()];
        for at in blocks(centers.rows(), CENTERS) {
            monitor.check()?;
            let tile = &mut tile[..rows.rows() * at.len()];
            matmul_nt(tile, rows, centers.rows_range(at.clone()), false);
            for ((dots, best), label) in tile
                .chunks_exact(at.len())
                .zip(&mut best)
                .zip(labels.iter_mut())
            {
                *best = scan_below(dots, &norms[at.clone()], *best, |k, value| {
                    *label = (at.start + k) as u32;
                    value
                });
            }
        }
        Ok(())
    })
}

/// Moves each centre to the mean of its rows, which are added in order.
fn move_centers(
    x: MatrixView<'_>,
    labels: &[u32],
    centers: &mut Matrix,
    monitor: &Monitor,
) -> Result<()> {
    let (k, p) = (centers.rows(), centers.cols());
    let mut members = vec![Vec::new(); k];
    for (i, &label) in labels.iter().enumerate() {
        // A row that is not finite is nearest to none.
        if let Some(members) = members.get_mut(label as usize) {
            members.push(i);
        }
    }
    fill_blocks(centers.as_mut_slice(), p, 16, |first, rows| {
        monitor.check()?;
        for (center, members) in rows.chunks_exact_mut(p).zip(&members[first..]) {
            if members.is_empty() {
                continue;
            }
            let mut sum = vec![0.0_f64; p];
            for &i in members {
                sum.iter_mut()
                    .zip(x.row(i))
                    .for_each(|(s, v)| *s += f64::from(*v));
            }
            for (c, s) in center.iter_mut().zip(sum) {
                *c = (s / members.len() as f64) as f32;
            }
        }
        Ok(())
    })
}

/// For each centre, (k, p), in order, the nearest row of `x`, (n, p), that no centre before it
/// took; k is at most n.
///
/// ```
/// use fast_select_core::arrays::matrix::Matrix;
/// use fast_select_core::baselines::kmeans::medoids;
/// use fast_select_core::run::monitor::Monitor;
///
/// // Row 1 is nearest to both; the second takes the next.
/// let x = Matrix::from_vec(vec![0.0, 1.0, 3.0], 3, 1)?;
/// let centers = Matrix::from_vec(vec![0.9, 1.0], 2, 1)?;
/// assert_eq!(medoids(x.view(), centers.view(), &Monitor::default())?, [1, 0]);
/// # Ok::<(), fast_select_core::Error>(())
/// ```
///
/// # Errors
/// [`crate::Error::Refused`] for centres of other columns; [`crate::Error::Interrupted`].
pub fn medoids(x: MatrixView<'_>, centers: MatrixView<'_>, monitor: &Monitor) -> Result<Vec<u32>> {
    let near = knn_query(centers, x, CANDIDATES, |_| monitor.check())?;
    let mut taken = vec![false; x.rows()];
    let mut rows = Vec::with_capacity(centers.rows());
    for c in 0..centers.rows().min(x.rows()) {
        let mut list = near.indices[c * near.k..(c + 1) * near.k].iter().copied();
        let row = match list.find(|&i| !taken[i as usize]) {
            Some(row) => row,
            None => {
                monitor.check()?;
                let free = (0..x.rows()).filter(|&i| !taken[i]);
                let dist = |i| squared_distance(x.row(i), centers.row(c));
                let nearest = free.min_by(|&a, &b| dist(a).total_cmp(&dist(b)));
                nearest.map_or(0, |i| i as u32)
            }
        };
        taken[row as usize] = true;
        rows.push(row);
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::rng::test_stream;
    use rand::Rng;

    fn line(values: &[f32]) -> Matrix {
        Matrix::from_vec(values.to_vec(), values.len(), 1).unwrap()
    }

    #[test]
    fn by_hand_on_a_line() {
        let x = line(&[0.0, 1.0, 2.0, 10.0, 14.0]);
        let monitor = Monitor::default();
        let centers = kmeans(x.view(), line(&[1.0, 2.0]), 20, &monitor).unwrap();
        assert_eq!(centers.as_slice(), [1.0, 12.0]);
        assert_eq!(medoids(x.view(), centers.view(), &monitor).unwrap(), [1, 3]);
    }

    #[test]
    fn rows_that_are_not_finite_move_no_centre() {
        let x = line(&[0.0, f32::NAN, 2.0]);
        let centers = kmeans(x.view(), line(&[1.0]), 20, &Monitor::default()).unwrap();
        assert_eq!(centers.as_slice(), [1.0]);
    }

    #[test]
    fn lost_centres_stay_and_medoids_are_distinct() {
        let x = line(&[0.0; 40]);
        let monitor = Monitor::default();
        let centers = kmeans(x.view(), line(&[0.0, 5.0, 5.0]), 20, &monitor).unwrap();
        assert_eq!(centers.as_slice(), [0.0, 5.0, 5.0]);
        let all = medoids(x.view(), Matrix::zeros(40, 1).view(), &monitor).unwrap();
        let mut sorted = all;
        sorted.sort_unstable();
        assert_eq!(sorted, (0..40).collect::<Vec<u32>>());
    }

    #[test]
    fn ends_where_no_row_is_nearer_to_another_centre() {
        let mut rng = test_stream(3, 0, 0);
        let data = (0..700 * 3).map(|_| rng.random_range(-1.0..1.0)).collect();
        let x = Matrix::from_vec(data, 700, 3).unwrap();
        let start = x.view().gather(&(0..40).collect::<Vec<_>>());
        let centers = kmeans(x.view(), start, 500, &Monitor::default()).unwrap();
        let nearest = |row: &[f32]| {
            let dist = |c: &usize| f64::from(squared_distance(row, centers.row(*c)));
            (0..40).min_by(|a, b| dist(a).total_cmp(&dist(b))).unwrap()
        };
        let mut sums = vec![[0.0; 4]; 40];
        for i in 0..700 {
            let sum = &mut sums[nearest(x.row(i))];
            sum[3] += 1.0;
            (0..3).for_each(|j| sum[j] += f64::from(x.row(i)[j]));
        }
        for (c, sum) in sums.iter().enumerate().filter(|(_, s)| s[3] > 0.0) {
            for j in 0..3 {
                assert!((sum[j] / sum[3] - f64::from(centers.row(c)[j])).abs() < 1e-5);
            }
        }
    }
}
