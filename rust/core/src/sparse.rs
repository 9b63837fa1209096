//! Compressed sparse rows: the form in which graphs travel between the stages.

/// A square sparse matrix, (n, n), by rows; within a row the columns ascend.
#[derive(Debug, Clone, PartialEq)]
pub struct CsrMatrix {
    /// Row i occupies `indptr[i]..indptr[i + 1]` of the other two; (n + 1,).
    pub indptr: Vec<usize>,
    /// Column of each entry.
    pub indices: Vec<u32>,
    /// Value of each entry.
    pub data: Vec<f32>,
}

impl CsrMatrix {
    /// Number of rows, n.
    #[must_use]
    pub fn n(&self) -> usize {
        self.indptr.len() - 1
    }

    /// Columns and values of row `i`.
    pub fn row(&self, i: usize) -> impl ExactSizeIterator<Item = (u32, f32)> + '_ {
        let at = self.indptr[i]..self.indptr[i + 1];
        self.indices[at.clone()]
            .iter()
            .copied()
            .zip(self.data[at].iter().copied())
    }

    /// Sum of each row, (n,): the degrees of a weighted graph.
    #[must_use]
    pub fn row_sums(&self) -> Vec<f64> {
        (0..self.n())
            .map(|i| self.row(i).map(|(_, w)| f64::from(w)).sum())
            .collect()
    }
}
