//! Exact k nearest neighbours by blocked products.
//!
//! `|a - b|^2 = |a|^2 + |b|^2 - 2 a·b`: the product of two rows is formed once and offered to both
//! (`top_k`), and the distances of the k + 8 kept are recomputed by differences,
//! which is free of cancellation. All rows are compared with all: O(n^2 p / 2) work, O(n k) memory.
//!
//! # Numerics
//! Distances are exact to a few ulps. A true neighbour is missed only where nine or more others lie
//! within the rounding error of the products, some 1e-6 of the largest squared distance from the centre, of the k-th:
//! then one of those is returned in its place. Products are taken about the centre of the rows.

use std::ops::Range;

use crate::arrays::matrix::MatrixView;
use crate::graph::top_k::{ROOM, TopK};
use crate::kernels::product::matmul_nt;
use crate::kernels::scan::scan_below;
use crate::kernels::squared_distance::{squared_distance, squared_norms};
use crate::numeric::centred::{centre, centred};
use crate::run::error::{Error, Result, check_len};
use crate::run::monitor::Monitor;
use crate::run::parallel::{blocks, for_each_pair, map_blocks, map_items};

/// Blocks of rows: half as many pairs of them run together.
const BLOCKS: usize = 64;
/// Rows of a block: enough to make packing cheap, few enough for the second-level cache; whole
/// panels.
const FEWEST_ROWS: usize = 288;
const MOST_ROWS: usize = 960;
const PANELS: usize = 96;
/// Candidates kept beyond k, against rounding in the products.
pub(crate) const SLACK: usize = 8;
/// Queries and references of a tile: 256 KiB, a quarter of a usual second-level cache.
const QUERIES: usize = 128;
const REFS: usize = 512;

/// The k nearest neighbours of n rows.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Neighbors {
    /// Neighbours a row, k.
    pub k: usize,
    /// Row by row, nearest first, ties by index; (n, k).
    pub indices: Vec<u32>,
    /// Euclidean distances in the unit of the features; (n, k).
    pub dists: Vec<f32>,
}

/// The `k` nearest other rows of each row of `z`, (n, p); k is at most n - 1.
///
/// `monitor` advances by n.
///
/// ```
/// use fast_select_core::arrays::matrix::Matrix;
/// use fast_select_core::graph::knn::knn;
/// use fast_select_core::run::monitor::Monitor;
///
/// let line = Matrix::from_vec(vec![0.0, 1.0, 3.0], 3, 1)?;
/// let near = knn(line.view(), 1, &Monitor::default())?;
/// assert_eq!(near.indices, [1, 0, 1]);
/// assert_eq!(near.dists, [1.0, 1.0, 2.0]);
/// # Ok::<(), fast_select_core::Error>(())
/// ```
///
/// # Errors
/// [`crate::Error::Interrupted`].
pub fn knn(z: MatrixView<'_>, k: usize, monitor: &Monitor) -> Result<Neighbors> {
    let k = k.min(z.rows().saturating_sub(1));
    if k == 0 {
        monitor.advance(z.rows())?;
        return Ok(Neighbors::default());
    }
    let about_centre = centred(z, &centre(z)?, 1.0);
    let mut blocks = in_blocks(about_centre.view(), k + SLACK);
    let meetings = monitor.in_parts(z.rows(), blocks.len() * (blocks.len() + 1) / 2);
    map_items(&mut blocks, |block| {
        block.meet_each_other();
        meetings.advance()
    })?;
    for_each_pair(&mut blocks, |a, b| {
        a.meet(b, true);
        meetings.advance()
    })?;
    finished(blocks, (z, z), k, |rows| monitor.advance(rows))
}

/// The `k` nearest rows of `refs`, (n, p), of each row of `queries`, (m, p); k is at most n.
///
/// Calls `tick(queries)` as queries are done, and `tick(0)` in between.
///
/// ```
/// use fast_select_core::arrays::matrix::Matrix;
/// use fast_select_core::graph::knn::knn_query;
///
/// let line = Matrix::from_vec(vec![0.0, 1.0, 3.0], 3, 1)?;
/// let queries = Matrix::from_vec(vec![1.25, 2.5], 2, 1)?;
/// let near = knn_query(queries.view(), line.view(), 1, |_| Ok(()))?;
/// assert_eq!(near.indices, [1, 2]);
/// assert_eq!(near.dists, [0.25, 0.5]);
/// # Ok::<(), fast_select_core::Error>(())
/// ```
///
/// # Errors
/// [`crate::Error::Refused`] for other columns than `refs` has, and what `tick` returns.
pub fn knn_query(
    queries: MatrixView<'_>,
    refs: MatrixView<'_>,
    k: usize,
    tick: impl Fn(usize) -> Result<()> + Sync,
) -> Result<Neighbors> {
    check_len("columns of the queries", queries.cols(), refs.cols())?;
    let k = k.min(refs.rows());
    if k == 0 {
        tick(queries.rows())?;
        return Ok(Neighbors::default());
    }
    let centre = centre(refs)?;
    let about_centre = [queries, refs].map(|rows| centred(rows, &centre, 1.0));
    let mut blocks = in_blocks(about_centre[0].view(), k + SLACK);
    map_items(&mut blocks, |block| {
        for mut offered in in_blocks(about_centre[1].view(), 0) {
            tick(0)?;
            block.meet(&mut offered, false);
        }
        tick(block.x().rows())
    })?;
    finished(blocks, (queries, refs), k, tick)
}

