//! The pipeline: prepared rows in, exactly the rows asked for out.
//!
//! Stages run one after the other over all groups, so that time, energy and progress of a stage mean
//! the same with and without labels; inside a stage the groups run side by side.

use std::borrow::Cow;

use rand::seq::index::sample;

use crate::cfd::characteristic_function;
use crate::connect::connect;
use crate::error::{Error, Result};
use crate::frequency::{BAND_EDGES, frequency_library, isotropic};
use crate::fuzzy::fuzzy_simplicial_set;
use crate::kmeans::kmeans_plus_plus;
use crate::knn::{Neighbors, knn};
use crate::linalg::{Matrix, MatrixView};
use crate::matching::Matcher;
use crate::names::named;
use crate::monitor::{Monitor, Stage};
use crate::optimize::{OptimizeOptions, Optimized, Stop, Target, optimize};
use crate::parallel::map_items;
use crate::rng::{Purpose, stream};
use crate::space::{Space, matching_space};
use crate::sparse::CsrMatrix;
use crate::spectral::{commute_time_scaled, spectral_embedding};

/// Neighbourhood sizes whose fuzzy sets are fused.
const SCALES: [usize; 3] = [8, 16, 32];
/// A group of fewer than this many times k rows has no use for a graph.
const MIN_ROWS_PER_NEIGHBOR: usize = 4;
/// Held-out frequencies of the stop rule.
const HELD_OUT: usize = 512;
/// Frequencies of a group at least, where the group is smaller than the library.
const MIN_FREQS: usize = 256;
/// Residual of the eigenpairs.
const EIGEN_TOL: f64 = 1e-4;

/// Where the anchors start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Init {
    /// Distinct random rows.
    Random,
    /// k-means++ (Arthur & Vassilvitskii 2007).
    KMeansPlusPlus,
}

named!(Init, "init", {
    Random => "random",
    KMeansPlusPlus => "kmeans++",
});

/// Parameters of a selection.
#[derive(Debug, Clone, PartialEq)]
pub struct SelectOptions {
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
    /// Seed of every random draw.
    pub seed: u64,
}

impl Default for SelectOptions {
    fn default() -> Self {
        Self {
            space: Space::Joint,
            n_neighbors: 32,
            n_components: 32,
            n_freqs: 2048,
            init: Init::Random,
            optimize: OptimizeOptions::default(),
            seed: 0,
        }
    }
}

impl SelectOptions {
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
        self.optimize.check()
    }
}

/// Rows that are selected together, to their own distribution.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// Rows of Z, ascending.
    pub members: Vec<u32>,
    /// How many of them to select, at most all.
    pub quota: usize,
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
}

/// Selected rows and what led to them.
#[derive(Debug, Clone, PartialEq)]
pub struct Selected {
    /// Rows of Z, ascending, distinct.
    pub rows: Vec<u32>,
    /// One entry a group, in the order given.
    pub groups: Vec<GroupFacts>,
}

/// A group on its way through the stages.
struct Work<'a> {
    id: usize,
    z: Cow<'a, [f32]>,
    n: usize,
    members: &'a [u32],
    quota: usize,
    facts: GroupFacts,
    neighbors: Option<Neighbors>,
    graph: Option<CsrMatrix>,
    spectral: Option<Matrix>,
    u: Matrix,
    start: Vec<u32>,
    target: Option<Target>,
    anchors: Option<Matrix>,
    picked: Vec<u32>,
}

impl<'a> Work<'a> {
    fn new(id: usize, group: &'a Group, z: MatrixView<'a>) -> Result<Self> {
        let n = group.members.len();
        if group.quota > n {
            let rule = format!("is more than the {n} rows to choose from");
            return Err(Error::parameter("count", group.quota, rule));
        }
        let all = n == z.rows();
        Ok(Self {
            id,
            z: if all {
                Cow::Borrowed(z.as_slice())
            } else {
                Cow::Owned(z.gather(&group.members).into_vec())
            },
            n,
            members: &group.members,
            quota: group.quota,
            facts: GroupFacts {
                n_rows: n,
                quota: group.quota,
                n_components_before: None,
                eigen_residual: None,
                steps: None,
                stopped_early: false,
                held_out: None,
            },
            neighbors: None,
            graph: None,
            spectral: None,
            u: Matrix::default(),
            start: Vec::new(),
            target: None,
            anchors: None,
            picked: Vec::new(),
        })
    }

    fn z(&self) -> Result<MatrixView<'_>> {
        MatrixView::new(&self.z, self.n, self.z.len() / self.n.max(1))
    }

    /// Whether there is anything to choose.
    fn is_open(&self) -> bool {
        0 < self.quota && self.quota < self.n
    }
}

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
    let works = groups.iter().enumerate();
    let mut works = works
        .map(|(id, group)| Work::new(id, group, z))
        .collect::<Result<Vec<_>>>()?;
    let rows = works.iter().filter(|w| w.is_open()).map(|w| w.n).sum();
    let picks = works.iter().filter(|w| w.is_open()).map(|w| w.quota).sum();
    let open = works.iter().filter(|w| w.is_open()).count();
    type Step = fn(&mut Work<'_>, &SelectOptions, &Monitor) -> Result<()>;
    let stages: [(Stage, usize, Step); 6] = [
        (Stage::Neighbors, rows, find_neighbors),
        (Stage::Graph, rows, build_graph),
        (Stage::Spectral, open * options.n_components, embed),
        (Stage::Frequencies, rows, set_target),
        (Stage::Optimize, picks, move_anchors),
        (Stage::Decode, picks, decode),
    ];
    for (stage, total, step) in stages {
        if stage == Stage::Spectral && !options.space.needs_spectrum() {
            continue;
        }
        monitor.begin(stage, total)?;
        map_items(&mut works, |work| {
            if work.is_open() { step(work, options, monitor) } else { Ok(()) }
        })?;
    }
    let mut rows = Vec::with_capacity(picks);
    for work in &works {
        if work.is_open() {
            rows.extend(work.picked.iter().map(|&i| work.members[i as usize]));
        } else if work.quota > 0 {
            rows.extend_from_slice(work.members);
        }
    }
    rows.sort_unstable();
    let groups = works.into_iter().map(|w| w.facts).collect();
    Ok(Selected { rows, groups })
}

