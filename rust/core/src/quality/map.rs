//! A map: rows and picks in the plane of the two leading principal components.

use crate::arrays::matrix::MatrixView;
use crate::kernels::product::{dot, matmul_tn};
use crate::numeric::factorise::symmetric_eigen;
use crate::numeric::sample::sample_rows_ascending;
use crate::run::error::Result;
use crate::run::parallel::sum_blocks;
use crate::run::rng::{Purpose, Streams};

/// Rows on the map at most.
pub const MAP_ROWS: usize = 2000;
/// Picks on the map at most.
pub const MAP_PICKS: usize = 1000;
/// Rows of a block of the covariance.
const ROWS: usize = 512;

/// Where rows and picks lie.
#[derive(Debug, Clone, PartialEq)]
pub struct Map {
    /// Share of the variance of Z along each axis.
    pub explained: [f64; 2],
    /// A sample of all rows.
    pub rows: Vec<Place>,
    /// A sample of the picks.
    pub picks: Vec<Place>,
}

/// A row of Z on the map.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Place {
    /// The row.
    pub row: u32,
    /// Its two coordinates, in units of the median distance.
    pub at: [f32; 2],
}

/// The map of `z`, (n, p), and of `picks`, rows of it. O(n p^2).
///
/// Each axis points to where its largest loading is positive; one that no variance is left for is 0.
///
/// ```
/// use fast_select_core::arrays::matrix::Matrix;
/// use fast_select_core::quality::map::map;
/// use fast_select_core::run::rng::Streams;
///
/// // Wide along (1, 1), narrow across.
/// let z = Matrix::from_vec(vec![3.0, 3.0, -3.0, -3.0, 1.0, -1.0, -1.0, 1.0], 4, 2)?;
/// let found = map(z.view(), &[2], Streams::new(0))?;
/// assert!((found.explained[0] - 0.9).abs() < 1e-6);
/// assert!((found.rows[0].at[0] - 18.0_f32.sqrt()).abs() < 1e-5);
/// assert!((found.picks[0].at[1].abs() - 2.0_f32.sqrt()).abs() < 1e-5);
/// # Ok::<(), fast_select_core::Error>(())
/// ```
///
/// # Errors
/// [`crate::Error::Failed`] where the eigensolver fails.
pub fn map(z: MatrixView<'_>, picks: &[u32], streams: Streams) -> Result<Map> {
    let p = z.cols();
    let (mean, covariance) = covariance(z)?;
    let (values, vectors) = symmetric_eigen(&covariance, p)?;
    let total: f64 = (0..p).map(|j| covariance[j * p + j]).sum();
    // Eigenvalues ascend.
    let leading = [p.checked_sub(1), p.checked_sub(2)];
    let share = |at: Option<usize>| at.map_or(0.0, |at| values[at].max(0.0));
    let explained = leading.map(|at| if total > 0.0 { share(at) / total } else { 0.0 });
    let axes = leading.map(|at| match at {
        Some(at) if share(Some(at)) > 0.0 => axis((0..p).map(|j| vectors[j * p + at] as f32)),
        _ => vec![0.0; p],
    });
    let place = |row: u32| {
        let pairs = z.row(row as usize).iter().zip(&mean);
        let centred: Vec<f32> = pairs.map(|(x, mean)| x - *mean as f32).collect();
        let at = [dot(&centred, &axes[0]), dot(&centred, &axes[1])];
        Place { row, at }
    };
    let mut rng = streams.stream(Purpose::Map, 0);
    let rows = sample_rows_ascending(z.rows(), MAP_ROWS, &mut rng);
    let shown = sample_rows_ascending(picks.len(), MAP_PICKS, &mut rng);
    Ok(Map {
        explained,
        rows: rows.into_iter().map(place).collect(),
        picks: shown
            .into_iter()
            .map(|i| place(picks[i as usize]))
            .collect(),
    })
}

/// Mean, (p,), and covariance, (p, p), of the rows of `z`.
fn covariance(z: MatrixView<'_>) -> Result<(Vec<f64>, Vec<f64>)> {
    let (n, p) = (z.rows(), z.cols());
    let mut sums = sum_blocks(n, ROWS, p + p * p, |rows, sums| {
        let part = z.rows_range(rows);
        let mut outer = vec![0.0; p * p];
        matmul_tn(&mut outer, part, part, false);
        let (first, second) = sums.split_at_mut(p);
        for i in 0..part.rows() {
            let pairs = first.iter_mut().zip(part.row(i));
            pairs.for_each(|(sum, x)| *sum += f64::from(*x));
        }
        let pairs = second.iter_mut().zip(outer);
        pairs.for_each(|(sum, x)| *sum += f64::from(x));
        Ok(())
    })?;
    sums.iter_mut().for_each(|sum| *sum /= n as f64);
    let mut covariance = sums.split_off(p);
    for (e, c) in covariance.iter_mut().enumerate() {
        *c -= sums[e / p] * sums[e % p];
    }
    Ok((sums, covariance))
}

/// A vector or its opposite: that of which the entry of largest magnitude is positive.
fn axis(vector: impl Iterator<Item = f32>) -> Vec<f32> {
    let vector: Vec<f32> = vector.collect();
    let larger = |a: f32, b: f32| if b.abs() > a.abs() { b } else { a };
    let sign = vector.iter().copied().fold(0.0, larger).signum();
    vector.into_iter().map(|x| sign * x).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arrays::matrix::{Matrix, random_matrix};
    use crate::run::parallel::with_pool;

    #[test]
    fn distances_on_the_map_are_those_of_two_columns() {
        // A plane, turned into the first two of three columns and moved.
        let mut z = random_matrix(3000, 3, 5);
        for i in 0..3000 {
            let row = z.row_mut(i);
            (row[0], row[1], row[2]) = (3.0 * row[0] + 7.0, 2.0 * row[1], 1.0);
        }
        let found = map(z.view(), &[0, 5], Streams::new(0)).unwrap();
        assert_eq!(found.rows.len(), MAP_ROWS);
        assert!((found.explained[0] + found.explained[1] - 1.0).abs() < 1e-6);
        let (a, b) = (found.rows[3], found.rows[700]);
        let on_map = (a.at[0] - b.at[0]).hypot(a.at[1] - b.at[1]);
        let (x, y) = (z.row(a.row as usize), z.row(b.row as usize));
        assert!((on_map - (x[0] - y[0]).hypot(x[1] - y[1])).abs() < 1e-4);
        let picked: Vec<u32> = found.picks.iter().map(|place| place.row).collect();
        assert_eq!(picked, [0, 5]);
    }

    #[test]
    fn one_column_and_equal_rows_have_axes_of_zeros() {
        let line = random_matrix(50, 1, 5);
        let found = map(line.view(), &[0], Streams::new(0)).unwrap();
        assert!((found.explained[0] - 1.0).abs() < 1e-9 && found.explained[1] == 0.0);
        assert!(found.rows.iter().all(|place| place.at[1] == 0.0));
        let found = map(Matrix::zeros(9, 3).view(), &[0], Streams::new(0)).unwrap();
        assert_eq!(found.explained, [0.0; 2]);
        assert!(found.rows.iter().all(|place| place.at == [0.0; 2]));
    }

    #[test]
    fn same_at_any_number_of_threads() {
        let z = random_matrix(3000, 5, 61);
        let run = |threads| with_pool(threads, || map(z.view(), &[7], Streams::new(3)).unwrap());
        assert_eq!(run(1).unwrap(), run(4).unwrap());
    }
}
