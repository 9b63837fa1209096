//! Random selections, of which the report shows figures beside the selection's.
//!
//! Where the exchange cuts the rows into blocks, chance has a cheap rival of its own: a random pick
//! stratified by blocks, which gives each block its share. It comes closer than a random pick the more blocks
//! there are, and a selection that is no better has gained nothing by choosing inside them.

use crate::arrays::matrix::MatrixView;
use crate::numeric::partition::{n_blocks, partition_of};
use crate::numeric::sample::sample_rows;
use crate::run::error::Result;
use crate::run::monitor::Monitor;
use crate::run::rng::{Purpose, Streams};

/// `n_random` draws of `count` rows of n without replacement, each ascending.
///
/// ```
/// use fast_select_core::quality::draws::random_selections;
///
/// assert_eq!(random_selections(3, 3, 2, 0), [[0, 1, 2], [0, 1, 2]]);
/// assert!(random_selections(9, 2, 4, 0).iter().all(|rows| rows[0] < rows[1]));
/// ```
#[must_use]
pub fn random_selections(n: usize, count: usize, n_random: usize, seed: u64) -> Vec<Vec<u32>> {
    let all = [(0..n as u32).collect::<Vec<_>>()];
    stratified_selections(&all, &[count], n_random, seed)
}

/// `n_random` draws of `quotas[g]` rows of each group without replacement, each ascending.
///
/// ```
/// use fast_select_core::quality::draws::stratified_selections;
///
/// // One of rows 0 and 4, and all three of the others.
/// let drawn = stratified_selections(&[vec![0, 4], vec![1, 2, 3]], &[1, 3], 2, 0);
/// assert!(drawn.iter().all(|rows| *rows == [0, 1, 2, 3] || *rows == [1, 2, 3, 4]));
/// ```
#[must_use]
pub fn stratified_selections(
    groups: &[Vec<u32>],
    quotas: &[usize],
    n_random: usize,
    seed: u64,
) -> Vec<Vec<u32>> {
    (0..n_random)
        .map(|draw| {
            let mut rows = Vec::with_capacity(quotas.iter().sum());
            for (g, (members, &quota)) in groups.iter().zip(quotas).enumerate() {
                let streams = Streams::new(seed).of_group(g);
                let mut rng = streams.stream(Purpose::RandomPicks, draw);
                let drawn = sample_rows(members.len(), quota, &mut rng);
                rows.extend(drawn.into_iter().map(|i| members[i as usize]));
            }
            rows.sort_unstable();
            rows
        })
        .collect()
}

/// The blocks into which the exchange cuts each of `groups` (rows of `z`, (n, p)) that gives so many
/// rows, `quotas`, and the share of each block: in proportion to its rows, to within one.
///
/// O(n p log blocks).
///
/// ```
/// use fast_select_core::arrays::matrix::Matrix;
/// use fast_select_core::quality::draws::{stratified_selections, strata};
/// use fast_select_core::run::monitor::Monitor;
///
/// let line = Matrix::from_vec((0..400).map(|i| i as f32).collect(), 400, 1)?;
/// let all = (0..400).collect::<Vec<u32>>();
/// let (blocks, shares) = strata(line.view(), [all], &[128], 200, &Monitor::default())?;
/// assert_eq!(shares, [64, 64]);
/// let drawn = stratified_selections(&blocks, &shares, 1, 0).remove(0);
/// assert_eq!(drawn.iter().filter(|row| **row < 200).count(), 64);
/// # Ok::<(), fast_select_core::Error>(())
/// ```
///
/// # Errors
/// [`crate::Error::Interrupted`].
pub fn strata(
    z: MatrixView<'_>,
    groups: impl IntoIterator<Item = Vec<u32>>,
    quotas: &[usize],
    block_rows: usize,
    monitor: &Monitor,
) -> Result<(Vec<Vec<u32>>, Vec<usize>)> {
    let (mut blocks, mut shares) = (Vec::new(), Vec::new());
    for (members, &quota) in groups.into_iter().zip(quotas) {
        let n = members.len();
        let count = n_blocks(n, quota, block_rows);
        let mut before = 0;
        for rows in partition_of(z, members, count, monitor)? {
            let upto = before + rows.len();
            shares.push(quota * upto / n.max(1) - quota * before / n.max(1));
            before = upto;
            blocks.push(rows);
        }
    }
    Ok((blocks, shares))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arrays::matrix::random_matrix;
    use crate::numeric::partition::partition;

    #[test]
    fn draws_are_distinct_stratified_and_repeat() {
        let groups = [vec![0, 2, 4, 6], vec![1, 3, 5]];
        let draws = stratified_selections(&groups, &[2, 1], 50, 3);
        assert_eq!(draws, stratified_selections(&groups, &[2, 1], 50, 3));
        for draw in &draws {
            assert!(draw.windows(2).all(|w| w[0] < w[1]));
            assert_eq!(draw.iter().filter(|i| *i % 2 == 1).count(), 1);
        }
        assert!(draws.iter().any(|d| d != &draws[0]));
    }

    #[test]
    fn strata_are_the_blocks_of_each_group() {
        // Classes of 1,000 and 200 rows; the first is cut in 4, as 256 picks are 64 a block.
        let z = random_matrix(1200, 3, 59);
        let (small, large): (Vec<u32>, Vec<u32>) = (0..1200).partition(|i| i % 6 == 0);
        let groups = [large.clone(), small.clone()];
        let run = |quotas: [usize; 2]| {
            strata(z.view(), groups.clone(), &quotas, 200, &Monitor::default()).unwrap()
        };
        let (blocks, shares) = run([257, 50]);
        assert_eq!(shares, [64, 64, 64, 65, 50]);
        assert_eq!(blocks[4], small);
        let own = z.view().gather(&large);
        let cells = partition(own.view(), 4, &Monitor::default()).unwrap();
        for (block, cell) in blocks.iter().zip(cells) {
            let rows: Vec<u32> = cell.iter().map(|&i| large[i as usize]).collect();
            assert_eq!(*block, rows);
        }
        // Nothing to give, nothing to cut, and all.
        assert_eq!(run([0, 0]).1, [0, 0]);
        assert_eq!(run([1000, 200]).1, [200, 200, 200, 200, 200, 200]);
    }
}
