//! How well selections reproduce the whole, on frequencies and samples that none of them has seen.
//!
//! Many selections (the user's and the random ones beside it) are judged together: the sines,
//! cosines and distances of a row are formed once and added to every selection that holds it.
//!
//! | file | figure | cost |
//! |---|---|---|
//! | [`unseen`] | `cfd_m`: m times the mean of `\|φ_S(t) - φ_X(t)\|^2` over frequencies `t = r g`, `g ~ N(0, I)`, r = 1/2, 1, 2 a third each, in units of one over the median distance; the same at each radius, and at r = 1/4 and 4. Random picks have `mean (1 - \|φ_X\|^2) (1 - m/n)`, whatever m is | O(n q p) |
//! | [`cell_distance`] | `cell_cfd_m`: the same below the scale of the whole, inside cells of about two picks | O(n^2 p / cells) |
//! | [`copies`] | rows that are copies of each other, and what a selection holds of them | O(n (p + log n)) |
//! | `moments` | errors of the moments of orders 1 to 4 | O(n p^2) |
//! | `distance_to_selection` | `coverage_mean`: distance from a row to the nearest selected one, the mean of s sampled rows | O(s n p) |
//! | `farthest_rows` | `coverage_max`: the greatest of these distances, of all rows; the rows that have the greatest | O(n p) |
//! | [`discrepancy`] | MMD and sliced Wasserstein distance, which no stage optimises | O(2,048^2 p) a selection |
//! | [`profile`] | what is drawn of a selection: `\|φ\|` by radius, distances by rank, the rows farthest off | |
//! | [`map`] | rows and picks in the plane of two principal components | O(n p^2) |
//! | [`draws`] | the random selections beside which figures are shown, stratified by class or by blocks | O(n p log blocks) |
//! | [`evaluate()`](evaluate::evaluate) | all of it, for one selection | |

pub mod cell_distance;
pub mod copies;
pub mod discrepancy;
mod distance_to_selection;
pub mod draws;
pub mod evaluate;
pub(crate) mod farthest_rows;
pub mod map;
mod moments;
pub mod profile;
pub mod unseen;

use crate::arrays::matrix::MatrixView;
use crate::quality::cell_distance::{cell_distances, cells};
use crate::quality::copies::Copies;
use crate::quality::distance_to_selection::{Sampled, distances_to_selections};
use crate::quality::farthest_rows::{Far, farthest_rows};
use crate::quality::moments::moment_errors;
use crate::quality::unseen::{AtRadius, CfDistance, Picked, TOGETHER, Unseen, unseen_distances};
use crate::run::error::{Error, Result};
use crate::run::monitor::Monitor;
use crate::run::rng::Streams;

/// Rows at most whose distances to the selection make its mean.
pub const COVERAGE_ROWS: usize = 2048;
/// Rows farthest from the first selection that are named.
pub const FARTHEST: usize = 24;

/// Figures of one selection; 0 is perfect in all of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Quality {
    /// m times the CF distance, in the mean and by radius.
    pub cf: CfDistance,
    /// m times the CF distance inside cells.
    pub cell_cfd_m: f64,
    /// Errors of the moments of orders 1 to 4.
    pub moments: [f64; 4],
    /// Greatest distance of a row to the selection.
    pub coverage_max: f64,
    /// Mean of these distances over [`COVERAGE_ROWS`] sampled rows.
    pub coverage_mean: f64,
    /// Distances of these sampled rows, ascending.
    pub distances: Vec<f64>,
    /// The rows of the greatest distances, the greatest first: [`FARTHEST`] of the first selection, one of others.
    pub farthest: Vec<Far>,
}

/// Selections judged together.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// Of each selection.
    pub selections: Vec<Quality>,
    /// Of each of those of which the CF distance alone is told.
    pub others: Vec<CfDistance>,
    /// Mean of `|φ_X|` at each radius.
    pub modulus: AtRadius,
}

/// Units by which [`qualities`] advances its monitor.
#[must_use]
pub fn progress_units(n: usize, n_selections: usize) -> usize {
    n * (2 + n_selections.div_ceil(TOGETHER))
}

