//! Swaps of the exchange: scoring all of a candidate at once, and taking the best.
//!
//! FasterPAM (Schubert & Rousseeuw 2021) on the joint score of `exchange`, along the kNN graph: the
//! coverage that a candidate gains or loses is counted over its neighbours.

use rand_chacha::ChaCha8Rng;

use crate::arrays::matrix::Matrix;
use crate::exchange::block::Block;
use crate::exchange::gaussian::Packed;
use crate::exchange::nearest_picks::{Near, NearestPicks, Picks};
use crate::exchange::pulled::Pulled;
use crate::exchange::residual::Pull;
use crate::exchange::rules::{GroupSlots, Rules};
use crate::kernels::exp::{N_RADII, gaussian_powers};
use crate::kernels::product::dot;
use crate::kernels::scan::scan_below;
use crate::kernels::squared_distance::{squared_from_product, squared_norms};
use crate::kernels::sum::sum;
use crate::run::error::Result;
use crate::run::monitor::Monitor;
use crate::run::parallel::{fill_blocks, map_blocks};

/// Candidates scored against one state of the selection.
pub const CANDIDATE_BATCH: usize = 512;
/// Candidates of a product, and of a task.
const TILE: usize = 32;
/// A swap must lower the score by this share of 1/m.
const LEAST_GAIN: f64 = 1e-5;

/// A selection on its way to a local optimum.
pub struct SwapSearch<'a> {
    block: &'a Block<'a>,
    rules: Rules<'a>,
    /// Weight of m times the CF distance, and of the summed quantisation error.
    cfd_weight: f64,
    cover_weight: f64,
    /// Selected rows by slot, (m,), and their features, (m, p).
    pub rows: Vec<u32>,
    picks: Matrix,
    pick_norms: Vec<f32>,
    /// The picks as they were when a batch began.
    packed: Packed,
    is_picked: Vec<bool>,
    group_slots: Option<GroupSlots<'a>>,
    /// Σ_{s in S} k(s, i) for each pick i, (m,).
    field: Vec<f64>,
    nearest: NearestPicks<'a>,
    /// Growth of the summed quantisation error if the pick in a slot left, (m,).
    removal: Vec<f64>,
    /// What the score changes as the pick of a slot leaves, but for what it has to do with the candidate,
    /// over [`SwapSearch::per_kernel`], (m,); infinite for those that stay.
    leaving: Vec<f32>,
    /// What the whole asks for.
    pulled: Option<Pulled<'a>>,
    /// Kernels of a batch with the picks, ([`CANDIDATE_BATCH`], m).
    kernels: Vec<f32>,
}

/// The best swap with a candidate: what it changes, and the slot that leaves.
#[derive(Debug, Clone, Copy)]
struct Swap {
    change: f64,
    slot: usize,
}

/// Room for what a task does with one candidate after the other.
struct Scratch {
    /// What coverage changes more, or less, if the pick of a slot leaves, (m,).
    gains: Vec<f64>,
    /// Whether a slot has gains, (m,), and those that have.
    has_gains: Vec<bool>,
    touched: Vec<u32>,
}

