//! `weigh()`: how many rows each pick stands for, and which pick stands for each row.

use fast_select_core::run::monitor::Stage;
use fast_select_core::weights::{nearest_picks, weights};
use fast_select_core::{Error, Result};
use numpy::{IntoPyArray, PyArray1};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::error::to_py;
use crate::options::PyParams;
use crate::prepare::PyPrepared;
use crate::run::run;
use crate::select::{Numbers, numbers};

/// What no pick stands for: a row that was left out.
const UNASSIGNED: i64 = -1;

/// `weights` of the input rows `indices`, ascending; `assignment`, or `None` where it is not asked for: for each
/// input row that of its pick, or -1 where it was left out.
#[pyfunction]
#[pyo3(signature = (prepared, indices, params, *, labels = None, with_assignment = false, progress = None))]
fn weigh<'py>(
    py: Python<'py>,
    prepared: &PyPrepared,
    indices: Numbers<'py>,
    params: &PyParams,
    labels: Option<Numbers<'py>>,
    with_assignment: bool,
    progress: Option<Py<PyAny>>,
) -> PyResult<Bound<'py, PyDict>> {
    let inner = &prepared.inner;
    let indices = numbers(Some(&indices)).unwrap_or_default();
    let labels = numbers(labels.as_ref());
    let picks = indices
        .iter()
        .map(|&i| match inner.position("indices", i)? {
            Some(row) => Ok(row),
            None => {
                let fact = format!("names row {i}, which holds NaN or infinity");
                Err(Error::refused("indices", fact))
            }
        });
    let picks = picks.collect::<Result<Vec<u32>>>().map_err(to_py)?;
    let assigned = run(py, params.n_threads(), progress, |monitor| {
        let classes = inner.classes(labels.as_deref())?;
        monitor.begin(Stage::Weights, inner.z.rows())?;
        nearest_picks(inner.z.view(), &classes, &picks, monitor)
    })?;
    let counts = weights(&assigned, &picks).into_iter();
    let result = PyDict::new(py);
    result.set_item("weights", PyArray1::from_iter(py, counts.map(|w| w as i64)))?;
    let assignment = with_assignment.then(|| {
        let mut picked = vec![UNASSIGNED; inner.facts.n_rows];
        for (&row, pick) in inner.rows.iter().zip(assigned) {
            picked[row as usize] = i64::from(inner.rows[pick as usize]);
        }
        picked.into_pyarray(py)
    });
    result.set_item("assignment", assignment)?;
    Ok(result)
}

/// Adds what this file defines to the module.
pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(weigh, m)?)
}
