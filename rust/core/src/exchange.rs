//! Exchange: swaps of selected rows for others while that brings the distributions closer.
//!
//! Ours, not the paper's. Within a cell of n rows, a selection S of m of them is scored by
//!
//! `F(S) = Σ_r |φ_S - φ_X|^2_r / a + λ (1/n) Σ_x min_{s in S} |x - s|^2 / b`.
//!
//! The first sum is the CF distance at several resolutions, from coarse to fine: at radius r it is
//! averaged over *all* frequencies ω ~ N(0, r^2 I) in closed form, since
//! `E_ω |φ_S - φ_X|^2 = mean k(S,S) - 2 mean k(S,X) + mean k(X,X)` with the Gaussian kernel
//! `k(x,y) = exp(-r^2 |x-y|^2/2)` (Bochner; Gretton et al. 2012). No frequency is drawn, so none can be
//! overfitted. The second is the quantisation error (k-medoids), which looks below the
//! finest radius. a and b are the values that random picks have, so that λ has no unit.
//!
//! Search: FasterPAM (Schubert & Rousseeuw 2021) on the joint score. For a candidate j all m swaps
//! i -> j are scored together in O(n + m), the best is taken at once if it helps, and the search
//! ends after a full round without one. Candidates come in a seeded order; a cell runs on one thread, so
//! the result does not depend on their number. Memory: one (n, n) matrix of f32 for distances and one
//! for kernels, hence cells of bounded size ([`crate::partition`]).

use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use crate::error::{Error, Result, check_non_negative};
use crate::linalg::{MatrixView, matmul_nt, squared_norms};
use crate::monitor::Monitor;
use crate::parallel::blocks;

/// Candidates between two looks at the monitor.
const TICK: usize = 256;
/// Random picks whose score sets the units a and b.
const REFERENCE_PICKS: usize = 4;

/// Parameters of the exchange.
#[derive(Debug, Clone, PartialEq)]
pub struct ExchangeOptions {
    /// Smallest radius, in units of one over the median distance; each of the [`RADII`] is twice
    /// the one before.
    pub base_radius: f64,
    /// Weight λ of the quantisation error.
    pub lambda_cover: f64,
    /// Rounds over all candidates at most.
    pub max_sweeps: usize,
}

/// Number of radii.
pub const RADII: usize = 4;

impl Default for ExchangeOptions {
    fn default() -> Self {
        Self {
            base_radius: 0.5,
            lambda_cover: 1.0,
            max_sweeps: 10,
        }
    }
}

impl ExchangeOptions {
    /// Checks every range.
    ///
    /// # Errors
    /// [`Error::Parameter`] naming the first one outside.
    pub fn check(&self) -> Result<()> {
        crate::error::check_positive("base_radius", self.base_radius)?;
        check_non_negative("lambda_cover", self.lambda_cover)
    }
}

/// The rows of one cell.
pub struct Cell {
    n: usize,
    /// Squared distances, (n, n).
    dist: Vec<f32>,
    /// Sum over the radii of the kernel, (n, n).
    kernel: Vec<f32>,
    /// Row means of the kernel, (n,): the potential of the whole cell.
    potential: Vec<f64>,
}

impl Cell {
    /// Distances and kernels of `x`, (n, p), whose median distance is 1. O(n^2 p).
    ///
    /// # Errors
    /// [`Error::Interrupted`].
    pub fn new(x: MatrixView<'_>, options: &ExchangeOptions, monitor: &Monitor) -> Result<Self> {
        let n = x.rows();
        let norms = squared_norms(x);
        let mut dist = vec![0.0_f32; n * n];
        let mut kernel = vec![0.0_f32; n * n];
        let mut potential = vec![0.0; n];
        // With radii doubling, each kernel is the fourth power of the one before: one exponential.
        let coarse = (-0.5 * options.base_radius * options.base_radius) as f32;
        for rows in blocks(n, 128) {
            monitor.check()?;
            let at = rows.start * n..rows.end * n;
            let dist = &mut dist[at.clone()];
            matmul_nt(dist, x.rows_range(rows.clone()), x, false);
            for (k, i) in rows.enumerate() {
                let dist = &mut dist[k * n..(k + 1) * n];
                let kernel = &mut kernel[at.start + k * n..at.start + (k + 1) * n];
                for (d, norm) in dist.iter_mut().zip(&norms) {
                    *d = (norms[i] + norm - 2.0 * *d).max(0.0);
                }
                dist[i] = 0.0;
                crate::kernels::exp::gaussian_powers(dist, coarse, kernel);
                potential[i] = kernel.iter().map(|&v| f64::from(v)).sum::<f64>() / n as f64;
            }
        }
        Ok(Self {
            n,
            dist,
            kernel,
            potential,
        })
    }