/// Blocks of rows, each with room for `keep` candidates.
fn in_blocks(x: MatrixView<'_>, keep: usize) -> Vec<TopK<'_>> {
    meeting_blocks(x.rows())
        .map(|at| TopK::new(x.rows_range(at.clone()), at.start, keep, ROOM))
        .collect()
}

/// Ranges of rows of which every two are to meet.
pub(crate) fn meeting_blocks(n: usize) -> impl Iterator<Item = Range<usize>> {
    let rows = n.div_ceil(BLOCKS).next_multiple_of(PANELS);
    blocks(n, rows.clamp(FEWEST_ROWS, MOST_ROWS))
}

/// Exact distances of the candidates kept; the nearest k of each row.
fn finished(
    mut blocks: Vec<TopK<'_>>,
    (queries, refs): (MatrixView<'_>, MatrixView<'_>),
    k: usize,
    tick: impl Fn(usize) -> Result<()> + Sync,
) -> Result<Neighbors> {
    let parts = map_items(&mut blocks, |block| {
        tick(0)?;
        let mut found = Vec::with_capacity(block.x().rows() * k);
        for i in 0..block.x().rows() {
            let row = queries.row(block.first() + i);
            let exact = |&(_, j): &(f32, u32)| (squared_distance(row, refs.row(j as usize)), j);
            let mut list: Vec<(f32, u32)> = block.kept(i).iter().map(exact).collect();
            list.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            found.extend_from_slice(&list[..k]);
        }
        Ok(found)
    })?;
    let found = || parts.iter().flatten();
    Ok(Neighbors {
        k,
        indices: found().map(|&(_, j)| j).collect(),
        dists: found().map(|&(d, _)| d.sqrt()).collect(),
    })
}

/// For each row i of `rows` the nearest row j of `z` with another `component`, and its distance;
/// ties by index. (`u32::MAX`, infinity) where all rows are of one component. O(|rows| n p).
///
/// ```
/// use fast_select_core::arrays::matrix::Matrix;
/// use fast_select_core::graph::knn::nearest_outside;
/// use fast_select_core::run::monitor::Monitor;
///
/// // Rows 0 and 1 are of one component: only row 2 lies outside.
/// let line = Matrix::from_vec(vec![0.0, 1.0, 3.0], 3, 1)?;
/// let found = nearest_outside(line.view(), &[0, 1], &[0, 0, 1], &Monitor::default())?;
/// assert_eq!(found, [(2, 3.0), (2, 2.0)]);
/// # Ok::<(), fast_select_core::Error>(())
/// ```
///
/// # Errors
/// [`Error::Refused`] for a `component` of another length or a row out of range;
/// [`Error::Interrupted`].
pub fn nearest_outside(
    z: MatrixView<'_>,
    rows: &[u32],
    component: &[u32],
    monitor: &Monitor,
) -> Result<Vec<(u32, f32)>> {
    check_len("component", component.len(), z.rows())?;
    if let Some(row) = rows.iter().find(|row| **row as usize >= z.rows()) {
        let fact = format!("names row {row} of {}", z.rows());
        return Err(Error::refused("rows", fact));
    }
    let norms = squared_norms(z);
    let largest = norms.iter().copied().fold(0.0, f32::max);
    let parts = map_blocks(rows.len(), QUERIES, |part| {
        let ids = &rows[part];
        let queries = z.gather(ids);
        let mut best = vec![(f32::INFINITY, u32::MAX); ids.len()];
        let mut tile = vec![0.0; ids.len() * REFS.min(z.rows())];
        for at in blocks(z.rows(), REFS) {
            monitor.check()?;
            let tile = &mut tile[..ids.len() * at.len()];
            matmul_nt(tile, queries.view(), z.rows_range(at.clone()), false);
            for (q, dots) in tile.chunks_exact(at.len()).enumerate() {
                let (row, own) = (z.row(ids[q] as usize), norms[ids[q] as usize]);
                let home = component[ids[q] as usize];
                // What the products may be off by: everything that close is measured again.
                let error = 4.0 * f32::EPSILON * (z.cols() as f32 + 4.0) * (own + largest);
                let limit = |best: f32| best - own + error;
                let best = &mut best[q];
                scan_below(dots, &norms[at.clone()], limit(best.0), |j, _| {
                    let j = at.start + j;
                    if component[j] != home {
                        let exact = squared_distance(row, z.row(j));
                        if exact < best.0 {
                            *best = (exact, j as u32);
                        }
                    }
                    limit(best.0)
                });
            }
        }
        Ok(best)
    })?;
    Ok(parts
        .into_iter()
        .flatten()
        .map(|(d, j)| (j, d.sqrt()))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arrays::matrix::{Matrix, random_matrix};
    use crate::run::parallel::with_pool;

    fn brute_force(z: &Matrix, i: usize, k: usize) -> Vec<(f64, u32)> {
        let distance = |j: usize| -> f64 {
            let pairs = z.row(i).iter().zip(z.row(j));
            pairs
                .map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2))
                .sum::<f64>()
                .sqrt()
        };
        let others = (0..z.rows()).filter(|&j| j != i);
        let mut all: Vec<(f64, u32)> = others.map(|j| (distance(j), j as u32)).collect();
        all.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        all.truncate(k);
        all
    }

    /// f32 keeps three decimals of rows at 1e4; their products keep none of the distances.
    #[test]
    fn offsets_cost_no_neighbors() {
        for offset in [0.0, 1e3, 1e4] {
            let mut z = random_matrix(600, 8, 5);
            z.as_mut_slice().iter_mut().for_each(|x| *x += offset);
            let near = knn(z.view(), 10, &Monitor::default()).unwrap();
            let queried = knn_query(z.view(), z.view(), 11, |_| Ok(())).unwrap();
            for i in 0..600 {
                let expected = brute_force(&z, i, 10);
                for (slot, (distance, _)) in expected.iter().enumerate() {
                    let got = [near.dists[10 * i + slot], queried.dists[11 * i + slot + 1]];
                    assert!(got.iter().all(|d| (f64::from(*d) - distance).abs() < 1e-5));
                }
            }
        }
    }

    #[test]
    fn equals_brute_force() {
        for (n, p, k) in [
            (5, 1, 10),
            (700, 3, 32),
            (300, 19, 8),
            (1100, 64, 5),
            (2, 2, 1),
        ] {
            let z = random_matrix(n, p, 23);
            let got = knn(z.view(), k, &Monitor::default()).unwrap();
            assert_eq!(got.k, k.min(n - 1));
            for i in 0..n {
                let expected = brute_force(&z, i, got.k);
                for (e, (d, j)) in expected.into_iter().enumerate() {
                    assert_eq!(got.indices[i * got.k + e], j, "n {n} row {i}");
                    let near = f64::from(got.dists[i * got.k + e]);
                    assert!((near - d).abs() <= 1e-6 * d);
                }
            }
        }
    }

    #[test]
    fn duplicates_are_at_distance_zero_and_in_order() {
        let mut z = random_matrix(200, 4, 23);
        for i in 50..150 {
            let first = z.row(50).to_vec();
            z.row_mut(i).copy_from_slice(&first);
        }
        let got = knn(z.view(), 16, &Monitor::default()).unwrap();
        assert!(got.dists[60 * 16..61 * 16].iter().all(|&d| d == 0.0));
        assert_eq!(got.indices[60 * 16..60 * 16 + 3], [50, 51, 52]);
    }

    #[test]
    fn empty_single_and_equal_rows() {
        let monitor = Monitor::default();
        assert_eq!(knn(Matrix::zeros(0, 3).view(), 4, &monitor).unwrap().k, 0);
        assert!(
            knn(Matrix::zeros(1, 3).view(), 4, &monitor)
                .unwrap()
                .indices
                .is_empty()
        );
        let equal = knn(Matrix::zeros(40, 3).view(), 4, &monitor).unwrap();
        assert_eq!(equal.indices[..4], [1, 2, 3, 4]);
        assert!(equal.dists.iter().all(|&d| d == 0.0));
    }

    #[test]
    fn same_at_any_number_of_threads() {
        let z = random_matrix(1500, 8, 23);
        let run = |threads| with_pool(threads, || knn(z.view(), 12, &Monitor::default()));
        assert_eq!(run(1).unwrap(), run(4).unwrap());
    }

    #[test]
    fn queries_find_their_rows() {
        let (z, q) = (random_matrix(600, 5, 23), random_matrix(600, 5, 23));
        let got = knn_query(q.view(), z.view(), 1, |_| Ok(())).unwrap();
        assert!(got.indices.iter().enumerate().all(|(i, &j)| i as u32 == j));
    }

    #[test]
    fn nearest_outside_equals_brute_force() {
        let z = random_matrix(900, 6, 23);
        let component: Vec<u32> = (0..900).map(|i| u32::from(i >= 300)).collect();
        let rows: Vec<u32> = (0..300).collect();
        let got = nearest_outside(z.view(), &rows, &component, &Monitor::default()).unwrap();
        for (i, &(j, d)) in got.iter().enumerate() {
            let expected = brute_force(&z, i, 899);
            let (e, first) = expected.into_iter().find(|(_, j)| *j >= 300).unwrap();
            assert_eq!(j, first);
            assert!((f64::from(d) - e).abs() < 1e-6 * e);
        }
        assert!(nearest_outside(z.view(), &[900], &component, &Monitor::default()).is_err());
        let one = nearest_outside(z.view(), &rows, &[0; 900], &Monitor::default()).unwrap();
        assert!(
            one.iter()
                .all(|&(j, d)| j == u32::MAX && d == f32::INFINITY)
        );
    }
}
