//! CF distance below the scale of the whole: inside cells of about two picks each.
//!
//! At frequencies fine enough to tell neighbours apart, the whole's characteristic function is near
//! 0 and any selection looks alike. Inside a cell it is not: with `1_c` the indicator of cell c,
//!
//! `m/4 Σ_r Σ_c E_ω |mean_S 1_c exp(iω·s) - mean_X 1_c exp(iω·x)|^2`
//!
//! compares a selection S with all rows X at frequencies `ω ~ N(0, r^2 I)` in units of one over the
//! cell's own median distance, r = 1/4, 1/2, 1 and 2, in closed form: its kernel is the Gaussian
//! one between rows of a cell and 0 between others. Cells are those of [`crate::numeric::partition`]: about
//! two picks each, and 512 rows at most. Rows that are copies of each other share their picks, so that it
//! does not matter where cells part them.

use crate::arrays::matrix::{Matrix, MatrixView};
use crate::kernels::exp::{N_RADII, gaussian_powers};
use crate::kernels::product::matmul_nt;
use crate::kernels::squared_distance::{squared_from_products, squared_norms};
use crate::numeric::partition::partition;
use crate::quality::copies::{Copies, Shares};
use crate::run::error::Result;
use crate::run::monitor::Monitor;
use crate::run::parallel::{add_in_order, map_items};

/// Picks of a cell, where that does not make it larger than [`MOST_ROWS`].
const PICKS: usize = 2;
const MOST_ROWS: usize = 512;
/// Exponent of the coarsest kernel for squared distances in units of the squared median.
const COARSE: f32 = -0.5 * 0.25 * 0.25;

/// Cells of n rows for selections of m.
#[must_use]
pub(crate) fn n_cells(n: usize, m: usize) -> usize {
    (m / PICKS).max(n.div_ceil(MOST_ROWS))
}

/// The cells of the rows of `z`, (n, p), for selections of m. O(n p log cells).
///
/// # Errors
/// [`crate::Error::Interrupted`].
pub fn cells(z: MatrixView<'_>, m: usize, monitor: &Monitor) -> Result<Vec<Vec<u32>>> {
    partition(z, n_cells(z.rows(), m), monitor)
}

/// m times the distance inside `cells`, averaged over the radii, of each of `selections` (ascending rows
/// of `z`, (n, p), with these `copies`; the same number m in each). O(n^2 p / cells).
///
/// `monitor` advances by n.
///
/// ```
/// use fast_select_core::arrays::matrix::Matrix;
/// use fast_select_core::quality::cell_distance::{cell_distances, cells};
/// use fast_select_core::quality::copies::Copies;
/// use fast_select_core::run::monitor::Monitor;
///
/// // One of two rows in one cell: 1 - (1 + k) + (1 + k)/2 with k their mean kernel.
/// let z = Matrix::from_vec(vec![0.0, 3.0], 2, 1)?;
/// let monitor = Monitor::default();
/// let cells = cells(z.view(), 1, &monitor)?;
/// let copies = Copies::of(z.view(), &monitor)?;
/// let distances = cell_distances(z.view(), &cells, &copies, &[vec![0]], &monitor)?;
/// let k = [0.25, 0.5, 1.0, 2.0].map(|r: f64| (-0.5 * r * r).exp()).iter().sum::<f64>() / 4.0;
/// assert!((distances[0] - (1.0 - k) / 2.0).abs() < 1e-6);
/// # Ok::<(), fast_select_core::Error>(())
/// ```
///
/// # Errors
/// [`crate::Error::Interrupted`].
pub fn cell_distances(
    z: MatrixView<'_>,
    cells: &[Vec<u32>],
    copies: &Copies,
    selections: &[Vec<u32>],
    monitor: &Monitor,
) -> Result<Vec<f64>> {
    let (n, m) = (z.rows(), selections.first().map_or(0, Vec::len));
    let shares = map_items(selections, |of| Ok(copies.shares(of)))?;
    let by_cell = map_items(cells, |cell| {
        monitor.advance(cell.len())?;
        Ok(Cell::new(z, cell).distances(&shares, (m, n)))
    })?;
    let mut total = vec![0.0; selections.len()];
    add_in_order(&mut total, by_cell);
    let scale = m as f64 / N_RADII as f64;
    total.iter_mut().for_each(|t| *t *= scale);
    Ok(total)
}

/// A cell's rows, ascending, and the kernel between each two, summed over the radii.
struct Cell<'a> {
    rows: &'a [u32],
    kernels: Matrix,
}

impl<'a> Cell<'a> {
    fn new(z: MatrixView<'_>, rows: &'a [u32]) -> Self {
        let (x, b) = (z.gather(rows), rows.len());
        let norms = squared_norms(x.view());
        let mut squared = vec![0.0; b * b];
        matmul_nt(&mut squared, x.view(), x.view(), false);
        for (row, norm) in squared.chunks_exact_mut(b).zip(&norms) {
            squared_from_products(row, *norm, &norms);
        }
        let mut kernels = Matrix::zeros(b, b);
        let scale = COARSE / median(&squared, b);
        gaussian_powers(&squared, scale, kernels.as_mut_slice());
        Self { rows, kernels }
    }

