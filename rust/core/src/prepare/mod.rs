//! Check, centre, scale and reduce the input: X, (n, d), becomes Z, (n, p0).
//!
//! | file | what it is for |
//! |---|---|
//! | [`source`] | rows of the input, of any type, order and stride, read block by block |
//! | [`stacked`] | several inputs, one below the other, as one |
//! | `ordinary` | middle and breadth of columns, from a sample of rows |
//! | `statistics` | one pass over them: means, deviations, ranges, bad and distinct rows |
//! | `scaled_rows` | the rows kept, centred and scaled, those far outside drawn in, as they are read again |
//! | `values_hash` | one hash of all entries, as numbers |
//! | `pca` | their leading principal components, streamed (Halko et al. 2011) |
//! | `shared` | the same by a crew, with Z where all can read it |
//! | `kept` | from numbers of input rows to rows of Z |
//!
//! Columns are centred. `scale = auto` divides each by its standard deviation where the columns
//! have scales of their own: where the widest range (maximum minus minimum) exceeds ten times that
//! of the column at the 5 % quantile. (Ranges, not standard deviations as one might think: the
//! border pixels of images have tiny deviations on the common scale. Widest to 5 %: fashion_mnist
//! 1.1, usps 1.2, optdigits 7.4, banking77 1.7 against covtype 1,600 and nslkdd > 1,000;
//! standardising optdigits costs 4.4 points of 1-NN accuracy, not standardising covtype 2.3.) Above
//! 64 columns the leading 64 principal components are kept (`pca`), not whitened. Last,
//! all is divided by the median distance of a sample of pairs, so that one scale of frequencies
//! serves all data.
//!
//! Cost: one pass over X for d <= 64, four above, O(n d p0); memory O(n p0).

mod kept;
mod ordinary;
mod pca;
mod scaled_rows;
mod shared;
pub mod source;
pub mod stacked;
mod statistics;
mod values_hash;

use crate::arrays::matrix::Matrix;
use crate::arrays::room::Room;
use crate::numeric::median_distance::median_distance;
use crate::options::{NonFinite, Scale, ValidParams};
use crate::prepare::ordinary::sampled_rows;
use crate::prepare::pca::{Reduced, reduce};
use crate::prepare::scaled_rows::ScaledRows;
use crate::prepare::source::RowSource;
use crate::prepare::statistics::Statistics;
use crate::run::error::{Error, Result};
use crate::run::monitor::{Monitor, Stage};
use crate::run::rng::Streams;

pub(crate) use crate::prepare::pca::{OVERSAMPLES, PASSES, PCA_TASKS};
pub use crate::prepare::shared::prepare_shared;
pub(crate) use crate::prepare::statistics::{n_tasks, sum_bytes};
pub use crate::prepare::values_hash::values_hash;

/// Dimensions kept at most, p0.
pub const N_DIMS: usize = 64;
/// Rows that an error or a report lists, of those that are bad or far outside.
pub const LISTED: usize = 10;

