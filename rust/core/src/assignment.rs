//! One-to-one assignment of m rows to n >= m columns at least cost, on candidate lists.
//!
//! Shortest augmenting paths with dual variables (Jonker & Volgenant 1987; Crouse 2016 for m < n):
//! row reduction, augmenting row reduction, then Dijkstra searches on the reduced costs
//! `c_ij - u_i - v_j`. A solution is optimal on its lists where all of these are >= 0, those of matched
//! pairs are 0, all v_j <= 0, and v_j = 0 at free columns.
//!
//! Solving again after costs or lists have changed starts from the old matching and duals: pairs
//! that are still tight stay. A column that becomes free must get v_j = 0 back, which may loosen the
//! rows that list it; they are freed in turn, so that the conditions above hold again before the
//! searches begin.
//!
//! Memory: O(entries + m + n); nothing is ever of size m x n.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::error::{Error, Result, check_len};
use crate::monitor::Monitor;

const FREE: u32 = u32::MAX;
/// Searches between two looks at the monitor.
const TICK: usize = 64;
/// Rounds of augmenting row reduction; more take longer than the searches that they save.
const REDUCTIONS: usize = 2;

/// Candidate columns of each row with their costs.
#[derive(Debug, Clone, PartialEq)]
pub struct CandidateLists {
    /// Row i occupies `indptr[i]..indptr[i + 1]` of the other two, (m + 1,).
    pub indptr: Vec<usize>,
    /// Columns, distinct within a row.
    pub indices: Vec<u32>,
    /// Costs, finite.
    pub costs: Vec<f64>,
}

impl Default for CandidateLists {
    fn default() -> Self {
        Self {
            indptr: vec![0],
            indices: Vec::new(),
            costs: Vec::new(),
        }
    }
}

impl CandidateLists {
    /// Adds a candidate to the row at hand.
    pub fn push(&mut self, column: u32, cost: f64) {
        self.indices.push(column);
        self.costs.push(cost);
    }

    /// Ends the row at hand.
    pub fn end_row(&mut self) {
        self.indptr.push(self.indices.len());
    }

    /// The rows of all parts, in order.
    #[must_use]
    pub fn concat(parts: Vec<Self>) -> Self {
        let mut all = Self::default();
        for part in parts {
            let before = all.indices.len();
            all.indptr
                .extend(part.indptr[1..].iter().map(|end| before + end));
            all.indices.extend(part.indices);
            all.costs.extend(part.costs);
        }
        all
    }

    fn row(&self, i: usize) -> impl Iterator<Item = (u32, f64)> + '_ {
        let at = self.indptr[i]..self.indptr[i + 1];
        let costs = self.costs[at.clone()].iter().copied();
        self.indices[at].iter().copied().zip(costs)
    }
}

/// A matching and its dual variables, kept between solves.
#[derive(Debug, Clone)]
pub struct Assignment {
    /// Duals of the rows, (m,).
    u: Vec<f64>,
    /// Duals of the columns, (n,), <= 0.
    v: Vec<f64>,
    col_of_row: Vec<u32>,
    row_of_col: Vec<u32>,
    search: Search,
}

/// Scratch of the searches, (n,) each; stamps save clearing it.
#[derive(Debug, Clone)]
struct Search {
    stamp: Vec<u32>,
    dist: Vec<f64>,
    from: Vec<u32>,
    now: u32,
}

impl Assignment {
    /// m rows without columns, of n.
    ///
    /// # Errors
    /// [`Error::Parameter`] where m > n.
    pub fn new(m: usize, n: usize) -> Result<Self> {
        if m > n {
            let rule = format!("is more than the {n} columns");
            return Err(Error::parameter("rows to assign", m, rule));
        }
        Ok(Self {
            u: vec![0.0; m],
            v: vec![0.0; n],
            col_of_row: vec![FREE; m],
            row_of_col: vec![FREE; n],
            search: Search {
                stamp: vec![0; n],
                dist: vec![0.0; n],
                from: vec![FREE; n],
                now: 0,
            },
        })
    }

    /// Rows that have the distinct columns `col_ind`, (m,), of n.
    ///
    /// # Errors
    /// [`Error::Parameter`] where a column is out of range or taken twice.
    pub fn with_matching(n: usize, col_ind: &[u32]) -> Result<Self> {
        let mut assignment = Self::new(col_ind.len(), n)?;
        for (i, &j) in col_ind.iter().enumerate() {
            match assignment.row_of_col.get_mut(j as usize) {
                Some(row) if *row == FREE => *row = i as u32,
                _ => {
                    return Err(Error::parameter(
                        "column",
                        j,
                        "is out of range or taken twice",
                    ));
                }
            }
            assignment.col_of_row[i] = j;
        }
        Ok(assignment)
    }

