//! What a selection will take, stage by stage, before it runs.
//!
//! `stage_costs` has bytes and multiply-adds by stage; [`products_per_second`] measures how many
//! of those the machine at hand does, so that seconds are an estimate. `tests/bench/SPEED.md` has both
//! beside what was measured.

use std::time::Instant;

use crate::arrays::matrix::Matrix;
use crate::kernels::product::matmul_nt;
use crate::options::ValidParams;
use crate::run::error::{Error, Result};
use crate::run::monitor::{Monitor, Stage};
use crate::run::parallel::map_blocks;
pub use crate::select::crew_costs::{Crew, CrewCost, Formulas, crew_plan, worthwhile};
use crate::select::schedule::runs;
use crate::select::stage_costs::Sizes;
pub use crate::select::stage_costs::{Outline, StageCost};

/// Blocks are not cut below this to save memory: they would no longer be its largest part.
const LEAST_BLOCK_ROWS: usize = 1024;
/// Threads, and bytes of a process before it begins, for which blocks are made: constants, as the rows selected must
/// depend on neither.
const USUAL_THREADS: usize = 2;
pub(super) const USUAL_BYTES: u64 = 64 << 20;

/// The stages that `params` run, in order.
///
/// ```
/// use fast_select_core::options::ValidParams;
/// use fast_select_core::select::plan::{Outline, plan};
///
/// let params = ValidParams::default();
/// let outline = Outline::new(784, &[30_000, 30_000], 600, 2, &params)?;
/// let names: Vec<&str> = plan(&outline, &params).iter().map(|s| s.stage.name()).collect();
/// assert_eq!(names, ["prepare", "exchange", "quality"]);
/// # Ok::<(), fast_select_core::Error>(())
/// ```
#[must_use]
pub fn plan(outline: &Outline, params: &ValidParams) -> Vec<StageCost> {
    let sizes = Sizes::new(outline, params);
    let running = Stage::ALL.into_iter().filter(|stage| runs(*stage, params));
    running.map(|stage| sizes.cost(stage)).collect()
}

/// How a selection keeps within a number of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fitting {
    /// Rows of a block at most.
    pub block_rows: usize,
    /// Threads.
    pub n_threads: usize,
}

/// Blocks and threads with which a process that takes `before` bytes already stays within `bytes` in every stage.
///
/// Blocks, on which the rows selected depend, follow from `bytes`, `params` and the outline alone: the largest, from
/// those of `params` down by halves, at which `USUAL_THREADS` of a process of `USUAL_BYTES` would fit. Then as
/// many threads as fit here, up to those of the outline.
///
/// ```
/// use fast_select_core::options::ValidParams;
/// use fast_select_core::select::plan::{Fitting, Outline, fitting};
///
/// let params = ValidParams::default();
/// let outline = Outline::new(8, &[100_000], 1000, 16, &params)?;
/// let ample = Fitting { block_rows: params.block_rows, n_threads: 16 };
/// assert_eq!(fitting(&outline, &params, 4 << 30, 0)?, ample);
/// // As large blocks, but fewer at a time.
/// assert!(fitting(&outline, &params, 200 << 20, 0)?.n_threads < 16);
/// let refused = fitting(&outline, &params, 1 << 20, 0).unwrap_err();
/// assert!(refused.to_string().starts_with("max_memory: 1 MiB"));
/// # Ok::<(), fast_select_core::Error>(())
/// ```
///
/// # Errors
/// [`Error::Refused`] naming `max_memory` where even the smallest blocks, one at a time, take more.
pub fn fitting(
    outline: &Outline,
    params: &ValidParams,
    bytes: u64,
    before: u64,
) -> Result<Fitting> {
    let needed = |params: &ValidParams, n_threads| {
        let outline = Outline {
            n_threads,
            ..outline.clone()
        };
        let stages = plan(&outline, params);
        stages.iter().map(|stage| stage.bytes).max().unwrap_or(0)
    };
    let in_blocks = |bytes: u64| {
        let mut params = params.clone();
        while USUAL_BYTES + needed(&params, USUAL_THREADS) > bytes {
            let halved = params.block_rows / 2;
            if halved < LEAST_BLOCK_ROWS {
                break;
            }
            params = params.fitted(halved, params.threads)?;
        }
        Ok(params)
    };
    let params = in_blocks(bytes)?;
    let fits = |n_threads: &usize| before + needed(&params, *n_threads) <= bytes;
    match (1..=outline.n_threads).rev().find(fits) {
        Some(n_threads) => Ok(Fitting {
            block_rows: params.block_rows,
            n_threads,
        }),
        None => {
            // A larger limit keeps larger blocks, which take more in turn.
            let (mut enough, mut takes) = (bytes, before + needed(&params, 1));
            while takes > enough {
                // What the process takes before differs a little from run to run.
                enough = takes + (1 << 20);
                takes = before + needed(&in_blocks(enough)?, 1);
            }
            let mebibytes = |bytes: u64| bytes.div_ceil(1 << 20);
            let (allowed, needed) = (mebibytes(bytes), mebibytes(enough));
            let fact = format!("{allowed} MiB is less than the {needed} MiB that it takes");
            Err(Error::refused("max_memory", fact).fix("Allow that much, or lower {block_rows}"))
        }
    }
}

