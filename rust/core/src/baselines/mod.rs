//! Selections of others, to compare with: each picks `count` rows of `z`, (n, p).
//!
//! | name | what it picks | source | cost |
//! |---|---|---|---|
//! | random | a uniform sample; with classes, a stratified one ([`crate::numeric::sample`]) | | O(n) |
//! | k-center | greedily the row farthest from those picked | Gonzalez 1985; Sener & Savarese 2018 | O(m n p) |
//! | k-means | the rows nearest to the centres of k-means | Lloyd 1982 | O(n m p) an iteration |
//! | herding | greedily what brings the kernel mean closest | Chen, Welling & Smola 2010 | O(n^2 p) |
//!
//! | file | what it is for |
//! |---|---|
//! | [`mod@kmeans`] | Lloyd's iterations, and the rows nearest to the centres |
//! | [`mod@kmeans_plus_plus`] | rows to start them from (Arthur & Vassilvitskii 2007) |

pub mod kmeans;
pub mod kmeans_plus_plus;

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use crate::arrays::matrix::MatrixView;
use crate::baselines::kmeans::{kmeans, medoids};
use crate::kernels::product::matmul_nt;
use crate::kernels::squared_distance::{squared_distance, squared_from_products, squared_norms};
use crate::run::error::Result;
use crate::run::monitor::Monitor;
use crate::run::parallel::{blocks, map_blocks};

/// Lloyd iterations at most.
pub const MAX_ITER: usize = 20;
/// Rows of a tile of kernels.
const ROWS: usize = 128;

/// Farthest-first traversal from a random row; ties: the lower row. O(m n p).
///
/// ```
/// use fast_select_core::arrays::matrix::Matrix;
/// use fast_select_core::baselines::k_center;
/// use fast_select_core::run::monitor::Monitor;
/// use fast_select_core::run::rng::{Purpose, Streams};
///
/// // Wherever it starts, the farthest row is of the other pair.
/// let z = Matrix::from_vec(vec![0.0, 1.0, 10.0, 11.0], 4, 1)?;
/// let mut rng = Streams::new(0).stream(Purpose::Init, 0);
/// let mut picked = k_center(z.view(), 2, &mut rng, &Monitor::default())?;
/// picked.sort_unstable();
/// assert!(picked[0] < 2 && picked[1] >= 2);
/// # Ok::<(), fast_select_core::Error>(())
/// ```
///
/// # Errors
/// [`crate::Error::Interrupted`].
pub fn k_center(
    z: MatrixView<'_>,
    count: usize,
    rng: &mut ChaCha8Rng,
    monitor: &Monitor,
) -> Result<Vec<u32>> {
    let mut nearest = vec![f32::INFINITY; z.rows()];
    let mut picked = Vec::with_capacity(count);
    let mut next = rng.random_range(0..z.rows().max(1));
    while picked.len() < count.min(z.rows()) {
        monitor.advance(1)?;
        picked.push(next as u32);
        for (i, d) in nearest.iter_mut().enumerate() {
            *d = d.min(squared_distance(z.row(i), z.row(next)));
        }
        // Rows picked are marked, so that duplicates of them can still follow.
        nearest[next] = -1.0;
        next = arg_max(&nearest);
    }
    Ok(picked)
}

/// Rows nearest to the centres that Lloyd's iterations reach from the rows `start`. O(n m p) an
/// iteration.
///
/// ```
/// use fast_select_core::arrays::matrix::Matrix;
/// use fast_select_core::baselines::kmeans_medoids;
/// use fast_select_core::run::monitor::Monitor;
///
/// // From the ends the centres move to 1 and 11.
/// let z = Matrix::from_vec(vec![0.0, 1.0, 2.0, 10.0, 11.0, 12.0], 6, 1)?;
/// assert_eq!(kmeans_medoids(z.view(), &[0, 5], &Monitor::default())?, [1, 4]);
/// # Ok::<(), fast_select_core::Error>(())
/// ```
///
/// # Errors
/// [`crate::Error::Interrupted`].
pub fn kmeans_medoids(z: MatrixView<'_>, start: &[u32], monitor: &Monitor) -> Result<Vec<u32>> {
    let centers = kmeans(z, z.gather(start), MAX_ITER, monitor)?;
    medoids(z, centers.view(), monitor)
}

