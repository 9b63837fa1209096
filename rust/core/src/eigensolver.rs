//! Largest eigenpairs of a sparse symmetric matrix by thick-restart block Lanczos.
//!
//! Wu & Simon 2000 with blocks of b vectors: the basis grows by A times its last block,
//! orthogonalised against all of it twice; when it is full, Rayleigh-Ritz keeps the best vectors and
//! the last block, and goes on. Storage is f32, projections are summed in f64. Blocks make the sparse
//! product b times denser and turn the orthogonalisation into dense products.

use rand_distr::{Distribution, StandardNormal};

use crate::error::{Error, Result};
use crate::linalg::{Matrix, MatrixView, matmul_nn, matmul_tn, symmetric_eigen};
use crate::monitor::Monitor;
use crate::parallel::{fill_blocks, sum_blocks};
use crate::rng::{Purpose, stream};
use crate::sparse::CsrMatrix;

/// Vectors of a block.
const BLOCK: usize = 8;
/// Rows of a block of rows.
const ROWS: usize = 512;
/// Share of its length below which a direction counts as spanned already.
const RANK_TOL: f64 = 1e-5;

/// What to look for and how hard.
#[derive(Debug, Clone, Copy)]
pub struct Search {
    /// Eigenpairs.
    pub count: usize,
    /// Vectors of the full basis.
    pub basis: usize,
    /// Residual to reach.
    pub tol: f64,
    /// Restarts at most.
    pub max_restarts: usize,
    /// Seed and group of the random start.
    pub seed: u64,
    /// The group.
    pub group: usize,
}

/// Eigenpairs found.
#[derive(Debug, Clone)]
pub struct Eigenpairs {
    /// Eigenvalues, descending, (count,).
    pub values: Vec<f64>,
    /// Eigenvectors as columns, (n, count).
    pub vectors: Matrix,
    /// Largest estimated residual.
    pub residual: f64,
    /// Products of the matrix with one vector.
    pub n_matvecs: usize,
}

/// The `count` largest eigenpairs of `a` orthogonal to the unit vector `known`, (n,), itself an
/// eigenvector. `converged(k)` is told how many have met the tolerance.
///
/// The residual may exceed the tolerance when the restarts are used up: the caller decides.
///
/// # Errors
/// [`Error::Parameter`] where the basis does not fit; [`Error::Interrupted`].
pub fn largest_eigenpairs(
    a: &CsrMatrix,
    known: &[f32],
    search: Search,
    monitor: &Monitor,
    mut converged: impl FnMut(usize) -> Result<()>,
) -> Result<Eigenpairs> {
    let n = a.n();
    if search.basis < search.count + 2 * BLOCK || search.basis + BLOCK >= n {
        let rule = format!("does not fit {} eigenpairs of {n} rows", search.count);
        return Err(Error::parameter("basis", search.basis, rule));
    }
    let mut lanczos = Lanczos::new(n, known, search);
    loop {
        lanczos.expand(a, monitor)?;
        if lanczos.used + BLOCK <= 1 + search.basis {
            continue;
        }
        let ritz = lanczos.rayleigh_ritz()?;
        let good = ritz.residuals[..search.count]
            .iter()
            .filter(|r| **r <= search.tol)
            .count();
        converged(good)?;
        lanczos.restarts += 1;
        if good == search.count || lanczos.restarts > search.max_restarts {
            return lanczos.finish(&ritz);
        }
        lanczos.restart(&ritz)?;
    }
}

struct Lanczos {
    search: Search,
    n: usize,
    /// Columns 0 (the known vector) to `used` of (n, basis + 1), orthonormal.
    v: Matrix,
    used: usize,
    /// The next block, (n, BLOCK), orthonormal and orthogonal to v.
    next: Matrix,
    /// Projection of A on columns 1..used of v, (basis, basis).
    t: Vec<f64>,
    /// A v = v t + next r at the last block: (BLOCK, BLOCK).
    r: Vec<f64>,
    restarts: usize,
    draws: usize,
    n_matvecs: usize,
}

/// Ritz values, descending, vectors in the basis and residuals.
struct Ritz {
    values: Vec<f64>,
    vectors: Vec<f64>,
    residuals: Vec<f64>,
}

impl Lanczos {
    fn new(n: usize, known: &[f32], search: Search) -> Self {
        let mut v = Matrix::zeros(n, search.basis + 1);
        for (i, x) in known.iter().enumerate() {
            v.row_mut(i)[0] = *x;
        }
        Self {
            search,
            n,
            v,
            used: 1,
            next: Matrix::zeros(n, BLOCK),
            t: vec![0.0; search.basis * search.basis],
            r: vec![0.0; BLOCK * BLOCK],
            restarts: 0,
            draws: 0,
            n_matvecs: 0,
        }
    }

