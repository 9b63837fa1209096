//! `prepare()` and the object that it returns.

use fast_select_core::options::Choice;
use fast_select_core::prepare::{
    Facts, LISTED, Prepared, prepare_in, prepare_shared, room_needed as core_room_needed,
    values_hash as core_values_hash,
};
use numpy::{PyArray1, PyArray2, PyArrayMethods, ToPyArray};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::crew::PyCrew;
use crate::matrix::Matrix;
use crate::options::PyParams;
use crate::room::ArrayRoom;
use crate::run::run;

/// Rows checked, centred, scaled and reduced.
#[pyclass(frozen, name = "Prepared", module = "fast_select._core")]
pub struct PyPrepared {
    pub inner: Prepared,
}

#[pymethods]
impl PyPrepared {
    /// Input rows kept, ascending.
    #[getter]
    fn rows<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<i64>> {
        PyArray1::from_iter(py, self.inner.rows.iter().map(|&i| i64::from(i)))
    }

    /// Z, (n, p0): a copy.
    #[getter]
    fn features<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray2<f32>>> {
        let z = &self.inner.z;
        z.as_slice().to_pyarray(py).reshape([z.rows(), z.cols()])
    }

    /// Hash of all entries.
    #[getter]
    fn values_hash(&self) -> String {
        hexadecimal(self.inner.facts.values_hash)
    }

    /// What the input turned out to be.
    #[getter]
    fn facts<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let Facts {
            n_rows,
            n_cols,
            n_nonfinite,
            n_constant_columns,
            far,
            values_hash: _,
            n_distinct,
            scale,
            explained_variance,
        } = &self.inner.facts;
        let facts = PyDict::new(py);
        facts.set_item("n_rows", n_rows)?;
        facts.set_item("n_cols", n_cols)?;
        facts.set_item("n_kept", self.inner.rows.len())?;
        facts.set_item("n_nonfinite", n_nonfinite)?;
        facts.set_item("n_constant_columns", n_constant_columns)?;
        facts.set_item("n_far", far.len())?;
        facts.set_item("far_rows", &far[..far.len().min(LISTED)])?;
        facts.set_item("n_distinct", n_distinct)?;
        facts.set_item("scale", scale.name())?;
        facts.set_item("n_dims", self.inner.z.cols())?;
        facts.set_item("explained_variance", explained_variance)?;
        Ok(facts)
    }
}

/// Checks, centres, scales and reduces `x`, (n, d) or stacked, into `room`, if given: an array of
/// [`room_needed`] numbers that nobody uses any more; or together with the members of a `crew`.
#[pyfunction]
#[pyo3(signature = (x, params, *, room = None, crew = None, progress = None))]
fn prepare(
    py: Python<'_>,
    x: &Bound<'_, PyAny>,
    params: &PyParams,
    room: Option<&Bound<'_, PyArray1<f32>>>,
    crew: Option<&Bound<'_, PyAny>>,
    progress: Option<Py<PyAny>>,
) -> PyResult<PyPrepared> {
    let matrix = Matrix::borrow(x)?;
    let room = room.map(ArrayRoom::take).transpose()?;
    let source = matrix.source()?;
    let inner = PyCrew::with(crew, |crew| {
        run(py, params.n_threads(), progress, |monitor| match crew {
            None => prepare_in(&*source, &params.inner, room, monitor),
            Some(crew) => prepare_shared(&*source, &params.inner, crew, monitor),
        })
    })?;
    Ok(PyPrepared { inner })
}

/// Numbers that there must be room for, if `prepare` is to work in it on an input of this shape.
#[pyfunction]
fn room_needed(n_rows: usize, n_cols: usize) -> usize {
    core_room_needed(n_rows, n_cols)
}

/// Hash of all entries of `x`, (n, d), as numbers.
#[pyfunction]
#[pyo3(signature = (x, n_threads, *, progress = None))]
fn values_hash(
    py: Python<'_>,
    x: &Bound<'_, PyAny>,
    n_threads: usize,
    progress: Option<Py<PyAny>>,
) -> PyResult<String> {
    let matrix = Matrix::borrow(x)?;
    let source = matrix.source()?;
    let hash = run(py, n_threads, progress, |monitor| {
        core_values_hash(&*source, monitor)
    })?;
    Ok(hexadecimal(hash))
}

fn hexadecimal(hash: u128) -> String {
    format!("{hash:032x}")
}

/// Adds what this file defines to the module.
pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_class::<PyPrepared>()?;
    m.add_function(wrap_pyfunction!(values_hash, m)?)?;
    m.add_function(wrap_pyfunction!(room_needed, m)?)?;
    m.add_function(wrap_pyfunction!(prepare, m)?)
}
