//! The pipeline: prepared rows in, exactly the rows asked for out.
//!
//! Stages run one after the other over all groups, so that time, energy and progress of a stage
//! mean the same with and without labels; inside a stage the groups run side by side.

use crate::error::{Error, Result};
use crate::exchange::ExchangeOptions;
use crate::linalg::MatrixView;
use crate::monitor::{Monitor, Stage};
use crate::names::named;
use crate::optimize::OptimizeOptions;
use crate::parallel::map_items;
use crate::space::Space;
use crate::work::{
    Work, baseline, build_graph, decode, embed, exchange, find_neighbors, move_anchors, set_target,
};

/// Which stages run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// The paper's stages, then exchange.
    Fast,
    /// The paper's stages.
    Paper,
    /// Exchange from the start rows: no graph, no descent.
    Exchange,
    /// A rival, to compare with.
    Random,
    /// A rival: farthest-first traversal.
    KCenter,
    /// A rival: rows nearest to k-means centres.
    KMeans,
    /// A rival: kernel herding.
    Herding,
}

named!(Method, "method", {
    Fast => "fast",
    Paper => "paper",
    Exchange => "exchange",
    Random => "random",
    KCenter => "k-center",
    KMeans => "k-means",
    Herding => "herding",
});

/// Where the anchors start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Init {
    /// Distinct random rows.
    Random,
    /// k-means++ (Arthur & Vassilvitskii 2007).
    KMeansPlusPlus,
    /// Rows nearest to k-means centres.
    KMeans,
}

named!(Init, "init", {
    Random => "random",
    KMeansPlusPlus => "k-means++",
    KMeans => "k-means",
});

/// Parameters of a selection.
#[derive(Debug, Clone, PartialEq)]
pub struct SelectOptions {
    /// Stages that run.
    pub method: Method,
    /// Matching space.
    pub space: Space,
    /// Neighbours a row, k.
    pub n_neighbors: usize,
    /// Spectral components, c.
    pub n_components: usize,
    /// Frequencies of the library, q.
    pub n_freqs: usize,
    /// Start of the anchors.
    pub init: Init,
    /// The descent.
    pub optimize: OptimizeOptions,
    /// The exchange.
    pub exchange: ExchangeOptions,
    /// Seed of every random draw.
    pub seed: u64,
}

impl Default for SelectOptions {
    fn default() -> Self {
        Self {
            method: Method::Exchange,
            space: Space::Features,
            n_neighbors: 32,
            n_components: 32,
            n_freqs: 2048,
            init: Init::Random,
            optimize: OptimizeOptions::default(),
            exchange: ExchangeOptions::default(),
            seed: 0,
        }
    }
}

impl Method {
    /// Whether it takes account of included and excluded rows.
    #[must_use]
    pub fn heeds_standing(self) -> bool {
        matches!(self, Self::Fast | Self::Exchange | Self::Random)
    }
}

impl SelectOptions {
    /// Whether a stage is part of the method.
    fn runs(&self, stage: Stage) -> bool {
        match (self.method, stage) {
            (Method::Fast, Stage::Exchange) | (Method::Exchange, Stage::Exchange) => true,
            (Method::Fast | Method::Paper, Stage::Spectral) => self.space.needs_spectrum(),
            (Method::Fast | Method::Paper, stage) => {
                !matches!(stage, Stage::Exchange | Stage::Baseline)
            }
            (Method::Exchange, _) => false,
            (_, stage) => stage == Stage::Baseline,
        }
    }

    /// Checks every range.
    ///
    /// # Errors
    /// [`Error::Parameter`] naming the first one outside.
    pub fn check(&self) -> Result<()> {
        for (name, value, least) in [
            ("n_neighbors", self.n_neighbors, 2),
            ("n_components", self.n_components, 1),
            ("n_freqs", self.n_freqs, 3),
        ] {
            if value < least {
                return Err(Error::parameter(
                    name,
                    value,
                    format!("must be {least} or more"),
                ));
            }
        }
        self.optimize.check()?;
        self.exchange.check()
    }
}

