//! Largest eigenpairs of a sparse symmetric matrix by block Chebyshev-Davidson with thick restarts.
//!
//! Zhou & Saad 2007 in blocks of b vectors: the basis grows by p(A) times a block, where the
//! Chebyshev polynomial p is small between the lowest eigenvalue and a cut below the wanted ones, so
//! that few vectors need to be kept and orthogonalised. Rayleigh-Ritz takes A itself; when the basis
//! is full, the best Ritz vectors stay (Wu & Simon 2000). The block that p(A) is applied to is the
//! last one, as in Lanczos's recurrence, until the first restart; after it, Ritz vectors.
//!
//! Ours: cut and degree follow the Ritz values in every step, and the residuals of the wanted Ritz pairs are
//! estimated from a count sketch S of the basis and its image, `|S A V y - θ S V y|`; those of the
//! pairs returned are measured. Storage is f32, projections are summed in f64.

use crate::arrays::matrix::Matrix;
use crate::numeric::factorise::symmetric_eigen;
use crate::numeric::sparse::CsrMatrix;
use crate::run::error::{Error, Result};
use crate::run::monitor::Monitor;
use crate::run::parallel::{fill_blocks, sum_blocks};
use crate::run::rng::Streams;
use crate::spectral::basis::{BLOCK, Basis, RandomColumns};
use crate::spectral::chebyshev::ChebyshevFilter;
use crate::spectral::count_sketch::{combined, count_sketch};

/// Rows of a block of rows.
const ROWS: usize = 512;
/// Share of the tolerance that estimated residuals have to meet, as they err to both sides.
const AIM: f64 = 0.8;

