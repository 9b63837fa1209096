//! `info()`: what this build is and runs on.

use fast_select_core::run::instruction_set;
use fast_select_core::spectral::TOL;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::error::to_py;

/// Version, instruction set and threads.
#[pyfunction]
fn info(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
    instruction_set::check().map_err(to_py)?;
    let info = PyDict::new(py);
    info.set_item("version", env!("CARGO_PKG_VERSION"))?;
    info.set_item("instruction_set", instruction_set::name())?;
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    info.set_item("n_threads", threads)?;
    Ok(info)
}

/// Uses an instruction set, by its name, if this machine has it and none is in use yet.
#[pyfunction]
fn prefer_instruction_set(name: &str) {
    instruction_set::prefer(name);
}

/// The names of the instruction sets that this machine has, best last.
#[pyfunction]
fn instruction_sets() -> Vec<&'static str> {
    instruction_set::names()
}

/// Adds what this file defines to the module.
pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add("__version__", env!("CARGO_PKG_VERSION"))?;
    m.add("EIGEN_TOL", TOL)?;
    m.add_function(wrap_pyfunction!(prefer_instruction_set, m)?)?;
    m.add_function(wrap_pyfunction!(instruction_sets, m)?)?;
    m.add_function(wrap_pyfunction!(info, m)?)
}
