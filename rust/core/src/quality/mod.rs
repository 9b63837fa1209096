//! How well selections reproduce the whole, on frequencies and samples that none of them has seen.
//!
//! Many selections (the user's and the random ones beside it) are judged together: the sines,
//! cosines and distances of a row are formed once and added to every selection that holds it.
//!
//! * `cfd_m`: m times the mean of `|φ_S(t) - φ_X(t)|^2` over frequencies `t = r g`, `g ~ N(0, I)`,
//!   r = 1/2, 1, 2 a third each, in units of one over the median distance. Random picks have
//!   `mean (1 - |φ_X|^2) (1 - m/n)`, whatever m is.
//! * `cell_cfd_m`: the same below the scale of the whole ([`crate::cell_distance`]).
//! * errors of the moments of orders 1 to 4 (`moments`).
//! * coverage: distance from a row to the nearest selected one (`coverage`).

use rand_distr::{Distribution, StandardNormal};

use crate::cell_distance::cell_distances;
use crate::coverage::{coverages, within};
use crate::error::{Error, Result};
use crate::kernels::rows::add_rows;
use crate::kernels::sincos::sincos;
use crate::linalg::{Matrix, MatrixView, matmul_nt};
use crate::moments::moment_errors;
use crate::monitor::Monitor;
use crate::parallel::{blocks, sum_blocks};
use crate::rng::{Purpose, stream};

/// Rows and frequencies of a tile of phases.
const ROWS: usize = 128;
const FREQS: usize = 256;
/// Selections whose sums are held at a time: each takes half a MiB.
pub(crate) const TOGETHER: usize = 64;
/// Radii of the unseen frequencies.
const RADII: [f32; 3] = [0.5, 1.0, 2.0];

/// How closely to look.
#[derive(Debug, Clone, PartialEq)]
pub struct QualityOptions {
    /// Unseen frequencies.
    pub n_freqs: usize,
    /// Rows at most whose distance to the selection is measured.
    pub coverage_rows: usize,
    /// Seed of frequencies and samples.
    pub seed: u64,
}

impl Default for QualityOptions {
    fn default() -> Self {
        Self {
            n_freqs: 1024,
            coverage_rows: 2048,
            seed: 0,
        }
    }
}

/// Figures of one selection; 0 is perfect in all of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Quality {
    /// m times the CF distance.
    pub cfd_m: f64,
    /// m times the CF distance inside cells.
    pub cell_cfd_m: f64,
    /// Errors of the moments of orders 1 to 4.
    pub moments: [f64; 4],
    /// Greatest distance of a sampled row to the selection.
    pub coverage_max: f64,
    /// Mean of these distances.
    pub coverage_mean: f64,
}

/// Units by which [`qualities`] advances its monitor.
#[must_use]
pub fn work(n: usize, n_selections: usize) -> usize {
    n * (2 + n_selections.div_ceil(TOGETHER))
}

/// The quality of each of `selections` (ascending rows of `z`, as many in each), with z, (n, p), of
/// median distance 1. O(n (q p + s p) + total selected (q + s)) for s sampled rows.
///
/// # Errors
/// [`Error::Parameter`] for an empty selection or a row out of range; [`Error::Interrupted`].
pub fn qualities(
    z: MatrixView<'_>,
    selections: &[Vec<u32>],
    options: &QualityOptions,
    monitor: &Monitor,
) -> Result<Vec<Quality>> {
    for rows in selections {
        match rows.last() {
            None => {
                return Err(Error::parameter(
                    "indices",
                    "an empty selection",
                    "has no quality",
                ));
            }
            Some(&last) if last as usize >= z.rows() => {
                let rule = format!("must lie below {}", z.rows());
                return Err(Error::parameter("indices", last, rule));
            }
            Some(_) => {}
        }
    }
    let mut cfds = Vec::with_capacity(selections.len());
    for together in selections.chunks(TOGETHER) {
        cfds.extend(cf_distances(z, together, options, monitor)?);
    }
    let in_cells = cell_distances(z, selections, monitor)?;
    let moments = moment_errors(z, selections, monitor)?;
    let coverages = coverages(z, selections, options.coverage_rows, options.seed, monitor)?;
    Ok((0..selections.len())
        .map(|s| Quality {
            cfd_m: cfds[s] * selections[s].len() as f64,
            cell_cfd_m: in_cells[s],
            moments: moments[s],
            coverage_max: coverages[s].0,
            coverage_mean: coverages[s].1,
        })
        .collect())
}

fn unseen_frequencies(q: usize, p: usize, seed: u64) -> Matrix {
    let mut rng = stream(seed, Purpose::Unseen, 0, 0);
    let mut freqs = Matrix::zeros(q, p);
    for k in 0..q {
        let radius = RADII[k % RADII.len()];
        for t in freqs.row_mut(k) {
            let g: f32 = StandardNormal.sample(&mut rng);
            *t = radius * g;
        }
    }
    freqs
}

