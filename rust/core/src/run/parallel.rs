//! The only module that starts threads.
//!
//! Every loop here gives the same result for any number of threads: outputs are disjoint, and sums
//! are taken over blocks and lanes whose bounds depend on the problem alone, added in order.

use std::ops::{AddAssign, Range};

use rayon::prelude::*;

use crate::run::error::{Error, Result};
use crate::run::instruction_set;

/// Partial sums kept side by side by [`sum_blocks`]; a constant, so that results do not depend on
/// the number of threads. 32 keeps 32 cores busy and the partial sums small.
pub(crate) const PARTIAL_SUMS: usize = 32;

/// Runs `task` in a pool of `n_threads` threads (0: as many as the process may use).
///
/// ```
/// use fast_select_core::run::parallel::{map_blocks, with_pool};
///
/// let lengths = || map_blocks(10, 4, |rows| Ok(rows.len()));
/// assert_eq!(with_pool(1, lengths)??, [4, 4, 2]);
/// assert_eq!(with_pool(2, lengths)??, [4, 4, 2]);
/// # Ok::<(), fast_select_core::Error>(())
/// ```
///
/// # Errors
/// [`Error::Refused`] where the system refuses to start that many threads, or has no such
/// [`instruction_set`] as was asked for.
pub fn with_pool<R: Send>(n_threads: usize, task: impl FnOnce() -> R + Send) -> Result<R> {
    instruction_set::check()?;
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(n_threads)
        .build()
        .map_err(|err| {
            Error::refused("threads", format!("{n_threads} cannot be started ({err})"))
                .fix("Ask for fewer")
        })?;
    Ok(pool.install(task))
}

/// Threads of the pool at hand. Nothing that is computed may depend on it, only how much is held.
#[must_use]
pub fn n_threads() -> usize {
    rayon::current_num_threads()
}

/// The ranges of at most `block` entries that cover `0..n`.
///
/// ```
/// use fast_select_core::run::parallel::blocks;
///
/// assert!(blocks(10, 4).eq([0..4, 4..8, 8..10]));
/// ```
pub fn blocks(n: usize, block: usize) -> impl Iterator<Item = Range<usize>> {
    let block = block.max(1);
    (0..n.div_ceil(block)).map(move |b| b * block..n.min((b + 1) * block))
}

/// Fills `out`, rows of `width` entries, block by block: `fill(first_row, rows)`.
///
/// ```
/// use fast_select_core::run::parallel::fill_blocks;
///
/// // Three rows of two, in blocks of two rows.
/// let mut out = [0; 6];
/// fill_blocks(&mut out, 2, 2, |first, rows| {
///     rows.fill(first);
///     Ok(())
/// })?;
/// assert_eq!(out, [0, 0, 0, 0, 2, 2]);
/// # Ok::<(), fast_select_core::Error>(())
/// ```
///
/// # Errors
/// The first error that `fill` returns.
pub fn fill_blocks<T: Send>(
    out: &mut [T],
    width: usize,
    block: usize,
    fill: impl Fn(usize, &mut [T]) -> Result<()> + Sync,
) -> Result<()> {
    if width == 0 {
        return Ok(());
    }
    let block = block.max(1);
    out.par_chunks_mut(block * width)
        .enumerate()
        .try_for_each(|(b, rows)| fill(b * block, rows))
}

/// [`fill_blocks`] of two arrays with the same number of rows: `fill(rows_a, rows_b)`.
///
/// # Errors
/// The first error that `fill` returns.
pub fn fill_two_blocks<T: Send, U: Send>(
    (a, width_a): (&mut [T], usize),
    (b, width_b): (&mut [U], usize),
    block: usize,
    fill: impl Fn(&mut [T], &mut [U]) -> Result<()> + Sync,
) -> Result<()> {
    if width_a == 0 || width_b == 0 {
        return Ok(());
    }
    let block = block.max(1);
    a.par_chunks_mut(block * width_a)
        .zip(b.par_chunks_mut(block * width_b))
        .try_for_each(|(a, b)| fill(a, b))
}

