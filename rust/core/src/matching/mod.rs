//! Which real row each anchor stands for: candidates along the graph, then the assignment.
//!
//! The cost of giving row j to anchor i is `C_ij = |y_i - u_j|^2 / (deg_j + ε)` (Cui et al. 2025,
//! Eq. 3), with degrees in units of their mean. ε is 10, so that degrees decide between rows at
//! similar distances only: with ε = 0 hubs attract anchors from afar and bend the distribution (CF
//! distance of the decoded pick over stratified random's at 1 %: usps 1.24 with ε = 0, .74 with 10;
//! optdigits .72, .64; letter .73, .72). Candidates of an anchor are the cheapest of the row it
//! has, that row's neighbours in the graph and theirs. As every anchor may keep its row, the lists
//! always admit a matching.
//!
//! | file | what it is for | cost |
//! |---|---|---|
//! | `candidates` | the rows near an anchor, kept while it moves | O(k p) where another row may be cheaper |
//! | [`candidate_lists`] | columns and costs of the rows to assign, and which rows list a column | |
//! | [`assignment`] | the cheapest matching on such lists (Jonker & Volgenant 1987), kept between solves | |
//! | `duals` | a matching and its dual variables | |
//! | `augment` | shortest paths by which a matching grows or mends | |
//! | `search` | Dijkstra's labels and heap | |
//!
//! Between two matchings only anchors that may want another row are looked at closely (`candidates`): on
//! Fashion-MNIST, one in fifty where classes are matched apart, but nearly all where anchors roam far.

pub mod assignment;
mod augment;
pub mod candidate_lists;
mod candidates;
mod duals;
mod search;

use crate::arrays::matrix::MatrixView;
use crate::graph::knn::knn_query;
use crate::matching::assignment::Assignment;
use crate::matching::candidate_lists::CandidateRows;
use crate::matching::candidates::{Candidates, RowCosts};
use crate::numeric::sparse::CsrMatrix;
use crate::run::error::{Result, check_len};
use crate::run::monitor::Monitor;
use crate::run::parallel::fill_blocks;

/// Nearest rows of all that the last matching adds to the candidates.
const NEAREST: usize = 16;
/// Anchors of a block.
const BLOCK: usize = 64;

/// What the anchors have become.
#[derive(Debug, Clone, PartialEq)]
pub struct Decoded {
    /// The row of each anchor, (m,), distinct.
    pub rows: Vec<u32>,
    /// How many rows there would be if each anchor took the one nearest to it: fewer where anchors
    /// have run together.
    pub n_distinct: usize,
}

/// The anchors' one-to-one assignment to rows, kept from step to step.
///
/// ```
/// use fast_select_core::arrays::matrix::Matrix;
/// use fast_select_core::matching::Matcher;
/// use fast_select_core::run::monitor::Monitor;
///
/// let (x, monitor) = (Matrix::from_vec(vec![0.0, 1.0, 2.0, 5.0], 4, 1)?, Monitor::default());
/// let mut matcher = Matcher::new(x.view(), None, &[0, 2])?;
/// // The first anchor has come close to row 1.
/// let y = Matrix::from_vec(vec![0.8, 2.2], 2, 1)?;
/// matcher.update(y.view(), &monitor)?;
/// assert_eq!(matcher.col_ind(), [1, 2]);
/// // Both are nearest to row 1; 0.9 gets it, as 0.8 has less far to row 0.
/// let y = Matrix::from_vec(vec![0.9, 0.8], 2, 1)?;
/// let decoded = matcher.decode(y.view(), &monitor)?;
/// assert_eq!((decoded.rows, decoded.n_distinct), (vec![1, 0], 1));
/// # Ok::<(), fast_select_core::Error>(())
/// ```
#[derive(Clone)]
pub struct Matcher<'a> {
    rows: RowCosts<'a>,
    degrees: Vec<f64>,
    candidates: Vec<Candidates>,
    assignment: Assignment,
}