    fn dist(&self, i: u32) -> &[f32] {
        &self.dist[i as usize * self.n..(i as usize + 1) * self.n]
    }

    fn kernel(&self, i: u32) -> &[f32] {
        &self.kernel[i as usize * self.n..(i as usize + 1) * self.n]
    }

    /// m times the CF distance summed over the radii, and the quantisation error, of `picked`.
    #[must_use]
    pub fn scores(&self, picked: &[u32]) -> (f64, f64) {
        let m = picked.len() as f64;
        let (mut within, mut across) = (0.0, 0.0);
        let mut nearest = vec![f32::INFINITY; self.n];
        for &i in picked {
            let row = self.kernel(i);
            within += picked
                .iter()
                .map(|&j| f64::from(row[j as usize]))
                .sum::<f64>();
            across += self.potential[i as usize];
            for (near, d) in nearest.iter_mut().zip(self.dist(i)) {
                *near = near.min(*d);
            }
        }
        let whole = self.potential.iter().sum::<f64>() / self.n as f64;
        let cfd = within / (m * m) - 2.0 * across / m + whole;
        let cover = nearest.iter().map(|&d| f64::from(d)).sum::<f64>() / self.n as f64;
        (m * cfd, cover)
    }

    /// Swaps rows of `picked`, (m,) distinct rows of the cell, until no swap helps or
    /// `max_sweeps` rounds are done. Returns the number of swaps. O(sweeps n (n + m)).
    ///
    /// `fixed`: (n,), rows that stay as they are, in or out; empty for none.
    ///
    /// # Errors
    /// [`Error::Shape`], [`Error::Interrupted`].
    pub fn exchange(
        &self,
        picked: &mut [u32],
        fixed: &[bool],
        options: &ExchangeOptions,
        rng: &mut ChaCha8Rng,
        monitor: &Monitor,
    ) -> Result<usize> {
        let (n, m) = (self.n, picked.len());
        if m == 0 || m >= n {
            return Ok(0);
        }
        let may_move = |i: u32| fixed.get(i as usize).is_none_or(|f| !f);
        let mut order: Vec<u32> = (0..n as u32).filter(|&i| may_move(i)).collect();
        let (a, b) = self.units(m, &mut order, rng);
        let cover_weight = options.lambda_cover / (b * n as f64);
        let cfd_weight = m as f64 / a;
        let mut state = State::new(self, picked);
        let mut gains = vec![0.0_f64; m];
        let (mut swaps, mut since) = (0, 0);
        for round in 0..options.max_sweeps {
            order.shuffle(rng);
            for (count, &j) in order.iter().enumerate() {
                if (count + 1) % TICK == 0 {
                    monitor.check()?;
                }
                since += 1;
                if since > order.len() && round > 0 {
                    return Ok(swaps);
                }
                if state.is_picked(j) {
                    continue;
                }
                let added = state.cover_gains(self, j, &mut gains) * cover_weight;
                let (kernel, own) = (self.kernel(j), f64::from(self.kernel(j)[j as usize]));
                let inv_m = 1.0 / m as f64;
                let enter = inv_m * (2.0 * state.field[j as usize] + own)
                    - 2.0 * self.potential[j as usize];
                let mut best = (-1e-9, usize::MAX);
                for (slot, &i) in picked.iter().enumerate() {
                    if !may_move(i) {
                        continue;
                    }
                    let cross = f64::from(kernel[i as usize]);
                    let change = inv_m * (enter - 2.0 * inv_m * cross + state.leave(self, i));
                    let total = cfd_weight * change + cover_weight * gains[slot] + added;
                    if total < best.0 {
                        best = (total, slot);
                    }
                }
                if best.1 != usize::MAX {
                    state.swap(self, picked, best.1, j);
                    swaps += 1;
                    since = 0;
                }
            }
        }
        Ok(swaps)
    }

    /// Mean scores of random picks, (a, b).
    fn units(&self, m: usize, order: &mut [u32], rng: &mut ChaCha8Rng) -> (f64, f64) {
        let mut sum = (0.0, 0.0);
        for _ in 0..REFERENCE_PICKS {
            let (random, _) = order.partial_shuffle(rng, m);
            let (cfd, cover) = self.scores(random);
            sum.0 += cfd / REFERENCE_PICKS as f64;
            sum.1 += cover / REFERENCE_PICKS as f64;
        }
        (sum.0.max(f64::MIN_POSITIVE), sum.1.max(f64::MIN_POSITIVE))
    }
}