/// What the input turned out to be.
#[derive(Debug, Clone, PartialEq)]
pub struct Facts {
    /// Rows of the input.
    pub n_rows: usize,
    /// Columns of the input.
    pub n_cols: usize,
    /// Rows left out for NaN or infinity.
    pub n_nonfinite: usize,
    /// Columns with one value only, or with a spread within rounding.
    pub n_constant_columns: usize,
    /// Rows far outside, which were drawn in, ascending.
    pub far: Vec<u32>,
    /// Hash of all entries ([`values_hash()`]).
    pub values_hash: u128,
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
fn progress_units(n_rows: usize, n_cols: usize) -> usize {
    n_rows * (1 + later_passes(n_cols))
}

/// Passes over the rows after the statistics.
fn later_passes(n_cols: usize) -> usize {
    if n_cols > N_DIMS { PASSES } else { 1 }
}

/// Z of `source`, (n, d). O(n d) for d <= 64, else O(n d p0); memory O(n p0).
///
/// `monitor` begins [`Stage::Prepare`].
///
/// ```
/// use fast_select_core::options::ValidParams;
/// use fast_select_core::prepare::prepare;
/// use fast_select_core::run::monitor::Monitor;
///
/// let x = ndarray::array![[1e9, 5.0], [1e9 + 2.0, 5.0]];
/// let prepared = prepare(&x.view(), &ValidParams::default(), &Monitor::default())?;
/// assert_eq!(prepared.z.as_slice(), [-0.5, 0.0, 0.5, 0.0]);
/// assert_eq!(prepared.facts.n_constant_columns, 1);
/// # Ok::<(), fast_select_core::Error>(())
/// ```
///
/// # Errors
/// [`Error::Refused`] for an empty input, or rows with NaN or infinity that are not to be dropped;
/// [`Error::Interrupted`].
pub fn prepare(
    source: &dyn RowSource,
    params: &ValidParams,
    monitor: &Monitor,
) -> Result<Prepared> {
    prepare_in(source, params, None, monitor)
}

/// Numbers that there must be room for, if Z of an input of this shape is to lie in it.
#[must_use]
pub fn room_needed(n: usize, d: usize) -> usize {
    n * d.min(N_DIMS + OVERSAMPLES)
}

/// [`prepare`], with Z in the caller's `room` of at least [`room_needed`] zeros, if given, and not in memory.
///
/// # Errors
/// Those of [`prepare`]; [`Error::Refused`] for too little room.
pub fn prepare_in(
    source: &dyn RowSource,
    params: &ValidParams,
    room: Option<Box<dyn Room>>,
    monitor: &Monitor,
) -> Result<Prepared> {
    let (n, d) = (source.n_rows(), source.n_cols());
    check_shape(n, d)?;
    monitor.begin(Stage::Prepare, progress_units(n, d))?;
    let sampled = sampled_rows(source);
    let stats = Statistics::of(source, &sampled, None, monitor)?;
    let rows = kept_rows(n, &stats.bad, params)?;
    let scale = stats.scale(params.scale);
    let scaled = ScaledRows::new(source, &rows, &stats, scale, &sampled);
    let streams = streams();
    let Reduced {
        mut z,
        explained_variance,
    } = if d > N_DIMS {
        reduce(&scaled, N_DIMS, streams, room, monitor)?
    } else {
        monitor.check()?;
        Reduced {
            z: scaled.all(room, monitor)?,
            explained_variance: 1.0,
        }
    };
    monitor.advance((n - rows.len()) * later_passes(d))?;
    let unit = 1.0 / median_distance(z.view(), streams);
    z.as_mut_slice().iter_mut().for_each(|v| *v *= unit);
    let far = scaled.far().into_iter().map(|i| rows[i]).collect();
    Ok(Prepared {
        z,
        facts: facts((n, d), &stats, far, scale, explained_variance),
        rows,
    })
}

/// Random streams of the preparation: those of one seed, so that one Z serves all.
fn streams() -> Streams {
    Streams::new(0)
}

/// The rows of n that are kept, ascending, where those named `bad` hold NaN or infinity.
fn kept_rows(n: usize, bad: &[u32], params: &ValidParams) -> Result<Vec<u32>> {
    if !bad.is_empty() && params.nonfinite == NonFinite::Error {
        return Err(refuse_bad(bad));
    }
    let mut bad = bad.iter().copied().peekable();
    let rows: Vec<u32> = (0..n as u32)
        .filter(|&i| bad.next_if_eq(&i).is_none())
        .collect();
    if rows.is_empty() {
        return Err(Error::refused("x", "holds NaN or infinity in every row"));
    }
    Ok(rows)
}

/// What an input of `shape` turned out to be.
fn facts(
    (n_rows, n_cols): (usize, usize),
    stats: &Statistics,
    far: Vec<u32>,
    scale: Scale,
    explained_variance: f64,
) -> Facts {
    Facts {
        n_rows,
        n_cols,
        n_nonfinite: stats.bad.len(),
        n_constant_columns: stats.range.iter().filter(|range| **range == 0.0).count(),
        far,
        values_hash: stats.values_hash,
        n_distinct: stats.n_distinct,
        scale,
        explained_variance,
    }
}

/// Checks that there are rows and columns, and no more rows than can be numbered.
///
/// # Errors
/// [`Error::Refused`] naming `x`.
pub fn check_shape(n: usize, d: usize) -> Result<()> {
    if n == 0 || d == 0 {
        let fact = format!("has shape ({n}, {d}): there is nothing to select from");
        return Err(Error::refused("x", fact));
    }
    if u32::try_from(n).is_err() {
        let fact = format!("has {n} rows, more than {}", u32::MAX);
        return Err(Error::refused("x", fact).fix("Select from parts of it"));
    }
    Ok(())
}

/// The error for rows with NaN or infinity, the first of them listed.
fn refuse_bad(bad: &[u32]) -> Error {
    let listed: Vec<String> = bad.iter().take(LISTED).map(u32::to_string).collect();
    let fact = format!(
        "{} NaN or infinity (row {}{})",
        if bad.len() == 1 {
            "1 row holds".to_owned()
        } else {
            format!("{} rows hold", bad.len())
        },
        listed.join(", "),
        if bad.len() > LISTED { ", ..." } else { "" },
    );
    Error::refused("x", fact).fix("Clean them, or set {nonfinite} to drop to leave them out")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Params;
    use crate::run::parallel::with_pool;
    use crate::run::rng::test_stream;
    use ndarray::Array2;
    use rand::Rng;

    fn points(n: usize, d: usize) -> Array2<f64> {
        let mut rng = test_stream(41, n, d);
        Array2::from_shape_fn((n, d), |(_, j)| {
            rng.random_range(-1.0..1.0) / (1.0 + j as f64)
        })
    }

    fn run(x: &Array2<f64>) -> Result<Prepared> {
        run_with(x, &ValidParams::default())
    }

    fn run_with(x: &Array2<f64>, params: &ValidParams) -> Result<Prepared> {
        let monitor = Monitor::default();
        let prepared = prepare(&x.view(), params, &monitor)?;
        let (done, total) = monitor.progress();
        assert_eq!(done, total);
        Ok(prepared)
    }

    #[test]
    fn centred_in_units_of_the_median_distance() {
        let x = points(500, 6);
        let got = run(&x).unwrap();
        for j in 0..6 {
            let mean: f32 = (0..500).map(|i| got.z.row(i)[j]).sum::<f32>() / 500.0;
            assert!(mean.abs() < 1e-5);
        }
        assert!((median_distance(got.z.view(), Streams::new(0)) - 1.0).abs() < 1e-5);
        assert_eq!(got.facts.explained_variance, 1.0);
        assert_eq!(got.facts.n_distinct, 500);
    }

    #[test]
    fn auto_standardises_columns_of_their_own_scale_only() {
        let same = points(200, 6);
        assert_eq!(run(&same).unwrap().facts.scale, Scale::None);
        let mut apart = same.clone();
        apart.column_mut(2).mapv_inplace(|v| v * 1e4);
        let got = run(&apart).unwrap();
        assert_eq!(got.facts.scale, Scale::Standard);
        let square = |j: usize| (0..200).map(|i| got.z.row(i)[j].powi(2)).sum::<f32>();
        assert!((square(2) / square(0) - 1.0).abs() < 1e-3);
    }

    #[test]
    fn bad_rows_are_named_or_left_out() {
        let mut x = points(100, 4);
        x[(3, 1)] = f64::NAN;
        x[(70, 0)] = f64::INFINITY;
        let refused = run(&x).unwrap_err().to_string();
        assert!(refused.starts_with("x: 2 rows hold NaN or infinity (row 3, 70)."));
        let params = Params {
            nonfinite: NonFinite::Drop,
            ..Params::default()
        };
        let params = params.check().unwrap();
        let got = run_with(&x, &params).unwrap();
        assert_eq!(
            (got.z.rows(), got.rows.len(), got.facts.n_nonfinite),
            (98, 98, 2)
        );
        let keep: Vec<usize> = (0..100).filter(|i| ![3, 70].contains(i)).collect();
        assert_eq!(got.rows, keep.iter().map(|&i| i as u32).collect::<Vec<_>>());
        let clean = run_with(&x.select(ndarray::Axis(0), &keep), &params).unwrap();
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
        let got = run(&x).unwrap();
        assert_eq!(
            (got.facts.n_constant_columns, got.facts.n_distinct),
            (1, 30)
        );
        assert!((0..60).all(|i| got.z.row(i)[1] == 0.0));
        let far = run(&(&x + 1e7)).unwrap();
        for (a, b) in got.z.as_slice().iter().zip(far.z.as_slice()) {
            assert!((a - b).abs() < 1e-4, "{a} {b}");
        }
    }

    #[test]
    fn equal_rows_and_single_rows_stay_finite() {
        for (n, d) in [(1, 1), (1, 100), (2, 3), (5, 100)] {
            let got = run(&Array2::from_elem((n, d), 3.0)).unwrap();
            assert!(got.z.as_slice().iter().all(|v| *v == 0.0), "{n} {d}");
        }
        assert!(run(&Array2::zeros((0, 3))).is_err());
        assert!(run(&Array2::zeros((3, 0))).is_err());
    }

    #[test]
    fn order_and_threads_do_not_matter() {
        let x = points(700, 90);
        let mut fortran = Array2::zeros(ndarray::ShapeBuilder::f((700, 90)));
        fortran.assign(&x);
        let z = |x: &Array2<f64>, threads| with_pool(threads, || run(x)).unwrap().unwrap().z;
        let expected = z(&x, 1);
        assert_eq!(expected, z(&fortran, 1));
        assert_eq!(expected, z(&x, 4));
    }

    #[test]
    fn the_hash_of_the_values_is_the_one_that_is_taken_alone() {
        let mut x = points(5000, 70);
        x[(17, 3)] = f64::NAN;
        let params = Params {
            nonfinite: NonFinite::Drop,
            ..Params::default()
        };
        let got = run_with(&x, &params.check().unwrap()).unwrap();
        let alone = values_hash(&x.view(), &Monitor::default()).unwrap();
        assert_eq!(got.facts.values_hash, alone);
    }
}