    /// Appends the next block to the basis and makes a new one from A times it.
    fn expand(&mut self, a: &CsrMatrix, monitor: &Monitor) -> Result<()> {
        monitor.check()?;
        if self.used == 1 {
            self.next = self.random_block();
            self.orthonormalise_next(&mut [0.0; BLOCK])?;
        }
        let (used, next) = (self.used, &self.next);
        let stride = self.v.cols();
        fill_blocks(self.v.as_mut_slice(), stride, ROWS, |first, rows| {
            for (k, row) in rows.chunks_exact_mut(stride).enumerate() {
                row[used..used + BLOCK].copy_from_slice(next.row(first + k));
            }
            Ok(())
        })?;
        self.used += BLOCK;
        let mut product = Matrix::zeros(self.n, BLOCK);
        a.matmul(self.next.as_slice(), BLOCK, product.as_mut_slice())?;
        self.n_matvecs += BLOCK;
        self.next = product;
        monitor.check()?;
        let mut h = vec![0.0; self.used * BLOCK];
        self.orthonormalise_next(&mut h)?;
        let (basis, first) = (self.search.basis, used - 1);
        for row in 1..self.used {
            for c in 0..BLOCK {
                // Where both ends lie in the new block, average away the rounding.
                let value = h[row * BLOCK + c];
                self.t[(row - 1) * basis + first + c] = value;
                if row <= first {
                    self.t[(first + c) * basis + row - 1] = value;
                }
            }
        }
        for c in 0..BLOCK {
            for d in 0..c {
                let (x, y) = (
                    (first + c) * basis + first + d,
                    (first + d) * basis + first + c,
                );
                let mean = 0.5 * (self.t[x] + self.t[y]);
                (self.t[x], self.t[y]) = (mean, mean);
            }
        }
        Ok(())
    }

    fn random_block(&mut self) -> Matrix {
        let mut rng = stream(
            self.search.seed,
            Purpose::Eigenvectors,
            self.search.group,
            self.draws,
        );
        self.draws += 1;
        let mut block = Matrix::zeros(self.n, BLOCK);
        for x in block.as_mut_slice() {
            *x = StandardNormal.sample(&mut rng);
        }
        block
    }

    /// Makes `next` orthonormal and orthogonal to the basis; its old coefficients in the basis are
    /// added to `h`, (used, BLOCK), and those in itself replace `r`.
    ///
    /// Directions that the basis spans already are replaced by random ones, with zero rows in r.
    fn orthonormalise_next(&mut self, h: &mut [f64]) -> Result<()> {
        let mut r = identity();
        let before = self.gram()?;
        let scale = (0..BLOCK)
            .map(|c| before[c * BLOCK + c])
            .fold(0.0, f64::max)
            .sqrt();
        let mut fresh = [false; BLOCK];
        for pass in 0..4 {
            let coefficients = self.project_out()?;
            if pass < 2 {
                let rotated = times(&coefficients, &r);
                h.iter_mut().zip(rotated).for_each(|(h, c)| *h += c);
            }
            // SVQB (Stathopoulos & Wu 2002): G = U S Uᵀ, next <- next U S^-1/2, r <- S^1/2 Uᵀ r.
            let (values, u) = symmetric_eigen(&self.gram()?, BLOCK)?;
            let tiny = if pass == 0 { RANK_TOL * scale } else { 0.1 };
            let mut turn = vec![0.0_f32; BLOCK * BLOCK];
            let mut left = vec![0.0; BLOCK * BLOCK];
            let mut lost = [false; BLOCK];
            for c in 0..BLOCK {
                let length = values[c].max(0.0).sqrt();
                lost[c] = !(length > tiny);
                for d in 0..BLOCK {
                    if !lost[c] {
                        turn[d * BLOCK + c] = (u[d * BLOCK + c] / length) as f32;
                        left[c * BLOCK + d] = u[d * BLOCK + c] * length;
                    }
                }
            }
            self.turn_next(&turn)?;
            r = times(&left, &r);
            if lost.contains(&true) {
                let random = self.random_block();
                for i in 0..self.n {
                    let scale = 1.0 / (self.n as f32).sqrt();
                    let pairs = self.next.row_mut(i).iter_mut().zip(random.row(i));
                    for ((x, g), _) in pairs.zip(lost).filter(|(_, lost)| *lost) {
                        *x = g * scale;
                    }
                }
                fresh = lost;
            }
            if pass >= 1 && !lost.contains(&true) && (pass >= 2 || !fresh.contains(&true)) {
                break;
            }
        }
        self.r = r;
        Ok(())
    }

    /// nextᵀ next, (BLOCK, BLOCK).
    fn gram(&self) -> Result<Vec<f64>> {
        inner(self.next.view(), self.next.view())
    }

    /// Subtracts from `next` its part in the basis; returns the coefficients, (used, BLOCK).
    fn project_out(&mut self) -> Result<Vec<f64>> {
        let basis = self.v.view().first_columns(self.used);
        let coefficients = inner(basis, self.next.view())?;
        let minus: Vec<f32> = coefficients.iter().map(|&c| -c as f32).collect();
        let minus = MatrixView::new(&minus, self.used, BLOCK)?;
        fill_blocks(self.next.as_mut_slice(), BLOCK, ROWS, |first, rows| {
            let at = first..first + rows.len() / BLOCK;
            matmul_nn(rows, basis.rows_range(at), minus, true);
            Ok(())
        })?;
        Ok(coefficients)
    }

