//! An orthonormal basis that grows by blocks of 16 vectors and shrinks by rotation.
//!
//! In memory, some hundred rows of all vectors lie together, block after block: a pass over the basis
//! reads contiguous pieces, and a rotation happens in place. Storage is f32, sums over chunks of rows
//! are f64.

use std::ops::Range;

use rand::Rng;

use crate::arrays::Aligned;
use crate::arrays::matrix::{Matrix, MatrixView};
use crate::kernels::product::matmul_nn;
use crate::kernels::thin::{WIDTH, add_inner, add_product};
use crate::numeric::factorise::symmetric_eigen;
use crate::run::error::Result;
use crate::run::parallel::{fill_and_sum_blocks, fill_blocks, sum_blocks};
use crate::run::rng::{Purpose, Streams};

/// Vectors of a block: rows of one cache line, so that a sparse product takes little longer than with
/// half as many.
pub const BLOCK: usize = WIDTH;
/// Rows of a chunk.
const ROWS: usize = 512;
/// Share of its length below which a direction counts as spanned already.
const RANK_TOL: f64 = 1e-5;
/// Share of its length that a direction must keep for one projection to do. What is left of the
/// basis in it grows by the inverse, from block to block: at 0.03, blocks that keep 0.05 took the
/// error of f32 to 2e-3 in four, and Ritz values above 1.
const ONE_PASS: f64 = 0.5;

/// Orthonormal vectors, orthogonal to a known one.
pub struct Basis<'a> {
    /// The known unit vector, (n,).
    known: &'a [f32],
    /// Vectors that there is room for.
    room: usize,
    /// Vectors, k.
    used: usize,
    /// Chunk by chunk, and block by block within one: (rows, BLOCK) each.
    v: Aligned,
}

/// Where random vectors come from.
#[derive(Debug)]
pub struct RandomColumns {
    streams: Streams,
    draws: usize,
}

impl<'a> Basis<'a> {
    /// No vectors yet, with room for whole blocks of up to `room`, orthogonal to `known`, (n,).
    pub fn new(known: &'a [f32], room: usize) -> Self {
        let room = room / BLOCK * BLOCK;
        Self {
            known,
            room,
            used: 0,
            v: Aligned::zeros(known.len() * room),
        }
    }

    /// Vectors, k.
    pub fn used(&self) -> usize {
        self.used
    }

