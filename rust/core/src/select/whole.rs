//! The whole while its blocks are exchanged: what those done have left, and what the next is asked for.

use std::iter;

use crate::arrays::matrix::{Matrix, MatrixView};
use crate::descent::frequency::{BAND_EDGES, isotropic};
use crate::exchange::residual::{Features, Pull, Residual, n_freqs, strength};
use crate::numeric::median_distance::median_distance;
use crate::options::{Balance, Shares, ValidParams};
use crate::run::error::Result;
use crate::run::monitor::Monitor;
use crate::run::rng::{Purpose, Streams};
use crate::select::group_state::GroupState;

/// Rows of a block from which the errors of rounded quotas are estimated: they are small beside the quotas.
const QUOTA_ROWS: usize = 64;
/// Bands of the frequencies.
const N_BANDS: usize = 3;

/// What was left over so far, in the whole and in classes of several blocks.
pub struct Whole {
    features: Features,
    /// What every pick is asked to make up of the errors of rounded quotas, (2 q,). In all no more than the error of a
    /// random pick, and each block in proportion: a class must not be bent to stand for others.
    shift: Vec<f64>,
    all: Residual,
    /// Of the groups that have so many blocks that these need to be held together.
    classes: Vec<Option<Residual>>,
}

impl Whole {
    /// Before the first block; `None` where so few blocks need nothing to hold them together.
    pub fn new(
        z: MatrixView<'_>,
        groups: &[GroupState<'_>],
        n_blocks: usize,
        params: &ValidParams,
        monitor: &Monitor,
    ) -> Result<Option<Self>> {
        let count: usize = groups.iter().map(|group| group.quota).sum();
        if strength(n_blocks, count) <= 0.0 {
            return Ok(None);
        }
        let streams = Streams::new(params.seed);
        let features = features_of_bands(z, n_freqs(count), streams)?;
        let (errors, square) = quota_errors(z, groups, &features, monitor)?;
        // Of random picks, |R|^2 / M.
        let unit = (0.5 * features.width() as f64 - square).max(f64::MIN_POSITIVE);
        let energy = errors.iter().map(|v| v * v).sum::<f64>() / (count as f64 * unit);
        let made_up = match params.balance {
            Shares::By(Balance::Proportional) => 1.0 / (count as f64 * energy.max(1.0).sqrt()),
            // Other quotas are not meant to give the whole's distribution.
            Shares::By(Balance::Equal) | Shares::Given(_) => 0.0,
        };
        let zeros = || vec![0.0; features.width()];
        let all = Residual {
            sums: zeros(),
            weight: strength(n_blocks, count) / (count as f64 * unit),
        };
        let of_class = |group: &GroupState<'_>| {
            let strength = strength(group.blocks.len(), group.quota);
            (groups.len() > 1 && strength > 0.0).then(|| Residual {
                sums: zeros(),
                weight: strength / (group.quota as f64 * unit),
            })
        };
        let classes = groups.iter().map(of_class).collect();
        Ok(Some(Self {
            features,
            shift: errors.iter().map(|error| made_up * error).collect(),
            all,
            classes,
        }))
    }

    /// What `count` picks of a block of rows `z`, (b, p), should add to the sums of features, (2 q,). O(b q p).
    ///
    /// # Errors
    /// [`crate::Error::Interrupted`].
    pub fn share(&self, z: MatrixView<'_>, count: usize, monitor: &Monitor) -> Result<Vec<f64>> {
        let each = count as f64 / z.rows() as f64;
        let tick = |_: usize| monitor.check();
        let mut share = self.features.weighted_sum(z, |_| each as f32, tick)?;
        let made_up = share.iter_mut().zip(&self.shift);
        made_up.for_each(|(share, shift)| *share -= count as f64 * shift);
        Ok(share)
    }

