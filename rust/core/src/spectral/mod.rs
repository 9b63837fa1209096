//! Spectral embedding: eigenvectors of the normalised Laplacian's smallest non-zero eigenvalues.
//!
//! `L_sym = I - D^-1/2 B D^-1/2` (Cui et al. 2025, Eq. 1; von Luxburg 2007). Its null vector D^1/2 1 is
//! known and projected out. The eigenvalues wanted are the largest of `D^-1/2 B D^-1/2`, which
//! [`davidson`] finds; small graphs are solved densely.
//!
//! | file | what it is for | cost |
//! |---|---|---|
//! | [`davidson`] | block Chebyshev-Davidson with thick restarts (Zhou & Saad 2007) | O(n basis b) a step |
//! | `basis` | the orthonormal vectors, in chunks that are turned in place | |
//! | `chebyshev` | polynomials of the matrix that lift the top of its spectrum | O(entries b) a degree |
//! | `count_sketch` | residuals estimated from short summaries (Charikar et al. 2002) | O(n) |
//! | [`commute_time`] | coordinates whose distances are commute times, damped (Saerens et al. 2004) | O(n c) |

mod basis;
mod chebyshev;
pub mod commute_time;
mod count_sketch;
pub mod davidson;

use crate::arrays::matrix::Matrix;
use crate::numeric::factorise::symmetric_eigen;
use crate::numeric::signs::{turn_columns, turned};
use crate::numeric::sparse::CsrMatrix;
use crate::run::error::{Error, Result};
use crate::run::monitor::Monitor;
use crate::run::parallel::{blocks, fill_blocks, map_items};
use crate::run::rng::Streams;
use crate::spectral::davidson::{Eigenpairs, Wanted, largest_eigenpairs, residual};

pub(crate) use crate::spectral::basis::BLOCK;

/// Rows up to which the dense solver is faster.
const DENSE: usize = 320;
/// Rows of a block of rows.
const ROWS: usize = 512;
/// Restarts of the first attempt and of the one with twice the basis.
const MAX_RESTARTS: usize = 30;
/// Residual of the eigenpairs to reach.
pub const TOL: f64 = 1e-4;

/// Eigenpairs of L_sym.
#[derive(Debug, Clone)]
pub struct SpectralEmbedding {
    /// Smallest non-zero eigenvalues, ascending, (c,).
    pub eigenvalues: Vec<f64>,
    /// Unit eigenvectors as columns, (n, c); the entry of largest magnitude is positive.
    pub vectors: Matrix,
    /// Largest |L v - λ v|, measured.
    pub max_residual: f64,
    /// Products of the matrix with one vector; 0 where it was solved densely.
    pub n_matvecs: usize,
}

