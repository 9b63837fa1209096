//! The exchange: all blocks of all groups, held together by the residual of the whole.
//!
//! Few blocks need nothing to hold them together and run side by side. Many are made ready (their pairs measured,
//! most of the work) side by side, and exchanged one after the other, each against the residual that those before
//! it have left; inside a block, candidates are scored in parallel. The rows do not depend on how many blocks
//! are ready at a time, nor on which member of a crew exchanges which: what a block leaves goes to the others with its
//! picks.

use rand_chacha::ChaCha8Rng;

use crate::arrays::bytes::{Bytes, Reader, Writer};
use crate::arrays::matrix::{Matrix, MatrixView};
use crate::crew::{Crew, Piece, Scope, Taken, numbered, result, share, wait};
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
/// [`crate::Error::Interrupted`], and those of the crew.
pub fn exchange(
    z: MatrixView<'_>,
    groups: &mut [GroupState<'_>],
    params: &ValidParams,
    crew: Option<&dyn Crew>,
    monitor: &Monitor,
) -> Result<()> {
    split(groups, params, crew, monitor)?;
    let starts = map_items(indexed(groups), |(_, group)| Ok(Start::new(group)))?;
    let at: Vec<(usize, usize)> = (0..groups.len())
        .flat_map(|g| (0..groups[g].blocks.len()).map(move |b| (g, b)))
        .collect();
    let whole = Whole::new(z, groups, at.len(), params, monitor)?;
    let blocks = Blocks {
        at: &at,
        groups,
        starts: &starts,
        params,
        monitor,
    };
    let exchanged = match whole {
        None => share(crew, BLOCK, at.len(), monitor, |i| {
            let place = blocks.place(i)?;
            let ready = place.ready(None, params, monitor)?;
            place.exchanged(ready, None, params, monitor)
        })?,
        Some(whole) => held_together(whole, &blocks, crew)?,
    };
    if crew.is_some() {
        monitor.finish()?;
    }
    for group in groups.iter_mut().filter(|group| group.is_open()) {
        group.picked.clear();
        (group.facts.exchanged_rows, group.facts.swaps) = (Some(0), Some(0));
    }
    for (&(g, _), block) in at.iter().zip(exchanged) {
        let group = &mut groups[g];
        group.picked.extend(block.picked);
        *group.facts.exchanged_rows.get_or_insert(0) += block.n_rows as usize;
        *group.facts.swaps.get_or_insert(0) += block.swaps as usize;
    }
    Ok(())
}

/// The name of the blocks' pieces.
const BLOCK: Piece<'_> = (Scope::Selection, "block");

/// Cuts the open groups into blocks, and gives them the rows to start from.
fn split(
    groups: &mut [GroupState<'_>],
    params: &ValidParams,
    crew: Option<&dyn Crew>,
    monitor: &Monitor,
) -> Result<()> {
    // Of groups of one block a crew has nothing to keep.
    let is_cut =
        |group: &&mut GroupState<'_>| group.is_open() && group.n_blocks(params.block_rows) > 1;
    let mut cut: Vec<&mut GroupState<'_>> = groups.iter_mut().filter(is_cut).collect();
    let cells = share(crew, (Scope::Selection, "cells"), cut.len(), monitor, |g| {
        cut[g].cells(cut[g].n_blocks(params.block_rows), monitor)
    })?;
    for (group, cells) in cut.iter_mut().zip(cells) {
        group.set_blocks(cells)?;
    }
    map_items(&mut *groups, |group| {
        if group.is_open() {
            if group.blocks.is_empty() {
                group.split(params.block_rows, monitor)?;
            }
            group.picked = start_rows(group, params, monitor)?;
        }
        Ok(())
    })?;
    Ok(())
}

/// What the exchange made of a block.
struct Exchanged {
    /// Rows that it chose from.
    n_rows: u64,
    swaps: u64,
    /// Rows of the group.
    picked: Vec<u32>,
    /// What they leave of the block's share in the whole, (2 q,); empty where nothing holds the blocks together.
    left: Vec<f64>,
}

impl Bytes for Exchanged {
    fn write(&self, to: &mut Writer) {
        to.number(self.n_rows);
        to.number(self.swaps);
        to.list(&self.picked);
        to.list(&self.left);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self> {
        Ok(Self {
            n_rows: from.number()?,
            swaps: from.number()?,
            picked: from.list()?,
            left: from.list()?,
        })
    }
}

/// All blocks, and what it takes to exchange them.
struct Blocks<'a> {
    /// Group and number there of each.
    at: &'a [(usize, usize)],
    groups: &'a [GroupState<'a>],
    starts: &'a [Start],
    params: &'a ValidParams,
    monitor: &'a Monitor,
}

impl Blocks<'_> {
    fn place(&self, i: usize) -> Result<Place> {
        let (g, b) = self.at[i];
        Place::new(&self.groups[g], b, &self.starts[g], self.params)
    }

    fn n_rows(&self, i: usize) -> usize {
        let (g, b) = self.at[i];
        self.groups[g].blocks[b].0.len()
    }
}

/// The exchange in one block after the other, as many made ready together as threads have room for.
fn held_together(
    whole: Whole,
    blocks: &Blocks<'_>,
    crew: Option<&dyn Crew>,
) -> Result<Vec<Exchanged>> {
    let Blocks {
        params, monitor, ..
    } = *blocks;
    let mut line = Line {
        whole,
        blocks,
        crew,
        exchanged: Vec::new(),
    };
    while line.exchanged.len() < blocks.at.len() {
        let own = line.take_next(n_threads() * params.block_rows)?;
        let places = map_items(indexed(&own), |(_, &i)| blocks.place(i))?;
        let whole = Some(&line.whole);
        let ready = map_items(indexed(&places), |(_, place)| {
            place.ready(whole, params, monitor)
        })?;
        for ((&i, place), ready) in own.iter().zip(&places).zip(ready) {
            line.catch_up(i)?;
            line.exchange(i, place, ready)?;
        }
        if own.is_empty() {
            let next = line.exchanged.len() + 1;
            line.catch_up(next.min(blocks.at.len()))?;
        }
    }
    Ok(line.exchanged)
}

