//! Spectral embedding: eigenvectors of the normalised Laplacian's smallest non-zero eigenvalues.
//!
//! `L_sym = I - D^-1/2 B D^-1/2` (Cui et al. 2025, Eq. 1; von Luxburg 2007). Its null vector D^1/2 1 is
//! known and projected out. The eigenvalues wanted are the largest of `D^-1/2 B D^-1/2`, which
//! [`crate::eigensolver`] finds; small graphs are solved densely.

use crate::eigensolver::{Eigenpairs, Search, largest_eigenpairs};
use crate::error::{Error, Result, check_positive};
use crate::linalg::{Matrix, symmetric_eigen};
use crate::monitor::Monitor;
use crate::sparse::CsrMatrix;

/// Rows up to which the dense solver is faster.
const DENSE: usize = 320;
/// Restarts of the first attempt and of the one with twice the basis.
const MAX_RESTARTS: usize = 60;
/// Smallest eigenvalue that [`commute_time_scaled`] divides by: below it, rounding decides.
const MIN_EIGENVALUE: f64 = 1e-6;

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
///
/// `monitor` advances by `n_components`.
///
/// # Errors
/// [`Error::NotConverged`] where a residual exceeds `tol` after a second attempt with twice the
/// basis; [`Error::Parameter`]; [`Error::Interrupted`].
pub fn spectral_embedding(
    graph: &CsrMatrix,
    n_components: usize,
    tol: f64,
    seed: u64,
    group: usize,
    monitor: &Monitor,
) -> Result<SpectralEmbedding> {
    check_positive("tol", tol)?;
    let n = graph.n();
    let c = n_components.min(n.saturating_sub(1));
    let degrees = graph.row_sums();
    if n > 1 && !degrees.iter().all(|&d| d > 0.0) {
        let rule = "must have at least one neighbour";
        return Err(Error::parameter("graph", "a row without edges", rule));
    }
    let adjacency = normalised(graph, &degrees);
    let known = null_vector(&degrees);
    let mut shown = 0;
    let mut converged = |k: usize| {
        let more = k.saturating_sub(shown);
        shown += more;
        monitor.advance(more)
    };
    let mut pairs = if n <= DENSE.max(3 * c) {
        dense_eigenpairs(&adjacency, &known, c)?
    } else {
        let search = |basis| Search {
            count: c,
            basis,
            tol: 0.5 * tol,
            max_restarts: MAX_RESTARTS,
            seed,
            group,
        };
        // Room for the wanted vectors, as many again, and some blocks.
        let basis = (2 * c + 32).min(n / 2);
        let first = largest_eigenpairs(&adjacency, &known, search(basis), monitor, &mut converged)?;
        if first.residual <= tol {
            first
        } else {
            let basis = (2 * basis).min(n - 16);
            largest_eigenpairs(&adjacency, &known, search(basis), monitor, &mut converged)?
        }
    };
    converged(n_components)?;
    fix_signs(&mut pairs.vectors);
    let max_residual = residual(&adjacency, &pairs)?;
    if !(max_residual <= tol) {
        return Err(Error::NotConverged {
            stage: "spectral embedding",
            residual: max_residual,
            tol,
            iterations: pairs.n_matvecs,
        });
    }
    Ok(SpectralEmbedding {
        eigenvalues: pairs.values.iter().map(|v| (1.0 - v).max(0.0)).collect(),
        vectors: pairs.vectors,
        max_residual,
        n_matvecs: pairs.n_matvecs,
    })
}

/// Commute-time coordinates: column j times `√n / √λ_j`, (n, c).
///
/// Distances between rows are then, up to a factor, root mean commute times of a random walk
/// (Saerens et al. 2004).
#[must_use]
pub fn commute_time_scaled(embedding: &SpectralEmbedding) -> Matrix {
    let mut v = embedding.vectors.clone();
    let n = v.rows() as f64;
    let scales: Vec<f32> = embedding
        .eigenvalues
        .iter()
        .map(|&l| (n / l.max(MIN_EIGENVALUE)).sqrt() as f32)
        .collect();
    for i in 0..v.rows() {
        v.row_mut(i)
            .iter_mut()
            .zip(&scales)
            .for_each(|(x, s)| *x *= s);
    }
    v
}

