//! Seconds and bytes of each stage, from the sizes of a selection.
//!
//! Bytes are counted from the buffers that a stage holds at its peak; those of the paper's graphs were
//! measured on Fashion-MNIST. Time is counted in multiply-adds of a blocked product. What a stage does
//! beside such products counts as the multiply-adds that would take as long: the constants below, taken
//! by stage on an AVX-512 machine; `tests/bench/fit_plan.py` fits them anew and shows what they miss.

use crate::baselines::MAX_ITER;
use crate::exchange::block::graph_size;
use crate::exchange::residual::{n_freqs, strength};
use crate::exchange::{CANDIDATE_BATCH, SHORT};
use crate::graph::{ROOM, SLACK};
use crate::numeric::partition::n_blocks;
use crate::options::{Method, Space, ValidParams, Weighting};
use crate::prepare::{N_DIMS, OVERSAMPLES, PASSES, PCA_TASKS, sum_bytes};
use crate::quality::COVERAGE_ROWS;
use crate::quality::evaluate::N_BY_BLOCKS;
use crate::quality::unseen::{N_FREQS, TOGETHER};
use crate::run::error::Result;
use crate::run::monitor::Stage;
use crate::run::parallel::PARTIAL_SUMS;
use crate::select::group_state::{is_open, most_rows};
use crate::select::quotas::class_quotas;
use crate::select::ranking::RANKED_SHARES;
use crate::spectral::BLOCK;
use crate::weights::ROWS as CELL_ROWS;

/// The outline of a selection.
#[derive(Debug, Clone, PartialEq)]
pub struct Outline {
    /// Columns of the input, d.
    pub n_cols: usize,
    /// Rows and quota of each group.
    pub groups: Vec<(usize, usize)>,
    /// Threads.
    pub n_threads: usize,
    /// Whether Z lies in room that the caller has, not in memory.
    pub is_mapped: bool,
}

/// What a stage takes.
#[derive(Debug, Clone, PartialEq)]
pub struct StageCost {
    /// The stage.
    pub stage: Stage,
    /// Bytes held at its peak, with what earlier stages left.
    pub bytes: u64,
    /// Multiply-adds, or what takes as long.
    pub multiply_adds: f64,
    /// What the bytes are made of.
    pub formula: String,
}

