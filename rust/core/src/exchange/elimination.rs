//! The order in which to take the picks of a block: greedy, by the score of the exchange, from the last to the first.
//!
//! Of m picks the one without which the others score best is taken last, of the m - 1 that are left likewise, and so
//! on: every prefix is what is left when the rest has gone. Greedy removal, not greedy addition, as it begins with
//! the picks that were chosen together, and ends with few that stand for all ("reverse greedy" for k-medians,
//! Chrobak, Kenyon & Young 2006). `s` picks score `s |φ_S - φ_X|^2 / a + λ (mean distance to S) / b`, with the units
//! of as many random picks.

use rand_chacha::ChaCha8Rng;

use crate::arrays::matrix::{Matrix, MatrixView};
use crate::exchange::block::{COVERING_PER_PICK, coarse_exponent, mean_distance_to_random_picks};
use crate::exchange::gaussian::Packed;
use crate::exchange::nearest_picks::{Near, NearestPicks, Picks};
use crate::kernels::exp::{N_RADII, gaussian_powers};
use crate::kernels::product::matmul_nt;
use crate::kernels::squared_distance::{squared_from_products, squared_norms};
use crate::kernels::sum::sum;
use crate::numeric::sample::sample_rows_ascending;
use crate::options::ValidParams;
use crate::run::error::Result;
use crate::run::monitor::Monitor;
use crate::run::parallel::map_blocks;

/// Picks of a task.
const TILE: usize = 32;

/// The slots of `picked`, (m,) distinct rows of `x`, in the order in which to take them; `x`, (n, p): the rows of a
/// block about their centre, whose median distance is 1. Slots that are `first`, (m,), come before the others.
///
/// `monitor` advances by m. O(n m p), some five products of all rows with the picks.
///
/// ```
/// use fast_select_core::arrays::matrix::Matrix;
/// use fast_select_core::exchange::elimination::take_order;
/// use fast_select_core::options::ValidParams;
/// use fast_select_core::run::monitor::Monitor;
/// use fast_select_core::run::rng::{Purpose, Streams};
///
/// // Of the three points by hand, 1/2 alone scores best, and with it 3/2.
/// let x = Matrix::from_vec(vec![0.0, 0.5, 1.5], 3, 1)?;
/// let (params, monitor) = (ValidParams::default(), Monitor::default());
/// let mut order = |first: &[bool]| {
///     let mut rng = Streams::new(0).stream(Purpose::Ranking, 0);
///     take_order(x.view(), &[0, 1, 2], first, &params, &mut rng, &monitor)
/// };
/// assert_eq!(order(&[false, false, false])?, [1, 2, 0]);
/// assert_eq!(order(&[true, false, false])?[0], 0);
/// # Ok::<(), fast_select_core::Error>(())
/// ```
///
/// # Errors
/// [`crate::Error::Interrupted`].
pub fn take_order(
    x: MatrixView<'_>,
    picked: &[u32],
    first: &[bool],
    params: &ValidParams,
    rng: &mut ChaCha8Rng,
    monitor: &Monitor,
) -> Result<Vec<u32>> {
    let norms = squared_norms(x);
    let coarse = coarse_exponent(params.base_radius);
    let n_covering = x.rows().min(COVERING_PER_PICK * picked.len());
    let rows = Rows {
        potential: potential(x, &norms, picked, coarse, monitor)?,
        covering: sample_rows_ascending(x.rows(), n_covering, rng),
        x,
        norms,
        coarse,
        lambda_cover: params.lambda_cover,
    };
    let mut left: Vec<u32> = (0..picked.len() as u32).collect();
    let mut taken_last = Vec::with_capacity(picked.len());
    while left.len() > 1 {
        // Begun anew whenever half of them have gone: what has gone no longer costs anything, and units fit.
        let until = left.len() / 2;
        let mut round = Elimination::new(&rows, picked, left, rng)?;
        while round.n_left > until {
            taken_last.push(round.remove(first)?);
            monitor.advance(1)?;
        }
        left = round.left();
    }
    monitor.advance(left.len())?;
    taken_last.extend(left);
    taken_last.reverse();
    Ok(taken_last)
}

