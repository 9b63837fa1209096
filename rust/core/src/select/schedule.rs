//! Which stages run.

use crate::options::{Params, Weighting};
use crate::run::monitor::Stage;

/// Whether a stage is part of a selection with these parameters.
#[must_use]
pub fn runs(stage: Stage, params: &Params) -> bool {
    let method = params.method;
    match stage {
        Stage::Prepare | Stage::Quality => true,
        Stage::Neighbors | Stage::Graph | Stage::Frequencies | Stage::Optimize | Stage::Decode => {
            method.descends()
        }
        Stage::Spectral => method.descends() && params.space.needs_spectrum(),
        Stage::Baseline => !method.exchanges() && !method.descends(),
        Stage::Exchange => method.exchanges(),
        Stage::Rank => params.rank,
        Stage::Weights => params.weights != Weighting::None,
    }
}
