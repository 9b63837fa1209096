//! The nearest few of a changing set of picks, for every row.
//!
//! FasterPAM (Schubert & Rousseeuw 2021) needs the nearest and the second nearest pick of a row. We
//! keep up to [`DEPTH`] of them, so that a pick that leaves seldom costs a search: only where fewer
//! than two are left are the distances to all picks taken anew. A change touches the rows that it
//! concerns and scans the others.

use crate::arrays::matrix::{Matrix, MatrixView};
use crate::kernels::product::matmul_nt;
use crate::kernels::scan::{find_equal, scan_below};
use crate::kernels::squared_distance::squared_from_product;
use crate::run::error::Result;
use crate::run::parallel::{blocks, map_blocks};

/// Distances count up to here, in median distances. A row that is farther from every pick is covered by none; without
/// a bound a few of heavy tails drew so many picks that the CF distance doubled (nslkdd and covtype at 10 % with labels:
/// .061 against .024, .044 against .021; accuracy as before).
const FARTHEST: f32 = 2.0;
/// Picks remembered a row.
const DEPTH: usize = 4;
/// Rows that are searched together.
const ROWS: usize = 64;
/// Stands for no pick.
const NO_PICK: u32 = u32::MAX;

/// A pick, by its slot, and its distance.
pub type Near = (u32, f32);

/// Slots and distances of the nearest picks of a row.
type List = ([u32; DEPTH], [f32; DEPTH]);

/// Distance of two rows with squared norms `a` and `b` and product `dot`.
#[inline]
#[must_use]
pub fn distance(a: f32, b: f32, dot: f32) -> f32 {
    bounded(squared_from_product(a, b, dot))
}

/// The distance whose square is given, as far as it counts.
#[inline]
#[must_use]
pub fn bounded(squared: f32) -> f32 {
    squared.sqrt().min(FARTHEST)
}

/// Picks, (m, p), and their squared norms, (m,).
#[derive(Debug, Clone, Copy)]
pub struct Picks<'a> {
    x: MatrixView<'a>,
    norms: &'a [f32],
}

impl<'a> Picks<'a> {
    /// `norms`: [`squared_norms`](crate::kernels::squared_distance::squared_norms) of `x`.
    #[must_use]
    pub fn new(x: &'a Matrix, norms: &'a [f32]) -> Self {
        Self { x: x.view(), norms }
    }
}

/// The nearest picks of the rows of `x`.
pub struct NearestPicks<'a> {
    x: MatrixView<'a>,
    norms: &'a [f32],
    /// Slots, ascending by distance, (n, [`DEPTH`]); those that are set are exactly the nearest.
    slots: Vec<u32>,
    dists: Vec<[f32; DEPTH]>,
}

impl<'a> NearestPicks<'a> {
    /// Searches all m picks for each of `rows` of `x`, (n, p), of squared norms `norms`; the other rows have
    /// none. O(|rows| m p).
    ///
    /// # Errors
    /// None: the tasks cannot fail.
    pub fn new(
        x: MatrixView<'a>,
        norms: &'a [f32],
        rows: &[u32],
        picks: Picks<'_>,
    ) -> Result<Self> {
        let n = x.rows();
        let mut found = Self {
            x,
            norms,
            slots: vec![NO_PICK; n * DEPTH],
            dists: vec![[f32::INFINITY; DEPTH]; n],
        };
        let parts = map_blocks(rows.len(), ROWS, |part| {
            Ok(found.searched(picks, &rows[part]))
        })?;
        for (&i, list) in rows.iter().zip(parts.concat()) {
            found.set(i as usize, list);
        }
        Ok(found)
    }

    /// The nearest pick of row `i` and the second nearest; infinitely far where there is none.
    #[inline]
    #[must_use]
    pub fn two(&self, i: usize) -> (Near, Near) {
        let (slots, dists) = (&self.slots[i * DEPTH..], &self.dists[i]);
        ((slots[0], dists[0]), (slots[1], dists[1]))
    }

    /// Sum over the rows searched for of the distance to the nearest pick.
    #[must_use]
    pub fn total(&self) -> f64 {
        let nearest = self.dists.iter().map(|d| f64::from(d[0]));
        nearest.filter(|d| d.is_finite()).sum()
    }

    /// Puts another row into `slot` of `picks`, which hold it already; `near`: the rows near it, itself
    /// among them if it was searched for, and their distances. Calls `changed(i, before, after)` with
    /// [`two`](Self::two) of each row for which they may differ.
    pub fn replace(
        &mut self,
        picks: Picks<'_>,
        slot: u32,
        near: impl Iterator<Item = (u32, f32)>,
        mut changed: impl FnMut(usize, (Near, Near), (Near, Near)),
    ) {
        let mut rows: Vec<(u32, f32)> = Vec::new();
        rows.extend(near.filter(|&(i, d)| d < self.dists[i as usize][DEPTH - 1]));
        find_equal(&self.slots, slot, |at| {
            rows.push(((at / DEPTH) as u32, f32::INFINITY));
        });
        // A row that is near as well comes first with its distance.
        rows.sort_unstable_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
        rows.dedup_by_key(|(i, _)| *i);
        let least = 2.min(picks.norms.len());
        let mut short = Vec::new();
        for &(i, d) in &rows {
            let before = self.two(i as usize);
            if self.replace_in(i as usize, slot, d) < least {
                short.push((i, before));
            } else {
                changed(i as usize, before, self.two(i as usize));
            }
        }
        for part in blocks(short.len(), ROWS) {
            let part = &short[part];
            let rows: Vec<u32> = part.iter().map(|(i, _)| *i).collect();
            for (&(i, before), list) in part.iter().zip(self.searched(picks, &rows)) {
                self.set(i as usize, list);
                changed(i as usize, before, self.two(i as usize));
            }
        }
    }

