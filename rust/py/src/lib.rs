//! `fast_select._core`: the seam between Python and the core. No numerics here.

mod error;
mod functions;
mod matrix;
mod options;
mod planned;
mod prepared;
mod run;
mod stages;

use pyo3::prelude::*;

/// The compiled core of fast-select.
#[pymodule]
fn _core(m: &Bound<'_, PyModule>) -> PyResult<()> {
    error::register(m)?;
    prepared::register(m)?;
    functions::register(m)?;
    planned::register(m)?;
    stages::register(m)
}