/// D^-1/2 B D^-1/2.
fn normalised(graph: &CsrMatrix, degrees: &[f64]) -> CsrMatrix {
    let mut out = graph.clone();
    for i in 0..graph.n() {
        for e in graph.indptr[i]..graph.indptr[i + 1] {
            let scale = (degrees[i] * degrees[graph.indices[e] as usize]).sqrt();
            out.data[e] = (f64::from(graph.data[e]) / scale) as f32;
        }
    }
    out
}

/// D^1/2 1 as a unit vector.
fn null_vector(degrees: &[f64]) -> Vec<f32> {
    let total = degrees.iter().sum::<f64>().max(f64::MIN_POSITIVE);
    degrees.iter().map(|d| (d / total).sqrt() as f32).collect()
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
    Ok(Eigenpairs {
        values: values.into_iter().rev().take(c).collect(),
        vectors,
        residual: 0.0,
        n_matvecs: 0,
    })
}

/// Makes the first entry of largest magnitude of each column positive.
fn fix_signs(vectors: &mut Matrix) {
    let mut largest = vec![0.0_f32; vectors.cols()];
    for i in 0..vectors.rows() {
        for (l, x) in largest.iter_mut().zip(vectors.row(i)) {
            if x.abs() > l.abs() {
                *l = *x;
            }
        }
    }
    for i in 0..vectors.rows() {
        let pairs = vectors.row_mut(i).iter_mut().zip(&largest);
        pairs.filter(|(_, l)| **l < 0.0).for_each(|(x, _)| *x = -*x);
    }
}

/// Largest |A v - μ v| over the pairs; the same as |L v - λ v|.
fn residual(a: &CsrMatrix, pairs: &Eigenpairs) -> Result<f64> {
    let c = pairs.vectors.cols();
    let mut product = vec![0.0; a.n() * c];
    a.matmul(pairs.vectors.as_slice(), c, &mut product)?;
    let mut squared = vec![0.0_f64; c];
    for (product, v) in product
        .chunks_exact(c.max(1))
        .zip(pairs.vectors.as_slice().chunks_exact(c.max(1)))
    {
        for (k, (x, y)) in product.iter().zip(v).enumerate() {
            squared[k] += (f64::from(*x) - pairs.values[k] * f64::from(*y)).powi(2);
        }
    }
    // `max` would lose a NaN.
    Ok(squared
        .into_iter()
        .map(f64::sqrt)
        .fold(0.0, |a, b| if b > a || b.is_nan() { b } else { a }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connect::connect;
    use crate::fuzzy::fuzzy_simplicial_set;
    use crate::knn::knn;
    use crate::parallel::with_pool;
    use crate::rng::{Purpose, stream};
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
        let mut rng = stream(37, Purpose::Samples, n, 0);
        let data = (0..n * 3).map(|_| rng.random_range(-1.0..1.0)).collect();
        let z = Matrix::from_vec(data, n, 3).unwrap();
        let monitor = Monitor::default();
        let near = knn(z.view(), 10, &monitor).unwrap();
        let fuzzy = fuzzy_simplicial_set(&near, n, &[10], &monitor).unwrap();
        connect(fuzzy, z.view(), &monitor).unwrap().graph
    }

    fn embed(graph: &CsrMatrix, c: usize) -> SpectralEmbedding {
        spectral_embedding(graph, c, 1e-4, 0, 0, &Monitor::default()).unwrap()
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

    #[test]
    fn iterative_equals_dense() {
        let graph = neighbor_graph(900);
        let got = embed(&graph, 20);
        assert!(got.n_matvecs > 0);
        let degrees = graph.row_sums();
        let adjacency = normalised(&graph, &degrees);
        let dense = dense_eigenpairs(&adjacency, &null_vector(&degrees), 20).unwrap();
        for (a, b) in got.eigenvalues.iter().zip(&dense.values) {
            assert!((a - (1.0 - b)).abs() < 1e-5, "{a} {}", 1.0 - b);
        }
    }

    #[test]
    fn vectors_are_orthonormal_and_away_from_the_null_vector() {
        let graph = neighbor_graph(600);
        let got = embed(&graph, 10);
        let known = null_vector(&graph.row_sums());
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