/// Mean kernel of each of the rows `picked` of `x` with all rows, (m,). O(n m p).
fn potential(
    x: MatrixView<'_>,
    norms: &[f32],
    picked: &[u32],
    coarse: f32,
    monitor: &Monitor,
) -> Result<Vec<f64>> {
    let n = x.rows();
    let mut packed = Packed::default();
    packed.pack(x, norms, coarse);
    let parts = map_blocks(picked.len(), TILE, |part| {
        monitor.check()?;
        let rows = &picked[part];
        let own: Vec<f32> = rows.iter().map(|&i| norms[i as usize]).collect();
        let mut kernels = vec![0.0; rows.len() * n];
        packed.kernels(x.gather(rows).view(), &own, &mut kernels);
        let means = kernels
            .chunks_exact(n)
            .map(|kernels| sum(kernels) / n as f64);
        Ok(means.collect::<Vec<_>>())
    })?;
    Ok(parts.concat())
}

/// A block, as elimination sees it.
struct Rows<'a> {
    x: MatrixView<'a>,
    norms: Vec<f32>,
    /// Of each pick, (m,).
    potential: Vec<f64>,
    /// Rows whose distance to the nearest pick is measured.
    covering: Vec<u32>,
    coarse: f32,
    lambda_cover: f64,
}

/// Picks that go one after the other.
struct Elimination<'a> {
    rows: &'a Rows<'a>,
    /// Slots at the start, (s,), and whether they are still there.
    slots: Vec<u32>,
    is_left: Vec<bool>,
    n_left: usize,
    picks: Matrix,
    norms: Vec<f32>,
    /// The same, infinite for those that have gone: they are nearest to no row.
    norms_left: Vec<f32>,
    /// Σ k(s, i) over those left.
    field: Vec<f64>,
    /// Growth of the summed distance to the nearest if a pick goes.
    removal: Vec<f64>,
    nearest: NearestPicks<'a>,
    cfd_weight: f64,
    cover_weight: f64,
}

impl<'a> Elimination<'a> {
    fn new(
        rows: &'a Rows<'a>,
        picked: &[u32],
        slots: Vec<u32>,
        rng: &mut ChaCha8Rng,
    ) -> Result<Self> {
        let own: Vec<u32> = slots.iter().map(|&slot| picked[slot as usize]).collect();
        let picks = rows.x.gather(&own);
        let norms: Vec<f32> = own.iter().map(|&i| rows.norms[i as usize]).collect();
        let s = slots.len();
        let mut packed = Packed::default();
        packed.pack(picks.view(), &norms, rows.coarse);
        let field = map_blocks(s, TILE, |part| {
            let mut kernels = vec![0.0; part.len() * s];
            packed.kernels(
                picks.view().rows_range(part.clone()),
                &norms[part],
                &mut kernels,
            );
            Ok(kernels.chunks_exact(s).map(sum).collect::<Vec<_>>())
        })?;
        let potentials = slots.iter().map(|&slot| rows.potential[slot as usize]);
        let whole = potentials.sum::<f64>() / s as f64;
        let unit = mean_distance_to_random_picks(rows.x, s, rng)?;
        let reference = Picks::new(&picks, &norms);
        let mut round = Self {
            nearest: NearestPicks::new(rows.x, &rows.norms, &rows.covering, reference)?,
            rows,
            is_left: vec![true; s],
            n_left: s,
            norms_left: norms.clone(),
            slots,
            picks,
            norms,
            field: field.concat(),
            removal: vec![0.0; s],
            cfd_weight: 1.0 / (N_RADII as f64 - whole).max(f64::MIN_POSITIVE),
            cover_weight: rows.lambda_cover / (unit * rows.covering.len() as f64),
        };
        for &row in &rows.covering {
            round.account(round.nearest.two(row as usize), 1.0);
        }
        Ok(round)
    }

    /// Adds (`sign` 1) or takes away (-1) what a row with its two nearest picks has to do with `removal`.
    fn account(&mut self, (near, second): (Near, Near), sign: f64) {
        if second.1.is_finite() {
            self.removal[near.0 as usize] += sign * f64::from(second.1 - near.1);
        }
    }

    /// Takes away the pick without which the others score best, one that is `first` only where all are; its slot.
    fn remove(&mut self, first: &[bool]) -> Result<u32> {
        let is_first = |at: usize| first[self.slots[at] as usize];
        // Among m, ΣΣ k / m - 2 Σ potential; without i ΣΣ falls by 2 field_i - k_ii.
        let cost = |at: usize| {
            let potential = self.rows.potential[self.slots[at] as usize];
            let cfd = 2.0 * potential - 2.0 * self.field[at] / (self.n_left - 1) as f64;
            self.cfd_weight * cfd + self.cover_weight * self.removal[at]
        };
        let left = (0..self.slots.len()).filter(|&at| self.is_left[at]);
        let order = |&a: &usize, &b: &usize| {
            let by_cost = || cost(a).total_cmp(&cost(b));
            is_first(a).cmp(&is_first(b)).then_with(by_cost)
        };
        let Some(gone) = left.min_by(order) else {
            return Ok(0);
        };
        self.is_left[gone] = false;
        self.n_left -= 1;
        self.norms_left[gone] = f32::INFINITY;
        let kernels = self.kernels_of(gone);
        for (field, kernel) in self.field.iter_mut().zip(kernels) {
            *field -= f64::from(kernel);
        }
        let mut changes = Vec::new();
        let note = |_, before, after| changes.push((before, after));
        let picks = Picks::new(&self.picks, &self.norms_left);
        self.nearest
            .replace(picks, gone as u32, std::iter::empty(), note);
        for (before, after) in changes {
            self.account(before, -1.0);
            self.account(after, 1.0);
        }
        Ok(self.slots[gone])
    }

