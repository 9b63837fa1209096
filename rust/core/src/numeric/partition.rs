//! Cells of equal size: recursive bisection along the longest direction.
//!
//! A set of rows is cut across its first principal direction (a few power iterations on a sample,
//! from a fixed start) where the sizes of the two sides are as the numbers of cells that they will
//! hold. Cells of equal size bound memory and time, and quotas in proportion to size are exact to
//! one row.

use crate::arrays::matrix::MatrixView;
use crate::run::error::Result;
use crate::run::monitor::Monitor;
use crate::run::parallel::{PARTIAL_SUMS, map_blocks, map_items};

/// Power iterations: enough to tell a long direction from a short one.
const POWER_ITERATIONS: usize = 8;
/// Rows at most, evenly spaced in the set, from which a direction is taken.
const SAMPLED: usize = 512;
/// Rows whose places along a direction are held at most; of more, only those are held that lie near the cut by a sample,
/// as all would take more memory than anything else.
pub(crate) const HELD: usize = 1 << 20;
/// Rows of this sample, and which share of it on either side is near: four standard deviations.
const PLACED: usize = 1 << 16;
const NEAR: usize = 128;
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
            if cells == 1 {
                return Ok(vec![(rows, 1)]);
            }
            let (left, right) = bisect(x, rows, cells, HELD, monitor)?;
            Ok(vec![(left, cells / 2), (right, cells - cells / 2)])
        })?;
        parts = halves.into_iter().flatten().collect();
    }
    Ok(parts.into_iter().map(|(rows, _)| rows).collect())
}

/// Cuts `rows`, which are to make `cells` cells, in two; `held`: as [`HELD`], on which the cut does not depend.
fn bisect(
    x: MatrixView<'_>,
    rows: Vec<u32>,
    cells: usize,
    held: usize,
    monitor: &Monitor,
) -> Result<(Vec<u32>, Vec<u32>)> {
    let step = rows.len().div_ceil(SAMPLED).max(1);
    let sampled: Vec<u32> = rows.iter().copied().step_by(step).collect();
    let direction = principal_direction(x, &sampled);
    let place = |i: u32| (ascending(dot(x.row(i as usize), &direction)), i);
    let at = rows.len() * (cells / 2) / cells;
    if rows.len() > held {
        let first_right = nth_place(&rows, at, held.min(PLACED), place, monitor)?;
        let sides = map_blocks(rows.len(), rows.len().div_ceil(PARTIAL_SUMS), |part| {
            monitor.check()?;
            let is_left = |i: &u32| place(*i) < first_right;
            Ok(rows[part].iter().partition::<Vec<u32>, _>(|i| is_left(i)))
        })?;
        drop(rows);
        let (left, right): (Vec<_>, Vec<_>) = sides.into_iter().unzip();
        return Ok((left.concat(), right.concat()));
    }
    let mut places: Vec<(u64, u32)> = rows.into_iter().map(place).collect();
    places.select_nth_unstable(at);
    let side = |places: &[(u64, u32)]| {
        let mut rows: Vec<u32> = places.iter().map(|&(_, i)| i).collect();
        rows.sort_unstable();
        rows
    };
    Ok((side(&places[..at]), side(&places[at..])))
}

/// The place of the `nth` of `rows` in the order of their places: of those within bounds that `n_sampled` of them, evenly
/// spaced, set; wider ones, should it lie beyond.
fn nth_place(
    rows: &[u32],
    nth: usize,
    n_sampled: usize,
    place: impl Fn(u32) -> (u64, u32) + Sync,
    monitor: &Monitor,
) -> Result<(u64, u32)> {
    let step = rows.len().div_ceil(n_sampled.max(1));
    let mut sample: Vec<_> = rows.iter().step_by(step).map(|&i| place(i)).collect();
    sample.sort_unstable();
    let (middle, mut width) = (nth / step, sample.len() / NEAR + 1);
    loop {
        let low = middle.checked_sub(width).map(|at| sample[at]);
        let high = sample.get(middle + width);
        let near = map_blocks(rows.len(), rows.len().div_ceil(PARTIAL_SUMS), |part| {
            monitor.check()?;
            let (mut below, mut near) = (0, Vec::new());
            for &i in &rows[part] {
                let at = place(i);
                if low.is_some_and(|low| at < low) {
                    below += 1;
                } else if high.is_none_or(|high| at < *high) {
                    near.push(at);
                }
            }
            Ok((below, near))
        })?;
        let (below, near): (Vec<usize>, Vec<_>) = near.into_iter().unzip();
        let (below, mut near) = (below.iter().sum::<usize>(), near.concat());
        if (below..below + near.len()).contains(&nth) {
            return Ok(*near.select_nth_unstable(nth - below).1);
        }
        width *= 8;
    }
}

/// Bits that ascend as the number does.
fn ascending(value: f64) -> u64 {
    let bits = value.to_bits();
    if value.is_sign_negative() {
        !bits
    } else {
        bits | 1 << 63
    }
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
    fn a_cut_does_not_depend_on_how_many_places_are_held() {
        let monitor = Monitor::default();
        let mut rng = test_stream(5, 0, 0);
        for kinds in [1, 3, 1_000_000] {
            let mut entry = || rng.random_range(-kinds..kinds) as f32 * 1e-3;
            let data = (0..2000).map(|_| entry()).collect();
            let x = Matrix::from_vec(data, 1000, 2).unwrap();
            let rows: Vec<u32> = (0..1000).filter(|i| i % 7 != 2).collect();
            for cells in [2, 5, 300] {
                let cut = |held| bisect(x.view(), rows.clone(), cells, held, &monitor).unwrap();
                let all = cut(1000);
                assert_eq!(all.0.len(), rows.len() * (cells / 2) / cells);
                for held in [0, 1, 10, 400] {
                    assert_eq!(cut(held), all, "{kinds} {cells} {held}");
                }
            }
        }
    }

    #[test]
    fn bits_ascend_as_numbers_do() {
        let values = [
            f64::NEG_INFINITY,
            -2.0,
            -1e-300,
            -0.0,
            0.0,
            1e-300,
            0.5,
            3.0,
            f64::INFINITY,
        ];
        assert!(
            values
                .windows(2)
                .all(|pair| ascending(pair[0]) < ascending(pair[1]))
        );
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