    /// Rows `rows`, a chunk, of each block.
    fn parts(&self, rows: Range<usize>) -> impl Iterator<Item = Result<MatrixView<'_>>> {
        let chunk = &self.v[rows.start * self.room..rows.end * self.room];
        let parts = chunk.chunks_exact(rows.len() * BLOCK);
        parts
            .take(self.used / BLOCK)
            .map(move |part| MatrixView::new(part, rows.len(), BLOCK))
    }

    /// Appends the columns of `block`, (n, BLOCK), which has been orthonormalised.
    ///
    /// # Errors
    /// None but what the threads pass on; so in the other methods.
    pub fn append(&mut self, block: &Matrix) -> Result<()> {
        let (room, used) = (self.room, self.used);
        fill_blocks(&mut self.v, room, ROWS, |first, chunk| {
            let rows = chunk.len() / room;
            let part = &block.as_slice()[first * BLOCK..][..rows * BLOCK];
            chunk[rows * used..][..part.len()].copy_from_slice(part);
            Ok(())
        })?;
        self.used += BLOCK;
        Ok(())
    }

    /// The last block into `out`, (n, BLOCK).
    pub fn copy_last(&self, out: &mut Matrix) -> Result<()> {
        fill_blocks(out.as_mut_slice(), BLOCK, ROWS, |first, out| {
            let rows = out.len() / BLOCK;
            let chunk = &self.v[first * self.room..][..rows * self.room];
            out.copy_from_slice(&chunk[rows * (self.used - BLOCK)..][..out.len()]);
            Ok(())
        })
    }

    /// `Vᵀ w`, (k, BLOCK), of `w`, (n, BLOCK). O(n k).
    pub fn inner(&self, w: &Matrix) -> Result<Vec<f64>> {
        let mut products = self.inner_with_known(w)?;
        Ok(products.split_off(BLOCK))
    }

    /// `[known V]ᵀ w`, (1 + k, BLOCK).
    fn inner_with_known(&self, w: &Matrix) -> Result<Vec<f64>> {
        let len = (1 + self.used) * BLOCK;
        sum_blocks(w.rows(), ROWS, len, |rows, sum| {
            let w = &w.as_slice()[rows.start * BLOCK..rows.end * BLOCK];
            let (by_known, by_basis) = sum.split_at_mut(BLOCK);
            add_inner_f64(self.known_part(rows.clone())?, w, by_known);
            let sums = by_basis.chunks_exact_mut(BLOCK * BLOCK);
            for (part, sum) in self.parts(rows).zip(sums) {
                add_inner_f64(part?, w, sum);
            }
            Ok(())
        })
    }

    /// Rows `rows` of the known vector, (rows, 1).
    fn known_part(&self, rows: Range<usize>) -> Result<MatrixView<'_>> {
        let len = rows.len();
        MatrixView::new(&self.known[rows], len, 1)
    }

    /// `V turn` into `out`, (n, BLOCK), for `turn`, (k, BLOCK). O(n k).
    pub fn combine(&self, turn: &Matrix, out: &mut Matrix) -> Result<()> {
        fill_blocks(out.as_mut_slice(), BLOCK, ROWS, |first, out| {
            out.fill(0.0);
            let parts = self.parts(first..first + out.len() / BLOCK);
            let tiles = turn.as_slice().chunks_exact(BLOCK * BLOCK);
            for (part, tile) in parts.zip(tiles) {
                add_product(part?, tile, out);
            }
            Ok(())
        })
    }

    /// `V turn`, (n, count), for `turn`, (k, count). O(n k count).
    pub fn combinations(&self, turn: &Matrix) -> Result<Matrix> {
        let count = turn.cols();
        let mut out = Matrix::zeros(self.known.len(), count);
        fill_blocks(out.as_mut_slice(), count, ROWS, |first, out| {
            let parts = self.parts(first..first + out.len() / count);
            for (b, part) in parts.enumerate() {
                let turn = turn.view().rows_range(b * BLOCK..(b + 1) * BLOCK);
                matmul_nn(out, part?, turn, true);
            }
            Ok(())
        })?;
        Ok(out)
    }

    /// `V <- V turn` for `turn`, (k, count), with orthonormal columns, whole blocks of them.
    /// O(n k count).
    pub fn rotate(&mut self, turn: &Matrix) -> Result<()> {
        let (room, blocks) = (self.room, self.used / BLOCK);
        let tiles = tiles(turn);
        fill_blocks(&mut self.v, room, ROWS, |_, chunk| {
            let rows = chunk.len() / room;
            let mut turned = vec![0.0; rows * turn.cols()];
            for (out, tiles) in turned
                .chunks_exact_mut(rows * BLOCK)
                .zip(tiles.chunks_exact(blocks))
            {
                for (part, tile) in chunk.chunks_exact(rows * BLOCK).zip(tiles) {
                    add_product(MatrixView::new(part, rows, BLOCK)?, tile, out);
                }
            }
            chunk[..turned.len()].copy_from_slice(&turned);
            Ok(())
        })?;
        self.used = turn.cols();
        Ok(())
    }

    /// Makes the columns of `block`, (n, BLOCK), orthonormal and orthogonal to the basis.
    ///
    /// Directions that the basis spans already are replaced by random ones. O(n k).
    pub fn orthonormalise(&self, block: &mut Matrix, random: &mut RandomColumns) -> Result<()> {
        let (mut scale, mut fresh) = (0.0, false);
        for pass in 0..4 {
            let (taken, gram) = self.project_out(block)?;
            if pass == 0 {
                // By Pythagoras, the longest column as it came.
                let length = |c: usize| taken[c] + gram[c * BLOCK + c];
                scale = (0..BLOCK).map(length).fold(0.0, f64::max).sqrt();
            }
            // SVQB (Stathopoulos & Wu 2002): G = U S Uᵀ, block <- block U S^-1/2.
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
            turn_block(block, &turn)?;
            let some_lost = lost.contains(&true);
            let enough = if pass == 0 {
                values[0].max(0.0).sqrt() > ONE_PASS * scale
            } else {
                pass > usize::from(fresh)
            };
            if some_lost {
                random.fill(block, lost)?;
            } else if enough {
                break;
            }
            fresh |= some_lost;
        }
        Ok(())
    }

    /// Subtracts from `block` its part in the basis and along the known vector; returns the squared
    /// length of that part of each column, (BLOCK,), and then blockᵀ block, (BLOCK, BLOCK).
    fn project_out(&self, block: &mut Matrix) -> Result<([f64; BLOCK], Vec<f64>)> {
        let products = self.inner_with_known(block)?;
        let mut taken = [0.0; BLOCK];
        for row in products.chunks_exact(BLOCK) {
            taken.iter_mut().zip(row).for_each(|(t, x)| *t += x * x);
        }
        let minus: Vec<f32> = products.into_iter().map(|x| -x as f32).collect();
        let (by_known, by_basis) = minus.split_at(BLOCK);
        let block = block.as_mut_slice();
        let gram = fill_and_sum_blocks(block, BLOCK, ROWS, BLOCK * BLOCK, |first, rows, gram| {
            let at = first..first + rows.len() / BLOCK;
            add_product(self.known_part(at.clone())?, by_known, rows);
            let tiles = by_basis.chunks_exact(BLOCK * BLOCK);
            for (part, tile) in self.parts(at.clone()).zip(tiles) {
                add_product(part?, tile, rows);
            }
            add_inner_f64(MatrixView::new(rows, at.len(), BLOCK)?, rows, gram);
            Ok(())
        })?;
        Ok((taken, gram))
    }
}

