//! k-means++ seeding: rows drawn with probability proportional to their squared distance from those
//! drawn before (Arthur & Vassilvitskii 2007).

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use crate::arrays::matrix::MatrixView;
use crate::kernels::squared_distance::squared_distance;
use crate::run::error::Result;
use crate::run::monitor::Monitor;

/// `count` distinct rows among `members` of `x`, (n, p), in the order drawn. O(count |members| p).
///
/// Where fewer rows differ than are wanted, the rest are the first ones left.
///
/// ```
/// use fast_select_core::arrays::matrix::Matrix;
/// use fast_select_core::baselines::kmeans_plus_plus::kmeans_plus_plus;
/// use fast_select_core::run::monitor::Monitor;
/// use fast_select_core::run::rng::{Purpose, Streams};
///
/// // A copy of a row drawn lies at distance 0 and is not drawn: 7 always is.
/// let x = Matrix::from_vec(vec![0.0, 0.0, 0.0, 7.0], 4, 1)?;
/// let mut rng = Streams::new(0).stream(Purpose::KMeans, 0);
/// let drawn = kmeans_plus_plus(x.view(), &[0, 1, 2, 3], 2, &mut rng, &Monitor::default())?;
/// assert!(drawn.contains(&3));
/// # Ok::<(), fast_select_core::Error>(())
/// ```
///
/// # Errors
/// [`crate::Error::Interrupted`].
pub fn kmeans_plus_plus(
    x: MatrixView<'_>,
    members: &[u32],
    count: usize,
    rng: &mut ChaCha8Rng,
    monitor: &Monitor,
) -> Result<Vec<u32>> {
    let mut nearest = vec![f32::INFINITY; members.len()];
    let mut drawn = Vec::with_capacity(count.min(members.len()));
    let mut taken = vec![false; members.len()];
    let mut next = (!members.is_empty()).then(|| rng.random_range(0..members.len()));
    while let (Some(at), true) = (next, drawn.len() < count) {
        monitor.check()?;
        drawn.push(members[at]);
        taken[at] = true;
        let row = x.row(members[at] as usize);
        for (d, &i) in nearest.iter_mut().zip(members) {
            *d = d.min(squared_distance(row, x.row(i as usize)));
        }
        let total: f64 = nearest.iter().map(|&d| f64::from(d)).sum();
        let mut left = rng.random::<f64>() * total;
        let hit = (0..members.len()).filter(|&k| !taken[k]).find(|&k| {
            left -= f64::from(nearest[k]);
            left < 0.0
        });
        // Rounding, or only duplicates left.
        next = hit.or_else(|| (0..members.len()).find(|&k| !taken[k]));
    }
    Ok(drawn)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arrays::matrix::Matrix;
    use crate::run::rng::test_stream;

    #[test]
    fn distinct_and_spread() {
        // Three clusters far apart: three draws hit each once.
        let mut x = Matrix::zeros(30, 2);
        for i in 0..30 {
            x.row_mut(i)[0] = (i % 3) as f32 * 100.0;
            x.row_mut(i)[1] = i as f32 * 1e-3;
        }
        let members: Vec<u32> = (0..30).collect();
        for seed in 0..20 {
            let mut rng = test_stream(seed, 0, 0);
            let rows =
                kmeans_plus_plus(x.view(), &members, 3, &mut rng, &Monitor::default()).unwrap();
            let mut clusters: Vec<u32> = rows.iter().map(|i| i % 3).collect();
            clusters.sort_unstable();
            assert_eq!(clusters, [0, 1, 2]);
        }
    }

    #[test]
    fn duplicates_still_give_distinct_rows() {
        let mut rng = test_stream(0, 0, 0);
        let members = [1, 3, 4, 7];
        let x = Matrix::zeros(8, 2);
        let mut rows =
            kmeans_plus_plus(x.view(), &members, 9, &mut rng, &Monitor::default()).unwrap();
        rows.sort_unstable();
        assert_eq!(rows, members);
        assert!(
            kmeans_plus_plus(x.view(), &[], 2, &mut rng, &Monitor::default())
                .unwrap()
                .is_empty()
        );
    }
}
