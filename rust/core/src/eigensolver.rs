//! Largest eigenpairs of a sparse symmetric matrix by block Chebyshev-Davidson with thick restarts.
//!
//! Zhou & Saad 2007 in blocks of b vectors: the basis grows by p(A) times a block, where the
//! Chebyshev polynomial p is small between the lowest eigenvalue and a cut below the wanted ones, so
//! that few vectors need to be kept and orthogonalised. Rayleigh-Ritz takes A itself; when the basis
//! is full, the best Ritz vectors stay (Wu & Simon 2000). The block that p(A) is applied to is the
//! last one, as in Lanczos's recurrence, until the first restart; after it, Ritz vectors.
//!
//! Ours: cut and degree follow the Ritz values in every step, and the residuals of all Ritz pairs are
//! estimated from a count sketch S of the basis and its image, `|S A V y - θ S V y|`; those of the
//! pairs returned are measured. Storage is f32, projections are summed in f64.

use rand::Rng;

use crate::error::{Error, Result};
use crate::filter::Filter;
use crate::kernels::thin::{WIDTH, add_inner, add_product};
use crate::linalg::{Matrix, MatrixView, matmul_nn, symmetric_eigen};
use crate::monitor::Monitor;
use crate::parallel::{fill_and_sum_blocks, fill_blocks, sum_blocks};
use crate::rng::{Purpose, stream};
use crate::sketch::{combined, count_sketch};
use crate::sparse::CsrMatrix;

/// Vectors of a block: rows of one cache line, so that a sparse product takes little longer than with
/// half as many.
pub const BLOCK: usize = WIDTH;
/// Rows of a block of rows.
const ROWS: usize = 512;
/// Share of its length below which a direction counts as spanned already.
const RANK_TOL: f64 = 1e-5;
/// Share of its length that a direction may lose to the projection without another: the error of
/// f32 grows 30-fold at most, to 2e-6.
const ONE_PASS: f64 = 0.03;
/// Share of the tolerance that estimated residuals have to meet, as they err to both sides.
const AIM: f64 = 0.8;

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
    /// Largest |A v - μ v|, measured.
    pub residual: f64,
    /// Products of the matrix with one vector.
    pub n_matvecs: usize,
}

/// The `count` largest eigenpairs of `a`, none above 1, orthogonal to the unit vector `known`, (n,),
/// itself an eigenvector. `converged(k)` is told how many have met the tolerance.
///
/// The residual may exceed the tolerance when the restarts are used up: the caller decides.
/// O(entries b) a product, O(n basis b) a step.
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
    let mut davidson = Davidson::new(n, known, search)?;
    let mut aim = AIM * search.tol;
    let mut restarts = 0;
    loop {
        monitor.check()?;
        davidson.append(a)?;
        monitor.check()?;
        if davidson.used() < search.count + BLOCK {
            // Too few Ritz values to place the cut.
            std::mem::swap(&mut davidson.next, &mut davidson.image);
            davidson.orthonormalise()?;
            continue;
        }
        let ritz = davidson.rayleigh_ritz()?;
        let wanted = &ritz.residuals[..search.count];
        let good = wanted.iter().filter(|r| **r <= aim).count();
        let full = davidson.used() + BLOCK > search.basis;
        restarts += usize::from(full);
        let last = restarts > search.max_restarts;
        converged(good.min(search.count - 1))?;
        if good == search.count || last {
            let pairs = davidson.pairs(a, &ritz)?;
            if pairs.residual <= search.tol || last {
                return Ok(pairs);
            }
            aim *= 0.5;
        }
        let filter = davidson.filter(&ritz, restarts == 0);
        if restarts == 0 {
            davidson.start_from_last(filter)?;
        } else {
            davidson.start_from_ritz(a, filter, &ritz, aim)?;
        }
        let (next, image) = (&mut davidson.next, &mut davidson.image);
        davidson.n_matvecs += BLOCK * filter.apply(a, next, image, monitor)?;
        if full {
            davidson.restart(&ritz)?;
        }
        davidson.orthonormalise()?;
    }
}