impl RandomColumns {
    /// A source of its own for each seed and group.
    pub fn new(streams: Streams) -> Self {
        Self { streams, draws: 0 }
    }

    /// Draws those columns of `block`, (n, BLOCK), that are `lost`: uniform, of length near 1.
    ///
    /// # Errors
    /// None: the tasks cannot fail.
    pub fn fill(&mut self, block: &mut Matrix, lost: [bool; BLOCK]) -> Result<()> {
        let (n, first_stream) = (block.rows(), self.draws);
        self.draws += n.div_ceil(ROWS);
        let scale = (3.0 / n as f32).sqrt();
        fill_blocks(block.as_mut_slice(), BLOCK, ROWS, |first, rows| {
            let at = first_stream + first / ROWS;
            let mut rng = self.streams.stream(Purpose::Eigenvectors, at);
            for row in rows.chunks_exact_mut(BLOCK) {
                for (x, _) in row.iter_mut().zip(lost).filter(|(_, lost)| *lost) {
                    *x = rng.random_range(-scale..scale);
                }
            }
            Ok(())
        })
    }
}

/// block <- block turn, for `turn`, (BLOCK, BLOCK).
fn turn_block(block: &mut Matrix, turn: &[f32]) -> Result<()> {
    fill_blocks(block.as_mut_slice(), BLOCK, ROWS, |_, rows| {
        let old = rows.to_vec();
        rows.fill(0.0);
        add_product(MatrixView::new(&old, old.len() / BLOCK, BLOCK)?, turn, rows);
        Ok(())
    })
}

/// The (BLOCK, BLOCK) tiles of `turn`, down the columns.
fn tiles(turn: &Matrix) -> Vec<[f32; BLOCK * BLOCK]> {
    let mut tiles = Vec::new();
    for to in (0..turn.cols()).step_by(BLOCK) {
        for from in (0..turn.rows()).step_by(BLOCK) {
            let entry = |e: usize| turn.row(from + e / BLOCK)[to + e % BLOCK];
            tiles.push(std::array::from_fn(entry));
        }
    }
    tiles
}

