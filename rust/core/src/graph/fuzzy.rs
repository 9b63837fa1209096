//! Fuzzy simplicial sets at several scales, fused into one graph B.
//!
//! McInnes et al. 2018 (arXiv:1802.03426): for each scale k and row i, ρ_i is the distance of the
//! nearest neighbour that is not at distance 0, σ_i solves
//! `Σ_j exp(-max(0, d_ij - ρ_i)/σ_i) = log2 k` over its k nearest neighbours, and the strength of
//! i -> j is that summand. Strengths of both directions and of all scales are joined by the
//! probabilistic t-conorm `a + b - ab` (Cui et al. 2025, Sec. 3.1). As
//! `1 - (a + b - ab) = (1-a)(1-b)`, the order of joining is free: scales first,
//! `u_ij = 1 - Π_k (1 - a^k_ij)`, then `B_ij = u_ij + u_ji - u_ij u_ji`.

use crate::graph::knn::Neighbors;
use crate::numeric::sparse::{CsrMatrix, check_columns};
use crate::run::error::{Error, Result, check_len};
use crate::run::monitor::Monitor;
use crate::run::parallel::{fill_blocks, map_blocks};

/// Newton steps at most and the accuracy of the sum (umap-learn's).
const MAX_ITER: usize = 64;
const TOLERANCE: f32 = 1e-5;
/// σ is at least this share of the mean distance (umap-learn's MIN_K_DIST_SCALE).
const MIN_SCALE: f32 = 1e-3;
/// Rows of a block.
const BLOCK: usize = 512;

/// ρ and σ of the rows at one scale.
#[derive(Debug, Clone, PartialEq)]
pub struct LocalScale {
    /// Neighbours, k.
    pub k: usize,
    /// Distance to the nearest neighbour not at distance 0, (n,); 0 where there is none.
    pub rho: Vec<f32>,
    /// Width of the memberships, (n,); above 0.
    pub sigma: Vec<f32>,
}

/// A fused fuzzy graph and what it was made of.
#[derive(Debug, Clone, PartialEq)]
pub struct FuzzyGraph {
    /// B, (n, n), symmetric, zero diagonal, entries in (0, 1].
    pub graph: CsrMatrix,
    /// One entry a scale.
    pub scales: Vec<LocalScale>,
}

/// Strength with which a neighbour at distance `dist` belongs to a row's local fuzzy set,
/// `exp(-max(0, dist - ρ)/σ)`, in (0, 1] unless it underflows.
///
/// ```
/// use fast_select_core::graph::fuzzy::membership_strength;
///
/// // With ρ = 1 and σ = 2: in full up to ρ, and 1/e at ρ + σ.
/// assert_eq!(membership_strength(0.5, 1.0, 2.0), 1.0);
/// assert!((membership_strength(3.0, 1.0, 2.0) - (-1.0_f32).exp()).abs() < 1e-6);
/// ```
#[must_use]
pub fn membership_strength(dist: f32, rho: f32, sigma: f32) -> f32 {
    (-(dist - rho).max(0.0) / sigma).exp()
}

/// ρ and σ of each row at scale `k`, from sorted distances, (n, width), of which the first k count.
/// O(n k).
///
/// ```
/// use fast_select_core::graph::fuzzy::smooth_knn_dist;
///
/// // One row with k = 4: 1 + 3 exp(-1/σ) = log2 4, so σ = 1/ln 3.
/// let scale = smooth_knn_dist(&[1.0, 2.0, 2.0, 2.0], 4, 4)?;
/// assert_eq!(scale.rho, [1.0]);
/// assert!((scale.sigma[0] - 1.0 / 3.0_f32.ln()).abs() < 1e-4);
/// # Ok::<(), fast_select_core::Error>(())
/// ```
///
/// # Errors
/// [`Error::Refused`] unless 1 <= k <= width and all rows have as many.
pub fn smooth_knn_dist(dists: &[f32], width: usize, k: usize) -> Result<LocalScale> {
    if k == 0 || k > width {
        let fact = format!("{k} is not an integer from 1 to the {width} neighbours known");
        return Err(Error::refused("n_neighbors", fact));
    }
    let n = dists.len() / width;
    check_len("dists", dists.len(), n * width)?;
    let mean = |d: &[f32]| d.iter().map(|&x| f64::from(x)).sum::<f64>() / d.len() as f64;
    let sums = map_blocks(n, BLOCK, |rows| {
        Ok(rows
            .map(|i| mean(&dists[i * width..i * width + k]))
            .sum::<f64>())
    })?;
    let global = (sums.iter().sum::<f64>() / n.max(1) as f64) as f32;
    let mut pairs = vec![(0.0_f32, 0.0_f32); n];
    fill_blocks(&mut pairs, 1, BLOCK, |first, pairs| {
        for (r, pair) in pairs.iter_mut().enumerate() {
            let dist = &dists[(first + r) * width..][..k];
            let rho = dist.iter().copied().find(|&d| d > 0.0).unwrap_or(0.0);
            let base = if rho > 0.0 { mean(dist) as f32 } else { global };
            // All rows equal: any width gives memberships of 1.
            let floor = if base > 0.0 { MIN_SCALE * base } else { 1.0 };
            *pair = (rho, solve_sigma(dist, rho).max(floor));
        }
        Ok(())
    })?;
    let (rho, sigma) = pairs.into_iter().unzip();
    Ok(LocalScale { k, rho, sigma })
}