/// The `n_components` (at most n - 1) smallest non-zero eigenpairs of a connected graph's L_sym.
/// O(entries c) a product with a block, O(n c^2) a step.
///
/// Where a residual exceeds `tol` after a second attempt with twice the basis, the pairs are returned all
/// the same, with their residual: orthonormal, and smooth on the graph as far as they go.
///
/// `monitor` advances by `n_components`.
///
/// ```
/// use fast_select_core::numeric::sparse::CsrMatrix;
/// use fast_select_core::run::{monitor::Monitor, rng::Streams};
/// use fast_select_core::spectral::spectral_embedding;
///
/// // A ring of six: eigenvalues 1 - cos(2πk/6), that is 0, then 1/2 twice.
/// let ring = CsrMatrix {
///     indptr: (0..=6).map(|i| 2 * i).collect(),
///     indices: vec![1, 5, 0, 2, 1, 3, 2, 4, 3, 5, 0, 4],
///     data: vec![1.0; 12],
/// };
/// let found = spectral_embedding(&ring, 2, 1e-5, Streams::new(0), &Monitor::default())?;
/// assert!(found.eigenvalues.iter().all(|value| (value - 0.5).abs() < 1e-6));
/// # Ok::<(), fast_select_core::Error>(())
/// ```
///
/// # Errors
/// [`Error::Refused`] for a graph with a row without edges; [`Error::Interrupted`].
pub fn spectral_embedding(
    graph: &CsrMatrix,
    n_components: usize,
    tol: f64,
    streams: Streams,
    monitor: &Monitor,
) -> Result<SpectralEmbedding> {
    let n = graph.n();
    let c = n_components.min(n.saturating_sub(1));
    let degrees = graph.row_sums();
    if n > 1 && !degrees.iter().all(|&d| d > 0.0) {
        return Err(Error::refused("graph", "has a row without edges"));
    }
    let order = breadth_first(graph);
    let adjacency = normalised(graph, &degrees, &order)?;
    let known = null_vector(&degrees, &order);
    let mut shown = 0;
    let mut converged = |k: usize| {
        let more = k.saturating_sub(shown);
        shown += more;
        monitor.advance(more)
    };
    let mut pairs = if n <= DENSE.max(3 * c) {
        dense_eigenpairs(&adjacency, &known, c)?
    } else {
        let wanted = |basis| Wanted {
            count: c,
            basis,
            tol,
            max_restarts: MAX_RESTARTS,
            streams,
        };
        // Half of it is kept at a restart, half is new.
        let basis = (4 * c + 2 * BLOCK).min(n / 2);
        let first = largest_eigenpairs(&adjacency, &known, wanted(basis), monitor, &mut converged)?;
        if first.residual <= tol {
            first
        } else {
            let basis = (2 * basis).min(n - BLOCK - 1);
            largest_eigenpairs(&adjacency, &known, wanted(basis), monitor, &mut converged)?
        }
    };
    converged(n_components)?;
    pairs.vectors = restored(&pairs.vectors, &order)?;
    let turns = turned(pairs.vectors.view());
    turn_columns(&mut pairs.vectors, &turns);
    Ok(SpectralEmbedding {
        eigenvalues: pairs.values.iter().map(|v| (1.0 - v).max(0.0)).collect(),
        vectors: pairs.vectors,
        max_residual: pairs.residual,
        n_matvecs: pairs.n_matvecs,
    })
}

/// All rows, each near its neighbours: a product with the matrix in that order finds most of what it
/// reads in the cache. Breadth first, as Cuthill & McKee 1969, but neighbours as they come.
fn breadth_first(graph: &CsrMatrix) -> Vec<u32> {
    let n = graph.n();
    let (mut order, mut seen) = (Vec::with_capacity(n), vec![false; n]);
    for start in 0..n {
        if seen[start] {
            continue;
        }
        seen[start] = true;
        order.push(start as u32);
        let mut at = order.len() - 1;
        while at < order.len() {
            for (j, _) in graph.row(order[at] as usize) {
                if !seen[j as usize] {
                    seen[j as usize] = true;
                    order.push(j);
                }
            }
            at += 1;
        }
    }
    order
}

/// D^-1/2 B D^-1/2 with rows and columns in `order`; within a row the columns do not ascend.
fn normalised(graph: &CsrMatrix, degrees: &[f64], order: &[u32]) -> Result<CsrMatrix> {
    let n = graph.n();
    // Where each row goes, and its scale: read together.
    let mut places = vec![(0, 0.0); n];
    for (new, &old) in order.iter().enumerate() {
        places[old as usize] = (new as u32, 1.0 / degrees[old as usize].sqrt());
    }
    let mut indptr = vec![0; n + 1];
    for (new, &old) in order.iter().enumerate() {
        indptr[new + 1] = indptr[new] + graph.row(old as usize).len();
    }
    let mut out = CsrMatrix {
        indices: vec![0; indptr[n]],
        data: vec![0.0; indptr[n]],
        indptr,
    };
    let (mut indices, mut data) = (&mut out.indices[..], &mut out.data[..]);
    let mut parts = Vec::new();
    for rows in blocks(n, ROWS) {
        let len = out.indptr[rows.end] - out.indptr[rows.start];
        let (these_indices, rest_indices) = indices.split_at_mut(len);
        let (these_data, rest_data) = data.split_at_mut(len);
        parts.push((rows, these_indices, these_data));
        (indices, data) = (rest_indices, rest_data);
    }
    map_items(parts, |(rows, indices, data)| {
        let mut entries = indices.iter_mut().zip(data);
        for &old in &order[rows] {
            let (_, scale) = places[old as usize];
            for ((j, w), (index, value)) in graph.row(old as usize).zip(&mut entries) {
                let (place, other) = places[j as usize];
                *index = place;
                *value = (f64::from(w) * scale * other) as f32;
            }
        }
        Ok(())
    })?;
    Ok(out)
}

