//! A matching of rows to columns and its dual variables.

use crate::matching::candidate_lists::CandidateRows;

/// In place of a row or column where there is none.
pub const FREE: u32 = u32::MAX;

/// Which row has which column, and the duals by which that is optimal.
#[derive(Debug, Clone)]
pub struct Duals {
    /// Duals of the rows, (m,).
    pub u: Vec<f64>,
    /// Duals of the columns, their prices, (n,), <= 0.
    pub v: Vec<f64>,
    /// The column of each row, (m,), [`FREE`] without one.
    pub col_of_row: Vec<u32>,
    /// The row of each column, (n,), [`FREE`] without one.
    pub row_of_col: Vec<u32>,
}

impl Duals {
    /// m rows and n columns, all free, at duals of 0.
    pub fn new(m: usize, n: usize) -> Self {
        Self {
            u: vec![0.0; m],
            v: vec![0.0; n],
            col_of_row: vec![FREE; m],
            row_of_col: vec![FREE; n],
        }
    }

    /// Gives row `i` column `j`.
    pub fn pair(&mut self, i: u32, j: u32) {
        self.col_of_row[i as usize] = j;
        self.row_of_col[j as usize] = i;
    }

    /// Takes its column from row `i`, and returns it.
    pub fn release(&mut self, i: usize) -> u32 {
        let j = std::mem::replace(&mut self.col_of_row[i], FREE);
        self.row_of_col[j as usize] = FREE;
        j
    }

    /// The least `c_ij - v_j` of row i, and that of its own column (infinite without one).
    pub fn least(&self, i: usize, lists: &mut impl CandidateRows) -> (f64, f64) {
        let (mut least, mut own) = (f64::INFINITY, f64::INFINITY);
        let (columns, costs) = lists.row(i);
        for (&j, &c) in columns.iter().zip(costs) {
            let reduced = c - self.v[j as usize];
            least = least.min(reduced);
            if j == self.col_of_row[i] {
                own = reduced;
            }
        }
        (least, own)
    }
}
