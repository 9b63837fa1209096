//! The descent (FAST's own method): anchors Y, (m, p), moved until their distribution is the whole's.
//!
//! `L = √m L_main + λ_div L_div/m + λ_match L_match + λ_graph L_graph` (Cui et al. 2025, Eq. 12), by Adam
//! (Kingma & Ba 2015). L_main is the mean PD-CFD over a batch of frequencies that PDAS draws.
//! The factor √m is ours: a random pick's CF error is 1/√m, so with it the pull of L_main on an
//! anchor, and with that the meaning of every λ, does not depend on m.
//!
//! | file | what it is for | source | cost |
//! |---|---|---|---|
//! | [`matching_space`] | U, (n, p): the rows in which anchors move | | O(n p) |
//! | [`frequency`] | the library of frequencies, in three bands | Eq. 13 | O(q p) |
//! | [`cfd`] | characteristic functions and the phase-decoupled distance | Eq. 6 to 11 | O(m q p) |
//! | [`pdas`] | which frequencies a step looks at | Eq. 14 | O(q p) |
//! | [`diversity`] | what keeps anchors apart | Sec. 3 | O(m r p) |
//! | [`losses`] | what ties them to rows and to the graph | Eq. 3, 5 | O(m k p) |
//! | `adam` | the step | Kingma & Ba 2015 | O(m p) |

mod adam;
pub mod cfd;
pub mod diversity;
pub mod frequency;
pub mod losses;
pub mod matching_space;
pub mod pdas;

use rand_chacha::ChaCha8Rng;

use crate::arrays::matrix::{Matrix, MatrixView};
use crate::descent::adam::Adam;
use crate::descent::cfd::{
    Batch, CharacteristicFunction, characteristic_function, pd_cfd_gradient, phase_weight,
};
use crate::descent::diversity::Diversity;
use crate::descent::frequency::FrequencyLibrary;
use crate::descent::losses::{graph_loss, match_loss};
use crate::descent::pdas::{draw_batch, radius_limit};
use crate::matching::Matcher;
use crate::options::{Params, Schedule, ValidParams};
use crate::run::error::{Error, Result};
use crate::run::monitor::Monitor;
use crate::run::rng::{Purpose, Streams};

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
pub struct Descended {
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
/// ```
/// use fast_select_core::arrays::matrix::Matrix;
/// use fast_select_core::descent::cfd::characteristic_function;
/// use fast_select_core::descent::frequency::{frequency_library, isotropic};
/// use fast_select_core::descent::{Target, descend};
/// use fast_select_core::matching::Matcher;
/// use fast_select_core::options::ValidParams;
/// use fast_select_core::run::monitor::Monitor;
/// use fast_select_core::run::rng::{Purpose, Streams};
///
/// // Of four points on a line the left two: to stand for all, their mean has to go to 3/4.
/// let x = Matrix::from_vec(vec![0.0, 0.5, 1.0, 1.5], 4, 1)?;
/// let (y, streams, monitor) = (x.view().gather(&[0, 1]), Streams::new(0), Monitor::default());
/// let library = frequency_library(x.view(), y.view(), 48, streams, &monitor)?;
/// let mut rng = streams.stream(Purpose::HeldOut, 0);
/// let held_out = isotropic(16, 1, (0.25, 3.0), &mut rng).freqs;
/// let target = Target {
///     reference: characteristic_function(x.view(), library.freqs.view(), |_| Ok(()))?,
///     held_out_reference: characteristic_function(x.view(), held_out.view(), |_| Ok(()))?,
///     library,
///     held_out,
/// };
/// let mut matcher = Matcher::new(x.view(), None, &[0, 1])?;
/// let moved = descend(y, &mut matcher, &target, &ValidParams::default(), streams, &monitor)?;
/// assert!(moved.held_out.1 < moved.held_out.0 / 100.0);
/// assert!((moved.y.as_slice().iter().sum::<f32>() / 2.0 - 0.75).abs() < 0.01);
/// # Ok::<(), fast_select_core::Error>(())
/// ```
///
/// # Errors
/// [`Error::Refused`] for a learning rate with which the descent diverges; [`Error::Interrupted`].
pub fn descend(
    mut y: Matrix,
    matcher: &mut Matcher<'_>,
    target: &Target,
    params: &ValidParams,
    streams: Streams,
    monitor: &Monitor,
) -> Result<Descended> {
    let m = y.rows();
    let mut held_out = HeldOut::new(target, y.view(), monitor)?;
    let mut batches = Batches::new(target, params, streams);
    let mut slope = Slope::new(params, &y, streams);
    let mut adam = Adam::new(y.as_slice().len(), params.learning_rate);
    let progress = monitor.in_parts(m, params.max_steps);
    let (mut done, mut stop) = (0, Stop::MaxSteps);
    while done < params.max_steps {
        let step = done;
        if step.is_multiple_of(REFRESH_EVERY) {
            batches.refresh(y.view(), step, monitor)?;
        }
        let drawn = batches.draw();
        slope.at(y.view(), matcher, &drawn, step)?;
        let share = 1.0 - step as f64 / params.max_steps as f64;
        adam.step(y.as_mut_slice(), &slope.grad, share)?;
        done += 1;
        progress.advance()?;
        let ties = params.lambda_match + params.lambda_graph;
        if done.is_multiple_of(MATCH_EVERY) && ties > 0.0 {
            matcher.update(y.view(), monitor)?;
        }
        if done.is_multiple_of(HELD_OUT_EVERY) {
            let stale = held_out.look(y.view(), monitor)?;
            if stale && batches.has_all(step) && done < params.max_steps {
                stop = Stop::NoProgress;
                break;
            }
        }
    }
    if !done.is_multiple_of(HELD_OUT_EVERY) {
        held_out.look(y.view(), monitor)?;
    }
    progress.finish()?;
    Ok(Descended {
        y,
        steps: done,
        stop,
        held_out: (held_out.start, held_out.last),
    })
}

/// m times the CF distance at frequencies that no step sees: whether it still falls.
struct HeldOut<'a> {
    target: &'a Target,
    start: f64,
    last: f64,
    best: f64,
    /// Looks since it last fell.
    stale: usize,
}

