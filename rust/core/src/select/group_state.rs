//! A group on its way through the stages: what each leaves behind for the next.

use std::sync::OnceLock;

use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use crate::arrays::matrix::{Matrix, MatrixView};
use crate::descent::Target;
use crate::exchange::rules::Caps;
use crate::graph::knn::Neighbors;
use crate::numeric::median_distance::median_distance_of;
use crate::numeric::partition::{n_blocks, partition_of};
use crate::numeric::sample::sample_rows;
use crate::numeric::sparse::CsrMatrix;
use crate::options::Balance;
use crate::run::error::{Error, Result, check_len};
use crate::run::monitor::Monitor;
use crate::run::rng::Streams;
use crate::select::facts::GroupFacts;
use crate::select::group::{Group, Standing};
use crate::select::quotas::{ClassSize, quotas};
use crate::select::shared_caps::SharedCaps;

/// A group on its way through the stages.
pub struct GroupState<'a> {
    /// The group's random streams.
    pub streams: Streams,
    /// Z of all rows.
    whole: MatrixView<'a>,
    /// A copy of the group's rows of it, if a stage asks for one and the group is not all.
    own: OnceLock<Matrix>,
    members: &'a [u32],
    standing: &'a [Standing],
    caps: Option<&'a Caps>,
    /// Rows to select.
    pub quota: usize,
    /// What happened so far.
    pub facts: GroupFacts,
    /// The k nearest neighbours of each row.
    pub neighbors: Option<Neighbors>,
    /// The fuzzy graph.
    pub graph: Option<CsrMatrix>,
    /// Spectral components, (n, c).
    pub spectral: Option<Matrix>,
    /// The matching space, (n, p).
    pub u: Matrix,
    /// Blocks into which the group is cut: their rows, and how many of them to select.
    pub blocks: Vec<(Vec<u32>, usize)>,
    /// How many siblings each of them gives, about its rows; empty where no group is capped.
    pub block_caps: Vec<Caps>,
    /// Rows on which the anchors stand.
    pub start: Vec<u32>,
    /// What the descent is to reach.
    pub target: Option<Target>,
    /// Anchors, (m, p).
    pub anchors: Option<Matrix>,
    /// Rows selected so far.
    pub picked: Vec<u32>,
}

impl<'a> GroupState<'a> {
    /// A group before the first stage; `z`: all rows, (n, p0).
    ///
    /// # Errors
    /// [`Error::Refused`] for a quota that the group cannot give.
    pub fn new(streams: Streams, group: &'a Group, z: MatrixView<'a>) -> Result<Self> {
        let n = group.members.len();
        if !group.standing.is_empty() {
            check_len("standing", group.standing.len(), n)?;
        }
        let bounds = ClassSize::of(n, &group.standing, 0);
        if group.quota < bounds.least || group.quota > bounds.most {
            let (quota, ClassSize { least, most, .. }) = (group.quota, bounds);
            let fact = format!("{quota} is not from {least} to {most}, what the group can give");
            return Err(Error::refused("count", fact));
        }
        Ok(Self {
            streams,
            whole: z,
            own: OnceLock::new(),
            members: &group.members,
            standing: &group.standing,
            caps: group.caps.as_ref(),
            quota: group.quota,
            facts: GroupFacts {
                n_rows: n,
                quota: group.quota,
                ..GroupFacts::default()
            },
            neighbors: None,
            graph: None,
            spectral: None,
            u: Matrix::default(),
            blocks: Vec::new(),
            block_caps: Vec::new(),
            start: Vec::new(),
            target: None,
            anchors: None,
            picked: Vec::new(),
        })
    }