// Multiply-adds, or what takes as long:
/// of reading, converting and checking an entry of the input;
const READ_COST: f64 = 65.0;
/// of a pair of rows in the exchange, beyond their product;
const PAIR_COST: f64 = 120.0;
/// of a neighbour in the exchange;
const LIST_COST: f64 = 6000.0;
/// of a kernel between a candidate and a pick, beyond their product;
const KERNEL_COST: f64 = 10.0;
/// of a pick and a row of its block, in all swaps together;
const SWAP_COST: f64 = 500.0;
/// of a block of the exchange;
const EXCHANGE_COST: f64 = 4.5e8;
/// of a sine and a cosine;
const SINCOS_COST: f64 = 16.0;
/// of two rows in the search for neighbours, beyond half their product;
const SCAN_COST: f64 = 35.0;
/// of a neighbour that is kept there;
const NEAREST_COST: f64 = 1e4;
/// of a neighbour in the fuzzy graph;
const NEIGHBOR_COST: f64 = 5500.0;
/// of a neighbour and a component in the spectral embedding;
const SPECTRAL_COST: f64 = 800.0;
/// of the library of frequencies of a group;
const LIBRARY_COST: f64 = 8e8;
/// of a step of the descent;
const STEP_COST: f64 = 7e6;
/// of an anchor in a step, matching and all, beyond its frequencies;
const ANCHOR_COST: f64 = 1.2e5;
/// of the same, for each column;
const ANCHOR_COLUMN_COST: f64 = 1.3e3;
/// of an anchor and a frequency in a step, beyond their products;
const ANCHOR_FREQUENCY_COST: f64 = 400.0;
/// of an anchor in the last matching;
const DECODE_COST: f64 = 4.5e5;
/// of a row and a frequency of the quality, with sines, cosines and sums, beyond their product;
const PHASE_COST: f64 = 75.0;
/// of a selected and a sampled row in the coverage;
const COVERAGE_COST: f64 = 17.0;
/// of the same, for each column;
const COVERAGE_COLUMN_COST: f64 = 0.55;
/// of a row and a pick of its class in the search for the nearest, beyond their product;
const NEAREST_PICK_COST: f64 = 4.0;
/// of a column of a row, each time that rows are cut in two for the draws by blocks;
const CUT_COST: f64 = 20.0;
/// of a column of a row and a pick that a rival compares on one thread.
const RIVAL_COST: f64 = 30.0;
/// of a row and a pick of its block in their order, beyond their products;
const RANK_COST: f64 = 180.0;
/// of a row in the same;
const RANKED_ROW_COST: f64 = 1e5;
// Products, with what else grows like them:
/// passes over the phases of all rows for the frequencies;
const PHASE_PASSES: f64 = 3.0;
/// products of anchors with rows in the last matching;
const DECODE_PRODUCTS: f64 = 3.0;
/// products of sampled rows with all in the coverage; cells and moments are among them.
const COVERAGE_PRODUCTS: f64 = 2.5;
/// products of rows with picks in their order.
const RANK_PRODUCTS: f64 = 5.0;
/// Bytes of a row while picks are ordered.
const RANKED_ROW_BYTES: usize = 400;
/// Bytes of an entry of a sketch, with its factorisation.
const FACTOR_BYTES: usize = 72;
/// Candidates that a row collects beyond its neighbours.
const CANDIDATES: usize = SLACK + ROOM;
/// Bytes of a row of a block of the exchange, and of a neighbour while it is searched for.
const BLOCK_ROW_BYTES: usize = 240;
const NEIGHBOR_BYTES: usize = 32;
/// Bytes of a row while its nearest pick is searched for: places in cells and parts of cells, as measured.
const WEIGHED_ROW_BYTES: usize = 96;
/// Bytes of a row while rows are cut into cells: itself twice, and its place along a direction.
const CUT_BYTES: usize = 24;
/// Bytes a neighbour that a fuzzy graph takes while it is made, and when it is done.
const GRAPH_BYTES: usize = 48;
const JOINED_BYTES: usize = 14;

impl Outline {
    /// Of the selection of `count` rows from classes of `sizes` rows each.
    ///
    /// ```
    /// use fast_select_core::options::ValidParams;
    /// use fast_select_core::select::plan::Outline;
    ///
    /// // Shared out as select would.
    /// let outline = Outline::new(8, &[60, 30, 10], 10, 2, &ValidParams::default())?;
    /// assert_eq!(outline.groups, [(60, 6), (30, 3), (10, 1)]);
    /// # Ok::<(), fast_select_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`crate::Error::Refused`] where the classes cannot give that many.
    pub fn new(
        n_cols: usize,
        sizes: &[usize],
        count: usize,
        n_threads: usize,
        params: &ValidParams,
    ) -> Result<Self> {
        let classes = sizes.iter().map(|&rows| (rows, &[][..]));
        let quotas = class_quotas(classes, count, params)?;
        Ok(Self {
            n_cols,
            groups: sizes.iter().copied().zip(quotas).collect(),
            n_threads: n_threads.max(1),
            is_mapped: false,
        })
    }
}

/// The sizes that the stages' costs are made of.
pub struct Sizes<'a> {
    outline: &'a Outline,
    params: &'a ValidParams,
    /// Rows, columns, columns kept, and picks.
    n: usize,
    d: usize,
    p: usize,
    m: usize,
    /// Rows of the groups, the largest first.
    groups: Vec<usize>,
    /// Bytes of Z, and of it with that of the groups.
    z: usize,
    held: usize,
    /// Columns of the matching space U.
    p_u: usize,
}

impl<'a> Sizes<'a> {
    /// Of a selection with these parameters.
    pub fn new(outline: &'a Outline, params: &'a ValidParams) -> Self {
        let mut groups: Vec<usize> = outline.groups.iter().map(|(rows, _)| *rows).collect();
        groups.sort_unstable_by(|a, b| b.cmp(a));
        let (n, d) = (groups.iter().sum::<usize>(), outline.n_cols);
        let p = d.min(N_DIMS);
        let z = if outline.is_mapped {
            4 * n
        } else {
            4 * n * (p + 1)
        };
        let own = if groups.len() > 1 { 4 * n * p } else { 0 };
        let c = params.n_components;
        Self {
            outline,
            params,
            n,
            d,
            p,
            m: outline.groups.iter().map(|(_, quota)| quota).sum(),
            groups,
            z,
            held: z + own,
            p_u: match params.space {
                Space::Features => p,
                Space::Joint => p + c,
                Space::Spectral => c,
            },
        }
    }