impl<'a> HeldOut<'a> {
    fn new(target: &'a Target, y: MatrixView<'_>, monitor: &Monitor) -> Result<Self> {
        let start = held_out_distance(target, y, monitor)?;
        Ok(Self {
            target,
            start,
            last: start,
            best: f64::INFINITY,
            stale: 0,
        })
    }

    /// Measures the distance; whether it has not fallen for long.
    fn look(&mut self, y: MatrixView<'_>, monitor: &Monitor) -> Result<bool> {
        self.last = held_out_distance(self.target, y, monitor)?;
        let fell = self.last < self.best * (1.0 - MIN_GAIN);
        self.stale = if fell { 0 } else { self.stale + 1 };
        self.best = self.best.min(self.last);
        Ok(self.stale >= PATIENCE)
    }
}

fn held_out_distance(target: &Target, y: MatrixView<'_>, monitor: &Monitor) -> Result<f64> {
    let cf = characteristic_function(y, target.held_out.view(), |_| monitor.check())?;
    Ok(y.rows() as f64 * cf.distance(&target.held_out_reference))
}

/// The frequencies that take part, and batches of them.
struct Batches<'a> {
    target: &'a Target,
    params: &'a Params,
    rng: ChaCha8Rng,
    allowed: Vec<u32>,
    /// L_CF at each of them as it was at the last refresh.
    discrepancy: Vec<f64>,
}

/// Frequencies of a step, φ_X at them and the weights of their phase terms.
struct Drawn {
    freqs: Matrix,
    reference: CharacteristicFunction,
    phase_weights: Vec<f64>,
}

