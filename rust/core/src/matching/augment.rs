//! Shortest alternating paths, the moves by which an assignment becomes optimal.
//!
//! Dijkstra's algorithm on the reduced costs `r_ij = c_ij - u_i - v_j >= 0`.
//! [`Assignment::augment`] leads a free row to a free column, as Jonker & Volgenant's (1987) last
//! phase does; [`Assignment::vacate`] is its mirror image, from a free column whose price is below
//! 0 to the column that had better be free.
//!
//! A search goes no further than the shortest way out that it has seen. When rows are freed because
//! their costs changed a little, their old columns stay as they were: the way back is one edge
//! as long as the change, and nothing beyond that is ever looked at.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::assignment::{Assignment, FREE};
use crate::candidate_lists::{CandidateRows, Transposed};
use crate::error::{Error, Result};
use crate::monitor::Monitor;

/// Lists scanned between two looks at the monitor.
const TICK: usize = 1 << 12;

/// Scratch of the searches; stamps save clearing it.
#[derive(Debug, Clone)]
pub(crate) struct Search {
    labels: Vec<Label>,
    now: u32,
    heap: BinaryHeap<Reverse<(Ordered, u32)>>,
    /// Columns whose distance is final.
    scanned: Vec<u32>,
    scans: usize,
}

/// What the search `stamp` knows of a column: its distance, and the row or column it is reached
/// from.
#[derive(Debug, Clone, Copy)]
struct Label {
    dist: f64,
    stamp: u32,
    from: u32,
}

impl Search {
    /// For n columns.
    pub(crate) fn new(n: usize) -> Self {
        let label = Label {
            dist: 0.0,
            stamp: 0,
            from: FREE,
        };
        Self {
            labels: vec![label; n],
            now: 0,
            heap: BinaryHeap::new(),
            scanned: Vec::new(),
            scans: 0,
        }
    }

    fn begin(&mut self) {
        if self.now == u32::MAX {
            self.labels.iter_mut().for_each(|label| label.stamp = 0);
            self.now = 0;
        }
        self.now += 1;
        self.heap.clear();
        self.scanned.clear();
    }

    /// Notes a way to column `j` if it is the shortest so far; says so.
    fn label(&mut self, j: u32, dist: f64, from: u32) -> bool {
        let label = &mut self.labels[j as usize];
        let shorter = label.stamp != self.now || dist < label.dist;
        if shorter {
            *label = Label {
                dist,
                stamp: self.now,
                from,
            };
        }
        shorter
    }

    fn dist(&self, j: u32) -> f64 {
        self.labels[j as usize].dist
    }

    fn from(&self, j: u32) -> u32 {
        self.labels[j as usize].from
    }

    fn push(&mut self, j: u32) {
        self.heap.push(Reverse((Ordered(self.dist(j)), j)));
    }

    /// The nearest column not yet scanned, if it is nearer than `limit`.
    fn pop(&mut self, limit: f64) -> Option<u32> {
        while let Some(Reverse((dist, j))) = self.heap.pop() {
            if dist.0 >= limit {
                return None;
            }
            // Else an entry that a shorter path has overtaken.
            if dist.0 <= self.dist(j) {
                self.scanned.push(j);
                return Some(j);
            }
        }
        None
    }

    fn tick(&mut self, monitor: &Monitor) -> Result<()> {
        self.scans += 1;
        if self.scans.is_multiple_of(TICK) {
            monitor.check()?;
        }
        Ok(())
    }
}

impl Assignment {
    /// Extends the matching by the free row `start` along a shortest path to a free column.
    ///
    /// # Errors
    /// [`Error::Parameter`] where there is none; [`Error::Interrupted`].
    pub(crate) fn augment(
        &mut self,
        start: u32,
        lists: &mut impl CandidateRows,
        monitor: &Monitor,
    ) -> Result<()> {
        let search = &mut self.search;
        search.begin();
        let (mut sink, mut length) = (FREE, f64::INFINITY);
        let (mut row, mut base) = (start, 0.0);
        loop {
            search.tick(monitor)?;
            let ui = self.u[row as usize];
            let (columns, costs) = lists.row(row as usize);
            for (&j, &c) in columns.iter().zip(costs) {
                let dist = base + (c - ui - self.v[j as usize]).max(0.0);
                if dist < length && search.label(j, dist, row) {
                    if self.row_of_col[j as usize] == FREE {
                        (sink, length) = (j, dist);
                    } else {
                        search.push(j);
                    }
                }
            }
            let Some(j) = search.pop(length) else { break };
            (row, base) = (self.row_of_col[j as usize], search.dist(j));
        }
        if sink == FREE {
            let rule = "do not admit a matching of all rows: widen them";
            return Err(Error::parameter("candidate lists", "too narrow", rule));
        }
        self.u[start as usize] += length;
        for &j in &self.search.scanned {
            let slack = length - self.search.dist(j);
            self.v[j as usize] -= slack;
            self.u[self.row_of_col[j as usize] as usize] += slack;
        }
        let mut j = sink;
        loop {
            let i = self.search.from(j);
            let before = self.col_of_row[i as usize];
            self.pair(i, j);
            if i == start {
                return Ok(());
            }
            j = before;
        }
    }

    /// Raises the price of the free column `start` to 0; if that is too dear for rows which list
    /// it, one takes it, and at the end of a shortest path another column is free, at price 0.
    ///
    /// # Errors
    /// [`Error::Interrupted`].
    pub(crate) fn vacate(
        &mut self,
        start: u32,
        listed: &Transposed,
        lists: &mut impl CandidateRows,
        monitor: &Monitor,
    ) -> Result<()> {
        let search = &mut self.search;
        search.begin();
        search.label(start, 0.0, FREE);
        search.scanned.push(start);
        let (mut sink, mut length) = (start, -self.v[start as usize]);
        let (mut column, mut base) = (start, 0.0);
        loop {
            for &i in listed.column(column) {
                search.tick(monitor)?;
                let own = self.col_of_row[i as usize];
                if own == column {
                    continue;
                }
                let (columns, costs) = lists.row(i as usize);
                let at = columns.iter().position(|&j| j == column);
                let cost = at.map_or(f64::INFINITY, |at| costs[at]);
                let reduced = cost - self.u[i as usize] - self.v[column as usize];
                let dist = base + reduced.max(0.0);
                if dist < length && search.label(own, dist, column) {
                    search.push(own);
                    if dist - self.v[own as usize] < length {
                        (sink, length) = (own, dist - self.v[own as usize]);
                    }
                }
            }
            let Some(j) = search.pop(length) else { break };
            (column, base) = (j, search.dist(j));
        }
        for &j in &self.search.scanned {
            let slack = length - self.search.dist(j);
            let price = &mut self.v[j as usize];
            *price = (*price + slack).min(0.0);
            if let Some(u) = self.u.get_mut(self.row_of_col[j as usize] as usize) {
                *u -= slack;
            }
        }
        self.v[sink as usize] = 0.0;
        let (mut j, mut row) = (sink, self.row_of_col[sink as usize]);
        self.row_of_col[sink as usize] = FREE;
        while j != start {
            j = self.search.from(j);
            let next = self.row_of_col[j as usize];
            self.pair(row, j);
            row = next;
        }
        Ok(())
    }
}

/// A distance that can be compared; never NaN.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Ordered(f64);

impl Eq for Ordered {}

impl PartialOrd for Ordered {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Ordered {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}
