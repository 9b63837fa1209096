//! Inputs that the benchmarks share.

use fast_select_core::arrays::matrix::Matrix;
use fast_select_core::run::rng::{Purpose, Streams};
use rand_distr::{Distribution, StandardNormal};

/// Rows of the three sizes at which every stage is measured.
pub const SIZES: [usize; 3] = [2_000, 8_000, 32_000];

/// Columns of the matching space.
pub const DIMS: usize = 64;

/// `n` rows in ten clusters, (n, [`DIMS`]), with a median distance near 1.
pub fn clusters(n: usize) -> Matrix {
    let mut rng = Streams::new(1).of_group(n).stream(Purpose::Samples, 0);
    let mut normal = || -> f32 { StandardNormal.sample(&mut rng) };
    let centers: Vec<f32> = (0..10 * DIMS).map(|_| 0.07 * normal()).collect();
    let mut x = Matrix::zeros(n, DIMS);
    for i in 0..n {
        let center = &centers[i % 10 * DIMS..][..DIMS];
        for (v, c) in x.row_mut(i).iter_mut().zip(center) {
            *v = c + 0.05 * normal();
        }
    }
    x
}
