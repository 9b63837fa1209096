//! The pipeline: prepared rows in, exactly the rows asked for out.
//!
//! Stages run one after the other over all groups, so that time, energy and progress of a stage mean
//! the same with and without labels; inside a stage the groups run side by side.

use rand::seq::index::sample;
use rand_chacha::ChaCha8Rng;

use crate::cfd::characteristic_function;
use crate::connect::connect;
use crate::error::{Error, Result};
use crate::exchange::{Cell, ExchangeOptions, fill_up, thin_out};
use crate::frequency::{BAND_EDGES, frequency_library, isotropic};
use crate::fuzzy::fuzzy_simplicial_set;
use crate::groups::{Balance, quotas};
use crate::knn::{Neighbors, knn};
use crate::linalg::{Matrix, MatrixView};
use crate::matching::Matcher;
use crate::monitor::{Monitor, Stage};
use crate::names::named;
use crate::optimize::{OptimizeOptions, Optimized, Stop, Target, optimize};
use crate::parallel::{indexed, map_items};
use crate::partition::partition;
use crate::prepare::median_distance;
use crate::rng::{Purpose, stream};
use crate::seeding::kmeans_plus_plus;
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

/// Rows of an exchange cell at most: two matrices of 16 MiB each while a thread works on it.
const CELL_ROWS: usize = 2048;
/// Picks of a cell at least: with fewer, rounded quotas would bend the distribution.
const CELL_PICKS: usize = 8;

/// Which stages run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// The paper's stages, then exchange.
    Fast,
    /// The paper's stages.
    Paper,
    /// Exchange from the start rows: no graph, no descent.
    Exchange,
}

named!(Method, "method", {
    Fast => "fast",
    Paper => "paper",
    Exchange => "exchange",
});

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
            method: Method::Fast,
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

impl SelectOptions {
    /// Whether a stage is part of the method.
    fn runs(&self, stage: Stage) -> bool {
        match stage {
            Stage::Exchange => self.method != Method::Paper,
            Stage::Spectral => self.method != Method::Exchange && self.space.needs_spectrum(),
            _ => self.method != Method::Exchange,
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

/// A group on its way through the stages.
struct Work<'a> {
    id: usize,
    /// Z of all rows, and of the group's where that is not the same.
    whole: MatrixView<'a>,
    own: Option<Matrix>,
    n: usize,
    members: &'a [u32],
    quota: usize,
    facts: GroupFacts,
    neighbors: Option<Neighbors>,
    graph: Option<CsrMatrix>,
    spectral: Option<Matrix>,
    u: Matrix,
    /// Rows of each exchange cell and how many of them to select.
    cells: Vec<(Vec<u32>, usize)>,
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
        Ok(Self {
            id,
            whole: z,
            own: (n < z.rows()).then(|| z.gather(&group.members)),
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
                swaps: None,
            },
            neighbors: None,
            graph: None,
            spectral: None,
            u: Matrix::default(),
            cells: Vec::new(),
            start: Vec::new(),
            target: None,
            anchors: None,
            picked: Vec::new(),
        })
    }