/// What a search keeps up to date.
struct State {
    /// Slot and distance of the nearest and the second nearest pick of each row.
    near: Vec<(u32, f32)>,
    second: Vec<(u32, f32)>,
    second_dist: Vec<f32>,
    /// Growth of the summed quantisation error if the pick in a slot left, (m,).
    removal: Vec<f64>,
    /// Σ_{s in S} k(s, x), (n,).
    field: Vec<f64>,
    picked: Vec<bool>,
}

impl State {
    fn new(cell: &Cell, picked: &[u32]) -> Self {
        let n = cell.n;
        let far = (u32::MAX, f32::INFINITY);
        let mut state = Self {
            near: vec![far; n],
            second: vec![far; n],
            second_dist: vec![f32::INFINITY; n],
            removal: vec![0.0; picked.len()],
            field: vec![0.0; n],
            picked: vec![false; n],
        };
        for (slot, &i) in picked.iter().enumerate() {
            state.picked[i as usize] = true;
            for (x, &d) in cell.dist(i).iter().enumerate() {
                state.offer(x, slot as u32, d);
            }
            for (f, k) in state.field.iter_mut().zip(cell.kernel(i)) {
                *f += f64::from(*k);
            }
        }
        state.settle();
        state
    }

    fn is_picked(&self, j: u32) -> bool {
        self.picked[j as usize]
    }

    fn offer(&mut self, x: usize, slot: u32, d: f32) {
        if d < self.near[x].1 {
            self.second[x] = self.near[x];
            self.near[x] = (slot, d);
        } else if d < self.second[x].1 {
            self.second[x] = (slot, d);
        }
    }

    /// Brings what derives from `near` and `second` up to date. A single pick cannot leave without
    /// a successor, so its infinite second distance counts as nothing here.
    fn settle(&mut self) {
        self.removal.fill(0.0);
        for x in 0..self.near.len() {
            let (near, second) = (self.near[x], self.second[x]);
            self.second_dist[x] = second.1;
            if second.1.is_finite() {
                self.removal[near.0 as usize] += f64::from(second.1 - near.1);
            }
        }
    }

    /// Change of the summed quantisation error if j enters: what all swaps share is returned, what
    /// depends on the slot that leaves goes to `gains`, (m,).
    fn cover_gains(&self, cell: &Cell, j: u32, gains: &mut [f64]) -> f64 {
        gains.copy_from_slice(&self.removal);
        let mut shared = 0.0;
        let chunks = cell.dist(j).chunks(16).zip(self.second_dist.chunks(16));
        for (c, (dist, second)) in chunks.enumerate() {
            // Few rows are closer to j than to their second pick: look at 16 at a time.
            let any = dist
                .iter()
                .zip(second)
                .fold(false, |any, (d, s)| any | (d < s));
            if !any {
                continue;
            }
            for (k, &d) in dist.iter().enumerate() {
                let x = 16 * c + k;
                let ((slot, near), (_, second)) = (self.near[x], self.second[x]);
                if d < near {
                    shared += f64::from(d - near);
                    if second.is_finite() {
                        gains[slot as usize] += f64::from(near - second);
                    }
                } else if d < second {
                    let until = if second.is_finite() { second } else { near };
                    gains[slot as usize] += f64::from(d - until);
                }
            }
        }
        shared
    }

    /// What leaves the CF distance with pick i: `(1/m)(k_ii - 2 field_i) + 2 potential_i`, for the
    /// factor 1/m that [`Cell::exchange`] applies.
    fn leave(&self, cell: &Cell, i: u32) -> f64 {
        let own = f64::from(cell.kernel(i)[i as usize]);
        let inv_m = 1.0 / self.removal.len() as f64;
        inv_m * (own - 2.0 * self.field[i as usize]) + 2.0 * cell.potential[i as usize]
    }