impl<'a> SwapSearch<'a> {
    /// A search from `picked`, (m,) rows of `block` that keep to `rules`. O(n m p).
    ///
    /// # Errors
    /// [`crate::Error::Interrupted`].
    pub fn new(
        block: &'a Block<'a>,
        picked: &[u32],
        rules: Rules<'a>,
        lambda_cover: f64,
        pull: Option<Pull<'a>>,
        rng: &mut ChaCha8Rng,
        monitor: &Monitor,
    ) -> Result<Self> {
        let (n, m) = (block.n(), picked.len());
        let (a, b) = block.units(m, rng)?;
        monitor.check()?;
        let picks = block.x.gather(picked);
        let pick_norms = squared_norms(picks.view());
        let mut packed = Packed::default();
        block.pack(&picks, &pick_norms, &mut packed);
        let field = map_blocks(m, TILE, |part| {
            monitor.check()?;
            let rows = &picked[part];
            let mut kernels = vec![0.0; rows.len() * m];
            block.kernels_of(rows, &packed, &mut kernels);
            Ok(kernels.chunks_exact(m).map(sum).collect::<Vec<_>>())
        })?;
        let mut is_picked = vec![false; n];
        picked.iter().for_each(|&i| is_picked[i as usize] = true);
        let reference = Picks::new(&picks, &pick_norms);
        let pulled = pull.map(|pull| Pulled::new(pull, picked));
        let mut search = Self {
            block,
            rules,
            group_slots: rules.caps.map(|caps| GroupSlots::new(caps, picked)),
            cfd_weight: 1.0 / a,
            cover_weight: lambda_cover / (b * block.covering.len() as f64),
            rows: picked.to_vec(),
            field: field.concat(),
            nearest: NearestPicks::new(block.x, &block.norms, &block.covering, reference)?,
            picks,
            pick_norms,
            packed,
            is_picked,
            removal: vec![0.0; m],
            leaving: vec![0.0; m],
            pulled,
            kernels: vec![0.0; CANDIDATE_BATCH.min(n) * m],
        };
        search.recount();
        Ok(search)
    }

    /// Adds (`sign` 1) or takes away (-1) what a row with its two nearest picks has to do with
    /// `removal`. A single pick cannot leave without a successor, so its infinite second distance
    /// counts as nothing here.
    fn account(&mut self, (near, second): (Near, Near), sign: f64) {
        if second.1.is_finite() {
            self.removal[near.0 as usize] += sign * f64::from(second.1 - near.1);
        }
    }

    /// Counts all rows anew, free of the rounding of many changes. O(n).
    pub fn recount(&mut self) {
        self.removal.fill(0.0);
        let block = self.block;
        for &x in &block.covering {
            self.account(self.nearest.two(x as usize), 1.0);
        }
    }

    /// How much the score falls for every unit of kernel between the pick that leaves and the candidate,
    /// halved.
    fn per_kernel(&self) -> f64 {
        self.cfd_weight / self.rows.len() as f64
    }

    /// Brings `leaving` up to date. O(m).
    fn weigh_leaving(&mut self) {
        let (inv_m, scale) = (1.0 / self.rows.len() as f64, 1.0 / self.per_kernel());
        for (slot, &i) in self.rows.iter().enumerate() {
            let cfd = 2.0 * self.block.potential[i as usize] - 2.0 * inv_m * self.field[slot];
            let pull = self
                .pulled
                .as_ref()
                .map_or(0.0, |pulled| pulled.leave(slot));
            let change = self.cfd_weight * cfd + self.cover_weight * self.removal[slot] + pull;
            self.leaving[slot] = if self.rules.is_free(i) {
                (change * scale) as f32
            } else {
                f32::INFINITY
            };
        }
    }

    /// Scores every candidate of `batch` and takes the swaps that help. Returns their number;
    /// `change`, (n,), learns what the best swap with each of them changed. O(b m p), and O(m p + n) for
    /// each swap taken.
    ///
    /// # Errors
    /// None: the tasks cannot fail.
    pub fn try_batch(&mut self, batch: &[u32], change: &mut [f64]) -> Result<usize> {
        let (block, m) = (self.block, self.rows.len());
        // Kept from batch to batch: fresh memory costs more than what is written to it.
        let mut kernels = std::mem::take(&mut self.kernels);
        block.pack(&self.picks, &self.pick_norms, &mut self.packed);
        let packed = &self.packed;
        let of_batch = &mut kernels[..batch.len() * m];
        fill_blocks(of_batch, m, TILE, |first, out| {
            let rows = &batch[first..first + out.len() / m];
            block.kernels_of(rows, packed, out);
            Ok(())
        })?;
        let features = match &mut self.pulled {
            Some(pulled) => Some(pulled.begin(batch)?),
            None => None,
        };
        self.weigh_leaving();
        let feature = |at: usize| features.as_ref().map(|features| features.row(at));
        let found = map_blocks(batch.len(), TILE, |part| {
            let mut scratch = self.scratch();
            let scored = part.map(|at| {
                let kernels = &kernels[at * m..(at + 1) * m];
                self.best_swap(batch[at], kernels, feature(at), &mut scratch)
                    .change
            });
            Ok(scored.collect::<Vec<_>>())
        })?;
        let mut scratch = self.scratch();
        let mut changed: Vec<usize> = Vec::new();
        for (at, (&j, found)) in batch.iter().zip(found.concat()).enumerate() {
            change[j as usize] = found;
            if found < self.threshold() {
                let kernels = &mut kernels[at * m..(at + 1) * m];
                self.refresh(j, &changed, kernels);
                let swap = self.best_swap(j, kernels, feature(at), &mut scratch);
                if swap.change < self.threshold() && self.helps(feature(at), swap) {
                    self.take(j, kernels, feature(at), swap.slot);
                    changed.push(swap.slot);
                }
            }
        }
        self.kernels = kernels;
        if let (Some(pulled), Some(features)) = (&mut self.pulled, features) {
            pulled.end(features);
        }
        Ok(changed.len())
    }

