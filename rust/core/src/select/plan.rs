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
use crate::select::schedule::runs;
use crate::select::stage_costs::Sizes;
pub use crate::select::stage_costs::{Outline, StageCost};

/// Blocks are not cut below this to save memory: they would no longer be its largest part.
const LEAST_BLOCK_ROWS: usize = 1024;

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

/// The largest `block_rows`, from that of `params` down by halves, at which a process that takes
/// `before` bytes already stays within `bytes` in every stage.
///
/// ```
/// use fast_select_core::options::ValidParams;
/// use fast_select_core::select::plan::{Outline, fitting_block_rows, plan};
///
/// let params = ValidParams::default();
/// let outline = Outline::new(8, &[100_000], 1000, 2, &params)?;
/// let needed = plan(&outline, &params).iter().map(|stage| stage.bytes).max().unwrap_or(0);
/// let fitting = |bytes| fitting_block_rows(&outline, &params, bytes, 0);
/// assert_eq!(fitting(needed)?, params.block_rows);
/// assert_eq!(fitting(needed - 1)?, params.block_rows / 2);
/// assert!(fitting(1 << 20).unwrap_err().to_string().starts_with("max_memory: 1 MiB"));
/// # Ok::<(), fast_select_core::Error>(())
/// ```
///
/// # Errors
/// [`Error::Refused`] naming `max_memory` where even the smallest blocks take more.
pub fn fitting_block_rows(
    outline: &Outline,
    params: &ValidParams,
    bytes: u64,
    before: u64,
) -> Result<usize> {
    let mut params = params.clone();
    loop {
        let stages = plan(outline, &params);
        let needed = before + stages.iter().map(|stage| stage.bytes).max().unwrap_or(0);
        if needed <= bytes {
            return Ok(params.block_rows);
        }
        let halved = params.block_rows / 2;
        if halved < LEAST_BLOCK_ROWS {
            let mebibytes = |bytes: u64| bytes.div_ceil(1 << 20);
            let (allowed, needed) = (mebibytes(bytes), mebibytes(needed));
            let fact = format!("{allowed} MiB is less than the {needed} MiB that it takes");
            let refused = Error::refused("max_memory", fact);
            return Err(refused.fix("Allow that much, or use fewer threads"));
        }
        params = params.with_block_rows(halved)?;
    }
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
    use crate::options::{Method, Params};

    fn outline(n: usize) -> Outline {
        Outline {
            n_cols: 200,
            groups: vec![(n, n / 10)],
            n_threads: 2,
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
    fn blocks_are_halved_until_they_fit() {
        let (outline, whole) = (outline(100_000), params(Method::Fast, 16_384));
        let most = peak(&outline, &whole);
        let fitting = |bytes, before| fitting_block_rows(&outline, &whole, bytes, before);
        assert_eq!(fitting(most, 0), Ok(16_384));
        // Not always the next half: with many blocks the whole holds them together, which takes memory.
        let smaller = fitting(most, 1).unwrap();
        assert!(smaller < 16_384 && peak(&outline, &params(Method::Fast, smaller)) < most);
        let least = peak(&outline, &params(Method::Fast, 1024));
        assert!(fitting(least + 7, 7).is_ok());
        assert!(fitting(least + 6, 7).is_err());
    }

    #[test]
    fn this_machine_multiplies() {
        assert!(products_per_second(&Monitor::default()).unwrap() > 1e6);
    }
}
