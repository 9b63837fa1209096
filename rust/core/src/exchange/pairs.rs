//! One pass over all pairs of rows: the sum of each row's kernels, and its nearest covering rows.
//!
//! A pair's product is formed once (`kernels::tile`), and while it is in registers it is turned into a
//! kernel for both rows' sums and offered to both rows' lists (`graph::top_k`).
//!
//! # Numerics
//! Kernels of a row with a block of others are summed in f32, in sixteen lanes or as a column, at most 960
//! of them; these sums are added in f64, in the order in which blocks meet.

use pulp::Simd;

use crate::arrays::matrix::MatrixView;
use crate::exchange::gaussian::Exponents;
use crate::exchange::nearest_picks::bounded;
use crate::graph::knn::meeting_blocks;
use crate::graph::top_k::{Offer, ROOM, TopK};
use crate::kernels::product::matmul_nt;
use crate::kernels::tile::{Epilogue, RightPanels, for_each_tile, padded};
use crate::run::error::Result;
use crate::run::monitor::Monitor;
use crate::run::parallel::{for_each_pair, map_blocks, map_items};

/// Sums of a row side by side.
const LANES: usize = 16;
/// Covering rows by which limits are set; of them at least so many should be among the nearest,
/// and so many standard deviations more are let through.
const SAMPLED: usize = 512;
const LEAST_EXPECTED: f64 = 1.0;
const SPREAD: f64 = 2.5;
/// Rows of a product with them.
const ROWS_AT_ONCE: usize = 64;

/// What the pass finds.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Pairs {
    /// Sum of the kernels of each row with all, itself included, (n,).
    pub kernel_sums: Vec<f64>,
    /// Neighbours of a row, k.
    pub k: usize,
    /// The k nearest of the covering rows of each row, but for itself, in no order, (n, k): row and
    /// distance.
    pub near: Vec<(u32, f32)>,
}

/// The pass over the rows `x`, (n, p), of squared norms `norms`; `scale`, below 0: exponent of the coarsest
/// kernel at distance 1; `covering`, in random order: rows that are offered as neighbours, of which `k` are kept.
/// O(n^2 p / 2).
///
/// `monitor` advances by n.
///
/// # Errors
/// [`crate::Error::Interrupted`].
pub fn all_pairs(
    x: MatrixView<'_>,
    norms: &[f32],
    scale: f32,
    covering: &[u32],
    k: usize,
    monitor: &Monitor,
) -> Result<Pairs> {
    let k = k.min(covering.len().saturating_sub(1));
    let mut is_covering = vec![false; x.rows()];
    let offered = covering.iter();
    offered.for_each(|&i| is_covering[i as usize] = true);
    let parts = meeting_blocks(x.rows());
    let mut parts: Vec<Part<'_>> = parts
        .map(|at| {
            let rows = x.rows_range(at.clone());
            let (norms, covering) = (&norms[at.clone()], &is_covering[at.clone()]);
            Part::new(rows, at.start, norms, covering, scale, k)
        })
        .collect();
    if let Some(limits) = rank_limits(x, norms, covering, k)? {
        for part in &mut parts {
            let first = part.near.first();
            (0..part.x.rows()).for_each(|i| part.near.limit(i, limits[first + i]));
        }
    }
    let meetings = monitor.in_parts(x.rows(), parts.len() * (parts.len() + 1) / 2);
    map_items(&mut parts, |part| {
        part.meet_each_other();
        meetings.advance()
    })?;
    for_each_pair(&mut parts, |a, b| {
        a.meet(b);
        meetings.advance()
    })?;
    if parts.is_empty() {
        meetings.finish()?;
    }
    let near = map_items(&mut parts, |part| Ok(part.neighbors()))?.concat();
    let kernel_sums = parts.into_iter().flat_map(|part| part.totals).collect();
    Ok(Pairs {
        kernel_sums,
        k,
        near,
    })
}

