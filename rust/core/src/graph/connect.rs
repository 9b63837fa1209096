//! Joining the components of a graph by their exact shortest cross edges.
//!
//! Borůvka's rounds (1926) on the components: in each, every component but the largest adds its
//! shortest edge to the outside, which the cut property makes an edge of the minimum spanning tree
//! between components; so B ∪ MST is connected with the least added length (Cui et al. 2025, Sec.
//! 3.1). The minimum spanning forest inside the components is in the kNN graph already.

use crate::arrays::matrix::MatrixView;
use crate::graph::fuzzy::{FuzzyGraph, LocalScale, fused_strength};
use crate::graph::knn::nearest_outside;
use crate::numeric::sparse::CsrMatrix;
use crate::run::error::{Result, check_len};
use crate::run::monitor::Monitor;

/// An edge that joined two components.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Joint {
    /// The smaller of its ends.
    pub i: u32,
    /// The larger of its ends.
    pub j: u32,
    /// Its length.
    pub dist: f32,
    /// Its weight in the graph.
    pub weight: f32,
}

/// A graph of one component.
#[derive(Debug, Clone, PartialEq)]
pub struct Connected {
    /// The graph with the joints.
    pub graph: CsrMatrix,
    /// Components before.
    pub components_before_joining: usize,
    /// The edges added.
    pub joints: Vec<Joint>,
}

/// Component of each row, (n,), numbered by first row, and their number. O(entries).
///
/// ```
/// use fast_select_core::graph::connect::components;
/// use fast_select_core::numeric::sparse::CsrMatrix;
///
/// // Edges 0-2 and 1-3.
/// let graph = CsrMatrix {
///     indptr: vec![0, 1, 2, 3, 4],
///     indices: vec![2, 3, 0, 1],
///     data: vec![1.0; 4],
/// };
/// assert_eq!(components(&graph), (vec![0, 1, 0, 1], 2));
/// ```
#[must_use]
pub fn components(graph: &CsrMatrix) -> (Vec<u32>, usize) {
    let mut label = vec![u32::MAX; graph.n()];
    let (mut count, mut stack) = (0, Vec::new());
    for root in 0..graph.n() {
        if label[root] != u32::MAX {
            continue;
        }
        label[root] = count;
        stack.push(root);
        while let Some(i) = stack.pop() {
            for (j, _) in graph.row(i) {
                if label[j as usize] == u32::MAX {
                    label[j as usize] = count;
                    stack.push(j as usize);
                }
            }
        }
        count += 1;
    }
    (label, count as usize)
}

/// Makes a fuzzy graph of the rows of `z`, (n, p), connected.
///
/// A joint has the fused membership that its length gives at its two ends, and at least the
/// smallest weight of the graph. O(rounds s n p) with s rows outside the largest component.
///
/// ```
/// use fast_select_core::arrays::matrix::Matrix;
/// use fast_select_core::graph::connect::{components, connect};
/// use fast_select_core::graph::{fuzzy::fuzzy_simplicial_set, knn::knn};
/// use fast_select_core::run::monitor::Monitor;
///
/// // Two pairs; the shortest way between them is from 1 to 10.
/// let z = Matrix::from_vec(vec![0.0, 1.0, 10.0, 11.0], 4, 1)?;
/// let monitor = Monitor::default();
/// let near = knn(z.view(), 1, &monitor)?;
/// let fuzzy = fuzzy_simplicial_set(&near, 4, &[1], &monitor)?;
/// let connected = connect(fuzzy, z.view(), &monitor)?;
/// let joint = connected.joints[0];
/// assert_eq!((joint.i, joint.j, joint.dist), (1, 2, 9.0));
/// assert_eq!((connected.components_before_joining, components(&connected.graph).1), (2, 1));
/// # Ok::<(), fast_select_core::Error>(())
/// ```
///
/// # Errors
/// [`crate::Error::Refused`] where graph and rows differ in n; [`crate::Error::Interrupted`].
pub fn connect(fuzzy: FuzzyGraph, z: MatrixView<'_>, monitor: &Monitor) -> Result<Connected> {
    let FuzzyGraph { graph, scales } = fuzzy;
    check_len("rows", z.rows(), graph.n())?;
    let (mut label, before) = components(&graph);
    let smallest = graph.data.iter().copied().fold(1.0_f32, f32::min);
    let (mut count, mut joints) = (before, Vec::new());
    while count > 1 {
        let edges = shortest_edges(z, &label, count, monitor)?;
        let mut parent: Vec<u32> = (0..count as u32).collect();
        for (dist, i, j) in edges {
            let (a, b) = (
                root(&mut parent, label[i as usize]),
                root(&mut parent, label[j as usize]),
            );
            if a != b {
                parent[a.max(b) as usize] = a.min(b);
                joints.push(Joint {
                    i,
                    j,
                    dist,
                    weight: joint_weight(&scales, i, j, dist).max(smallest),
                });
            }
        }
        for l in &mut label {
            *l = root(&mut parent, *l);
        }
        count = renumber(&mut label);
    }
    Ok(Connected {
        graph: with_joints(graph, &joints),
        components_before_joining: before,
        joints,
    })
}