fn cf_distances(
    z: MatrixView<'_>,
    selections: &[Vec<u32>],
    options: &QualityOptions,
    monitor: &Monitor,
) -> Result<Vec<f64>> {
    let q = options.n_freqs;
    let freqs = unseen_frequencies(q, z.cols(), options.seed);
    // Sums of the whole, then of each selection: q cosines and q sines each.
    let sums = sum_blocks(
        z.rows(),
        ROWS,
        (1 + selections.len()) * 2 * q,
        |rows, sums| {
            let part = z.rows_range(rows.clone());
            let mut buffer = vec![0.0_f32; 3 * rows.len() * FREQS];
            for at in blocks(q, FREQS) {
                let tile = rows.len() * at.len();
                let (phases, rest) = buffer.split_at_mut(tile);
                let (sin, rest) = rest.split_at_mut(tile);
                let cos = &mut rest[..tile];
                matmul_nt(phases, part, freqs.view().rows_range(at.clone()), false);
                sincos(phases, sin, cos);
                let mut add = |of: usize, local: &[usize]| {
                    let (mut c, mut s) = ([0.0_f32; FREQS], [0.0_f32; FREQS]);
                    add_rows(cos, local, &mut c[..at.len()]);
                    add_rows(sin, local, &mut s[..at.len()]);
                    let sums = &mut sums[of * 2 * q..(of + 1) * 2 * q];
                    let (to_cos, to_sin) = sums.split_at_mut(q);
                    let pairs = to_cos[at.clone()].iter_mut().zip(c);
                    pairs.for_each(|(t, x)| *t += f64::from(x));
                    let pairs = to_sin[at.clone()].iter_mut().zip(s);
                    pairs.for_each(|(t, x)| *t += f64::from(x));
                };
                add(0, &(0..rows.len()).collect::<Vec<_>>());
                for (s, selection) in selections.iter().enumerate() {
                    add(1 + s, &within(selection, &rows).collect::<Vec<_>>());
                }
            }
            monitor.advance(rows.len())
        },
    )?;
    let (whole, parts) = sums.split_at(2 * q);
    let n = z.rows() as f64;
    Ok(parts
        .chunks_exact(2 * q)
        .zip(selections)
        .map(|(part, rows)| {
            let m = rows.len() as f64;
            part.iter()
                .zip(whole)
                .map(|(s, x)| (s / m - x / n).powi(2))
                .sum::<f64>()
                / q as f64
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draws::random_selections;
    use crate::linalg::squared_distance;
    use crate::parallel::with_pool;
    use rand::Rng;

    fn points(n: usize, p: usize) -> Matrix {
        let mut rng = stream(43, Purpose::Init, n, p);
        let data = (0..n * p)
            .map(|_| rng.random_range(-1.0_f32..1.0).powi(3))
            .collect();
        Matrix::from_vec(data, n, p).unwrap()
    }

    fn judge(z: &Matrix, selections: &[Vec<u32>]) -> Vec<Quality> {
        let monitor = Monitor::default();
        monitor
            .begin(crate::monitor::Stage::Quality, work(z.rows(), 1))
            .unwrap();
        let got = qualities(z.view(), selections, &QualityOptions::default(), &monitor).unwrap();
        let (done, total) = monitor.progress();
        assert_eq!(done, total);
        got
    }

    #[test]
    fn the_whole_is_perfect() {
        let z = points(300, 3);
        let all: Vec<u32> = (0..300).collect();
        let got = &judge(&z, &[all])[0];
        assert!(
            got.cfd_m < 1e-8 && got.moments.iter().all(|e| *e < 1e-5),
            "{got:?}"
        );
        assert!(got.coverage_max < 1e-3);
    }

    #[test]
    fn matches_plain_loops() {
        let z = points(400, 2);
        let rows: Vec<u32> = vec![3, 77, 130, 131, 399];
        let got = &judge(&z, &[vec![0, 1, 2, 3, 4], rows.clone()])[1];
        let freqs = unseen_frequencies(1024, 2, 0);
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
            (got.cfd_m - cfd_m).abs() < 1e-4 * cfd_m,
            "{} {cfd_m}",
            got.cfd_m
        );
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
    }

    #[test]
    fn random_picks_have_the_expected_distance() {
        let z = points(2000, 3);
        let draws = random_selections(2000, 200, 200, 0);
        let got = judge(&z, &draws);
        let mean = got.iter().map(|q| q.cfd_m).sum::<f64>() / 200.0;
        let freqs = unseen_frequencies(1024, 3, 0);
        let cf = crate::cfd::characteristic_function(z.view(), freqs.view(), |_| Ok(())).unwrap();
        let variance = cf
            .re
            .iter()
            .zip(&cf.im)
            .map(|(a, b)| 1.0 - a * a - b * b)
            .sum::<f64>();
        let expected = variance / 1024.0 * 0.9;
        assert!((mean / expected - 1.0).abs() < 0.05, "{mean} {expected}");
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
            qualities(
                z.view(),
                &[rows],
                &QualityOptions::default(),
                &Monitor::default(),
            )
        };
        assert!(run(vec![]).is_err());
        assert!(run(vec![3, 10]).is_err());
    }
}
