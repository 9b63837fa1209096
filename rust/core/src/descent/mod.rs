//! The descent (FAST's own method): anchors Y, (m, p), moved until their distribution is the whole's.
//!
//! `L = √m L_main + λ_div L_div/m + λ_match L_match + λ_graph L_graph` (Cui et al. 2025, Eq. 12), by Adam
//! (Kingma & Ba 2015). L_main is the mean PD-CFD over a batch of frequencies that PDAS draws.
//!
//! Departures, as the paper's descent loses in the assignment what it has gained (measured at 10 %; CF
//! distance of the pick over that of a random one, usps and letter without labels, in features, from random rows):
//!
//! * The factor √m. A random pick's CF error is 1/√m, so with it the pull of L_main on an anchor, and
//!   with that the meaning of every λ, does not depend on m.
//! * The step. All anchors together have to move by about the root D of the CF distance, which shrinks
//!   like 1/√m: a step of one length for all m diverges where m is large (10.7 and 3.0 for steps three
//!   to ten times as long). Its length is `learning_rate D`, less where it has not helped.
//! * Rounds. Steps that fit are shorter than half of the way to the next row, so that nearly every anchor
//!   is assigned to the row that it came from (.80 and .77, no better than the start). So every few steps
//!   anchors are assigned, and go on from their rows; before, `dither` hands their shifts to some of them.
//!   A round whose rows are no nearer at held-out frequencies than those before is undone
//!   (.35 and .13 after 200 steps).
//! * Of the last free steps, which end in the assignment, the best iterate is kept.
//!
//! A match term that grows from step to step, up to 300 times, was tried in a prototype without rounds and with
//! steps one to three times as long: usps in spectral space .86 to .82, letter in features .77 both. Rounds gain more.
//!
//! | file | what it is for | source | cost |
//! |---|---|---|---|
//! | [`matching_space`] | U, (n, p): the rows in which anchors move | | O(n p) |
//! | [`frequency`] | the library of frequencies, in three bands | Eq. 13 | O(q p) |
//! | [`cfd`] | characteristic functions and the phase-decoupled distance | Eq. 6 to 11 | O(m q p) |
//! | [`pdas`] | which frequencies a step looks at | Eq. 14 | O(q p) |
//! | [`diversity`] | what keeps anchors apart | Sec. 3 | O(m r p) |
//! | [`losses`] | what ties them to rows and to the graph | Eq. 3, 5 | O(m k p) |
//! | `dither` | which anchors try for another row | | O(m k p) |
//! | `adam` | the step | Kingma & Ba 2015 | O(m p) |

mod adam;
pub mod cfd;
mod dither;
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
use crate::descent::dither::{dither, reach};
use crate::descent::diversity::Diversity;
use crate::descent::frequency::FrequencyLibrary;
use crate::descent::losses::{graph_loss, match_loss};
use crate::descent::pdas::{draw_batch, radius_limit};
use crate::matching::Matcher;
use crate::options::{Params, Schedule, ValidParams};
use crate::run::error::{Error, Result};
use crate::run::monitor::{Monitor, Parts};
use crate::run::rng::{Purpose, Streams};

/// Steps between two looks at all discrepancies.
const REFRESH_EVERY: usize = 10;
/// Steps of a round, and of the free descent between two looks at the held-out frequencies.
const ROUND: usize = 5;
/// One in so many steps is left for the free descent.
const FREE_SHARE: usize = 10;
/// Rounds without a gain of 1 % after which the descent stops.
const PATIENCE: usize = 10;
const MIN_GAIN: f64 = 0.01;
/// What becomes of the step's length after a round that helped, and after one that did not.
const LONGER: f64 = 1.1;
const SHORTER: f64 = 0.9;
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

