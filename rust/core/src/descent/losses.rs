//! The two terms that tie the anchors to real rows, and their gradients.
//!
//! `L_match = 1/m Σ_i |y_i - u_π(i)|^2` pulls every anchor towards the row it is assigned to, and
//! `L_graph = 1/m tr(Yᵀ L_sub Y)` (Cui et al. 2025, Eq. 5) keeps anchors of neighbouring rows together;
//! L_sub is the m x m submatrix of the normalised Laplacian at the assigned rows. The paper leaves
//! out the 1/m of L_graph; with it the weight of the term means the same at any m.

use crate::arrays::matrix::MatrixView;
use crate::numeric::sparse::CsrMatrix;
use crate::run::error::{Result, check_len};
use crate::run::parallel::fill_and_sum_blocks;

/// Anchors of a block.
const ROWS: usize = 128;

/// L_match; `scale` times its gradient is added to `grad`. y, grad: (m, p); u: (n, p); rows: (m,).
/// O(m p).
///
/// ```
/// use fast_select_core::arrays::matrix::Matrix;
/// use fast_select_core::descent::losses::match_loss;
///
/// // Anchors at 1 and 4 with the rows at 2 and 3: one too low, one too high.
/// let u = Matrix::from_vec(vec![0.0, 2.0, 3.0], 3, 1)?;
/// let y = Matrix::from_vec(vec![1.0, 4.0], 2, 1)?;
/// let mut grad = [0.0; 2];
/// assert_eq!(match_loss(y.view(), u.view(), &[1, 2], 1.0, &mut grad)?, 1.0);
/// assert_eq!(grad, [-1.0, 1.0]);
/// # Ok::<(), fast_select_core::Error>(())
/// ```
///
/// # Errors
/// [`crate::Error::Refused`] for arrays of other shapes.
pub fn match_loss(
    y: MatrixView<'_>,
    u: MatrixView<'_>,
    rows: &[u32],
    scale: f64,
    grad: &mut [f32],
) -> Result<f64> {
    let (m, p) = (y.rows(), y.cols());
    check_len("rows", rows.len(), m)?;
    check_len("columns of u", u.cols(), p)?;
    check_len("gradient", grad.len(), m * p)?;
    let inv_m = 1.0 / m.max(1) as f64;
    let slope = (2.0 * scale * inv_m) as f32;
    let sum = fill_and_sum_blocks(grad, p, ROWS, 1, |first, grad, sum| {
        for (k, grad) in grad.chunks_exact_mut(p).enumerate() {
            let at = y.row(first + k);
            let to = u.row(rows[first + k] as usize);
            let mut squared = 0.0_f32;
            for ((g, a), b) in grad.iter_mut().zip(at).zip(to) {
                squared += (a - b) * (a - b);
                *g += slope * (a - b);
            }
            sum[0] += f64::from(squared);
        }
        Ok(())
    })?;
    Ok(sum[0] * inv_m)
}