    /// The distance of each selection of m rows, of n in all, summed over the radii.
    fn distances(&self, selections: &[Shares<'_>], (m, n): (usize, usize)) -> Vec<f64> {
        let potential: Vec<f64> = (0..self.rows.len())
            .map(|i| self.kernels.row(i).iter().map(|&k| f64::from(k)).sum())
            .collect();
        let (m, n) = (m as f64, n as f64);
        let whole = potential.iter().sum::<f64>() / n.powi(2);
        let distance = |shares: &Shares<'_>| {
            let rows = self.rows.iter().enumerate();
            let picks = rows.filter_map(|(i, row)| Some((i, shares.of(*row)?)));
            let picks: Vec<(usize, f64)> = picks.collect();
            let across: f64 = picks.iter().map(|&(i, w)| w * potential[i]).sum();
            let pairs = picks
                .iter()
                .flat_map(|&(i, v)| picks.iter().map(move |&(j, w)| (i, j, v * w)));
            let pair = |(i, j, w): (usize, usize, f64)| w * f64::from(self.kernels.row(i)[j]);
            let within: f64 = pairs.map(pair).sum();
            within / (m * m) - 2.0 * across / (m * n) + whole
        };
        selections.iter().map(distance).collect()
    }
}

/// Median of the entries of `squared`, (b, b), off the diagonal that are not 0; 1 without any.
fn median(squared: &[f32], b: usize) -> f32 {
    let above = (0..b).flat_map(|i| &squared[i * b + i + 1..(i + 1) * b]);
    let mut values: Vec<f32> = above.copied().filter(|d| *d > 0.0).collect();
    if values.is_empty() {
        return 1.0;
    }
    let middle = values.len() / 2;
    *values.select_nth_unstable_by(middle, f32::total_cmp).1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arrays::matrix::random_matrix;
    use crate::quality::draws::random_selections;
    use crate::run::parallel::with_pool;

    fn distances(z: &Matrix, selections: &[Vec<u32>]) -> Vec<f64> {
        let monitor = Monitor::default();
        let cells = cells(z.view(), selections[0].len(), &monitor).unwrap();
        let copies = Copies::of(z.view(), &monitor).unwrap();
        cell_distances(z.view(), &cells, &copies, selections, &monitor).unwrap()
    }

    #[test]
    fn three_rows_by_hand() {
        // One cell, X = {0, 1, 3} on a line: distances 1, 2, 3 with median 2. S = {0, 3}.
        let z = Matrix::from_vec(vec![0.0, 1.0, 3.0], 3, 1).unwrap();
        let k = |d: f64| {
            let radii = [0.25, 0.5, 1.0, 2.0];
            let each = radii
                .iter()
                .map(|r| (-0.5 * (r * d / 2.0_f64).powi(2)).exp());
            each.sum::<f64>() / 4.0
        };
        let within_s = (2.0 + 2.0 * k(3.0)) / 4.0;
        let within_x = (3.0 + 2.0 * (k(1.0) + k(2.0) + k(3.0))) / 9.0;
        let across = (2.0 + 2.0 * k(3.0) + k(1.0) + k(2.0)) / 6.0;
        let expected = 2.0 * (within_s - 2.0 * across + within_x);
        let got = distances(&z, &[vec![0, 2]])[0];
        assert!((got - expected).abs() < 1e-6, "{got} {expected}");
    }

    #[test]
    fn the_whole_is_perfect_and_one_side_is_not() {
        let z = random_matrix(400, 2, 53);
        let all: Vec<u32> = (0..400).collect();
        assert!(distances(&z, &[all])[0].abs() < 1e-4);
        let mut by_first: Vec<u32> = (0..400).collect();
        by_first.sort_by(|&a, &b| z.row(a as usize)[0].total_cmp(&z.row(b as usize)[0]));
        let mut side = by_first[..40].to_vec();
        side.sort_unstable();
        let got = distances(&z, &[side, random_selections(400, 40, 1, 0).remove(0)]);
        assert!(got[0] > 1.5 * got[1], "{got:?}");
    }

    #[test]
    fn equal_rows_and_single_ones() {
        assert!(distances(&Matrix::zeros(9, 2), &[vec![1, 5]])[0].abs() < 1e-6);
        assert_eq!(distances(&Matrix::zeros(1, 2), &[vec![0]]), [0.0]);
        // Copies of two rows in one cell: rounding must not make distances of copies.
        let rows = random_matrix(2, 40, 53);
        let copies = rows.view().gather(&[0, 1].repeat(100));
        assert!(distances(&copies, &[vec![0, 1]])[0].abs() < 1e-4);
    }

    #[test]
    fn which_copies_are_picked_does_not_matter() {
        let rows = random_matrix(3, 2, 53);
        let copies = rows.view().gather(&[0, 1, 2].repeat(400));
        let got = distances(
            &copies,
            &[(0..12).collect(), (600..1200).step_by(50).collect()],
        );
        assert!((got[0] - got[1]).abs() < 1e-6, "{got:?}");
        assert!(
            got[0].abs() < 1e-3,
            "as many of each row as the whole: {got:?}"
        );
        assert!(distances(&Matrix::zeros(900, 2), &[(0..90).collect()])[0].abs() < 1e-6);
    }

    #[test]
    fn same_at_any_number_of_threads() {
        let z = random_matrix(1500, 3, 53);
        let draws = random_selections(1500, 50, 3, 1);
        let run = |threads| with_pool(threads, || distances(&z, &draws)).unwrap();
        assert_eq!(run(1), run(4));
    }
}