    /// The column of each row, (m,).
    #[must_use]
    pub fn col_ind(&self) -> &[u32] {
        &self.col_of_row
    }

    /// The row of each column, (n,), `u32::MAX` where it is free.
    #[must_use]
    pub fn row_of_col(&self) -> &[u32] {
        &self.row_of_col
    }

    /// Assigns every row to a column of its list at least total cost; returns the searches it took.
    ///
    /// # Errors
    /// [`Error::Shape`]; [`Error::Parameter`] for a cost that is not finite, a column out of range, or
    /// lists that admit no matching of all rows (never so where each row lists the column it has);
    /// [`Error::Interrupted`].
    pub fn solve(&mut self, lists: &CandidateLists, monitor: &Monitor) -> Result<usize> {
        self.check(lists)?;
        self.keep_tight(lists);
        let free = self.reduce(lists);
        for (count, &i) in free.iter().enumerate() {
            if count % TICK == 0 {
                monitor.check()?;
            }
            self.augment(i, lists)?;
        }
        Ok(free.len())
    }

    fn check(&self, lists: &CandidateLists) -> Result<()> {
        check_len("candidate lists", lists.indptr.len(), self.u.len() + 1)?;
        check_len("costs", lists.costs.len(), lists.indices.len())?;
        if let Some(cost) = lists.costs.iter().find(|c| !c.is_finite()) {
            return Err(Error::parameter("cost", cost, "must be finite"));
        }
        match lists.indices.iter().find(|j| **j as usize >= self.v.len()) {
            Some(j) => Err(Error::parameter("column", j, "is out of range")),
            None => Ok(()),
        }
    }

    /// Frees the rows whose pair is not tight under the new costs, and restores v = 0 at free columns.
    fn keep_tight(&mut self, lists: &CandidateLists) {
        let mut loose = Vec::new();
        for i in 0..self.u.len() {
            let least = lists
                .row(i)
                .map(|(j, c)| c - self.v[j as usize])
                .fold(f64::INFINITY, f64::min);
            self.u[i] = least;
            let own = self.col_of_row[i];
            let tight = lists
                .row(i)
                .any(|(j, c)| j == own && c - self.v[j as usize] <= least);
            if own != FREE && !tight {
                loose.push(self.release(i));
            }
        }
        loose.retain(|&j| self.v[j as usize] < 0.0);
        if loose.is_empty() {
            return;
        }
        let listed = Transposed::new(lists, self.v.len());
        while let Some(j) = loose.pop() {
            self.v[j as usize] = 0.0;
            for (i, cost) in listed.column(j) {
                let i = i as usize;
                if cost < self.u[i] {
                    self.u[i] = cost;
                    if self.col_of_row[i] != FREE {
                        let freed = self.release(i);
                        if self.v[freed as usize] < 0.0 {
                            loose.push(freed);
                        }
                    }
                }
            }
        }
    }

    fn release(&mut self, i: usize) -> u32 {
        let j = std::mem::replace(&mut self.col_of_row[i], FREE);
        self.row_of_col[j as usize] = FREE;
        j
    }

    fn pair(&mut self, i: usize, j: u32) {
        self.col_of_row[i] = j;
        self.row_of_col[j as usize] = i as u32;
    }

    /// Row reduction and augmenting row reduction; returns the rows that are still free.
    fn reduce(&mut self, lists: &CandidateLists) -> Vec<u32> {
        let mut free: Vec<u32> = (0..self.u.len() as u32)
            .filter(|&i| self.col_of_row[i as usize] == FREE)
            .collect();
        for _ in 0..REDUCTIONS {
            let mut later = Vec::new();
            // Each row may displace another; bounded, as equal costs could go on for ever.
            let mut budget = 4 * free.len();
            let mut todo = free.into_iter();
            let mut next = todo.next();
            while let Some(row) = next {
                let i = row as usize;
                let (mut first, mut second) = ((f64::INFINITY, FREE), f64::INFINITY);
                for (j, c) in lists.row(i) {
                    let reduced = c - self.v[j as usize];
                    if reduced < first.0 || (reduced == first.0 && j < first.1) {
                        second = first.0;
                        first = (reduced, j);
                    } else if reduced < second {
                        second = reduced;
                    }
                }
                next = None;
                if first.1 == FREE || budget == 0 {
                    later.push(row);
                } else {
                    budget -= 1;
                    let owner = self.row_of_col[first.1 as usize];
                    if owner == FREE {
                        self.u[i] = first.0;
                        self.pair(i, first.1);
                    } else if second.is_finite() && second > first.0 {
                        self.v[first.1 as usize] -= second - first.0;
                        self.u[i] = second;
                        self.release(owner as usize);
                        self.pair(i, first.1);
                        next = Some(owner);
                    } else {
                        self.u[i] = first.0;
                        later.push(row);
                    }
                }
                next = next.or_else(|| todo.next());
            }
            free = later;
        }
        // Rows that others displaced or priced out: duals as tight as the prices allow.
        for &i in &free {
            let i = i as usize;
            let reduced = lists.row(i).map(|(j, c)| c - self.v[j as usize]);
            self.u[i] = reduced.fold(f64::INFINITY, f64::min);
        }
        free
    }