    fn swap(&mut self, cell: &Cell, picked: &mut [u32], slot: usize, j: u32) {
        let i = picked[slot];
        picked[slot] = j;
        self.picked[i as usize] = false;
        self.picked[j as usize] = true;
        let pairs = cell.kernel(j).iter().zip(cell.kernel(i));
        for (f, (enter, leave)) in self.field.iter_mut().zip(pairs) {
            *f += f64::from(*enter) - f64::from(*leave);
        }
        for (x, &d) in cell.dist(j).iter().enumerate() {
            if self.near[x].0 == slot as u32 || self.second[x].0 == slot as u32 {
                let far = (u32::MAX, f32::INFINITY);
                (self.near[x], self.second[x]) = (far, far);
                for (s, &pick) in picked.iter().enumerate() {
                    self.offer(x, s as u32, cell.dist(pick)[x]);
                }
            } else {
                self.offer(x, slot as u32, d);
            }
        }
        self.settle();
    }
}

/// Rows to select in a cell from scratch or beside those of `picked`: each the one that lowers the
/// quantisation error most (BUILD, Kaufman & Rousseeuw 1990). O(count n^2).
///
/// # Errors
/// [`Error::Interrupted`].
pub fn fill_up(
    cell: &Cell,
    picked: &mut Vec<u32>,
    count: usize,
    may_enter: impl Fn(u32) -> bool,
    monitor: &Monitor,
) -> Result<()> {
    let mut nearest = vec![f32::INFINITY; cell.n];
    let mut taken = vec![false; cell.n];
    for &i in picked.iter() {
        taken[i as usize] = true;
        nearest
            .iter_mut()
            .zip(cell.dist(i))
            .for_each(|(a, d)| *a = a.min(*d));
    }
    while picked.len() < count {
        monitor.check()?;
        let free = (0..cell.n as u32).filter(|&j| !taken[j as usize] && may_enter(j));
        let error = |j: u32| -> f32 {
            let pairs = nearest.iter().zip(cell.dist(j));
            pairs.map(|(a, d)| a.min(*d)).sum()
        };
        let best = free
            .map(|j| (error(j), j))
            .min_by(|a, b| a.0.total_cmp(&b.0));
        let Some((_, j)) = best else {
            let rule = "is more than the rows that may be selected";
            return Err(Error::parameter("count", count, rule));
        };
        taken[j as usize] = true;
        nearest
            .iter_mut()
            .zip(cell.dist(j))
            .for_each(|(a, d)| *a = a.min(*d));
        picked.push(j);
    }
    Ok(())
}

