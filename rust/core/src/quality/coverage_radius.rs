//! Coverage radius: the greatest distance of a row to the nearest selected one, of all rows.
//!
//! It needs no more than a bound for most rows: one that lies within a radius known already, that of
//! sampled rows, cannot raise it. Rows are taken in the order of the cells, in which neighbours stand
//! close together: first each is compared with the picks of a short window of that order, where
//! all selections share the products; the few that are left with those of longer windows, and
//! the last of them with all picks, the farthest first, as each of these may raise the radius.

use std::ops::Range;

use crate::arrays::matrix::{Matrix, MatrixView};
use crate::kernels::product::matmul_nt;
use crate::kernels::rows::min_rows;
use crate::kernels::squared_distance::{squared_from_products, squared_norms};
use crate::quality::distance_to_selection::within;
use crate::run::error::Result;
use crate::run::monitor::Monitor;
use crate::run::parallel::{blocks, map_blocks, map_items};

/// Picks of the first window in the mean, and its rows at least and at most.
const PICKS: usize = 8;
const ROWS: (usize, usize) = (64, 512);
/// How much longer the next window is.
const GROWTH: usize = 8;
/// Rows and picks of a tile of distances.
const TILE_ROWS: usize = 64;
const TILE_PICKS: usize = 512;

/// A row by its place in the order, and the least squared distance to a pick found so far.
type Candidate = (u32, f32);

/// The radius of each of `selections` (ascending rows of `z`, (n, p), as many in each), given `least`,
/// which it reaches in any case, and `cells`, which hold each row once. O(n p (picks of a window)) and,
/// of a row that lies farther than `least` from the picks of its window, O(m p) at most.
///
/// # Errors
/// [`crate::Error::Interrupted`].
pub fn coverage_radii(
    z: MatrixView<'_>,
    cells: &[Vec<u32>],
    selections: &[Vec<u32>],
    least: &[f64],
    monitor: &Monitor,
) -> Result<Vec<f64>> {
    let rows = Ordered::new(z, cells);
    let places = map_items(selections, |of| Ok(rows.places(of)))?;
    let n = z.rows();
    let m = selections.first().map_or(1, Vec::len).max(1);
    let window = (PICKS * n / m).clamp(ROWS.0, ROWS.1);
    let squares: Vec<f32> = least.iter().map(|r| (r * r) as f32).collect();
    // Windows within longer ones, so that few candidates wait for the others.
    let parts = map_blocks(n, window * GROWTH, |long| {
        let mut left = vec![Vec::new(); selections.len()];
        for at in blocks(long.len(), window) {
            monitor.check()?;
            let at = long.start + at.start..long.start + at.end;
            let tile = rows.distances(at.clone());
            for ((left, places), square) in left.iter_mut().zip(&places).zip(&squares) {
                let mut best = vec![f32::INFINITY; at.len()];
                let picks: Vec<usize> = within(places, &at).collect();
                min_rows(&tile, &picks, &mut best);
                let found = best.into_iter().zip(at.clone());
                let far = found.filter(|(b, _)| b > square);
                left.extend(far.map(|(b, place)| (place as u32, b)));
            }
        }
        let lowered = left.into_iter().zip(&places).zip(&squares);
        let lowered = lowered.map(|((left, places), square)| {
            rows.lowered(left, in_window(places, &long), *square, monitor)
        });
        lowered.collect::<Result<Vec<_>>>()
    })?;
    let mut candidates = vec![Vec::new(); selections.len()];
    for part in parts {
        let pairs = candidates.iter_mut().zip(part);
        pairs.for_each(|(all, part)| all.extend(part));
    }
    let searches = candidates
        .into_iter()
        .zip(places)
        .zip(least.iter().zip(squares));
    let searches: Vec<_> = searches.collect();
    map_items(searches, |((candidates, places), (least, square))| {
        let found = farthest(
            &rows,
            candidates,
            &places,
            (window * GROWTH, square),
            monitor,
        )?;
        Ok(least.max(f64::from(found.sqrt())))
    })
}

