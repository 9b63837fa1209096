//! The exchange: all blocks of all groups, held together by the residual of the whole.
//!
//! Few blocks need nothing to hold them together and run side by side. Many are made ready (their pairs measured,
//! most of the work) side by side, and exchanged one after the other, each against the residual that those before
//! it have left; inside a block, candidates are scored in parallel. The rows do not depend on how many blocks
//! are ready at a time.

use rand_chacha::ChaCha8Rng;

use crate::arrays::matrix::{Matrix, MatrixView};
use crate::exchange::block::Block;
use crate::exchange::residual::Pull;
use crate::exchange::rules::{Caps, Rules};
use crate::numeric::centred::{centre, centred};
use crate::options::ValidParams;
use crate::run::error::Result;
use crate::run::monitor::Monitor;
use crate::run::parallel::{indexed, map_items, n_threads};
use crate::run::rng::Purpose;
use crate::select::group::Standing;
use crate::select::group_state::{GroupState, with_picks};
use crate::select::stages::start_rows;
use crate::select::whole::Whole;

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
    let place = |(g, b): (usize, usize)| Place::new(&groups[g], b, &starts[g], params);
    let exchanged = match Whole::new(z, groups, blocks.len(), params, monitor)? {
        None => map_items(indexed(&blocks), |(_, &at)| {
            let place = place(at)?;
            let ready = place.ready(params, monitor)?;
            place.exchanged(ready, None, params, monitor)
        })?,
        Some(whole) => {
            let rows = |&(g, b): &(usize, usize)| groups[g].blocks[b].0.len();
            let waves = waves(&blocks, rows, n_threads() * params.block_rows);
            held_together(whole, waves, place, params, monitor)?
        }
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

/// The exchange in one block after the other, those of a wave made ready together.
fn held_together(
    mut whole: Whole,
    waves: Vec<&[(usize, usize)]>,
    place: impl Fn((usize, usize)) -> Result<Place> + Sync,
    params: &ValidParams,
    monitor: &Monitor,
) -> Result<Vec<Exchanged>> {
    let mut exchanged = Vec::new();
    for wave in waves {
        let places = map_items(indexed(wave), |(_, &at)| place(at))?;
        let ready = map_items(indexed(&places), |(_, place)| place.ready(params, monitor))?;
        for ((place, ready), &(g, _)) in places.iter().zip(ready).zip(wave) {
            let (pull, share) = whole.asks(place.z.view(), &place.picked, g, monitor)?;
            let block = place.exchanged(ready, Some(pull), params, monitor)?;
            whole.count(place.z.view(), &block.places, g, &share)?;
            exchanged.push(block);
        }
    }
    Ok(exchanged)
}

/// `blocks` in runs of at most `most` rows, or of one block.
fn waves<T>(blocks: &[T], rows: impl Fn(&T) -> usize, most: usize) -> Vec<&[T]> {
    let (mut waves, mut waiting) = (Vec::new(), blocks);
    while !waiting.is_empty() {
        let mut held = 0;
        let fits = |block: &&T| {
            held += rows(block);
            held <= most
        };
        let count = waiting.iter().take_while(fits).count().max(1);
        let (wave, later) = waiting.split_at(count);
        waves.push(wave);
        waiting = later;
    }
    waves
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
            per_median: 1.0 / group.median_distance(),
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
    /// How many siblings among them may be selected.
    caps: Option<Caps>,
    /// Rows of the block selected at first.
    picked: Vec<u32>,
    rng: ChaCha8Rng,
}

impl Place {
    /// Block `b` of `group`.
    fn new(group: &GroupState<'_>, b: usize, start: &Start, params: &ValidParams) -> Result<Self> {
        let (rows, quota) = &group.blocks[b];
        let mut rng = group.streams.stream(Purpose::Exchange, b);
        let caps = group.block_caps.get(b);
        let own = group.picks_within(rows, caps, &start.is_picked, *quota, &mut rng);
        let (n_rows, all) = (rows.len(), rows);
        let rows = with_picks(rows, &own, params.block_rows, &mut rng);
        let z = group.gather(&rows);
        let x = centred(z.view(), &centre(z.view())?, start.per_median);
        let is_fixed = |&i: &u32| group.standing(i) != Standing::Free;
        let fixed: Vec<bool> = rows.iter().map(is_fixed).collect();
        // Rows ascend, so that a row's place is found by bisection.
        let place = |i: &u32| rows.partition_point(|row| row < i) as u32;
        let caps = caps.map(|caps| {
            let group = |&i: &u32| caps.group[all.partition_point(|row| *row < i)];
            Caps {
                group: rows.iter().map(group).collect(),
                most: caps.most.clone(),
            }
        });
        Ok(Self {
            left_out: n_rows - rows.len(),
            z,
            x,
            fixed,
            caps,
            picked: own.iter().map(place).collect(),
            rng,
            rows,
        })
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
        let rules = Rules {
            fixed: &self.fixed,
            caps: self.caps.as_ref(),
        };
        let swaps = block.exchange(&mut places, rules, pull, params, &mut rng, monitor)?;
        Ok(Exchanged {
            n_rows: self.rows.len(),
            swaps,
            picked: places.iter().map(|&i| self.rows[i as usize]).collect(),
            places,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waves_hold_as_many_rows_as_they_may_and_one_block_at_least() {
        let blocks = [3, 4, 5, 9, 1];
        let found = waves(&blocks, |rows| *rows, 8);
        assert_eq!(
            found,
            [&blocks[..2], &blocks[2..3], &blocks[3..4], &blocks[4..]]
        );
        assert!(waves(&blocks[..0], |rows| *rows, 8).is_empty());
    }
}