    /// Takes `slot` out of the list of row `i` and puts it back at distance `d`, if that is known
    /// to be its place. Returns the length of the list.
    fn replace_in(&mut self, i: usize, slot: u32, d: f32) -> usize {
        let slots = &mut self.slots[i * DEPTH..(i + 1) * DEPTH];
        let dists = &mut self.dists[i];
        if let Some(at) = slots.iter().position(|s| *s == slot) {
            slots.copy_within(at + 1.., at);
            dists.copy_within(at + 1.., at);
            (slots[DEPTH - 1], dists[DEPTH - 1]) = (NO_PICK, f32::INFINITY);
        }
        let mut len = slots.iter().take_while(|s| **s != NO_PICK).count();
        // Beyond the last one known there may be others that are nearer.
        if len > 0 && d < dists[len - 1] {
            insert(slots, dists, (slot, d));
            len = (len + 1).min(DEPTH);
        }
        len
    }

    /// The lists of `rows`, from the distances to all picks.
    fn searched(&self, picks: Picks<'_>, rows: &[u32]) -> Vec<List> {
        let m = picks.norms.len();
        let mut tile = vec![0.0; rows.len() * m];
        matmul_nt(&mut tile, self.x.gather(rows).view(), picks.x, false);
        let list = |(&i, dots): (&u32, &[f32])| {
            let norm_i = self.norms[i as usize];
            let (mut slots, mut dists) = ([NO_PICK; DEPTH], [f32::INFINITY; DEPTH]);
            // Nearly all are farther: no root is drawn for them.
            scan_below(dots, picks.norms, f32::INFINITY, |slot, _| {
                let d = distance(norm_i, picks.norms[slot], dots[slot]);
                insert(&mut slots, &mut dists, (slot as u32, d));
                dists[DEPTH - 1].powi(2) - norm_i
            });
            (slots, dists)
        };
        rows.iter().zip(tile.chunks_exact(m)).map(list).collect()
    }

    /// Makes `list` row `i`'s.
    fn set(&mut self, i: usize, (slots, dists): List) {
        self.slots[i * DEPTH..(i + 1) * DEPTH].copy_from_slice(&slots);
        self.dists[i] = dists;
    }
}

/// Puts `new` behind those that are not farther; the last one falls out.
fn insert(slots: &mut [u32], dists: &mut [f32; DEPTH], new: Near) {
    if let Some(at) = dists.iter().position(|d| new.1 < *d) {
        slots.copy_within(at..DEPTH - 1, at + 1);
        dists.copy_within(at..DEPTH - 1, at + 1);
        (slots[at], dists[at]) = new;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::squared_distance::{squared_distance, squared_norms};
    use crate::run::rng::test_stream;
    use rand::Rng;

    #[test]
    fn two_nearest_stay_right_through_many_changes() {
        for (n, m) in [(50, 1), (50, 2), (60, 9), (70, 3)] {
            let mut rng = test_stream(23, n, m);
            let data = (0..n * 2).map(|_| rng.random_range(-1.0..1.0)).collect();
            let x = Matrix::from_vec(data, n, 2).unwrap();
            let norms = squared_norms(x.view());
            let mut rows: Vec<u32> = (0..m as u32).collect();
            let start = x.view().gather(&rows);
            let start_norms = squared_norms(start.view());
            let picks = Picks::new(&start, &start_norms);
            let all: Vec<u32> = (0..n as u32).collect();
            let mut near = NearestPicks::new(x.view(), &norms, &all, picks).unwrap();
            for _ in 0..200 {
                let slot = rng.random_range(0..m);
                rows[slot] = rng.random_range(0..n as u32);
                let own = rows[slot] as usize;
                let to_own = all.iter().map(|&i| {
                    let d2 = squared_distance(x.row(i as usize), x.row(own));
                    (i, bounded(d2))
                });
                let picks = x.view().gather(&rows);
                let told: Vec<_> = (0..n).map(|i| near.two(i)).collect();
                let mut seen = told.clone();
                near.replace(
                    Picks::new(&picks, &squared_norms(picks.view())),
                    slot as u32,
                    to_own,
                    |i, before, after| {
                        assert_eq!(before, told[i]);
                        seen[i] = after;
                    },
                );
                for i in 0..n {
                    let dist = |r: &u32| bounded(squared_distance(x.row(i), x.row(*r as usize)));
                    let mut all: Vec<f32> = rows.iter().map(dist).collect();
                    all.push(f32::INFINITY);
                    all.sort_unstable_by(f32::total_cmp);
                    let (first, second) = near.two(i);
                    assert_eq!(seen[i], (first, second));
                    for (got, expected) in [(first, all[0]), (second, all[1])] {
                        let gap = got.1.powi(2) - expected.powi(2);
                        assert!(got.1 == expected || gap.abs() < 1e-5);
                    }
                    let gap = dist(&rows[first.0 as usize]).powi(2) - all[0].powi(2);
                    assert!(gap.abs() < 1e-5);
                }
            }
        }
    }
}