    /// What is asked of a block of group `g`, of rows `z`, (b, p), of which `picked` are selected at first, given its
    /// [`share`](Self::share). O(m q p).
    ///
    /// # Errors
    /// None: the tasks cannot fail.
    pub fn asks<'a>(
        &'a self,
        z: MatrixView<'a>,
        picked: &[u32],
        g: usize,
        share: &[f64],
    ) -> Result<Pull<'a>> {
        let picked = self.sum_of(z, picked)?;
        let residuals = || iter::once(&self.all).chain(self.classes[g].as_ref());
        let slope = (0..share.len()).map(|k| {
            let own = picked[k] - share[k];
            let pulls = residuals().map(|residual| residual.weight * (residual.sums[k] + own));
            pulls.sum::<f64>() as f32
        });
        Ok(Pull {
            features: &self.features,
            rows: z,
            slope: slope.collect(),
            weight: residuals().map(|residual| residual.weight).sum(),
        })
    }

    /// What the rows `picked` of a block, of rows `z`, leave of its `share`, (2 q,).
    ///
    /// # Errors
    /// None: the tasks cannot fail.
    pub fn left(&self, z: MatrixView<'_>, picked: &[u32], share: &[f64]) -> Result<Vec<f64>> {
        let sums = self.sum_of(z, picked)?;
        Ok(sums
            .iter()
            .zip(share)
            .map(|(sum, share)| sum - share)
            .collect())
    }

    /// Counts what a block of group `g` has `left`.
    pub fn count(&mut self, left: &[f64], g: usize) {
        for residual in iter::once(&mut self.all).chain(self.classes[g].as_mut()) {
            let entries = residual.sums.iter_mut().zip(left);
            entries.for_each(|(r, left)| *r += left);
        }
    }

    fn sum_of(&self, z: MatrixView<'_>, picked: &[u32]) -> Result<Vec<f64>> {
        let rows = z.gather(picked);
        self.features.weighted_sum(rows.view(), |_| 1.0, |_| Ok(()))
    }
}

/// Features at `q` frequencies, as many of each band, in the unit of `z`, (n, p).
fn features_of_bands(z: MatrixView<'_>, q: usize, streams: Streams) -> Result<Features> {
    let per_median = 1.0 / median_distance(z, streams);
    let mut rng = streams.stream(Purpose::Frequencies, 0);
    let mut entries = Vec::with_capacity(q * z.cols());
    for band in 0..N_BANDS {
        let count = (band + 1) * q / N_BANDS - band * q / N_BANDS;
        let edges = (BAND_EDGES[band], BAND_EDGES[band + 1]);
        let drawn = isotropic(count, z.cols(), edges, &mut rng).freqs;
        entries.extend(drawn.as_slice().iter().map(|t| t * per_median));
    }
    let freqs = Matrix::from_vec(entries, q, z.cols())?;
    Ok(Features { freqs })
}

/// What rounded quotas, and the least of every class, add to the sums of features beyond an even share of the whole,
/// (2 q,), and `|φ_X|^2`, summed; both estimated.
fn quota_errors(
    z: MatrixView<'_>,
    groups: &[GroupState<'_>],
    features: &Features,
    monitor: &Monitor,
) -> Result<(Vec<f64>, f64)> {
    let n: usize = groups.iter().map(GroupState::n).sum();
    let count: usize = groups.iter().map(|group| group.quota).sum();
    let ratio = count as f64 / n as f64;
    let (mut rows, mut excess, mut share) = (Vec::new(), Vec::new(), Vec::new());
    for group in groups {
        group.each_block(|block, quota| {
            let step = block.len().div_ceil(QUOTA_ROWS).max(1);
            let taken = block.iter().step_by(step).map(|&i| group.row_of_whole(i));
            let before = rows.len();
            rows.extend(taken);
            let each = 1.0 / (rows.len() - before) as f64;
            let of_block = quota as f64 - ratio * block.len() as f64;
            excess.resize(rows.len(), (of_block * each) as f32);
            share.resize(rows.len(), (block.len() as f64 / n as f64 * each) as f32);
        });
    }
    let x = z.gather(&rows);
    let tick = |_: usize| monitor.check();
    let sums = features.weighted_sum(x.view(), |i| excess[i], tick)?;
    let mean = features.weighted_sum(x.view(), |i| share[i], tick)?;
    Ok((sums, mean.iter().map(|v| v * v).sum()))
}