/// The greatest squared distance of `candidates` (ascending places) to the picks, or `square`, if that
/// is more.
fn farthest(
    rows: &Ordered<'_>,
    mut candidates: Vec<Candidate>,
    picks: &[u32],
    (mut window, mut square): (usize, f32),
    monitor: &Monitor,
) -> Result<f32> {
    let n = rows.order.len();
    while window * GROWTH < n {
        window *= GROWTH;
        let mut left = Vec::new();
        for near in candidates.chunk_by(|a, b| a.0 as usize / window == b.0 as usize / window) {
            let first = near[0].0 as usize / window * window;
            let own = in_window(picks, &(first..first + window));
            left.extend(rows.lowered(near.to_vec(), own, square, monitor)?);
        }
        candidates = left;
    }
    candidates.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    for batch in candidates.chunks(TILE_ROWS) {
        let found = rows.lowered(batch.to_vec(), picks, square, monitor)?;
        square = found.iter().map(|c| c.1).fold(square, f32::max);
    }
    Ok(square)
}

/// Those of `picks` (ascending places) that lie in a window.
fn in_window<'a>(picks: &'a [u32], window: &Range<usize>) -> &'a [u32] {
    let at = |bound: usize| picks.partition_point(|&i| (i as usize) < bound);
    &picks[at(window.start)..at(window.end)]
}

/// Rows of `z` in the order of cells.
struct Ordered<'a> {
    z: MatrixView<'a>,
    order: Vec<u32>,
    /// Place of each row.
    places: Vec<u32>,
    /// Squared norm of the row at each place.
    norms: Vec<f32>,
}

impl<'a> Ordered<'a> {
    fn new(z: MatrixView<'a>, cells: &[Vec<u32>]) -> Self {
        let (order, by_row) = (cells.concat(), squared_norms(z));
        let norms = order.iter().map(|&i| by_row[i as usize]).collect();
        let mut places = vec![0; order.len()];
        for (place, &i) in order.iter().enumerate() {
            places[i as usize] = place as u32;
        }
        Self {
            z,
            order,
            places,
            norms,
        }
    }

    /// Places of `rows`, ascending.
    fn places(&self, rows: &[u32]) -> Vec<u32> {
        let mut places: Vec<u32> = rows.iter().map(|&i| self.places[i as usize]).collect();
        places.sort_unstable();
        places
    }

    /// Squared distances between the rows at each two of `places`.
    fn distances(&self, places: Range<usize>) -> Vec<f32> {
        let (x, norms) = (
            self.z.gather(&self.order[places.clone()]),
            &self.norms[places],
        );
        let mut tile = vec![0.0; norms.len() * norms.len()];
        matmul_nt(&mut tile, x.view(), x.view(), false);
        for (dots, norm) in tile.chunks_exact_mut(norms.len()).zip(norms) {
            squared_from_products(dots, *norm, norms);
        }
        tile
    }

    /// The rows at `places`, and their squared norms.
    fn at(&self, places: impl Iterator<Item = u32>) -> (Matrix, Vec<f32>) {
        let places: Vec<usize> = places.map(|place| place as usize).collect();
        let rows: Vec<u32> = places.iter().map(|&place| self.order[place]).collect();
        let norms = places.iter().map(|&place| self.norms[place]).collect();
        (self.z.gather(&rows), norms)
    }

    /// The candidates that lie farther than `square` from all `picks` (places), with the least of their
    /// squared distances.
    fn lowered(
        &self,
        candidates: Vec<Candidate>,
        picks: &[u32],
        square: f32,
        monitor: &Monitor,
    ) -> Result<Vec<Candidate>> {
        let tiles = candidates.chunks(TILE_ROWS);
        let lowered = tiles.map(|tile| self.lowered_tile(tile.to_vec(), picks, square, monitor));
        Ok(lowered.collect::<Result<Vec<_>>>()?.concat())
    }