impl<'a> Matcher<'a> {
    /// Anchors that stand on the distinct rows `start`, (m,), of `rows`, (n, p).
    ///
    /// Without a graph, every row is a candidate of every anchor: for small groups only.
    ///
    /// # Errors
    /// [`crate::Error::Refused`] where graph and rows differ in n, and what [`Assignment`] refuses.
    pub fn new(rows: MatrixView<'a>, graph: Option<&'a CsrMatrix>, start: &[u32]) -> Result<Self> {
        let n = rows.rows();
        let degrees = match graph {
            Some(graph) => {
                check_len("rows of the graph", graph.n(), n)?;
                graph.row_sums()
            }
            None => vec![1.0; n],
        };
        Ok(Self {
            rows: RowCosts::new(rows, graph, &degrees),
            degrees,
            candidates: start.iter().map(|_| Candidates::default()).collect(),
            assignment: Assignment::with_matching(n, start)?,
        })
    }

    /// The rows, (n, p).
    #[must_use]
    pub fn rows(&self) -> MatrixView<'a> {
        self.rows.u
    }

    /// The graph, where there is one.
    #[must_use]
    pub fn graph(&self) -> Option<&'a CsrMatrix> {
        self.rows.graph
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

    /// Mean distance of a row to its neighbours in the graph; without one, to all rows. O(k p).
    #[must_use]
    pub fn spacing(&self, row: u32) -> f32 {
        self.rows.spacing(row)
    }

    /// The anchor of each row, (n,), `u32::MAX` where it has none.
    #[must_use]
    pub fn row_of_col(&self) -> &[u32] {
        self.assignment.row_of_col()
    }

    /// Matches the anchors `y`, (m, p), anew, starting from the last matching; returns how many
    /// searches that took. O(m p), and O(k p) for each anchor that may want another row.
    ///
    /// # Errors
    /// [`crate::Error::Refused`] for another number of anchors; [`crate::Error::Interrupted`].
    pub fn update(&mut self, y: MatrixView<'_>, monitor: &Monitor) -> Result<usize> {
        check_len("anchors", y.rows(), self.candidates.len())?;
        check_len("columns of the anchors", y.cols(), self.rows.u.cols())?;
        let (rows, own) = (&self.rows, self.assignment.col_ind());
        let prices = self.assignment.prices();
        fill_blocks(&mut self.candidates, 1, BLOCK, |first, candidates| {
            monitor.check()?;
            for (i, candidates) in (first..).zip(candidates) {
                candidates.follow(rows, y.row(i), own[i], prices);
                if candidates.contested {
                    candidates.measure(rows, y.row(i));
                }
            }
            Ok(())
        })?;
        self.solve(y, monitor)
    }

    /// The last matching: also among the nearest of all rows. O(m n p).
    ///
    /// `monitor` advances by m.
    ///
    /// # Errors
    /// [`crate::Error::Refused`] for another number of anchors; [`crate::Error::Interrupted`].
    pub fn decode(mut self, y: MatrixView<'_>, monitor: &Monitor) -> Result<Decoded> {
        check_len("anchors", y.rows(), self.candidates.len())?;
        let nearest = knn_query(y, self.rows.u, NEAREST, |anchors| monitor.advance(anchors))?;
        let (rows, own, k) = (&self.rows, self.assignment.col_ind(), nearest.k);
        fill_blocks(&mut self.candidates, 1, BLOCK, |first, candidates| {
            monitor.check()?;
            for (i, candidates) in (first..).zip(candidates) {
                let extra = &nearest.indices[i * k..(i + 1) * k];
                candidates.gather(rows, y.row(i), own[i], extra);
            }
            Ok(())
        })?;
        self.solve(y, monitor)?;
        let mut distinct: Vec<u32> = nearest.indices.iter().copied().step_by(k.max(1)).collect();
        distinct.sort_unstable();
        distinct.dedup();
        Ok(Decoded {
            rows: self.assignment.col_ind().to_vec(),
            n_distinct: distinct.len(),
        })
    }

    fn solve(&mut self, y: MatrixView<'_>, monitor: &Monitor) -> Result<usize> {
        let mut contested = Vec::new();
        for (i, candidates) in self.candidates.iter().enumerate() {
            if candidates.contested {
                contested.push(i);
            } else {
                self.assignment.keep(i, candidates.own_cost);
            }
        }
        let mut lists = Lists {
            rows: &self.rows,
            candidates: &mut self.candidates,
            y,
        };
        self.assignment.solve_again(&mut lists, contested, monitor)
    }
}

/// The anchors' candidates; costs are measured where a search comes by.
struct Lists<'a> {
    rows: &'a RowCosts<'a>,
    candidates: &'a mut [Candidates],
    y: MatrixView<'a>,
}

