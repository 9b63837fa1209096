//! Swaps of the exchange: scoring all of a candidate at once, and taking the best.
//!
//! FasterPAM (Schubert & Rousseeuw 2021) on the joint score of `exchange`.

use rand_chacha::ChaCha8Rng;

use crate::arrays::matrix::Matrix;
use crate::exchange::nearest_picks::{Near, NearestPicks, Picks, distance};
use crate::exchange::potential::Block;
use crate::kernels::exp::{N_RADII, gaussian_powers};
use crate::kernels::product::matmul_nt;
use crate::kernels::scan::scan_below_each;
use crate::kernels::squared_distance::squared_from_products;
use crate::kernels::squared_distance::squared_norms;
use crate::kernels::sum::sum;
use crate::run::error::Result;
use crate::run::monitor::Monitor;
use crate::run::parallel::{fill_blocks, map_blocks};

/// Candidates scored against one state of the selection.
pub const CANDIDATE_BATCH: usize = 512;
/// Candidates of a product.
const TILE: usize = 64;
/// Candidates that a task scores, and picks that it sums the kernels of.
const SCORED: usize = 8;
/// A swap must lower the score by this share of 1/m.
const LEAST_GAIN: f64 = 1e-5;

/// A selection on its way to a local optimum.
pub struct SwapSearch<'a, F> {
    block: &'a Block<'a>,
    is_free: F,
    /// Weight of m times the CF distance, and of the summed quantisation error.
    cfd_weight: f64,
    cover_weight: f64,
    /// Selected rows by slot, (m,), and their features, (m, p).
    pub rows: Vec<u32>,
    picks: Matrix,
    pick_norms: Vec<f32>,
    is_picked: Vec<bool>,
    /// Σ_{s in S} k(s, i) for each pick i, (m,).
    field: Vec<f64>,
    nearest: NearestPicks<'a>,
    /// Squared distance of the second nearest pick less the squared norm, (n,): see
    /// [`scan_below_each`].
    reach: Vec<f32>,
    /// Growth of the summed quantisation error if the pick in a slot left, (m,).
    removal: Vec<f64>,
    /// Products of a batch with all rows, ([`CANDIDATE_BATCH`], n).
    dots: Vec<f32>,
}

/// The best swap with a candidate: what it changes, the slot that leaves, and the candidate's
/// kernels with the picks.
struct Swap {
    change: f64,
    slot: usize,
    kernels: Vec<f32>,
}

impl<'a, F: Fn(u32) -> bool + Sync> SwapSearch<'a, F> {
    /// A search from `picked`, (m,) rows of `block`; those that are not free stay in. O(n m p).
    ///
    /// # Errors
    /// [`crate::Error::Interrupted`].
    pub fn new(
        block: &'a Block<'a>,
        picked: &[u32],
        is_free: F,
        lambda_cover: f64,
        rng: &mut ChaCha8Rng,
        monitor: &Monitor,
    ) -> Result<Self> {
        let (n, m) = (block.n(), picked.len());
        let (a, b) = block.units(m, rng)?;
        monitor.check()?;
        let picks = block.x.gather(picked);
        let pick_norms = squared_norms(picks.view());
        let field = map_blocks(m, SCORED, |part| {
            monitor.check()?;
            let kernels = picked[part]
                .iter()
                .map(|&i| block.kernels(i, &picks, &pick_norms));
            Ok(kernels.map(|kernels| sum(&kernels)).collect::<Vec<_>>())
        })?;
        let mut is_picked = vec![false; n];
        picked.iter().for_each(|&i| is_picked[i as usize] = true);
        let mut search = Self {
            block,
            is_free,
            cfd_weight: 1.0 / a,
            cover_weight: lambda_cover / (b * n as f64),
            rows: picked.to_vec(),
            field: field.concat(),
            nearest: NearestPicks::new(block.x, &block.norms, Picks::new(&picks, &pick_norms))?,
            picks,
            pick_norms,
            is_picked,
            reach: vec![0.0; n],
            removal: vec![0.0; m],
            dots: vec![0.0; CANDIDATE_BATCH.min(n) * n],
        };
        search.recount();
        Ok(search)
    }

    /// Adds (`sign` 1) or takes away (-1) what row `x`, with its two nearest picks, has to do with
    /// `removal`, and sets its `reach`. A single pick cannot leave without a successor, so its infinite
    /// second distance counts as nothing here.
    fn account(&mut self, x: usize, (near, second): (Near, Near), sign: f64) {
        self.reach[x] = second.1.powi(2) - self.block.norms[x];
        if second.1.is_finite() {
            self.removal[near.0 as usize] += sign * f64::from(second.1 - near.1);
        }
    }

    /// Counts all rows anew, free of the rounding of many changes. O(n).
    pub fn recount(&mut self) {
        self.removal.fill(0.0);
        for x in 0..self.reach.len() {
            self.account(x, self.nearest.two(x), 1.0);
        }
    }