    /// Rows of the groups or blocks that run at the same time: the largest, one a thread.
    fn at_once(&self, descending: &[usize]) -> usize {
        descending.iter().take(self.outline.n_threads).sum()
    }

    /// Bytes of the graph.
    fn graph_bytes(&self) -> usize {
        JOINED_BYTES * self.n * self.params.n_neighbors
    }

    /// What a stage takes, where it runs.
    pub fn cost(&self, stage: Stage) -> StageCost {
        let mut cost = match stage {
            Stage::Prepare => self.prepare(),
            Stage::Neighbors => self.neighbors(),
            Stage::Graph => self.graph(),
            Stage::Spectral => self.spectral(),
            Stage::Frequencies => self.frequencies(),
            Stage::Optimize => self.optimize(),
            Stage::Decode => self.decode(),
            Stage::Baseline => self.baseline(),
            Stage::Exchange => self.exchange(),
            Stage::Rank => self.rank(),
            Stage::Weights => self.weights(),
            Stage::Quality => self.quality(),
        };
        if self.outline.is_mapped {
            cost.formula += "; Z is mapped";
        }
        cost
    }

    fn prepare(&self) -> StageCost {
        let (n, d, p) = (self.n, self.d, self.p);
        let hashes = 16 * n + self.outline.n_threads * (4 << 16);
        let statistics = hashes + sum_bytes(d);
        let (bytes, passes) = if d > p {
            let r = p + OVERSAMPLES;
            let scores = if self.outline.is_mapped {
                4 * n
            } else {
                4 * n * (r + 1)
            };
            // The sketch, partial sums of the next, and its factorisation in f64.
            let sketches = 4 * (1 + PCA_TASKS.min(self.outline.n_threads + 1));
            let sketch = d * r * sketches.max(FACTOR_BYTES);
            let passes = 2.0 * PASSES as f64 - 1.0;
            (statistics.max(sketch).max(scores + 4 * d * r), passes)
        } else {
            (statistics.max(self.z), 0.0)
        };
        let reads = 1.0 + (passes + 1.0) / 2.0;
        let products = passes * (p + OVERSAMPLES) as f64;
        StageCost {
            stage: Stage::Prepare,
            bytes: bytes as u64,
            multiply_adds: (n * d) as f64 * (reads * READ_COST + products),
            formula: if d > p {
                format!(
                    "scores 4 n (p + {OVERSAMPLES}), or sketches {FACTOR_BYTES} d (p + {OVERSAMPLES})"
                )
            } else {
                "Z, or hashes 16 n".to_owned()
            },
        }
    }

    fn neighbors(&self) -> StageCost {
        let (n, k) = (self.n, self.params.n_neighbors);
        let squares: f64 = self.groups.iter().map(|&g| (g * g) as f64).sum();
        let lists = 8 * (2 * k + CANDIDATES) * self.at_once(&self.groups);
        StageCost {
            stage: Stage::Neighbors,
            bytes: (self.held + 8 * n * k + lists + 4 * self.p * self.at_once(&self.groups)) as u64,
            multiply_adds: squares * (0.5 * self.p as f64 + SCAN_COST)
                + NEAREST_COST * (n * k) as f64,
            formula: format!("Z, groups' Z, 8 n k, (8 (2 k + {CANDIDATES}) + 4 p) rows at once"),
        }
    }

    fn graph(&self) -> StageCost {
        let (n, k) = (self.n, self.params.n_neighbors);
        let near = (8 * n * k).min(self.graph_bytes());
        let made = GRAPH_BYTES * k * self.at_once(&self.groups);
        StageCost {
            stage: Stage::Graph,
            bytes: (self.held + near + made) as u64,
            multiply_adds: NEIGHBOR_COST * (n * k) as f64,
            formula: format!("Z, groups' Z, 8 n k, {GRAPH_BYTES} k rows at once"),
        }
    }

