//! One group's way through the stages: what each stage reads and leaves behind.

use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use crate::baselines::{herding, k_center, kmeans_medoids, random};
use crate::block::Block;
use crate::cfd::characteristic_function;
use crate::connect::connect;
use crate::error::{Error, Result, check_len};
use crate::frequency::{BAND_EDGES, frequency_library, isotropic};
use crate::fuzzy::fuzzy_simplicial_set;
use crate::groups::{Balance, ClassSize, quotas};
use crate::knn::{Neighbors, knn};
use crate::linalg::{Matrix, MatrixView};
use crate::matching::Matcher;
use crate::monitor::Monitor;
use crate::optimize::{Optimized, Stop, Target, optimize};
use crate::parallel::{indexed, map_items};
use crate::partition::partition;
use crate::prepare::median_distance;
use crate::rng::{Purpose, stream};
use crate::seeding::kmeans_plus_plus;
use crate::select::{Group, GroupFacts, Init, Method, SelectOptions, Standing};
use crate::space::matching_space;
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

/// Picks of an exchange block at least: with fewer, rounded quotas would bend the distribution.
const BLOCK_PICKS: usize = 64;

/// A group on its way through the stages.
pub struct Work<'a> {
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
    standing: &'a [Standing],
    /// Rows of each exchange block and how many of them to select.
    blocks: Vec<(Vec<u32>, usize)>,
    start: Vec<u32>,
    target: Option<Target>,
    anchors: Option<Matrix>,
    picked: Vec<u32>,
}

impl<'a> Work<'a> {
    /// A group before the first stage; `z`: all rows, (n, p0).
    ///
    /// # Errors
    /// [`Error::Parameter`] for a quota that the group cannot give.
    pub fn new(id: usize, group: &'a Group, z: MatrixView<'a>) -> Result<Self> {
        let n = group.members.len();
        if !group.standing.is_empty() {
            check_len("standing", group.standing.len(), n)?;
        }
        let count = |kind| group.standing.iter().filter(|s| **s == kind).count();
        let (least, most) = (count(Standing::Included), n - count(Standing::Excluded));
        if group.quota < least || group.quota > most {
            let rule = format!("must be from {least} to {most}, the rows that can be selected");
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
                distinct_anchors: None,
                exchanged_rows: None,
                swaps: None,
            },
            neighbors: None,
            graph: None,
            spectral: None,
            u: Matrix::default(),
            standing: &group.standing,
            blocks: Vec::new(),
            start: Vec::new(),
            target: None,
            anchors: None,
            picked: Vec::new(),
        })
    }

    fn z(&self) -> MatrixView<'_> {
        self.own.as_ref().map_or(self.whole, Matrix::view)
    }

    fn standing(&self, i: u32) -> Standing {
        self.standing
            .get(i as usize)
            .copied()
            .unwrap_or(Standing::Free)
    }

    /// Blocks of equal size, quotas in proportion.
    fn split(&mut self, block_rows: usize, monitor: &Monitor) -> Result<()> {
        let count = n_blocks(self.n, self.quota, block_rows);
        let blocks = partition(self.z(), count, monitor)?;
        let size = |rows: &Vec<u32>| {
            let count = |kind| rows.iter().filter(|&&i| self.standing(i) == kind).count();
            ClassSize {
                rows: rows.len(),
                least: count(Standing::Included),
                most: rows.len() - count(Standing::Excluded),
            }
        };
        let sizes: Vec<ClassSize> = blocks.iter().map(size).collect();
        let shares = quotas(&sizes, self.quota, Balance::Proportional)?;
        self.blocks = blocks.into_iter().zip(shares).collect();
        Ok(())
    }

    /// The picks of a block: those of `picked`, as far as their standing allows, filled up or
    /// thinned out at random to `count`.
    fn fitting(
        &self,
        rows: &[u32],
        picked: &[bool],
        count: usize,
        rng: &mut ChaCha8Rng,
    ) -> Vec<u32> {
        let of = |kind: Standing, is_picked: bool| -> Vec<u32> {
            let fits = |i: &u32| self.standing(*i) == kind && picked[*i as usize] == is_picked;
            rows.iter().copied().filter(fits).collect()
        };
        let mut chosen = of(Standing::Included, true);
        chosen.extend(of(Standing::Included, false));
        for mut more in [of(Standing::Free, true), of(Standing::Free, false)] {
            more.shuffle(rng);
            more.truncate(count - chosen.len().min(count));
            chosen.extend(more);
        }
        chosen
    }

    /// Adds the rows selected, as rows of the whole, to `rows`.
    pub fn finish(self, rows: &mut Vec<u32>) -> GroupFacts {
        if self.is_open() {
            rows.extend(self.picked.iter().map(|&i| self.members[i as usize]));
        } else if self.quota > 0 {
            rows.extend_from_slice(self.members);
        }
        self.facts
    }

    /// Whether there is anything to choose.
    pub fn is_open(&self) -> bool {
        0 < self.quota && self.quota < self.n
    }
}