    fn lowered_tile(
        &self,
        mut candidates: Vec<Candidate>,
        picks: &[u32],
        square: f32,
        monitor: &Monitor,
    ) -> Result<Vec<Candidate>> {
        candidates.retain(|c| c.1 > square);
        for at in blocks(picks.len(), TILE_PICKS) {
            if candidates.is_empty() {
                break;
            }
            monitor.check()?;
            let (x, own) = self.at(candidates.iter().map(|c| c.0));
            let (y, norms) = self.at(picks[at].iter().copied());
            let mut tile = vec![0.0; own.len() * norms.len()];
            matmul_nt(&mut tile, x.view(), y.view(), false);
            let dots = tile.chunks_exact_mut(norms.len()).zip(&own);
            for ((_, best), (dots, norm)) in candidates.iter_mut().zip(dots) {
                squared_from_products(dots, *norm, &norms);
                *best = dots.iter().copied().fold(*best, f32::min);
            }
            candidates.retain(|c| c.1 > square);
        }
        Ok(candidates)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arrays::matrix::random_matrix;
    use crate::kernels::squared_distance::squared_distance;
    use crate::numeric::partition::partition;
    use crate::quality::draws::random_selections;
    use crate::run::parallel::with_pool;

    fn radii(z: &Matrix, selections: &[Vec<u32>], least: f64) -> Vec<f64> {
        let monitor = Monitor::default();
        let cells = partition(z.view(), z.rows() / 20 + 1, &monitor).unwrap();
        let least = vec![least; selections.len()];
        coverage_radii(z.view(), &cells, selections, &least, &monitor).unwrap()
    }

    fn plain(z: &Matrix, selection: &[u32]) -> f64 {
        let nearest = |i: usize| {
            let to = |j: &u32| squared_distance(z.row(i), z.row(*j as usize));
            selection.iter().map(to).fold(f32::INFINITY, f32::min)
        };
        f64::from((0..z.rows()).map(nearest).fold(0.0, f32::max).sqrt())
    }

    #[test]
    fn matches_plain_loops_in_few_and_many_dimensions() {
        for (n, p, m) in [
            (1, 1, 1),
            (9000, 1, 300),
            (9000, 2, 2000),
            (4000, 40, 30),
            (700, 3, 700),
        ] {
            let z = random_matrix(n, p, 61);
            let mut selections = random_selections(n, m, 3, 7);
            // One side alone: whole windows are without a pick.
            let mut by_first: Vec<u32> = (0..n as u32).collect();
            by_first.sort_by(|&a, &b| z.row(a as usize)[0].total_cmp(&z.row(b as usize)[0]));
            selections.push(by_first[..m].to_vec());
            selections[3].sort_unstable();
            let got = radii(&z, &selections, 0.0);
            for (got, selection) in got.iter().zip(&selections) {
                let expected = plain(&z, selection);
                assert!(
                    (got - expected).abs() <= 1e-3 * expected + 1e-6,
                    "{n} {p}: {got} {expected}"
                );
                // What is known beforehand changes nothing but the work.
                let known = radii(&z, std::slice::from_ref(selection), 0.9 * expected);
                assert!((known[0] - expected).abs() <= 1e-3 * expected + 1e-6);
            }
        }
    }

    #[test]
    fn a_single_far_row_is_found() {
        let mut z = random_matrix(3000, 4, 61);
        z.row_mut(1234).fill(50.0);
        let selections = random_selections(3000, 200, 1, 0);
        assert!(!selections[0].contains(&1234));
        assert!(radii(&z, &selections, 0.5)[0] > 90.0);
    }

    #[test]
    fn copies_have_no_radius_and_threads_do_not_matter() {
        assert_eq!(radii(&Matrix::zeros(2000, 3), &[vec![7]], 0.0), [0.0]);
        let z = random_matrix(5000, 5, 61);
        let selections = random_selections(5000, 250, 3, 1);
        let run = |threads| with_pool(threads, || radii(&z, &selections, 0.1)).unwrap();
        assert_eq!(run(1), run(4));
    }
}