/// Above what rank few of the k nearest covering rows of each row lie, by a sample of these (the first, as they are in
/// random order), (n,); `None` where so few rows are near that a sample cannot tell. O(n SAMPLED p).
///
/// Lists of many neighbours cost more to keep than their products to form, unless most of what they would
/// collect and drop again is kept away.
fn rank_limits(
    x: MatrixView<'_>,
    norms: &[f32],
    covering: &[u32],
    k: usize,
) -> Result<Option<Vec<f32>>> {
    let expected = (SAMPLED * k) as f64 / covering.len().max(1) as f64;
    if expected < LEAST_EXPECTED || covering.len() < 4 * SAMPLED.max(k) {
        return Ok(None);
    }
    let rank = (expected + SPREAD * expected.sqrt()).ceil() as usize;
    let sampled = &covering[..SAMPLED];
    let others = x.gather(sampled);
    let half_norms: Vec<f32> = sampled.iter().map(|&i| 0.5 * norms[i as usize]).collect();
    let parts = map_blocks(x.rows(), ROWS_AT_ONCE, |rows| {
        let mut tile = vec![0.0; rows.len() * SAMPLED];
        matmul_nt(&mut tile, x.rows_range(rows.clone()), others.view(), false);
        let limit = |dots: &mut [f32]| {
            let ranks = dots.iter_mut().zip(&half_norms);
            ranks.for_each(|(dot, half)| *dot = half - *dot);
            *dots.select_nth_unstable_by(rank, f32::total_cmp).1
        };
        let limits = tile.chunks_exact_mut(SAMPLED).map(limit);
        Ok(limits.collect::<Vec<_>>())
    })?;
    Ok(Some(parts.concat()))
}

/// Some of the rows, and what they have seen of the others.
struct Part<'a> {
    x: MatrixView<'a>,
    norms: &'a [f32],
    near: TopK<'a>,
    k: usize,
    exponents: Exponents,
    /// Kernels of a meeting by row and lane, and by column.
    by_row: Vec<[f32; LANES]>,
    by_column: Vec<f32>,
    /// Sums of all meetings before.
    totals: Vec<f64>,
}

impl<'a> Part<'a> {
    fn new(
        x: MatrixView<'a>,
        first: usize,
        norms: &'a [f32],
        is_covering: &[bool],
        scale: f32,
        k: usize,
    ) -> Self {
        let padded = padded(x.rows());
        let mut near = TopK::new(x, first, k, k.max(ROOM));
        let hidden = is_covering.iter().enumerate().filter(|(_, c)| !**c);
        hidden.for_each(|(i, _)| near.withhold(i));
        Self {
            x,
            norms,
            near,
            k,
            exponents: Exponents::new(norms, scale),
            by_row: vec![[0.0; LANES]; padded],
            by_column: vec![0.0; padded],
            totals: vec![0.0; x.rows()],
        }
    }

    /// Every row with every row of the same part, itself included.
    fn meet_each_other(&mut self) {
        let b = self.x.rows();
        let mut offered = TopK::new(self.x, self.near.first(), 0, 0);
        (0..b)
            .filter(|&i| !self.near.is_offered(i))
            .for_each(|i| offered.withhold(i));
        let mut right = RightPanels::default();
        right.pack(self.x);
        let mut meeting = Meeting {
            offer: self.near.offer(&mut offered, true),
            rows: &self.exponents,
            columns: &self.exponents,
            by_row: &mut self.by_row,
            by_column: &mut self.by_column,
        };
        for_each_tile(self.x, &right, &mut meeting);
        // The columns have seen the same pairs once more.
        self.by_column.fill(0.0);
        self.count();
    }

    /// Every row with every row of another part.
    fn meet(&mut self, other: &mut Self) {
        let mut right = RightPanels::default();
        right.pack(other.x);
        let mut meeting = Meeting {
            offer: self.near.offer(&mut other.near, true),
            rows: &self.exponents,
            columns: &other.exponents,
            by_row: &mut self.by_row,
            by_column: &mut other.by_column,
        };
        for_each_tile(self.x, &right, &mut meeting);
        self.count();
        other.count();
    }

    /// Adds the sums of a meeting to those before.
    fn count(&mut self) {
        let by_row = self.by_row.iter_mut().zip(&mut self.by_column);
        for (total, (row, column)) in self.totals.iter_mut().zip(by_row) {
            let row = row.iter().fold(0.0, |sum, k| sum + f64::from(*k));
            *total += row + f64::from(*column);
        }
        self.by_row.fill([0.0; LANES]);
        self.by_column.fill(0.0);
    }

    /// The neighbours of all rows.
    fn neighbors(&mut self) -> Vec<(u32, f32)> {
        let mut found = Vec::with_capacity(self.x.rows() * self.k);
        if self.k == 0 {
            return found;
        }
        for (i, norm) in self.norms.iter().enumerate() {
            // Candidates are ranked by half the squared distance less half the own squared norm.
            let distance = |&(rank, j): &(f32, u32)| (j, bounded((norm + 2.0 * rank).max(0.0)));
            found.extend(self.near.kept(i).iter().map(distance));
            // Fewer than k may lie below the limit.
            found.resize((i + 1) * self.k, (0, f32::INFINITY));
        }
        found
    }
}

/// Two parts at their products.
struct Meeting<'a, 'b, 'c> {
    offer: Offer<'a, 'b, 'c>,
    rows: &'a Exponents,
    columns: &'a Exponents,
    by_row: &'a mut [[f32; LANES]],
    by_column: &'a mut [f32],
}

