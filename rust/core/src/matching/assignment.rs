//! One-to-one assignment of m rows to n >= m columns at least cost, on candidate lists.
//!
//! Shortest augmenting paths with dual variables (Jonker & Volgenant 1987; Crouse 2016 for m < n):
//! row reduction, augmenting row reduction, then Dijkstra searches (`augment`) on the reduced
//! costs `c_ij - u_i - v_j`. A solution is optimal on its lists where all of these are >= 0, those
//! of matched pairs are 0, all v_j <= 0, and v_j = 0 at free columns.
//!
//! Solving again after costs or lists have changed starts from the old matching and duals. Ours:
//! rows whose pair is no longer their cheapest are freed, but all prices v_j stay, so that every
//! other row keeps its pair and each search ends at the latest where its row came from. Columns
//! that are free in the end at a price below 0 are then vacated, which restores the last condition.
//! Cost: one look at each changed row, and searches as far as the changes reach.
//!
//! Memory: O(entries + m + n); nothing is ever of size m x n.

use crate::matching::augment::{augment, vacate};
use crate::matching::candidate_lists::{CandidateLists, CandidateRows, Transposed};
use crate::matching::duals::{Duals, FREE};
use crate::matching::search::PathSearch;
use crate::run::error::{Error, Result};
use crate::run::monitor::Monitor;

/// Rounds of augmenting row reduction; more take longer than the searches that they save.
const REDUCTIONS: usize = 2;
/// Rows reduced between two looks at the monitor.
const TICK: usize = 1 << 12;

/// A matching and its dual variables, kept between solves.
///
/// ```
/// use fast_select_core::matching::assignment::Assignment;
/// use fast_select_core::matching::candidate_lists::CandidateLists;
/// use fast_select_core::run::monitor::Monitor;
///
/// // Both rows would rather have column 0; the second pays less for another.
/// let lists = CandidateLists {
///     indptr: vec![0, 2, 4],
///     indices: vec![0, 1, 0, 2],
///     costs: vec![1.0, 9.0, 1.0, 2.0],
/// };
/// let mut assignment = Assignment::new(2, 3)?;
/// assignment.solve(&lists, &Monitor::default())?;
/// assert_eq!(assignment.col_ind(), [0, 2]);
/// # Ok::<(), fast_select_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Assignment {
    duals: Duals,
    /// Columns that rows have left, to be vacated where they stay free; outlives a solve that
    /// fails.
    left: Vec<u32>,
    search: PathSearch,
}

impl Assignment {
    /// m rows without columns, of n.
    ///
    /// # Errors
    /// [`Error::Refused`] where m > n.
    pub fn new(m: usize, n: usize) -> Result<Self> {
        if m > n {
            let fact = format!("{m} are more than the {n} columns");
            return Err(Error::refused("rows to assign", fact));
        }
        Ok(Self {
            duals: Duals::new(m, n),
            left: Vec::new(),
            search: PathSearch::new(n),
        })
    }

    /// Rows that have the distinct columns `col_ind`, (m,), of n.
    ///
    /// # Errors
    /// [`Error::Refused`] where a column is out of range or taken twice.
    pub fn with_matching(n: usize, col_ind: &[u32]) -> Result<Self> {
        let mut assignment = Self::new(col_ind.len(), n)?;
        for (i, &j) in col_ind.iter().enumerate() {
            match assignment.duals.row_of_col.get(j as usize) {
                Some(&FREE) => assignment.duals.pair(i as u32, j),
                _ => {
                    let fact = format!("{j} is out of range or taken twice");
                    return Err(Error::refused("column", fact));
                }
            }
        }
        Ok(assignment)
    }

    /// The column of each row, (m,).
    #[must_use]
    pub fn col_ind(&self) -> &[u32] {
        &self.duals.col_of_row
    }

    /// The row of each column, (n,), `u32::MAX` where it is free.
    #[must_use]
    pub fn row_of_col(&self) -> &[u32] {
        &self.duals.row_of_col
    }

    /// Prices of the columns, (n,), <= 0.
    #[must_use]
    pub fn prices(&self) -> &[f64] {
        &self.duals.v
    }