    /// Extends the matching by row `start` along a shortest path to a free column.
    fn augment(&mut self, start: u32, lists: &CandidateLists) -> Result<()> {
        self.search.now += 1;
        let now = self.search.now;
        let mut heap = BinaryHeap::new();
        let mut scanned = Vec::new();
        let (mut row, mut base) = (start, 0.0);
        let (sink, length) = loop {
            let ui = self.u[row as usize];
            for (j, c) in lists.row(row as usize) {
                let at = j as usize;
                let dist = base + (c - ui - self.v[at]).max(0.0);
                if self.search.stamp[at] != now || dist < self.search.dist[at] {
                    self.search.stamp[at] = now;
                    self.search.dist[at] = dist;
                    self.search.from[at] = row;
                    heap.push(Reverse((Ordered(dist), j)));
                }
            }
            let next = loop {
                match heap.pop() {
                    None => break None,
                    // An entry that a shorter path has overtaken.
                    Some(Reverse((d, j))) if d.0 > self.search.dist[j as usize] => continue,
                    Some(Reverse((d, j))) => break Some((d.0, j)),
                }
            };
            let Some((dist, j)) = next else {
                let rule = "do not admit a matching of all rows: widen them";
                return Err(Error::parameter("candidate lists", "too narrow", rule));
            };
            let owner = self.row_of_col[j as usize];
            if owner == FREE {
                break (j, dist);
            }
            scanned.push(j);
            (row, base) = (owner, dist);
        };
        self.u[start as usize] += length;
        for j in scanned {
            let slack = length - self.search.dist[j as usize];
            self.v[j as usize] -= slack;
            self.u[self.row_of_col[j as usize] as usize] += slack;
        }
        let mut j = sink;
        loop {
            let i = self.search.from[j as usize];
            let before = std::mem::replace(&mut self.col_of_row[i as usize], j);
            self.row_of_col[j as usize] = i;
            if i == start {
                return Ok(());
            }
            j = before;
        }
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

/// Which rows list a column, and at what cost.
struct Transposed {
    start: Vec<usize>,
    entries: Vec<(u32, f64)>,
}

impl Transposed {
    fn new(lists: &CandidateLists, n: usize) -> Self {
        let mut start = vec![0; n + 1];
        lists
            .indices
            .iter()
            .for_each(|&j| start[j as usize + 1] += 1);
        for j in 0..n {
            start[j + 1] += start[j];
        }
        let (mut next, mut entries) = (start.clone(), vec![(0, 0.0); lists.indices.len()]);
        for i in 0..lists.indptr.len() - 1 {
            for (j, cost) in lists.row(i) {
                entries[next[j as usize]] = (i as u32, cost);
                next[j as usize] += 1;
            }
        }
        Self { start, entries }
    }

    fn column(&self, j: u32) -> impl Iterator<Item = (u32, f64)> + '_ {
        let at = self.start[j as usize]..self.start[j as usize + 1];
        self.entries[at].iter().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Purpose, stream};
    use proptest::prelude::*;
    use rand::Rng;
    use rand::seq::index::sample;

    /// Least total cost by dynamic programming over sets of columns; for n <= 12.
    fn oracle(lists: &CandidateLists, n: usize) -> f64 {
        let mut best = vec![f64::INFINITY; 1 << n];
        best[0] = 0.0;
        for i in 0..lists.indptr.len() - 1 {
            let mut next = vec![f64::INFINITY; 1 << n];
            for (taken, cost) in best.iter().enumerate().filter(|(_, c)| c.is_finite()) {
                for (j, c) in lists.row(i).filter(|(j, _)| taken >> j & 1 == 0) {
                    let with = &mut next[taken | 1 << j];
                    *with = with.min(cost + c);
                }
            }
            best = next;
        }
        best.into_iter().fold(f64::INFINITY, f64::min)
    }

    fn total(assignment: &Assignment, lists: &CandidateLists) -> f64 {
        (0..lists.indptr.len() - 1)
            .map(|i| {
                lists
                    .row(i)
                    .find(|(j, _)| *j == assignment.col_of_row[i])
                    .unwrap()
                    .1
            })
            .sum()
    }

    /// The conditions of the module's documentation: a proof of optimality.
    fn certify(assignment: &Assignment, lists: &CandidateLists) {
        let Assignment { u, v, .. } = assignment;
        for i in 0..u.len() {
            for (j, c) in lists.row(i) {
                let reduced = c - u[i] - v[j as usize];
                assert!(reduced > -1e-9, "row {i} column {j}: {reduced}");
                if assignment.col_of_row[i] == j {
                    assert!(reduced.abs() < 1e-9, "row {i} column {j}: {reduced}");
                }
            }
        }
        for (j, &v) in v.iter().enumerate() {
            assert!(v <= 0.0);
            let row = assignment.row_of_col[j];
            assert!(if row == FREE {
                v == 0.0
            } else {
                assignment.col_of_row[row as usize] == j as u32
            });
        }
    }

    /// Random lists of `width` columns, each with a column of its own for every row.
    fn random_lists(
        m: usize,
        n: usize,
        width: usize,
        own: &[u32],
        rng: &mut impl Rng,
    ) -> CandidateLists {
        let mut lists = CandidateLists::default();
        for i in 0..m {
            let mut columns: Vec<u32> = sample(rng, n, width)
                .into_iter()
                .map(|j| j as u32)
                .collect();
            if !columns.contains(&own[i]) {
                columns.push(own[i]);
            }
            for j in columns {
                lists.push(j, f64::from(rng.random_range(0..50_u32)) / 10.0);
            }
            lists.end_row();
        }
        lists
    }

    proptest! {
        #[test]
        fn equals_the_oracle_and_stays_so_when_costs_change(
            m in 0_usize..8, extra in 0_usize..5, width in 1_usize..5, seed in 0_u64..1000,
        ) {
            let n = (m + extra).max(1);
            let mut rng = stream(seed, Purpose::Samples, m, extra);
            let own: Vec<u32> = sample(&mut rng, n, m).into_iter().map(|j| j as u32).collect();
            let mut assignment = Assignment::new(m, n).unwrap();
            for _ in 0..6 {
                let lists = random_lists(m, n, width.min(n), &own, &mut rng);
                assignment.solve(&lists, &Monitor::default()).unwrap();
                certify(&assignment, &lists);
                prop_assert!((total(&assignment, &lists) - oracle(&lists, n)).abs() < 1e-9);
            }
        }
    }

    #[test]
    fn small_changes_keep_most_pairs() {
        let (m, n) = (300, 2000);
        let mut rng = stream(1, Purpose::Samples, 0, 0);
        let own: Vec<u32> = sample(&mut rng, n, m)
            .into_iter()
            .map(|j| j as u32)
            .collect();
        let mut lists = random_lists(m, n, 16, &own, &mut rng);
        let mut warm = Assignment::with_matching(n, &own).unwrap();
        warm.solve(&lists, &Monitor::default()).unwrap();
        for _ in 0..20 {
            for c in &mut lists.costs {
                *c += rng.random_range(0.0..0.02);
            }
            let searches = warm.solve(&lists, &Monitor::default()).unwrap();
            certify(&warm, &lists);
            let mut cold = Assignment::new(m, n).unwrap();
            cold.solve(&lists, &Monitor::default()).unwrap();
            assert!((total(&warm, &lists) - total(&cold, &lists)).abs() < 1e-9);
            assert!(searches < m / 3, "{searches} searches");
        }
    }

    #[test]
    fn equal_costs_and_as_many_columns_as_rows() {
        let mut lists = CandidateLists::default();
        for _ in 0..40 {
            (0..40).for_each(|j| lists.push(j, 1.0));
            lists.end_row();
        }
        let mut assignment = Assignment::new(40, 40).unwrap();
        assignment.solve(&lists, &Monitor::default()).unwrap();
        certify(&assignment, &lists);
        let mut columns = assignment.col_ind().to_vec();
        columns.sort_unstable();
        assert_eq!(columns, (0..40).collect::<Vec<_>>());
    }

    #[test]
    fn refusals() {
        assert!(Assignment::new(3, 2).is_err());
        assert!(Assignment::with_matching(3, &[1, 1]).is_err());
        let mut lists = CandidateLists::default();
        for _ in 0..2 {
            lists.push(0, 1.0);
            lists.end_row();
        }
        let mut assignment = Assignment::new(2, 3).unwrap();
        assert!(assignment.solve(&lists, &Monitor::default()).is_err());
        lists.costs[0] = f64::NAN;
        assert!(assignment.solve(&lists, &Monitor::default()).is_err());
    }
}
