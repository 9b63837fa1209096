//! Random selections, of which the report shows figures beside the selection's.

use crate::numeric::sample::sample_rows;
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

#[cfg(test)]
mod tests {
    use super::*;

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
}