    fn scratch(&self) -> Scratch {
        Scratch {
            gains: vec![0.0; self.rows.len()],
            has_gains: vec![false; self.rows.len()],
            touched: Vec::new(),
        }
    }

    /// What a swap must change at least.
    fn threshold(&self) -> f64 {
        -LEAST_GAIN / self.rows.len() as f64
    }

    /// Brings the kernels of row `j` with the picks of the slots `changed` up to date.
    fn refresh(&self, j: u32, changed: &[usize], kernels: &mut [f32]) {
        if changed.is_empty() {
            return;
        }
        let (block, row) = (self.block, j as usize);
        let squared = changed.iter().map(|&slot| {
            let product = dot(block.x.row(row), self.picks.row(slot));
            squared_from_product(block.norms[row], self.pick_norms[slot], product)
        });
        let squared: Vec<f32> = squared.collect();
        let mut anew = vec![0.0; changed.len()];
        gaussian_powers(&squared, block.coarse, &mut anew);
        for (&slot, kernel) in changed.iter().zip(anew) {
            kernels[slot] = kernel;
        }
    }

    /// The best swap of a pick for row j, whose kernels with the picks are `kernels`, (m,), and whose
    /// features `feature`. O(m + k).
    fn best_swap(
        &self,
        j: u32,
        kernels: &[f32],
        feature: Option<&[f32]>,
        scratch: &mut Scratch,
    ) -> Swap {
        let (at, m) = (j as usize, self.rows.len());
        let mut best = Swap {
            change: f64::INFINITY,
            slot: 0,
        };
        if self.is_picked[at] {
            return best;
        }
        let shared = self.coverage(j, scratch);
        // m times the CF distance, when i leaves and j enters, changes by
        // (k_ii + k_jj + 2 (field_j - field_i - k_ij)) / m - 2 (potential_j - potential_i).
        let inv_m = 1.0 / m as f64;
        let cfd =
            inv_m * (2.0 * N_RADII as f64 + 2.0 * sum(kernels)) - 2.0 * self.block.potential[at];
        let mut enter = self.cfd_weight * cfd + self.cover_weight * shared;
        if let (Some(pulled), Some(feature)) = (&self.pulled, feature) {
            enter += pulled.enter(feature);
        }
        let per_kernel = self.per_kernel();
        let in_the_way = self.group_slots.as_ref().and_then(|own| own.in_the_way(j));
        // A swap with a pick that covers nothing near the candidate; with those that do, more is saved. (A
        // single pick covers all, and may leave rows farther off.)
        if m > 1 {
            let mut least = f32::INFINITY;
            if let Some(slots) = in_the_way {
                for slot in slots.iter().map(|slot| *slot as usize) {
                    let value = self.leaving[slot] - 2.0 * kernels[slot];
                    if value < least {
                        (best.slot, least) = (slot, value);
                    }
                }
            } else {
                least = scan_below(kernels, &self.leaving, f32::INFINITY, |slot, value| {
                    best.slot = slot;
                    value
                });
            }
            best.change = enter + per_kernel * f64::from(least);
        }
        for touched in scratch.touched.drain(..) {
            let slot = touched as usize;
            scratch.has_gains[slot] = false;
            let gain = std::mem::take(&mut scratch.gains[slot]);
            let own = self.leaving[slot] - 2.0 * kernels[slot];
            let change = enter + per_kernel * f64::from(own) + self.cover_weight * gain;
            let may_leave = in_the_way.is_none_or(|slots| slots.contains(&touched));
            if may_leave && (change < best.change || (change == best.change && slot < best.slot)) {
                best = Swap { change, slot };
            }
        }
        best
    }