/// The basis and what is known of A on it.
struct Davidson<'a> {
    search: Search,
    n: usize,
    /// The known vector, (n,).
    known: &'a [f32],
    /// Orthonormal vectors orthogonal to it, the basis V: blocks of (n, BLOCK).
    v: Vec<Matrix>,
    /// The next block, (n, BLOCK), orthonormal and orthogonal to V.
    next: Matrix,
    /// A times the last block of V, (n, BLOCK), until the filter needs the room.
    image: Matrix,
    /// Vᵀ A V, (basis, basis); the upper half counts.
    h: Vec<f64>,
    /// Count sketches of V and A V, one a column.
    sketch: Vec<f64>,
    image_sketch: Vec<f64>,
    /// Estimated lowest eigenvalue.
    low: f64,
    draws: usize,
    n_matvecs: usize,
}

/// Ritz values, descending, vectors in the basis as rows, and estimated residuals (of the wanted ones
/// and the last).
struct Ritz {
    values: Vec<f64>,
    vectors: Vec<f64>,
    residuals: Vec<f64>,
}

impl Ritz {
    /// Coefficients of the Ritz vectors `chosen` as columns, (k, chosen).
    fn columns(&self, chosen: &[usize]) -> Vec<f32> {
        let k = self.values.len();
        let rows = (0..k).flat_map(|row| chosen.iter().map(move |c| c * k + row));
        rows.map(|e| self.vectors[e] as f32).collect()
    }
}

impl<'a> Davidson<'a> {
    fn new(n: usize, known: &'a [f32], search: Search) -> Result<Self> {
        let basis = search.basis;
        let mut davidson = Self {
            search,
            n,
            known,
            v: Vec::with_capacity(basis / BLOCK),
            next: Matrix::zeros(n, BLOCK),
            image: Matrix::zeros(n, BLOCK),
            h: vec![0.0; basis * basis],
            sketch: Vec::new(),
            image_sketch: Vec::new(),
            low: f64::INFINITY,
            draws: 0,
            n_matvecs: 0,
        };
        davidson.randomise([true; BLOCK])?;
        davidson.orthonormalise()?;
        Ok(davidson)
    }

    /// Vectors of the basis, k.
    fn used(&self) -> usize {
        self.v.len() * BLOCK
    }

    /// Appends the next block to the basis, and what A makes of it to projection and sketches.
    fn append(&mut self, a: &CsrMatrix) -> Result<()> {
        a.matmul(self.next.as_slice(), BLOCK, self.image.as_mut_slice())?;
        self.n_matvecs += BLOCK;
        self.sketch.extend(count_sketch(&self.next)?);
        self.image_sketch.extend(count_sketch(&self.image)?);
        let room = Matrix::zeros(self.n, BLOCK);
        self.v.push(std::mem::replace(&mut self.next, room));
        self.project()
    }

    /// T_0 and T_1 times the last block, of which the image is known, into next and image.
    fn start_from_last(&mut self, filter: Filter) -> Result<()> {
        let terms = filter.terms(1.0, 0.0);
        let last = self.v[self.v.len() - 1].as_slice();
        fill_blocks(self.image.as_mut_slice(), BLOCK, ROWS, |first, rows| {
            for (ax, x) in rows.iter_mut().zip(&last[first * BLOCK..]) {
                *ax = terms.scale * *ax + terms.shift * x;
            }
            Ok(())
        })?;
        fill_blocks(self.next.as_mut_slice(), BLOCK, ROWS, |first, rows| {
            rows.copy_from_slice(&last[first * BLOCK..][..rows.len()]);
            Ok(())
        })
    }

