//! Dijkstra's search over columns: distances, where each is reached from, and which comes next.
//!
//! Stamps save clearing the labels between searches.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::matching::duals::FREE;
use crate::run::error::Result;
use crate::run::monitor::Monitor;

/// Lists scanned between two looks at the monitor.
const TICK: usize = 1 << 12;

/// Scratch of the searches; stamps save clearing it.
#[derive(Debug, Clone)]
pub struct PathSearch {
    labels: Vec<Label>,
    now: u32,
    /// Columns to scan, the nearest first, by the bits of their distance: those of numbers that are 0
    /// or more have their order.
    heap: BinaryHeap<Reverse<(u64, u32)>>,
    /// Columns whose distance is final.
    pub scanned: Vec<u32>,
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

impl PathSearch {
    /// For n columns.
    pub fn new(n: usize) -> Self {
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

    /// Forgets the search before.
    pub fn begin(&mut self) {
        if self.now == u32::MAX {
            self.labels.iter_mut().for_each(|label| label.stamp = 0);
            self.now = 0;
        }
        self.now += 1;
        self.heap.clear();
        self.scanned.clear();
    }

    /// Notes a way to column `j` if it is the shortest so far; says so.
    pub fn label(&mut self, j: u32, dist: f64, from: u32) -> bool {
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

    /// Length of the shortest way found to column `j`.
    pub fn dist(&self, j: u32) -> f64 {
        self.labels[j as usize].dist
    }

    /// Where that way comes from.
    pub fn from(&self, j: u32) -> u32 {
        self.labels[j as usize].from
    }

    /// Puts column `j` among those to scan.
    pub fn push(&mut self, j: u32) {
        self.heap.push(Reverse((self.dist(j).to_bits(), j)));
    }

    /// The nearest column not yet scanned, if it is nearer than `limit`.
    pub fn pop(&mut self, limit: f64) -> Option<u32> {
        while let Some(Reverse((bits, j))) = self.heap.pop() {
            let dist = f64::from_bits(bits);
            if dist >= limit {
                return None;
            }
            // Else an entry that a shorter path has overtaken.
            if dist <= self.dist(j) {
                self.scanned.push(j);
                return Some(j);
            }
        }
        None
    }

    /// Counts a list that is scanned.
    ///
    /// # Errors
    /// [`crate::Error::Interrupted`].
    pub fn tick(&mut self, monitor: &Monitor) -> Result<()> {
        self.scans += 1;
        if self.scans.is_multiple_of(TICK) {
            monitor.check()?;
        }
        Ok(())
    }
}
