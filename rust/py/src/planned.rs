//! `plan()`: what a selection will take.

use fast_select_core::groups::{Balance, ClassSize, quotas};
use fast_select_core::plan::{Outline, plan as core_plan, products_per_second as measured};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use crate::error::to_py;
use crate::options::select_options;
use crate::run::run;

/// Bytes and their formula, and multiply-adds, of each stage of a selection of `count` rows from
/// classes of `sizes` rows.
#[pyfunction]
#[pyo3(signature = (n_cols, sizes, count, *, balance = "proportional", n_dims = 64, n_random = 20, n_threads = 0, **options))]
#[expect(clippy::too_many_arguments, reason = "keywords on the Python side")]
fn plan<'py>(
    py: Python<'py>,
    n_cols: usize,
    sizes: Vec<usize>,
    count: usize,
    balance: &str,
    n_dims: usize,
    n_random: usize,
    n_threads: usize,
    options: Option<&Bound<'py, PyDict>>,
) -> PyResult<Bound<'py, PyList>> {
    let options = select_options(0, options)?;
    options.check().map_err(to_py)?;
    let classes: Vec<ClassSize> = sizes.iter().map(|&rows| ClassSize::free(rows)).collect();
    let balance: Balance = balance.parse().map_err(to_py)?;
    let quotas = quotas(&classes, count, balance).map_err(to_py)?;
    let outline = Outline {
        n_rows: sizes.iter().sum(),
        n_cols,
        n_dims,
        groups: sizes.into_iter().zip(quotas).collect(),
        n_random,
        n_threads: n_threads.max(1),
    };
    let stages = core_plan(&outline, &options).into_iter().map(|cost| {
        let stage = PyDict::new(py);
        stage.set_item("name", cost.stage.name())?;
        stage.set_item("bytes", cost.bytes)?;
        stage.set_item("work", cost.work)?;
        stage.set_item("formula", cost.formula)?;
        Ok(stage)
    });
    PyList::new(py, stages.collect::<PyResult<Vec<_>>>()?)
}

/// Multiply-adds a second of this machine.
#[pyfunction]
#[pyo3(signature = (*, n_threads = 0))]
fn products_per_second(py: Python<'_>, n_threads: usize) -> PyResult<f64> {
    run(py, n_threads, None, measured)
}

/// Adds what this file defines to the module.
pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(plan, m)?)?;
    m.add_function(wrap_pyfunction!(products_per_second, m)?)
}