/// [`fill_blocks`], and the sum over all blocks of what `fill(first_row, rows, partial)` adds to a
/// vector of `len`; the partial vectors, one a block, are added in order.
///
/// ```
/// use fast_select_core::run::parallel::fill_and_sum_blocks;
///
/// // Squares of 1, 2 and 3, in blocks of two, and their sum.
/// let mut out = [1.0, 2.0, 3.0];
/// let sum = fill_and_sum_blocks(&mut out, 1, 2, 1, |_, rows, sum| {
///     rows.iter_mut().for_each(|x| *x *= *x);
///     sum[0] += rows.iter().sum::<f64>();
///     Ok(())
/// })?;
/// assert_eq!((out, sum), ([1.0, 4.0, 9.0], vec![14.0]));
/// # Ok::<(), fast_select_core::Error>(())
/// ```
///
/// # Errors
/// The first error that `fill` returns.
pub fn fill_and_sum_blocks<T: Send>(
    out: &mut [T],
    width: usize,
    block: usize,
    len: usize,
    fill: impl Fn(usize, &mut [T], &mut [f64]) -> Result<()> + Sync,
) -> Result<Vec<f64>> {
    let block = block.max(1);
    let partial = out
        .par_chunks_mut((block * width).max(1))
        .enumerate()
        .map(|(b, rows)| {
            let mut sum = vec![0.0; len];
            fill(b * block, rows, &mut sum)?;
            Ok(sum)
        })
        .collect::<Result<Vec<_>>>()?;
    Ok(sum_in_order(partial, len))
}

/// Adds `parts`, each (len,), to `total`, first to last: the one way in which parts are added.
pub fn add_in_order<T: AddAssign + Copy>(
    total: &mut [T],
    parts: impl IntoIterator<Item: AsRef<[T]>>,
) {
    for part in parts {
        for (t, x) in total.iter_mut().zip(part.as_ref()) {
            *t += *x;
        }
    }
}

/// The entrywise sum of `parts`, each (len,), first to last.
pub fn sum_in_order(parts: Vec<Vec<f64>>, len: usize) -> Vec<f64> {
    let mut parts = parts.into_iter();
    let mut total = parts.next().unwrap_or_else(|| vec![0.0; len]);
    add_in_order(&mut total, parts);
    total
}

/// `task` on every block of `0..n`; the results in order.
///
/// ```
/// use fast_select_core::run::parallel::map_blocks;
///
/// assert_eq!(map_blocks(10, 4, |rows| Ok((rows.start, rows.len())))?, [(0, 4), (4, 4), (8, 2)]);
/// # Ok::<(), fast_select_core::Error>(())
/// ```
///
/// # Errors
/// The first error that `task` returns.
pub fn map_blocks<R: Send>(
    n: usize,
    block: usize,
    task: impl Fn(Range<usize>) -> Result<R> + Sync,
) -> Result<Vec<R>> {
    let block = block.max(1);
    (0..n.div_ceil(block))
        .into_par_iter()
        .map(|b| task(b * block..n.min((b + 1) * block)))
        .collect()
}

/// The items of a slice with their positions, for [`map_items`].
pub fn indexed<T: Sync>(
    items: &[T],
) -> impl IntoParallelIterator<Item = (usize, &T), Iter: IndexedParallelIterator> {
    items.par_iter().enumerate()
}

/// `task` on every item of `items`; the results in order.
///
/// # Errors
/// The first error that `task` returns.
pub fn map_items<T: Send, R: Send>(
    items: impl IntoParallelIterator<Item = T, Iter: IndexedParallelIterator>,
    task: impl Fn(T) -> Result<R> + Sync + Send,
) -> Result<Vec<R>> {
    items.into_par_iter().with_max_len(1).map(task).collect()
}

/// `task` on every pair of two of `items`, each of them in one pair at a time.
///
/// The pairs come in the rounds of a tournament (circle method), so that an item meets the others
/// in an order that depends on their number alone.
///
/// ```
/// use fast_select_core::run::parallel::for_each_pair;
///
/// // Every two of three meet once: 1·2, 1·4 and 2·4.
/// let mut items = [(1, 0), (2, 0), (4, 0)];
/// for_each_pair(&mut items, |a, b| {
///     let product = a.0 * b.0;
///     a.1 += product;
///     b.1 += product;
///     Ok(())
/// })?;
/// assert_eq!(items.map(|(_, met)| met), [2 + 4, 2 + 8, 4 + 8]);
/// # Ok::<(), fast_select_core::Error>(())
/// ```
///
/// # Errors
/// The first error that `task` returns.
pub fn for_each_pair<T: Send>(
    items: &mut [T],
    task: impl Fn(&mut T, &mut T) -> Result<()> + Sync,
) -> Result<()> {
    // With an odd number, one item rests in each round.
    let seats = items.len().next_multiple_of(2);
    let mut waiting: Vec<Option<&mut T>> = items.iter_mut().map(Some).collect();
    let circle = seats.saturating_sub(1);
    for round in 0..circle {
        let opposite =
            (1..seats / 2).map(|k| ((round + k) % circle, (round + circle - k) % circle));
        let mut pairs = Vec::with_capacity(seats / 2);
        for (a, b) in opposite.chain([(round, circle)]) {
            let (low, high) = (a.min(b), a.max(b));
            if high < waiting.len()
                && let (Some(first), Some(second)) = (waiting[low].take(), waiting[high].take())
            {
                pairs.push((low, high, first, second));
            }
        }
        let met = pairs.par_iter_mut().with_max_len(1);
        met.try_for_each(|(_, _, first, second)| task(first, second))?;
        for (low, high, first, second) in pairs {
            (waiting[low], waiting[high]) = (Some(first), Some(second));
        }
    }
    Ok(())
}