/// What is wanted, and how much may be spent on it.
#[derive(Debug, Clone, Copy)]
pub struct Wanted {
    /// Eigenpairs.
    pub count: usize,
    /// Vectors of the full basis.
    pub basis: usize,
    /// Residual to reach.
    pub tol: f64,
    /// Restarts at most.
    pub max_restarts: usize,
    /// The random start.
    pub streams: Streams,
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
/// [`Error::Refused`] where the basis does not fit; [`Error::Interrupted`].
pub fn largest_eigenpairs(
    a: &CsrMatrix,
    known: &[f32],
    wanted: Wanted,
    monitor: &Monitor,
    mut converged: impl FnMut(usize) -> Result<()>,
) -> Result<Eigenpairs> {
    let n = a.n();
    if wanted.basis < wanted.count + 2 * BLOCK || wanted.basis + BLOCK >= n {
        let (size, count) = (wanted.basis, wanted.count);
        let fact = format!("of {size} vectors does not fit {count} eigenpairs of {n} rows");
        return Err(Error::refused("basis", fact));
    }
    let mut davidson = Davidson::new(n, known, wanted)?;
    let mut aim = AIM * wanted.tol;
    let mut restarts = 0;
    loop {
        monitor.check()?;
        davidson.append(a)?;
        monitor.check()?;
        if davidson.basis.used() < wanted.count + BLOCK {
            // Too few Ritz values to place the cut.
            std::mem::swap(&mut davidson.next, &mut davidson.image);
            davidson.orthonormalise()?;
            continue;
        }
        let ritz = davidson.rayleigh_ritz()?;
        let residuals = &ritz.residuals[..wanted.count];
        let good = residuals.iter().filter(|r| **r <= aim).count();
        let full = davidson.basis.used() + BLOCK > wanted.basis;
        restarts += usize::from(full);
        let last = restarts > wanted.max_restarts;
        converged(good.min(wanted.count - 1))?;
        if good == wanted.count || last {
            let pairs = davidson.pairs(a, &ritz)?;
            if pairs.residual <= wanted.tol || last {
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

/// The basis V and what is known of A on it.
struct Davidson<'a> {
    wanted: Wanted,
    basis: Basis<'a>,
    /// The next block, (n, BLOCK), orthonormal and orthogonal to V.
    next: Matrix,
    /// A times the last block of V, (n, BLOCK), until the filter needs the room.
    image: Matrix,
    /// Vᵀ A V, (basis, basis); the upper half counts.
    h: Vec<f64>,
    /// Count sketches of V and A V, one a row.
    sketch: Vec<f32>,
    image_sketch: Vec<f32>,
    /// Estimated lowest eigenvalue.
    low: f64,
    random: RandomColumns,
    n_matvecs: usize,
}

/// Ritz values, descending, vectors in the basis as rows, and estimated residuals (of the wanted ones
/// and the last).
struct Ritz {
    values: Vec<f64>,
    vectors: Matrix,
    residuals: Vec<f64>,
}

impl Ritz {
    /// Coefficients of the Ritz vectors `chosen` as columns, (k, chosen).
    fn columns(&self, chosen: impl Iterator<Item = usize> + Clone) -> Matrix {
        let mut out = Matrix::zeros(self.values.len(), chosen.clone().count());
        for (at, c) in chosen.enumerate() {
            for (row, x) in self.vectors.row(c).iter().enumerate() {
                out.row_mut(row)[at] = *x;
            }
        }
        out
    }
}

impl<'a> Davidson<'a> {
    fn new(n: usize, known: &'a [f32], wanted: Wanted) -> Result<Self> {
        let basis = wanted.basis;
        let mut davidson = Self {
            wanted,
            basis: Basis::new(known, basis),
            next: Matrix::zeros(n, BLOCK),
            image: Matrix::zeros(n, BLOCK),
            h: vec![0.0; basis * basis],
            sketch: Vec::new(),
            image_sketch: Vec::new(),
            low: f64::INFINITY,
            random: RandomColumns::new(wanted.streams),
            n_matvecs: 0,
        };
        davidson.random.fill(&mut davidson.next, [true; BLOCK])?;
        davidson.orthonormalise()?;
        Ok(davidson)
    }

    fn orthonormalise(&mut self) -> Result<()> {
        self.basis.orthonormalise(&mut self.next, &mut self.random)
    }

    /// Appends the next block to the basis, and what A makes of it to projection and sketches.
    fn append(&mut self, a: &CsrMatrix) -> Result<()> {
        a.matmul(self.next.as_slice(), BLOCK, self.image.as_mut_slice())?;
        self.n_matvecs += BLOCK;
        self.sketch.extend(count_sketch(&self.next)?);
        self.image_sketch.extend(count_sketch(&self.image)?);
        self.basis.append(&self.next)?;
        // Columns of h that belong to the block.
        let products = self.basis.inner(&self.image)?;
        let (basis, first) = (self.wanted.basis, self.basis.used() - BLOCK);
        for (row, products) in products.chunks_exact(BLOCK).enumerate() {
            self.h[row * basis + first..][..BLOCK].copy_from_slice(products);
        }
        Ok(())
    }

    /// T_0 and T_1 times the last block, of which the image is known, into next and image.
    fn start_from_last(&mut self, filter: ChebyshevFilter) -> Result<()> {
        self.basis.copy_last(&mut self.next)?;
        let (terms, last) = (filter.terms(1.0, 0.0), self.next.as_slice());
        fill_blocks(self.image.as_mut_slice(), BLOCK, ROWS, |first, rows| {
            for (ax, x) in rows.iter_mut().zip(&last[first * BLOCK..]) {
                *ax = terms.scale * *ax + terms.shift * x;
            }
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
        filter: ChebyshevFilter,
        ritz: &Ritz,
        aim: f64,
    ) -> Result<()> {
        let count = self.wanted.count;
        let bad = (0..count).filter(|&c| ritz.residuals[c] > aim);
        let turn = ritz.columns(bad.chain(count..).take(BLOCK));
        self.basis.combine(&turn, &mut self.next)?;
        let (x, out) = (self.next.as_slice(), self.image.as_mut_slice());
        a.recur(x, BLOCK, filter.terms(1.0, 0.0), out)?;
        self.n_matvecs += BLOCK;
        Ok(())
    }

    fn rayleigh_ritz(&self) -> Result<Ritz> {
        let (k, basis, count) = (self.basis.used(), self.wanted.basis, self.wanted.count);
        let entry = |e: usize| self.h[(e / k).min(e % k) * basis + (e / k).max(e % k)];
        let h: Vec<f64> = (0..k * k).map(entry).collect();
        let (ascending, u) = symmetric_eigen(&h, k)?;
        let values: Vec<f64> = ascending.into_iter().rev().collect();
        let mut vectors = Matrix::zeros(k, k);
        for c in 0..k {
            let row = vectors.row_mut(c).iter_mut().enumerate();
            row.for_each(|(j, x)| *x = u[j * k + k - 1 - c] as f32);
        }
        let mut residuals = vec![f64::INFINITY; k];
        let measured: Vec<usize> = (0..count).chain([k - 1]).collect();
        let ids: Vec<u32> = measured.iter().map(|&c| c as u32).collect();
        let turn = vectors.view().gather(&ids);
        let v = combined(turn.view(), &self.sketch)?;
        let av = combined(turn.view(), &self.image_sketch)?;
        for (at, &c) in measured.iter().enumerate() {
            let pairs = v.row(at).iter().zip(av.row(at));
            let gaps = pairs.map(|(v, av)| f64::from(*av) - values[c] * f64::from(*v));
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
    fn filter(&mut self, ritz: &Ritz, sees_low: bool) -> ChebyshevFilter {
        let (count, lowest) = (self.wanted.count, ritz.values.len() - 1);
        if sees_low {
            // An eigenvalue lies that near to the lowest Ritz value (Zhou & Li 2011).
            let bound = ritz.values[lowest] - ritz.residuals[lowest];
            self.low = self.low.min(bound);
        }
        // Ritz values approach the eigenvalues from below: early cuts are low, which is safe.
        let gap_end = ritz.values[count + BLOCK / 2 - 1];
        ChebyshevFilter::new(self.low, gap_end, ritz.values[count - 1])
    }

    /// Keeps the best Ritz vectors, whole blocks of them; `next` stays.
    fn restart(&mut self, ritz: &Ritz) -> Result<()> {
        let (k, basis, count) = (self.basis.used(), self.wanted.basis, self.wanted.count);
        let keep = (count + (k - count) / 3)
            .next_multiple_of(BLOCK)
            .min(k - BLOCK);
        self.basis.rotate(&ritz.columns(0..keep))?;
        for c in 0..keep {
            for row in 0..=c {
                self.h[row * basis + c] = if row == c { ritz.values[c] } else { 0.0 };
            }
        }
        let turn = ritz.vectors.view().rows_range(0..keep);
        for sketch in [&mut self.sketch, &mut self.image_sketch] {
            *sketch = combined(turn, sketch)?.as_slice().to_vec();
        }
        Ok(())
    }

    /// The wanted Ritz pairs and their largest residual.
    fn pairs(&mut self, a: &CsrMatrix, ritz: &Ritz) -> Result<Eigenpairs> {
        let count = self.wanted.count;
        let vectors = self.basis.combinations(&ritz.columns(0..count))?;
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
/// ```
/// use fast_select_core::arrays::matrix::Matrix;
/// use fast_select_core::numeric::sparse::CsrMatrix;
/// use fast_select_core::spectral::davidson::residual;
///
/// // One edge swaps the entries of a vector: (1, 1) has value 1; of (1, 0) it makes (0, 1).
/// let edge = CsrMatrix { indptr: vec![0, 1, 2], indices: vec![1, 0], data: vec![1.0; 2] };
/// let of = |vector: Vec<f32>| residual(&edge, &[1.0], &Matrix::from_vec(vector, 2, 1)?);
/// assert_eq!(of(vec![1.0, 1.0])?, 0.0);
/// assert!((of(vec![1.0, 0.0])? - 2.0_f64.sqrt()).abs() < 1e-12);
/// # Ok::<(), fast_select_core::Error>(())
/// ```
///
/// # Errors
/// [`Error::Refused`] for vectors of another number of rows.
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