/// L_graph; `scale` times its gradient is added to `grad`, (m, p).
///
/// graph: B, (n, n); degrees: its row sums, (n,); rows: (m,) distinct; anchor_of_row: (n,), the
/// inverse of `rows`, `u32::MAX` elsewhere. O(m k p).
///
/// ```
/// use fast_select_core::arrays::matrix::Matrix;
/// use fast_select_core::descent::losses::graph_loss;
/// use fast_select_core::numeric::sparse::CsrMatrix;
///
/// // One edge of weight 1: L = ((1, -1), (-1, 1)), so L_graph = (y_0 - y_1)^2 / 2.
/// let edge = CsrMatrix { indptr: vec![0, 1, 2], indices: vec![1, 0], data: vec![1.0; 2] };
/// let y = Matrix::from_vec(vec![1.0, 3.0], 2, 1)?;
/// let mut grad = [0.0; 2];
/// let value = graph_loss(y.view(), &edge, &[1.0; 2], &[0, 1], &[0, 1], 1.0, &mut grad)?;
/// assert_eq!((value, grad), (2.0, [-2.0, 2.0]));
/// # Ok::<(), fast_select_core::Error>(())
/// ```
///
/// # Errors
/// [`crate::Error::Refused`] for arrays of other shapes.
pub fn graph_loss(
    y: MatrixView<'_>,
    graph: &CsrMatrix,
    degrees: &[f64],
    rows: &[u32],
    anchor_of_row: &[u32],
    scale: f64,
    grad: &mut [f32],
) -> Result<f64> {
    let (m, p) = (y.rows(), y.cols());
    check_len("rows", rows.len(), m)?;
    check_len("degrees", degrees.len(), graph.n())?;
    check_len("anchor_of_row", anchor_of_row.len(), graph.n())?;
    check_len("gradient", grad.len(), m * p)?;
    let inv_m = 1.0 / m.max(1) as f64;
    let slope = (2.0 * scale * inv_m) as f32;
    let sum = fill_and_sum_blocks(grad, p, ROWS, 1, |first, grad, sum| {
        let mut ly = vec![0.0_f32; p];
        for (k, grad) in grad.chunks_exact_mut(p).enumerate() {
            let row = rows[first + k] as usize;
            let yi = y.row(first + k);
            ly.copy_from_slice(yi);
            for (j, weight) in graph.row(row) {
                let anchor = anchor_of_row[j as usize];
                if anchor != u32::MAX {
                    let w = f64::from(weight) / (degrees[row] * degrees[j as usize]).sqrt();
                    let yj = y.row(anchor as usize);
                    ly.iter_mut().zip(yj).for_each(|(s, v)| *s -= w as f32 * v);
                }
            }
            sum[0] += f64::from(yi.iter().zip(&ly).map(|(a, b)| a * b).sum::<f32>());
            grad.iter_mut().zip(&ly).for_each(|(g, v)| *g += slope * v);
        }
        Ok(())
    })?;
    Ok(sum[0] * inv_m)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arrays::matrix::Matrix;

    fn matrix(rows: usize, from: usize) -> Matrix {
        let data = (0..rows * 2).map(|e| ((e * 5 + from) % 7) as f32 / 3.0 - 1.0);
        Matrix::from_vec(data.collect(), rows, 2).unwrap()
    }

    /// A ring of five rows with unequal weights.
    fn ring() -> CsrMatrix {
        let mut graph = CsrMatrix {
            indptr: vec![0],
            indices: vec![],
            data: vec![],
        };
        let weight = |a: usize, b: usize| 0.2 + 0.1 * (a.min(b) + a.max(b) % 4) as f32;
        for i in 0..5_usize {
            let mut ends = [(i + 4) % 5, (i + 1) % 5];
            ends.sort_unstable();
            for j in ends {
                graph.indices.push(j as u32);
                graph.data.push(weight(i, j));
            }
            graph.indptr.push(graph.indices.len());
        }
        graph
    }

    fn check_gradient(y: &Matrix, loss: impl Fn(&Matrix, &mut [f32]) -> f64) {
        let mut grad = vec![0.0; y.as_slice().len()];
        loss(y, &mut grad);
        for e in 0..grad.len() {
            let shifted = |step: f32| {
                let mut moved = y.clone();
                moved.as_mut_slice()[e] += step;
                let value = loss(&moved, &mut vec![0.0; grad.len()]);
                (value, f64::from(moved.as_slice()[e]))
            };
            let ((up, at_up), (down, at_down)) = (shifted(0.05), shifted(-0.05));
            let expected = (up - down) / (at_up - at_down);
            assert!(
                (f64::from(grad[e]) - expected).abs() < 1e-4,
                "{} {expected}",
                grad[e]
            );
        }
    }

    #[test]
    fn match_by_hand_and_by_differences() {
        let (y, u, rows) = (matrix(3, 1), matrix(5, 2), [4, 0, 2]);
        let loss = |y: &Matrix, grad: &mut [f32]| {
            match_loss(y.view(), u.view(), &rows, 1.0, grad).unwrap()
        };
        let by_hand: f32 = (0..3)
            .map(|i| {
                crate::kernels::squared_distance::squared_distance(
                    y.row(i),
                    u.row(rows[i] as usize),
                ) / 3.0
            })
            .sum();
        assert!((loss(&y, &mut [0.0; 6]) - f64::from(by_hand)).abs() < 1e-6);
        check_gradient(&y, loss);
    }

    #[test]
    fn graph_loss_equals_the_dense_trace() {
        let (graph, y, rows) = (ring(), matrix(3, 3), [1_u32, 3, 2]);
        let degrees = graph.row_sums();
        let mut anchor_of_row = [u32::MAX; 5];
        for (a, &row) in rows.iter().enumerate() {
            anchor_of_row[row as usize] = a as u32;
        }
        let loss = |y: &Matrix, grad: &mut [f32]| {
            graph_loss(y.view(), &graph, &degrees, &rows, &anchor_of_row, 1.0, grad).unwrap()
        };
        let mut trace = 0.0;
        for (a, &i) in rows.iter().enumerate() {
            for (b, &j) in rows.iter().enumerate() {
                let weight = graph
                    .row(i as usize)
                    .find(|(c, _)| *c == j)
                    .map_or(0.0, |(_, w)| w);
                let scale = (degrees[i as usize] * degrees[j as usize]).sqrt();
                let l = f64::from(u8::from(i == j)) - f64::from(weight) / scale;
                let dot: f32 = y.row(a).iter().zip(y.row(b)).map(|(x, y)| x * y).sum();
                trace += l * f64::from(dot) / 3.0;
            }
        }
        assert!((loss(&y, &mut [0.0; 6]) - trace).abs() < 1e-6);
        check_gradient(&y, loss);
    }
}