fn find_neighbors(work: &mut Work<'_>, options: &SelectOptions, monitor: &Monitor) -> Result<()> {
    if work.n < MIN_ROWS_PER_NEIGHBOR * options.n_neighbors {
        return monitor.advance(work.n);
    }
    work.neighbors = Some(knn(work.z()?, options.n_neighbors, monitor)?);
    Ok(())
}

fn build_graph(work: &mut Work<'_>, options: &SelectOptions, monitor: &Monitor) -> Result<()> {
    let Some(neighbors) = work.neighbors.take() else {
        return monitor.advance(work.n);
    };
    let k = options.n_neighbors;
    let mut scales: Vec<usize> = SCALES.iter().copied().filter(|&s| s < k).collect();
    scales.push(k);
    let fuzzy = fuzzy_simplicial_set(&neighbors, work.n, &scales, monitor)?;
    let connected = connect(fuzzy, work.z()?, monitor)?;
    work.facts.n_components_before = Some(connected.n_components_before);
    work.graph = Some(connected.graph);
    Ok(())
}

fn embed(work: &mut Work<'_>, options: &SelectOptions, monitor: &Monitor) -> Result<()> {
    let (c, seed) = (options.n_components, options.seed);
    let Some(graph) = &work.graph else {
        return monitor.advance(c);
    };
    let embedding = spectral_embedding(graph, c, EIGEN_TOL, seed, work.id, monitor)?;
    work.facts.eigen_residual = Some(embedding.max_residual);
    work.spectral = Some(commute_time_scaled(&embedding));
    Ok(())
}

fn set_target(work: &mut Work<'_>, options: &SelectOptions, monitor: &Monitor) -> Result<()> {
    let (seed, id) = (options.seed, work.id);
    let v = work.spectral.take();
    let v = v.as_ref().map(Matrix::view);
    work.u = matching_space(options.space, work.z()?, v, seed, id)?;
    work.start = start_rows(work.u.view(), work.quota, options, id, monitor)?;
    let q = options.n_freqs.min(work.n.max(MIN_FREQS));
    let start = work.u.view().gather(&work.start);
    let library = frequency_library(work.u.view(), start.view(), q, seed, id, monitor)?;
    let band = (BAND_EDGES[0], BAND_EDGES[3]);
    let mut rng = stream(seed, Purpose::HeldOut, id, 0);
    let held_out = isotropic(HELD_OUT.min(q), work.u.cols(), band, &mut rng).freqs;
    let held_out_reference =
        characteristic_function(work.u.view(), held_out.view(), |_| monitor.check())?;
    let tick = |rows| monitor.advance(rows);
    let reference = characteristic_function(work.u.view(), library.freqs.view(), tick)?;
    work.target = Some(Target {
        library,
        reference,
        held_out,
        held_out_reference,
    });
    Ok(())
}

fn start_rows(
    u: MatrixView<'_>,
    quota: usize,
    options: &SelectOptions,
    group: usize,
    monitor: &Monitor,
) -> Result<Vec<u32>> {
    match options.init {
        Init::Random => {
            let mut rng = stream(options.seed, Purpose::Init, group, 0);
            let rows = sample(&mut rng, u.rows(), quota);
            Ok(rows.into_iter().map(|i| i as u32).collect())
        }
        Init::KMeansPlusPlus => kmeans_plus_plus(u, quota, options.seed, group, monitor),
    }
}

fn move_anchors(work: &mut Work<'_>, options: &SelectOptions, monitor: &Monitor) -> Result<()> {
    let Some(target) = &work.target else {
        return monitor.advance(work.quota);
    };
    let mut matcher = Matcher::new(work.u.view(), work.graph.as_ref(), &work.start)?;
    let start = work.u.view().gather(&work.start);
    let (seed, id) = (options.seed, work.id);
    let Optimized {
        y,
        steps,
        stop,
        held_out,
    } = optimize(start, &mut matcher, target, &options.optimize, seed, id, monitor)?;
    work.facts.steps = Some(steps);
    work.facts.stopped_early = stop == Stop::NoProgress;
    work.facts.held_out = Some(held_out);
    work.start = matcher.col_ind().to_vec();
    work.anchors = Some(y);
    Ok(())
}

fn decode(work: &mut Work<'_>, _options: &SelectOptions, monitor: &Monitor) -> Result<()> {
    let Some(y) = work.anchors.take() else {
        return monitor.advance(work.quota);
    };
    let matcher = Matcher::new(work.u.view(), work.graph.as_ref(), &work.start)?;
    work.picked = matcher.decode(y.view(), monitor)?;
    Ok(())
}