/// sum += vᵀ w.
fn add_inner_f64(v: MatrixView<'_>, w: &[f32], sum: &mut [f64]) {
    let mut part = vec![0.0; sum.len()];
    add_inner(v, w, &mut part);
    sum.iter_mut()
        .zip(part)
        .for_each(|(s, x)| *s += f64::from(x));
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vectors as columns.
    fn columns(basis: &Basis<'_>) -> Matrix {
        let mut identity = Matrix::zeros(basis.used(), basis.used());
        (0..basis.used()).for_each(|c| identity.row_mut(c)[c] = 1.0);
        basis.combinations(&identity).unwrap()
    }

    /// Largest entry of `[V known]ᵀ V - I`.
    fn largest_error(v: &Matrix, known: &[f32]) -> f64 {
        let rows = 0..v.rows();
        let dot = |a: usize, b: usize| -> f64 {
            let products = rows
                .clone()
                .map(|i| f64::from(v.row(i)[a]) * f64::from(v.row(i)[b]));
            products.sum()
        };
        let mut worst = 0.0_f64;
        for a in 0..v.cols() {
            for b in 0..=a {
                worst = worst.max((dot(a, b) - f64::from(u8::from(a == b))).abs());
            }
            let products = rows
                .clone()
                .map(|i| f64::from(v.row(i)[a]) * f64::from(known[i]));
            worst = worst.max(products.sum::<f64>().abs());
        }
        worst
    }

    #[test]
    fn nearly_spanned_blocks_do_not_add_up() {
        let n = 1500;
        let known = vec![1.0 / (n as f32).sqrt(); n];
        let mut basis = Basis::new(&known, 9 * BLOCK);
        let mut random = RandomColumns::new(Streams::new(7));
        let mut block = Matrix::zeros(n, BLOCK);
        random.fill(&mut block, [true; BLOCK]).unwrap();
        basis.orthonormalise(&mut block, &mut random).unwrap();
        for _ in 0..8 {
            basis.append(&block).unwrap();
            // The last block, and a little of a new one: what filters make of Ritz vectors.
            let mut new = Matrix::zeros(n, BLOCK);
            random.fill(&mut new, [true; BLOCK]).unwrap();
            for (x, new) in block.as_mut_slice().iter_mut().zip(new.as_slice()) {
                *x += 0.05 * new;
            }
            basis.orthonormalise(&mut block, &mut random).unwrap();
        }
        basis.append(&block).unwrap();
        assert!(largest_error(&columns(&basis), &known) < 1e-5);
    }

    #[test]
    fn stays_orthonormal_through_growth_and_rotation() {
        let n = 1100;
        let known = vec![1.0 / (n as f32).sqrt(); n];
        let mut basis = Basis::new(&known, 4 * BLOCK + 3);
        assert_eq!(basis.room, 4 * BLOCK);
        let mut random = RandomColumns::new(Streams::new(5));
        let mut block = Matrix::zeros(n, BLOCK);
        random.fill(&mut block, [true; BLOCK]).unwrap();
        for step in 0..3 {
            if step == 2 {
                // Half of it is spanned already, and one column is empty.
                basis.copy_last(&mut block).unwrap();
                let half = std::array::from_fn(|c| c < BLOCK / 2);
                random.fill(&mut block, half).unwrap();
                (0..n).for_each(|i| block.row_mut(i)[0] = 0.0);
            }
            basis.orthonormalise(&mut block, &mut random).unwrap();
            basis.append(&block).unwrap();
        }
        let before = columns(&basis);
        assert!(largest_error(&before, &known) < 1e-5);
        // Keeps the last two blocks, their columns in the other order.
        let mut turn = Matrix::zeros(3 * BLOCK, 2 * BLOCK);
        (0..2 * BLOCK).for_each(|c| turn.row_mut(3 * BLOCK - 1 - c)[c] = 1.0);
        basis.rotate(&turn).unwrap();
        let after = columns(&basis);
        for i in 0..n {
            let kept = before.row(i)[BLOCK..].iter().rev();
            assert!(kept.eq(after.row(i)));
        }
        let inner = basis.inner(&block).unwrap();
        for (e, product) in inner.iter().enumerate() {
            let met = e / BLOCK + e % BLOCK == BLOCK - 1;
            assert!((product - f64::from(u8::from(met))).abs() < 1e-5);
        }
    }
}