/// The sum over all blocks of `0..n` of what `add(block, partial)` adds to a vector of `len`.
///
/// Block b is added to lane b mod 32 in ascending order, then the lanes are added in order.
/// Memory: 32 x `len` entries.
///
/// ```
/// use fast_select_core::run::parallel::sum_blocks;
///
/// // Sum and sum of squares of 0, 1, 2 and 3.
/// let sums = sum_blocks(4, 2, 2, |rows, sums| {
///     for i in rows {
///         sums[0] += i as f64;
///         sums[1] += (i * i) as f64;
///     }
///     Ok(())
/// })?;
/// assert_eq!(sums, [6.0, 14.0]);
/// # Ok::<(), fast_select_core::Error>(())
/// ```
///
/// # Errors
/// The first error that `add` returns.
pub fn sum_blocks(
    n: usize,
    block: usize,
    len: usize,
    add: impl Fn(Range<usize>, &mut [f64]) -> Result<()> + Sync,
) -> Result<Vec<f64>> {
    let lanes = (0..n_lanes(n, block))
        .into_par_iter()
        .with_max_len(1)
        .map(|lane| sum_of_lane(n, block, lane, len, &add))
        .collect::<Result<Vec<_>>>()?;
    Ok(sum_in_order(lanes, len))
}

/// Lanes of [`sum_blocks`].
#[must_use]
pub fn n_lanes(n: usize, block: usize) -> usize {
    PARTIAL_SUMS.min(n.div_ceil(block.max(1)))
}

/// One lane of [`sum_blocks`], (len,): [`sum_in_order`] of all lanes is what that returns.
///
/// # Errors
/// The first error that `add` returns.
pub fn sum_of_lane(
    n: usize,
    block: usize,
    lane: usize,
    len: usize,
    add: impl Fn(Range<usize>, &mut [f64]) -> Result<()>,
) -> Result<Vec<f64>> {
    let block = block.max(1);
    let mut sum = vec![0.0; len];
    for b in (lane..n.div_ceil(block)).step_by(PARTIAL_SUMS) {
        add(b * block..n.min((b + 1) * block), &mut sum)?;
    }
    Ok(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_do_not_depend_on_threads() {
        let sum = |threads| {
            with_pool(threads, || {
                sum_blocks(1001, 7, 1, |rows, out| {
                    out[0] += rows.map(|i| (i as f64).sqrt()).sum::<f64>();
                    Ok(())
                })
            })
            .unwrap()
            .unwrap()[0]
        };
        let expected: f64 = (0..1001).map(|i| f64::from(i).sqrt()).sum();
        assert!((sum(1) - expected).abs() < 1e-9 * expected);
        assert_eq!(sum(1).to_bits(), sum(2).to_bits());
        assert_eq!(sum(1).to_bits(), sum(4).to_bits());
    }

    #[test]
    fn every_two_items_meet_once_and_in_the_same_order() {
        for n in 0..12 {
            let meet = |threads| {
                let mut items: Vec<(usize, Vec<usize>)> = (0..n).map(|i| (i, vec![])).collect();
                let met = with_pool(threads, || {
                    for_each_pair(&mut items, |a, b| {
                        a.1.push(b.0);
                        b.1.push(a.0);
                        Ok(())
                    })
                });
                met.unwrap().unwrap();
                items
            };
            let items = meet(1);
            assert_eq!(items, meet(3));
            for (i, mut others) in items {
                others.sort_unstable();
                assert_eq!(others, (0..n).filter(|&j| j != i).collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn empty_input_has_empty_sum() {
        assert_eq!(sum_blocks(0, 8, 2, |_, _| Ok(())).unwrap(), [0.0, 0.0]);
        assert!(map_blocks(0, 8, Ok).unwrap().is_empty());
        assert_eq!(blocks(10, 4).collect::<Vec<_>>(), [0..4, 4..8, 8..10]);
    }
}
