//! What a selection will take, stage by stage, before it runs.
//!
//! Bytes are counted from the buffers that each stage holds at its peak, the paper's graphs as they
//! were on Fashion-MNIST (a second attempt of the eigensolver takes more). Work is in
//! multiply-adds of a blocked product, into which everything else is converted at the rates seen on
//! one AVX-512 machine; [`products_per_second`] measures the machine at hand. Seconds are therefore
//! an estimate; `tests/bench/SPEED.md` has both beside what was measured.

use std::time::Instant;

use crate::baselines::MAX_ITER;
use crate::basis::BLOCK;
use crate::error::Result;
use crate::linalg::{Matrix, matmul_nt};
use crate::monitor::{Monitor, Stage};
use crate::parallel::{LANES, map_blocks};
use crate::quality::{QualityOptions, TOGETHER};
use crate::select::{Method, SelectOptions};
use crate::space::Space;
use crate::swaps::BATCH;
use crate::work::n_blocks;

/// The outline of a selection.
#[derive(Debug, Clone, PartialEq)]
pub struct Outline {
    /// Rows, n.
    pub n_rows: usize,
    /// Columns, d.
    pub n_cols: usize,
    /// Columns kept at most by the preparation.
    pub n_dims: usize,
    /// Rows and quota of each group.
    pub groups: Vec<(usize, usize)>,
    /// Random selections that the report compares with, of each kind.
    pub n_random: usize,
    /// Threads.
    pub n_threads: usize,
}

/// What a stage takes.
#[derive(Debug, Clone, PartialEq)]
pub struct StageCost {
    /// The stage.
    pub stage: Stage,
    /// Bytes held at its peak, with what earlier stages left.
    pub bytes: u64,
    /// Multiply-adds, or what takes as long.
    pub work: f64,
    /// What the bytes are made of.
    pub formula: &'static str,
}

/// Multiply-adds that reading, converting and checking an entry of the input takes.
const READ_WORK: f64 = 75.0;
/// Multiply-adds of a pair of rows in the exchange beyond their product.
const PAIR_WORK: f64 = 67.0;
/// Of a pick and a row of its block in all swaps, and for each column.
const SWAP_WORK: f64 = 425.0;
const SWAP_COLUMN_WORK: f64 = 3.3;
/// Multiply-adds of a sine and a cosine.
const SINCOS_WORK: f64 = 16.0;
/// Of a row and another in the search for neighbours, beyond half their product; of a neighbour
/// there, in the fuzzy graph, and with each component in the spectral embedding.
const SCAN_WORK: f64 = 15.0;
const NEAREST_WORK: f64 = 2.2e4;
const NEIGHBOR_WORK: f64 = 5500.0;
const SPECTRAL_WORK: f64 = 800.0;
/// Passes over the phases of all rows for the frequencies, and the library of a group.
const PHASE_PASSES: f64 = 1.9;
const LIBRARY_WORK: f64 = 2e9;
/// Of a step; of an anchor in it beyond its frequencies, matching and all, and for each column; of
/// an anchor in the last matching.
const STEP_WORK: f64 = 6e7;
const ANCHOR_WORK: f64 = 1.8e4;
const ANCHOR_COLUMN_WORK: f64 = 1.9e3;
const DECODE_WORK: f64 = 1.6e6;
/// Products of anchors with rows in it, and what else grows like them.
const DECODE_PRODUCTS: f64 = 1.5;
/// Of a row and a frequency of the quality, beyond their product, with sines, cosines and sums.
const PHASE_WORK: f64 = 200.0;
/// Of a selected and a sampled row in the coverage, and for each column.
const COVERAGE_WORK: f64 = 20.0;
const COVERAGE_COLUMN_WORK: f64 = 0.4;
/// Products with all rows that the coverage takes, and what else grows like them.
const COVERAGE_PRODUCTS: f64 = 1.5;
/// Candidates that a row collects beyond its neighbours.
const CANDIDATES: usize = crate::knn::SLACK + crate::top_k::ROOM;
/// Of a column of a row and a pick that a rival compares on one thread.
const RIVAL_WORK: f64 = 10.0;
/// Bytes a neighbour that a fuzzy graph takes while it is made, and when it is done.
const GRAPH_BYTES: usize = 48;
const JOINED_BYTES: usize = 14;