    /// T_0 and T_1 times the first Ritz vectors yet to converge, into next and image.
    ///
    /// The chain of last blocks would stall: it is a Krylov space of p(A), but the Ritz vectors kept
    /// are A's, whose residuals lie outside it.
    fn start_from_ritz(
        &mut self,
        a: &CsrMatrix,
        filter: Filter,
        ritz: &Ritz,
        aim: f64,
    ) -> Result<()> {
        let count = self.search.count;
        let bad = (0..count).filter(|&c| ritz.residuals[c] > aim);
        let chosen: Vec<usize> = bad.chain(count..).take(BLOCK).collect();
        let turn = ritz.columns(&chosen);
        let v = &self.v;
        fill_blocks(self.next.as_mut_slice(), BLOCK, ROWS, |first, rows| {
            let at = first..first + rows.len() / BLOCK;
            rows.fill(0.0);
            for (v, turn) in v.iter().zip(turn.chunks_exact(BLOCK * BLOCK)) {
                add_product(v.view().rows_range(at.clone()), turn, rows);
            }
            Ok(())
        })?;
        let (x, out) = (self.next.as_slice(), self.image.as_mut_slice());
        a.recur(x, BLOCK, filter.terms(1.0, 0.0), out)?;
        self.n_matvecs += BLOCK;
        Ok(())
    }

    /// Columns of h that belong to the last block.
    fn project(&mut self) -> Result<()> {
        let views: Vec<_> = self.v.iter().map(Matrix::view).collect();
        let products = inner(&views, &self.image)?;
        let (basis, first) = (self.search.basis, self.used() - BLOCK);
        for (row, products) in products.chunks_exact(BLOCK).enumerate() {
            self.h[row * basis + first..][..BLOCK].copy_from_slice(products);
        }
        Ok(())
    }

    /// Draws anew those columns of `next` that are `lost`, as unit vectors nearly.
    fn randomise(&mut self, lost: [bool; BLOCK]) -> Result<()> {
        let (seed, group) = (self.search.seed, self.search.group);
        let first_stream = self.draws;
        self.draws += self.n.div_ceil(ROWS);
        let scale = (3.0 / self.n as f32).sqrt();
        fill_blocks(self.next.as_mut_slice(), BLOCK, ROWS, |first, rows| {
            let block = first_stream + first / ROWS;
            let mut rng = stream(seed, Purpose::Eigenvectors, group, block);
            for row in rows.chunks_exact_mut(BLOCK) {
                for (x, _) in row.iter_mut().zip(lost).filter(|(_, lost)| *lost) {
                    *x = rng.random_range(-scale..scale);
                }
            }
            Ok(())
        })
    }

    /// Makes `next` orthonormal and orthogonal to the basis.
    ///
    /// Directions that the basis spans already are replaced by random ones.
    fn orthonormalise(&mut self) -> Result<()> {
        let before = inner(&[self.next.view()], &self.next)?;
        let scale = (0..BLOCK)
            .map(|c| before[c * BLOCK + c])
            .fold(0.0, f64::max)
            .sqrt();
        let mut fresh = false;
        for pass in 0..4 {
            let gram = self.project_out()?;
            // SVQB (Stathopoulos & Wu 2002): G = U S Uᵀ, next <- next U S^-1/2.
            let (values, u) = symmetric_eigen(&gram, BLOCK)?;
            let tiny = if pass == 0 { RANK_TOL * scale } else { 0.1 };
            let mut turn = [0.0_f32; BLOCK * BLOCK];
            let mut lost = [false; BLOCK];
            for c in 0..BLOCK {
                let length = values[c].max(0.0).sqrt();
                lost[c] = !(length > tiny);
                for d in (0..BLOCK).filter(|_| !lost[c]) {
                    turn[d * BLOCK + c] = (u[d * BLOCK + c] / length) as f32;
                }
            }
            self.turn_next(&turn)?;
            let some_lost = lost.contains(&true);
            let enough = if pass == 0 {
                values[0].max(0.0).sqrt() > ONE_PASS * scale
            } else {
                pass > usize::from(fresh)
            };
            if some_lost {
                self.randomise(lost)?;
            } else if enough {
                break;
            }
            fresh |= some_lost;
        }
        Ok(())
    }

