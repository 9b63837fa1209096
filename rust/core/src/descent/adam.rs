//! Adam's step (Kingma & Ba 2015).

use crate::run::error::Result;
use crate::run::parallel::fill_blocks;

/// First and second moments of the gradient.
pub struct Adam {
    moments: Vec<(f32, f32)>,
    learning_rate: f64,
    steps: i32,
}

impl Adam {
    /// For `len` entries.
    pub fn new(len: usize, learning_rate: f64) -> Self {
        Self {
            moments: vec![(0.0, 0.0); len],
            learning_rate,
            steps: 0,
        }
    }

    /// Kingma & Ba's Algorithm 1 with β = (0.9, 0.99): a descent of some 200 steps has no time for
    /// the usual 0.999.
    ///
    /// `y -= share learning_rate m / √v`; y, grad: (len,).
    ///
    /// # Errors
    /// None: the tasks cannot fail.
    pub fn step(&mut self, y: &mut [f32], grad: &[f32], share: f64) -> Result<()> {
        const BETA: (f32, f32) = (0.9, 0.99);
        self.steps += 1;
        let correct = |beta: f32| 1.0 - f64::from(beta).powi(self.steps);
        let rate = (share * self.learning_rate / correct(BETA.0)) as f32;
        let inv_second = (1.0 / correct(BETA.1)) as f32;
        fill_blocks(&mut self.moments, 1, 1 << 14, |first, moments| {
            for (state, g) in moments.iter_mut().zip(&grad[first..]) {
                state.0 += (1.0 - BETA.0) * (g - state.0);
                state.1 += (1.0 - BETA.1) * (g * g - state.1);
            }
            Ok(())
        })?;
        let moments = &self.moments;
        fill_blocks(y, 1, 1 << 14, |first, y| {
            for (y, (first, second)) in y.iter_mut().zip(&moments[first..]) {
                // Far below any gradient that matters, so that scale drops out.
                *y -= rate * first / ((second * inv_second).sqrt() + 1e-12);
            }
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_adam_step_has_the_size_of_the_learning_rate() {
        let mut adam = Adam::new(3, 0.1);
        let mut y = [1.0, 1.0, 1.0];
        adam.step(&mut y, &[5.0, -1e-6, 0.0], 1.0).unwrap();
        for (got, expected) in y.iter().zip([0.9, 1.1, 1.0]) {
            assert!((got - expected).abs() < 1e-5);
        }
    }
}