/// For each component but the largest its shortest edge to the outside, (length, i < j), ascending.
/// The strict order on (length, i, j) keeps ties from closing a cycle.
fn shortest_edges(
    z: MatrixView<'_>,
    label: &[u32],
    count: usize,
    monitor: &Monitor,
) -> Result<Vec<(f32, u32, u32)>> {
    let mut sizes = vec![0_usize; count];
    label.iter().for_each(|&l| sizes[l as usize] += 1);
    let largest = (0..count)
        .max_by_key(|&c| (sizes[c], usize::MAX - c))
        .unwrap_or(0) as u32;
    let rows: Vec<u32> = (0..label.len() as u32)
        .filter(|&i| label[i as usize] != largest)
        .collect();
    let mut best = vec![None; count];
    for (&i, (j, dist)) in rows.iter().zip(nearest_outside(z, &rows, label, monitor)?) {
        let edge = (dist, i.min(j), i.max(j));
        let slot = &mut best[label[i as usize] as usize];
        if slot.is_none_or(|old| before(&edge, &old)) {
            *slot = Some(edge);
        }
    }
    let mut edges: Vec<_> = best.into_iter().flatten().collect();
    edges.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then((a.1, a.2).cmp(&(b.1, b.2))));
    edges.dedup();
    Ok(edges)
}

fn before(a: &(f32, u32, u32), b: &(f32, u32, u32)) -> bool {
    a.0.total_cmp(&b.0)
        .then((a.1, a.2).cmp(&(b.1, b.2)))
        .is_lt()
}

fn root(parent: &mut [u32], mut at: u32) -> u32 {
    while parent[at as usize] != at {
        parent[at as usize] = parent[parent[at as usize] as usize];
        at = parent[at as usize];
    }
    at
}

/// Replaces labels by 0, 1, ... in order of appearance; returns how many there are.
fn renumber(label: &mut [u32]) -> usize {
    let mut new = vec![u32::MAX; label.len()];
    let mut count = 0;
    for l in label {
        if new[*l as usize] == u32::MAX {
            new[*l as usize] = count;
            count += 1;
        }
        *l = new[*l as usize];
    }
    count as usize
}

fn joint_weight(scales: &[LocalScale], i: u32, j: u32, dist: f32) -> f32 {
    let at = |row: u32| {
        let local = scales
            .iter()
            .map(move |s| (s.rho[row as usize], s.sigma[row as usize]));
        fused_strength(dist, local)
    };
    let (a, b) = (at(i), at(j));
    a + b - a * b
}

