//! Check, centre, scale and reduce the input: X, (n, d), becomes Z, (n, p0).
//!
//! Columns are centred. `--scale auto` divides each by its standard deviation where the columns
//! have scales of their own: where the widest range (maximum minus minimum) exceeds ten times that
//! of the column at the 5 % quantile. (Ranges, not standard deviations as one might think: the
//! border pixels of images have tiny deviations on the common scale. Widest to 5 %: fashion_mnist
//! 1.1, usps 1.2, optdigits 7.4, banking77 1.7 against covtype 1,600 and nslkdd > 1,000;
//! standardising optdigits costs 4.4 points of 1-NN accuracy, not standardising covtype 2.3.) Above
//! 64 columns the leading 64 principal components are kept (`pca`), not whitened. Last,
//! all is divided by the median distance of a sample of pairs, so that one scale of frequencies
//! serves all data.

use rand::Rng;

use crate::columns::Columns;
use crate::error::{Error, Result};
use crate::linalg::{Matrix, MatrixView, squared_distance};
use crate::monitor::Monitor;
use crate::names::named;
use crate::pca::{Reduced, reduce};
use crate::rng::{Purpose, stream};
use crate::source::RowSource;
pub use crate::statistics::Scale;
use crate::statistics::Statistics;

/// Bad rows that an error lists.
const LISTED: usize = 10;
/// Pairs whose median distance is taken.
const PAIRS: usize = 4096;

/// What happens to rows with NaN or infinity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NonFinite {
    /// They are refused.
    Error,
    /// They are left out.
    Drop,
}

named!(NonFinite, "nonfinite", {
    Error => "error",
    Drop => "drop",
});

/// Parameters of the preparation.
#[derive(Debug, Clone, PartialEq)]
pub struct PrepareOptions {
    /// Scaling of the columns.
    pub scale: Scale,
    /// What happens to rows with NaN or infinity.
    pub nonfinite: NonFinite,
    /// Dimensions kept at most, p0.
    pub n_dims: usize,
    /// Seed of the sketch and of the sampled pairs.
    pub seed: u64,
}

impl Default for PrepareOptions {
    fn default() -> Self {
        Self {
            scale: Scale::Auto,
            nonfinite: NonFinite::Error,
            n_dims: 64,
            seed: 0,
        }
    }
}

/// What the input turned out to be.
#[derive(Debug, Clone, PartialEq)]
pub struct Facts {
    /// Rows and columns of the input.
    pub n_rows: usize,
    /// Columns of the input.
    pub n_cols: usize,
    /// Rows left out for NaN or infinity.
    pub n_nonfinite: usize,
    /// Columns with one value only.
    pub n_constant_columns: usize,
    /// Distinct rows among those kept.
    pub n_distinct: usize,
    /// The scaling used: `None` or `Standard`.
    pub scale: Scale,
    /// Share of the variance that Z keeps, in [0, 1].
    pub explained_variance: f64,
}

/// Rows ready for selection.
#[derive(Debug, Clone, PartialEq)]
pub struct Prepared {
    /// Z, (n kept, p0), of median pairwise distance 1.
    pub z: Matrix,
    /// Input row of each row of Z, ascending.
    pub rows: Vec<u32>,
    /// What the input turned out to be.
    pub facts: Facts,
}

/// Units by which [`prepare`] advances its monitor.
#[must_use]
pub fn work(n_rows: usize, n_cols: usize, n_dims: usize) -> usize {
    n_rows
        * if n_cols > n_dims {
            1 + crate::pca::PASSES
        } else {
            2
        }
}

