//! Candidate columns of the rows to assign, and which rows list a column.

use crate::numeric::sparse::{check_columns, check_indptr};
use crate::run::error::{Error, Result, check_len};

/// Where the searches of an assignment read the rows' candidates.
///
/// Costs are asked for row by row, so that they need not be known where no search comes by.
pub trait CandidateRows {
    /// Columns of row `i`, distinct.
    fn columns(&self, i: usize) -> &[u32];

    /// The same, and their costs, finite.
    fn row(&mut self, i: usize) -> (&[u32], &[f64]);
}

/// Candidate columns of each row with their costs.
///
/// ```
/// use fast_select_core::matching::candidate_lists::CandidateLists;
///
/// // The first row may have column 0 or 2, the second column 1.
/// let mut lists = CandidateLists::default();
/// lists.push(0, 1.0);
/// lists.push(2, 9.0);
/// lists.end_row();
/// lists.push(1, 4.0);
/// lists.end_row();
/// assert_eq!((&lists.indptr[..], &lists.indices[..]), (&[0, 2, 3][..], &[0, 2, 1][..]));
/// assert!(lists.check(2, 3).is_ok() && lists.check(2, 2).is_err());
/// ```
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

    /// Checks lists of m rows and n columns.
    ///
    /// # Errors
    /// [`Error::Refused`] for another number of rows or costs, rows that do not follow each other, a cost
    /// that is not finite or a column out of range.
    pub fn check(&self, m: usize, n: usize) -> Result<()> {
        check_len("candidate lists", self.indptr.len(), m + 1)?;
        check_indptr(&self.indptr, self.indices.len())?;
        check_len("costs", self.costs.len(), self.indices.len())?;
        if let Some(cost) = self.costs.iter().find(|c| !c.is_finite()) {
            return Err(Error::refused(
                "costs",
                format!("hold {cost}, which is not finite"),
            ));
        }
        check_columns(&self.indices, n)
    }
}

impl CandidateRows for &CandidateLists {
    fn columns(&self, i: usize) -> &[u32] {
        &self.indices[self.indptr[i]..self.indptr[i + 1]]
    }

    fn row(&mut self, i: usize) -> (&[u32], &[f64]) {
        let at = self.indptr[i]..self.indptr[i + 1];
        (&self.indices[at.clone()], &self.costs[at])
    }
}

/// Which rows list each column.
pub(crate) struct Transposed {
    start: Vec<usize>,
    rows: Vec<u32>,
}

impl Transposed {
    /// Of lists of m rows and n columns. O(entries + n).
    pub(crate) fn new(lists: &impl CandidateRows, m: usize, n: usize) -> Self {
        let mut start = vec![0; n + 1];
        for i in 0..m {
            let columns = lists.columns(i);
            columns.iter().for_each(|&j| start[j as usize + 1] += 1);
        }
        for j in 0..n {
            start[j + 1] += start[j];
        }
        let (mut next, mut rows) = (start.clone(), vec![0; start[n]]);
        for i in 0..m {
            for &j in lists.columns(i) {
                rows[next[j as usize]] = i as u32;
                next[j as usize] += 1;
            }
        }
        Self { start, rows }
    }

    pub(crate) fn column(&self, j: u32) -> &[u32] {
        &self.rows[self.start[j as usize]..self.start[j as usize + 1]]
    }
}
