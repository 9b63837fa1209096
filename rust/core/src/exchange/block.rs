//! Rows that are exchanged among each other: kernels between them, the potential of their
//! distribution, and whom each of them covers.
//!
//! The kernel is summed over radii that double (the folder's page says what for). One pass over all
//! pairs (`pairs`) forms the potential and the kNN graph; later, kernels with the picks are formed a batch of
//! rows at a time.

use rand_chacha::ChaCha8Rng;

use crate::arrays::matrix::{Matrix, MatrixView};
use crate::exchange::gaussian::Packed;
use crate::exchange::nearest_picks::{NearestPicks, Picks};
use crate::exchange::pairs::{Pairs, all_pairs};
use crate::kernels::exp::{N_RADII, gaussian_powers};
use crate::kernels::product::matmul_nt;
use crate::kernels::squared_distance::{squared_from_products, squared_norms};
use crate::kernels::sum::sum;
use crate::numeric::sample::sample_rows;
use crate::run::error::Result;
use crate::run::monitor::Monitor;

/// Neighbours of a row, over the covering rows that a pick stands for; and at least.
const NEIGHBORS_PER_ROW: f64 = 2.5;
const MIN_NEIGHBORS: usize = 32;
/// Covering rows that a pick stands for at most: beyond, coverage is measured on a sample.
pub(crate) const COVERING_PER_PICK: usize = 50;
/// Random picks, and the rows that they are measured on, that set the unit of the quantisation
/// error.
const REFERENCE_PICKS: usize = 4;
const REFERENCE_ROWS: usize = 1024;

/// The rows of a block, the potential of their distribution, and their neighbours.
pub struct Block<'a> {
    /// Rows, (n, p).
    pub x: MatrixView<'a>,
    /// Their squared norms, (n,).
    pub norms: Vec<f32>,
    /// Mean over all rows of the kernel, summed over the radii, (n,).
    pub potential: Vec<f64>,
    /// Exponent of the coarsest kernel.
    pub coarse: f32,
    /// Rows whose distance to the nearest pick is measured, ascending.
    pub covering: Vec<u32>,
    /// Of each row the nearest covering rows but for itself, and their distances, (n, k).
    near: Vec<(u32, f32)>,
    k: usize,
}

/// Covering rows, and neighbours of a row, where `m` of `n` rows are selected.
///
/// k = 2.5 n/m neighbours lose nothing of the score: the rows of a pick are among them. Where a pick
/// stands for more than 50 rows, as many of them, sampled, do as well (score within .5 %).
#[must_use]
pub(crate) fn graph_size(n: usize, m: usize) -> (usize, usize) {
    let n_covering = n.min(COVERING_PER_PICK * m);
    let k = NEIGHBORS_PER_ROW * n_covering as f64 / m.max(1) as f64;
    (n_covering, (k.ceil() as usize).max(MIN_NEIGHBORS))
}

impl<'a> Block<'a> {
    /// The block of all rows of `x`, (n, p), whose median distance is 1, of which `m` are to be selected;
    /// radii double from `base_radius` on. O(n^2 p / 2).
    ///
    /// `monitor` advances by n.
    ///
    /// ```
    /// use fast_select_core::arrays::matrix::Matrix;
    /// use fast_select_core::exchange::block::Block;
    /// use fast_select_core::run::monitor::Monitor;
    /// use fast_select_core::run::rng::{Purpose, Streams};
    ///
    /// // A row's kernel with itself is 1 at each of four radii, with one so far off 0: (4 + 0)/2.
    /// let x = Matrix::from_vec(vec![-10.0, 10.0], 2, 1)?;
    /// let mut rng = Streams::new(0).stream(Purpose::Exchange, 0);
    /// let block = Block::new(x.view(), 1, 0.7, &mut rng, &Monitor::default())?;
    /// assert_eq!(block.potential, [2.0, 2.0]);
    /// // Distances count up to twice the median.
    /// assert!(block.neighbors(0).eq([(0, 0.0), (1, 2.0)]));
    /// # Ok::<(), fast_select_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`crate::Error::Interrupted`].
    pub fn new(
        x: MatrixView<'a>,
        m: usize,
        base_radius: f64,
        rng: &mut ChaCha8Rng,
        monitor: &Monitor,
    ) -> Result<Self> {
        let n = x.rows();
        let norms = squared_norms(x);
        let coarse = coarse_exponent(base_radius);
        let (n_covering, k) = graph_size(n, m);
        let mut covering = sample_rows(n, n_covering, rng);
        let Pairs {
            kernel_sums,
            k,
            near,
        } = all_pairs(x, &norms, coarse, &covering, k, monitor)?;
        covering.sort_unstable();
        Ok(Self {
            x,
            norms,
            potential: kernel_sums.into_iter().map(|s| s / n as f64).collect(),
            coarse,
            covering,
            near,
            k,
        })
    }

