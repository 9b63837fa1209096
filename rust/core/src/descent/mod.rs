//! Joint optimisation of the anchors Y: gradient descent on the frequency-domain objective.
//!
//! `L = √m L_main + λ_div L_div/m + λ_match L_match + λ_graph L_graph` (Cui et al. 2025, Eq. 12), by Adam
//! (Kingma & Ba 2015). L_main is the mean PD-CFD over a batch of frequencies that PDAS draws.
//! The factor √m is ours: a random pick's CF error is 1/√m, so with it the pull of L_main on an
//! anchor, and with that the meaning of every λ, does not depend on m.

use crate::cfd::{
    Batch, CharacteristicFunction, characteristic_function, pd_cfd_gradient, phase_weight,
};
use crate::diversity::Diversity;
use crate::error::{Error, Result, check_non_negative, check_positive};
use crate::frequency::FrequencyLibrary;
use crate::linalg::{Matrix, MatrixView};
use crate::losses::{graph_loss, match_loss};
use crate::matching::Matcher;
use crate::monitor::Monitor;
use crate::parallel::fill_blocks;
use crate::pdas::{Schedule, draw_batch, radius_limit};
use crate::rng::{Purpose, stream};

/// Steps between two looks at all discrepancies, at the held-out frequencies, and at the rows.
const REFRESH_EVERY: usize = 10;
const HELD_OUT_EVERY: usize = 20;
const MATCH_EVERY: usize = 5;
/// Looks at the held-out distance without a gain of 1 % after which the descent stops.
const PATIENCE: usize = 3;
const MIN_GAIN: f64 = 0.01;
/// Length scale (in median distances) and regulariser of the diversity kernel.
const DIVERSITY_LENGTH: f32 = 0.5;
const DIVERSITY_DELTA: f64 = 1e-2;

/// Parameters of the descent.
#[derive(Debug, Clone, PartialEq)]
pub struct OptimizeOptions {
    /// Frequencies a step.
    pub batch_size: usize,
    /// Steps at most.
    pub max_steps: usize,
    /// Adam's step, in median pairwise distances.
    pub learning_rate: f64,
    /// Weight of the diversity term.
    pub lambda_div: f64,
    /// Weight of the match term.
    pub lambda_match: f64,
    /// Weight of the graph term.
    pub lambda_graph: f64,
    /// Strength λ_p of the phase term.
    pub lambda_phase: f64,
    /// Order in which frequencies take part.
    pub schedule: Schedule,
}

impl Default for OptimizeOptions {
    fn default() -> Self {
        Self {
            batch_size: 256,
            max_steps: 200,
            learning_rate: 0.02,
            lambda_div: 0.001,
            lambda_match: 0.1,
            lambda_graph: 0.01,
            lambda_phase: crate::cfd::LAMBDA_PHASE,
            schedule: Schedule::Progressive,
        }
    }
}

impl OptimizeOptions {
    /// Checks every range.
    ///
    /// # Errors
    /// [`Error::Parameter`] naming the first one outside.
    pub fn check(&self) -> Result<()> {
        if self.batch_size == 0 {
            return Err(Error::parameter("batch_size", 0, "must be 1 or more"));
        }
        check_positive("learning_rate", self.learning_rate)?;
        check_non_negative("lambda_div", self.lambda_div)?;
        check_non_negative("lambda_match", self.lambda_match)?;
        check_non_negative("lambda_graph", self.lambda_graph)?;
        check_non_negative("lambda_phase", self.lambda_phase)
    }
}

/// What the descent is to reach: φ_X at the library's frequencies and at held-out ones.
#[derive(Debug, Clone)]
pub struct Target {
    /// The library.
    pub library: FrequencyLibrary,
    /// φ_X at the library.
    pub reference: CharacteristicFunction,
    /// Frequencies that no step sees.
    pub held_out: Matrix,
    /// φ_X at them.
    pub held_out_reference: CharacteristicFunction,
}

/// Why the descent ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// `max_steps` were done.
    MaxSteps,
    /// The held-out distance no longer fell.
    NoProgress,
}

/// The outcome of a descent.
#[derive(Debug, Clone)]
pub struct Optimized {
    /// Anchors, (m, p).
    pub y: Matrix,
    /// Steps done.
    pub steps: usize,
    /// Why it ended.
    pub stop: Stop,
    /// m times the held-out CF distance, at the start and at the end.
    pub held_out: (f64, f64),
}

