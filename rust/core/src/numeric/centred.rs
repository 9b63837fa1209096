//! Rows about their own centre.

use crate::arrays::matrix::{Matrix, MatrixView};
use crate::run::error::Result;
use crate::run::parallel::map_blocks;

/// Columns of a task.
const COLUMNS: usize = 4;

/// The coordinate-wise median of the rows of `z`, (n, p); zeros where there are none. O(n p).
///
/// Products of rows far from the origin lose the digits of the distances between them, and tight classes lie far
/// from the centre of all. A median, as a mean follows a single row far out.
///
/// # Errors
/// None: the tasks cannot fail.
pub fn centre(z: MatrixView<'_>) -> Result<Vec<f32>> {
    let n = z.rows();
    let medians = map_blocks(z.cols(), COLUMNS, |columns| {
        let mut column = vec![0.0; n];
        let median = |j| {
            let entries = column.iter_mut().enumerate();
            entries.for_each(|(i, entry)| *entry = z.row(i)[j]);
            match n {
                0 => 0.0,
                _ => *column.select_nth_unstable_by(n / 2, f32::total_cmp).1,
            }
        };
        Ok(columns.map(median).collect::<Vec<_>>())
    })?;
    Ok(medians.concat())
}

/// The rows of `z`, (n, p), less `centre`, (p,), times `scale`.
///
/// ```
/// use fast_select_core::arrays::matrix::Matrix;
/// use fast_select_core::numeric::centred::{centre, centred};
///
/// let z = Matrix::from_vec(vec![1.0, 7.0, 3.0, 5.0, 1e9, 6.0], 3, 2)?;
/// let centre = centre(z.view())?;
/// assert_eq!(centre, [3.0, 6.0]);
/// assert_eq!(centred(z.view(), &centre, 0.5).as_slice(), [-1.0, 0.5, 0.0, -0.5, 5e8, 0.0]);
/// # Ok::<(), fast_select_core::Error>(())
/// ```
#[must_use]
pub fn centred(z: MatrixView<'_>, centre: &[f32], scale: f32) -> Matrix {
    let mut x = Matrix::zeros(z.rows(), z.cols());
    for i in 0..z.rows() {
        let entries = x.row_mut(i).iter_mut().zip(z.row(i)).zip(centre);
        entries.for_each(|((x, z), middle)| *x = (z - middle) * scale);
    }
    x
}