impl CandidateRows for Lists<'_> {
    fn columns(&self, i: usize) -> &[u32] {
        &self.candidates[i].rows
    }

    fn row(&mut self, i: usize) -> (&[u32], &[f64]) {
        let candidates = &mut self.candidates[i];
        candidates.measure(self.rows, self.y.row(i));
        (&candidates.rows, &candidates.costs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arrays::matrix::Matrix;
    use crate::graph::connect::connect;
    use crate::graph::fuzzy::fuzzy_simplicial_set;
    use crate::graph::knn::knn;
    use crate::matching::candidate_lists::CandidateLists;
    use crate::run::parallel::with_pool;
    use crate::run::rng::test_stream;
    use rand::Rng;

    fn points(n: usize, p: usize) -> Matrix {
        let mut rng = test_stream(3, n, p);
        let data = (0..n * p).map(|_| rng.random_range(-1.0..1.0)).collect();
        Matrix::from_vec(data, n, p).unwrap()
    }

    fn graph(x: &Matrix) -> CsrMatrix {
        let monitor = Monitor::default();
        let near = knn(x.view(), 12, &monitor).unwrap();
        let fuzzy = fuzzy_simplicial_set(&near, x.rows(), &[12], &monitor).unwrap();
        connect(fuzzy, x.view(), &monitor).unwrap().graph
    }

    /// Anchors that wander, and the searches of every matching; checks each against a cold solve on
    /// the same candidates.
    fn wander(x: &Matrix, graph: Option<&CsrMatrix>, step: f32) -> (Vec<u32>, Vec<usize>) {
        let (start, monitor): (Vec<u32>, _) =
            ((0..60).map(|i| 3 * i).collect(), Monitor::default());
        let mut matcher = Matcher::new(x.view(), graph, &start).unwrap();
        let (mut y, mut searches) = (x.view().gather(&start), Vec::new());
        let mut rng = test_stream(4, 0, 0);
        for _ in 0..12 {
            for v in y.as_mut_slice() {
                *v += rng.random_range(-step..step);
            }
            searches.push(matcher.update(y.view(), &monitor).unwrap());
            let mut lists = CandidateLists::default();
            for (i, candidates) in matcher.candidates.iter().enumerate() {
                let cost = |j: u32| matcher.rows.cost(y.row(i), j);
                candidates.rows.iter().for_each(|&j| lists.push(j, cost(j)));
                lists.end_row();
            }
            let mut cold = Assignment::new(start.len(), x.rows()).unwrap();
            cold.solve(&lists, &monitor).unwrap();
            let total = |columns: &[u32]| -> f64 {
                let costs = (0..columns.len()).map(|i| matcher.rows.cost(y.row(i), columns[i]));
                costs.sum()
            };
            let (warm, cold) = (total(matcher.col_ind()), total(cold.col_ind()));
            assert!((warm - cold).abs() < 1e-9 * cold.max(1.0), "{warm} {cold}");
        }
        (matcher.col_ind().to_vec(), searches)
    }

    #[test]
    fn every_matching_is_optimal_on_its_candidates() {
        let x = points(400, 3);
        let graph = graph(&x);
        for step in [0.01, 0.1, 0.4] {
            let (_, searches) = wander(&x, Some(&graph), step);
            assert!(
                step < 0.05 || searches.iter().sum::<usize>() > 50,
                "{searches:?}"
            );
        }
        wander(&points(200, 3), None, 0.2);
    }

    #[test]
    fn same_at_any_number_of_threads() {
        let x = points(400, 3);
        let graph = graph(&x);
        let run = |threads| with_pool(threads, || wander(&x, Some(&graph), 0.2)).unwrap();
        assert_eq!(run(1), run(4));
    }

    #[test]
    fn a_row_that_is_listed_and_nearer_is_taken() {
        let x = Matrix::from_vec(vec![0.0, 1.0, 2.0, 5.0], 4, 1).unwrap();
        let mut matcher = Matcher::new(x.view(), None, &[0, 2]).unwrap();
        let y = Matrix::from_vec(vec![0.8, 2.2], 2, 1).unwrap();
        assert_eq!(matcher.update(y.view(), &Monitor::default()).unwrap(), 1);
        assert_eq!(matcher.col_ind(), [1, 2]);
    }
}