    /// How the summed distance to the nearest pick changes as j enters, whichever pick leaves; and what it
    /// changes less if that of a slot does, in `scratch`.
    fn coverage(&self, j: u32, scratch: &mut Scratch) -> f64 {
        let mut shared = 0.0;
        for (x, d) in self.block.neighbors(j) {
            let ((slot, near), (_, second)) = self.nearest.two(x as usize);
            if d >= second {
                continue;
            }
            let gain = if d < near {
                // j is nearest: should the nearest pick leave, the row no longer falls to the second.
                shared += f64::from(d - near);
                if second.is_finite() {
                    near - second
                } else {
                    0.0
                }
            } else {
                // j is second: should the nearest pick leave, the row falls to j.
                let until = if second.is_finite() { second } else { near };
                d - until
            };
            let slot = slot as usize;
            if !std::mem::replace(&mut scratch.has_gains[slot], true) {
                scratch.touched.push(slot as u32);
            }
            scratch.gains[slot] += f64::from(gain);
        }
        shared
    }

    /// Whether a swap helps as the whole stands now.
    fn helps(&self, feature: Option<&[f32]>, swap: Swap) -> bool {
        let (Some(pulled), Some(feature)) = (&self.pulled, feature) else {
            return true;
        };
        let supposed = pulled.enter(feature) + pulled.leave(swap.slot);
        swap.change - supposed + pulled.change(feature, swap.slot) < self.threshold()
    }

