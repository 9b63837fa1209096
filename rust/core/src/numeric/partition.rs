//! Cells of equal size: recursive bisection along the longest direction.
//!
//! A set of rows is cut across its first principal direction (a few power iterations on a sample,
//! from a fixed start) where the sizes of the two sides are as the numbers of cells that they will
//! hold. Cells of equal size bound memory and time, and quotas in proportion to size are exact to
//! one row.

use crate::arrays::matrix::MatrixView;
use crate::run::error::Result;
use crate::run::monitor::Monitor;
use crate::run::parallel::map_items;

/// Power iterations: enough to tell a long direction from a short one.
const POWER_ITERATIONS: usize = 8;
/// Rows at most, evenly spaced in the set, from which a direction is taken.
const SAMPLED: usize = 512;
/// Picks of a block at least: with fewer, rounded quotas would bend the distribution.
const BLOCK_PICKS: usize = 64;

/// Blocks of about `block_rows` rows into which `rows` rows are cut where `quota` of them are to be
/// picked.
///
/// ```
/// use fast_select_core::numeric::partition::n_blocks;
///
/// assert_eq!(n_blocks(40_000, 4000, 16_384), 3);
/// // Each block is to give 64 picks at least, however large that makes it.
/// assert_eq!(n_blocks(40_000, 128, 16_384), 2);
/// assert_eq!(n_blocks(40_000, 12, 16_384), 1);
/// ```
#[must_use]
pub fn n_blocks(rows: usize, quota: usize, block_rows: usize) -> usize {
    rows.div_ceil(block_rows).min((quota / BLOCK_PICKS).max(1))
}

/// Rows 0..n of `x`, (n, p), in `n_cells` cells whose sizes differ by at most one; rows ascend
/// within a cell. No more cells than rows, and one at least. O(n p log cells).
///
/// ```
/// use fast_select_core::arrays::matrix::Matrix;
/// use fast_select_core::numeric::partition::partition;
/// use fast_select_core::run::monitor::Monitor;
///
/// let line = Matrix::from_vec(vec![3.0, 0.0, 2.0, 1.0], 4, 1)?;
/// let cells = partition(line.view(), 2, &Monitor::default())?;
/// assert_eq!(cells, [[1, 3], [0, 2]]);
/// # Ok::<(), fast_select_core::Error>(())
/// ```
///
/// # Errors
/// [`crate::Error::Interrupted`].
pub fn partition(x: MatrixView<'_>, n_cells: usize, monitor: &Monitor) -> Result<Vec<Vec<u32>>> {
    partition_of(x, (0..x.rows() as u32).collect(), n_cells, monitor)
}

/// The same of some of its rows, `rows`, which ascend: no copy of them is made.
///
/// # Errors
/// [`crate::Error::Interrupted`].
pub fn partition_of(
    x: MatrixView<'_>,
    rows: Vec<u32>,
    n_cells: usize,
    monitor: &Monitor,
) -> Result<Vec<Vec<u32>>> {
    let n_cells = n_cells.clamp(1, rows.len().max(1));
    let mut parts = vec![(rows, n_cells)];
    while parts.iter().any(|(_, cells)| *cells > 1) {
        let halves = map_items(parts, |(rows, cells)| {
            monitor.check()?;
            Ok(if cells == 1 {
                vec![(rows, 1)]
            } else {
                bisect(x, rows, cells)
            })
        })?;
        parts = halves.into_iter().flatten().collect();
    }
    Ok(parts.into_iter().map(|(rows, _)| rows).collect())
}