impl Target {
    /// m times the CF distance of `y`, (m, p), at the held-out frequencies. O(m q p).
    ///
    /// # Errors
    /// [`Error::Refused`] for other columns; [`Error::Interrupted`].
    pub fn held_out_distance(&self, y: MatrixView<'_>, monitor: &Monitor) -> Result<f64> {
        let cf = characteristic_function(y, self.held_out.view(), |_| monitor.check())?;
        Ok(y.rows() as f64 * cf.distance(&self.held_out_reference))
    }
}

/// Why the descent ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// `max_steps` were done.
    MaxSteps,
    /// The held-out distance of the rows no longer fell.
    NoProgress,
}

/// The outcome of a descent.
#[derive(Debug, Clone)]
pub struct Descended {
    /// Anchors after the free steps, (m, p).
    pub y: Matrix,
    /// Steps done.
    pub steps: usize,
    /// Why it ended.
    pub stop: Stop,
    /// m times the held-out CF distance of the anchors, at the start and at the end: no farther.
    pub held_out: (f64, f64),
    /// The same of the rows that they are assigned to: between the two.
    pub held_out_rows: f64,
}

/// Moves anchors from the rows that `matcher` has assigned to them, and leaves it with the nearest to the
/// whole that were found. O(steps m q p).
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
/// // Of forty points on a line the left ten: to stand for all, they have to spread to the right.
/// let x = Matrix::from_vec((0..40).map(|i| i as f32 / 20.0).collect(), 40, 1)?;
/// let start: Vec<u32> = (0..10).collect();
/// let (y, streams, monitor) = (x.view().gather(&start), Streams::new(0), Monitor::default());
/// let library = frequency_library(x.view(), y.view(), 48, streams, &monitor)?;
/// let mut rng = streams.stream(Purpose::HeldOut, 0);
/// let held_out = isotropic(16, 1, (0.25, 3.0), &mut rng).freqs;
/// let target = Target {
///     reference: characteristic_function(x.view(), library.freqs.view(), |_| Ok(()))?,
///     held_out_reference: characteristic_function(x.view(), held_out.view(), |_| Ok(()))?,
///     library,
///     held_out,
/// };
/// let mut matcher = Matcher::new(x.view(), None, &start)?;
/// let moved = descend(&mut matcher, &target, &ValidParams::default(), streams, &monitor)?;
/// assert!(moved.held_out_rows < moved.held_out.0 / 100.0);
/// assert!(moved.held_out.1 < moved.held_out.0 / 500.0);
/// # Ok::<(), fast_select_core::Error>(())
/// ```
///
/// # Errors
/// [`Error::Refused`] for a learning rate with which the descent diverges; [`Error::Interrupted`].
pub fn descend(
    matcher: &mut Matcher<'_>,
    target: &Target,
    params: &ValidParams,
    streams: Streams,
    monitor: &Monitor,
) -> Result<Descended> {
    let (u, m) = (matcher.rows(), matcher.col_ind().len());
    let start = target.held_out_distance(u.gather(matcher.col_ind()).view(), monitor)?;
    let mut descent = Descent {
        target,
        params,
        batches: Batches::new(target, params, streams),
        slope: Slope::new(params, (m, u.cols()), streams),
        progress: monitor.in_parts(m, params.max_steps),
        monitor,
        steps: 0,
        distance: start,
        pace: 1.0,
    };
    let free = params.max_steps / FREE_SHARE;
    let stop = descent.rounds(matcher, params.max_steps - free, streams)?;
    let rows_distance = descent.distance;
    let y = descent.freely(matcher, free)?;
    descent.progress.finish()?;
    Ok(Descended {
        y,
        steps: descent.steps,
        stop,
        held_out: (start, descent.distance),
        held_out_rows: rows_distance,
    })
}

/// A descent under way.
struct Descent<'a> {
    target: &'a Target,
    params: &'a Params,
    batches: Batches<'a>,
    slope: Slope<'a>,
    progress: Parts<'a>,
    monitor: &'a Monitor,
    /// Steps done.
    steps: usize,
    /// The least held-out distance yet, times m.
    distance: f64,
    /// The length of a step, as a share of the first ones that are tried.
    pace: f64,
}

