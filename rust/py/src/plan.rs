//! `plan()`: what a selection will take.

use fast_select_core::select::plan::{
    Crew, Outline, crew_plan as core_crew_plan, fitting as core_fitting, plan as core_plan,
    products_per_second as measured, worthwhile,
};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use crate::error::to_py;
use crate::options::PyParams;
use crate::run::run;

/// Bytes and their formula, and multiply-adds, of each stage of a selection of `count` rows from
/// classes of `sizes` rows; `is_mapped`: Z is, and takes no memory.
#[pyfunction]
#[pyo3(signature = (n_cols, sizes, count, params, *, is_mapped = false))]
fn plan<'py>(
    py: Python<'py>,
    n_cols: usize,
    sizes: Vec<usize>,
    count: usize,
    params: &PyParams,
    is_mapped: bool,
) -> PyResult<Bound<'py, PyList>> {
    let outline = outline(n_cols, &sizes, count, params, is_mapped)?;
    let stages = core_plan(&outline, &params.inner).into_iter().map(|cost| {
        let stage = PyDict::new(py);
        stage.set_item("name", cost.stage.name())?;
        stage.set_item("bytes", cost.bytes)?;
        stage.set_item("multiply_adds", cost.multiply_adds)?;
        stage.set_item("formula", cost.formula)?;
        Ok(stage)
    });
    PyList::new(py, stages.collect::<PyResult<Vec<_>>>()?)
}

/// The `block_rows` and threads with which a process that takes `before` bytes already stays within `bytes`.
#[pyfunction]
#[pyo3(signature = (n_cols, sizes, count, params, bytes, before, *, is_mapped = false))]
fn fitting(
    n_cols: usize,
    sizes: Vec<usize>,
    count: usize,
    params: &PyParams,
    bytes: u64,
    before: u64,
    is_mapped: bool,
) -> PyResult<(usize, usize)> {
    let outline = outline(n_cols, &sizes, count, params, is_mapped)?;
    let found = core_fitting(&outline, &params.inner, bytes, before).map_err(to_py)?;
    Ok((found.block_rows, found.n_threads))
}

/// Seconds, multiply-adds, bytes and their formulas, of each stage of a selection that several `workers` run, and how many
/// of them are worth having; threads are a worker's.
#[pyfunction]
#[pyo3(signature = (n_cols, sizes, count, params, *, workers, rate, bandwidth, entry_bytes, memory))]
#[expect(clippy::too_many_arguments, reason = "keywords on the Python side")]
fn crew_plan<'py>(
    py: Python<'py>,
    n_cols: usize,
    sizes: Vec<usize>,
    count: usize,
    params: &PyParams,
    workers: usize,
    rate: f64,
    bandwidth: f64,
    entry_bytes: usize,
    memory: u64,
) -> PyResult<(Bound<'py, PyList>, usize)> {
    let outline = outline(n_cols, &sizes, count, params, true)?;
    let crew = Crew {
        workers,
        rate,
        bandwidth,
        entry_bytes,
        memory,
    };
    let stages = core_crew_plan(&outline, &params.inner, crew).into_iter();
    let stages = stages.map(|cost| {
        let (stage, formula) = (PyDict::new(py), PyDict::new(py));
        stage.set_item("name", cost.name)?;
        stage.set_item("seconds", cost.seconds)?;
        stage.set_item("least_s", cost.least)?;
        stage.set_item("cpu_s", cost.multiply_adds / rate)?;
        for (name, bytes) in [
            ("read_bytes", cost.read),
            ("sent_bytes", cost.sent),
            ("written_bytes", cost.written),
        ] {
            stage.set_item(name, bytes as u64)?;
        }
        stage.set_item("bytes", cost.bytes)?;
        let own = cost.formulas;
        for (name, text) in [
            ("work", own.work),
            ("seconds", own.seconds),
            ("read_bytes", own.read),
            ("sent_bytes", own.sent),
            ("written_bytes", own.written),
            ("bytes", own.bytes),
        ] {
            formula.set_item(name, text)?;
        }
        stage.set_item("formula", formula)?;
        Ok(stage)
    });
    let stages = PyList::new(py, stages.collect::<PyResult<Vec<_>>>()?)?;
    Ok((stages, worthwhile(&outline, &params.inner, crew)))
}

fn outline(
    n_cols: usize,
    sizes: &[usize],
    count: usize,
    params: &PyParams,
    is_mapped: bool,
) -> PyResult<Outline> {
    let outline = Outline::new(n_cols, sizes, count, params.n_threads(), &params.inner);
    let outline = outline.map_err(to_py)?;
    Ok(Outline {
        is_mapped,
        ..outline
    })
}

/// Multiply-adds a second of this machine.
#[pyfunction]
fn products_per_second(py: Python<'_>, params: &PyParams) -> PyResult<f64> {
    run(py, params.n_threads(), None, measured)
}

/// Adds what this file defines to the module.
pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(plan, m)?)?;
    m.add_function(wrap_pyfunction!(fitting, m)?)?;
    m.add_function(wrap_pyfunction!(crew_plan, m)?)?;
    m.add_function(wrap_pyfunction!(products_per_second, m)?)
}
