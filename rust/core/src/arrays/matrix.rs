//! Row-major matrices of `f32`: what travels between the stages.

use crate::arrays::Aligned;
use crate::arrays::bytes::{Bytes, Reader, Writer};
use crate::arrays::room::Room;
use crate::run::error::{Result, check_len};

/// A dense row-major matrix of `f32`.
///
/// ```
/// use fast_select_core::arrays::matrix::Matrix;
///
/// let mut a = Matrix::from_vec(vec![1.0, 2.0, 3.0, 4.0], 2, 2)?;
/// a.row_mut(1)[0] = 0.0;
/// assert_eq!((a.row(0), a.row(1)), (&[1.0, 2.0][..], &[0.0, 4.0][..]));
/// assert!(Matrix::from_vec(vec![1.0; 3], 2, 2).is_err());
/// # Ok::<(), fast_select_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Matrix {
    data: Aligned,
    rows: usize,
    cols: usize,
}

/// A borrowed dense row-major matrix of `f32`.
#[derive(Debug, Clone, Copy)]
pub struct MatrixView<'a> {
    data: &'a [f32],
    rows: usize,
    cols: usize,
}

impl Matrix {
    /// A matrix of zeros.
    #[must_use]
    pub fn zeros(rows: usize, cols: usize) -> Self {
        Self {
            data: Aligned::zeros(rows * cols),
            rows,
            cols,
        }
    }

    /// Takes `data`, rows one after the other.
    ///
    /// # Errors
    /// [`crate::Error::Refused`] unless `data` has `rows * cols` entries.
    pub fn from_vec(data: Vec<f32>, rows: usize, cols: usize) -> Result<Self> {
        check_len("matrix data", data.len(), rows * cols)?;
        let data = data.into();
        Ok(Self { data, rows, cols })
    }

    /// Takes the beginning of `room`, rows one after the other.
    ///
    /// # Errors
    /// [`crate::Error::Refused`] where it has fewer than `rows * cols` entries.
    pub fn within(room: Box<dyn Room>, rows: usize, cols: usize) -> Result<Self> {
        let len = rows * cols;
        check_len("room", room.len().min(len), len)?;
        let mut data = Aligned::from(room);
        data.truncate(len);
        Ok(Self { data, rows, cols })
    }

    /// The first `cols` columns, where they are.
    ///
    /// ```
    /// use fast_select_core::arrays::matrix::Matrix;
    ///
    /// let a = Matrix::from_vec(vec![1.0, 2.0, 3.0, 4.0], 2, 2)?;
    /// assert_eq!(a.first_columns(1).as_slice(), [1.0, 3.0]);
    /// # Ok::<(), fast_select_core::Error>(())
    /// ```
    #[must_use]
    pub fn first_columns(mut self, cols: usize) -> Self {
        let cols = cols.min(self.cols);
        for i in 0..self.rows {
            let row = i * self.cols;
            self.data.copy_within(row..row + cols, i * cols);
        }
        self.data.truncate(self.rows * cols);
        Self { cols, ..self }
    }

    /// Number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of columns.
    #[must_use]
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// Row `i`.
    #[must_use]
    pub fn row(&self, i: usize) -> &[f32] {
        &self.data[i * self.cols..(i + 1) * self.cols]
    }

    /// Row `i`, to write.
    pub fn row_mut(&mut self, i: usize) -> &mut [f32] {
        &mut self.data[i * self.cols..(i + 1) * self.cols]
    }

    /// All entries, row by row.
    #[must_use]
    pub fn as_slice(&self) -> &[f32] {
        &self.data
    }

    /// All entries, row by row, to write.
    pub fn as_mut_slice(&mut self) -> &mut [f32] {
        &mut self.data
    }

    /// All entries, row by row, and nothing else.
    #[must_use]
    pub fn into_entries(self) -> Aligned {
        self.data
    }

    /// The whole as a view.
    #[must_use]
    pub fn view(&self) -> MatrixView<'_> {
        MatrixView {
            data: &self.data,
            rows: self.rows,
            cols: self.cols,
        }
    }
}

impl<'a> MatrixView<'a> {
    /// A view of `data`, rows of `cols` entries one after the other.
    ///
    /// # Errors
    /// [`crate::Error::Refused`] unless `data` has `rows * cols` entries.
    pub fn new(data: &'a [f32], rows: usize, cols: usize) -> Result<Self> {
        check_len("matrix data", data.len(), rows * cols)?;
        Ok(Self { data, rows, cols })
    }

    /// Number of rows.
    #[must_use]
    pub fn rows(self) -> usize {
        self.rows
    }

    /// Number of columns.
    #[must_use]
    pub fn cols(self) -> usize {
        self.cols
    }

    /// Row `i`.
    #[must_use]
    pub fn row(self, i: usize) -> &'a [f32] {
        &self.data[i * self.cols..(i + 1) * self.cols]
    }

    /// Rows `rows` as a view, as far as they are there.
    #[must_use]
    pub fn rows_range(self, rows: std::ops::Range<usize>) -> Self {
        let (start, end) = (rows.start.min(self.rows), rows.end.min(self.rows));
        let rows = end.saturating_sub(start);
        Self {
            data: &self.data[start * self.cols..(start + rows) * self.cols],
            rows,
            ..self
        }
    }

    /// A copy of the rows `index`, in that order.
    ///
    /// ```
    /// use fast_select_core::arrays::matrix::Matrix;
    ///
    /// let line = Matrix::from_vec(vec![0.0, 1.0, 3.0], 3, 1)?;
    /// assert_eq!(line.view().gather(&[2, 0, 2]).as_slice(), [3.0, 0.0, 3.0]);
    /// # Ok::<(), fast_select_core::Error>(())
    /// ```
    #[must_use]
    pub fn gather(self, index: &[u32]) -> Matrix {
        let mut out = Matrix::zeros(index.len(), self.cols);
        for (at, &i) in index.iter().enumerate() {
            out.row_mut(at).copy_from_slice(self.row(i as usize));
        }
        out
    }

    /// All entries, row by row.
    #[must_use]
    pub fn as_slice(self) -> &'a [f32] {
        self.data
    }
}

impl Bytes for Matrix {
    fn write(&self, to: &mut Writer) {
        to.number(self.rows as u64);
        to.number(self.cols as u64);
        to.list(self.as_slice());
    }

    fn read(from: &mut Reader<'_>) -> Result<Self> {
        let (rows, cols) = (from.number::<u64>()?, from.number::<u64>()?);
        Self::from_vec(from.list()?, rows as usize, cols as usize)
    }
}

/// A matrix of independent entries, uniform in [-1, 1), for tests.
#[cfg(test)]
pub(crate) fn random_matrix(rows: usize, cols: usize, seed: u64) -> Matrix {
    use crate::run::rng::test_stream;
    use rand::Rng;

    let mut rng = test_stream(seed, rows, cols);
    let mut out = Matrix::zeros(rows, cols);
    out.as_mut_slice()
        .iter_mut()
        .for_each(|x| *x = rng.random_range(-1.0..1.0));
    out
}
