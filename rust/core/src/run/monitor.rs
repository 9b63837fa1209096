//! Progress out, cancellation in: plain atomics that any worker thread may touch.
//!
//! Workers call [`Monitor::advance`] at least every 50 ms; the thread that waits for them reads
//! [`Monitor::progress`] and may call [`Monitor::cancel`]. Nothing here waits, prints or sleeps.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use crate::run::error::{Error, Result};

/// The stages of a run, in the order in which they happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Check, centre, scale, reduce.
    Prepare,
    /// k nearest neighbours.
    Neighbors,
    /// Fuzzy simplicial set, connected.
    Graph,
    /// Eigenvectors of its Laplacian.
    Spectral,
    /// Frequency library and reference characteristic function.
    Frequencies,
    /// Continuous optimisation of the anchors.
    Optimize,
    /// One-to-one assignment to rows.
    Decode,
    /// A rival's whole selection.
    Baseline,
    /// Swaps that lower the objective further.
    Exchange,
    /// The order in which to take the picks.
    Rank,
    /// Rows that each pick stands for.
    Weights,
    /// Comparison with random selections.
    Quality,
}

impl Stage {
    /// All of them, in that order.
    pub const ALL: [Self; 12] = [
        Self::Prepare,
        Self::Neighbors,
        Self::Graph,
        Self::Spectral,
        Self::Frequencies,
        Self::Optimize,
        Self::Decode,
        Self::Baseline,
        Self::Exchange,
        Self::Rank,
        Self::Weights,
        Self::Quality,
    ];

    /// The stage's name in reports and progress bars.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Prepare => "prepare",
            Self::Neighbors => "neighbors",
            Self::Graph => "graph",
            Self::Spectral => "spectral",
            Self::Frequencies => "frequencies",
            Self::Optimize => "optimize",
            Self::Decode => "decode",
            Self::Baseline => "baseline",
            Self::Exchange => "exchange",
            Self::Rank => "rank",
            Self::Weights => "weights",
            Self::Quality => "quality",
        }
    }
}

/// Called when a stage begins, with the units that it will count.
type OnStage = Box<dyn Fn(Stage, u64) + Send + Sync>;

/// Where a run stands, shared between its workers and the thread that waits for them.
///
/// ```
/// use fast_select_core::Error;
/// use fast_select_core::run::monitor::{Monitor, Stage};
///
/// let monitor = Monitor::default();
/// monitor.begin(Stage::Exchange, 10)?;
/// monitor.advance(4)?;
/// assert_eq!(monitor.progress(), (4, 10));
/// monitor.cancel();
/// assert_eq!(monitor.advance(1), Err(Error::Interrupted));
/// # Ok::<(), fast_select_core::Error>(())
/// ```
#[derive(Default)]
pub struct Monitor {
    done: AtomicU64,
    total: AtomicU64,
    cancelled: AtomicBool,
    on_stage: Option<OnStage>,
}

impl Monitor {
    /// A monitor that tells `on_stage` of every stage as it begins.
    pub fn new(on_stage: impl Fn(Stage, u64) + Send + Sync + 'static) -> Self {
        Self {
            on_stage: Some(Box::new(on_stage)),
            ..Self::default()
        }
    }

    /// Begins `stage`, which will [`advance`](Self::advance) by `total` in all.
    ///
    /// # Errors
    /// [`Error::Interrupted`] after [`Monitor::cancel`].
    pub fn begin(&self, stage: Stage, total: usize) -> Result<()> {
        self.done.store(0, Ordering::Relaxed);
        self.total.store(total as u64, Ordering::Relaxed);
        if let Some(on_stage) = &self.on_stage {
            on_stage(stage, total as u64);
        }
        self.check()
    }

    /// Counts `by` units as done.
    ///
    /// # Errors
    /// [`Error::Interrupted`] after [`Monitor::cancel`].
    pub fn advance(&self, by: usize) -> Result<()> {
        self.done.fetch_add(by as u64, Ordering::Relaxed);
        self.check()
    }