    /// next <- next turn.
    fn turn_next(&mut self, turn: &[f32]) -> Result<()> {
        let turn = MatrixView::new(turn, BLOCK, BLOCK)?;
        fill_blocks(self.next.as_mut_slice(), BLOCK, ROWS, |_, rows| {
            let old = rows.to_vec();
            matmul_nn(
                rows,
                MatrixView::new(&old, old.len() / BLOCK, BLOCK)?,
                turn,
                false,
            );
            Ok(())
        })
    }

    fn rayleigh_ritz(&self) -> Result<Ritz> {
        let (k, basis) = (self.used - 1, self.search.basis);
        let t: Vec<f64> = (0..k * k)
            .map(|e| self.t[(e / k) * basis + e % k])
            .collect();
        let (ascending, u) = symmetric_eigen(&t, k)?;
        let mut ritz = Ritz {
            values: Vec::with_capacity(k),
            vectors: vec![0.0; k * k],
            residuals: Vec::with_capacity(k),
        };
        for c in 0..k {
            let from = k - 1 - c;
            ritz.values.push(ascending[from]);
            for row in 0..k {
                ritz.vectors[row * k + c] = u[row * k + from];
            }
            let squared = (0..BLOCK).map(|b| {
                let last =
                    (0..BLOCK).map(|d| self.r[b * BLOCK + d] * u[(k - BLOCK + d) * k + from]);
                last.sum::<f64>().powi(2)
            });
            ritz.residuals.push(squared.sum::<f64>().sqrt());
        }
        Ok(ritz)
    }

    /// Keeps the best Ritz vectors; the next block stays.
    fn restart(&mut self, ritz: &Ritz) -> Result<()> {
        let (k, basis) = (self.used - 1, self.search.basis);
        let keep = (self.search.count + (k - self.search.count) / 3).min(k - BLOCK);
        self.v = {
            let kept = self.rotated(ritz, keep)?;
            let mut v = std::mem::take(&mut self.v);
            let stride = v.cols();
            fill_blocks(v.as_mut_slice(), stride, ROWS, |first, rows| {
                for (i, row) in rows.chunks_exact_mut(stride).enumerate() {
                    row[1..=keep].copy_from_slice(kept.row(first + i));
                }
                Ok(())
            })?;
            v
        };
        self.used = keep + 1;
        self.t.fill(0.0);
        for c in 0..keep {
            self.t[c * basis + c] = ritz.values[c];
        }
        Ok(())
    }

    /// The first `count` Ritz vectors, (n, count).
    fn rotated(&self, ritz: &Ritz, count: usize) -> Result<Matrix> {
        let k = self.used - 1;
        // A zero row for the known vector in column 0 of the basis.
        let mut turn = vec![0.0_f32; (k + 1) * count];
        for row in 0..k {
            for c in 0..count {
                turn[(row + 1) * count + c] = ritz.vectors[row * k + c] as f32;
            }
        }
        let turn = MatrixView::new(&turn, k + 1, count)?;
        let basis = self.v.view().first_columns(self.used);
        let mut out = Matrix::zeros(self.n, count);
        fill_blocks(out.as_mut_slice(), count, ROWS, |first, rows| {
            let at = first..first + rows.len() / count;
            matmul_nn(rows, basis.rows_range(at), turn, false);
            Ok(())
        })?;
        Ok(out)
    }

    fn finish(self, ritz: &Ritz) -> Result<Eigenpairs> {
        let count = self.search.count;
        Ok(Eigenpairs {
            values: ritz.values[..count].to_vec(),
            vectors: self.rotated(ritz, count)?,
            residual: ritz.residuals[..count].iter().copied().fold(0.0, f64::max),
            n_matvecs: self.n_matvecs,
        })
    }
}

/// aᵀ b of tall matrices, in f64 over blocks of rows.
fn inner(a: MatrixView<'_>, b: MatrixView<'_>) -> Result<Vec<f64>> {
    let len = a.cols() * b.cols();
    sum_blocks(a.rows(), ROWS, len, |rows, sum| {
        let mut part = vec![0.0; len];
        matmul_tn(
            &mut part,
            a.rows_range(rows.clone()),
            b.rows_range(rows),
            false,
        );
        sum.iter_mut()
            .zip(part)
            .for_each(|(s, x)| *s += f64::from(x));
        Ok(())
    })
}

fn identity() -> Vec<f64> {
    let mut r = vec![0.0; BLOCK * BLOCK];
    r.iter_mut().step_by(BLOCK + 1).for_each(|x| *x = 1.0);
    r
}

/// a b for a, (rows, BLOCK), and b, (BLOCK, BLOCK).
fn times(a: &[f64], b: &[f64]) -> Vec<f64> {
    let mut out = vec![0.0; a.len()];
    for (out, a) in out.chunks_exact_mut(BLOCK).zip(a.chunks_exact(BLOCK)) {
        for (x, b) in a.iter().zip(b.chunks_exact(BLOCK)) {
            out.iter_mut().zip(b).for_each(|(o, y)| *o += x * y);
        }
    }
    out
}
