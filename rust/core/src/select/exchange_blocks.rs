//! The exchange: all blocks of all groups, held together by the residual of the whole.
//!
//! Few blocks need nothing to hold them together and run side by side. Many are made ready (their pairs measured,
//! most of the work) side by side, and exchanged one after the other, each against the residual that those before
//! it have left; inside a block, candidates are scored in parallel. The rows do not depend on how many blocks
//! are ready at a time.

use rand_chacha::ChaCha8Rng;

use crate::arrays::matrix::{Matrix, MatrixView};
use crate::descent::frequency::{BAND_EDGES, isotropic};
use crate::exchange::block::Block;
use crate::exchange::residual::{Features, Pull, Residual, n_freqs, strength};
use crate::numeric::median_distance::median_distance;
use crate::options::{Balance, ValidParams};
use crate::run::error::Result;
use crate::run::monitor::Monitor;
use crate::run::parallel::{indexed, map_items, n_threads};
use crate::run::rng::{Purpose, Streams};
use crate::select::group::Standing;
use crate::select::group_state::{GroupState, with_picks};
use crate::select::stages::start_rows;

/// Rows of a block from which the errors of rounded quotas are estimated: they are small beside the quotas.
const QUOTA_ROWS: usize = 64;
/// Bands of the frequencies.
const N_BANDS: usize = 3;

