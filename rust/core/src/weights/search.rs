//! The nearest pick of each row of a group, cell by cell.

use std::cmp::Ordering;

use crate::arrays::matrix::MatrixView;
use crate::run::error::Result;
use crate::run::monitor::Monitor;
use crate::run::parallel::{blocks, map_items};
use crate::weights::cell::{Cell, Picks, ROWS};
use crate::weights::contraction::Contraction;

/// Picks from which bounds leave out more than they cost.
const BOUNDS_PAY: usize = 4096;
/// Parts at most that a set of rows is split into, and how often: enough for a hundred million rows.
const BRANCHES: usize = 32;
const LEVELS: usize = 4;

/// The nearest of `picks` (ascending rows of `z`, (n, p)) of each of `rows` (ascending); ties by row, but a pick is
/// its own nearest. O(|rows| |picks| p) at worst.
///
/// `monitor` advances by |rows|.
///
/// # Errors
/// [`crate::Error::Interrupted`].
pub fn nearest(
    z: MatrixView<'_>,
    rows: &[u32],
    picks: &[u32],
    monitor: &Monitor,
) -> Result<Vec<u32>> {
    let contraction = &Contraction::of(z, rows, picks.len())?;
    let group = Group {
        z,
        rows,
        contraction,
    };
    let offered = Picks::new(z, without_copies(z, picks), contraction);
    let bounded = offered.rows.len() >= BOUNDS_PAY;
    let cells = if bounded {
        group.cells(monitor)?
    } else {
        in_order(rows.len())
    };
    group.nearest(&cells, &offered, picks, bounded, |done| {
        monitor.advance(done)
    })
}

/// The first of each set of copies among `picks`, ascending.
fn without_copies(z: MatrixView<'_>, picks: &[u32]) -> Vec<u32> {
    let row = |i: &u32| z.row(*i as usize);
    let mut sorted = picks.to_vec();
    sorted.sort_by(|a, b| row(a).partial_cmp(row(b)).unwrap_or(Ordering::Equal));
    sorted.dedup_by(|b, a| row(a) == row(b));
    sorted.sort_unstable();
    sorted
}

/// Places 0..n in cells, as they come.
fn in_order(n: usize) -> Vec<Vec<u32>> {
    let cells = blocks(n, ROWS).map(|at| (at.start as u32..at.end as u32).collect());
    cells.collect()
}

/// Rows that are searched for together.
struct Group<'a> {
    z: MatrixView<'a>,
    rows: &'a [u32],
    contraction: &'a Contraction,
}

impl Group<'_> {
    /// Places of the rows in cells of near ones: those that share the nearest of a few rows, over and over, so that
    /// cuts go between clusters.
    fn cells(&self, monitor: &Monitor) -> Result<Vec<Vec<u32>>> {
        let mut parts: Vec<Vec<u32>> = vec![(0..self.rows.len() as u32).collect()];
        for _ in 0..LEVELS {
            let split = map_items(parts, |places| {
                if places.len() <= ROWS {
                    return Ok(vec![places]);
                }
                self.split(&places, monitor)
            })?;
            parts = split.into_iter().flatten().collect();
        }
        let cells = parts.iter().flat_map(|places| places.chunks(ROWS));
        Ok(cells.map(<[u32]>::to_vec).collect())
    }

    /// `places` by which of a few of their rows is the nearest.
    fn split(&self, places: &[u32], monitor: &Monitor) -> Result<Vec<Vec<u32>>> {
        let rows: Vec<u32> = places.iter().map(|&at| self.rows[at as usize]).collect();
        let branches = rows.len().div_ceil(ROWS).min(BRANCHES);
        let few = rows.iter().step_by(rows.len().div_ceil(branches));
        let few: Vec<u32> = few.copied().collect();
        let part = Group {
            z: self.z,
            rows: &rows,
            contraction: self.contraction,
        };
        let offered = Picks::new(self.z, few.clone(), self.contraction);
        let cells = in_order(rows.len());
        let near = part.nearest(&cells, &offered, &few, false, |_| monitor.check())?;
        let mut sharing = vec![Vec::new(); few.len()];
        for (place, row) in places.iter().zip(near) {
            if let Ok(at) = few.binary_search(&row) {
                sharing[at].push(*place);
            }
        }
        Ok(sharing)
    }

    /// The nearest of `offered`, with bounds or not, of each row; a row of `picks` itself. Calls `tick(rows)` as
    /// rows are done, and `tick(0)` in between.
    fn nearest(
        &self,
        cells: &[Vec<u32>],
        offered: &Picks,
        picks: &[u32],
        bounded: bool,
        tick: impl Fn(usize) -> Result<()> + Sync + Send,
    ) -> Result<Vec<u32>> {
        let parts = map_items(cells, |places| {
            let rows: Vec<u32> = places.iter().map(|&at| self.rows[at as usize]).collect();
            let mut cell = Cell::new(self.z, &rows, self.contraction, picks);
            if bounded {
                cell.meet_those_in_reach(offered, || tick(0))?;
            } else {
                cell.meet_all(offered, || tick(0))?;
            }
            tick(rows.len())?;
            Ok(cell.nearest())
        })?;
        let mut nearest = vec![0; self.rows.len()];
        for (&at, pick) in cells.iter().flatten().zip(parts.iter().flatten()) {
            nearest[at as usize] = *pick;
        }
        Ok(nearest)
    }
}