    /// Counts all that is left of the stage as done, here or elsewhere.
    ///
    /// # Errors
    /// [`Error::Interrupted`] after [`Monitor::cancel`].
    pub fn finish(&self) -> Result<()> {
        let total = self.total.load(Ordering::Relaxed);
        self.done.store(total, Ordering::Relaxed);
        self.check()
    }

    /// A counter of `parts` pieces that make `units` in all.
    ///
    /// ```
    /// use fast_select_core::run::monitor::{Monitor, Stage};
    ///
    /// // Ten units in three pieces: 3, 3 and 4.
    /// let monitor = Monitor::default();
    /// monitor.begin(Stage::Optimize, 10)?;
    /// let pieces = monitor.in_parts(10, 3);
    /// for done in [3, 6, 10] {
    ///     pieces.advance()?;
    ///     assert_eq!(monitor.progress(), (done, 10));
    /// }
    /// # Ok::<(), fast_select_core::Error>(())
    /// ```
    #[must_use]
    pub fn in_parts(&self, units: usize, parts: usize) -> Parts<'_> {
        Parts {
            monitor: self,
            units,
            parts: parts.max(1),
            done: AtomicUsize::new(0),
        }
    }

    /// Asks whether to go on.
    ///
    /// # Errors
    /// [`Error::Interrupted`] after [`Monitor::cancel`].
    pub fn check(&self) -> Result<()> {
        if self.cancelled.load(Ordering::Relaxed) {
            Err(Error::Interrupted)
        } else {
            Ok(())
        }
    }

    /// Makes every later call fail with [`Error::Interrupted`].
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    /// Units done and units in all of the stage at hand.
    #[must_use]
    pub fn progress(&self) -> (u64, u64) {
        let total = self.total.load(Ordering::Relaxed);
        (self.done.load(Ordering::Relaxed).min(total), total)
    }
}

/// Units of a [`Monitor`], advanced piece by piece.
pub struct Parts<'a> {
    monitor: &'a Monitor,
    units: usize,
    parts: usize,
    done: AtomicUsize,
}

impl Parts<'_> {
    /// Counts one more piece as done.
    ///
    /// # Errors
    /// [`Error::Interrupted`] after [`Monitor::cancel`].
    pub fn advance(&self) -> Result<()> {
        let done = self.done.fetch_add(1, Ordering::Relaxed);
        self.monitor
            .advance(self.until(done + 1) - self.until(done))
    }

    /// Counts all pieces that are left as done.
    ///
    /// # Errors
    /// [`Error::Interrupted`] after [`Monitor::cancel`].
    pub fn finish(&self) -> Result<()> {
        let done = self.done.swap(self.parts, Ordering::Relaxed);
        self.monitor.advance(self.units - self.until(done))
    }

    /// Units of the first `done` pieces.
    fn until(&self, done: usize) -> usize {
        (self.units as u128 * done as u128 / self.parts as u128) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cancel_reaches_the_next_tick() {
        let monitor = Monitor::default();
        monitor.begin(Stage::Graph, 2).unwrap();
        monitor.advance(1).unwrap();
        assert_eq!(monitor.progress(), (1, 2));
        monitor.cancel();
        assert_eq!(monitor.advance(1), Err(Error::Interrupted));
    }

    #[test]
    fn parts_make_the_whole() {
        let monitor = Monitor::default();
        monitor.begin(Stage::Graph, 10).unwrap();
        let parts = monitor.in_parts(10, 3);
        let done = [3, 6, 10].map(|_| {
            parts.advance().unwrap();
            monitor.progress().0
        });
        assert_eq!(done, [3, 6, 10]);
        parts.finish().unwrap();
        assert_eq!(monitor.progress().0, 10);
        monitor.begin(Stage::Graph, 10).unwrap();
        let many = monitor.in_parts(10, usize::MAX);
        many.advance().unwrap();
        many.finish().unwrap();
        assert_eq!(monitor.progress(), (10, 10));
    }
}
