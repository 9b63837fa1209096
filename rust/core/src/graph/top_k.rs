//! The nearest rows seen so far of each row of a block.
//!
//! Rows are compared by `h_j - a_i·b_j` with `h = |b|^2/2`, which is half the squared distance less
//! what row i has in common with all others. A tile of products is tested against the running
//! thresholds while it is in registers; in most vectors nothing is near enough, and nothing is
//! stored.

use pulp::Simd;

use crate::arrays::matrix::MatrixView;
use crate::kernels::squared_distance::squared_norms;
use crate::kernels::tile::{Epilogue, RightPanels, for_each_tile, padded};

/// Candidates that a row collects beyond those it keeps before it sorts them out.
pub(crate) const ROOM: usize = 24;
/// Widest vector.
const WIDEST: usize = 16;

/// A row of the other side, and its half squared distance less a constant.
type Candidate = (f32, u32);

/// Rows `first..` of a matrix and the candidates of each.
pub struct TopK<'a> {
    x: MatrixView<'a>,
    first: usize,
    keep: usize,
    /// Half the squared norm of each row; infinite for rows that fill up a tile.
    half_norms: Vec<f32>,
    /// What a candidate must lie below; minus infinity for rows that fill up a tile.
    thresholds: Vec<f32>,
    /// Places a row: `keep` and what is spare, none if none are kept.
    room: usize,
    /// Those of each row, and how many of them are taken.
    entries: Vec<Candidate>,
    counts: Vec<usize>,
}

impl<'a> TopK<'a> {
    /// The rows of `x`, (b, p), of which the first is row `first` of the whole, with no candidates
    /// yet; `keep` of them will be kept, and `spare` more collected before they are sorted out. With a
    /// `keep` of 0 the rows are only offered to others.
    pub fn new(x: MatrixView<'a>, first: usize, keep: usize, spare: usize) -> Self {
        let b = x.rows();
        let padded = padded(b);
        let mut half_norms: Vec<f32> = squared_norms(x).into_iter().map(|s| 0.5 * s).collect();
        half_norms.resize(padded, f32::INFINITY);
        // Finite, as infinity less infinity would be NaN where a column fills up a panel.
        let mut thresholds = vec![
            if keep > 0 {
                f32::MAX
            } else {
                f32::NEG_INFINITY
            };
            b
        ];
        thresholds.resize(padded, f32::NEG_INFINITY);
        let room = if keep > 0 { keep + spare } else { 0 };
        Self {
            x,
            first,
            keep,
            half_norms,
            thresholds,
            room,
            entries: vec![(0.0, 0); b * room],
            counts: vec![0; b],
        }
    }

    /// The rows.
    pub fn x(&self) -> MatrixView<'a> {
        self.x
    }

    /// The number of its first row.
    pub fn first(&self) -> usize {
        self.first
    }

    /// Whether row `i` of the block is offered to others.
    pub fn is_offered(&self, i: usize) -> bool {
        self.half_norms[i].is_finite()
    }

    /// Offers each row every row of `other`, and the other way round; where `same`, both are blocks
    /// of one matrix, and a row is not offered to itself. O(b c p).
    pub fn meet(&mut self, other: &mut Self, same: bool) {
        let left = self.x;
        let mut right = RightPanels::default();
        right.pack(other.x);
        for_each_tile(left, &right, &mut self.offer(other, same));
    }

    /// What [`meet`](Self::meet) does with the products.
    pub fn offer<'b, 'c>(&'b mut self, other: &'b mut TopK<'c>, same: bool) -> Offer<'b, 'a, 'c> {
        Offer {
            rows: self,
            cols: other,
            same,
        }
    }

    /// Makes row `i` of the block take only what ranks below `limit`: half the squared distance, less half
    /// the own squared norm.
    pub fn limit(&mut self, i: usize, limit: f32) {
        self.thresholds[i] = limit;
    }

    /// Keeps the row `i` of the block from being offered.
    pub fn withhold(&mut self, i: usize) {
        self.half_norms[i] = f32::INFINITY;
    }

    /// Offers the rows to each other. O(b^2 p).
    pub fn meet_each_other(&mut self) {
        let mut offered = Self::new(self.x, self.first, 0, 0);
        self.meet(&mut offered, true);
    }

    /// The candidates kept of row `i` of the block, in no order.
    pub fn kept(&mut self, i: usize) -> &[Candidate] {
        self.sort_out(i);
        &self.entries[i * self.room..][..self.counts[i]]
    }

    fn push(&mut self, i: usize, candidate: Candidate) {
        self.entries[i * self.room + self.counts[i]] = candidate;
        self.counts[i] += 1;
        if self.counts[i] == self.room {
            self.sort_out(i);
        }
    }

    /// Drops all but the nearest `keep` of row `i`, ties by index.
    fn sort_out(&mut self, i: usize) {
        let entries = &mut self.entries[i * self.room..][..self.counts[i]];
        if entries.len() > self.keep {
            let by_value = |a: &Candidate, b: &Candidate| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1));
            let (_, last, _) = entries.select_nth_unstable_by(self.keep - 1, by_value);
            self.thresholds[i] = last.0;
            self.counts[i] = self.keep;
        }
    }
}

/// Products between two blocks.
pub struct Offer<'a, 'b, 'c> {
    rows: &'a mut TopK<'b>,
    cols: &'a mut TopK<'c>,
    same: bool,
}