/// Blocks into which a group is cut for the exchange.
#[must_use]
pub fn n_blocks(rows: usize, quota: usize, block_rows: usize) -> usize {
    rows.div_ceil(block_rows).min((quota / BLOCK_PICKS).max(1))
}

/// The k nearest neighbours, unless the group is too small for a graph.
pub fn find_neighbors(
    work: &mut Work<'_>,
    options: &SelectOptions,
    monitor: &Monitor,
) -> Result<()> {
    if work.n < MIN_ROWS_PER_NEIGHBOR * options.n_neighbors {
        return monitor.advance(work.n);
    }
    work.neighbors = Some(knn(work.z(), options.n_neighbors, monitor)?);
    Ok(())
}

/// The fuzzy graph, joined to one component.
pub fn build_graph(work: &mut Work<'_>, options: &SelectOptions, monitor: &Monitor) -> Result<()> {
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

/// The spectral embedding.
pub fn embed(work: &mut Work<'_>, options: &SelectOptions, monitor: &Monitor) -> Result<()> {
    let (c, seed) = (options.n_components, options.seed);
    let Some(graph) = &work.graph else {
        return monitor.advance(c);
    };
    let embedding = spectral_embedding(graph, c, EIGEN_TOL, seed, work.id, monitor)?;
    work.facts.eigen_residual = Some(embedding.max_residual);
    work.spectral = Some(commute_time_scaled(&embedding));
    Ok(())
}

/// The matching space, the library of frequencies and the start rows.
pub fn set_target(work: &mut Work<'_>, options: &SelectOptions, monitor: &Monitor) -> Result<()> {
    let (seed, id) = (options.seed, work.id);
    let v = work.spectral.take();
    let view = v.as_ref().map(Matrix::view);
    work.u = matching_space(options.space, work.z(), view, seed, id)?;
    drop(v);
    work.split(options.exchange.block_rows, monitor)?;
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
            Ok(random(work.n, work.quota, &mut rng))
        }
        Init::KMeansPlusPlus => spread_rows(work, options, monitor),
        Init::KMeans => {
            let start = spread_rows(work, options, monitor)?;
            kmeans_medoids(work.z(), &start, monitor)
        }
    }
}

/// k-means++ in each block.
fn spread_rows(work: &Work<'_>, options: &SelectOptions, monitor: &Monitor) -> Result<Vec<u32>> {
    let z = work.z();
    let parts = map_items(indexed(&work.blocks), |(c, (rows, quota))| {
        let mut rng = stream(options.seed, Purpose::KMeans, work.id, c);
        kmeans_plus_plus(z, rows, *quota, &mut rng, monitor)
    })?;
    Ok(parts.concat())
}

/// A rival's selection.
pub fn baseline(work: &mut Work<'_>, options: &SelectOptions, monitor: &Monitor) -> Result<()> {
    let mut rng = stream(options.seed, Purpose::Init, work.id, 0);
    if options.method == Method::KMeans {
        work.split(options.exchange.block_rows, monitor)?;
    }
    let z = work.z();
    work.picked = match options.method {
        Method::KCenter => k_center(z, work.quota, &mut rng, monitor)?,
        Method::KMeans => {
            let rows = kmeans_medoids(z, &spread_rows(work, options, monitor)?, monitor)?;
            monitor.advance(rows.len())?;
            rows
        }
        Method::Herding => {
            let unit = median_distance(z, options.seed, work.id);
            herding(z, work.quota, unit, monitor)?
        }
        _ => {
            monitor.advance(work.quota)?;
            let all: Vec<u32> = (0..work.n as u32).collect();
            work.fitting(&all, &vec![false; work.n], work.quota, &mut rng)
        }
    };
    Ok(())
}

