//! The nearest few of a changing set of picks, for every row.
//!
//! FasterPAM (Schubert & Rousseeuw 2021) needs the nearest and the second nearest pick of a row. We keep
//! up to [`DEPTH`] of them, so that a pick that leaves seldom costs a search: only where fewer than
//! two are left are the distances to all picks taken anew.

use crate::linalg::{Matrix, MatrixView, matmul_nt, squared_norms};
use crate::parallel::blocks;

/// Picks remembered a row.
pub const DEPTH: usize = 4;
/// Rows that are searched together.
const ROWS: usize = 64;

/// A pick, by its slot, and its squared distance.
pub type Near = (u32, f32);

/// What stands for no pick.
const NONE: Near = (u32::MAX, f32::INFINITY);

/// The nearest picks of n rows, m in all.
pub struct NearestPicks {
    /// Ascending by distance; the first `len` are set and are exactly the nearest.
    lists: Vec<[Near; DEPTH]>,
    lens: Vec<u8>,
}

impl NearestPicks {
    /// Searches all `picks`, (m, p), for each row of `x`, (n, p). O(n m p).
    #[must_use]
    pub fn new(x: MatrixView<'_>, norms: &[f32], picks: MatrixView<'_>) -> Self {
        let n = x.rows();
        let mut found = Self {
            lists: vec![[NONE; DEPTH]; n],
            lens: vec![0; n],
        };
        found.search(x, norms, picks, &(0..n as u32).collect::<Vec<_>>());
        found
    }

    /// The nearest pick of row `i` and the second nearest; infinitely far where there is none.
    #[must_use]
    pub fn two(&self, i: usize) -> (Near, Near) {
        (self.lists[i][0], self.lists[i][1])
    }

    /// Puts another row into `slot`: `dists`, (n,), are the squared distances from it.
    pub fn replace(
        &mut self,
        x: MatrixView<'_>,
        norms: &[f32],
        picks: MatrixView<'_>,
        slot: u32,
        dists: &[f32],
    ) {
        let least = 2.min(picks.rows()) as u8;
        let mut short = Vec::new();
        for (i, (list, &d)) in self.lists.iter_mut().zip(dists).enumerate() {
            let mut len = usize::from(self.lens[i]);
            if let Some(at) = list.iter().position(|near| near.0 == slot) {
                list.copy_within(at + 1.., at);
                list[DEPTH - 1] = NONE;
                len -= 1;
            }
            // Beyond the last one known there may be others that are nearer.
            if len > 0 && d < list[len - 1].1 {
                len = (len + 1).min(DEPTH);
                insert(list, (slot, d));
            }
            self.lens[i] = len as u8;
            if self.lens[i] < least {
                short.push(i as u32);
            }
        }
        self.search(x, norms, picks, &short);
    }

    /// Makes the lists of `rows` anew.
    fn search(&mut self, x: MatrixView<'_>, norms: &[f32], picks: MatrixView<'_>, rows: &[u32]) {
        let m = picks.rows();
        let pick_norms = squared_norms(picks);
        for part in blocks(rows.len(), ROWS) {
            let rows = &rows[part];
            let queries: Matrix = x.gather(rows);
            let mut tile = vec![0.0; rows.len() * m];
            matmul_nt(&mut tile, queries.view(), picks, false);
            for (&i, dots) in rows.iter().zip(tile.chunks_exact(m)) {
                let mut list = [NONE; DEPTH];
                for (slot, (dot, norm)) in dots.iter().zip(&pick_norms).enumerate() {
                    let d = (norms[i as usize] + norm - 2.0 * dot).max(0.0);
                    if d < list[DEPTH - 1].1 {
                        insert(&mut list, (slot as u32, d));
                    }
                }
                self.lists[i as usize] = list;
                self.lens[i as usize] = DEPTH.min(m) as u8;
            }
        }
    }
}

/// Puts `new` behind those that are not farther; the last one falls out.
fn insert(list: &mut [Near; DEPTH], new: Near) {
    let at = list.iter().position(|near| new.1 < near.1);
    if let Some(at) = at {
        list.copy_within(at..DEPTH - 1, at + 1);
        list[at] = new;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::squared_distance;
    use crate::rng::{Purpose, stream};
    use rand::Rng;

    #[test]
    fn two_nearest_stay_right_through_many_changes() {
        for (n, m) in [(50, 1), (50, 2), (60, 9)] {
            let mut rng = stream(23, Purpose::Samples, n, m);
            let data = (0..n * 2).map(|_| rng.random_range(-1.0..1.0)).collect();
            let x = Matrix::from_vec(data, n, 2).unwrap();
            let norms = squared_norms(x.view());
            let mut rows: Vec<u32> = (0..m as u32).collect();
            let mut near = NearestPicks::new(x.view(), &norms, x.view().gather(&rows).view());
            for _ in 0..200 {
                let slot = rng.random_range(0..m);
                rows[slot] = rng.random_range(0..n as u32);
                let from = |i| squared_distance(x.row(i), x.row(rows[slot] as usize));
                let dists: Vec<f32> = (0..n).map(from).collect();
                let picks = x.view().gather(&rows);
                near.replace(x.view(), &norms, picks.view(), slot as u32, &dists);
                for i in 0..n {
                    let dist = |r: &u32| squared_distance(x.row(i), x.row(*r as usize));
                    let mut all: Vec<f32> = rows.iter().map(dist).collect();
                    all.push(f32::INFINITY);
                    all.sort_unstable_by(f32::total_cmp);
                    let (first, second) = near.two(i);
                    for (got, expected) in [(first, all[0]), (second, all[1])] {
                        assert!(got.1 == expected || (got.1 - expected).abs() < 1e-5);
                    }
                    assert!((dist(&rows[first.0 as usize]) - all[0]).abs() < 1e-5);
                }
            }
        }
    }
}
