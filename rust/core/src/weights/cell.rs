//! Near rows, and the nearest pick of each.
//!
//! The picks nearest to the cell's centre come first, which gives each row a pick that is near. Of the others, those
//! that lie farther from the centre than a row itself and its nearest so far together cannot be nearer to it. Rows and
//! picks are short ones ([`Contraction`]), and where a product of two says that they may be nearest, the distance
//! itself is taken.

use pulp::Simd;

use crate::arrays::matrix::{Matrix, MatrixView};
use crate::kernels::product::matmul_nt;
use crate::kernels::squared_distance::{
    squared_distance, squared_distance_f64, squared_from_products, squared_norms,
};
use crate::kernels::tile::{self, COLS, Epilogue, RightPanels, for_each_tile};
use crate::run::error::Result;
use crate::run::parallel::blocks;
use crate::weights::contraction::Contraction;

/// Rows of a cell at most, in panels of [`COLS`].
pub const ROWS: usize = 4 * COLS;
/// Picks that come first.
const FIRST: usize = 64;
/// Picks of a tile: within the second-level cache, and whole tiles.
const PICKS: usize = 80 * tile::ROWS;
/// Widest vector.
const WIDEST: usize = 16;

/// Different picks, and their short rows.
pub struct Picks {
    /// Ascending.
    pub rows: Vec<u32>,
    short: Matrix,
    norms: Vec<f32>,
    /// Half the squared norms, less rounding; infinite for what fills up a tile.
    half_norms: Vec<f32>,
    rounding: f32,
}

impl Picks {
    /// The picks `rows` of `z`, (n, p).
    pub fn new(z: MatrixView<'_>, rows: Vec<u32>, contraction: &Contraction) -> Self {
        let short = contraction.short(z, &rows);
        let (norms, rounding) = (squared_norms(short.view()), contraction.rounding());
        let halves = norms.iter().map(|norm| 0.5 * (1.0 - rounding) * norm);
        Self {
            half_norms: filled_up(halves.collect()),
            rows,
            short,
            norms,
            rounding,
        }
    }

    /// Squared distances of the short rows to `centre`, (1, s), less what rounding may have added.
    fn from(&self, centre: &Matrix) -> Vec<f32> {
        let mut squares = vec![0.0; self.rows.len()];
        matmul_nt(&mut squares, centre.view(), self.short.view(), false);
        let own = squared_norms(centre.view())[0];
        squared_from_products(&mut squares, own, &self.norms);
        let rounded = squares.iter_mut().zip(&self.norms);
        rounded.for_each(|(square, norm)| *square -= self.rounding * (own + norm));
        squares
    }
}

/// Half norms with those that fill up a tile.
fn filled_up(mut half_norms: Vec<f32>) -> Vec<f32> {
    half_norms.resize(half_norms.len().next_multiple_of(tile::ROWS), f32::INFINITY);
    half_norms
}

/// Rows of a cell, and the nearest pick of each so far.
pub struct Cell<'a> {
    z: MatrixView<'a>,
    centre: Matrix,
    /// Where each row stood, the nearest to the centre first, so that a panel's rows have like bounds.
    order: Vec<usize>,
    rows: Vec<u32>,
    from_centre: Vec<f32>,
    norms: Vec<f32>,
    panels: Vec<RightPanels>,
    rounding: f32,
    /// Squared distance and row of the nearest so far.
    best: Vec<(f64, u32)>,
    /// What the product with a pick, less half its squared norm, must exceed; infinite where nothing is wanted.
    limits: Vec<f32>,
}

impl<'a> Cell<'a> {
    /// The rows `rows` of `z`, (n, p); those of `picks` have themselves as their nearest.
    pub fn new(z: MatrixView<'a>, rows: &[u32], contraction: &Contraction, picks: &[u32]) -> Self {
        let short = contraction.short(z, rows);
        let mut centre = Matrix::zeros(1, short.cols());
        for i in 0..rows.len() {
            let entries = centre.row_mut(0).iter_mut().zip(short.row(i));
            entries.for_each(|(c, x)| *c += x / rows.len() as f32);
        }
        let distance = |i: usize| squared_distance(short.row(i), centre.row(0)).sqrt();
        let distances: Vec<f32> = (0..rows.len()).map(distance).collect();
        let mut order: Vec<usize> = (0..rows.len()).collect();
        order.sort_by(|&a, &b| distances[a].total_cmp(&distances[b]));
        let places: Vec<u32> = order.iter().map(|&i| i as u32).collect();
        let short = short.view().gather(&places);
        let panels = blocks(rows.len(), COLS).map(|at| {
            let mut panel = RightPanels::default();
            panel.pack(short.view().rows_range(at));
            panel
        });
        let panels = panels.collect();
        let rows: Vec<u32> = order.iter().map(|&i| rows[i]).collect();
        let best = rows.iter().map(|i| match picks.binary_search(i) {
            Ok(_) => (0.0, *i),
            Err(_) => (f64::INFINITY, u32::MAX),
        });
        let best: Vec<(f64, u32)> = best.collect();
        let limit = |&(square, _): &(f64, u32)| match square {
            0.0 => f32::INFINITY,
            _ => f32::NEG_INFINITY,
        };
        let mut limits: Vec<f32> = best.iter().map(limit).collect();
        limits.resize(rows.len().next_multiple_of(COLS), f32::INFINITY);
        Self {
            z,
            centre,
            from_centre: order.iter().map(|&i| distances[i]).collect(),
            order,
            rows,
            norms: squared_norms(short.view()),
            panels,
            rounding: contraction.rounding(),
            best,
            limits,
        }
    }