/// The descent.
pub fn move_anchors(work: &mut Work<'_>, options: &SelectOptions, monitor: &Monitor) -> Result<()> {
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

/// Anchors to distinct rows.
pub fn decode(work: &mut Work<'_>, _options: &SelectOptions, monitor: &Monitor) -> Result<()> {
    let Some(y) = work.anchors.take() else {
        return monitor.advance(work.quota);
    };
    let matcher = Matcher::new(work.u.view(), work.graph.as_ref(), &work.start)?;
    let decoded = matcher.decode(y.view(), monitor)?;
    work.facts.distinct_anchors = Some(decoded.n_distinct);
    work.picked = decoded.rows;
    Ok(())
}

/// Swaps in each block.
pub fn exchange(work: &mut Work<'_>, options: &SelectOptions, monitor: &Monitor) -> Result<()> {
    if options.method == Method::Exchange {
        work.split(options.exchange.block_rows, monitor)?;
        work.picked = start_rows(work, options, monitor)?;
    }
    let mut picked = vec![false; work.n];
    work.picked.iter().for_each(|&i| picked[i as usize] = true);
    let z = work.z();
    let unit = 1.0 / median_distance(z, options.seed, work.id);
    let blocks = map_items(indexed(&work.blocks), |(b, (rows, quota))| {
        let mut rng = stream(options.seed, Purpose::Exchange, work.id, b);
        let own = work.fitting(rows, &picked, *quota, &mut rng);
        let left_out = rows.len();
        let rows = with_picks(rows, &own, options.exchange.block_rows, &mut rng);
        let left_out = left_out - rows.len();
        monitor.advance(left_out * (1 + options.exchange.max_sweeps))?;
        let mut x = z.gather(&rows);
        x.as_mut_slice().iter_mut().for_each(|v| *v *= unit);
        let block = Block::new(x.view(), options.exchange.base_radius, monitor)?;
        let fixed: Vec<bool> = rows
            .iter()
            .map(|&i| work.standing(i) != Standing::Free)
            .collect();
        // Rows ascend, so that a row's place is found by bisection.
        let mut local: Vec<u32> = own
            .iter()
            .map(|i| rows.partition_point(|row| row < i) as u32)
            .collect();
        let swaps = block.exchange(&mut local, &fixed, &options.exchange, &mut rng, monitor)?;
        let chosen = local.into_iter().map(|i| rows[i as usize]);
        Ok((rows.len(), swaps, chosen.collect::<Vec<u32>>()))
    })?;
    work.facts.exchanged_rows = Some(blocks.iter().map(|(rows, _, _)| rows).sum());
    work.facts.swaps = Some(blocks.iter().map(|(_, swaps, _)| swaps).sum());
    work.picked = blocks
        .into_iter()
        .flat_map(|(_, _, picked)| picked)
        .collect();
    Ok(())
}

/// `rows`, or where a block had to be larger than `block_rows` (few picks from many rows) a sample of
/// that many which holds its picks; ascending.
fn with_picks(rows: &[u32], picks: &[u32], block_rows: usize, rng: &mut ChaCha8Rng) -> Vec<u32> {
    let limit = block_rows.max(2 * picks.len());
    if rows.len() <= limit {
        return rows.to_vec();
    }
    let mut kept = picks.to_vec();
    kept.sort_unstable();
    let others: Vec<u32> = rows
        .iter()
        .copied()
        .filter(|i| kept.binary_search(i).is_err())
        .collect();
    let drawn = random(others.len(), limit - kept.len(), rng);
    kept.extend(drawn.into_iter().map(|k| others[k as usize]));
    kept.sort_unstable();
    kept
}
