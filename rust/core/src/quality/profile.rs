//! What is drawn of a selection, beside figures: `|φ|` by radius, distances by rank, and the rows that
//! are farthest from it.

use crate::arrays::matrix::MatrixView;
use crate::kernels::squared_distance::squared_distance;
use crate::quality::Judged;
use crate::quality::unseen::AtRadius;
use crate::run::error::Result;
use crate::run::parallel::map_items;

/// Levels of the quantiles of distances: 0, 1/40, ..., 1.
pub const N_LEVELS: usize = 41;

/// Curves of the whole, of a selection and of random ones.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    /// Mean of `|φ|` at each radius: of the whole.
    pub modulus_whole: AtRadius,
    /// Of the selection.
    pub modulus: AtRadius,
    /// Of the random selections, in the mean; `None` where there are none.
    pub modulus_random: Option<AtRadius>,
    /// Quantiles of the distance of sampled rows to the nearest selected one, ([`N_LEVELS`],).
    pub distances: Vec<f64>,
    /// Of the random selections, in the mean.
    pub distances_random: Option<Vec<f64>>,
    /// The rows farthest from the selection, the farthest first.
    pub farthest: Vec<FarRow>,
}

/// A row that is far from the selection.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FarRow {
    /// The row of Z.
    pub row: u32,
    /// The selected row that is nearest.
    pub pick: u32,
    /// Their distance, in units of the median distance.
    pub distance: f64,
}

/// The curves of the first of `judged`, with rows `picks` of `z`, (n, p), beside the `n_random` that
/// follow it. O(m p) for each of the farthest rows.
///
/// ```
/// use fast_select_core::arrays::matrix::Matrix;
/// use fast_select_core::quality::profile::profile;
/// use fast_select_core::quality::qualities;
/// use fast_select_core::run::{monitor::Monitor, rng::Streams};
///
/// let z = Matrix::from_vec(vec![0.0, 0.5, 1.5, 1.75], 4, 1)?;
/// let selections = [vec![1, 3], vec![0, 1]];
/// let judged = qualities(z.view(), &selections, &[], Streams::new(0), &Monitor::default())?;
/// let drawn = profile(z.view(), &selections[0], &judged, 1)?;
/// // Distances of all rows, and of the random pick's: 0, 0, 1/4, 1/2 and 0, 0, 1, 5/4.
/// assert_eq!((drawn.distances[20], drawn.distances[40]), (0.125, 0.5));
/// assert_eq!(drawn.distances_random.unwrap()[40], 1.25);
/// let far = drawn.farthest[0];
/// assert_eq!((far.row, far.pick), (0, 1));
/// # Ok::<(), fast_select_core::Error>(())
/// ```
///
/// # Errors
/// [`crate::Error::Interrupted`].
pub fn profile(
    z: MatrixView<'_>,
    picks: &[u32],
    judged: &Judged,
    n_random: usize,
) -> Result<Profile> {
    let (own, random) = (&judged.selections[0], &judged.selections[1..=n_random]);
    let farthest = map_items(&own.farthest, |&(row, distance)| {
        let to = |pick: u32| squared_distance(z.row(row as usize), z.row(pick as usize));
        let pick = picks
            .iter()
            .copied()
            .min_by(|a, b| to(*a).total_cmp(&to(*b)));
        Ok(FarRow {
            row,
            pick: pick.unwrap_or(row),
            distance,
        })
    })?;
    let moduli = random.iter().map(|drawn| drawn.cf.modulus);
    let quantiles = random.iter().map(|drawn| quantiles(&drawn.distances));
    Ok(Profile {
        modulus_whole: judged.modulus,
        modulus: own.cf.modulus,
        modulus_random: mean(moduli),
        distances: self::quantiles(&own.distances).to_vec(),
        distances_random: mean(quantiles).map(Vec::from),
        farthest,
    })
}

/// Quantiles of `ascending` values at each level, interpolated linearly (Hyndman & Fan 1996, type 7).
fn quantiles(ascending: &[f64]) -> [f64; N_LEVELS] {
    let last = ascending.len().saturating_sub(1);
    std::array::from_fn(|level| {
        let at = last * level;
        let (below, share) = (at / (N_LEVELS - 1), at % (N_LEVELS - 1));
        let (low, high) = (ascending[below], ascending[last.min(below + 1)]);
        low + (high - low) * share as f64 / (N_LEVELS - 1) as f64
    })
}

/// The mean of curves; `None` of none.
fn mean<const N: usize>(curves: impl ExactSizeIterator<Item = [f64; N]>) -> Option<[f64; N]> {
    let count = curves.len() as f64;
    let add = |a: [f64; N], b: [f64; N]| std::array::from_fn(|at| a[at] + b[at]);
    curves.reduce(add).map(|sums| sums.map(|sum| sum / count))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_by_hand() {
        let got = quantiles(&[1.0, 3.0]);
        assert_eq!((got[0], got[10], got[20], got[40]), (1.0, 1.5, 2.0, 3.0));
        assert_eq!(quantiles(&[7.0]), [7.0; N_LEVELS]);
        let even: Vec<f64> = (0..81).map(f64::from).collect();
        assert_eq!(quantiles(&even)[13], 26.0);
    }

    #[test]
    fn means_by_hand() {
        assert_eq!(mean([[1.0, 2.0], [3.0, 6.0]].into_iter()), Some([2.0, 4.0]));
        assert_eq!(mean([[0.0; 2]; 0].into_iter()), None);
    }
}