/// Z of `source`, (n, d). O(n d) for d <= `n_dims`, else O(n d p0); memory O(n p0).
///
/// `monitor` advances by [`work`].
///
/// # Errors
/// [`Error::NonFinite`]; [`Error::Parameter`] for an empty input or `n_dims` = 0;
/// [`Error::Interrupted`].
pub fn prepare(
    source: &dyn RowSource,
    options: &PrepareOptions,
    monitor: &Monitor,
) -> Result<Prepared> {
    let (n, d) = (source.n_rows(), source.n_cols());
    for (name, value) in [("rows", n), ("columns", d), ("n_dims", options.n_dims)] {
        if value == 0 {
            return Err(Error::parameter(name, 0, "must be 1 or more"));
        }
    }
    if u32::try_from(n).is_err() {
        return Err(Error::parameter("rows", n, "is more than 4,294,967,295"));
    }
    let stats = Statistics::of(source, monitor)?;
    if !stats.bad.is_empty() && options.nonfinite == NonFinite::Error {
        return Err(Error::NonFinite {
            count: stats.bad.len(),
            n_rows: n,
            first: stats.bad.iter().take(LISTED).map(|&i| i as usize).collect(),
        });
    }
    let mut bad = stats.bad.iter().copied().peekable();
    let rows: Vec<u32> = (0..n as u32)
        .filter(|&i| bad.next_if_eq(&i).is_none())
        .collect();
    if rows.is_empty() {
        return Err(Error::parameter(
            "rows",
            0,
            "are left: all hold NaN or infinity",
        ));
    }
    let scale = stats.scale(options.scale);
    let columns = Columns::new(source, &rows, &stats, scale);
    let Reduced {
        mut z,
        explained_variance,
    } = if d > options.n_dims {
        reduce(&columns, options.n_dims, options.seed, monitor)?
    } else {
        monitor.check()?;
        Reduced {
            z: columns.all(monitor)?,
            explained_variance: 1.0,
        }
    };
    monitor.advance((n - rows.len()) * (work(n, d, options.n_dims) / n - 1))?;
    let unit = 1.0 / median_distance(z.view(), options.seed, 0);
    z.as_mut_slice().iter_mut().for_each(|v| *v *= unit);
    Ok(Prepared {
        z,
        facts: Facts {
            n_rows: n,
            n_cols: d,
            n_nonfinite: stats.bad.len(),
            n_constant_columns: stats
                .min
                .iter()
                .zip(&stats.max)
                .filter(|(a, b)| a == b)
                .count(),
            n_distinct: stats.n_distinct,
            scale,
            explained_variance,
        },
        rows,
    })
}