    /// Subtracts from `next` its part in the basis; returns nextᵀ next, (BLOCK, BLOCK).
    fn project_out(&mut self) -> Result<Vec<f64>> {
        let known = MatrixView::new(self.known, self.n, 1)?;
        let views: Vec<_> = std::iter::once(known)
            .chain(self.v.iter().map(Matrix::view))
            .collect();
        let coefficients = inner(&views, &self.next)?;
        let minus: Vec<f32> = coefficients.iter().map(|&c| -c as f32).collect();
        let next = self.next.as_mut_slice();
        fill_and_sum_blocks(next, BLOCK, ROWS, BLOCK * BLOCK, |first, rows, gram| {
            let at = first..first + rows.len() / BLOCK;
            let mut minus = &minus[..];
            for v in &views {
                let (these, rest) = minus.split_at(v.cols() * BLOCK);
                add_product(v.rows_range(at.clone()), these, rows);
                minus = rest;
            }
            add_inner_f64(MatrixView::new(rows, at.len(), BLOCK)?, rows, gram);
            Ok(())
        })
    }

    /// next <- next turn.
    fn turn_next(&mut self, turn: &[f32]) -> Result<()> {
        fill_blocks(self.next.as_mut_slice(), BLOCK, ROWS, |_, rows| {
            let old = rows.to_vec();
            rows.fill(0.0);
            add_product(MatrixView::new(&old, old.len() / BLOCK, BLOCK)?, turn, rows);
            Ok(())
        })
    }

    fn rayleigh_ritz(&self) -> Result<Ritz> {
        let (k, basis) = (self.used(), self.search.basis);
        let entry = |e: usize| self.h[(e / k).min(e % k) * basis + (e / k).max(e % k)];
        let h: Vec<f64> = (0..k * k).map(entry).collect();
        let (ascending, u) = symmetric_eigen(&h, k)?;
        let values: Vec<f64> = ascending.into_iter().rev().collect();
        let vectors: Vec<f64> = (0..k * k).map(|e| u[e % k * k + k - 1 - e / k]).collect();
        let mut residuals = vec![f64::INFINITY; k];
        for c in (0..self.search.count).chain([k - 1]) {
            let y = &vectors[c * k..][..k];
            let (v, av) = (combined(&self.sketch, y)?, combined(&self.image_sketch, y)?);
            let gaps = v.iter().zip(av).map(|(v, av)| av - values[c] * v);
            residuals[c] = gaps.map(|gap| gap * gap).sum::<f64>().sqrt();
        }
        Ok(Ritz {
            values,
            vectors,
            residuals,
        })
    }

    /// The filter for the next step. `sees_low`: the basis is not yet restricted to the largest Ritz
    /// vectors.
    fn filter(&mut self, ritz: &Ritz, sees_low: bool) -> Filter {
        let (count, lowest) = (self.search.count, ritz.values.len() - 1);
        if sees_low {
            // An eigenvalue lies that near to the lowest Ritz value (Zhou & Li 2011).
            let bound = ritz.values[lowest] - ritz.residuals[lowest];
            self.low = self.low.min(bound);
        }
        // Ritz values approach the eigenvalues from below: early cuts are low, which is safe.
        let gap_end = ritz.values[count + BLOCK / 2 - 1];
        Filter::new(self.low, gap_end, ritz.values[count - 1])
    }

    /// Keeps the best Ritz vectors, whole blocks of them; `next` stays.
    fn restart(&mut self, ritz: &Ritz) -> Result<()> {
        let (k, basis, count) = (self.used(), self.search.basis, self.search.count);
        let keep = (count + (k - count) / 3)
            .next_multiple_of(BLOCK)
            .min(k - BLOCK);
        let kept = self.rotated(ritz, keep)?;
        self.v.truncate(keep / BLOCK);
        for (at, block) in self.v.iter_mut().enumerate() {
            fill_blocks(block.as_mut_slice(), BLOCK, ROWS, |first, rows| {
                for (i, row) in rows.chunks_exact_mut(BLOCK).enumerate() {
                    row.copy_from_slice(&kept.row(first + i)[at * BLOCK..][..BLOCK]);
                }
                Ok(())
            })?;
        }
        for c in 0..keep {
            for row in 0..=c {
                self.h[row * basis + c] = if row == c { ritz.values[c] } else { 0.0 };
            }
        }
        for sketch in [&mut self.sketch, &mut self.image_sketch] {
            let old = std::mem::take(sketch);
            for y in ritz.vectors.chunks_exact(k).take(keep) {
                sketch.extend(combined(&old, y)?);
            }
        }
        Ok(())
    }