/// Selects in every group the rows with which the exchange in its blocks ends; `z`, (n, p): rows of all groups.
///
/// `monitor` advances by (1 + `max_sweeps`) times the rows of the open groups.
///
/// # Errors
/// [`crate::Error::Interrupted`].
pub fn exchange(
    z: MatrixView<'_>,
    groups: &mut [GroupState<'_>],
    params: &ValidParams,
    monitor: &Monitor,
) -> Result<()> {
    map_items(&mut *groups, |group| {
        if group.is_open() {
            group.split(params.block_rows, monitor)?;
            group.picked = start_rows(group, params, monitor)?;
        }
        Ok(())
    })?;
    let starts = map_items(indexed(groups), |(_, group)| Ok(Start::new(group)))?;
    let blocks: Vec<(usize, usize)> = (0..groups.len())
        .flat_map(|g| (0..groups[g].blocks.len()).map(move |b| (g, b)))
        .collect();
    let exchanged = match Whole::new(z, groups, blocks.len(), params, monitor)? {
        None => map_items(indexed(&blocks), |(_, &(g, b))| {
            let place = Place::new(&groups[g], b, &starts[g], params);
            let ready = place.ready(params, monitor)?;
            place.exchanged(ready, None, params, monitor)
        })?,
        Some(whole) => whole.exchanged(groups, &blocks, &starts, params, monitor)?,
    };
    for group in groups.iter_mut().filter(|group| group.is_open()) {
        group.picked.clear();
        (group.facts.exchanged_rows, group.facts.swaps) = (Some(0), Some(0));
    }
    for (&(g, _), block) in blocks.iter().zip(exchanged) {
        let group = &mut groups[g];
        group.picked.extend(block.picked);
        *group.facts.exchanged_rows.get_or_insert(0) += block.n_rows;
        *group.facts.swaps.get_or_insert(0) += block.swaps;
    }
    Ok(())
}

/// What the exchange made of a block.
struct Exchanged {
    /// Rows that it chose from.
    n_rows: usize,
    swaps: usize,
    /// Rows of the group.
    picked: Vec<u32>,
    /// The same, of the block.
    places: Vec<u32>,
}

/// How many of `waiting` are made ready at a time: as many rows as the threads would hold in full blocks.
fn n_at_once(waiting: &[(usize, usize)], groups: &[GroupState<'_>], params: &ValidParams) -> usize {
    let most = n_threads() * params.block_rows;
    let mut rows = 0;
    let fits = |&&(g, b): &&(usize, usize)| {
        rows += groups[g].blocks[b].0.len().min(params.block_rows);
        rows <= most
    };
    waiting.iter().take_while(fits).count().max(1)
}

/// Where a group starts.
struct Start {
    /// Whether each of its rows is picked, (n,).
    is_picked: Vec<bool>,
    /// One over the median distance between them.
    per_median: f32,
}

impl Start {
    fn new(group: &GroupState<'_>) -> Self {
        if !group.is_open() {
            return Self {
                is_picked: vec![],
                per_median: 1.0,
            };
        }
        let mut is_picked = vec![false; group.n()];
        let picked = group.picked.iter();
        picked.for_each(|&i| is_picked[i as usize] = true);
        Self {
            is_picked,
            per_median: 1.0 / median_distance(group.z(), group.streams),
        }
    }
}

/// A block on its way into the exchange.
struct Place {
    /// Its rows, of the group, ascending; where they are too many, a sample that holds the picks.
    rows: Vec<u32>,
    /// Rows that the sample has left out.
    left_out: usize,
    /// Their features as Z has them, (b, p).
    z: Matrix,
    /// The same about their own centre, in units of the group's median distance.
    x: Matrix,
    /// Rows that must stay in or out, (b,).
    fixed: Vec<bool>,
    /// Rows of the block selected at first.
    picked: Vec<u32>,
    rng: ChaCha8Rng,
}

impl Place {
    /// Block `b` of `group`.
    fn new(group: &GroupState<'_>, b: usize, start: &Start, params: &ValidParams) -> Self {
        let (rows, quota) = &group.blocks[b];
        let mut rng = group.streams.stream(Purpose::Exchange, b);
        let own = group.picks_within(rows, &start.is_picked, *quota, &mut rng);
        let n_rows = rows.len();
        let rows = with_picks(rows, &own, params.block_rows, &mut rng);
        let z = group.z().gather(&rows);
        let x = centred(&z, start.per_median);
        let is_fixed = |&i: &u32| group.standing(i) != Standing::Free;
        let fixed: Vec<bool> = rows.iter().map(is_fixed).collect();
        // Rows ascend, so that a row's place is found by bisection.
        let place = |i: &u32| rows.partition_point(|row| row < i) as u32;
        Self {
            left_out: n_rows - rows.len(),
            z,
            x,
            fixed,
            picked: own.iter().map(place).collect(),
            rng,
            rows,
        }
    }

    /// The block with its pairs measured, and the random stream from there on.
    fn ready(&self, params: &ValidParams, monitor: &Monitor) -> Result<(Block<'_>, ChaCha8Rng)> {
        monitor.advance(self.left_out * (1 + params.max_sweeps))?;
        let (mut rng, m) = (self.rng.clone(), self.picked.len());
        let block = Block::new(self.x.view(), m, params.base_radius, &mut rng, monitor)?;
        Ok((block, rng))
    }

    /// The exchange in the block.
    fn exchanged(
        &self,
        (block, mut rng): (Block<'_>, ChaCha8Rng),
        pull: Option<Pull<'_>>,
        params: &ValidParams,
        monitor: &Monitor,
    ) -> Result<Exchanged> {
        let mut places = self.picked.clone();
        let swaps = block.exchange(&mut places, &self.fixed, pull, params, &mut rng, monitor)?;
        Ok(Exchanged {
            n_rows: self.rows.len(),
            swaps,
            picked: places.iter().map(|&i| self.rows[i as usize]).collect(),
            places,
        })
    }
}

/// The rows of `z`, (n, p), about their coordinate-wise median, times `scale`.
///
/// Products of rows far from the origin lose the digits of the distances between them, and tight classes lie far
/// from the centre of all. A median, as a mean follows a single row far out.
fn centred(z: &Matrix, scale: f32) -> Matrix {
    let (mut x, n) = (z.clone(), z.rows());
    let mut column = vec![0.0; n];
    let median = |j| {
        let entries = column.iter_mut().enumerate();
        entries.for_each(|(i, entry)| *entry = z.row(i)[j]);
        let middle = column.select_nth_unstable_by(n / 2, f32::total_cmp);
        *middle.1
    };
    let medians: Vec<f32> = match n {
        0 => vec![],
        _ => (0..z.cols()).map(median).collect(),
    };
    for i in 0..n {
        let entries = x.row_mut(i).iter_mut().zip(&medians);
        entries.for_each(|(entry, median)| *entry = (*entry - median) * scale);
    }
    x
}

/// What was left over so far, in the whole and in classes of several blocks.
struct Whole {
    features: Features,
    all: Residual,
    classes: Vec<Residual>,
}

impl Whole {
    /// Before the first block; `None` where so few blocks need nothing to hold them together.
    fn new(
        z: MatrixView<'_>,
        groups: &[GroupState<'_>],
        n_blocks: usize,
        params: &ValidParams,
        monitor: &Monitor,
    ) -> Result<Option<Self>> {
        let count: usize = groups.iter().map(|group| group.quota).sum();
        if strength(n_blocks, count) <= 0.0 {
            return Ok(None);
        }
        let streams = Streams::new(params.seed);
        let features = features_of_bands(z, n_freqs(count), streams)?;
        let (sums, square) = quota_errors(z, groups, &features, monitor)?;
        // Of random picks, |R|^2 / M.
        let unit = (0.5 * features.width() as f64 - square).max(f64::MIN_POSITIVE);
        let zeros = || vec![0.0; features.width()];
        let all = Residual {
            // Other quotas than in proportion are not meant to give the whole's distribution.
            sums: match params.balance {
                Balance::Proportional => sums,
                _ => zeros(),
            },
            weight: strength(n_blocks, count) / (count as f64 * unit),
        };
        let of_class = |group: &GroupState<'_>| Residual {
            sums: zeros(),
            weight: strength(group.blocks.len(), group.quota) / (group.quota.max(1) as f64 * unit),
        };
        let classes = match groups {
            [_] => vec![],
            _ => groups.iter().map(of_class).collect(),
        };
        Ok(Some(Self {
            features,
            all,
            classes,
        }))
    }

    /// The exchange in all `blocks`: blocks of groups.
    fn exchanged(
        mut self,
        groups: &[GroupState<'_>],
        blocks: &[(usize, usize)],
        starts: &[Start],
        params: &ValidParams,
        monitor: &Monitor,
    ) -> Result<Vec<Exchanged>> {
        let mut waiting = blocks;
        let mut exchanged = Vec::with_capacity(blocks.len());
        while !waiting.is_empty() {
            let (now, later) = waiting.split_at(n_at_once(waiting, groups, params));
            waiting = later;
            let places = map_items(indexed(now), |(_, &(g, b))| {
                Ok(Place::new(&groups[g], b, &starts[g], params))
            })?;
            let ready = map_items(indexed(&places), |(_, place)| place.ready(params, monitor))?;
            for ((place, ready), &(g, _)) in places.iter().zip(ready).zip(now) {
                let (pull, share) = self.asks(place, g, monitor)?;
                let block = place.exchanged(ready, Some(pull), params, monitor)?;
                self.count(place, g, &block.places, &share)?;
                exchanged.push(block);
            }
        }
        Ok(exchanged)
    }

    /// What is asked of a block of group `g`, and its share: what its picks should add to the sums of features.
    fn asks<'a>(
        &'a self,
        place: &'a Place,
        g: usize,
        monitor: &Monitor,
    ) -> Result<(Pull<'a>, Vec<f64>)> {
        let each = place.picked.len() as f64 / place.rows.len() as f64;
        let rows = place.z.view();
        let tick = |_: usize| monitor.check();
        let share = self.features.weighted_sum(rows, |_| each as f32, tick)?;
        let picked = self.sum_of(place, &place.picked)?;
        let residuals = || std::iter::once(&self.all).chain(self.classes.get(g));
        let slope = (0..share.len()).map(|k| {
            let own = picked[k] - share[k];
            let pulls = residuals().map(|residual| residual.weight * (residual.sums[k] + own));
            pulls.sum::<f64>() as f32
        });
        let pull = Pull {
            features: &self.features,
            rows,
            slope: slope.collect(),
            weight: residuals().map(|residual| residual.weight).sum(),
        };
        Ok((pull, share))
    }

    /// Counts what the picks of a block of group `g` left of its `share`.
    fn count(&mut self, place: &Place, g: usize, picked: &[u32], share: &[f64]) -> Result<()> {
        let sums = self.sum_of(place, picked)?;
        for residual in std::iter::once(&mut self.all).chain(self.classes.get_mut(g)) {
            let left = sums.iter().zip(share).map(|(sum, share)| sum - share);
            let entries = residual.sums.iter_mut().zip(left);
            entries.for_each(|(r, left)| *r += left);
        }
        Ok(())
    }

    fn sum_of(&self, place: &Place, picked: &[u32]) -> Result<Vec<f64>> {
        let rows = place.z.view().gather(picked);
        self.features.weighted_sum(rows.view(), |_| 1.0, |_| Ok(()))
    }
}

/// Features at `q` frequencies, as many of each band, in the unit of `z`, (n, p).
fn features_of_bands(z: MatrixView<'_>, q: usize, streams: Streams) -> Result<Features> {
    let per_median = 1.0 / median_distance(z, streams);
    let mut rng = streams.stream(Purpose::Frequencies, 0);
    let mut entries = Vec::with_capacity(q * z.cols());
    for band in 0..N_BANDS {
        let count = (band + 1) * q / N_BANDS - band * q / N_BANDS;
        let edges = (BAND_EDGES[band], BAND_EDGES[band + 1]);
        let drawn = isotropic(count, z.cols(), edges, &mut rng).freqs;
        entries.extend(drawn.as_slice().iter().map(|t| t * per_median));
    }
    let freqs = Matrix::from_vec(entries, q, z.cols())?;
    Ok(Features { freqs })
}

/// What rounded quotas, and the least of every class, add to the sums of features beyond an even share of the whole,
/// (2 q,), and `|φ_X|^2`, summed; both estimated.
fn quota_errors(
    z: MatrixView<'_>,
    groups: &[GroupState<'_>],
    features: &Features,
    monitor: &Monitor,
) -> Result<(Vec<f64>, f64)> {
    let n: usize = groups.iter().map(GroupState::n).sum();
    let count: usize = groups.iter().map(|group| group.quota).sum();
    let ratio = count as f64 / n as f64;
    let (mut rows, mut excess, mut share) = (Vec::new(), Vec::new(), Vec::new());
    for group in groups {
        group.each_block(|block, quota| {
            let step = block.len().div_ceil(QUOTA_ROWS).max(1);
            let taken = block.iter().step_by(step).map(|&i| group.row_of_whole(i));
            let before = rows.len();
            rows.extend(taken);
            let each = 1.0 / (rows.len() - before) as f64;
            let of_block = quota as f64 - ratio * block.len() as f64;
            excess.resize(rows.len(), (of_block * each) as f32);
            share.resize(rows.len(), (block.len() as f64 / n as f64 * each) as f32);
        });
    }
    let x = z.gather(&rows);
    let tick = |_: usize| monitor.check();
    let sums = features.weighted_sum(x.view(), |i| excess[i], tick)?;
    let mean = features.weighted_sum(x.view(), |i| share[i], tick)?;
    Ok((sums, mean.iter().map(|v| v * v).sum()))
}