fn with_joints(graph: CsrMatrix, joints: &[Joint]) -> CsrMatrix {
    if joints.is_empty() {
        return graph;
    }
    let mut added: Vec<(u32, u32, f32)> = joints
        .iter()
        .flat_map(|e| [(e.i, e.j, e.weight), (e.j, e.i, e.weight)])
        .collect();
    added.sort_unstable_by_key(|&(i, j, _)| (i, j));
    let total = graph.indices.len() + added.len();
    let mut out = CsrMatrix {
        indptr: Vec::with_capacity(graph.indptr.len()),
        indices: Vec::with_capacity(total),
        data: Vec::with_capacity(total),
    };
    out.indptr.push(0);
    let mut added = added.into_iter().peekable();
    for i in 0..graph.n() {
        let mut push = |j, w| {
            out.indices.push(j);
            out.data.push(w);
        };
        for (j, w) in graph.row(i) {
            while let Some((_, col, weight)) = added.next_if(|e| e.0 as usize == i && e.1 < j) {
                push(col, weight);
            }
            push(j, w);
        }
        while let Some((_, col, weight)) = added.next_if(|e| e.0 as usize == i) {
            push(col, weight);
        }
        out.indptr.push(out.indices.len());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arrays::matrix::Matrix;
    use crate::graph::fuzzy::fuzzy_simplicial_set;
    use crate::graph::knn::knn;
    use crate::kernels::squared_distance::squared_distance;
    use crate::run::rng::test_stream;
    use rand::Rng;

    /// `count` clusters of `size` rows, far apart.
    fn clusters(count: usize, size: usize) -> Matrix {
        let mut rng = test_stream(31, count, size);
        let mut z = Matrix::zeros(count * size, 2);
        for c in 0..count {
            let center = [rng.random_range(-50.0..50.0), rng.random_range(-50.0..50.0)];
            for i in 0..size {
                for (v, m) in z.row_mut(c * size + i).iter_mut().zip(center) {
                    *v = m + rng.random_range(-0.5..0.5);
                }
            }
        }
        z
    }

    fn connected(z: &Matrix, k: usize) -> (Connected, Vec<u32>) {
        let monitor = Monitor::default();
        let near = knn(z.view(), k, &monitor).unwrap();
        let fuzzy = fuzzy_simplicial_set(&near, z.rows(), &[k], &monitor).unwrap();
        let (label, _) = components(&fuzzy.graph);
        (connect(fuzzy, z.view(), &monitor).unwrap(), label)
    }

    /// Weight of the minimum spanning tree between components, by Prim on all pairs of rows.
    fn prim(z: &Matrix, label: &[u32], count: usize) -> f64 {
        let mut cost = vec![f64::INFINITY; count * count];
        for i in 0..z.rows() {
            for j in 0..z.rows() {
                let at = label[i] as usize * count + label[j] as usize;
                cost[at] = cost[at].min(f64::from(squared_distance(z.row(i), z.row(j))).sqrt());
            }
        }
        let (mut inside, mut total) = (vec![0], 0.0);
        while inside.len() < count {
            let outside = (0..count).filter(|c| !inside.contains(c));
            let edges = outside.flat_map(|c| inside.iter().map(move |&i| (i, c)));
            let best =
                edges.min_by(|a, b| cost[a.0 * count + a.1].total_cmp(&cost[b.0 * count + b.1]));
            let (i, c) = best.unwrap();
            total += cost[i * count + c];
            inside.push(c);
        }
        total
    }

    #[test]
    fn joins_along_the_minimum_spanning_tree() {
        for (count, size) in [(2, 40), (7, 12), (15, 9)] {
            let z = clusters(count, size);
            let (joined, label) = connected(&z, 5);
            let before = joined.components_before_joining;
            assert!(before >= count);
            assert_eq!(joined.joints.len(), before - 1);
            assert_eq!(components(&joined.graph).1, 1);
            let length: f64 = joined.joints.iter().map(|e| f64::from(e.dist)).sum();
            assert!((length - prim(&z, &label, before)).abs() < 1e-4 * length);
            assert!(
                joined
                    .joints
                    .iter()
                    .all(|e| e.weight > 0.0 && e.weight <= 1.0)
            );
            for i in 0..z.rows() {
                let columns: Vec<u32> = joined.graph.row(i).map(|(j, _)| j).collect();
                assert!(columns.windows(2).all(|w| w[0] < w[1]));
            }
        }
    }

    #[test]
    fn cliques_of_duplicates_are_joined() {
        let mut z = Matrix::zeros(60, 2);
        for i in 20..60 {
            z.row_mut(i)[0] = if i < 40 { 1.0 } else { 3.0 };
        }
        let (joined, _) = connected(&z, 4);
        assert_eq!(components(&joined.graph).1, 1);
        let total: f32 = joined.joints.iter().map(|e| e.dist).sum();
        assert_eq!(total, 3.0);
    }
}