/// The stages that `options` run, in order.
#[must_use]
pub fn plan(outline: &Outline, options: &SelectOptions) -> Vec<StageCost> {
    let (n, d) = (outline.n_rows, outline.n_cols);
    let p = d.min(outline.n_dims);
    let m: usize = outline.groups.iter().map(|(_, quota)| quota).sum();
    let k = options.n_neighbors;
    // Groups and blocks that run at the same time: the largest, one a thread.
    let mut groups: Vec<usize> = outline.groups.iter().map(|(rows, _)| *rows).collect();
    groups.sort_unstable_by(|a, b| b.cmp(a));
    let at_once = |sizes: &[usize]| sizes.iter().take(outline.n_threads).sum::<usize>();
    let z = 4 * n * (p + 1);
    let held = z + if groups.len() > 1 { 4 * n * p } else { 0 };
    let mut stages = vec![prepare(n, d, p, outline.n_threads)];
    let mut push = |stage, bytes: usize, work, formula| {
        stages.push(StageCost {
            stage,
            bytes: bytes as u64,
            work,
            formula,
        });
    };
    let descends = matches!(options.method, Method::Fast | Method::Paper);
    let c = options.n_components;
    // Columns of the matching space U.
    let p_u = match options.space {
        Space::Features => p,
        Space::Joint => p + c,
        Space::Spectral => c,
    };
    if descends {
        let squares: f64 = groups.iter().map(|&g| (g * g) as f64).sum();
        let near = 8 * n * k;
        push(
            Stage::Neighbors,
            held + near + 8 * (2 * k + CANDIDATES) * at_once(&groups),
            squares * (0.5 * p as f64 + SCAN_WORK) + NEAREST_WORK * (n * k) as f64,
            "Z, groups' Z, 8 n k, 8 (2 k + 32) rows at work",
        );
        let graph = JOINED_BYTES * n * k;
        push(
            Stage::Graph,
            held + near.min(graph) + GRAPH_BYTES * k * at_once(&groups),
            NEIGHBOR_WORK * (n * k) as f64,
            "Z, groups' Z, 8 n k, 48 k rows at work",
        );
        if options.space.needs_spectrum() {
            let row = 24 * c + 16 * BLOCK + JOINED_BYTES * k;
            push(
                Stage::Spectral,
                held + graph + 4 * n * c + row * at_once(&groups),
                SPECTRAL_WORK * (n * k * c) as f64,
                "Z, groups' Z, 14 n k, 4 n c, (24 c + 256 + 14 k) rows at work",
            );
        }
        let (q, u) = (options.n_freqs, 4 * n * p_u);
        let v = if options.space.needs_spectrum() {
            4 * n * c
        } else {
            0
        };
        push(
            Stage::Frequencies,
            held + graph + v + u + LANES * 16 * q,
            (n * q) as f64 * (p_u as f64 + SINCOS_WORK) * PHASE_PASSES
                + LIBRARY_WORK * groups.len() as f64,
            "Z, groups' Z, 14 n k, V, U, 512 q",
        );
        let (batch, steps) = (options.optimize.batch_size, options.optimize.max_steps);
        let products = (m * batch) as f64 * (2.0 * p_u as f64 + SINCOS_WORK);
        let anchors = m as f64 * (ANCHOR_WORK + ANCHOR_COLUMN_WORK * p_u as f64);
        let step = STEP_WORK * groups.len() as f64 + products + anchors;
        push(
            Stage::Optimize,
            held + graph + u + 4 * m * (batch + 6 * p_u + 100),
            steps as f64 * step,
            "Z, groups' Z, 14 n k, U, 4 m (batch + 6 p_U + 100)",
        );
        push(
            Stage::Decode,
            held + graph + u + 400 * m,
            (n * m) as f64 * p_u as f64 / groups.len().max(1) as f64 * DECODE_PRODUCTS
                + DECODE_WORK * m as f64,
            "Z, groups' Z, 14 n k, U, 400 m",
        );
    }
    let pairs = |of: fn(&(usize, usize)) -> (usize, usize)| -> f64 {
        let groups = outline.groups.iter().map(of);
        groups.map(|(a, b)| a as f64 * b as f64).sum::<f64>() * p as f64
    };
    let (by_picks, by_rows) = (pairs(|&(n, m)| (n, m)), pairs(|&(n, _)| (n, n)));
    let rival = match options.method {
        Method::Fast | Method::Paper | Method::Exchange => None,
        Method::Random => Some(0.0),
        Method::KCenter => Some(RIVAL_WORK * by_picks),
        Method::KMeans => Some((RIVAL_WORK + 1.0 + MAX_ITER as f64) * by_picks),
        Method::Herding => Some(RIVAL_WORK * by_picks + 2.0 * by_rows),
    };
    if let Some(work) = rival {
        let bytes = held + 4 * m * (p + 2) + 24 * at_once(&groups);
        let formula = "Z, groups' Z, 4 m (p + 2), 24 rows at work";
        push(Stage::Baseline, bytes, work, formula);
    }
    if matches!(options.method, Method::Fast | Method::Exchange) {
        let blocks: Vec<(usize, usize)> = outline
            .groups
            .iter()
            .filter(|(rows, quota)| 0 < *quota && quota < rows)
            .flat_map(|&(rows, quota)| {
                let count = n_blocks(rows, quota, options.exchange.block_rows);
                // A block that has to be larger is sampled.
                let limit = options.exchange.block_rows.max(2 * quota.div_ceil(count));
                let rows = rows.div_ceil(count).min(limit);
                vec![(rows, quota.div_ceil(count)); count]
            })
            .collect();
        let mut sizes: Vec<usize> = blocks.iter().map(|(rows, _)| *rows).collect();
        sizes.sort_unstable_by(|a, b| b.cmp(a));
        let row = 4 * p + 4 * BATCH + 8 * LANES + 64;
        let left = if descends {
            4 * n * p_u + JOINED_BYTES * n * k
        } else {
            0
        };
        push(
            Stage::Exchange,
            held + left + row * at_once(&sizes),
            blocks
                .iter()
                .map(|&(b, m)| exchange_work(b, m, p, options))
                .sum(),
            "Z, groups' Z, (4 p + 2,368) rows of the blocks at work",
        );
    }
    let kinds = if groups.len() > 1 { 2 } else { 1 };
    let selections = 1 + kinds * outline.n_random;
    let quality = QualityOptions::default();
    let batches = selections.div_ceil(TOGETHER) as f64;
    let phases = (n * quality.n_freqs) as f64 * (p as f64 + PHASE_WORK) * batches;
    let sampled = quality.coverage_rows.min(n) as f64;
    let distances = sampled * n as f64 * p as f64 * COVERAGE_PRODUCTS;
    let per_pair = COVERAGE_WORK + COVERAGE_COLUMN_WORK * p as f64;
    let added = sampled * (selections * m) as f64 * per_pair;
    let sums = 16 * quality.n_freqs * (1 + selections.min(TOGETHER));
    push(
        Stage::Quality,
        z + LANES * sums + 4 * selections * (m + quality.coverage_rows),
        phases + added + distances,
        "Z, 0.5 MiB a selection (64 at most), 4 (m + 2,048) a selection",
    );
    stages
}