    /// Kernels of the pick at `at` with all, (s,).
    fn kernels_of(&self, at: usize) -> Vec<f32> {
        let mut dots = vec![0.0; self.slots.len()];
        let own = self.picks.view().rows_range(at..at + 1);
        matmul_nt(&mut dots, own, self.picks.view(), false);
        squared_from_products(&mut dots, self.norms[at], &self.norms);
        let mut kernels = vec![0.0; dots.len()];
        gaussian_powers(&dots, self.rows.coarse, &mut kernels);
        kernels
    }

    /// The slots of the picks that are left.
    fn left(self) -> Vec<u32> {
        let slots = self.slots.into_iter().zip(self.is_left);
        slots
            .filter_map(|(slot, is_left)| is_left.then_some(slot))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::block::tests::{block, points};
    use crate::run::rng::test_stream;

    /// Greedy removal by the definition of the score, with the units that the rounds have.
    fn by_definition(x: &Matrix, picked: &[u32], params: &ValidParams) -> Vec<u32> {
        let block = block(x);
        let mut rng = test_stream(0, 0, 0);
        let _covering = sample_rows_ascending(x.rows(), x.rows(), &mut rng);
        let mut left: Vec<u32> = (0..picked.len() as u32).collect();
        let (mut gone, mut until, mut units) = (Vec::new(), left.len(), (0.0, 0.0));
        while left.len() > 1 {
            if left.len() == until {
                until /= 2;
                let potential = |slot: &u32| block.potential[picked[*slot as usize] as usize];
                let whole = left.iter().map(potential).sum::<f64>() / left.len() as f64;
                let unit = mean_distance_to_random_picks(x.view(), left.len(), &mut rng);
                units = (N_RADII as f64 - whole, unit.unwrap());
            }
            let score_without = |at: usize| {
                let mut others = left.clone();
                others.remove(at);
                let rows: Vec<u32> = others.iter().map(|slot| picked[*slot as usize]).collect();
                let (cfd, distance) = block.scores(&rows).unwrap();
                cfd / units.0 + params.lambda_cover * distance / units.1
            };
            let scores: Vec<f64> = (0..left.len()).map(score_without).collect();
            let least = (0..left.len()).min_by(|&a, &b| scores[a].total_cmp(&scores[b]));
            gone.push(left.remove(least.unwrap()));
        }
        gone.extend(left);
        gone.reverse();
        gone
    }

    #[test]
    fn what_goes_is_what_the_score_misses_least() {
        for (n, m, lambda_cover) in [(60, 13, 1.0), (40, 8, 0.0), (50, 50, 2.0), (9, 2, 1.0)] {
            let x = points(n, 3);
            let picked: Vec<u32> = (0..m).map(|i| (i * (n as u32 / m)) % n as u32).collect();
            let params = crate::options::Params {
                lambda_cover,
                ..Default::default()
            };
            let params = params.check().unwrap();
            let none = vec![false; picked.len()];
            let mut rng = test_stream(0, 0, 0);
            let monitor = Monitor::default();
            let order = take_order(x.view(), &picked, &none, &params, &mut rng, &monitor);
            assert_eq!(order.unwrap(), by_definition(&x, &picked, &params));
        }
    }

    #[test]
    fn copies_and_single_picks_are_harmless() {
        let x = Matrix::from_vec(vec![0.5; 14], 7, 2).unwrap();
        let params = ValidParams::default();
        for m in [0_u32, 1, 7] {
            let picked: Vec<u32> = (0..m).collect();
            let none = vec![false; picked.len()];
            let (mut rng, monitor) = (test_stream(0, 0, 0), Monitor::default());
            let order = take_order(x.view(), &picked, &none, &params, &mut rng, &monitor);
            let mut order = order.unwrap();
            order.sort_unstable();
            assert_eq!(order, picked);
        }
    }
}
