//! Progressive discrepancy-aware sampling (PDAS): which frequencies a step looks at.
//!
//! At step t only frequencies of radius up to τ_t take part, τ_t rising from the lowest band to the
//! whole library; from those a batch is drawn without replacement with probability proportional to
//! `L_CF(ω) D(ω)` (Cui et al. 2025, Eq. 14): where the anchors are still wrong, and not where the
//! batch has looked already. D is one minus the largest correlation of exp(iω·x) with a frequency
//! drawn before, taken as that of a Gaussian of unit median distance: `exp(-r^2/2)` at the
//! radius r of the difference (or of the sum, as φ(-ω) is the conjugate of φ(ω)).

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use crate::descent::frequency::{BAND_EDGES, FrequencyLibrary};
use crate::kernels::product::matmul_nt;
use crate::options::Schedule;

/// Parts of a batch between which D is brought up to date.
const PARTS: usize = 4;
/// Share of the steps after which all frequencies take part.
const RAMP: f64 = 0.6;

/// The largest radius that takes part in step `step` of `max_steps`, τ_t.
///
/// ```
/// use fast_select_core::descent::pdas::radius_limit;
/// use fast_select_core::options::Schedule;
///
/// // From 0.75 to 3 in the first 60 % of the steps.
/// let limit = |step| radius_limit(Schedule::Progressive, step, 100);
/// assert_eq!([0, 30, 60, 99].map(limit), [0.75, 1.875, 3.0, 3.0]);
/// assert_eq!(radius_limit(Schedule::All, 0, 100), 3.0);
/// ```
#[must_use]
pub fn radius_limit(schedule: Schedule, step: usize, max_steps: usize) -> f32 {
    let [_, low, _, high] = BAND_EDGES;
    match schedule {
        Schedule::All => high,
        Schedule::Progressive => {
            let share = step as f64 / (RAMP * max_steps.max(1) as f64);
            low + (high - low) * share.min(1.0) as f32
        }
    }
}