/// D^1/2 1 as a unit vector, in `order`.
fn null_vector(degrees: &[f64], order: &[u32]) -> Vec<f32> {
    let total = degrees.iter().sum::<f64>().max(f64::MIN_POSITIVE);
    let entry = |&old: &u32| (degrees[old as usize] / total).sqrt() as f32;
    order.iter().map(entry).collect()
}

/// Rows that are in `order`, (n, c), where they were.
fn restored(ordered: &Matrix, order: &[u32]) -> Result<Matrix> {
    let mut place = vec![0; order.len()];
    for (new, &old) in order.iter().enumerate() {
        place[old as usize] = new;
    }
    let c = ordered.cols();
    let mut out = Matrix::zeros(order.len(), c);
    fill_blocks(out.as_mut_slice(), c, ROWS, |first, rows| {
        for (row, &new) in rows.chunks_exact_mut(c).zip(&place[first..]) {
            row.copy_from_slice(ordered.row(new));
        }
        Ok(())
    })?;
    Ok(out)
}

fn dense_eigenpairs(a: &CsrMatrix, known: &[f32], c: usize) -> Result<Eigenpairs> {
    let n = a.n();
    let mut dense = vec![0.0; n * n];
    for i in 0..n {
        for (j, w) in a.row(i) {
            dense[i * n + j as usize] = f64::from(w);
        }
        // Moves the known eigenvector from 1, where it may have company, to the far end.
        for j in 0..n {
            dense[i * n + j] -= 3.0 * f64::from(known[i]) * f64::from(known[j]);
        }
    }
    let (values, u) = symmetric_eigen(&dense, n)?;
    let mut vectors = Matrix::zeros(n, c);
    for i in 0..n {
        for (k, x) in vectors.row_mut(i).iter_mut().enumerate() {
            *x = u[i * n + n - 1 - k] as f32;
        }
    }
    let values: Vec<f64> = values.into_iter().rev().take(c).collect();
    Ok(Eigenpairs {
        residual: residual(a, &values, &vectors)?,
        values,
        vectors,
        n_matvecs: 0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::connect::connect;
    use crate::graph::fuzzy::fuzzy_simplicial_set;
    use crate::graph::knn::knn;
    use crate::run::parallel::with_pool;
    use crate::run::rng::test_stream;
    use crate::spectral::commute_time::commute_time_scaled;
    use rand::Rng;

    fn graph(edges: &[(u32, u32, f32)], n: usize) -> CsrMatrix {
        let mut rows = vec![Vec::new(); n];
        for &(i, j, w) in edges {
            rows[i as usize].push((j, w));
            rows[j as usize].push((i, w));
        }
        let mut out = CsrMatrix {
            indptr: vec![0],
            indices: vec![],
            data: vec![],
        };
        for mut row in rows {
            row.sort_by_key(|&(j, _)| j);
            out.indices.extend(row.iter().map(|&(j, _)| j));
            out.data.extend(row.iter().map(|&(_, w)| w));
            out.indptr.push(out.indices.len());
        }
        out
    }

    fn ring(n: u32) -> CsrMatrix {
        let edges: Vec<_> = (0..n).map(|i| (i, (i + 1) % n, 1.0)).collect();
        graph(&edges, n as usize)
    }

    fn neighbor_graph(n: usize) -> CsrMatrix {
        let mut rng = test_stream(37, n, 0);
        let data = (0..n * 3).map(|_| rng.random_range(-1.0..1.0)).collect();
        let z = Matrix::from_vec(data, n, 3).unwrap();
        let monitor = Monitor::default();
        let near = knn(z.view(), 10, &monitor).unwrap();
        let fuzzy = fuzzy_simplicial_set(&near, n, &[10], &monitor).unwrap();
        connect(fuzzy, z.view(), &monitor).unwrap().graph
    }

    fn embed(graph: &CsrMatrix, c: usize) -> SpectralEmbedding {
        spectral_embedding(graph, c, 1e-4, Streams::new(0), &Monitor::default()).unwrap()
    }

    #[test]
    fn ring_has_its_closed_form_in_pairs() {
        for n in [12, 50, 700] {
            let got = embed(&ring(n), 6);
            for (k, value) in got.eigenvalues.iter().enumerate() {
                let angle = 2.0 * std::f64::consts::PI * (k / 2 + 1) as f64 / f64::from(n);
                assert!(
                    (value - (1.0 - angle.cos())).abs() < 1e-6,
                    "n {n} k {k}: {value}"
                );
            }
            assert!(got.max_residual <= 1e-4);
        }
    }

    /// Points on a line: all eigenvalues wanted are near the tolerance, and most of a filtered block
    /// lies in the basis already.
    #[test]
    fn long_thin_graph_converges() {
        let n = 20_000;
        let line = (0..n).map(|i| i as f32).collect();
        let z = Matrix::from_vec(line, n, 1).unwrap();
        let monitor = Monitor::default();
        let near = knn(z.view(), 32, &monitor).unwrap();
        let fuzzy = fuzzy_simplicial_set(&near, n, &[8, 16, 32], &monitor).unwrap();
        let graph = connect(fuzzy, z.view(), &monitor).unwrap().graph;
        let got = embed(&graph, 32);
        assert!(got.n_matvecs < 20_000, "{}", got.n_matvecs);
        // A chain's, c k^2, as those of a string.
        let ratio = got.eigenvalues[31] / got.eigenvalues[15];
        assert!((ratio - 4.0).abs() < 0.1, "{ratio}");
    }

    #[test]
    fn iterative_equals_dense() {
        let graph = neighbor_graph(900);
        let got = embed(&graph, 20);
        assert!(got.n_matvecs > 0);
        let degrees = graph.row_sums();
        let order: Vec<u32> = (0..900).collect();
        let adjacency = normalised(&graph, &degrees, &order).unwrap();
        let known = null_vector(&degrees, &order);
        let dense = dense_eigenpairs(&adjacency, &known, 20).unwrap();
        for (a, b) in got.eigenvalues.iter().zip(&dense.values) {
            assert!((a - (1.0 - b)).abs() < 1e-5, "{a} {}", 1.0 - b);
        }
    }

    #[test]
    fn vectors_are_orthonormal_and_away_from_the_null_vector() {
        let graph = neighbor_graph(600);
        let got = embed(&graph, 10);
        let order: Vec<u32> = (0..600).collect();
        let known = null_vector(&graph.row_sums(), &order);
        for a in 0..10 {
            let column = |c: usize| (0..600).map(move |i| (i, c));
            for b in 0..=a {
                let pairs = column(a).zip(column(b));
                let dot: f32 = pairs
                    .map(|((i, a), (_, b))| got.vectors.row(i)[a] * got.vectors.row(i)[b])
                    .sum();
                assert!((dot - f32::from(u8::from(a == b))).abs() < 1e-4);
            }
            let dot: f32 = column(a)
                .map(|(i, a)| got.vectors.row(i)[a] * known[i])
                .sum();
            assert!(dot.abs() < 1e-4);
        }
    }

    #[test]
    fn two_cliques_weakly_joined() {
        let mut edges = vec![(0, 5, 1e-4)];
        for side in [0, 5] {
            for i in 0..5 {
                edges.extend((i + 1..5).map(|j| (side + i, side + j, 1.0)));
            }
        }
        let got = embed(&graph(&edges, 10), 3);
        assert!(got.eigenvalues[0] < 1e-4 && got.eigenvalues[0] > 1e-6);
        assert!(got.eigenvalues[1] > 0.5);
        let signs: Vec<bool> = (0..10).map(|i| got.vectors.row(i)[0] > 0.0).collect();
        assert!(signs[..5].iter().all(|s| *s == signs[0]));
        assert!(signs[5..].iter().all(|s| *s != signs[0]));
    }

    /// Of 3 rows in 603 joined by a weight of 1e-6: their eigenvalue is 0 but for rounding.
    #[test]
    fn a_nearly_cut_piece_does_not_take_over() {
        let mut edges: Vec<_> = (0..600).map(|i| (i, (i + 1) % 600, 1.0)).collect();
        edges.extend((0..600).map(|i| (i, (i + 7) % 600, 1.0)));
        edges.extend([
            (600, 601, 1.0),
            (601, 602, 1.0),
            (600, 602, 1.0),
            (0, 600, 1e-6),
        ]);
        let got = embed(&graph(&edges, 603), 8);
        assert!(got.eigenvalues[0] < 1e-6 && got.eigenvalues[7] > 1e-3);
        let v = commute_time_scaled(&got);
        let length = |c: usize| (0..603).map(|i| v.row(i)[c].powi(2)).sum::<f32>().sqrt();
        assert!(
            length(0) < 11.1_f32.sqrt() * length(7),
            "{} {}",
            length(0),
            length(7)
        );
    }

    #[test]
    fn a_residual_out_of_reach_is_told_and_damps() {
        let graph = neighbor_graph(500);
        let found = spectral_embedding(&graph, 4, 1e-12, Streams::new(0), &Monitor::default());
        let mut got = found.unwrap();
        assert!(got.max_residual > 1e-12 && got.max_residual < 1e-4);
        // Columns of unit length times √n / √(λ + β), β the residual where that is large.
        got.max_residual = 100.0;
        let length = commute_time_scaled(&got).row(0)[0] / got.vectors.row(0)[0];
        assert!((length - (500.0_f32 / 100.0).sqrt()).abs() < 1e-2);
    }

    #[test]
    fn many_clusters_weakly_joined() {
        // 40 rings of 20 with chords, joined in a chain: 39 eigenvalues near 0, then a gap.
        let mut edges = Vec::new();
        for ring in 0..40 {
            for i in 0..20 {
                for step in [1, 3, 7] {
                    edges.push((ring * 20 + i, ring * 20 + (i + step) % 20, 1.0));
                }
            }
            if ring > 0 {
                edges.push((ring * 20 - 1, ring * 20, 1e-3));
            }
        }
        let graph = graph(&edges, 800);
        let got = embed(&graph, 42);
        assert!(got.n_matvecs > 0);
        let order = breadth_first(&graph);
        let degrees = graph.row_sums();
        let adjacency = normalised(&graph, &degrees, &order).unwrap();
        let known = null_vector(&degrees, &order);
        let dense = dense_eigenpairs(&adjacency, &known, 42).unwrap();
        for (a, b) in got.eigenvalues.iter().zip(&dense.values) {
            assert!((a - (1.0 - b)).abs() < 1e-5, "{a} {}", 1.0 - b);
        }
        assert!(got.eigenvalues[38] < 1e-4 && got.eigenvalues[39] > 0.1);
    }

    #[test]
    fn equal_eigenvalues_of_a_complete_graph() {
        let n = 400;
        let edges: Vec<_> = (0..n)
            .flat_map(|i| (0..i).map(move |j| (i, j, 1.0)))
            .collect();
        let got = embed(&graph(&edges, n as usize), 5);
        for value in got.eigenvalues {
            assert!((value - f64::from(n) / f64::from(n - 1)).abs() < 1e-5);
        }
    }

    #[test]
    fn order_is_a_permutation_that_keeps_neighbours_together() {
        let order = breadth_first(&ring(9));
        assert_eq!(order, [0, 1, 8, 2, 7, 3, 6, 4, 5]);
        // In two components.
        assert_eq!(
            breadth_first(&graph(&[(0, 2, 1.0), (1, 3, 1.0)], 4)),
            [0, 2, 1, 3]
        );
    }

    #[test]
    fn same_at_any_number_of_threads() {
        let graph = neighbor_graph(800);
        let run = |threads| with_pool(threads, || embed(&graph, 8).vectors).unwrap();
        assert_eq!(run(1), run(4));
    }

    #[test]
    fn one_and_two_rows() {
        assert_eq!(embed(&graph(&[], 1), 4).vectors.cols(), 0);
        let two = embed(&graph(&[(0, 1, 0.3)], 2), 4);
        assert!((two.eigenvalues[0] - 2.0).abs() < 1e-6);
    }
}