/// Multiply-adds a second of all threads of the current pool, from products of (128, 64) by
/// (64, 128): the best of many tries of some 2 ms, as other processes only ever slow them down, and take over for a few
/// ms at a time.
///
/// # Errors
/// [`crate::Error::Interrupted`].
pub fn products_per_second(monitor: &Monitor) -> Result<f64> {
    const SIDE: usize = 128;
    const DEPTH: usize = 64;
    const TRIES: usize = 60;
    const SECONDS: f64 = 0.002;
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
    use crate::options::{Method, Params};

    fn outline(n: usize) -> Outline {
        Outline {
            n_cols: 200,
            groups: vec![(n, n / 10)],
            n_threads: 2,
            is_mapped: false,
        }
    }

    fn params(method: Method, block_rows: usize) -> ValidParams {
        let params = Params {
            method,
            block_rows,
            ..Params::default()
        };
        params.check().unwrap()
    }

    fn peak(outline: &Outline, params: &ValidParams) -> u64 {
        let stages = plan(outline, params);
        stages.iter().map(|s| s.bytes).max().unwrap()
    }

    #[test]
    fn what_is_said_to_be_enough_is_enough() {
        let (outline, params) = (outline(100_000), params(Method::Fast, 16384));
        for before in [30 << 20, 60 << 20, 130 << 20] {
            for limit in (20..400).step_by(7) {
                let Err(refused) = fitting(&outline, &params, limit << 20, before) else {
                    continue;
                };
                let text = refused.to_string();
                let enough = text.split(" than the ").nth(1).unwrap();
                let enough: u64 = enough.split(' ').next().unwrap().parse().unwrap();
                assert!(
                    fitting(&outline, &params, enough << 20, before).is_ok(),
                    "{text}"
                );
            }
        }
    }

    #[test]
    fn stages_are_those_of_the_method() {
        let stages = |method| -> Vec<Stage> {
            let stages = plan(&outline(1000), &params(method, 1024)).into_iter();
            stages.map(|s| s.stage).collect()
        };
        assert_eq!(
            stages(Method::Fast),
            [Stage::Prepare, Stage::Exchange, Stage::Quality]
        );
        assert_eq!(
            stages(Method::Random),
            [Stage::Prepare, Stage::Baseline, Stage::Quality]
        );
        // The paper's, in its own space.
        assert_eq!(stages(Method::Paper).len(), 8);
    }

    #[test]
    fn smaller_blocks_take_less_memory_and_cost_grows_with_n() {
        let of = |block_rows| params(Method::Fast, block_rows);
        let large = outline(100_000);
        assert!(peak(&large, &of(4096)) < peak(&large, &of(16_384)));
        let cost = |n| plan(&outline(n), &of(16_384))[1].multiply_adds;
        let ratio = cost(400_000) / cost(200_000);
        assert!(
            (1.9..2.2).contains(&ratio),
            "linear beyond one block: {ratio}"
        );
    }

    #[test]
    fn blocks_are_halved_and_threads_left_out_until_all_fits() {
        let (outline, whole) = (outline(100_000), params(Method::Fast, 16_384));
        let most = peak(&outline, &whole);
        let fitting = |n_threads, bytes, before| {
            let outline = Outline {
                n_threads,
                ..outline.clone()
            };
            fitting(&outline, &whole, bytes, before)
        };
        let enough = most + USUAL_BYTES;
        assert_eq!(fitting(2, enough, 0).unwrap().block_rows, 16_384);
        // Not always the next half: with many blocks the whole holds them together, which takes memory.
        let smaller = fitting(2, enough - 1, 0).unwrap().block_rows;
        assert!(smaller < 16_384 && peak(&outline, &params(Method::Fast, smaller)) < most);
        // The same for any number of threads, in any process; these give way.
        for n_threads in [1, 2, 16] {
            for before in [0, USUAL_BYTES] {
                let found = fitting(n_threads, enough - 1, before).unwrap();
                assert_eq!(found.block_rows, smaller);
                assert!(found.n_threads <= n_threads);
            }
        }
        let alone = Outline {
            n_threads: 1,
            ..outline.clone()
        };
        let least = peak(&alone, &params(Method::Fast, 1024));
        assert!(fitting(4, least + 7, 7).is_ok());
        assert!(fitting(4, least + 6, 7).is_err());
    }

    #[test]
    fn this_machine_multiplies() {
        assert!(products_per_second(&Monitor::default()).unwrap() > 1e6);
    }
}