fn prepare(n: usize, d: usize, p: usize, n_threads: usize) -> StageCost {
    let z = 4 * n * (p + 1);
    let hashes = 16 * n + n_threads * (4 << 16);
    let (bytes, passes) = if d > p {
        let r = p + crate::pca::OVERSAMPLES;
        let scores = 4 * n * (p + r) + 4 * n;
        let sketch = 4 * d * r * crate::pca::TASKS.min(n_threads + 1);
        (
            hashes.max(scores) + sketch,
            2.0 * crate::pca::PASSES as f64 - 1.0,
        )
    } else {
        (hashes + z, 0.0)
    };
    let reads = 1.0 + (passes + 1.0) / 2.0;
    let products = passes * (p + crate::pca::OVERSAMPLES) as f64;
    StageCost {
        stage: Stage::Prepare,
        bytes: bytes as u64,
        work: (n * d) as f64 * (reads * READ_WORK + products),
        formula: if d > p {
            "Z, scores 4 n (p + 16), sketches 4 d (p + 16)"
        } else {
            "Z, hashes 16 n"
        },
    }
}

/// Kernel sums of half the pairs, one full round, the short ones, and the swaps.
fn exchange_work(rows: usize, picks: usize, p: usize, options: &SelectOptions) -> f64 {
    let (b, m, p) = (rows as f64, picks as f64, p as f64);
    let short = options.exchange.max_sweeps.saturating_sub(1) as f64;
    let rounds = 1.0 + crate::exchange::SHORT * short;
    b * b * (0.5 + rounds) * (p + PAIR_WORK) + m * b * (SWAP_WORK + SWAP_COLUMN_WORK * p)
}