impl Descent<'_> {
    /// Rounds until `end` steps are done, or none has helped for long; `matcher` gets the best rows.
    fn rounds(&mut self, matcher: &mut Matcher<'_>, end: usize, streams: Streams) -> Result<Stop> {
        let mut rng = streams.stream(Purpose::Dither, 0);
        let reach = reach(self.params.space);
        let (mut mark, mut stale) = (self.distance, 0);
        while self.steps < end {
            let mut y = matcher.rows().gather(matcher.col_ind());
            let mut adam = self.adam(&y);
            let count = ROUND.min(end - self.steps);
            for step in 0..count {
                let share = 1.0 - step as f64 / count as f64;
                self.step(&mut y, &mut adam, matcher, share)?;
            }
            dither(&mut y, matcher, reach, &mut rng)?;
            let mut trial = matcher.clone();
            trial.update(y.view(), self.monitor)?;
            let rows = trial.rows().gather(trial.col_ind());
            let distance = self.target.held_out_distance(rows.view(), self.monitor)?;
            if distance < self.distance {
                self.distance = distance;
                *matcher = trial;
                self.pace = (self.pace * LONGER).min(1.0);
            } else {
                self.pace *= SHORTER;
            }
            let gained = self.distance < mark * (1.0 - MIN_GAIN);
            (mark, stale) = if gained {
                (self.distance, 0)
            } else {
                (mark, stale + 1)
            };
            if stale >= PATIENCE && self.batches.has_all(self.steps) {
                return Ok(Stop::NoProgress);
            }
        }
        Ok(Stop::MaxSteps)
    }

    /// `count` steps from the rows of `matcher`; the best anchors of all looks, the first among them.
    fn freely(&mut self, matcher: &Matcher<'_>, count: usize) -> Result<Matrix> {
        let mut y = matcher.rows().gather(matcher.col_ind());
        let (mut best, mut adam) = (y.clone(), self.adam(&y));
        for step in 0..count {
            let share = 1.0 - step as f64 / count as f64;
            self.step(&mut y, &mut adam, matcher, share)?;
            if (step + 1).is_multiple_of(ROUND) || step + 1 == count {
                let distance = self.target.held_out_distance(y.view(), self.monitor)?;
                if distance < self.distance {
                    self.distance = distance;
                    best.as_mut_slice().copy_from_slice(y.as_slice());
                }
            }
        }
        Ok(best)
    }

    /// Adam for the anchors `y`, with steps that fit the distance: in `y`'s p columns together of
    /// length `learning_rate √D`, D the CF distance.
    fn adam(&self, y: &Matrix) -> Adam {
        let columns = (y.rows() * y.cols()).max(1) as f64;
        let rate = self.pace * self.params.learning_rate * (self.distance / columns).sqrt();
        Adam::new(y.as_slice().len(), rate)
    }

    fn step(
        &mut self,
        y: &mut Matrix,
        adam: &mut Adam,
        matcher: &Matcher<'_>,
        share: f64,
    ) -> Result<()> {
        if self.steps.is_multiple_of(REFRESH_EVERY) {
            self.batches.refresh(y.view(), self.steps, self.monitor)?;
        }
        let drawn = self.batches.draw();
        self.slope.at(y.view(), matcher, &drawn, self.steps)?;
        adam.step(y.as_mut_slice(), &self.slope.grad, share)?;
        self.steps += 1;
        self.progress.advance()
    }
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
    /// Of anchors of m rows and p columns.
    fn new(params: &'a Params, (m, p): (usize, usize), streams: Streams) -> Self {
        Self {
            params,
            diversity: Diversity::new(p, DIVERSITY_LENGTH, DIVERSITY_DELTA, streams),
            phases: Vec::new(),
            grad: vec![0.0; m * p],
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