    /// Scores every candidate of `batch` and takes the swaps that help. Returns their number;
    /// `change`, (n,), learns what the best swap with each of them changed. O(b n p), and O(n) for
    /// each swap taken.
    ///
    /// # Errors
    /// None: the tasks cannot fail.
    pub fn try_batch(&mut self, batch: &[u32], change: &mut [f64]) -> Result<usize> {
        let (n, x) = (self.block.n(), self.block.x);
        // Kept from batch to batch: fresh memory costs more than what is written to it.
        let mut dots = std::mem::take(&mut self.dots);
        fill_blocks(&mut dots[..batch.len() * n], n, TILE, |first, out| {
            let candidates = x.gather(&batch[first..first + out.len() / n]);
            matmul_nt(out, candidates.view(), x, false);
            Ok(())
        })?;
        let row = |at: usize| &dots[at * n..(at + 1) * n];
        let found = map_blocks(batch.len(), SCORED, |part| {
            let scored = part.map(|at| self.best_swap(batch[at], row(at)).change);
            Ok(scored.collect::<Vec<_>>())
        })?;
        let mut taken = 0;
        for (at, (&j, found)) in batch.iter().zip(found.concat()).enumerate() {
            change[j as usize] = found;
            if found < self.threshold() {
                let swap = self.best_swap(j, row(at));
                if swap.change < self.threshold() {
                    self.take(j, row(at), swap);
                    taken += 1;
                }
            }
        }
        self.dots = dots;
        Ok(taken)
    }

    /// What a swap must change at least.
    fn threshold(&self) -> f64 {
        -LEAST_GAIN / self.rows.len() as f64
    }

    /// The best swap of a pick for row j, whose products with all rows are `dots`, (n,).
    fn best_swap(&self, j: u32, dots: &[f32]) -> Swap {
        let (at, m) = (j as usize, self.rows.len());
        let mut swap = Swap {
            change: f64::INFINITY,
            slot: 0,
            kernels: vec![],
        };
        if self.is_picked[at] {
            return swap;
        }
        let norm = self.block.norms[at];
        // How the summed distance to the nearest pick changes as j enters and the pick of a slot leaves:
        // `shared`, whichever leaves, and `gains[slot]` on top.
        let mut gains = self.removal.clone();
        let mut shared = 0.0;
        scan_below_each(dots, &self.reach, norm, |x, _| {
            let d = distance(norm, self.block.norms[x], dots[x]);
            let ((slot, near), (_, second)) = self.nearest.two(x);
            if d < near {
                // j is nearest: should the nearest pick leave, the row no longer falls to the second.
                shared += f64::from(d - near);
                if second.is_finite() {
                    gains[slot as usize] += f64::from(near - second);
                }
            } else {
                // j is second: should the nearest pick leave, the row falls to j.
                let until = if second.is_finite() { second } else { near };
                gains[slot as usize] += f64::from(d - until);
            }
        });
        let mut dists: Vec<f32> = self.rows.iter().map(|&i| dots[i as usize]).collect();
        squared_from_products(&mut dists, norm, &self.pick_norms);
        let mut kernels = vec![0.0; m];
        gaussian_powers(&dists, self.block.coarse, &mut kernels);
        // m times the CF distance, when i leaves and j enters, changes by
        // (k_ii + k_jj + 2 (field_j - field_i - k_ij)) / m - 2 (potential_j - potential_i).
        let (inv_m, potential) = (1.0 / m as f64, &self.block.potential);
        let enter = inv_m * (2.0 * N_RADII as f64 + 2.0 * sum(&kernels)) - 2.0 * potential[at];
        for (slot, &i) in self.rows.iter().enumerate() {
            let leave = 2.0 * (self.field[slot] + f64::from(kernels[slot]));
            let cfd = enter - inv_m * leave + 2.0 * potential[i as usize];
            let change = self.cfd_weight * cfd + self.cover_weight * (gains[slot] + shared);
            if change < swap.change && (self.is_free)(i) {
                (swap.change, swap.slot) = (change, slot);
            }
        }
        swap.kernels = kernels;
        swap
    }

    fn take(&mut self, j: u32, dots: &[f32], swap: Swap) {
        let Swap { slot, kernels, .. } = swap;
        let (enters, leaves) = (j as usize, self.rows[slot]);
        let left = self.block.kernels(leaves, &self.picks, &self.pick_norms);
        for ((field, new), old) in self.field.iter_mut().zip(&kernels).zip(&left) {
            *field += f64::from(*new) - f64::from(*old);
        }
        self.field[slot] = sum(&kernels) - f64::from(kernels[slot]) + N_RADII as f64;
        self.rows[slot] = j;
        self.is_picked[leaves as usize] = false;
        self.is_picked[enters] = true;
        self.picks
            .row_mut(slot)
            .copy_from_slice(self.block.x.row(enters));
        self.pick_norms[slot] = self.block.norms[enters];
        let mut changes = Vec::new();
        let note = |x, before, after| changes.push((x, before, after));
        let picks = Picks::new(&self.picks, &self.pick_norms);
        self.nearest.replace(picks, slot as u32, dots, note);
        for (x, before, after) in changes {
            self.account(x, before, -1.0);
            self.account(x, after, 1.0);
        }
    }
}