    fn spectral(&self) -> StageCost {
        let (n, k, c) = (self.n, self.params.n_neighbors, self.params.n_components);
        let row = 24 * c + 16 * BLOCK + JOINED_BYTES * k;
        let bytes = self.held + self.graph_bytes() + 4 * n * c + row * self.at_once(&self.groups);
        StageCost {
            stage: Stage::Spectral,
            bytes: bytes as u64,
            multiply_adds: SPECTRAL_COST * (n * k * c) as f64,
            formula: format!(
                "Z, groups' Z, {JOINED_BYTES} n k, 4 n c, (24 c + {} + {JOINED_BYTES} k) rows at once",
                16 * BLOCK
            ),
        }
    }

    fn frequencies(&self) -> StageCost {
        let (n, q, p_u) = (self.n, self.params.n_freqs, self.p_u);
        let v = if self.params.space.needs_spectrum() {
            4 * n * self.params.n_components
        } else {
            0
        };
        let bytes = self.held + self.graph_bytes() + v + 4 * n * p_u + PARTIAL_SUMS * 16 * q;
        let phases = (n * q) as f64 * (p_u as f64 + SINCOS_COST) * PHASE_PASSES;
        StageCost {
            stage: Stage::Frequencies,
            bytes: bytes as u64,
            multiply_adds: phases + LIBRARY_COST * self.groups.len() as f64,
            formula: format!(
                "Z, groups' Z, {JOINED_BYTES} n k, V, U, {} q",
                16 * PARTIAL_SUMS
            ),
        }
    }

    fn optimize(&self) -> StageCost {
        let (m, p_u, batch) = (self.m, self.p_u, self.params.batch_size);
        let products = (m * batch) as f64 * (2.0 * p_u as f64 + ANCHOR_FREQUENCY_COST);
        let anchors = m as f64 * (ANCHOR_COST + ANCHOR_COLUMN_COST * p_u as f64);
        let step = STEP_COST * self.groups.len() as f64 + products + anchors;
        let moved = 4 * m * (batch + 6 * p_u + 200);
        StageCost {
            stage: Stage::Optimize,
            bytes: (self.held + self.graph_bytes() + 4 * self.n * p_u + moved) as u64,
            multiply_adds: self.params.max_steps as f64 * step,
            formula: format!("Z, groups' Z, {JOINED_BYTES} n k, U, 4 m (batch + 6 p_U + 200)"),
        }
    }

    fn decode(&self) -> StageCost {
        let (n, m, p_u) = (self.n, self.m, self.p_u);
        let pairs = (n * m) as f64 / self.groups.len().max(1) as f64;
        StageCost {
            stage: Stage::Decode,
            bytes: (self.held + self.graph_bytes() + 4 * n * p_u + 400 * m) as u64,
            multiply_adds: pairs * p_u as f64 * DECODE_PRODUCTS + DECODE_COST * m as f64,
            formula: format!("Z, groups' Z, {JOINED_BYTES} n k, U, 400 m"),
        }
    }

    /// A rival's selection.
    fn baseline(&self) -> StageCost {
        let (m, p) = (self.m, self.p);
        let pairs = |of: fn(&(usize, usize)) -> usize| -> f64 {
            let groups = self.outline.groups.iter();
            groups.map(|g| g.0 as f64 * of(g) as f64).sum::<f64>() * p as f64
        };
        let (by_picks, by_rows) = (pairs(|g| g.1), pairs(|g| g.0));
        let multiply_adds = match self.params.method {
            Method::Random | Method::Fast | Method::Paper => 0.0,
            Method::KCenter => RIVAL_COST * by_picks,
            Method::KMeans => (RIVAL_COST + 1.0 + MAX_ITER as f64) * by_picks,
            Method::Herding => RIVAL_COST * by_picks + 2.0 * by_rows,
        };
        StageCost {
            stage: Stage::Baseline,
            bytes: (self.held + 4 * m * (p + 2) + 24 * self.at_once(&self.groups)) as u64,
            multiply_adds,
            formula: "Z, groups' Z, 4 m (p + 2), 24 rows at once".to_owned(),
        }
    }