/// Median distance of up to 4,096 sampled pairs of rows that differ; 1 where all rows are equal.
#[must_use]
pub fn median_distance(z: MatrixView<'_>, seed: u64, group: usize) -> f32 {
    let n = z.rows();
    if n < 2 {
        return 1.0;
    }
    let mut rng = stream(seed, Purpose::MedianDistance, group, 0);
    let mut dists: Vec<f32> = (0..PAIRS)
        .map(|_| {
            let i = rng.random_range(0..n);
            let j = (i + rng.random_range(1..n)) % n;
            squared_distance(z.row(i), z.row(j)).sqrt()
        })
        .filter(|d| *d > 0.0)
        .collect();
    if dists.is_empty() {
        return 1.0;
    }
    let middle = dists.len() / 2;
    *dists.select_nth_unstable_by(middle, f32::total_cmp).1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parallel::with_pool;
    use ndarray::Array2;

    fn points(n: usize, d: usize) -> Array2<f64> {
        let mut rng = stream(41, Purpose::Samples, n, d);
        Array2::from_shape_fn((n, d), |(_, j)| {
            rng.random_range(-1.0..1.0) / (1.0 + j as f64)
        })
    }

    fn run(x: &Array2<f64>, options: &PrepareOptions) -> Result<Prepared> {
        let monitor = Monitor::default();
        monitor.begin(
            crate::monitor::Stage::Prepare,
            work(x.nrows(), x.ncols(), options.n_dims),
        )?;
        let prepared = prepare(&x.view(), options, &monitor)?;
        let (done, total) = monitor.progress();
        assert_eq!(done, total);
        Ok(prepared)
    }

    #[test]
    fn centred_in_units_of_the_median_distance() {
        let x = points(500, 6);
        let got = run(&x, &PrepareOptions::default()).unwrap();
        for j in 0..6 {
            let mean: f32 = (0..500).map(|i| got.z.row(i)[j]).sum::<f32>() / 500.0;
            assert!(mean.abs() < 1e-5);
        }
        assert!((median_distance(got.z.view(), 0, 0) - 1.0).abs() < 1e-5);
        assert_eq!(got.facts.explained_variance, 1.0);
        assert_eq!(got.facts.n_distinct, 500);
    }

    #[test]
    fn auto_standardises_columns_of_their_own_scale_only() {
        let same = points(200, 6);
        assert_eq!(
            run(&same, &PrepareOptions::default()).unwrap().facts.scale,
            Scale::None
        );
        let mut apart = same.clone();
        apart.column_mut(2).mapv_inplace(|v| v * 1e4);
        let got = run(&apart, &PrepareOptions::default()).unwrap();
        assert_eq!(got.facts.scale, Scale::Standard);
        let square = |j: usize| (0..200).map(|i| got.z.row(i)[j].powi(2)).sum::<f32>();
        assert!((square(2) / square(0) - 1.0).abs() < 1e-3);
    }

    #[test]
    fn bad_rows_are_named_or_left_out() {
        let mut x = points(100, 4);
        x[(3, 1)] = f64::NAN;
        x[(70, 0)] = f64::INFINITY;
        x[(71, 2)] = 1e200; // infinite in f32
        let error = run(&x, &PrepareOptions::default()).unwrap_err();
        assert_eq!(
            error,
            Error::NonFinite {
                count: 3,
                n_rows: 100,
                first: vec![3, 70, 71]
            }
        );
        let options = PrepareOptions {
            nonfinite: NonFinite::Drop,
            ..PrepareOptions::default()
        };
        let got = run(&x, &options).unwrap();
        assert_eq!(
            (got.z.rows(), got.rows.len(), got.facts.n_nonfinite),
            (97, 97, 3)
        );
        let keep: Vec<usize> = (0..100).filter(|i| ![3, 70, 71].contains(i)).collect();
        assert_eq!(got.rows, keep.iter().map(|&i| i as u32).collect::<Vec<_>>());
        let clean = run(&x.select(ndarray::Axis(0), &keep), &options).unwrap();
        for (a, b) in got.z.as_slice().iter().zip(clean.z.as_slice()) {
            assert!((a - b).abs() < 1e-5);
        }
    }

    #[test]
    fn constant_columns_duplicates_and_offsets() {
        let mut x = points(60, 5);
        x.column_mut(1).fill(7.0);
        for i in 0..30 {
            let twin = x.row(30 + i).to_owned();
            x.row_mut(i).assign(&twin);
        }
        let got = run(&x, &PrepareOptions::default()).unwrap();
        assert_eq!(
            (got.facts.n_constant_columns, got.facts.n_distinct),
            (1, 30)
        );
        assert!((0..60).all(|i| got.z.row(i)[1] == 0.0));
        let far = run(&(&x + 1e7), &PrepareOptions::default()).unwrap();
        for (a, b) in got.z.as_slice().iter().zip(far.z.as_slice()) {
            assert!((a - b).abs() < 1e-4, "{a} {b}");
        }
    }

    #[test]
    fn equal_rows_and_single_rows_stay_finite() {
        for (n, d) in [(1, 1), (1, 100), (2, 3), (5, 100)] {
            let got = run(&Array2::from_elem((n, d), 3.0), &PrepareOptions::default()).unwrap();
            assert!(got.z.as_slice().iter().all(|v| *v == 0.0), "{n} {d}");
        }
        assert!(run(&Array2::zeros((0, 3)), &PrepareOptions::default()).is_err());
        assert!(run(&Array2::zeros((3, 0)), &PrepareOptions::default()).is_err());
    }

    #[test]
    fn order_and_threads_do_not_matter() {
        let x = points(700, 90);
        let mut fortran = Array2::zeros(ndarray::ShapeBuilder::f((700, 90)));
        fortran.assign(&x);
        let z = |x: &Array2<f64>, threads| {
            with_pool(threads, || run(x, &PrepareOptions::default()))
                .unwrap()
                .unwrap()
                .z
        };
        let expected = z(&x, 1);
        assert_eq!(expected, z(&fortran, 1));
        assert_eq!(expected, z(&x, 4));
    }
}
