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
use crate::graph::knn::meeting_blocks;
use crate::graph::top_k::{Offer, ROOM, TopK};
use crate::kernels::product::matmul_nt;
use crate::kernels::tile::{COLS, Epilogue, ROWS, RightPanels, for_each_tile};
use crate::run::error::Result;
use crate::run::monitor::Monitor;
use crate::run::parallel::{for_each_pair, map_blocks, map_items};

/// Sums of a row side by side.
const LANES: usize = 16;
/// Covering rows by which limits are set, evenly spaced; of them at least so many should be among the nearest,
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
/// kernel at distance 1; `is_covering`, (n,): rows that are offered as neighbours, of which `k` are kept.
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
    is_covering: &[bool],
    k: usize,
    monitor: &Monitor,
) -> Result<Pairs> {
    let n_covering = is_covering.iter().filter(|c| **c).count();
    let k = k.min(n_covering.saturating_sub(1));
    let parts = meeting_blocks(x.rows());
    let mut parts: Vec<Part<'_>> = parts
        .map(|at| {
            let rows = x.rows_range(at.clone());
            let (norms, covering) = (&norms[at.clone()], &is_covering[at.clone()]);
            Part::new(rows, at.start, norms, covering, scale, k)
        })
        .collect();
    if let Some(limits) = rank_limits(x, norms, is_covering, n_covering, k) {
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

/// Above what rank few of the k nearest covering rows of each row lie, by a sample of these, (n,); `None` where
/// so few rows are near that a sample cannot tell. O(n SAMPLED p).
///
/// Lists of many neighbours cost more to keep than their products to form, unless most of what they would
/// collect and drop again is kept away.
fn rank_limits(
    x: MatrixView<'_>,
    norms: &[f32],
    is_covering: &[bool],
    n_covering: usize,
    k: usize,
) -> Option<Vec<f32>> {
    let expected = (SAMPLED * k) as f64 / n_covering.max(1) as f64;
    if expected < LEAST_EXPECTED || n_covering < 4 * SAMPLED || 4 * k > n_covering {
        return None;
    }
    let rank = (expected + SPREAD * expected.sqrt()).ceil() as usize;
    let covering = (0..x.rows() as u32).filter(|&i| is_covering[i as usize]);
    let covering: Vec<u32> = covering.collect();
    let sampled: Vec<u32> = (0..SAMPLED)
        .map(|s| covering[s * n_covering / SAMPLED])
        .collect();
    let others = x.gather(&sampled);
    let half_norms: Vec<f32> = sampled.iter().map(|&i| 0.5 * norms[i as usize]).collect();
    let parts = map_blocks(x.rows(), ROWS_AT_ONCE, |rows| {
        let mut tile = vec![0.0; rows.len() * SAMPLED];
        matmul_nt(&mut tile, x.rows_range(rows.clone()), others.view(), false);
        let limit = |dots: &mut [f32]| {
            dots.iter_mut()
                .zip(&half_norms)
                .for_each(|(d, half)| *d = half - *d);
            *dots.select_nth_unstable_by(rank, f32::total_cmp).1
        };
        Ok(tile
            .chunks_exact_mut(SAMPLED)
            .map(limit)
            .collect::<Vec<_>>())
    });
    parts.ok().map(|parts| parts.concat())
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
        let b = x.rows();
        let padded = b.next_multiple_of(ROWS).max(b.next_multiple_of(COLS));
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
            totals: vec![0.0; b],
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
            let distance = |&(rank, j): &(f32, u32)| (j, (norm + 2.0 * rank).max(0.0).sqrt());
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
    use crate::arrays::matrix::random_matrix;
    use crate::kernels::squared_distance::{squared_distance, squared_norms};
    use crate::run::parallel::with_pool;

    const SCALE: f32 = -0.245;

    #[test]
    fn sums_and_neighbors_match_plain_loops() {
        for (n, p, k, every) in [
            (1, 2, 4, 1),
            (40, 3, 5, 1),
            (700, 5, 32, 1),
            (3000, 4, 100, 1),
            (1500, 6, 20, 3),
        ] {
            let x = random_matrix(n, p, 29);
            let norms = squared_norms(x.view());
            let is_covering: Vec<bool> = (0..n).map(|i| i % every == 0).collect();
            let run = |threads| {
                with_pool(threads, || {
                    all_pairs(
                        x.view(),
                        &norms,
                        SCALE,
                        &is_covering,
                        k,
                        &Monitor::default(),
                    )
                })
                .unwrap()
                .unwrap()
            };
            let got = run(1);
            assert_eq!(got, run(3));
            let k = got.k;
            assert_eq!(
                k,
                k.min(is_covering.iter().filter(|c| **c).count().saturating_sub(1))
            );
            for i in (0..n).step_by(n.div_ceil(50)) {
                let mut sum = 0.0;
                let mut all: Vec<(f32, u32)> = Vec::new();
                for j in 0..n {
                    let d2 = squared_distance(x.row(i), x.row(j));
                    let e = |power: f64| (power * f64::from(SCALE * d2)).exp();
                    sum += e(1.0) + e(4.0) + e(16.0) + e(64.0);
                    if i != j && is_covering[j] {
                        all.push((d2.sqrt(), j as u32));
                    }
                }
                assert!(
                    (got.kernel_sums[i] / sum - 1.0).abs() < 1e-5,
                    "{n}: {} {sum}",
                    got.kernel_sums[i]
                );
                all.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
                let mut near = got.near[i * k..(i + 1) * k].to_vec();
                near.sort_unstable_by(|a, b| a.1.total_cmp(&b.1));
                let found = near.iter().take_while(|(_, d)| d.is_finite()).count();
                assert!(
                    found == k || (k == 100 && found > 60),
                    "{n}: {found} of {k}"
                );
                for ((_, d), (expected, _)) in near[..found].iter().zip(&all) {
                    assert!((d - expected).abs() < 1e-4, "{n}: {d} {expected}");
                }
            }
        }
    }
}