/// Multiply-adds a second of all threads of the current pool, from products of (128, 64) by
/// (64, 128): the best of five tries of some 8 ms, as other processes only ever slow them down.
///
/// # Errors
/// [`crate::Error::Interrupted`].
pub fn products_per_second(monitor: &Monitor) -> Result<f64> {
    const SIDE: usize = 128;
    const DEPTH: usize = 64;
    const TRIES: usize = 5;
    const SECONDS: f64 = 0.008;
    let a = Matrix::zeros(SIDE, DEPTH);
    let run = |count: usize| {
        let since = Instant::now();
        let done = map_blocks(count, 1, |_| {
            monitor.check()?;
            let mut out = vec![0.0; SIDE * SIDE];
            matmul_nt(&mut out, a.view(), a.view(), false);
            Ok(out[0])
        });
        done.map(|_| since.elapsed().as_secs_f64())
    };
    run(64)?; // threads and memory are there from now on
    let count = (SECONDS / run(64)?.max(1e-6) * 64.0).clamp(64.0, 1e6) as usize;
    let mut seconds = f64::INFINITY;
    for _ in 0..TRIES {
        seconds = seconds.min(run(count)?);
    }
    Ok((count * SIDE * SIDE * DEPTH) as f64 / seconds.max(1e-9))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::ExchangeOptions;

    fn outline(n: usize, groups: usize) -> Outline {
        Outline {
            n_rows: n,
            n_cols: 200,
            n_dims: 64,
            groups: vec![(n / groups, n / groups / 10); groups],
            n_random: 20,
            n_threads: 2,
        }
    }

    fn peak(outline: &Outline, options: &SelectOptions) -> u64 {
        let stages = plan(outline, options);
        stages.iter().map(|s| s.bytes).max().unwrap()
    }

    #[test]
    fn stages_are_those_of_the_method() {
        let stages = |method| -> Vec<Stage> {
            let options = SelectOptions {
                method,
                ..SelectOptions::default()
            };
            let stages = plan(&outline(1000, 1), &options).into_iter();
            stages.map(|s| s.stage).collect()
        };
        assert_eq!(
            stages(Method::Exchange),
            [Stage::Prepare, Stage::Exchange, Stage::Quality]
        );
        assert_eq!(
            stages(Method::Random),
            [Stage::Prepare, Stage::Baseline, Stage::Quality]
        );
        assert_eq!(stages(Method::Fast).len(), 8);
        assert_eq!(stages(Method::Paper).len(), 7);
    }

    #[test]
    fn smaller_blocks_take_less_memory_and_work_grows_with_n() {
        let options = |block_rows| SelectOptions {
            exchange: ExchangeOptions {
                block_rows,
                ..ExchangeOptions::default()
            },
            ..SelectOptions::default()
        };
        let large = outline(100_000, 1);
        assert!(peak(&large, &options(4096)) < peak(&large, &options(16_384)));
        let work = |n| plan(&outline(n, 1), &options(16_384))[1].work;
        let ratio = work(400_000) / work(200_000);
        assert!(
            (1.9..2.2).contains(&ratio),
            "linear beyond one block: {ratio}"
        );
    }

    #[test]
    fn this_machine_multiplies() {
        assert!(products_per_second(&Monitor::default()).unwrap() > 1e6);
    }
}