    /// Assigns every row to a column of its list at least total cost; returns the searches it took.
    ///
    /// # Errors
    /// [`Error::Refused`] for a cost that is not finite, a column out of range,
    /// or lists that admit no matching of all rows (never so where each row lists the column it
    /// has); [`Error::Interrupted`].
    pub fn solve(&mut self, mut lists: &CandidateLists, monitor: &Monitor) -> Result<usize> {
        lists.check(self.duals.u.len(), self.duals.v.len())?;
        self.solve_again(&mut lists, 0..self.duals.u.len(), monitor)
    }

    /// [`Self::solve`] where only the rows `changed` need looking at: the caller has called
    /// [`Self::keep`] for every other row whose costs are not what they were.
    ///
    /// # Errors
    /// [`Error::Refused`] where the lists admit no matching of all rows; [`Error::Interrupted`].
    pub fn solve_again(
        &mut self,
        lists: &mut impl CandidateRows,
        changed: impl IntoIterator<Item = usize>,
        monitor: &Monitor,
    ) -> Result<usize> {
        let (mut new, mut freed) = (Vec::new(), Vec::new());
        for i in changed {
            let (least, own) = self.duals.least(i, lists);
            self.duals.u[i] = least;
            if self.duals.col_of_row[i] == FREE {
                new.push(i as u32);
            } else if own > least {
                let column = self.duals.release(i);
                self.left.push(column);
                freed.push(i as u32);
            }
        }
        freed.extend(self.reduce(new, lists, monitor)?);
        for &i in &freed {
            augment(&mut self.duals, &mut self.search, i, lists, monitor)?;
        }
        let (mut searches, mut listed) = (freed.len(), None);
        while let Some(&j) = self.left.last() {
            if self.duals.row_of_col[j as usize] == FREE && self.duals.v[j as usize] < 0.0 {
                let (m, n) = (self.duals.u.len(), self.duals.v.len());
                let listed = listed.get_or_insert_with(|| Transposed::new(lists, m, n));
                vacate(&mut self.duals, &mut self.search, j, listed, lists, monitor)?;
                searches += 1;
            }
            self.left.pop();
        }
        Ok(searches)
    }

    /// Row `i` keeps its column, now at cost `own`, which the caller knows to be its cheapest at
    /// the [prices](Self::prices) as they are.
    pub fn keep(&mut self, i: usize, own: f64) {
        self.duals.u[i] = own - self.duals.v[self.duals.col_of_row[i] as usize];
    }

    /// Row reduction and augmenting row reduction of the rows `free`; returns those that still are.
    fn reduce(
        &mut self,
        mut free: Vec<u32>,
        lists: &mut impl CandidateRows,
        monitor: &Monitor,
    ) -> Result<Vec<u32>> {
        for _ in 0..REDUCTIONS {
            let mut later = Vec::new();
            // Each row may displace another; bounded, as equal costs could go on for ever.
            let mut budget = 4 * free.len();
            let mut todo = free.into_iter();
            let mut next = todo.next();
            while let Some(row) = next {
                let i = row as usize;
                let (mut first, mut second) = ((f64::INFINITY, FREE), f64::INFINITY);
                let (columns, costs) = lists.row(i);
                for (&j, &c) in columns.iter().zip(costs) {
                    let reduced = c - self.duals.v[j as usize];
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
                    if budget.is_multiple_of(TICK) {
                        monitor.check()?;
                    }
                    let owner = self.duals.row_of_col[first.1 as usize];
                    if owner == FREE {
                        self.duals.u[i] = first.0;
                        self.duals.pair(row, first.1);
                    } else if second.is_finite() && second > first.0 {
                        self.duals.v[first.1 as usize] -= second - first.0;
                        self.duals.u[i] = second;
                        self.duals.release(owner as usize);
                        self.duals.pair(row, first.1);
                        next = Some(owner);
                    } else {
                        self.duals.u[i] = first.0;
                        later.push(row);
                    }
                }
                next = next.or_else(|| todo.next());
            }
            free = later;
        }
        // Rows that others displaced or priced out: duals as tight as the prices allow.
        for &i in &free {
            self.duals.u[i as usize] = self.duals.least(i as usize, lists).0;
        }
        Ok(free)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::rng::test_stream;
    use proptest::prelude::*;
    use rand::Rng;
    use rand::seq::index::sample;

    fn row(lists: &CandidateLists, i: usize) -> impl Iterator<Item = (u32, f64)> + '_ {
        let at = lists.indptr[i]..lists.indptr[i + 1];
        at.map(|e| (lists.indices[e], lists.costs[e]))
    }