impl<'a> Batches<'a> {
    fn new(target: &'a Target, params: &'a Params, streams: Streams) -> Self {
        Self {
            target,
            params,
            rng: streams.stream(Purpose::Batches, 0),
            allowed: Vec::new(),
            discrepancy: Vec::new(),
        }
    }

    fn limit(&self, step: usize) -> f32 {
        radius_limit(self.params.schedule, step, self.params.max_steps)
    }

    /// Whether the whole library takes part in step `step`.
    fn has_all(&self, step: usize) -> bool {
        self.limit(step) == radius_limit(Schedule::All, 0, 1)
    }

    /// Looks at all discrepancies of the anchors `y` anew.
    fn refresh(&mut self, y: MatrixView<'_>, step: usize, monitor: &Monitor) -> Result<()> {
        let (library, limit) = (&self.target.library, self.limit(step));
        self.allowed = (0..library.radii.len() as u32)
            .filter(|&k| library.radii[k as usize] <= limit)
            .collect();
        let freqs = library.freqs.view().gather(&self.allowed);
        let cf = characteristic_function(y, freqs.view(), |_| monitor.check())?;
        let reference = self.target.reference.gather(&self.allowed);
        self.discrepancy = cf.squared_differences(&reference).collect();
        Ok(())
    }

    fn draw(&mut self) -> Drawn {
        let (library, size) = (&self.target.library, self.params.batch_size);
        let index = draw_batch(
            library,
            &self.allowed,
            &self.discrepancy,
            size,
            &mut self.rng,
        );
        let radii = index.iter().map(|&k| f64::from(library.radii[k as usize]));
        Drawn {
            freqs: library.freqs.view().gather(&index),
            reference: self.target.reference.gather(&index),
            phase_weights: radii
                .map(|r| phase_weight(self.params.lambda_phase, r))
                .collect(),
        }
    }
}

/// The gradient of the objective.
struct Slope<'a> {
    params: &'a Params,
    diversity: Diversity,
    phases: Vec<f32>,
    grad: Vec<f32>,
}

impl<'a> Slope<'a> {
    fn new(params: &'a Params, y: &Matrix, streams: Streams) -> Self {
        Self {
            params,
            diversity: Diversity::new(y.cols(), DIVERSITY_LENGTH, DIVERSITY_DELTA, streams),
            phases: Vec::new(),
            grad: vec![0.0; y.as_slice().len()],
        }
    }

    /// Of the anchors `y`, matched by `matcher`, at the frequencies drawn.
    fn at(
        &mut self,
        y: MatrixView<'_>,
        matcher: &Matcher<'_>,
        drawn: &Drawn,
        step: usize,
    ) -> Result<()> {
        let (params, grad, m) = (self.params, &mut self.grad, y.rows() as f64);
        let batch = Batch {
            freqs: drawn.freqs.view(),
            target: &drawn.reference,
            phase_weights: &drawn.phase_weights,
        };
        let loss = pd_cfd_gradient(y, batch, m.sqrt(), &mut self.phases, grad)?;
        if !loss.is_finite() {
            let rate = params.learning_rate;
            let fact = format!("{rate} made the descent diverge at step {step}");
            return Err(Error::refused("learning_rate", fact).fix("Take a smaller one"));
        }
        if params.lambda_div > 0.0 {
            self.diversity.gradient(y, params.lambda_div / m, grad)?;
        }
        if params.lambda_match > 0.0 {
            let (rows, own) = (matcher.rows(), matcher.col_ind());
            match_loss(y, rows, own, params.lambda_match, grad)?;
        }
        if let (true, Some(graph)) = (params.lambda_graph > 0.0, matcher.graph()) {
            graph_loss(
                y,
                graph,
                matcher.degrees(),
                matcher.col_ind(),
                matcher.row_of_col(),
                params.lambda_graph,
                grad,
            )?;
        }
        Ok(())
    }
}
