//! The matching space U: the rows in which anchors move and distributions are compared.

use crate::error::Result;
use crate::linalg::{Matrix, MatrixView};
use crate::names::named;
use crate::prepare::median_distance;

/// Which rows are matched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Space {
    /// Features and spectral components side by side, each in units of its median distance.
    Joint,
    /// The prepared features Z.
    Features,
    /// The spectral components V (the paper's).
    Spectral,
}

named!(Space, "space", {
    Joint => "joint",
    Features => "features",
    Spectral => "spectral",
});

impl Space {
    /// Whether spectral components are part of it.
    #[must_use]
    pub fn needs_spectrum(self) -> bool {
        self != Self::Features
    }
}

/// U, (n, p), in units of its median pairwise distance, from Z, (n, p0), and V, (n, c).
///
/// Without V (a group too small for a graph) it is Z in any case.
///
/// # Errors
/// [`crate::Error::Shape`].
pub fn matching_space(
    space: Space,
    z: MatrixView<'_>,
    v: Option<MatrixView<'_>>,
    seed: u64,
    group: usize,
) -> Result<Matrix> {
    let parts = match (space, v) {
        (Space::Joint, Some(v)) => vec![z, v],
        (Space::Spectral, Some(v)) => vec![v],
        _ => vec![z],
    };
    let (n, p) = (z.rows(), parts.iter().map(|x| x.cols()).sum());
    let mut u = Matrix::zeros(n, p);
    let mut at = 0;
    for part in &parts {
        let scale = 1.0 / median_distance(*part, seed, group);
        for i in 0..n {
            let out = &mut u.row_mut(i)[at..at + part.cols()];
            out.iter_mut()
                .zip(part.row(i))
                .for_each(|(o, x)| *o = x * scale);
        }
        at += part.cols();
    }
    if parts.len() > 1 {
        let scale = 1.0 / median_distance(u.view(), seed, group);
        u.as_mut_slice().iter_mut().for_each(|x| *x *= scale);
    }
    Ok(u)
}