    /// Its rows of Z, (n, p0), in one place: of a group that is not all rows, a copy that stays.
    pub fn z(&self) -> MatrixView<'_> {
        if self.is_whole() {
            return self.whole;
        }
        let copy = || self.whole.gather(self.members);
        self.own.get_or_init(copy).view()
    }

    /// A copy of some of its rows of Z.
    pub fn gather(&self, rows: &[u32]) -> Matrix {
        let rows: Vec<u32> = rows.iter().map(|&i| self.members[i as usize]).collect();
        self.whole.gather(&rows)
    }

    /// The median distance between two of its rows.
    pub fn median_distance(&self) -> f32 {
        let row = |i: usize| self.whole.row(self.members[i] as usize);
        median_distance_of(self.n(), row, self.streams)
    }

    /// Its rows in cells of equal size.
    ///
    /// # Errors
    /// [`Error::Interrupted`].
    pub fn cells(&self, count: usize, monitor: &Monitor) -> Result<Vec<Vec<u32>>> {
        let mut cells = partition_of(self.whole, self.members.to_vec(), count, monitor)?;
        if !self.is_whole() {
            // Members ascend, so that a row's place is found by bisection.
            let place = |row: u32| self.members.partition_point(|&member| member < row) as u32;
            cells
                .iter_mut()
                .flatten()
                .for_each(|row| *row = place(*row));
        }
        Ok(cells)
    }

    fn is_whole(&self) -> bool {
        self.n() == self.whole.rows()
    }

    /// Number of its rows, n.
    pub fn n(&self) -> usize {
        self.members.len()
    }

    /// Whether there is anything to choose.
    pub fn is_open(&self) -> bool {
        is_open(self.n(), self.quota)
    }

    /// How many siblings it gives.
    pub fn caps(&self) -> Option<&'a Caps> {
        self.caps
    }

    /// What may become of row `i`.
    pub fn standing(&self, i: u32) -> Standing {
        let known = self.standing.get(i as usize).copied();
        known.unwrap_or(Standing::Free)
    }

    /// Blocks of about `block_rows` rows into which it is to be cut.
    pub fn n_blocks(&self, block_rows: usize) -> usize {
        n_blocks(self.n(), self.quota, block_rows)
    }

    /// Cuts the rows into blocks of equal size, with quotas in proportion.
    ///
    /// # Errors
    /// [`Error::Interrupted`].
    pub fn split(&mut self, block_rows: usize, monitor: &Monitor) -> Result<()> {
        let blocks = self.cells(self.n_blocks(block_rows), monitor)?;
        self.set_blocks(blocks)
    }

    /// Takes `blocks` of its rows, with quotas in proportion.
    ///
    /// # Errors
    /// [`Error::Refused`] where they cannot give the quota.
    pub fn set_blocks(&mut self, blocks: Vec<Vec<u32>>) -> Result<()> {
        let size = |rows: &Vec<u32>| {
            let standing: Vec<Standing> = rows.iter().map(|&i| self.standing(i)).collect();
            ClassSize::of(rows.len(), &standing, 0)
        };
        let sizes: Vec<ClassSize> = blocks.iter().map(size).collect();
        let quotas = match self.caps {
            None => quotas(&sizes, self.quota, Balance::Proportional)?,
            Some(caps) => {
                let mut shares = SharedCaps::new(caps, &blocks, |i| self.standing(i));
                let quotas = shares.quotas(&sizes, self.quota, Balance::Proportional)?;
                let of_block = |(b, rows): (usize, &Vec<u32>)| shares.caps(b, caps, rows);
                self.block_caps = blocks.iter().enumerate().map(of_block).collect();
                quotas
            }
        };
        self.blocks = blocks.into_iter().zip(quotas).collect();
        Ok(())
    }

    /// The picks of a block: its rows that are picked, `is_picked`, (n,), as far as their standing and the block's
    /// `caps` allow, filled up or thinned out at random to `count`.
    pub fn picks_within(
        &self,
        rows: &[u32],
        caps: Option<&Caps>,
        is_picked: &[bool],
        count: usize,
        rng: &mut ChaCha8Rng,
    ) -> Vec<u32> {
        // Places in `rows`.
        let of = |kind: Standing, picked: bool| -> Vec<u32> {
            let fits = |&at: &u32| {
                let i = rows[at as usize];
                self.standing(i) == kind && is_picked[i as usize] == picked
            };
            (0..rows.len() as u32).filter(fits).collect()
        };
        let mut chosen = of(Standing::Included, true);
        chosen.extend(of(Standing::Included, false));
        let mut left = caps.map(|caps| caps.most.clone());
        let mut has_room = |at: u32| {
            let (Some(caps), Some(left)) = (caps, &mut left) else {
                return true;
            };
            let left = &mut left[caps.group[at as usize] as usize];
            let has_room = *left > 0;
            *left = left.saturating_sub(1);
            has_room
        };
        chosen.iter().for_each(|&at| {
            has_room(at);
        });
        for mut more in [of(Standing::Free, true), of(Standing::Free, false)] {
            more.shuffle(rng);
            let missing = count - chosen.len().min(count);
            chosen.extend(more.into_iter().filter(|&at| has_room(at)).take(missing));
        }
        chosen.into_iter().map(|at| rows[at as usize]).collect()
    }

    /// Calls `visit(rows, quota)` with each of its blocks; with all rows where there is nothing to choose.
    pub fn each_block(&self, mut visit: impl FnMut(&[u32], usize)) {
        if self.blocks.is_empty() {
            let all: Vec<u32> = (0..self.n() as u32).collect();
            visit(&all, self.quota);
        }
        for (rows, quota) in &self.blocks {
            visit(rows, *quota);
        }
    }

    /// The row of the whole that row `i` is.
    pub fn row_of_whole(&self, i: u32) -> u32 {
        self.members[i as usize]
    }

    /// Adds the rows selected, as rows of the whole, to `rows`.
    pub fn finish(self, rows: &mut Vec<u32>) -> GroupFacts {
        if self.is_open() {
            rows.extend(self.picked.iter().map(|&i| self.members[i as usize]));
        } else if self.quota > 0 {
            rows.extend_from_slice(self.members);
        }
        self.facts
    }
}

/// Whether there is anything to choose where `quota` of `rows` rows are wanted.
#[must_use]
pub fn is_open(rows: usize, quota: usize) -> bool {
    0 < quota && quota < rows
}

/// Rows of a block at most: one that has to be larger is sampled.
#[must_use]
pub fn most_rows(block_rows: usize, picks: usize) -> usize {
    block_rows.max(2 * picks)
}

/// `rows`, or where a block had to be larger than `block_rows` (few picks from many rows) a sample of
/// that many which holds its picks; ascending.
pub fn with_picks(
    rows: &[u32],
    picks: &[u32],
    block_rows: usize,
    rng: &mut ChaCha8Rng,
) -> Vec<u32> {
    let limit = most_rows(block_rows, picks.len());
    if rows.len() <= limit {
        return rows.to_vec();
    }
    let mut kept = picks.to_vec();
    kept.sort_unstable();
    let others: Vec<u32> = rows
        .iter()
        .copied()
        .filter(|i| kept.binary_search(i).is_err())
        .collect();
    let drawn = sample_rows(others.len(), limit - kept.len(), rng);
    kept.extend(drawn.into_iter().map(|k| others[k as usize]));
    kept.sort_unstable();
    kept
}
