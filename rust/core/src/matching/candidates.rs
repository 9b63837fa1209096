//! The rows near an anchor, kept while it moves.
//!
//! Root costs `e_ij = |y_i - u_j| / sqrt(w_j)` are distances but for the factor: an anchor that has
//! moved by δ has changed each by at most `δ / sqrt(w)`, w the least weight. So the costs measured
//! at one place bound those at every later one, and an anchor whose own row is by these bounds
//! still the cheapest costs two distances, not one for every candidate.
//!
//! Which rows are candidates is settled anew where the anchor gets another row, or has moved as far
//! as its candidates reach. On Fashion-MNIST (6,000 of 60,000 rows) the matchings cost as much, to
//! 2e-4, as with candidates found anew for every matching, in less than half of the time.

use crate::arrays::matrix::MatrixView;
use crate::kernels::squared_distance::squared_distance;
use crate::numeric::sparse::CsrMatrix;

/// ε of the cost, in mean degrees.
const EPSILON: f64 = 10.0;
/// Candidates kept an anchor.
const LIST: usize = 24;
/// Nearest neighbours of an anchor whose own neighbours are looked at.
const EXPAND: usize = 4;
/// What rounding in single precision may take off a bound, relatively.
const ROUNDING: f64 = 1e-5;

/// Rows and what it costs to be matched to them.
#[derive(Clone)]
pub struct RowCosts<'a> {
    /// (n, p).
    pub u: MatrixView<'a>,
    /// Which rows are neighbours; without it, all are.
    pub graph: Option<&'a CsrMatrix>,
    /// `deg_j + ε`, degrees in units of their mean; (n,).
    weights: Vec<f64>,
}

impl<'a> RowCosts<'a> {
    /// Rows of the given degrees, (n,).
    pub fn new(u: MatrixView<'a>, graph: Option<&'a CsrMatrix>, degrees: &[f64]) -> Self {
        let mean = degrees.iter().sum::<f64>() / degrees.len().max(1) as f64;
        let weights = degrees.iter().map(|deg| deg / mean + EPSILON).collect();
        Self { u, graph, weights }
    }

    /// C_ij of an anchor at `y` and row `j`.
    pub fn cost(&self, y: &[f32], j: u32) -> f64 {
        f64::from(squared_distance(y, self.u.row(j as usize))) / self.weights[j as usize]
    }

    /// Mean distance of row `j` to its neighbours, without a graph to all rows; 0 where there are none.
    pub fn spacing(&self, j: u32) -> f32 {
        let own = self.u.row(j as usize);
        let to = |i: u32| squared_distance(own, self.u.row(i as usize)).sqrt();
        let near = self.around(j);
        let (sum, count): (f32, _) = match self.graph {
            Some(_) => (near.iter().map(|&i| to(i)).sum(), near.len()),
            None => ((0..self.u.rows() as u32).map(to).sum(), self.u.rows()),
        };
        sum / count.max(1) as f32
    }

    fn around(&self, j: u32) -> &'a [u32] {
        self.graph.map_or(&[], |graph| {
            &graph.indices[graph.indptr[j as usize]..graph.indptr[j as usize + 1]]
        })
    }

    /// The cheapest rows near `own`, to an anchor at `y`, among its graph neighbours, `extra`, and
    /// the neighbours of the [`EXPAND`] cheapest of these.
    fn gather(&self, y: &[f32], own: u32, extra: &[u32]) -> Vec<(f64, u32)> {
        let cost = |j: u32| (self.cost(y, j), j);
        if self.graph.is_none() {
            return (0..self.u.rows() as u32).map(cost).collect();
        }
        let mut first: Vec<u32> = [&[own], self.around(own), extra].concat();
        first.sort_unstable();
        first.dedup();
        let mut list: Vec<(f64, u32)> = first.iter().copied().map(cost).collect();
        keep_cheapest(&mut list, LIST);
        let hubs = list.len().min(EXPAND);
        list.select_nth_unstable_by(hubs - 1, by_cost);
        let mut further: Vec<u32> = list[..hubs]
            .iter()
            .flat_map(|&(_, j)| self.around(j))
            .copied()
            .collect();
        further.sort_unstable();
        further.dedup();
        further.retain(|j| first.binary_search(j).is_err());
        list.extend(further.into_iter().map(cost));
        keep_cheapest(&mut list, LIST);
        list
    }
}

