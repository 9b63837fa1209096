//! The pull of the whole on the picks of a block.

use crate::arrays::matrix::Matrix;
use crate::exchange::residual::Pull;
use crate::kernels::product::dot;
use crate::run::error::Result;
use crate::run::parallel::fill_blocks;

/// Rows whose features a task forms.
const ROWS: usize = 32;

/// A pull, and the features of the picks.
pub struct Pulled<'a> {
    pull: Pull<'a>,
    /// Features of the picks by slot, (m, 2 q).
    features: Matrix,
    /// Their products with the slope as it was when a batch began, (m,); of those that came later, when they came.
    along: Vec<f32>,
    /// Whether the slope has changed since.
    is_stale: bool,
    /// Room for the features of a batch: fresh memory costs as much as they do.
    of_batch: Matrix,
}

impl<'a> Pulled<'a> {
    /// On `picked`, (m,). O(m q p).
    pub fn new(pull: Pull<'a>, picked: &[u32]) -> Self {
        let mut features = Matrix::zeros(picked.len(), pull.features.width());
        pull.features_of(picked, features.as_mut_slice());
        Self {
            along: vec![0.0; picked.len()],
            is_stale: true,
            of_batch: Matrix::zeros(0, 0),
            pull,
            features,
        }
    }

    /// Features of the rows of a batch, the first of (b, 2 q) or more, before which all products are brought up to date; they are given
    /// back with [`end`](Self::end). O(b q p + m q).
    ///
    /// # Errors
    /// None: the tasks cannot fail.
    pub fn begin(&mut self, batch: &[u32]) -> Result<Matrix> {
        let (slope, features) = (&self.pull.slope, &self.features);
        if std::mem::take(&mut self.is_stale) {
            fill_blocks(&mut self.along, 1, ROWS, |first, along| {
                let products = along.iter_mut().enumerate();
                products.for_each(|(i, along)| *along = dot(features.row(first + i), slope));
                Ok(())
            })?;
        }
        let (pull, width) = (&self.pull, features.cols());
        let mut of_batch = std::mem::take(&mut self.of_batch);
        if of_batch.rows() < batch.len() {
            of_batch = Matrix::zeros(batch.len(), width);
        }
        let entries = &mut of_batch.as_mut_slice()[..batch.len() * width];
        fill_blocks(entries, width, ROWS, |first, out| {
            let rows = &batch[first..first + out.len() / width];
            pull.features_of(rows, out);
            Ok(())
        })?;
        Ok(of_batch)
    }

    /// Takes back what [`begin`](Self::begin) gave, for the next batch.
    pub fn end(&mut self, of_batch: Matrix) {
        self.of_batch = of_batch;
    }

    /// What a row of features `feature` adds to the pull as it enters for one that has nothing in common with it. O(q).
    pub fn enter(&self, feature: &[f32]) -> f64 {
        // |ψ - ψ'|^2 = 2 q.
        2.0 * f64::from(dot(feature, &self.pull.slope)) + self.pull.weight * feature.len() as f64
    }

    /// What the pick of a slot takes from the pull as it leaves, as it was when the batch began.
    pub fn leave(&self, slot: usize) -> f64 {
        -2.0 * f64::from(self.along[slot])
    }

    /// How the pull changes as `feature` takes a slot. O(q).
    pub fn change(&self, feature: &[f32], slot: usize) -> f64 {
        self.pull.change(feature, self.features.row(slot))
    }

    /// Takes in `feature` for the pick of a slot. O(q).
    pub fn take(&mut self, feature: &[f32], slot: usize) {
        self.pull.take(feature, self.features.row(slot));
        self.features.row_mut(slot).copy_from_slice(feature);
        self.along[slot] = dot(feature, &self.pull.slope);
        self.is_stale = true;
    }
}