/// Kernel herding with the Gaussian kernel `exp(-|x-y|^2/2)`, in units of the median distance: row
/// by row the largest `mean_x k(x, .) - (1/(t+1)) Σ_{s picked} k(s, .)` among those not picked. O(n^2 p).
///
/// ```
/// use fast_select_core::arrays::matrix::Matrix;
/// use fast_select_core::baselines::herding;
/// use fast_select_core::run::monitor::Monitor;
///
/// // Kernels of 1/2, 1 and 3/2: .882, .607, .325; means .736, .830, .644. After row 1, row 0 has
/// // .736 - .882/2 = .294 and row 2 has .644 - .607/2 = .340.
/// let z = Matrix::from_vec(vec![0.0, 0.5, 1.5], 3, 1)?;
/// assert_eq!(herding(z.view(), 2, 1.0, &Monitor::default())?, [1, 2]);
/// # Ok::<(), fast_select_core::Error>(())
/// ```
///
/// # Errors
/// [`crate::Error::Interrupted`].
pub fn herding(z: MatrixView<'_>, count: usize, unit: f32, monitor: &Monitor) -> Result<Vec<u32>> {
    let n = z.rows();
    let norms = squared_norms(z);
    let scale = -0.5 / (unit * unit);
    let potential = map_blocks(n, ROWS, |rows| {
        let part = z.rows_range(rows.clone());
        let mut sums = vec![0.0_f64; rows.len()];
        for refs in blocks(n, 4 * ROWS) {
            monitor.check()?;
            let mut tile = vec![0.0; rows.len() * refs.len()];
            matmul_nt(&mut tile, part, z.rows_range(refs.clone()), false);
            for ((i, dots), sum) in rows
                .clone()
                .zip(tile.chunks_exact_mut(refs.len()))
                .zip(&mut sums)
            {
                squared_from_products(dots, norms[i], &norms[refs.clone()]);
                *sum += f64::from(dots.iter().map(|d| (d * scale).exp()).sum::<f32>());
            }
        }
        Ok(sums.into_iter().map(|s| s / n as f64).collect::<Vec<_>>())
    })?;
    let potential = potential.concat();
    let mut field = vec![0.0_f64; n];
    let mut picked = Vec::with_capacity(count);
    let mut taken = vec![false; n];
    for t in 0..count.min(n) {
        monitor.advance(1)?;
        let score = |i: usize| potential[i] - field[i] / (t + 1) as f64;
        let free = (0..n).filter(|&i| !taken[i]);
        let best = free.reduce(|a, b| if score(b) > score(a) { b } else { a });
        let Some(best) = best else { break };
        taken[best] = true;
        picked.push(best as u32);
        for (i, f) in field.iter_mut().enumerate() {
            *f += f64::from((squared_distance(z.row(i), z.row(best)) * scale).exp());
        }
    }
    Ok(picked)
}

/// Position of the largest entry, the first of several.
fn arg_max(values: &[f32]) -> usize {
    let best = values.iter().enumerate();
    best.fold(0, |best, (i, v)| if *v > values[best] { i } else { best })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arrays::matrix::Matrix;
    use crate::numeric::sample::sample_rows;
    use crate::run::rng::test_stream;

    fn line(values: &[f32]) -> Matrix {
        Matrix::from_vec(values.to_vec(), values.len(), 1).unwrap()
    }

    #[test]
    fn k_center_by_hand() {
        let x = line(&[0.0, 1.0, 2.0, 10.0]);
        for seed in 0..9 {
            let mut rng = test_stream(seed, 0, 0);
            let got = k_center(x.view(), 2, &mut rng, &Monitor::default()).unwrap();
            assert_eq!(got[1], if got[0] == 3 { 0 } else { 3 });
        }
        let mut rng = test_stream(0, 0, 0);
        let mut all = k_center(line(&[1.0; 5]).view(), 5, &mut rng, &Monitor::default()).unwrap();
        all.sort_unstable();
        assert_eq!(all, [0, 1, 2, 3, 4]);
    }

    #[test]
    fn herding_by_hand() {
        // The middle row has the largest potential; then the two ends are level: the lower one.
        let x = line(&[0.0, 1.0, 2.0]);
        let got = herding(x.view(), 3, 1.0, &Monitor::default()).unwrap();
        assert_eq!(got, [1, 0, 2]);
    }

    #[test]
    fn herding_comes_closer_than_random() {
        let mut rng = test_stream(5, 0, 0);
        let data = (0..400)
            .map(|_| rng.random_range(-2.0_f32..2.0))
            .collect::<Vec<_>>();
        let x = line(&data);
        let mean = |rows: &[u32]| {
            let sum: f64 = rows
                .iter()
                .map(|&i| f64::from(data[i as usize]).cos())
                .sum();
            sum / rows.len() as f64
        };
        let all = mean(&(0..400).collect::<Vec<_>>());
        let own = herding(x.view(), 20, 1.0, &Monitor::default()).unwrap();
        let worse = (0..20).filter(|_| {
            let drawn = sample_rows(400, 20, &mut rng);
            (mean(&drawn) - all).abs() > (mean(&own) - all).abs()
        });
        assert!(worse.count() >= 16);
    }
}
