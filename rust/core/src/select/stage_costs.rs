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
use crate::numeric::partition::{HELD, n_blocks};
use crate::options::{Method, Space, ValidParams, Weighting};
use crate::prepare::{N_DIMS, OVERSAMPLES, PASSES, PCA_TASKS, sum_bytes};
use crate::quality::COVERAGE_ROWS;
use crate::quality::cell_distance::n_cells;
use crate::quality::evaluate::N_BY_BLOCKS;
use crate::quality::farthest_rows::TOGETHER as FAR_TOGETHER;
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
pub(super) const READ_COST: f64 = 62.0;
/// of an entry of Z, or of scores: fresh memory, and the median distance to divide by;
pub(super) const ENTRY_COST: f64 = 150.0;
/// of a row's hash among the others, on one thread;
pub(super) const HASH_COST: f64 = 2e3;
/// of a pair of rows in the exchange, beyond their product;
pub(super) const PAIR_COST: f64 = 110.0;
/// of a neighbour in the exchange;
pub(super) const LIST_COST: f64 = 6500.0;
/// of a kernel between a candidate and a pick, beyond their product;
pub(super) const KERNEL_COST: f64 = 10.0;
/// of a pick and a row of its block, in all swaps together;
pub(super) const SWAP_COST: f64 = 450.0;
/// of a row and a frequency at which the whole pulls, beyond their product;
pub(super) const FEATURE_COST: f64 = 60.0;
/// of a block of the exchange;
pub(super) const EXCHANGE_COST: f64 = 4e8;
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
const PHASE_COST: f64 = 85.0;
/// of a selected and a sampled row in the coverage;
const COVERAGE_COST: f64 = 20.0;
/// of the same, for each column;
const COVERAGE_COLUMN_COST: f64 = 0.45;
/// of a row and a pick of its class in the search for the nearest, beyond their products;
const NEAREST_PICK_COST: f64 = 6.0;
/// of a column of a row, each time that rows are cut in two;
pub(super) const CUT_COST: f64 = 350.0;
/// of a column of a row and a pick that a rival compares on one thread.
const RIVAL_COST: f64 = 30.0;
/// of a row and a pick of its block in their order, beyond their products;
const RANK_COST: f64 = 175.0;
/// of a row in the same;
const RANKED_ROW_COST: f64 = 2e4;
// Products, with what else grows like them:
/// passes over the phases of all rows for the frequencies;
const PHASE_PASSES: f64 = 3.0;
/// products of anchors with rows in the last matching;
const DECODE_PRODUCTS: f64 = 3.0;
/// products of sampled rows with all in the coverage; cells and moments are among them.
const COVERAGE_PRODUCTS: f64 = 1.2;
/// products of rows with picks in the search for the nearest, with what bounds spare;
const NEAREST_PRODUCTS: f64 = 2.8;
/// products of rows with picks in their order.
const RANK_PRODUCTS: f64 = 16.0;
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
/// Bytes of a row while rows are cut into cells: itself twice; and of those that are cut at a time, with their places
/// along a direction.
const CUT_BYTES: usize = 8;
const PLACED_BYTES: usize = 16;
/// Bytes of a row by its number in its group; and in its block too, with whether it is picked.
const MEMBER_BYTES: usize = 4;
const BLOCKED_BYTES: usize = 9;
/// Bytes of a row in the order of cells, with its norm; and, as measured, of one that may be among those farthest from a
/// selection.
const ORDERED_BYTES: usize = 8;
const FAR_BYTES: usize = 2;
/// Bytes of a row while distinct rows are counted: its hash, and among the numbers of those kept; and of these.
pub(super) const HASHED_BYTES: usize = 13;
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
    pub(super) outline: &'a Outline,
    pub(super) params: &'a ValidParams,
    /// Rows, columns, columns kept, and picks.
    pub(super) n: usize,
    pub(super) d: usize,
    pub(super) p: usize,
    pub(super) m: usize,
    /// Rows of the groups, the largest first.
    groups: Vec<usize>,
    /// Bytes of Z, and of it with that of the groups.
    pub(super) z: usize,
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
        let (bytes, passes) = if self.is_reduced() {
            let bytes = self.sketch_bytes().max(self.scores_bytes());
            (bytes, 2.0 * PASSES as f64 - 1.0)
        } else {
            (self.z, 0.0)
        };
        let reads = 1.0 + (passes + 1.0) / 2.0;
        let products = passes * (p + OVERSAMPLES) as f64;
        StageCost {
            stage: Stage::Prepare,
            bytes: self.statistics_bytes().max(bytes) as u64,
            multiply_adds: (n * d) as f64 * (reads * READ_COST + products)
                + n as f64 * (HASH_COST + ENTRY_COST * self.made_width() as f64),
            formula: if self.is_reduced() {
                format!(
                    "scores 4 n (p + {OVERSAMPLES}), or sketches {FACTOR_BYTES} d (p + {OVERSAMPLES})"
                )
            } else {
                format!("Z, or hashes {HASHED_BYTES} n")
            },
        }
    }

    /// Whether Z is of principal components.
    pub(super) fn is_reduced(&self) -> bool {
        self.d > self.p
    }

    /// Columns in which Z is made.
    pub(super) fn made_width(&self) -> usize {
        if self.is_reduced() {
            self.p + OVERSAMPLES
        } else {
            self.p
        }
    }

    /// Bytes of the rows' hashes, and of the sums of columns.
    pub(super) fn statistics_bytes(&self) -> usize {
        HASHED_BYTES * self.n + self.outline.n_threads * (4 << 16) + sum_bytes(self.d)
    }

    /// Bytes of the numbers of the rows kept, the sketch, partial sums of the next, and its factorisation in f64.
    pub(super) fn sketch_bytes(&self) -> usize {
        let sketches = 4 * (1 + PCA_TASKS.min(self.outline.n_threads + 1));
        4 * self.n + self.d * self.made_width() * sketches.max(FACTOR_BYTES)
    }

    /// Bytes of the scores, in which Z is made, and of the sketch.
    pub(super) fn scores_bytes(&self) -> usize {
        let width = if self.outline.is_mapped {
            0
        } else {
            self.made_width()
        };
        4 * self.n * (width + 1) + 4 * self.d * self.made_width()
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
    pub(super) fn blocks(&self) -> Vec<(usize, usize)> {
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
        let blocks = self.blocks();
        let each = |&(rows, picks): &(usize, usize)| {
            self.ready_cost(rows, picks) + self.swap_cost(rows, picks, blocks.len())
        };
        StageCost {
            stage: Stage::Exchange,
            bytes: self.partition_bytes().max(self.blocks_bytes(&blocks)) as u64,
            multiply_adds: self.partition_cost() + blocks.iter().map(each).sum::<f64>(),
            formula: format!(
                "Z, {MEMBER_BYTES} n + {}, or {} and {} (picks + 2 q) of a block",
                Self::cut_formula(),
                Self::ready_formula(),
                4 * CANDIDATE_BATCH
            ),
        }
    }

    /// What cutting rows into cells takes, in words.
    pub(super) fn cut_formula() -> String {
        format!("{CUT_BYTES} n + {PLACED_BYTES} min(n, {HELD} T)")
    }

    /// What blocks that are ready take, in words.
    pub(super) fn ready_formula() -> String {
        format!(
            "{BLOCKED_BYTES} n, (8 p + {BLOCK_ROW_BYTES} + {NEIGHBOR_BYTES} k) rows of the blocks at once"
        )
    }

    /// Bytes while rows are cut into cells, beyond Z.
    fn cut_bytes(&self) -> usize {
        CUT_BYTES * self.n + PLACED_BYTES * self.n.min(HELD * self.outline.n_threads)
    }

    /// Bytes while the rows are cut into blocks.
    pub(super) fn partition_bytes(&self) -> usize {
        self.z + MEMBER_BYTES * self.n + self.cut_bytes()
    }

    /// Bytes while blocks are exchanged.
    pub(super) fn blocks_bytes(&self, blocks: &[(usize, usize)]) -> usize {
        let mut sizes: Vec<usize> = blocks.iter().map(|(rows, _)| *rows).collect();
        sizes.sort_unstable_by(|a, b| b.cmp(a));
        let lists = |&(rows, picks): &(usize, usize)| rows * graph_size(rows, picks).1;
        let mut near: Vec<usize> = blocks.iter().map(lists).collect();
        near.sort_unstable_by(|a, b| b.cmp(a));
        let picks = blocks.iter().map(|(_, picks)| *picks).max().unwrap_or(0);
        let features = match 2 * self.pulled_freqs(blocks.len()) {
            0 => 0,
            width => 4 * width * (picks + CANDIDATE_BATCH + 2 * PARTIAL_SUMS),
        };
        let rows = (8 * self.p + BLOCK_ROW_BYTES) * self.at_once(&sizes);
        let lists = NEIGHBOR_BYTES * self.at_once(&near);
        self.z + BLOCKED_BYTES * self.n + rows + lists + 4 * CANDIDATE_BATCH * picks + features
    }

    /// How often rows are cut in two until they are in blocks, summed over rows.
    fn cut_rows(&self) -> f64 {
        let block_rows = self.params.block_rows;
        let groups = self.outline.groups.iter();
        let levels = groups
            .map(|&(rows, quota)| rows as f64 * (n_blocks(rows, quota, block_rows) as f64).log2());
        levels.sum()
    }

    /// The same of a row in the mean.
    fn cut_levels(&self) -> f64 {
        self.cut_rows() / self.n.max(1) as f64
    }

    /// Times that Z is read for that, and of a whole of one class in words.
    pub(super) fn cut_reads(&self) -> (f64, String) {
        let levels = self.cut_levels();
        (
            levels + self.large_cuts(levels),
            self.reads_formula("log2(B)"),
        )
    }

    /// Those of so many levels on which sets are so large that they are read twice.
    fn large_cuts(&self, levels: f64) -> f64 {
        levels.min((self.n as f64 / HELD as f64).log2().max(0.0))
    }

    /// Times that `levels`, in words, are read.
    fn reads_formula(&self, levels: &str) -> String {
        if self.n > HELD {
            format!("({levels} + min({levels}, log2(n / {HELD})))")
        } else {
            levels.to_owned()
        }
    }

    /// Cutting the rows into blocks.
    pub(super) fn partition_cost(&self) -> f64 {
        self.cut_rows() * self.p as f64 * CUT_COST
    }

    /// Half the pairs of a block, and its lists.
    pub(super) fn ready_cost(&self, rows: usize, picks: usize) -> f64 {
        let (b, p) = (rows as f64, self.p as f64);
        let k = graph_size(rows, picks).1.min(rows) as f64;
        0.5 * b * b * (p + PAIR_COST) + b * k * LIST_COST
    }

    /// One full round of a block, the short ones, and the swaps; where the whole pulls on it, features of its rows,
    /// once for their sum and in every round.
    pub(super) fn swap_cost(&self, rows: usize, picks: usize, n_blocks: usize) -> f64 {
        let (b, m, p) = (rows as f64, picks as f64, self.p as f64);
        let q = self.pulled_freqs(n_blocks) as f64;
        let kernels = b * m * (self.rounds() * (p + KERNEL_COST) + SWAP_COST);
        let features = b * q * (1.0 + self.rounds()) * (p + FEATURE_COST);
        kernels + features + EXCHANGE_COST
    }

    /// Rounds over all rows that the rounds of an exchange come to.
    pub(super) fn rounds(&self) -> f64 {
        1.0 + SHORT * self.params.max_sweeps.saturating_sub(1) as f64
    }

    /// Frequencies at which the whole pulls on that many blocks; 0 where it does not.
    pub(super) fn pulled_freqs(&self, n_blocks: usize) -> usize {
        if strength(n_blocks, self.m) > 0.0 {
            n_freqs(self.m)
        } else {
            0
        }
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
            bytes: (self.z + self.cut_bytes().max(row * self.at_once(&sizes))) as u64,
            multiply_adds: pairs * (RANK_PRODUCTS * p as f64 + RANK_COST)
                + RANKED_ROW_COST * self.n as f64
                + compared,
            formula: format!(
                "Z, {}, or (8 p + {RANKED_ROW_BYTES}) rows of the blocks at once",
                Self::cut_formula()
            ),
        }
    }

    /// Every row beside the picks of its class.
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
            multiply_adds: pairs * (NEAREST_PRODUCTS * p as f64 + NEAREST_PICK_COST),
            formula: format!("Z, {WEIGHED_ROW_BYTES} n, 4 m (p + 4), 8 m a thread"),
        }
    }

    /// The selection, and the random ones beside it.
    fn selections(&self) -> usize {
        let kinds = if self.groups.len() > 1 { 2 } else { 1 };
        1 + kinds * self.params.n_random
    }

    /// Those that are stratified by blocks.
    fn selections_by_blocks(&self) -> usize {
        let is_cut =
            |&(rows, quota): &(usize, usize)| n_blocks(rows, quota, self.params.block_rows) > 1;
        if self.outline.groups.iter().any(is_cut) {
            N_BY_BLOCKS.min(self.params.n_random)
        } else {
            0
        }
    }

    /// All selections of which the CF distance is taken.
    fn judged(&self) -> usize {
        let weighted = usize::from(self.params.weights != Weighting::None);
        self.selections() + self.selections_by_blocks() + weighted
    }

    /// Times that the quality reads Z, and of a whole of one class in words: phases, the coverage and the moments, and
    /// cuts.
    pub(super) fn quality_reads(&self) -> (f64, String) {
        let passes = self.judged().div_ceil(TOGETHER) + 2;
        let cells = self.cell_levels();
        let mut reads = passes as f64 + cells + self.large_cuts(cells);
        let of_cells = format!("log2({})", n_cells(self.n, self.m).max(1));
        let mut in_words = format!("{passes} + {}", self.reads_formula(&of_cells));
        if self.selections_by_blocks() > 0 {
            let (cuts, cuts_in_words) = self.cut_reads();
            reads += cuts;
            in_words += &format!(" + {cuts_in_words}");
        }
        (reads, format!("({in_words})"))
    }

    /// How often rows are cut in two until they are in cells.
    fn cell_levels(&self) -> f64 {
        (n_cells(self.n, self.m).max(1) as f64).log2()
    }

    /// Times that the quality cuts all rows in two: for cells, and for selections that are stratified by blocks.
    fn judged_cuts(&self) -> f64 {
        let by_blocks = if self.selections_by_blocks() > 0 {
            self.cut_levels()
        } else {
            0.0
        };
        self.cell_levels() + by_blocks
    }

    /// The same, of a whole of one class, in words.
    fn cuts_formula(&self) -> String {
        let cells = n_cells(self.n, self.m).max(1);
        if self.selections_by_blocks() > 0 {
            format!("log2(B) + log2({cells})")
        } else {
            format!("log2({cells})")
        }
    }

    /// The multiply-adds of the quality, of a whole of one class.
    pub(super) fn quality_formula(&self) -> String {
        let (chunks, selections) = (self.judged().div_ceil(TOGETHER), self.selections());
        let sampled = COVERAGE_ROWS.min(self.n);
        format!(
            "{} n (p + {PHASE_COST}) + {sampled} ({COVERAGE_PRODUCTS} n p + \
             {selections} B m ({COVERAGE_COST} + {COVERAGE_COLUMN_COST} p)) + {CUT_COST} n p ({})",
            chunks * N_FREQS,
            self.cuts_formula()
        )
    }

    fn quality(&self) -> StageCost {
        let (n, m, p) = (self.n, self.m, self.p as f64);
        let (selections, all) = (self.selections(), self.judged());
        let cuts = self.judged_cuts() * n as f64 * p * CUT_COST;
        let phases = (n * N_FREQS) as f64 * (p + PHASE_COST) * all.div_ceil(TOGETHER) as f64;
        let sampled = COVERAGE_ROWS.min(n) as f64;
        let distances = sampled * n as f64 * p * COVERAGE_PRODUCTS;
        let per_pair = COVERAGE_COST + COVERAGE_COLUMN_COST * p;
        let added = sampled * (selections * m) as f64 * per_pair;
        let sums = PARTIAL_SUMS * 16 * N_FREQS * (1 + all.min(TOGETHER));
        let lists = 4 * (all * m + selections * (3 * m / 2 + COVERAGE_ROWS));
        let classes = if self.groups.len() > 1 { 4 * n } else { 0 };
        let far = (selections * n).min(FAR_TOGETHER.max(n));
        let rows = self.cut_bytes().max(ORDERED_BYTES * n + FAR_BYTES * far);
        StageCost {
            stage: Stage::Quality,
            bytes: (self.z + classes + sums.max(rows) + lists) as u64,
            multiply_adds: phases + added + distances + cuts,
            formula: format!(
                "Z, {} KiB a selection ({TOGETHER} at most), {} or {ORDERED_BYTES} n + {FAR_BYTES} n a selection, 4 (2.5 m + {COVERAGE_ROWS}) a selection",
                (PARTIAL_SUMS * 16 * N_FREQS) >> 10,
                Self::cut_formula()
            ),
        }
    }
}