impl Epilogue for Meeting<'_, '_, '_> {
    #[inline(always)]
    fn take<S: Simd>(&mut self, simd: S, row: usize, col: usize, products: S::f32s) {
        let kernels = self.rows.kernels(simd, row, self.columns, col, products);
        let lane = col % LANES;
        let by_row = &mut self.by_row[row][lane..lane + S::F32_LANES];
        let by_row = &mut S::as_mut_simd_f32s(by_row).0[0];
        *by_row = simd.add_f32s(*by_row, kernels);
        let by_column = &mut self.by_column[col..col + S::F32_LANES];
        let by_column = &mut S::as_mut_simd_f32s(by_column).0[0];
        *by_column = simd.add_f32s(*by_column, kernels);
        self.offer.take(simd, row, col, products);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arrays::matrix::{Matrix, random_matrix};
    use crate::kernels::squared_distance::{squared_distance, squared_norms};
    use crate::numeric::sample::sample_rows;
    use crate::run::parallel::with_pool;
    use crate::run::rng::test_stream;

    const SCALE: f32 = -0.245;

    fn run(x: &Matrix, covering: &[u32], k: usize, threads: usize) -> Pairs {
        let norms = squared_norms(x.view());
        let pass = || all_pairs(x.view(), &norms, SCALE, covering, k, &Monitor::default());
        with_pool(threads, pass).unwrap().unwrap()
    }

    /// The rows of `covering` but for `i`, by distance.
    fn by_distance(x: &Matrix, covering: &[u32], i: usize) -> Vec<f32> {
        let others = covering.iter().filter(|&&j| j as usize != i);
        let mut all: Vec<f32> = others
            .map(|&j| bounded(squared_distance(x.row(i), x.row(j as usize))))
            .collect();
        all.sort_unstable_by(f32::total_cmp);
        all
    }

    #[test]
    fn sums_and_neighbors_match_plain_loops() {
        for (n, p, k, every) in [
            (1, 2, 4, 1),
            (40, 3, 5, 1),
            (40, 3, 90, 1),
            (700, 5, 32, 1),
            (1500, 6, 20, 3),
        ] {
            let x = random_matrix(n, p, 29);
            let covering: Vec<u32> = (0..n as u32).step_by(every).collect();
            let got = run(&x, &covering, k, 1);
            assert_eq!(got, run(&x, &covering, k, 3));
            assert_eq!(got.k, k.min(covering.len() - 1));
            for i in (0..n).step_by(n.div_ceil(50)) {
                let kernel = |j: usize| {
                    let exponent = f64::from(SCALE * squared_distance(x.row(i), x.row(j)));
                    let powers = [1.0, 4.0, 16.0, 64.0];
                    powers
                        .map(|power| (power * exponent).exp())
                        .iter()
                        .sum::<f64>()
                };
                let sum: f64 = (0..n).map(kernel).sum();
                assert!((got.kernel_sums[i] / sum - 1.0).abs() < 1e-5);
                let mut near = got.near[i * got.k..(i + 1) * got.k].to_vec();
                near.sort_unstable_by(|a, b| a.1.total_cmp(&b.1));
                for ((j, d), expected) in near.iter().zip(by_distance(&x, &covering, i)) {
                    assert!((d - expected).abs() < 1e-4, "{n}: {d} {expected}");
                    let there = bounded(squared_distance(x.row(i), x.row(*j as usize)));
                    assert!((d - there).abs() < 1e-4 && covering.contains(j));
                }
            }
        }
    }

    /// Where a sample sets limits, lists are the nearest all the same, and seldom short: also in files in which
    /// kinds of rows take turns.
    #[test]
    fn limits_leave_lists_full() {
        let (n, k) = (4096, 100);
        let mut x = random_matrix(n, 4, 29);
        for i in 0..n {
            x.row_mut(i)[0] += 9.0 * (i % 8) as f32;
        }
        let covering = sample_rows(n, n, &mut test_stream(7, 0, 0));
        let got = run(&x, &covering, k, 2);
        let mut full = 0;
        for i in 0..n {
            let mut near = got.near[i * k..(i + 1) * k].to_vec();
            near.sort_unstable_by(|a, b| a.1.total_cmp(&b.1));
            let found = near.iter().take_while(|(_, d)| d.is_finite()).count();
            full += usize::from(found == k);
            if i % 64 == 0 {
                for ((_, d), expected) in near[..found].iter().zip(by_distance(&x, &covering, i)) {
                    assert!((d - expected).abs() < 1e-2, "{d} {expected}");
                }
            }
        }
        assert!(full * 100 > n * 97, "{full} of {n}");
    }
}