    /// Rows and picks of the blocks of the exchange.
    fn blocks(&self) -> Vec<(usize, usize)> {
        let open = |(rows, quota): &&(usize, usize)| is_open(*rows, *quota);
        let block_rows = self.params.block_rows;
        let cut = |&(rows, quota): &(usize, usize)| {
            let count = n_blocks(rows, quota, block_rows);
            let most = most_rows(block_rows, quota.div_ceil(count));
            let rows = rows.div_ceil(count).min(most);
            vec![(rows, quota.div_ceil(count)); count]
        };
        let groups = self.outline.groups.iter();
        groups.filter(open).flat_map(cut).collect()
    }

    fn exchange(&self) -> StageCost {
        let (blocks, p) = (self.blocks(), self.p);
        let mut sizes: Vec<usize> = blocks.iter().map(|(rows, _)| *rows).collect();
        sizes.sort_unstable_by(|a, b| b.cmp(a));
        let lists = |&(rows, picks): &(usize, usize)| rows * graph_size(rows, picks).1;
        let mut near: Vec<usize> = blocks.iter().map(lists).collect();
        near.sort_unstable_by(|a, b| b.cmp(a));
        let picks = blocks.iter().map(|(_, picks)| *picks).max().unwrap_or(0);
        let features = match self.pulled_width(blocks.len()) {
            0 => 0,
            width => 4 * width * (picks + CANDIDATE_BATCH + 2 * PARTIAL_SUMS),
        };
        let rows = (8 * p + BLOCK_ROW_BYTES) * self.at_once(&sizes);
        let lists = NEIGHBOR_BYTES * self.at_once(&near);
        let cut = CUT_BYTES * self.n;
        StageCost {
            stage: Stage::Exchange,
            bytes: (self.z + cut.max(rows + lists + 4 * CANDIDATE_BATCH * picks + features)) as u64,
            multiply_adds: self.whole_cost(&blocks)
                + blocks
                    .iter()
                    .map(|&(b, m)| self.block_cost(b, m))
                    .sum::<f64>(),
            formula: format!(
                "Z, {CUT_BYTES} n, or (8 p + {BLOCK_ROW_BYTES} + {NEIGHBOR_BYTES} k) rows of the blocks \
                 at once and {} (picks + 2 q) of a block",
                4 * CANDIDATE_BATCH
            ),
        }
    }

    /// Half the pairs of a block, its lists, one full round, the short ones, and the swaps.
    fn block_cost(&self, rows: usize, picks: usize) -> f64 {
        let (b, m, p) = (rows as f64, picks as f64, self.p as f64);
        let k = graph_size(rows, picks).1.min(rows) as f64;
        let pairs = 0.5 * b * b * (p + PAIR_COST);
        let near = b * k * LIST_COST;
        let kernels = b * m * (self.rounds() * (p + KERNEL_COST) + SWAP_COST);
        pairs + near + kernels + EXCHANGE_COST
    }

    /// Rounds over all rows that the rounds of an exchange come to.
    fn rounds(&self) -> f64 {
        1.0 + SHORT * self.params.max_sweeps.saturating_sub(1) as f64
    }

    /// Numbers of a row's features, where the whole pulls on that many blocks.
    fn pulled_width(&self, n_blocks: usize) -> usize {
        if strength(n_blocks, self.m) > 0.0 {
            2 * n_freqs(self.m)
        } else {
            0
        }
    }

    /// Features of all rows, once for their sum and in every round.
    fn whole_cost(&self, blocks: &[(usize, usize)]) -> f64 {
        let rows: usize = blocks.iter().map(|(rows, _)| *rows).sum();
        let q = 0.5 * self.pulled_width(blocks.len()) as f64;
        rows as f64 * q * (1.0 + self.rounds()) * (self.p as f64 + SINCOS_COST)
    }