/// The quality of each of `selections` (ascending rows of `z`, as many in each), with z, (n, p), of
/// median distance 1; of `others`, selections as well, weighted or not, the CF distance alone. Cost: those of the
/// files' figures, added; O(n p (q + s + p + n / cells)) for s sampled rows.
///
/// ```
/// use fast_select_core::arrays::matrix::Matrix;
/// use fast_select_core::quality::qualities;
/// use fast_select_core::run::{monitor::Monitor, rng::Streams};
///
/// // Distances to 1/2 are 1/2, 0 and 1; the mean of all is 2/3.
/// let z = Matrix::from_vec(vec![0.0, 0.5, 1.5], 3, 1)?;
/// let judged = qualities(z.view(), &[vec![1]], &[], Streams::new(0), &Monitor::default())?.selections;
/// assert!((judged[0].coverage_max - 1.0).abs() < 1e-6);
/// assert!((judged[0].coverage_mean - 0.5).abs() < 1e-6);
/// assert!((judged[0].moments[0] - 1.0 / 6.0).abs() < 1e-6);
/// # Ok::<(), fast_select_core::Error>(())
/// ```
///
/// # Errors
/// [`Error::Refused`] for an empty selection, rows that do not ascend or one out of range;
/// [`Error::Interrupted`].
pub fn qualities(
    z: MatrixView<'_>,
    selections: &[Vec<u32>],
    others: &[Picked<'_>],
    streams: Streams,
    monitor: &Monitor,
) -> Result<Judged> {
    let alike = selections.iter().map(Picked::alike);
    let all: Vec<Picked<'_>> = alike.chain(others.iter().copied()).collect();
    for Picked { rows, .. } in &all {
        let Some(&last) = rows.last() else {
            let fact = "is empty: there is nothing to judge";
            return Err(Error::refused("indices", fact));
        };
        if !rows.windows(2).all(|pair| pair[0] < pair[1]) {
            return Err(Error::refused("indices", "do not ascend"));
        }
        if last as usize >= z.rows() {
            let fact = format!("names row {last} of {}", z.rows());
            return Err(Error::refused("indices", fact));
        }
    }
    let Unseen {
        distances: mut of_selections,
        modulus,
    } = unseen_distances(z, &all, streams, monitor)?;
    let others = of_selections.split_off(selections.len());
    // Before the cells: either takes room of its own while it is made.
    let copies = Copies::of(z, monitor)?;
    let cells = cells(z, selections.first().map_or(0, Vec::len), monitor)?;
    let in_cells = cell_distances(z, &cells, &copies, selections, monitor)?;
    drop(copies);
    let moments = moment_errors(z, selections, monitor)?;
    let sampled = distances_to_selections(z, selections, COVERAGE_ROWS, streams, monitor)?;
    let greatest = |(s, sampled): (usize, &Sampled)| {
        let wanted = if s == 0 { FARTHEST } else { 1 };
        let descending = sampled.ascending.iter().rev();
        descending.take(wanted).copied().collect::<Vec<Far>>()
    };
    let known: Vec<_> = sampled.iter().enumerate().map(greatest).collect();
    let farthest = farthest_rows(z, cells, selections, &known, monitor)?;
    let judged = sampled.into_iter().zip(farthest).enumerate();
    let judged = judged.map(|(s, (sampled, farthest))| Quality {
        cf: of_selections[s],
        cell_cfd_m: in_cells[s],
        moments: moments[s],
        coverage_max: farthest[0].1,
        coverage_mean: sampled.mean,
        distances: sampled.ascending.into_iter().map(|(_, d)| d).collect(),
        farthest,
    });
    Ok(Judged {
        selections: judged.collect(),
        others,
        modulus,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arrays::matrix::Matrix;
    use crate::kernels::squared_distance::squared_distance;
    use crate::quality::draws::random_selections;
    use crate::quality::unseen::{RADII, unseen_frequencies};
    use crate::run::parallel::with_pool;
    use crate::run::rng::test_stream;
    use rand::Rng;

    fn points(n: usize, p: usize) -> Matrix {
        let mut rng = test_stream(43, n, p);
        let data = (0..n * p)
            .map(|_| rng.random_range(-1.0_f32..1.0).powi(3))
            .collect();
        Matrix::from_vec(data, n, p).unwrap()
    }

    fn judge(z: &Matrix, selections: &[Vec<u32>]) -> Vec<Quality> {
        let monitor = Monitor::default();
        let total = progress_units(z.rows(), selections.len());
        monitor
            .begin(crate::run::monitor::Stage::Quality, total)
            .unwrap();
        let got = qualities(z.view(), selections, &[], Streams::new(0), &monitor).unwrap();
        let (done, total) = monitor.progress();
        assert_eq!(done, total);
        got.selections
    }

    #[test]
    fn the_whole_is_perfect() {
        let z = points(300, 3);
        let all: Vec<u32> = (0..300).collect();
        let got = &judge(&z, &[all])[0];
        assert!(
            got.cf.cfd_m < 1e-8
                && got.cf.at_radius.iter().all(|d| *d < 1e-8)
                && got.moments.iter().all(|e| *e < 1e-5),
            "{got:?}"
        );
        assert!(got.coverage_max < 1e-3);
    }

    #[test]
    fn matches_plain_loops() {
        let z = points(400, 2);
        let rows: Vec<u32> = vec![3, 77, 130, 131, 399];
        let got = &judge(&z, &[vec![0, 1, 2, 3, 4], rows.clone()])[1];
        let freqs = unseen_frequencies(2, Streams::new(0));
        let cf = |rows: &[u32], k: usize| {
            let phase = |i: u32| {
                let pairs = z.row(i as usize).iter().zip(freqs.row(k));
                pairs
                    .map(|(a, b)| f64::from(*a) * f64::from(*b))
                    .sum::<f64>()
            };
            let m = rows.len() as f64;
            let re = rows.iter().map(|&i| phase(i).cos()).sum::<f64>() / m;
            let im = rows.iter().map(|&i| phase(i).sin()).sum::<f64>() / m;
            (re, im)
        };
        let all: Vec<u32> = (0..400).collect();
        let distance = |k: usize| {
            let (a, b) = (cf(&rows, k), cf(&all, k));
            (a.0 - b.0).powi(2) + (a.1 - b.1).powi(2)
        };
        let cfd_m = 5.0 * (0..1024).map(distance).sum::<f64>() / 1024.0;
        assert!(
            (got.cf.cfd_m - cfd_m).abs() < 1e-4 * cfd_m,
            "{} {cfd_m}",
            got.cf.cfd_m
        );
        // By radius: the three of the mean take turns, then the outer two.
        for (at, radius) in RADII.into_iter().enumerate() {
            let own: Vec<usize> = match radius {
                0.25 => (1024..1280).step_by(2).collect(),
                4.0 => (1025..1280).step_by(2).collect(),
                _ => (at - 1..1024).step_by(3).collect(),
            };
            let length = |k: &usize| freqs.row(*k).iter().map(|t| f64::from(t * t)).sum::<f64>();
            // |r g|^2 is 2 r^2 in the mean, with a standard error of a tenth at most.
            let spread = own.iter().map(length).sum::<f64>() / own.len() as f64;
            let expected = 2.0 * f64::from(radius * radius);
            assert!((spread / expected - 1.0).abs() < 0.35, "{radius}: {spread}");
            let plain = 5.0 * own.iter().map(|&k| distance(k)).sum::<f64>() / own.len() as f64;
            let got = got.cf.at_radius[at];
            assert!(
                (got - plain).abs() < 1e-4 * plain,
                "{radius}: {got} {plain}"
            );
        }
        let mean = |rows: &[u32], j: usize| {
            let sum: f64 = rows.iter().map(|&i| f64::from(z.row(i as usize)[j])).sum();
            sum / rows.len() as f64
        };
        let first = (0..2)
            .map(|j| (mean(&rows, j) - mean(&all, j)).powi(2))
            .sum::<f64>()
            .sqrt();
        assert!((got.moments[0] - first).abs() < 1e-5);
        let nearest = |i: u32| {
            let to = rows
                .iter()
                .map(|&j| squared_distance(z.row(i as usize), z.row(j as usize)));
            f64::from(to.fold(f32::INFINITY, f32::min)).sqrt()
        };
        let max = all.iter().map(|&i| nearest(i)).fold(0.0, f64::max);
        let sum: f64 = all.iter().map(|&i| nearest(i)).sum();
        assert!((got.coverage_max - max).abs() < 1e-4);
        assert!((got.coverage_mean - sum / 400.0).abs() < 1e-4);
        // Few rows: all of them are sampled.
        let mut distances: Vec<f64> = all.iter().map(|&i| nearest(i)).collect();
        distances.sort_by(f64::total_cmp);
        assert_eq!(got.distances.len(), 400);
        for (got, expected) in got.distances.iter().zip(distances) {
            assert!((got - expected).abs() < 1e-3);
        }
        let modulus = |k: usize| cf(&rows, k).0.hypot(cf(&rows, k).1);
        let mean = (1..1024).step_by(3).map(modulus).sum::<f64>() / 341.0;
        assert!((got.cf.modulus[2] - mean).abs() < 1e-5);
    }

    #[test]
    fn random_picks_have_the_expected_distance() {
        let z = points(2000, 3);
        let draws = random_selections(2000, 200, 1000, 0);
        let got = judge(&z, &draws);
        let mean = got.iter().map(|q| q.cf.cfd_m).sum::<f64>() / 1000.0;
        let freqs = unseen_frequencies(3, Streams::new(0));
        let cf = crate::descent::cfd::characteristic_function(z.view(), freqs.view(), |_| Ok(()))
            .unwrap();
        let pairs = cf.re.iter().zip(&cf.im).take(1024);
        let variance = pairs.map(|(a, b)| 1.0 - a * a - b * b).sum::<f64>();
        let expected = variance / 1024.0 * 0.9;
        assert!((mean / expected - 1.0).abs() < 0.05, "{mean} {expected}");
    }

    #[test]
    fn others_have_the_same_cf_distance() {
        let z = points(300, 3);
        let draws = random_selections(300, 20, 5, 1);
        let all = judge(&z, &draws);
        let (streams, monitor) = (Streams::new(0), Monitor::default());
        let others: Vec<Picked<'_>> = draws[2..].iter().map(Picked::alike).collect();
        let got = qualities(z.view(), &draws[..2], &others, streams, &monitor).unwrap();
        assert_eq!(got.selections, all[..2]);
        assert_eq!(
            got.others,
            all[2..].iter().map(|q| q.cf).collect::<Vec<_>>()
        );
    }

    #[test]
    fn weighted_rows_count_as_often_as_they_weigh() {
        // Rows thrice and once, beside a matrix that holds them so often.
        let z = points(300, 3);
        let (rows, weights) = ([5, 140, 299], [3.0, 1.0, 2.0]);
        let picked = Picked {
            rows: &rows,
            weights: Some(&weights),
        };
        let (streams, monitor) = (Streams::new(0), Monitor::default());
        let got = qualities(z.view(), &[vec![0]], &[picked], streams, &monitor).unwrap();
        let freqs = unseen_frequencies(3, streams);
        let phase = |i: u32, k: usize| {
            let pairs = z.row(i as usize).iter().zip(freqs.row(k));
            pairs
                .map(|(a, b)| f64::from(*a) * f64::from(*b))
                .sum::<f64>()
        };
        let mean = |of: &[(u32, f64)], k: usize| {
            let total: f64 = of.iter().map(|(_, w)| w).sum();
            let part = |f: fn(f64) -> f64| {
                of.iter().map(|&(i, w)| w * f(phase(i, k))).sum::<f64>() / total
            };
            (part(f64::cos), part(f64::sin))
        };
        let all: Vec<(u32, f64)> = (0..300).map(|i| (i, 1.0)).collect();
        let own: Vec<(u32, f64)> = rows.into_iter().zip(weights).collect();
        let distance = |k| {
            let (a, b) = (mean(&own, k), mean(&all, k));
            (a.0 - b.0).powi(2) + (a.1 - b.1).powi(2)
        };
        let expected = 3.0 * (0..1024).map(distance).sum::<f64>() / 1024.0;
        assert!((got.others[0].cfd_m / expected - 1.0).abs() < 1e-4);
    }

    #[test]
    fn same_at_any_number_of_threads() {
        let z = points(700, 5);
        let draws = random_selections(700, 30, 3, 1);
        let run = |threads| with_pool(threads, || judge(&z, &draws)).unwrap();
        assert_eq!(run(1), run(4));
    }

    #[test]
    fn refusals() {
        let z = points(10, 2);
        let run = |rows| {
            let selections = [rows];
            let (monitor, streams) = (Monitor::default(), Streams::new(0));
            let own = qualities(z.view(), &selections, &[], streams, &monitor);
            let others = [Picked::alike(&selections[0])];
            let other = qualities(z.view(), &[vec![0]], &others, streams, &monitor);
            assert_eq!(own.is_ok(), other.is_ok());
            own
        };
        assert!(run(vec![]).is_err());
        assert!(run(vec![3, 10]).is_err());
        assert!(run(vec![3, 2]).is_err());
    }
}
