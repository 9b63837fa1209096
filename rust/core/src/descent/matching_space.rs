//! The matching space U: the rows in which anchors move and distributions are compared.

use crate::arrays::matrix::{Matrix, MatrixView};
use crate::numeric::median_distance::median_distance;
use crate::options::Space;
use crate::run::rng::Streams;

/// U, (n, p), in units of its median pairwise distance, from Z, (n, p0), and V, (n, c).
///
/// Without V (a group too small for a graph) it is Z in any case.
///
/// ```
/// use fast_select_core::arrays::matrix::Matrix;
/// use fast_select_core::descent::matching_space::matching_space;
/// use fast_select_core::options::Space;
/// use fast_select_core::run::rng::Streams;
///
/// let z = Matrix::from_vec(vec![0.0, 2.0], 2, 1)?;
/// let v = Matrix::from_vec(vec![0.0, 10.0], 2, 1)?;
/// let streams = Streams::new(0);
/// let features = matching_space(Space::Features, z.view(), None, streams);
/// assert_eq!(features.as_slice(), [0.0, 1.0]);
/// // Each in its own unit, then both by the √2 that (0, 0) and (1, 1) are apart.
/// let joint = matching_space(Space::Joint, z.view(), Some(v.view()), streams);
/// assert!(joint.row(1).iter().all(|x| (x - 0.5_f32.sqrt()).abs() < 1e-6));
/// # Ok::<(), fast_select_core::Error>(())
/// ```
#[must_use]
pub fn matching_space(
    space: Space,
    z: MatrixView<'_>,
    v: Option<MatrixView<'_>>,
    streams: Streams,
) -> Matrix {
    let parts = match (space, v) {
        (Space::Joint, Some(v)) => vec![z, v],
        (Space::Spectral, Some(v)) => vec![v],
        _ => vec![z],
    };
    let (n, p) = (z.rows(), parts.iter().map(|x| x.cols()).sum());
    let mut u = Matrix::zeros(n, p);
    let mut at = 0;
    for part in &parts {
        let scale = 1.0 / median_distance(*part, streams);
        for i in 0..n {
            let out = &mut u.row_mut(i)[at..at + part.cols()];
            out.iter_mut()
                .zip(part.row(i))
                .for_each(|(o, x)| *o = x * scale);
        }
        at += part.cols();
    }
    if parts.len() > 1 {
        let scale = 1.0 / median_distance(u.view(), streams);
        u.as_mut_slice().iter_mut().for_each(|x| *x *= scale);
    }
    u
}