    /// The order of the picks, and the selections that it is compared with.
    fn rank(&self) -> StageCost {
        let (blocks, p) = (self.blocks(), self.p);
        let mut sizes: Vec<usize> = blocks.iter().map(|(rows, _)| *rows).collect();
        sizes.sort_unstable_by(|a, b| b.cmp(a));
        let pairs: f64 = blocks
            .iter()
            .map(|&(rows, picks)| rows as f64 * picks as f64)
            .sum();
        let compared = |share: f64| {
            let quota =
                |&(rows, quota): &(usize, usize)| (rows, (quota as f64 * share).ceil() as usize);
            let outline = Outline {
                groups: self.outline.groups.iter().map(quota).collect(),
                ..self.outline.clone()
            };
            let sizes = Sizes::new(&outline, self.params);
            let selected = sizes.exchange().multiply_adds
                * f64::from(u8::from(self.params.method.exchanges()));
            selected + 2.0 * sizes.quality().multiply_adds
        };
        let compared = if self.params.n_random > 0 {
            RANKED_SHARES.into_iter().map(compared).sum()
        } else {
            0.0
        };
        let row = 8 * p + RANKED_ROW_BYTES;
        StageCost {
            stage: Stage::Rank,
            bytes: (self.z + (CUT_BYTES * self.n).max(row * self.at_once(&sizes))) as u64,
            multiply_adds: pairs * (RANK_PRODUCTS * p as f64 + RANK_COST)
                + RANKED_ROW_COST * self.n as f64
                + compared,
            formula: format!(
                "Z, {CUT_BYTES} n, or (8 p + {RANKED_ROW_BYTES}) rows of the blocks at once"
            ),
        }
    }

    /// Every row beside the picks of its class, as if bounds spared no pair.
    fn weights(&self) -> StageCost {
        let (n, m, p) = (self.n, self.m, self.p);
        let groups = self.outline.groups.iter();
        let pairs: f64 = groups
            .map(|&(rows, quota)| rows as f64 * quota as f64)
            .sum();
        let cell = 4 * CELL_ROWS * (2 * p + 8) + 8 * m;
        StageCost {
            stage: Stage::Weights,
            bytes: (self.z
                + WEIGHED_ROW_BYTES * n
                + 4 * m * (p + 4)
                + self.outline.n_threads * cell) as u64,
            multiply_adds: pairs * (p as f64 + NEAREST_PICK_COST) + n as f64 * p as f64 * CUT_COST,
            formula: format!("Z, {WEIGHED_ROW_BYTES} n, 4 m (p + 4), 8 m a thread"),
        }
    }

    fn quality(&self) -> StageCost {
        let (n, m, p) = (self.n, self.m, self.p as f64);
        let block_rows = self.params.block_rows;
        let groups = self.outline.groups.iter();
        let blocks = groups.map(|&(rows, quota)| (rows, n_blocks(rows, quota, block_rows)));
        let is_cut = blocks.clone().any(|(_, count)| count > 1);
        let by_blocks = if is_cut {
            N_BY_BLOCKS.min(self.params.n_random)
        } else {
            0
        };
        let halvings = blocks.map(|(rows, count)| rows as f64 * (count as f64).log2());
        let cuts = if by_blocks > 0 {
            halvings.sum::<f64>() * p * CUT_COST
        } else {
            0.0
        };
        let kinds = if self.groups.len() > 1 { 2 } else { 1 };
        let selections = 1 + kinds * self.params.n_random;
        let all = selections + by_blocks + usize::from(self.params.weights != Weighting::None);
        let phases = (n * N_FREQS) as f64 * (p + PHASE_COST) * all.div_ceil(TOGETHER) as f64;
        let sampled = COVERAGE_ROWS.min(n) as f64;
        let distances = sampled * n as f64 * p * COVERAGE_PRODUCTS;
        let per_pair = COVERAGE_COST + COVERAGE_COLUMN_COST * p;
        let added = sampled * (selections * m) as f64 * per_pair;
        let sums = PARTIAL_SUMS * 16 * N_FREQS * (1 + all.min(TOGETHER));
        let lists = 4 * (all * m + selections * (2 * m + COVERAGE_ROWS));
        StageCost {
            stage: Stage::Quality,
            bytes: (self.z + sums.max(CUT_BYTES * n) + lists) as u64,
            multiply_adds: phases + added + distances + cuts,
            formula: format!(
                "Z, {} KiB a selection ({TOGETHER} at most) or {CUT_BYTES} n, 4 (3 m + {COVERAGE_ROWS}) a selection",
                (PARTIAL_SUMS * 16 * N_FREQS) >> 10
            ),
        }
    }
}