/// Drops rows of `picked` until `count` are left: each time one of the closest two, the one whose
/// next neighbour is closer. O(surplus m^2).
pub fn thin_out(cell: &Cell, picked: &mut Vec<u32>, count: usize) {
    while picked.len() > count {
        let nearest = |slot: usize| {
            let row = cell.dist(picked[slot]);
            let others = (0..picked.len())
                .filter(|&s| s != slot)
                .map(|s| row[picked[s] as usize]);
            let (first, second) = others.fold((f32::INFINITY, f32::INFINITY), |(a, b), d| {
                if d < a { (d, a) } else { (a, b.min(d)) }
            });
            (first, second, slot)
        };
        let closest = (0..picked.len()).map(nearest).min_by(|a, b| {
            a.0.total_cmp(&b.0)
                .then(a.1.total_cmp(&b.1))
                .then(a.2.cmp(&b.2))
        });
        match closest {
            Some((_, _, slot)) => picked.remove(slot),
            None => return,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::Matrix;
    use crate::rng::{Purpose, stream};
    use rand::Rng;

    fn points(n: usize, p: usize) -> Matrix {
        let mut rng = stream(17, Purpose::Samples, n, p);
        let data = (0..n * p).map(|_| rng.random_range(-0.7..0.7)).collect();
        Matrix::from_vec(data, n, p).unwrap()
    }

    fn total(cell: &Cell, picked: &[u32], units: (f64, f64), lambda: f64) -> f64 {
        let (cfd, cover) = cell.scores(picked);
        cfd / units.0 + lambda * cover / units.1
    }

    #[test]
    fn scores_match_definitions() {
        let x = points(30, 3);
        let options = ExchangeOptions::default();
        let cell = Cell::new(x.view(), &options, &Monitor::default()).unwrap();
        let k = |i: usize, j: usize| -> f64 {
            let pairs = x.row(i).iter().zip(x.row(j));
            let d2: f64 = pairs.map(|(a, b)| f64::from(a - b).powi(2)).sum();
            [0.5, 1.0, 2.0, 4.0]
                .iter()
                .map(|r: &f64| (-0.5 * r * r * d2).exp())
                .sum()
        };
        let picked = [3_u32, 11, 29];
        let mean = |a: &[usize], b: &[usize]| -> f64 {
            let pairs = a.iter().flat_map(|&i| b.iter().map(move |&j| k(i, j)));
            pairs.sum::<f64>() / (a.len() * b.len()) as f64
        };
        let (s, all): (Vec<usize>, Vec<usize>) = (vec![3, 11, 29], (0..30).collect());
        let cfd = 3.0 * (mean(&s, &s) - 2.0 * mean(&s, &all) + mean(&all, &all));
        assert!((cell.scores(&picked).0 - cfd).abs() < 1e-5);
        let everything: Vec<u32> = (0..30).collect();
        assert!(cell.scores(&everything).0.abs() < 1e-5);
        assert_eq!(cell.scores(&everything).1, 0.0);
    }

    #[test]
    fn ends_in_a_local_optimum_of_the_score() {
        for (n, m, lambda) in [(40, 5, 1.0), (40, 1, 0.5), (25, 24, 1.0), (60, 9, 0.0)] {
            let x = points(n, 2);
            let options = ExchangeOptions {
                lambda_cover: lambda,
                max_sweeps: 100,
                ..ExchangeOptions::default()
            };
            let monitor = Monitor::default();
            let cell = Cell::new(x.view(), &options, &monitor).unwrap();
            let mut order: Vec<u32> = (0..n as u32).collect();
            let units = cell.units(m, &mut order, &mut stream(0, Purpose::Exchange, 0, 0));
            let mut picked: Vec<u32> = (0..m as u32).collect();
            let before = total(&cell, &picked, units, lambda);
            let mut rng = stream(0, Purpose::Exchange, 0, 0);
            cell.exchange(&mut picked, &[], &options, &mut rng, &monitor)
                .unwrap();
            let after = total(&cell, &picked, units, lambda);
            assert!(after <= before);
            for slot in 0..m {
                for j in (0..n as u32).filter(|j| !picked.contains(j)) {
                    let mut swapped = picked.clone();
                    swapped[slot] = j;
                    let there = total(&cell, &swapped, units, lambda);
                    assert!(there > after - 1e-5, "n {n} m {m}: {there} < {after}");
                }
            }
        }
    }

    #[test]
    fn fixed_rows_stay() {
        let x = points(30, 2);
        let (options, monitor) = (ExchangeOptions::default(), Monitor::default());
        let cell = Cell::new(x.view(), &options, &monitor).unwrap();
        let mut fixed = vec![false; 30];
        fixed[..10].fill(true);
        let mut picked = vec![0, 1, 12];
        let mut rng = stream(0, Purpose::Exchange, 0, 0);
        cell.exchange(&mut picked, &fixed, &options, &mut rng, &monitor)
            .unwrap();
        assert_eq!(picked[..2], [0, 1]);
        assert!(picked[2] >= 10);
    }

    #[test]
    fn thinning_drops_twins_and_filling_covers() {
        let data = vec![0.0, 0.01, 1.0, 2.0, 2.02, 3.0];
        let x = Matrix::from_vec(data, 6, 1).unwrap();
        let (options, monitor) = (ExchangeOptions::default(), Monitor::default());
        let cell = Cell::new(x.view(), &options, &monitor).unwrap();
        let mut picked = (0..6).collect();
        thin_out(&cell, &mut picked, 4);
        assert_eq!(picked.iter().filter(|i| **i < 2).count(), 1);
        assert_eq!(picked.iter().filter(|i| **i == 3 || **i == 4).count(), 1);
        let mut picked = vec![0];
        fill_up(&cell, &mut picked, 2, |_| true, &monitor).unwrap();
        assert!(picked[1] == 3 || picked[1] == 4);
        assert!(fill_up(&cell, &mut picked, 4, |j| j < 2, &monitor).is_err());
    }

    #[test]
    fn duplicates_and_one_row_are_harmless() {
        let (options, monitor) = (ExchangeOptions::default(), Monitor::default());
        for n in [1, 2, 7] {
            let x = Matrix::from_vec(vec![0.5; n * 2], n, 2).unwrap();
            let cell = Cell::new(x.view(), &options, &monitor).unwrap();
            let mut picked = vec![0];
            let mut rng = stream(0, Purpose::Exchange, 0, 0);
            let swaps = cell.exchange(&mut picked, &[], &options, &mut rng, &monitor);
            assert_eq!(swaps.unwrap(), 0);
            let mut picked = vec![];
            fill_up(&cell, &mut picked, n, |_| true, &monitor).unwrap();
            assert_eq!(picked, (0..n as u32).collect::<Vec<_>>());
        }
    }
}
