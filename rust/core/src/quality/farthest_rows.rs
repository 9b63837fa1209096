//! The rows that lie farthest from their nearest selected one, of all rows. The greatest of these
//! distances is the coverage radius.
//!
//! It needs no more than a bound for most rows: one that lies nearer than as many rows as are wanted,
//! found in a sample, is none of them. Rows are taken in the order of the cells, in which neighbours stand
//! close together: first each is compared with the picks of a short window of that order, where
//! all selections share the products; the few that are left with those of longer windows, and
//! the last of them with all picks, the farthest first, as each of these may raise the bound.

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
/// Rows, times selections, that are looked at together: a good part of them may be left after the first window.
pub(crate) const TOGETHER: usize = 1 << 26;
/// Rows whose norms are taken at a time.
const NORMS: usize = 4096;

/// A row by its place in the order, and the least squared distance to a pick found so far.
type Candidate = (u32, f32);

/// A row and its distance to the nearest selected one.
pub type Far = (u32, f64);

/// The rows farthest from each of `selections` (ascending rows of `z`, (n, p), as many in each), the farthest
/// first, as many as `known` has for it: rows whose distances are known already. `cells` hold each row
/// once. O(n p (picks of a window)) and, of a row that lies farther than these from the picks of its
/// window, O(m p) at most.
///
/// Of rows at one distance any may be missing.
///
/// # Errors
/// [`crate::Error::Interrupted`].
pub fn farthest_rows(
    z: MatrixView<'_>,
    cells: Vec<Vec<u32>>,
    selections: &[Vec<u32>],
    known: &[Vec<Far>],
    monitor: &Monitor,
) -> Result<Vec<Vec<Far>>> {
    let n = z.rows();
    let order = cells.concat();
    drop(cells);
    let places = places_in(&order, selections)?;
    let rows = Ordered::new(z, order);
    let together = (TOGETHER / n.max(1)).max(1);
    let mut farthest = Vec::with_capacity(selections.len());
    for (places, known) in places.chunks(together).zip(known.chunks(together)) {
        farthest.extend(farthest_from(&rows, places, known, monitor)?);
    }
    Ok(farthest)
}

/// The same of selections by their places, ascending.
fn farthest_from(
    rows: &Ordered<'_>,
    places: &[Vec<u32>],
    known: &[Vec<Far>],
    monitor: &Monitor,
) -> Result<Vec<Vec<Far>>> {
    let n = rows.order.len();
    let m = places.first().map_or(1, Vec::len).max(1);
    let window = (PICKS * n / m).clamp(ROWS.0, ROWS.1);
    let least = |known: &Vec<Far>| known.iter().map(|far| far.1).fold(f64::INFINITY, f64::min);
    let squares: Vec<f32> = known.iter().map(|k| least(k).powi(2) as f32).collect();
    // Windows within longer ones, so that few candidates wait for the others.
    let parts = map_blocks(n, window * GROWTH, |long| {
        let mut left = vec![Vec::new(); places.len()];
        for at in blocks(long.len(), window) {
            monitor.check()?;
            let at = long.start + at.start..long.start + at.end;
            let tile = rows.distances(at.clone());
            for ((left, places), square) in left.iter_mut().zip(places).zip(&squares) {
                let mut best = vec![f32::INFINITY; at.len()];
                let picks: Vec<usize> = within(places, &at).collect();
                min_rows(&tile, &picks, &mut best);
                let found = best.into_iter().zip(at.clone());
                let far = found.filter(|(b, _)| b > square);
                left.extend(far.map(|(b, place)| (place as u32, b)));
            }
        }
        let lowered = left.into_iter().zip(places).zip(&squares);
        let lowered = lowered.map(|((left, places), square)| {
            rows.lowered(left, in_window(places, &long), *square, monitor)
        });
        lowered.collect::<Result<Vec<_>>>()
    })?;
    let mut candidates = vec![Vec::new(); places.len()];
    for part in parts {
        let pairs = candidates.iter_mut().zip(part);
        pairs.for_each(|(all, part)| all.extend(part));
    }
    let searches = candidates
        .into_iter()
        .zip(places)
        .zip(known.iter().zip(squares));
    let searches: Vec<_> = searches.collect();
    map_items(searches, |((candidates, places), (known, square))| {
        let candidates = rows.narrowed(candidates, places, (window * GROWTH, square), monitor)?;
        rows.farthest(candidates, places, known, monitor)
    })
}

/// Those of `picks` (ascending places) that lie in a window.
fn in_window<'a>(picks: &'a [u32], window: &Range<usize>) -> &'a [u32] {
    let at = |bound: usize| picks.partition_point(|&i| (i as usize) < bound);
    &picks[at(window.start)..at(window.end)]
}

/// Places in the order of the rows of each of `selections`, ascending.
fn places_in(order: &[u32], selections: &[Vec<u32>]) -> Result<Vec<Vec<u32>>> {
    let mut place_of = vec![0; order.len()];
    for (place, &i) in order.iter().enumerate() {
        place_of[i as usize] = place as u32;
    }
    map_items(selections, |rows| {
        let mut places: Vec<u32> = rows.iter().map(|&i| place_of[i as usize]).collect();
        places.sort_unstable();
        Ok(places)
    })
}

/// Rows of `z` in the order of cells.
struct Ordered<'a> {
    z: MatrixView<'a>,
    order: Vec<u32>,
    /// Squared norm of the row at each place.
    norms: Vec<f32>,
}