    fn take(&mut self, j: u32, kernels: &[f32], feature: Option<&[f32]>, slot: usize) {
        let (enters, leaves) = (j as usize, self.rows[slot]);
        let left = self.block.kernels(leaves, &self.picks, &self.pick_norms);
        for ((field, new), old) in self.field.iter_mut().zip(kernels).zip(&left) {
            *field += f64::from(*new) - f64::from(*old);
        }
        self.field[slot] = sum(kernels) - f64::from(kernels[slot]) + N_RADII as f64;
        self.rows[slot] = j;
        if let Some(own) = &mut self.group_slots {
            own.replace(slot as u32, leaves, j);
        }
        self.is_picked[leaves as usize] = false;
        self.is_picked[enters] = true;
        self.picks
            .row_mut(slot)
            .copy_from_slice(self.block.x.row(enters));
        self.pick_norms[slot] = self.block.norms[enters];
        let mut changes = Vec::new();
        let note = |_, before, after| changes.push((before, after));
        let picks = Picks::new(&self.picks, &self.pick_norms);
        let near = self.block.neighbors(j);
        self.nearest.replace(picks, slot as u32, near, note);
        for (before, after) in changes {
            self.account(before, -1.0);
            self.account(after, 1.0);
        }
        if let (Some(pulled), Some(feature)) = (&mut self.pulled, feature) {
            pulled.take(feature, slot);
        }
        self.weigh_leaving();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arrays::matrix::random_matrix;
    use crate::exchange::block::tests::{block, points};
    use crate::exchange::residual::Features;
    use crate::run::rng::test_stream;

    const LAMBDA: f64 = 0.8;
    /// So few rows that each is a neighbour of all others where one is picked.
    const N: usize = 40;

    /// m times the CF distance and the covering rows' distance, in the search's units.
    fn score(search: &SwapSearch<'_>, picked: &[u32]) -> f64 {
        let (cfd, distance) = search.block.scores(picked).unwrap();
        search.cfd_weight * cfd + search.cover_weight * distance * search.block.n() as f64
    }

    /// With all rows as neighbours the change foretold is that of the score; `pull` adds its own.
    fn assert_changes_are_foretold(m: usize, pulled: bool) {
        let x = points(N, 3);
        let (mut rng, monitor) = (test_stream(0, 0, 0), Monitor::default());
        let block = Block::new(x.view(), 1, 0.7, &mut rng, &monitor).unwrap();
        let freqs = random_matrix(8, 3, 3);
        let features = Features { freqs };
        let picked: Vec<u32> = (0..m as u32).map(|i| 3 * i).collect();
        let slope: Vec<f32> = (0..16).map(|k| 0.01 * (k as f32 - 7.0)).collect();
        let (weight, rows) = (0.02, x.view());
        let pull = || Pull {
            features: &features,
            rows,
            slope: slope.clone(),
            weight,
        };
        let fixed: Vec<bool> = (0..N).map(|i| i == 0).collect();
        let mut search = SwapSearch::new(
            &block,
            &picked,
            Rules {
                fixed: &fixed,
                caps: None,
            },
            LAMBDA,
            pulled.then(pull),
            &mut rng,
            &monitor,
        )
        .unwrap();
        let candidates: Vec<u32> = (0..N as u32).filter(|i| !picked.contains(i)).collect();
        let features_of = search
            .pulled
            .as_mut()
            .map(|own| own.begin(&candidates).unwrap());
        search.weigh_leaving();
        let mut scratch = search.scratch();
        let before = score(&search, &picked);
        for (at, &j) in candidates.iter().enumerate() {
            let feature = features_of.as_ref().map(|all| all.row(at));
            let kernels = block.kernels(j, &search.picks, &search.pick_norms);
            let found = search.best_swap(j, &kernels, feature, &mut scratch);
            let of_pull =
                |with: &dyn Fn(&Pulled<'_>) -> f64| search.pulled.as_ref().map_or(0.0, with);
            let of_rows = |slot: usize| {
                let mut swapped = picked.clone();
                swapped[slot] = j;
                score(&search, &swapped) - before
            };
            // What enters and what leaves are scored as if they had nothing in common.
            let supposed = |slot: usize| {
                let apart = |own: &Pulled<'_>| own.enter(feature.unwrap()) + own.leave(slot);
                of_rows(slot) + of_pull(&apart)
            };
            let free = (0..m).filter(|slot| picked[*slot] != 0);
            let least = free.map(supposed).fold(f64::INFINITY, f64::min);
            assert!(
                (found.change - least).abs() < 1e-4,
                "{} {least}",
                found.change
            );
            assert!(picked[found.slot] != 0);
            let own = |own: &Pulled<'_>| own.change(feature.unwrap(), found.slot);
            let truly = of_rows(found.slot) + of_pull(&own);
            if truly.abs() > 1e-4 {
                let helps = match pulled {
                    true => search.helps(feature, found),
                    false => found.change < 0.0,
                };
                assert_eq!(helps, truly < 0.0);
            }
        }
    }

    #[test]
    fn the_best_swap_is_that_of_the_score() {
        for m in [2, 9, 13] {
            assert_changes_are_foretold(m, false);
            assert_changes_are_foretold(m, true);
        }
    }

    #[test]
    fn sums_stay_right_through_many_swaps() {
        let x = points(300, 3);
        let block = block(&x);
        let picked: Vec<u32> = (0..30).collect();
        let mut rng = test_stream(0, 0, 0);
        let monitor = Monitor::default();
        let mut search = SwapSearch::new(
            &block,
            &picked,
            Rules::default(),
            LAMBDA,
            None,
            &mut rng,
            &monitor,
        )
        .unwrap();
        let before = score(&search, &picked);
        let all: Vec<u32> = (30..300).collect();
        let swaps = search.try_batch(&all, &mut vec![0.0; 300]).unwrap();
        assert!(swaps > 5 && score(&search, &search.rows) < before);
        let (field, removal) = (search.field.clone(), search.removal.clone());
        search.recount();
        for slot in 0..30 {
            let kernels = block.kernels(search.rows[slot], &search.picks, &search.pick_norms);
            assert!((field[slot] - sum(&kernels)).abs() < 1e-3);
            assert!((removal[slot] - search.removal[slot]).abs() < 1e-3);
        }
    }
}