/// σ with `Σ_j exp(-max(0, d_j - ρ)/σ) = log2 k`, by Newton steps kept inside a bracket.
///
/// Where the sum exceeds log2 k for every σ (many neighbours at ρ), the answer tends to 0 and the
/// caller's floor decides.
fn solve_sigma(dist: &[f32], rho: f32) -> f32 {
    let target = (dist.len() as f32).log2();
    let (mut low, mut high, mut sigma) = (0.0_f32, f32::INFINITY, 1.0_f32);
    let spread = dist.last().map_or(0.0, |d| d - rho);
    if spread > 0.0 {
        sigma = 0.5 * spread;
    }
    for _ in 0..MAX_ITER {
        let (mut sum, mut slope) = (0.0_f32, 0.0_f32);
        for &d in dist {
            let t = (d - rho).max(0.0) / sigma;
            let e = (-t).exp();
            sum += e;
            slope += e * t;
        }
        if (sum - target).abs() < TOLERANCE {
            break;
        }
        if sum > target {
            high = sigma;
        } else {
            low = sigma;
        }
        // d sum / d log σ = slope: a step in log σ keeps σ positive.
        let newton = sigma * ((target - sum) / slope.max(1e-12)).clamp(-2.0, 2.0).exp();
        sigma = if low < newton && newton < high {
            newton
        } else if high.is_finite() {
            0.5 * (low + high)
        } else {
            2.0 * sigma
        };
        if sigma < f32::MIN_POSITIVE {
            break;
        }
    }
    sigma
}

/// B of rows with the given neighbours, fused over `scales` (those above k count as k).
///
/// `monitor` advances by n. O(n k).
///
/// ```
/// use fast_select_core::arrays::matrix::Matrix;
/// use fast_select_core::graph::{fuzzy::fuzzy_simplicial_set, knn::knn};
/// use fast_select_core::run::monitor::Monitor;
///
/// // With one neighbour each, all at ρ, strengths are 1. Row 1 is row 2's neighbour, not the
/// // other way round, but the graph is symmetric.
/// let (line, monitor) = (Matrix::from_vec(vec![0.0, 1.0, 3.0], 3, 1)?, Monitor::default());
/// let near = knn(line.view(), 1, &monitor)?;
/// let graph = fuzzy_simplicial_set(&near, 3, &[1], &monitor)?.graph;
/// assert_eq!(graph.indptr, [0, 1, 3, 4]);
/// assert_eq!(graph.indices, [1, 0, 2, 1]);
/// assert_eq!(graph.data, [1.0; 4]);
/// # Ok::<(), fast_select_core::Error>(())
/// ```
///
/// # Errors
/// [`Error::Refused`] for neighbours of another number of rows, or that are no rows;
/// [`Error::Interrupted`].
pub fn fuzzy_simplicial_set(
    neighbors: &Neighbors,
    n: usize,
    scales: &[usize],
    monitor: &Monitor,
) -> Result<FuzzyGraph> {
    let k = neighbors.k;
    check_len("neighbors", neighbors.indices.len(), n * k)?;
    check_len("distances", neighbors.dists.len(), n * k)?;
    check_columns(&neighbors.indices, n)?;
    let mut scales: Vec<usize> = scales
        .iter()
        .map(|&s| s.min(k))
        .filter(|&s| s > 0)
        .collect();
    scales.sort_unstable();
    scales.dedup();
    let scales = scales
        .into_iter()
        .map(|s| smooth_knn_dist(&neighbors.dists, k, s))
        .collect::<Result<Vec<_>>>()?;
    let mut directed = vec![0.0_f32; n * k];
    fill_blocks(&mut directed, k, BLOCK, |first, rows| {
        for (r, row) in rows.chunks_exact_mut(k).enumerate() {
            let i = first + r;
            for (e, out) in row.iter_mut().enumerate() {
                let at = scales.iter().filter(|s| e < s.k);
                *out = fused_strength(
                    neighbors.dists[i * k + e],
                    at.map(|s| (s.rho[i], s.sigma[i])),
                );
            }
        }
        monitor.advance(rows.len() / k)
    })?;
    let graph = symmetrised(&neighbors.indices, &directed, n, k)?;
    Ok(FuzzyGraph { graph, scales })
}