impl Epilogue for Offer<'_, '_, '_> {
    #[inline(always)]
    fn take<S: Simd>(&mut self, simd: S, row: usize, col: usize, products: S::f32s) {
        // Near for the row: h_col - dot < t_row; for the column: h_row - dot < t_col.
        let for_row = simd.sub_f32s(
            vector::<S>(&self.cols.half_norms, col),
            simd.splat_f32s(self.rows.thresholds[row]),
        );
        let for_column = simd.sub_f32s(
            simd.splat_f32s(self.rows.half_norms[row]),
            vector::<S>(&self.cols.thresholds, col),
        );
        let limits = simd.min_f32s(for_row, for_column);
        if simd.first_true_m32s(simd.greater_than_f32s(products, limits)) < S::F32_LANES {
            let (mut dots, mut least) = ([0.0; WIDEST], [f32::INFINITY; WIDEST]);
            S::as_mut_simd_f32s(&mut dots).0[0] = products;
            S::as_mut_simd_f32s(&mut least).0[0] = limits;
            self.push(row, col, &dots, &least);
        }
    }
}

/// The entries of `x` from `at` on.
#[inline(always)]
fn vector<S: Simd>(x: &[f32], at: usize) -> S::f32s {
    S::as_simd_f32s(&x[at..at + S::F32_LANES]).0[0]
}

impl Offer<'_, '_, '_> {
    /// Offers row `i` and the columns from `first` on to each other, where their product exceeds
    /// `least`.
    #[inline(never)]
    fn push(&mut self, i: usize, first: usize, dots: &[f32; WIDEST], least: &[f32; WIDEST]) {
        let (rows, cols) = (&mut *self.rows, &mut *self.cols);
        // Few are near: their places are gathered without a branch for each.
        let mut places = 0_u32;
        for (lane, (dot, least)) in dots.iter().zip(least).enumerate() {
            places |= u32::from(dot > least) << lane;
        }
        while places != 0 {
            let lane = places.trailing_zeros() as usize;
            places &= places - 1;
            let (j, dot) = (first + lane, dots[lane]);
            if self.same && rows.first + i == cols.first + j {
                continue;
            }
            let (for_row, for_column) = (cols.half_norms[j] - dot, rows.half_norms[i] - dot);
            if for_row < rows.thresholds[i] {
                rows.push(i, (for_row, (cols.first + j) as u32));
            }
            if for_column < cols.thresholds[j] {
                cols.push(j, (for_column, (rows.first + i) as u32));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arrays::matrix::random_matrix;
    use crate::kernels::squared_distance::squared_distance;

    /// The ranks of the `keep` nearest of `others` of row `i` of `x`, ascending.
    fn nearest(x: MatrixView<'_>, i: usize, others: &[usize], keep: usize) -> Vec<f32> {
        let own = 0.5 * squared_norms(x)[i];
        let rank = |&j: &usize| 0.5 * squared_distance(x.row(i), x.row(j)) - own;
        let mut ranks: Vec<f32> = others.iter().filter(|j| **j != i).map(rank).collect();
        ranks.sort_unstable_by(f32::total_cmp);
        ranks.truncate(keep);
        ranks
    }

    fn assert_kept(got: &[Candidate], expected: &[f32]) {
        let mut ranks: Vec<f32> = got.iter().map(|(rank, _)| *rank).collect();
        ranks.sort_unstable_by(f32::total_cmp);
        assert_eq!(ranks.len(), expected.len());
        let pairs = ranks.iter().zip(expected);
        pairs.for_each(|(rank, expected)| assert!((rank - expected).abs() < 1e-4));
    }

    #[test]
    fn two_blocks_of_a_matrix_keep_the_nearest_of_both() {
        for (n, first, keep, spare) in [(90, 40, 7, 24), (50, 49, 3, 1), (33, 1, 40, 5)] {
            let x = random_matrix(n, 5, 3);
            let all: Vec<usize> = (0..n).collect();
            let mut blocks = [0..first, first..n]
                .map(|rows| TopK::new(x.view().rows_range(rows.clone()), rows.start, keep, spare));
            let [a, b] = &mut blocks;
            a.meet_each_other();
            b.meet_each_other();
            a.meet(b, true);
            for block in &mut blocks {
                for i in 0..block.x().rows() {
                    let row = block.first() + i;
                    let expected = nearest(x.view(), row, &all, keep);
                    let got = block.kept(i);
                    assert!(got.iter().all(|(_, j)| *j as usize != row));
                    assert_kept(got, &expected);
                }
            }
        }
    }

    #[test]
    fn withheld_rows_and_those_beyond_the_limit_are_not_kept() {
        let x = random_matrix(60, 3, 5);
        let mut rows = TopK::new(x.view(), 0, 9, ROOM);
        let mut offered = TopK::new(x.view(), 0, 0, 0);
        (0..60)
            .filter(|i| i % 3 > 0)
            .for_each(|i| offered.withhold(i));
        assert!(offered.is_offered(3) && !offered.is_offered(4));
        let others: Vec<usize> = (0..60).step_by(3).collect();
        let expected = nearest(x.view(), 17, &others, 9);
        let middle = 0.5 * (expected[3] + expected[4]);
        rows.limit(17, middle);
        rows.meet(&mut offered, true);
        assert_kept(rows.kept(17), &expected[..4]);
        assert_kept(rows.kept(18), &nearest(x.view(), 18, &others, 9));
    }
}