    /// The first `count` Ritz vectors, (n, count).
    fn rotated(&self, ritz: &Ritz, count: usize) -> Result<Matrix> {
        let chosen: Vec<usize> = (0..count).collect();
        let turn = ritz.columns(&chosen);
        let mut out = Matrix::zeros(self.n, count);
        fill_blocks(out.as_mut_slice(), count, ROWS, |first, rows| {
            let at = first..first + rows.len() / count;
            for (v, turn) in self.v.iter().zip(turn.chunks_exact(BLOCK * count)) {
                let turn = MatrixView::new(turn, BLOCK, count)?;
                matmul_nn(rows, v.view().rows_range(at.clone()), turn, true);
            }
            Ok(())
        })?;
        Ok(out)
    }

    /// The wanted Ritz pairs and their largest residual.
    fn pairs(&mut self, a: &CsrMatrix, ritz: &Ritz) -> Result<Eigenpairs> {
        let count = self.search.count;
        let vectors = self.rotated(ritz, count)?;
        let values = ritz.values[..count].to_vec();
        self.n_matvecs += count;
        Ok(Eigenpairs {
            residual: residual(a, &values, &vectors)?,
            values,
            vectors,
            n_matvecs: self.n_matvecs,
        })
    }
}

/// Largest |A v - μ v| over pairs of `values`, (c,), and columns of `vectors`, (n, c).
///
/// # Errors
/// [`Error::Shape`].
pub fn residual(a: &CsrMatrix, values: &[f64], vectors: &Matrix) -> Result<f64> {
    let c = vectors.cols();
    let mut product = vec![0.0; a.n() * c];
    a.matmul(vectors.as_slice(), c, &mut product)?;
    let squared = sum_blocks(a.n(), ROWS, c, |rows, sums| {
        for i in rows {
            let pairs = product[i * c..][..c].iter().zip(vectors.row(i));
            for ((s, mu), (x, y)) in sums.iter_mut().zip(values).zip(pairs) {
                *s += (f64::from(*x) - mu * f64::from(*y)).powi(2);
            }
        }
        Ok(())
    })?;
    // `max` would lose a NaN.
    let worse = |a: f64, b: f64| if b > a || b.is_nan() { b } else { a };
    Ok(squared.into_iter().map(f64::sqrt).fold(0.0, worse))
}

/// `[v ..]ᵀ w` of tall matrices, (n, k) in all and (n, BLOCK), in f64 over blocks of rows.
fn inner(v: &[MatrixView<'_>], w: &Matrix) -> Result<Vec<f64>> {
    let k: usize = v.iter().map(|v| v.cols()).sum();
    sum_blocks(w.rows(), ROWS, k * BLOCK, |rows, sum| {
        let w = &w.as_slice()[rows.start * BLOCK..rows.end * BLOCK];
        let mut sum = &mut sum[..];
        for v in v {
            let (these, rest) = sum.split_at_mut(v.cols() * BLOCK);
            add_inner_f64(v.rows_range(rows.clone()), w, these);
            sum = rest;
        }
        Ok(())
    })
}

/// sum += vᵀ w.
fn add_inner_f64(v: MatrixView<'_>, w: &[f32], sum: &mut [f64]) {
    let mut part = vec![0.0; sum.len()];
    add_inner(v, w, &mut part);
    sum.iter_mut()
        .zip(part)
        .for_each(|(s, x)| *s += f64::from(x));
}
