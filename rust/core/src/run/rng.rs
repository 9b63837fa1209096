//! One random stream per (seed, group, purpose, block), so that no draw depends on thread timing.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// What a stream of random numbers is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u64)]
pub enum Purpose {
    /// Test matrix of the randomised PCA.
    Sketch = 1,
    /// Sampled pairs for median distances.
    MedianDistance,
    /// Start block of the eigensolver.
    Eigenvectors,
    /// Frequencies that the selection is fitted to.
    Frequencies,
    /// Frequencies held out for the stop rule.
    HeldOut,
    /// Start rows.
    Init,
    /// Batches of frequencies.
    Batches,
    /// Random Fourier features of the diversity term.
    Diversity,
    /// Order of the exchange's candidates, its reference picks, and rows that fill or sample a block.
    Exchange,
    /// Frequencies of the report, which no selection ever sees.
    Unseen,
    /// Random selections to compare with.
    RandomPicks,
    /// Samples of rows for coverage and other sampled statistics.
    Samples,
    /// k-means seeding.
    KMeans,
    /// Which anchors of the descent try for another row.
    Dither,
    /// Rows of which columns are judged.
    Columns,
    /// Samples of rows that the order of picks is found with.
    Ranking,
    /// Rows and picks on the report's map.
    Map,
}

/// The random streams of one group of rows.
///
/// ```
/// use fast_select_core::run::rng::{Purpose, Streams};
/// use rand::Rng;
///
/// let whole = Streams::new(7);
/// let draw = |streams: Streams, block| -> u64 { streams.stream(Purpose::Init, block).random() };
/// assert_eq!(draw(whole, 2), draw(Streams::new(7).of_group(0), 2));
/// assert_ne!(draw(whole, 2), draw(whole, 3));
/// assert_ne!(draw(whole, 2), draw(whole.of_group(1), 2));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Streams {
    seed: u64,
    group: usize,
}

impl Streams {
    /// Those of a seed, for the whole or its first group.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { seed, group: 0 }
    }

    /// Those of the same seed for group number `group`.
    #[must_use]
    pub fn of_group(self, group: usize) -> Self {
        Self { group, ..self }
    }

    /// A stream of its own for each (seed, group, purpose, block).
    ///
    /// The first three go into the key, the block into ChaCha's stream number: streams never
    /// overlap.
    #[must_use]
    pub fn stream(self, purpose: Purpose, block: usize) -> ChaCha8Rng {
        let mut key = [0_u8; 32];
        key[..8].copy_from_slice(&self.seed.to_le_bytes());
        key[8..16].copy_from_slice(&(purpose as u64).to_le_bytes());
        key[16..24].copy_from_slice(&(self.group as u64).to_le_bytes());
        let mut rng = ChaCha8Rng::from_seed(key);
        rng.set_stream(block as u64);
        rng
    }
}

/// A stream for tests, of a seed of their own.
#[cfg(test)]
pub(crate) fn test_stream(seed: u64, group: usize, block: usize) -> ChaCha8Rng {
    Streams::new(seed)
        .of_group(group)
        .stream(Purpose::Samples, block)
}