/// `1 - Π (1 - exp(-max(0, dist - ρ)/σ))` over the scales' (ρ, σ).
pub(crate) fn fused_strength(dist: f32, scales: impl Iterator<Item = (f32, f32)>) -> f32 {
    1.0 - scales
        .map(|(rho, sigma)| 1.0 - membership_strength(dist, rho, sigma))
        .product::<f32>()
}

/// `u_ij + u_ji - u_ij u_ji` of directed strengths, (n, k), as a symmetric matrix.
fn symmetrised(indices: &[u32], directed: &[f32], n: usize, k: usize) -> Result<CsrMatrix> {
    // The transpose by counting: rows come out with ascending columns.
    let mut start = vec![0_usize; n + 1];
    for &j in indices {
        start[j as usize + 1] += 1;
    }
    for i in 0..n {
        start[i + 1] += start[i];
    }
    let mut incoming = vec![(0_u32, 0.0_f32); indices.len()];
    let mut next = start.clone();
    for (e, (&j, &u)) in indices.iter().zip(directed).enumerate() {
        incoming[next[j as usize]] = ((e / k) as u32, u);
        next[j as usize] += 1;
    }
    let parts = map_blocks(n, BLOCK, |rows| {
        let (mut lens, mut entries) = (Vec::with_capacity(rows.len()), Vec::new());
        let mut own: Vec<(u32, f32)> = Vec::with_capacity(k);
        for i in rows {
            let at = i * k..(i + 1) * k;
            own.clear();
            own.extend(
                indices[at.clone()]
                    .iter()
                    .copied()
                    .zip(directed[at].iter().copied()),
            );
            own.sort_unstable_by_key(|&(j, _)| j);
            let before = entries.len();
            merge(&own, &incoming[start[i]..start[i + 1]], &mut entries);
            lens.push(entries.len() - before);
        }
        Ok((lens, entries))
    })?;
    let total = parts.iter().map(|(_, entries)| entries.len()).sum();
    let mut graph = CsrMatrix {
        indptr: Vec::with_capacity(n + 1),
        indices: Vec::with_capacity(total),
        data: Vec::with_capacity(total),
    };
    graph.indptr.push(0);
    let mut end = 0;
    for (lens, entries) in parts {
        for len in lens {
            end += len;
            graph.indptr.push(end);
        }
        graph.indices.extend(entries.iter().map(|&(j, _)| j));
        graph.data.extend(entries.iter().map(|&(_, w)| w));
    }
    Ok(graph)
}

