//! `fast_select._core`: the seam between Python and the core. No numerics here, one file a call.

mod crew;
mod error;
mod evaluate;
mod info;
mod last_words;
mod matrix;
mod options;
mod panics;
mod plan;
mod prepare;
mod room;
mod run;
mod scattered;
mod select;
#[cfg(feature = "stages")]
mod stages;
mod weights;

use pyo3::prelude::*;

/// The compiled core of fast-select.
///
/// It needs no GIL: what is shared between calls is behind a lock or set once, classes are frozen, and
/// arrays are borrowed as they are with the GIL released, which a run always does.
#[pymodule(gil_used = false)]
fn _core(m: &Bound<'_, PyModule>) -> PyResult<()> {
    panics::record();
    error::register(m)?;
    options::register(m)?;
    matrix::register(m)?;
    prepare::register(m)?;
    select::register(m)?;
    weights::register(m)?;
    evaluate::register(m)?;
    plan::register(m)?;
    last_words::register(m)?;
    #[cfg(feature = "stages")]
    stages::register(m)?;
    info::register(m)
}