/// Moves the anchors `y`, (m, p), which stand on the rows of `matcher`. O(steps m q p).
///
/// `monitor` advances by m.
///
/// # Errors
/// [`Error::Parameter`] for options out of range, or a descent that diverges;
/// [`Error::Interrupted`].
pub fn optimize(
    mut y: Matrix,
    matcher: &mut Matcher<'_>,
    target: &Target,
    options: &OptimizeOptions,
    seed: u64,
    group: usize,
    monitor: &Monitor,
) -> Result<Optimized> {
    options.check()?;
    let (m, p) = (y.rows(), y.cols());
    let held_out = |y: MatrixView<'_>| -> Result<f64> {
        let cf = characteristic_function(y, target.held_out.view(), |_| monitor.check())?;
        Ok(m as f64 * cf.distance(&target.held_out_reference))
    };
    let start = held_out(y.view())?;
    let (mut best, mut last, mut stale) = (f64::INFINITY, start, 0);
    let mut rng = stream(seed, Purpose::Batches, group, 0);
    let diversity = Diversity::new(p, DIVERSITY_LENGTH, DIVERSITY_DELTA, seed, group);
    let mut adam = Adam::new(m * p, options.learning_rate);
    let (mut phases, mut grad) = (Vec::new(), vec![0.0; m * p]);
    let (mut allowed, mut discrepancy) = (Vec::new(), Vec::new());
    let (mut done, mut stop) = (0, Stop::MaxSteps);
    for step in 0..options.max_steps {
        if step % REFRESH_EVERY == 0 {
            let limit = radius_limit(options.schedule, step, options.max_steps);
            allowed = (0..target.library.radii.len() as u32)
                .filter(|&k| target.library.radii[k as usize] <= limit)
                .collect();
            let freqs = target.library.freqs.view().gather(&allowed);
            let cf = characteristic_function(y.view(), freqs.view(), |_| monitor.check())?;
            let reference = target.reference.gather(&allowed);
            discrepancy = cf.squared_differences(&reference).collect();
        }
        let index = draw_batch(
            &target.library,
            &allowed,
            &discrepancy,
            options.batch_size,
            &mut rng,
        );
        let weights: Vec<f64> = index
            .iter()
            .map(|&k| target.library.radii[k as usize])
            .map(|r| phase_weight(options.lambda_phase, f64::from(r)))
            .collect();
        let freqs = target.library.freqs.view().gather(&index);
        let reference = target.reference.gather(&index);
        let batch = Batch {
            freqs: freqs.view(),
            target: &reference,
            phase_weights: &weights,
        };
        let scale = (m as f64).sqrt();
        let loss = pd_cfd_gradient(y.view(), batch, scale, &mut phases, &mut grad)?;
        if !loss.is_finite() {
            return Err(Error::parameter(
                "learning_rate",
                options.learning_rate,
                format!("made the descent diverge at step {step}; take a smaller one"),
            ));
        }
        if options.lambda_div > 0.0 {
            diversity.gradient(y.view(), options.lambda_div / m as f64, &mut grad)?;
        }
        if options.lambda_match > 0.0 {
            match_loss(
                y.view(),
                matcher.rows(),
                matcher.col_ind(),
                options.lambda_match,
                &mut grad,
            )?;
        }
        if let (true, Some(graph)) = (options.lambda_graph > 0.0, matcher.graph()) {
            graph_loss(
                y.view(),
                graph,
                matcher.degrees(),
                matcher.col_ind(),
                matcher.row_of_col(),
                options.lambda_graph,
                &mut grad,
            )?;
        }
        adam.step(
            y.as_mut_slice(),
            &grad,
            1.0 - step as f64 / options.max_steps as f64,
        )?;
        done = step + 1;
        monitor.advance(done * m / options.max_steps - step * m / options.max_steps)?;
        if done % MATCH_EVERY == 0 && options.lambda_match + options.lambda_graph > 0.0 {
            matcher.update(y.view(), monitor)?;
        }
        if done % HELD_OUT_EVERY == 0 {
            last = held_out(y.view())?;
            stale = if last < best * (1.0 - MIN_GAIN) {
                0
            } else {
                stale + 1
            };
            best = best.min(last);
            let ramped = radius_limit(options.schedule, step, options.max_steps)
                == radius_limit(Schedule::All, 0, 1);
            if ramped && stale >= PATIENCE && done < options.max_steps {
                stop = Stop::NoProgress;
                break;
            }
        }
    }
    if done % HELD_OUT_EVERY != 0 {
        last = held_out(y.view())?;
    }
    monitor.advance(m - done * m / options.max_steps.max(1))?;
    Ok(Optimized {
        y,
        steps: done,
        stop,
        held_out: (start, last),
    })
}

/// First and second moments of the gradient.
struct Adam {
    moments: Vec<(f32, f32)>,
    learning_rate: f64,
    steps: i32,
}

impl Adam {
    fn new(len: usize, learning_rate: f64) -> Self {
        Self {
            moments: vec![(0.0, 0.0); len],
            learning_rate,
            steps: 0,
        }
    }

    /// Kingma & Ba's Algorithm 1 with β = (0.9, 0.99): a descent of some 200 steps has no time for
    /// the usual 0.999.
    fn step(&mut self, y: &mut [f32], grad: &[f32], share: f64) -> Result<()> {
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