    /// Least total cost by dynamic programming over sets of columns; for n <= 12.
    fn oracle(lists: &CandidateLists, n: usize) -> f64 {
        let mut best = vec![f64::INFINITY; 1 << n];
        best[0] = 0.0;
        for i in 0..lists.indptr.len() - 1 {
            let mut next = vec![f64::INFINITY; 1 << n];
            for (taken, cost) in best.iter().enumerate().filter(|(_, c)| c.is_finite()) {
                for (j, c) in row(lists, i).filter(|(j, _)| taken >> j & 1 == 0) {
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
                row(lists, i)
                    .find(|(j, _)| *j == assignment.duals.col_of_row[i])
                    .unwrap()
                    .1
            })
            .sum()
    }

    /// The conditions of the module's documentation: a proof of optimality.
    fn certify(assignment: &Assignment, lists: &CandidateLists) {
        let Duals { u, v, .. } = &assignment.duals;
        for i in 0..u.len() {
            for (j, c) in row(lists, i) {
                let reduced = c - u[i] - v[j as usize];
                assert!(reduced > -1e-9, "row {i} column {j}: {reduced}");
                if assignment.duals.col_of_row[i] == j {
                    assert!(reduced.abs() < 1e-9, "row {i} column {j}: {reduced}");
                }
            }
        }
        for (j, &v) in v.iter().enumerate() {
            assert!(v <= 0.0);
            let row = assignment.duals.row_of_col[j];
            assert!(if row == FREE {
                v == 0.0
            } else {
                assignment.duals.col_of_row[row as usize] == j as u32
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
            let mut rng = test_stream(seed, m, extra);
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
        let mut rng = test_stream(1, 0, 0);
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

    /// Two rows fight for a column, which is dear then; when one goes away it must be free at price
    /// 0, and the third row, content at any price below, must have it.
    #[test]
    fn a_column_left_at_a_price_goes_to_who_lists_it() {
        let lists = |second: f64| CandidateLists {
            indptr: vec![0, 2, 4, 6],
            indices: vec![0, 1, 0, 2, 0, 3],
            costs: vec![0.0, 5.0, second, 3.0, 2.0, 4.0],
        };
        let mut assignment = Assignment::new(3, 5).unwrap();
        assignment.solve(&lists(0.0), &Monitor::default()).unwrap();
        certify(&assignment, &lists(0.0));
        assert_eq!(assignment.col_ind(), [0, 2, 3]);
        let mut alone = lists(0.0);
        alone.costs[0] = 9.0;
        assignment.solve(&alone, &Monitor::default()).unwrap();
        certify(&assignment, &alone);
        assert_eq!(assignment.col_ind(), [1, 0, 3]);
        alone.costs[2] = 9.0;
        assignment.solve(&alone, &Monitor::default()).unwrap();
        certify(&assignment, &alone);
        assert_eq!(assignment.col_ind(), [1, 2, 0]);
    }

    #[test]
    fn recovers_from_lists_that_were_too_narrow() {
        let lists = CandidateLists {
            indptr: vec![0, 2, 4],
            indices: vec![0, 1, 0, 2],
            costs: vec![0.0, 5.0, 0.0, 3.0],
        };
        let mut assignment = Assignment::new(2, 4).unwrap();
        assignment.solve(&lists, &Monitor::default()).unwrap();
        let narrow = CandidateLists {
            indptr: vec![0, 1, 2],
            indices: vec![3, 3],
            costs: vec![0.0; 2],
        };
        assert!(assignment.solve(&narrow, &Monitor::default()).is_err());
        let elsewhere = CandidateLists {
            costs: vec![9.0, 5.0, 9.0, 3.0],
            ..lists
        };
        assignment.solve(&elsewhere, &Monitor::default()).unwrap();
        certify(&assignment, &elsewhere);
        assert_eq!(assignment.col_ind(), [1, 2]);
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