    fn z(&self) -> MatrixView<'_> {
        self.own.as_ref().map_or(self.whole, Matrix::view)
    }

    /// Cells of equal size, quotas in proportion.
    fn split_into_cells(&mut self, monitor: &Monitor) -> Result<()> {
        let n_cells = self
            .n
            .div_ceil(CELL_ROWS)
            .min((self.quota / CELL_PICKS).max(1));
        let rows = partition(self.z(), n_cells, monitor)?;
        let sizes: Vec<usize> = rows.iter().map(Vec::len).collect();
        let shares = quotas(&sizes, self.quota, Balance::Proportional)?;
        self.cells = rows.into_iter().zip(shares).collect();
        Ok(())
    }

    /// Whether there is anything to choose.
    fn is_open(&self) -> bool {
        0 < self.quota && self.quota < self.n
    }
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
    let works = groups.iter().enumerate();
    let mut works = works
        .map(|(id, group)| Work::new(id, group, z))
        .collect::<Result<Vec<_>>>()?;
    let rows = works.iter().filter(|w| w.is_open()).map(|w| w.n).sum();
    let picks = works.iter().filter(|w| w.is_open()).map(|w| w.quota).sum();
    let open = works.iter().filter(|w| w.is_open()).count();
    for (stage, total, step) in [
        (Stage::Neighbors, rows, find_neighbors as Step),
        (Stage::Graph, rows, build_graph),
        (Stage::Spectral, open * options.n_components, embed),
        (Stage::Frequencies, rows, set_target),
        (Stage::Optimize, picks, move_anchors),
        (Stage::Decode, picks, decode),
        (Stage::Exchange, rows, exchange),
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
    work.neighbors = Some(knn(work.z(), options.n_neighbors, monitor)?);
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
    let connected = connect(fuzzy, work.z(), monitor)?;
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
    work.u = matching_space(options.space, work.z(), v, seed, id)?;
    work.split_into_cells(monitor)?;
    work.start = start_rows(work, options, monitor)?;
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

fn start_rows(work: &Work<'_>, options: &SelectOptions, monitor: &Monitor) -> Result<Vec<u32>> {
    match options.init {
        Init::Random => {
            let mut rng = stream(options.seed, Purpose::Init, work.id, 0);
            let rows = sample(&mut rng, work.n, work.quota);
            Ok(rows.into_iter().map(|i| i as u32).collect())
        }
        Init::KMeansPlusPlus => {
            let z = work.z();
            let parts = map_items(indexed(&work.cells), |(c, (rows, quota))| {
                let mut rng = stream(options.seed, Purpose::KMeans, work.id, c);
                kmeans_plus_plus(z, rows, *quota, &mut rng, monitor)
            })?;
            Ok(parts.concat())
        }
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
    } = optimize(
        start,
        &mut matcher,
        target,
        &options.optimize,
        seed,
        id,
        monitor,
    )?;
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

fn exchange(work: &mut Work<'_>, options: &SelectOptions, monitor: &Monitor) -> Result<()> {
    if options.method == Method::Exchange {
        work.split_into_cells(monitor)?;
        work.picked = start_rows(work, options, monitor)?;
    }
    let mut picked = vec![false; work.n];
    work.picked.iter().for_each(|&i| picked[i as usize] = true);
    let z = work.z();
    let unit = 1.0 / median_distance(z, options.seed, work.id);
    let cells = map_items(indexed(&work.cells), |(c, (rows, quota))| {
        let mut rng = stream(options.seed, Purpose::Exchange, work.id, c);
        let rows = sampled(rows, &picked, *quota, &mut rng);
        let mut x = z.gather(&rows);
        x.as_mut_slice().iter_mut().for_each(|v| *v *= unit);
        let cell = Cell::new(x.view(), &options.exchange, monitor)?;
        let local = (0..rows.len() as u32).filter(|&i| picked[rows[i as usize] as usize]);
        let mut local: Vec<u32> = local.collect();
        thin_out(&cell, &mut local, *quota);
        fill_up(&cell, &mut local, *quota, |_| true, monitor)?;
        let swaps = cell.exchange(&mut local, &[], &options.exchange, &mut rng, monitor)?;
        monitor.advance(work.cells[c].0.len())?;
        Ok((
            swaps,
            local
                .into_iter()
                .map(|i| rows[i as usize])
                .collect::<Vec<u32>>(),
        ))
    })?;
    work.facts.swaps = Some(cells.iter().map(|(swaps, _)| swaps).sum());
    work.picked = cells.into_iter().flat_map(|(_, rows)| rows).collect();
    Ok(())
}

/// `rows`, or where a cell had to be larger than [`CELL_ROWS`] (few picks from many rows), a sample of
/// that many which holds its picks; ascending.
fn sampled(rows: &[u32], picked: &[bool], quota: usize, rng: &mut ChaCha8Rng) -> Vec<u32> {
    let limit = CELL_ROWS.max(2 * quota);
    if rows.len() <= limit {
        return rows.to_vec();
    }
    let (mut kept, others): (Vec<u32>, Vec<u32>) = rows.iter().partition(|&&i| picked[i as usize]);
    let free = limit.saturating_sub(kept.len());
    kept.extend(
        sample(rng, others.len(), free.min(others.len()))
            .into_iter()
            .map(|k| others[k]),
    );
    kept.sort_unstable();
    kept
}