    /// The nearest pick of each row, in the order given.
    pub fn nearest(self) -> Vec<u32> {
        let mut nearest = vec![0; self.order.len()];
        for (at, (_, pick)) in self.order.into_iter().zip(self.best) {
            nearest[at] = pick;
        }
        nearest
    }

    /// Has all rows meet all picks; calls `tick` in between.
    ///
    /// # Errors
    /// What `tick` returns.
    pub fn meet_all(&mut self, picks: &Picks, tick: impl Fn() -> Result<()>) -> Result<()> {
        for at in blocks(picks.rows.len(), PICKS) {
            tick()?;
            let (left, rows) = (
                picks.short.view().rows_range(at.clone()),
                &picks.rows[at.clone()],
            );
            for panel in 0..self.panels.len() {
                self.meet(panel, left, rows, &picks.half_norms[at.start..]);
            }
        }
        Ok(())
    }

    /// Has all rows meet all picks but those that are too far from the centre to be the nearest.
    ///
    /// # Errors
    /// What `tick` returns.
    pub fn meet_those_in_reach(
        &mut self,
        picks: &Picks,
        tick: impl Fn() -> Result<()>,
    ) -> Result<()> {
        let squares = picks.from(&self.centre);
        let mut first: Vec<u32> = (0..squares.len() as u32).collect();
        let square = |at: &u32| squares[*at as usize];
        first.select_nth_unstable_by(FIRST, |a, b| square(a).total_cmp(&square(b)).then(a.cmp(b)));
        first.truncate(FIRST);
        for panel in 0..self.panels.len() {
            self.meet_some(panel, picks, &first);
        }
        for panel in 0..self.panels.len() {
            for at in blocks(squares.len(), PICKS) {
                tick()?;
                let reach = self.reach(panel);
                let square = reach * reach * (1.0 + self.rounding);
                let in_reach = at.clone().filter(|&at| squares[at] <= square);
                let near: Vec<u32> = in_reach.map(|at| at as u32).collect();
                // Where most are, copying them would cost more than meeting all.
                if 2 * near.len() < at.len() {
                    self.meet_some(panel, picks, &near);
                } else {
                    let left = picks.short.view().rows_range(at.clone());
                    self.meet(
                        panel,
                        left,
                        &picks.rows[at.clone()],
                        &picks.half_norms[at.start..],
                    );
                }
            }
        }
        Ok(())
    }

    /// How far from the centre a pick may lie that is nearer to a row of a panel than its nearest so far.
    fn reach(&self, panel: usize) -> f32 {
        let rows = panel * COLS..self.rows.len().min((panel + 1) * COLS);
        let reach = |i: usize| self.from_centre[i] + self.best[i].0.sqrt() as f32;
        rows.map(reach).fold(0.0, f32::max)
    }

    /// Has the rows of a panel meet the picks at `places`.
    fn meet_some(&mut self, panel: usize, picks: &Picks, places: &[u32]) {
        if places.is_empty() {
            return;
        }
        let left = picks.short.view().gather(places);
        let (rows, halves): (Vec<u32>, Vec<f32>) = places
            .iter()
            .map(|&at| (picks.rows[at as usize], picks.half_norms[at as usize]))
            .unzip();
        self.meet(panel, left.view(), &rows, &filled_up(halves));
    }

    /// Has the rows of a panel meet the picks `rows`, whose short rows are `left`.
    fn meet(&mut self, panel: usize, left: MatrixView<'_>, rows: &[u32], half_norms: &[f32]) {
        let right = std::mem::take(&mut self.panels[panel]);
        let mut offer = Offer {
            cell: self,
            first: panel * COLS,
            rows,
            half_norms,
        };
        for_each_tile(left, &right, &mut offer);
        self.panels[panel] = right;
    }

    /// Measures row `i` and a pick, and keeps this if it is nearer, or as near and comes first.
    fn measure(&mut self, i: usize, pick: u32) {
        let own = self.z.row(self.rows[i] as usize);
        let found = (squared_distance_f64(own, self.z.row(pick as usize)), pick);
        if found < self.best[i] {
            self.best[i] = found;
            let common = (1.0 - self.rounding) * self.norms[i];
            self.limits[i] = 0.5 * (common - found.0 as f32);
        }
    }
}

/// Products of picks and the rows of a panel.
struct Offer<'a, 'b> {
    cell: &'a mut Cell<'b>,
    /// The panel's first row.
    first: usize,
    /// The picks, and half their squared norms.
    rows: &'a [u32],
    half_norms: &'a [f32],
}

impl Epilogue for Offer<'_, '_> {
    #[inline(always)]
    fn take<S: Simd>(&mut self, simd: S, row: usize, col: usize, products: S::f32s) {
        let at = self.first + col;
        let limits = S::as_simd_f32s(&self.cell.limits[at..at + S::F32_LANES]).0[0];
        let least = simd.add_f32s(limits, simd.splat_f32s(self.half_norms[row]));
        let may_be_near = simd.greater_than_f32s(products, least);
        if simd.first_true_m32s(may_be_near) < S::F32_LANES {
            let (mut dots, mut limits) = ([0.0; WIDEST], [f32::INFINITY; WIDEST]);
            S::as_mut_simd_f32s(&mut dots).0[0] = products;
            S::as_mut_simd_f32s(&mut limits).0[0] = least;
            self.push(row, at, &dots, &limits);
        }
    }
}

impl Offer<'_, '_> {
    #[inline(never)]
    fn push(&mut self, row: usize, first: usize, dots: &[f32; WIDEST], least: &[f32; WIDEST]) {
        for (lane, (dot, least)) in dots.iter().zip(least).enumerate() {
            if dot > least {
                self.cell.measure(first + lane, self.rows[row]);
            }
        }
    }
}