    /// The covering rows nearest to row `i`, itself the first if it is one, and their distances; the others in no
    /// order.
    pub fn neighbors(&self, i: u32) -> impl Iterator<Item = (u32, f32)> {
        let own = self.covering.binary_search(&i).is_ok().then_some((i, 0.0));
        let others = &self.near[i as usize * self.k..][..self.k];
        own.into_iter().chain(others.iter().copied())
    }

    /// Number of rows, n.
    #[must_use]
    pub fn n(&self) -> usize {
        self.x.rows()
    }

    /// m times the CF distance summed over the radii, and the mean distance of a row to the nearest, of
    /// `picked`, m >= 1 rows of the block. O(m (m + n) p).
    ///
    /// ```
    /// use fast_select_core::arrays::matrix::Matrix;
    /// use fast_select_core::exchange::block::Block;
    /// use fast_select_core::run::monitor::Monitor;
    /// use fast_select_core::run::rng::{Purpose, Streams};
    ///
    /// // The three points by hand, of the crate's page.
    /// let x = Matrix::from_vec(vec![0.0, 0.5, 1.5], 3, 1)?;
    /// let mut rng = Streams::new(0).stream(Purpose::Exchange, 0);
    /// let block = Block::new(x.view(), 1, 0.7, &mut rng, &Monitor::default())?;
    /// let (cfd, distance) = block.scores(&[1])?;
    /// assert!((cfd - 1.3542).abs() < 1e-4 && (distance - 0.5).abs() < 1e-6);
    /// # Ok::<(), fast_select_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// None: the tasks cannot fail.
    pub fn scores(&self, picked: &[u32]) -> Result<(f64, f64)> {
        let m = picked.len() as f64;
        let picks = self.x.gather(picked);
        let across: f64 = picked.iter().map(|&i| self.potential[i as usize]).sum();
        let norms = squared_norms(picks.view());
        let field = |&i: &u32| sum(&self.kernels(i, &picks, &norms));
        let within: f64 = picked.iter().map(field).sum();
        let whole = sum_f64(&self.potential) / self.n() as f64;
        let rows: Vec<u32> = (0..self.n() as u32).collect();
        let nearest = NearestPicks::new(self.x, &self.norms, &rows, Picks::new(&picks, &norms))?;
        let distance = nearest.total() / self.n() as f64;
        Ok((within / m - 2.0 * across + m * whole, distance))
    }

    /// `picks`, (m, p), of squared norms `norms`, packed for kernels with rows of the block.
    pub fn pack(&self, picks: &Matrix, norms: &[f32], packed: &mut Packed) {
        packed.pack(picks.view(), norms, self.coarse);
    }

    /// Kernels between each of `rows`, (r,), and each of `picks`, m of them, written to `out`, (r, m). O(r m p).
    pub fn kernels_of(&self, rows: &[u32], picks: &Packed, out: &mut [f32]) {
        let norms: Vec<f32> = rows.iter().map(|&i| self.norms[i as usize]).collect();
        picks.kernels(self.x.gather(rows).view(), &norms, out);
    }

    /// Kernels between row `i` and each of `picks`, (m, p), of squared norms `pick_norms`; (m,).
    ///
    /// ```
    /// use fast_select_core::arrays::matrix::Matrix;
    /// use fast_select_core::exchange::block::Block;
    /// use fast_select_core::run::monitor::Monitor;
    /// use fast_select_core::run::rng::{Purpose, Streams};
    ///
    /// // At distance 1/2 the page on three points has 2.1184; of a row with itself it is 4.
    /// let x = Matrix::from_vec(vec![0.0, 0.5, 1.5], 3, 1)?;
    /// let mut rng = Streams::new(0).stream(Purpose::Exchange, 0);
    /// let block = Block::new(x.view(), 1, 0.7, &mut rng, &Monitor::default())?;
    /// let kernels = block.kernels(0, &x.view().gather(&[0, 1]), &[0.0, 0.25]);
    /// assert!(kernels[0] == 4.0 && (kernels[1] - 2.1184).abs() < 1e-4);
    /// # Ok::<(), fast_select_core::Error>(())
    /// ```
    #[must_use]
    pub fn kernels(&self, i: u32, picks: &Matrix, pick_norms: &[f32]) -> Vec<f32> {
        let i = i as usize;
        let mut dots = vec![0.0; picks.rows()];
        matmul_nt(&mut dots, self.x.rows_range(i..i + 1), picks.view(), false);
        squared_from_products(&mut dots, self.norms[i], pick_norms);
        let mut kernels = vec![0.0; dots.len()];
        gaussian_powers(&dots, self.coarse, &mut kernels);
        kernels
    }