impl<'a> Ordered<'a> {
    fn new(z: MatrixView<'a>, order: Vec<u32>) -> Self {
        let norms = order.chunks(NORMS);
        let norms = norms.flat_map(|rows| squared_norms(z.gather(rows).view()));
        Self {
            norms: norms.collect(),
            z,
            order,
        }
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

    /// The candidates (ascending places) that lie farther than `square` from the picks of ever longer
    /// windows.
    fn narrowed(
        &self,
        mut candidates: Vec<Candidate>,
        picks: &[u32],
        (mut window, square): (usize, f32),
        monitor: &Monitor,
    ) -> Result<Vec<Candidate>> {
        while window * GROWTH < self.order.len() {
            window *= GROWTH;
            let mut left = Vec::new();
            for near in candidates.chunk_by(|a, b| a.0 as usize / window == b.0 as usize / window) {
                let first = near[0].0 as usize / window * window;
                let own = in_window(picks, &(first..first + window));
                left.extend(self.lowered(near.to_vec(), own, square, monitor)?);
            }
            candidates = left;
        }
        Ok(candidates)
    }

    /// The farthest rows from all picks, of `candidates` and those `known`: as many as these.
    fn farthest(
        &self,
        mut candidates: Vec<Candidate>,
        picks: &[u32],
        known: &[Far],
        monitor: &Monitor,
    ) -> Result<Vec<Far>> {
        let nearer = |a: &Far, b: &Far| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0));
        let mut farthest = known.to_vec();
        farthest.sort_by(nearer);
        candidates.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        for batch in candidates.chunks(TILE_ROWS) {
            let square = farthest.last().map_or(0.0, |far| far.1.powi(2) as f32);
            let found = self.lowered(batch.to_vec(), picks, square, monitor)?;
            let found = found.into_iter();
            let found = found.map(|(place, square)| (self.order[place as usize], square));
            for (row, square) in found {
                // A row of the sample is a candidate, too, but for rounding.
                if farthest.iter().all(|far| far.0 != row) {
                    farthest.push((row, f64::from(square.sqrt())));
                }
            }
            farthest.sort_by(nearer);
            farthest.truncate(known.len());
        }
        Ok(farthest)
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

    fn farthest(z: &Matrix, selections: &[Vec<u32>], known: &[Far]) -> Vec<Vec<Far>> {
        let monitor = Monitor::default();
        let cells = partition(z.view(), z.rows() / 20 + 1, &monitor).unwrap();
        let known = vec![known.to_vec(); selections.len()];
        farthest_rows(z.view(), cells, selections, &known, &monitor).unwrap()
    }

    /// All rows, the farthest first.
    fn plain(z: &Matrix, selection: &[u32]) -> Vec<Far> {
        let nearest = |i: u32| {
            let to = |j: &u32| squared_distance(z.row(i as usize), z.row(*j as usize));
            let square = selection.iter().map(to).fold(f32::INFINITY, f32::min);
            (i, f64::from(square.sqrt()))
        };
        let mut all: Vec<Far> = (0..z.rows() as u32).map(nearest).collect();
        all.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        all
    }

    #[test]
    fn selections_are_the_same_alone_and_together() {
        let z = random_matrix(3000, 4, 2);
        let selections = random_selections(3000, 30, 5, 3);
        let known = [(0, 0.0), (1, 0.0)];
        let alone = selections.iter().map(std::slice::from_ref);
        let alone: Vec<_> = alone.flat_map(|one| farthest(&z, one, &known)).collect();
        assert_eq!(farthest(&z, &selections, &known), alone);
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
            let got = farthest(&z, &selections, &[(0, 0.0)]);
            let as_far = |got: &Far, expected: &Far| {
                let (got, expected) = (got.1, expected.1);
                assert!(
                    (got - expected).abs() <= 1e-3 * expected + 1e-6,
                    "{n} {p}: {got} {expected}"
                );
            };
            for (got, selection) in got.iter().zip(&selections) {
                let expected = plain(&z, selection);
                as_far(&got[0], &expected[0]);
                // More of them, from what a sample knows: every other row of the far ones.
                let known: Vec<Far> = expected.iter().step_by(2).take(9).copied().collect();
                let got = &farthest(&z, std::slice::from_ref(selection), &known)[0];
                assert_eq!(got.len(), known.len());
                for (got, expected) in got.iter().zip(&expected) {
                    as_far(got, expected);
                }
            }
        }
    }

    #[test]
    fn a_single_far_row_is_found() {
        let mut z = random_matrix(3000, 4, 61);
        z.row_mut(1234).fill(50.0);
        let selections = random_selections(3000, 200, 1, 0);
        assert!(!selections[0].contains(&1234));
        let (row, distance) = farthest(&z, &selections, &[(3, 0.5)])[0][0];
        assert!(row == 1234 && distance > 90.0);
    }

    #[test]
    fn copies_have_no_radius_and_threads_do_not_matter() {
        let known = [(4, 0.0), (5, 0.0)];
        assert_eq!(
            farthest(&Matrix::zeros(2000, 3), &[vec![7]], &known),
            [known]
        );
        let z = random_matrix(5000, 5, 61);
        let selections = random_selections(5000, 250, 3, 1);
        let known: Vec<Far> = plain(&z, &selections[0]).drain(100..110).collect();
        let run = |threads| with_pool(threads, || farthest(&z, &selections, &known)).unwrap();
        assert_eq!(run(1), run(4));
    }
}