/// The blocks as they are exchanged, each after all before it.
struct Line<'a> {
    whole: Whole,
    blocks: &'a Blocks<'a>,
    crew: Option<&'a dyn Crew>,
    exchanged: Vec<Exchanged>,
}

impl Line<'_> {
    /// The next blocks that are nobody else's, of `most` rows in all, or one.
    fn take_next(&mut self, most: usize) -> Result<Vec<usize>> {
        let (mut own, mut held) = (Vec::new(), 0);
        for i in self.exchanged.len()..self.blocks.at.len() {
            let rows = self.blocks.n_rows(i);
            if !own.is_empty() && held + rows > most {
                break;
            }
            match self.taken(i)? {
                Taken::Mine => {
                    own.push(i);
                    held += rows;
                }
                Taken::Done if i == self.exchanged.len() => self.take_over(i)?,
                // Behind one that was busy a moment ago.
                Taken::Done | Taken::Busy => {}
            }
        }
        Ok(own)
    }

    /// Waits until `count` blocks are exchanged, by others or, where these have ended, here.
    fn catch_up(&mut self, count: usize) -> Result<()> {
        let Blocks {
            params, monitor, ..
        } = *self.blocks;
        while self.exchanged.len() < count {
            let i = self.exchanged.len();
            match self.taken(i)? {
                Taken::Done => self.take_over(i)?,
                Taken::Busy => wait(monitor)?,
                Taken::Mine => {
                    let place = self.blocks.place(i)?;
                    let ready = place.ready(Some(&self.whole), params, monitor)?;
                    self.exchange(i, &place, ready)?;
                }
            }
        }
        Ok(())
    }

    /// Exchanges block `i`, the next.
    fn exchange(&mut self, i: usize, place: &Place, ready: Ready<'_>) -> Result<()> {
        let Blocks {
            params, monitor, ..
        } = *self.blocks;
        let g = self.blocks.at[i].0;
        let pull = self
            .whole
            .asks(place.z.view(), &place.picked, g, &ready.share)?;
        let block = place.exchanged(ready, Some((&self.whole, pull)), params, monitor)?;
        if let Some(crew) = self.crew {
            crew.give((BLOCK.0, &numbered(BLOCK.1, i)), &block.bytes())?;
        }
        self.count(i, block);
        Ok(())
    }

    /// Counts block `i`, the next, as another has exchanged it.
    fn take_over(&mut self, i: usize) -> Result<()> {
        if let Some(crew) = self.crew {
            let block = result(crew, (BLOCK.0, &numbered(BLOCK.1, i)))?;
            self.count(i, block);
        }
        let units = 1 + self.blocks.params.max_sweeps;
        self.blocks.monitor.advance(self.blocks.n_rows(i) * units)
    }

    fn count(&mut self, i: usize, mut block: Exchanged) {
        // Once it is counted nobody asks for it, and of many blocks it is large.
        let left = std::mem::take(&mut block.left);
        self.whole.count(&left, self.blocks.at[i].0);
        self.exchanged.push(block);
    }

    fn taken(&self, i: usize) -> Result<Taken> {
        match self.crew {
            None => Ok(Taken::Mine),
            Some(crew) => crew.take((BLOCK.0, &numbered(BLOCK.1, i))),
        }
    }
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

    /// The block with its pairs measured, as part of the `whole` where that holds blocks together.
    fn ready(
        &self,
        whole: Option<&Whole>,
        params: &ValidParams,
        monitor: &Monitor,
    ) -> Result<Ready<'_>> {
        monitor.advance(self.left_out * (1 + params.max_sweeps))?;
        let (mut rng, m) = (self.rng.clone(), self.picked.len());
        let block = Block::new(self.x.view(), m, params.base_radius, &mut rng, monitor)?;
        let share = whole.map(|whole| whole.share(self.z.view(), m, monitor));
        Ok(Ready {
            block,
            share: share.transpose()?.unwrap_or_default(),
            rng,
        })
    }

    /// The exchange in the block, pulled where the whole holds blocks together.
    fn exchanged(
        &self,
        ready: Ready<'_>,
        pulled: Option<(&Whole, Pull<'_>)>,
        params: &ValidParams,
        monitor: &Monitor,
    ) -> Result<Exchanged> {
        let Ready {
            block,
            share,
            mut rng,
        } = ready;
        let mut places = self.picked.clone();
        let rules = Rules {
            fixed: &self.fixed,
            caps: self.caps.as_ref(),
        };
        let (whole, pull) = pulled.unzip();
        let swaps = block.exchange(&mut places, rules, pull, params, &mut rng, monitor)?;
        let left = whole.map(|whole| whole.left(self.z.view(), &places, &share));
        Ok(Exchanged {
            n_rows: self.rows.len() as u64,
            swaps: swaps as u64,
            picked: places.iter().map(|&i| self.rows[i as usize]).collect(),
            left: left.transpose()?.unwrap_or_default(),
        })
    }
}

/// A block that is ready to be exchanged.
struct Ready<'a> {
    block: Block<'a>,
    /// What its picks should add to the whole, (2 q,); empty where nothing holds blocks together.
    share: Vec<f64>,
    /// The random stream from here on.
    rng: ChaCha8Rng,
}