/// A batch of at most `size` of the frequencies `allowed`, ascending, drawn by Eq. 14.
///
/// `discrepancy`: L_CF at each of `allowed`; where it is zero everywhere, all are equally likely.
/// O(|allowed| (size p + log |allowed|)).
///
/// ```
/// use fast_select_core::arrays::matrix::Matrix;
/// use fast_select_core::descent::{frequency::FrequencyLibrary, pdas::draw_batch};
/// use fast_select_core::run::rng::{Purpose, Streams};
///
/// let freqs = Matrix::from_vec(vec![0.5, 1.0, 2.0, 3.0], 4, 1)?;
/// let library = FrequencyLibrary { freqs, radii: vec![0.5, 1.0, 2.0, 3.0] };
/// let mut rng = Streams::new(0).stream(Purpose::Batches, 0);
/// // All of the anchors' error is at frequency 3.
/// assert_eq!(draw_batch(&library, &[0, 1, 3], &[0.0, 0.0, 1.0], 1, &mut rng), [3]);
/// assert_eq!(draw_batch(&library, &[0, 1, 3], &[0.0, 0.0, 1.0], 9, &mut rng), [0, 1, 3]);
/// # Ok::<(), fast_select_core::Error>(())
/// ```
#[must_use]
pub fn draw_batch(
    library: &FrequencyLibrary,
    allowed: &[u32],
    discrepancy: &[f64],
    size: usize,
    rng: &mut ChaCha8Rng,
) -> Vec<u32> {
    if allowed.len() <= size {
        return allowed.to_vec();
    }
    let inv_p = 1.0 / library.freqs.cols() as f32;
    let candidates = library.freqs.view().gather(allowed);
    let floor = discrepancy.iter().sum::<f64>() / discrepancy.len() as f64 * 1e-3;
    let mut novelty = vec![1.0_f64; allowed.len()];
    let mut taken = vec![false; allowed.len()];
    let mut batch = Vec::with_capacity(size);
    let square = |&k: &u32| library.radii[k as usize].powi(2);
    let squares: Vec<f32> = allowed.iter().map(square).collect();
    let (mut nearest, mut dots) = (vec![0.0_f32; allowed.len()], Vec::new());
    for part in 0..PARTS {
        let share = (part + 1) * size / PARTS - batch.len();
        // Efraimidis & Spirakis 2006: the smallest of exponential draws at rate w are a sample
        // without replacement with weights w.
        let mut keys: Vec<(f64, u32)> = (0..allowed.len())
            .filter(|&k| !taken[k])
            .map(|k| {
                let weight = (discrepancy[k] + floor).max(f64::MIN_POSITIVE) * novelty[k];
                let uniform: f64 = rng.random();
                (-(1.0 - uniform).ln() / weight, k as u32)
            })
            .collect();
        if share < keys.len() {
            keys.select_nth_unstable_by(share, |a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            keys.truncate(share);
        }
        let drawn: Vec<u32> = keys.into_iter().map(|(_, k)| k).collect();
        drawn.iter().for_each(|&k| taken[k as usize] = true);
        if part + 1 < PARTS {
            // Frequency by frequency, so that the distances to it are one loop over all candidates.
            let drawn_freqs = candidates.view().gather(&drawn);
            dots.resize(drawn.len() * allowed.len(), 0.0);
            matmul_nt(&mut dots, drawn_freqs.view(), candidates.view(), false);
            nearest.fill(f32::INFINITY);
            for (&d, dots) in drawn.iter().zip(dots.chunks_exact(allowed.len())) {
                let drawn = squares[d as usize];
                for ((nearest, own), dot) in nearest.iter_mut().zip(&squares).zip(dots) {
                    let to = own + drawn - 2.0 * dot.abs() * inv_p;
                    *nearest = if to < *nearest { to } else { *nearest };
                }
            }
            for (novelty, nearest) in novelty.iter_mut().zip(&nearest) {
                let correlation = f64::from((-0.5 * nearest.max(0.0)).exp());
                *novelty = novelty.min((1.0 - correlation).max(1e-6));
            }
        }
        batch.extend(drawn.into_iter().map(|k| allowed[k as usize]));
    }
    batch.sort_unstable();
    batch
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::descent::frequency::isotropic;
    use crate::run::rng::test_stream;

    #[test]
    fn limit_rises_to_the_last_band() {
        assert_eq!(radius_limit(Schedule::Progressive, 0, 100), BAND_EDGES[1]);
        assert!(radius_limit(Schedule::Progressive, 30, 100) > BAND_EDGES[1]);
        assert_eq!(radius_limit(Schedule::Progressive, 60, 100), BAND_EDGES[3]);
        assert_eq!(radius_limit(Schedule::All, 0, 100), BAND_EDGES[3]);
    }

    #[test]
    fn batches_are_distinct_and_prefer_discrepancy() {
        let mut rng = test_stream(0, 0, 0);
        let library = isotropic(200, 8, (0.25, 3.0), &mut rng);
        let allowed: Vec<u32> = (0..200).collect();
        let discrepancy: Vec<f64> = (0..200).map(|k| if k < 50 { 1.0 } else { 1e-3 }).collect();
        let batch = draw_batch(&library, &allowed, &discrepancy, 40, &mut rng);
        assert_eq!(batch.len(), 40);
        assert!(batch.windows(2).all(|w| w[0] < w[1]));
        assert!(batch.iter().filter(|&&k| k < 50).count() >= 35);
        assert_eq!(
            draw_batch(&library, &allowed, &[0.0; 200], 40, &mut rng).len(),
            40
        );
        assert_eq!(
            draw_batch(&library, &allowed[..7], &[1.0; 7], 40, &mut rng),
            &allowed[..7]
        );
    }

    #[test]
    fn a_twin_of_a_drawn_frequency_waits() {
        // 40 copies of one frequency and 40 different ones, equally wrong: after the first part of
        // the batch no further copy is worth looking at.
        let mut rng = test_stream(1, 0, 0);
        let mut library = isotropic(80, 8, (2.0, 3.0), &mut rng);
        let first = library.freqs.row(0).to_vec();
        for k in 1..40 {
            library.freqs.row_mut(k).copy_from_slice(&first);
            library.radii[k] = library.radii[0];
        }
        let allowed: Vec<u32> = (0..80).collect();
        let batch = draw_batch(&library, &allowed, &[1.0; 80], 40, &mut rng);
        assert!(batch.iter().filter(|&&k| k < 40).count() <= 10);
    }
}