/// The fuzzy union of two sorted lists. Strengths that underflowed leave no entry.
fn merge(a: &[(u32, f32)], b: &[(u32, f32)], out: &mut Vec<(u32, f32)>) {
    let (mut a, mut b) = (a.iter().copied().peekable(), b.iter().copied().peekable());
    loop {
        let entry = match (a.peek(), b.peek()) {
            (None, None) => return,
            (Some(&x), Some(&y)) if x.0 == y.0 => {
                a.next();
                b.next();
                // The larger one first: symmetric to the last bit.
                let (high, low) = (x.1.max(y.1), x.1.min(y.1));
                (x.0, high + low * (1.0 - high))
            }
            (Some(&x), y) if y.is_none_or(|y| x.0 < y.0) => {
                a.next();
                x
            }
            (_, Some(&y)) => {
                b.next();
                y
            }
            (Some(&x), None) => {
                a.next();
                x
            }
        };
        if entry.1 > 0.0 {
            out.push(entry);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arrays::matrix::Matrix;
    use crate::graph::knn::knn;
    use crate::run::rng::test_stream;
    use rand::Rng;

    fn neighbors(n: usize, k: usize) -> Neighbors {
        let mut rng = test_stream(29, n, k);
        let data = (0..n * 3).map(|_| rng.random_range(-1.0..1.0)).collect();
        let z = Matrix::from_vec(data, n, 3).unwrap();
        knn(z.view(), k, &Monitor::default()).unwrap()
    }

    #[test]
    fn sigma_solves_its_equation() {
        let near = neighbors(300, 32);
        for k in [4, 8, 16, 32] {
            let scale = smooth_knn_dist(&near.dists, 32, k).unwrap();
            for i in 0..300 {
                let dist = &near.dists[i * 32..i * 32 + k];
                assert_eq!(scale.rho[i], dist[0]);
                let sum: f32 = dist
                    .iter()
                    .map(|&d| membership_strength(d, scale.rho[i], scale.sigma[i]))
                    .sum();
                assert!(
                    (sum - (k as f32).log2()).abs() < 1e-4,
                    "k {k} row {i}: {sum}"
                );
            }
        }
    }

    #[test]
    fn three_rows_by_hand() {
        // k = 2: log2 2 = 1 is what the nearest neighbour alone gives, so σ falls until the other
        // one counts for nothing: 0 - 1 (mutual) and 2 -> 1 remain.
        let near = Neighbors {
            k: 2,
            indices: vec![1, 2, 0, 2, 1, 0],
            dists: vec![1.0, 3.0, 1.0, 2.0, 2.0, 3.0],
        };
        let fuzzy = fuzzy_simplicial_set(&near, 3, &[2], &Monitor::default()).unwrap();
        assert_eq!(fuzzy.scales[0].rho, [1.0, 1.0, 2.0]);
        for (i, j, expected) in [(0, 1, 1.0), (1, 2, 1.0), (0, 2, 0.0)] {
            let got = fuzzy
                .graph
                .row(i)
                .find(|(c, _)| *c == j)
                .map_or(0.0, |(_, w)| w);
            assert!((got - expected).abs() < 3e-5, "{i} {j} {got}");
        }
    }

    #[test]
    fn equals_the_literal_order_of_joining() {
        let (n, k) = (120, 16);
        let near = neighbors(n, k);
        let scales = [4, 8, 16];
        let got = fuzzy_simplicial_set(&near, n, &scales, &Monitor::default()).unwrap();
        let mut b = vec![0.0_f64; n * n];
        for scale in &got.scales {
            let mut a = vec![0.0_f64; n * n];
            for i in 0..n {
                for e in 0..scale.k {
                    let at = i * k + e;
                    let strength =
                        membership_strength(near.dists[at], scale.rho[i], scale.sigma[i]);
                    a[i * n + near.indices[at] as usize] = f64::from(strength);
                }
            }
            for i in 0..n {
                for j in 0..n {
                    let w = a[i * n + j] + a[j * n + i] - a[i * n + j] * a[j * n + i];
                    b[i * n + j] += w - b[i * n + j] * w;
                }
            }
        }
        let mut entries = 0;
        for i in 0..n {
            for (j, w) in got.graph.row(i) {
                assert!((f64::from(w) - b[i * n + j as usize]).abs() < 1e-6);
                assert_ne!(i, j as usize);
                let back = got
                    .graph
                    .row(j as usize)
                    .find(|(c, _)| *c as usize == i)
                    .unwrap();
                assert_eq!(back.1, w);
                entries += 1;
            }
        }
        assert_eq!(entries, b.iter().filter(|w| **w > 1e-30).count());
    }

    #[test]
    fn equal_rows_give_full_memberships() {
        let near = Neighbors {
            k: 2,
            indices: vec![1, 2, 0, 2, 0, 1],
            dists: vec![0.0; 6],
        };
        let fuzzy = fuzzy_simplicial_set(&near, 3, &[2], &Monitor::default()).unwrap();
        assert!(fuzzy.graph.data.iter().all(|&w| w == 1.0));
        assert!(
            fuzzy.scales[0]
                .sigma
                .iter()
                .all(|&s| s > 0.0 && s.is_finite())
        );
    }

    #[test]
    fn no_rows_and_one_row() {
        for n in [0, 1] {
            let near = Neighbors {
                k: 0,
                indices: vec![],
                dists: vec![],
            };
            let fuzzy = fuzzy_simplicial_set(&near, n, &[8], &Monitor::default()).unwrap();
            assert_eq!(fuzzy.graph.indptr, vec![0; n + 1]);
        }
    }
}