/// Cuts `rows`, which are to make `cells` cells, in two.
fn bisect(x: MatrixView<'_>, rows: Vec<u32>, cells: usize) -> Vec<(Vec<u32>, usize)> {
    let step = rows.len().div_ceil(SAMPLED).max(1);
    let sampled: Vec<u32> = rows.iter().copied().step_by(step).collect();
    let direction = principal_direction(x, &sampled);
    let mut keys: Vec<(f64, u32)> = rows
        .iter()
        .map(|&i| (dot(x.row(i as usize), &direction), i))
        .collect();
    let left_cells = cells / 2;
    let at = rows.len() * left_cells / cells;
    keys.select_nth_unstable_by(at, |a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let side = |keys: &[(f64, u32)]| {
        let mut rows: Vec<u32> = keys.iter().map(|&(_, i)| i).collect();
        rows.sort_unstable();
        rows
    };
    vec![
        (side(&keys[..at]), left_cells),
        (side(&keys[at..]), cells - left_cells),
    ]
}

fn dot(row: &[f32], direction: &[f64]) -> f64 {
    row.iter()
        .zip(direction)
        .map(|(x, w)| f64::from(*x) * w)
        .sum()
}

fn principal_direction(x: MatrixView<'_>, rows: &[u32]) -> Vec<f64> {
    let p = x.cols();
    let mut mean = vec![0.0; p];
    for &i in rows {
        mean.iter_mut()
            .zip(x.row(i as usize))
            .for_each(|(m, v)| *m += f64::from(*v));
    }
    mean.iter_mut().for_each(|m| *m /= rows.len().max(1) as f64);
    // Any start that is not orthogonal to the answer will do; unequal entries make that unlikely.
    let mut direction: Vec<f64> = (0..p).map(|j| 1.0 + j as f64 / p as f64).collect();
    for _ in 0..POWER_ITERATIONS {
        let center = mean.iter().zip(&direction).map(|(m, w)| m * w).sum::<f64>();
        let mut next = vec![0.0; p];
        for &i in rows {
            let row = x.row(i as usize);
            let along = dot(row, &direction) - center;
            for ((n, v), m) in next.iter_mut().zip(row).zip(&mean) {
                *n += along * (f64::from(*v) - m);
            }
        }
        let norm = next.iter().map(|v| v * v).sum::<f64>().sqrt();
        if !(norm > 0.0) {
            break; // all rows equal: any cut is as good
        }
        direction = next.into_iter().map(|v| v / norm).collect();
    }
    direction
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arrays::matrix::{Matrix, random_matrix};
    use crate::run::parallel::with_pool;
    use crate::run::rng::test_stream;
    use rand::Rng;

    #[test]
    fn cells_are_equal_and_cover_all() {
        let mut rng = test_stream(0, 0, 0);
        let data = (0..3003).map(|_| rng.random_range(-1.0..1.0)).collect();
        let x = Matrix::from_vec(data, 1001, 3).unwrap();
        for n_cells in [1, 2, 3, 7, 10, 100, 1001] {
            let run = |threads| {
                with_pool(threads, || {
                    partition(x.view(), n_cells, &Monitor::default())
                })
                .unwrap()
                .unwrap()
            };
            let cells = run(1);
            assert_eq!(cells, run(3));
            assert_eq!(cells.len(), n_cells);
            let sizes = cells.iter().map(Vec::len);
            assert!(
                sizes.clone().max().unwrap() - sizes.min().unwrap() <= 1,
                "{n_cells}"
            );
            let mut all: Vec<u32> = cells.concat();
            all.sort_unstable();
            assert_eq!(all, (0..1001).collect::<Vec<_>>());
        }
    }

    #[test]
    fn cuts_across_the_long_direction() {
        let data = (0..20)
            .flat_map(|i| [(i % 3) as f32 * 0.1, i as f32])
            .collect();
        let x = Matrix::from_vec(data, 20, 2).unwrap();
        let cells = partition(x.view(), 2, &Monitor::default()).unwrap();
        assert_eq!(cells, [(0..10).collect::<Vec<_>>(), (10..20).collect()]);
    }

    #[test]
    fn some_rows_are_cut_as_a_copy_of_them_is() {
        let x = random_matrix(900, 3, 8);
        let rows: Vec<u32> = (0..900).filter(|i| i % 3 != 1).collect();
        let monitor = Monitor::default();
        let got = partition_of(x.view(), rows.clone(), 7, &monitor).unwrap();
        let cells = partition(x.view().gather(&rows).view(), 7, &monitor).unwrap();
        let named = cells
            .iter()
            .map(|cell| cell.iter().map(|&i| rows[i as usize]).collect());
        assert_eq!(got, named.collect::<Vec<Vec<u32>>>());
    }

    #[test]
    fn equal_rows_and_none() {
        let cells = partition(Matrix::zeros(10, 2).view(), 3, &Monitor::default()).unwrap();
        assert_eq!(cells.len(), 3);
        assert_eq!(
            partition(Matrix::zeros(0, 2).view(), 4, &Monitor::default()).unwrap(),
            [[]; 1]
        );
    }
}
