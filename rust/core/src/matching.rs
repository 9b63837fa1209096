//! Which real row each anchor stands for: candidates along the graph, then the assignment.
//!
//! The cost of giving row j to anchor i is `C_ij = |y_i - u_j|^2 / (deg_j + ε)` (Cui et al. 2025, Eq. 3),
//! with degrees in units of their mean. ε is 10, so that degrees decide between rows at similar
//! distances only: with ε = 0 hubs attract anchors from afar and bend the distribution (CF distance of
//! the decoded pick over stratified random's at 1 %: usps 1.24 with ε = 0, .74 with 10; optdigits .72, .64; letter
//! .73, .72). Candidates of an anchor are
//! the row it has, that row's neighbours in the graph and theirs; an anchor moves less than that
//! between two matchings. As every anchor may keep its row, the lists always admit a matching.

use crate::assignment::{Assignment, CandidateLists};
use crate::error::{Result, check_len};
use crate::knn::knn_query;
use crate::linalg::{MatrixView, squared_distance};
use crate::monitor::Monitor;
use crate::parallel::map_blocks;
use crate::sparse::CsrMatrix;

/// ε of the cost, in mean degrees.
const EPSILON: f64 = 10.0;
/// Candidates kept an anchor.
const LIST: usize = 24;
/// Nearest neighbours of an anchor whose own neighbours are looked at.
const EXPAND: usize = 4;
/// Nearest rows of all that the last matching adds to the lists.
const NEAREST: usize = 16;
/// Anchors of a block.
const BLOCK: usize = 64;

/// The anchors' one-to-one assignment to rows, kept from step to step.
pub struct Matcher<'a> {
    rows: MatrixView<'a>,
    graph: Option<&'a CsrMatrix>,
    degrees: Vec<f64>,
    mean_degree: f64,
    assignment: Assignment,
}

impl<'a> Matcher<'a> {
    /// Anchors that stand on the distinct rows `start`, (m,), of `rows`, (n, p).
    ///
    /// Without a graph, every row is a candidate of every anchor: for small groups only.
    ///
    /// # Errors
    /// [`crate::Error::Shape`] where graph and rows differ in n; what [`Assignment`] refuses.
    pub fn new(rows: MatrixView<'a>, graph: Option<&'a CsrMatrix>, start: &[u32]) -> Result<Self> {
        let n = rows.rows();
        let degrees = match graph {
            Some(graph) => {
                check_len("rows of the graph", graph.n(), n)?;
                graph.row_sums()
            }
            None => vec![1.0; n],
        };
        let mean_degree = degrees.iter().sum::<f64>() / n.max(1) as f64;
        Ok(Self {
            rows,
            graph,
            degrees,
            mean_degree,
            assignment: Assignment::with_matching(n, start)?,
        })
    }

    /// The rows, (n, p).
    #[must_use]
    pub fn rows(&self) -> MatrixView<'a> {
        self.rows
    }

    /// The graph, where there is one.
    #[must_use]
    pub fn graph(&self) -> Option<&'a CsrMatrix> {
        self.graph
    }

    /// Weighted degrees of the rows, (n,).
    #[must_use]
    pub fn degrees(&self) -> &[f64] {
        &self.degrees
    }

    /// The row of each anchor, (m,).
    #[must_use]
    pub fn col_ind(&self) -> &[u32] {
        self.assignment.col_ind()
    }

    /// The anchor of each row, (n,), `u32::MAX` where it has none.
    #[must_use]
    pub fn row_of_col(&self) -> &[u32] {
        self.assignment.row_of_col()
    }

    /// Matches the anchors `y`, (m, p), anew, starting from the last matching. O(m k p).
    ///
    /// # Errors
    /// [`crate::Error::Shape`], [`crate::Error::Interrupted`].
    pub fn update(&mut self, y: MatrixView<'_>, monitor: &Monitor) -> Result<()> {
        self.solve(y, &[], monitor)
    }

    /// The last matching: also among the nearest of all rows. O(m n p).
    ///
    /// `monitor` advances by m.
    ///
    /// # Errors
    /// [`crate::Error::Shape`], [`crate::Error::Interrupted`].
    pub fn decode(mut self, y: MatrixView<'_>, monitor: &Monitor) -> Result<Vec<u32>> {
        let nearest = knn_query(y, self.rows, NEAREST, monitor)?;
        self.solve(y, &nearest.indices, monitor)?;
        Ok(self.assignment.col_ind().to_vec())
    }

    /// `extra`: further candidates, the same number for each anchor.
    fn solve(&mut self, y: MatrixView<'_>, extra: &[u32], monitor: &Monitor) -> Result<()> {
        let m = self.assignment.col_ind().len();
        check_len("anchors", y.rows(), m)?;
        let width = extra.len() / m.max(1);
        let lists = map_blocks(m, BLOCK, |anchors| {
            monitor.check()?;
            let mut part = CandidateLists::default();
            for i in anchors {
                self.candidates(
                    y.row(i),
                    self.col_ind()[i],
                    &extra[i * width..(i + 1) * width],
                )
                .into_iter()
                .for_each(|(cost, j)| part.push(j, cost));
                part.end_row();
            }
            Ok(part)
        })?;
        let lists = CandidateLists::concat(lists);
        self.assignment.solve(&lists, monitor)?;
        Ok(())
    }

    /// (cost, row) of one anchor at `y` that has row `own`; `own` first, the rest by row.
    fn candidates(&self, y: &[f32], own: u32, extra: &[u32]) -> Vec<(f64, u32)> {
        let cost = |j: u32| {
            let distance = f64::from(squared_distance(y, self.rows.row(j as usize)));
            (
                distance / (self.degrees[j as usize] / self.mean_degree + EPSILON),
                j,
            )
        };
        let Some(graph) = self.graph else {
            return (0..self.rows.rows() as u32).map(cost).collect();
        };
        let around = |j: u32| graph.row(j as usize).map(|(j, _)| j);
        let mut index: Vec<u32> = around(own)
            .chain([own])
            .chain(extra.iter().copied())
            .collect();
        index.sort_unstable();
        index.dedup();
        let mut list: Vec<(f64, u32)> = index.into_iter().map(cost).collect();
        keep_cheapest(&mut list, LIST);
        let hubs = list.len().min(EXPAND);
        list.select_nth_unstable_by(hubs - 1, by_cost);
        let mut further: Vec<u32> = list[..hubs].iter().flat_map(|&(_, j)| around(j)).collect();
        further.sort_unstable();
        further.dedup();
        list.extend(further.into_iter().map(cost));
        list.sort_unstable_by_key(|&(_, j)| j);
        list.dedup_by_key(|&mut (_, j)| j);
        keep_cheapest(&mut list, LIST);
        if !list.iter().any(|&(_, j)| j == own) {
            list.push(cost(own));
        }
        list.sort_unstable_by_key(|&(_, j)| j);
        list
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