/// Rows that are selected together, to their own distribution.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// Rows of Z, ascending.
    pub members: Vec<u32>,
    /// How many of them to select.
    pub quota: usize,
    /// What may become of each member; empty: all are free.
    pub standing: Vec<Standing>,
}

/// What may become of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It may be selected.
    Free,
    /// It is selected, whatever else is.
    Included,
    /// It is not selected, but counts as part of the whole.
    Excluded,
}

/// What happened in one group.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupFacts {
    /// Rows.
    pub n_rows: usize,
    /// Rows selected.
    pub quota: usize,
    /// Connected components of the fuzzy graph before they were joined; `None` without a graph.
    pub n_components_before: Option<usize>,
    /// Largest residual of the eigenpairs; `None` without them.
    pub eigen_residual: Option<f64>,
    /// Steps of the descent; `None` where there was nothing to choose.
    pub steps: Option<usize>,
    /// Whether the descent stopped before `max_steps`.
    pub stopped_early: bool,
    /// m times the held-out CF distance of the anchors, at the start and at the end.
    pub held_out: Option<(f64, f64)>,
    /// Distinct rows nearest to the anchors; `None` without a descent.
    pub distinct_anchors: Option<usize>,
    /// Rows that the exchange chose from: fewer than there are where few picks are made from many,
    /// and blocks are sampled; `None` without it.
    pub exchanged_rows: Option<usize>,
    /// Swaps of the exchange; `None` without it.
    pub swaps: Option<usize>,
}

/// Selected rows and what led to them.
#[derive(Debug, Clone, PartialEq)]
pub struct Selected {
    /// Rows of Z, ascending, distinct.
    pub rows: Vec<u32>,
    /// One entry a group, in the order given.
    pub groups: Vec<GroupFacts>,
}

type Step = fn(&mut Work<'_>, &SelectOptions, &Monitor) -> Result<()>;

/// Selects rows of `z`, (n, p0), prepared (see [`crate::prepare`]). Groups must not overlap.
///
/// # Errors
/// [`Error::Parameter`] for options or quotas out of range, [`Error::NotConverged`],
/// [`Error::Interrupted`].
pub fn select(
    z: MatrixView<'_>,
    groups: &[Group],
    options: &SelectOptions,
    monitor: &Monitor,
) -> Result<Selected> {
    options.check()?;
    if !options.method.heeds_standing() && groups.iter().any(|group| !group.standing.is_empty()) {
        let rule = "takes no account of included or excluded rows: use exchange, fast or random";
        return Err(Error::parameter("method", options.method.name(), rule));
    }
    let works = groups.iter().enumerate();
    let mut works = works
        .map(|(id, group)| Work::new(id, group, z))
        .collect::<Result<Vec<_>>>()?;
    let is_open = |group: &&Group| 0 < group.quota && group.quota < group.members.len();
    let rows = groups.iter().filter(is_open).map(|g| g.members.len()).sum();
    let picks = groups.iter().filter(is_open).map(|g| g.quota).sum();
    let open = groups.iter().filter(is_open).count();
    for (stage, total, step) in [
        (Stage::Neighbors, rows, find_neighbors as Step),
        (Stage::Graph, rows, build_graph),
        (Stage::Spectral, open * options.n_components, embed),
        (Stage::Frequencies, rows, set_target),
        (Stage::Optimize, picks, move_anchors),
        (Stage::Decode, picks, decode),
        (Stage::Baseline, picks, baseline),
        (
            Stage::Exchange,
            rows * (1 + options.exchange.max_sweeps),
            exchange,
        ),
    ] {
        if !options.runs(stage) {
            continue;
        }
        monitor.begin(stage, total)?;
        map_items(&mut works, |work| {
            if work.is_open() {
                step(work, options, monitor)
            } else {
                Ok(())
            }
        })?;
    }
    let mut rows = Vec::with_capacity(groups.iter().map(|g| g.quota).sum());
    let finished = works.into_iter().map(|work| work.finish(&mut rows));
    let groups = finished.collect();
    rows.sort_unstable();
    Ok(Selected { rows, groups })
}