/// The candidates of an anchor.
#[derive(Clone, Default)]
pub struct Candidates {
    /// The row around which they lie, and its cost at the last [`Candidates::follow`].
    own: Option<u32>,
    pub own_cost: f64,
    /// Whether another row may be cheaper at the prices then.
    pub contested: bool,
    /// The rows, ascending, the own one among them; and their costs to an anchor at `at`.
    pub rows: Vec<u32>,
    pub costs: Vec<f64>,
    at: Vec<f32>,
    /// How much farther the anchor may go before the candidates are found anew, as a root cost: in
    /// all, as far as the dearest of them was when they were found.
    reach: f64,
}

impl Candidates {
    /// For an anchor at `y` that has row `own`: brings the cost of its row up to date, and decides, by
    /// bounds alone, whether another row may be cheaper at `prices`, (n,).
    pub fn follow(&mut self, rows: &RowCosts<'_>, y: &[f32], own: u32, prices: &[f64]) {
        let shift = self.shift(y);
        if self.own != Some(own) || shift > self.reach {
            return self.gather(rows, y, own, &[]);
        }
        let least = |root: f64| ((root - shift).max(0.0) * (1.0 - ROUNDING)).powi(2);
        self.own_cost = rows.cost(y, own);
        let limit = self.own_cost - prices[own as usize];
        let mut others = self
            .rows
            .iter()
            .zip(&self.costs)
            .filter(|(j, _)| **j != own);
        self.contested = others.any(|(&j, c)| least(c.sqrt()) - prices[j as usize] < limit);
    }

    /// Finds the candidates anew, `extra` among them, around row `own` and an anchor at `y`.
    pub fn gather(&mut self, rows: &RowCosts<'_>, y: &[f32], own: u32, extra: &[u32]) {
        let mut list = rows.gather(y, own, extra);
        let dearest = list.iter().map(|&(cost, _)| cost).fold(0.0, f64::max);
        // Without a graph nothing is left out.
        self.reach = rows.graph.map_or(f64::INFINITY, |_| dearest.sqrt());
        self.own_cost = rows.cost(y, own);
        if !list.iter().any(|&(_, j)| j == own) {
            list.push((self.own_cost, own));
        }
        list.sort_unstable_by_key(|&(_, j)| j);
        self.rows.clear();
        self.rows.extend(list.iter().map(|&(_, j)| j));
        self.costs.clear();
        self.costs.extend(list.iter().map(|&(cost, _)| cost));
        self.at.clear();
        self.at.extend_from_slice(y);
        (self.own, self.contested) = (Some(own), true);
    }

    /// Measures the costs of an anchor at `y`, unless they are of that place.
    pub fn measure(&mut self, rows: &RowCosts<'_>, y: &[f32]) {
        if self.at == y {
            return;
        }
        self.reach -= self.shift(y);
        for (cost, &j) in self.costs.iter_mut().zip(&self.rows) {
            *cost = rows.cost(y, j);
        }
        self.at.copy_from_slice(y);
    }

    /// By how much root costs have changed, at most, since they were measured (none as yet: 0).
    fn shift(&self, y: &[f32]) -> f64 {
        (f64::from(squared_distance(y, &self.at)) / EPSILON).sqrt()
    }
}

fn by_cost(a: &(f64, u32), b: &(f64, u32)) -> std::cmp::Ordering {
    a.0.total_cmp(&b.0).then(a.1.cmp(&b.1))
}

fn keep_cheapest(list: &mut Vec<(f64, u32)>, count: usize) {
    if list.len() > count {
        list.select_nth_unstable_by(count - 1, by_cost);
        list.truncate(count);
    }
}
