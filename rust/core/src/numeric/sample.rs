//! Rows drawn without replacement.

use rand::Rng;
use rand::seq::index::sample;

/// `count` distinct rows of n (all of them, if that is fewer), uniformly, in the order drawn.
///
/// ```
/// use fast_select_core::numeric::sample::sample_rows;
/// use fast_select_core::run::rng::{Purpose, Streams};
///
/// let mut rng = Streams::new(0).stream(Purpose::Samples, 0);
/// let mut rows = sample_rows(5, 9, &mut rng);
/// rows.sort_unstable();
/// assert_eq!(rows, [0, 1, 2, 3, 4]);
/// ```
#[must_use]
pub fn sample_rows(n: usize, count: usize, rng: &mut impl Rng) -> Vec<u32> {
    let rows = sample(rng, n, count.min(n)).into_iter();
    rows.map(|i| i as u32).collect()
}

/// The same rows, ascending.
///
/// ```
/// use fast_select_core::numeric::sample::sample_rows_ascending;
/// use fast_select_core::run::rng::{Purpose, Streams};
///
/// let mut rng = Streams::new(0).stream(Purpose::Samples, 0);
/// assert_eq!(sample_rows_ascending(3, 3, &mut rng), [0, 1, 2]);
/// ```
#[must_use]
pub fn sample_rows_ascending(n: usize, count: usize, rng: &mut impl Rng) -> Vec<u32> {
    let mut rows = sample_rows(n, count, rng);
    rows.sort_unstable();
    rows
}