    /// What random picks of m rows, m at most n and n above 1, score: exactly for the CF distance, sampled for the other. O(m p).
    ///
    /// ```
    /// use fast_select_core::arrays::matrix::Matrix;
    /// use fast_select_core::exchange::block::Block;
    /// use fast_select_core::run::monitor::Monitor;
    /// use fast_select_core::run::rng::{Purpose, Streams};
    ///
    /// // Of two rows whose kernel is 0 either has 4 - 2·2 + 2 = 2, and a mean distance of 1: one counts as 2.
    /// let x = Matrix::from_vec(vec![0.0, 20.0], 2, 1)?;
    /// let mut rng = Streams::new(0).stream(Purpose::Exchange, 0);
    /// let block = Block::new(x.view(), 1, 0.7, &mut rng, &Monitor::default())?;
    /// assert_eq!(block.units(1, &mut rng)?, (2.0, 1.0));
    /// assert_eq!(block.scores(&[0])?, (2.0, 1.0));
    /// # Ok::<(), fast_select_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// None: the tasks cannot fail.
    pub fn units(&self, m: usize, rng: &mut ChaCha8Rng) -> Result<(f64, f64)> {
        let n = self.n();
        let whole = sum_f64(&self.potential) / n as f64;
        let cfd = (N_RADII as f64 - whole) * (n - m) as f64 / (n - 1) as f64;
        let cover = mean_distance_to_random_picks(self.x, m, rng)?;
        Ok((cfd.max(f64::MIN_POSITIVE), cover))
    }
}

/// Exponent of the coarsest kernel, at squared distance 1.
pub(crate) fn coarse_exponent(base_radius: f64) -> f32 {
    (-0.5 * base_radius * base_radius) as f32
}

/// Mean distance of sampled rows of `x`, (n, p), to the nearest of `m` random ones, over several draws. O(m p).
pub(crate) fn mean_distance_to_random_picks(
    x: MatrixView<'_>,
    m: usize,
    rng: &mut ChaCha8Rng,
) -> Result<f64> {
    let n = x.rows();
    let rows = sample_rows(n, REFERENCE_ROWS, rng);
    let (sample, mut total) = (x.gather(&rows), 0.0);
    let norms = squared_norms(sample.view());
    for _ in 0..REFERENCE_PICKS {
        let picks = x.gather(&sample_rows(n, m, rng));
        let pick_norms = squared_norms(picks.view());
        let all: Vec<u32> = (0..sample.rows() as u32).collect();
        let picks = Picks::new(&picks, &pick_norms);
        total += NearestPicks::new(sample.view(), &norms, &all, picks)?.total();
    }
    let mean = total / (REFERENCE_PICKS * sample.rows()) as f64;
    Ok(mean.max(f64::MIN_POSITIVE))
}

fn sum_f64(values: &[f64]) -> f64 {
    values.iter().sum()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::run::rng::test_stream;
    use rand::Rng;

    /// Uniform in a cube of side 1.4.
    pub fn points(n: usize, p: usize) -> Matrix {
        let mut rng = test_stream(17, n, p);
        let data = (0..n * p).map(|_| rng.random_range(-0.7..0.7)).collect();
        Matrix::from_vec(data, n, p).unwrap()
    }

    /// The block of all of them.
    pub fn block(x: &Matrix) -> Block<'_> {
        let mut rng = test_stream(1, 1, 0);
        Block::new(x.view(), x.rows(), 0.7, &mut rng, &Monitor::default()).unwrap()
    }

    #[test]
    fn scores_match_definitions() {
        let x = points(30, 3);
        let k = |i: usize, j: usize| -> f64 {
            let pairs = x.row(i).iter().zip(x.row(j));
            let d2: f64 = pairs.map(|(a, b)| f64::from(a - b).powi(2)).sum();
            let radii = [0.7_f64, 1.4, 2.8, 5.6];
            radii.iter().map(|r| (-0.5 * r * r * d2).exp()).sum()
        };
        let mean = |a: &[usize], b: &[usize]| -> f64 {
            let pairs = a.iter().flat_map(|&i| b.iter().map(move |&j| k(i, j)));
            pairs.sum::<f64>() / (a.len() * b.len()) as f64
        };
        let (s, all): (Vec<usize>, Vec<usize>) = (vec![3, 11, 29], (0..30).collect());
        let cfd = 3.0 * (mean(&s, &s) - 2.0 * mean(&s, &all) + mean(&all, &all));
        assert!((block(&x).scores(&[3, 11, 29]).unwrap().0 - cfd).abs() < 1e-5);
        let everything = block(&x).scores(&(0..30).collect::<Vec<_>>()).unwrap();
        assert!(everything.0.abs() < 1e-5 && everything.1.abs() < 1e-6);
    }

    #[test]
    fn units_are_the_means_over_random_picks() {
        let x = points(400, 2);
        let block = block(&x);
        let mut rng = test_stream(1, 0, 0);
        let (a, b) = block.units(20, &mut rng).unwrap();
        let draws = 400;
        let sums = (0..draws).fold((0.0, 0.0), |sums, _| {
            let (cfd, cover) = block.scores(&sample_rows(400, 20, &mut rng)).unwrap();
            (sums.0 + cfd, sums.1 + cover)
        });
        assert!((sums.0 / f64::from(draws) / a - 1.0).abs() < 0.05);
        assert!((sums.1 / f64::from(draws) / b - 1.0).abs() < 0.2);
    }
}
