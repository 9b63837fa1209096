//! `select()`: rows of prepared input.

use fast_select_core::select::facts::GroupFacts;
use fast_select_core::select::ranking::{RANKED_SHARES, rank_rows};
use fast_select_core::select::request::{self, Request};
use fast_select_core::select::select_shared;
use numpy::{PyArray1, PyReadonlyArray1};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use crate::crew::PyCrew;
use crate::error::to_py;
use crate::options::PyParams;
use crate::prepare::PyPrepared;
use crate::run::run;

/// A number for each input row, or numbers of input rows.
pub type Numbers<'py> = PyReadonlyArray1<'py, i64>;

/// The numbers of an array of any stride.
pub fn numbers(array: Option<&Numbers<'_>>) -> Option<Vec<i64>> {
    array.map(|array| array.as_array().iter().copied().collect())
}

/// What is asked of a selection, as the core takes it.
struct Asked {
    count: usize,
    labels: Option<Vec<i64>>,
    siblings: Option<Vec<i64>>,
    include: Vec<i64>,
    exclude: Vec<i64>,
}

impl Asked {
    fn of(
        count: usize,
        labels: Option<&Numbers<'_>>,
        siblings: Option<&Numbers<'_>>,
        include: Option<&Numbers<'_>>,
        exclude: Option<&Numbers<'_>>,
    ) -> Self {
        Self {
            count,
            labels: numbers(labels),
            siblings: numbers(siblings),
            include: numbers(include).unwrap_or_default(),
            exclude: numbers(exclude).unwrap_or_default(),
        }
    }

    fn request(&self) -> Request<'_> {
        Request {
            count: self.count,
            labels: self.labels.as_deref(),
            siblings: self.siblings.as_deref(),
            include: &self.include,
            exclude: &self.exclude,
        }
    }
}

/// Refuses what `select` would refuse, before any work.
#[pyfunction]
#[pyo3(signature = (prepared, count, params, *, labels = None, groups = None, include = None, exclude = None))]
fn check_request(
    prepared: &PyPrepared,
    count: usize,
    params: &PyParams,
    labels: Option<Numbers<'_>>,
    groups: Option<Numbers<'_>>,
    include: Option<Numbers<'_>>,
    exclude: Option<Numbers<'_>>,
) -> PyResult<()> {
    let asked = Asked::of(
        count,
        labels.as_ref(),
        groups.as_ref(),
        include.as_ref(),
        exclude.as_ref(),
    );
    let groups = request::groups(&prepared.inner, asked.request(), &params.inner);
    groups.map(|_| ()).map_err(to_py)
}

/// Selects `count` rows: `indices`, ascending, and `groups`, what happened in each; together with the members of a
/// `crew`, if there is one.
#[pyfunction]
#[pyo3(signature = (prepared, count, params, *, labels = None, groups = None, include = None, exclude = None, crew = None, progress = None))]
#[expect(clippy::too_many_arguments, reason = "keywords on the Python side")]
fn select<'py>(
    py: Python<'py>,
    prepared: &PyPrepared,
    count: usize,
    params: &PyParams,
    labels: Option<Numbers<'py>>,
    groups: Option<Numbers<'py>>,
    include: Option<Numbers<'py>>,
    exclude: Option<Numbers<'py>>,
    crew: Option<&Bound<'py, PyAny>>,
    progress: Option<Py<PyAny>>,
) -> PyResult<Bound<'py, PyDict>> {
    let asked = Asked::of(
        count,
        labels.as_ref(),
        groups.as_ref(),
        include.as_ref(),
        exclude.as_ref(),
    );
    let selected = PyCrew::with(crew, |crew| {
        run(py, params.n_threads(), progress, |monitor| {
            select_shared(
                &prepared.inner,
                asked.request(),
                &params.inner,
                crew,
                monitor,
            )
        })
    })?;
    let rows = selected.rows.into_iter().map(i64::from);
    let groups = selected.groups.iter().map(|facts| group_facts(py, facts));
    let groups = groups.collect::<PyResult<Vec<_>>>()?;
    let result = PyDict::new(py);
    result.set_item("indices", PyArray1::from_iter(py, rows))?;
    result.set_item("groups", PyList::new(py, groups)?)?;
    Ok(result)
}

/// Ranks of the input rows `selected`, from 1: the order in which to take them.
#[pyfunction]
#[pyo3(signature = (prepared, selected, params, *, labels = None, include = None, progress = None))]
fn rank<'py>(
    py: Python<'py>,
    prepared: &PyPrepared,
    selected: Numbers<'py>,
    params: &PyParams,
    labels: Option<Numbers<'py>>,
    include: Option<Numbers<'py>>,
    progress: Option<Py<PyAny>>,
) -> PyResult<Bound<'py, PyArray1<i64>>> {
    let selected = numbers(Some(&selected)).unwrap_or_default();
    let count = selected.len();
    let asked = Asked::of(count, labels.as_ref(), None, include.as_ref(), None);
    let ranks = run(py, params.n_threads(), progress, |monitor| {
        rank_rows(
            &prepared.inner,
            &selected,
            asked.request(),
            &params.inner,
            monitor,
        )
    })?;
    Ok(PyArray1::from_iter(py, ranks.into_iter().map(i64::from)))
}

fn group_facts<'py>(py: Python<'py>, group: &GroupFacts) -> PyResult<Bound<'py, PyDict>> {
    let facts = PyDict::new(py);
    facts.set_item("n_rows", group.n_rows)?;
    facts.set_item("quota", group.quota)?;
    facts.set_item("components_before_joining", group.components_before_joining)?;
    facts.set_item("eigen_residual", group.eigen_residual)?;
    facts.set_item("steps", group.steps)?;
    facts.set_item("stopped_early", group.stopped_early)?;
    facts.set_item("held_out_cfd_m_start", group.held_out.map(|h| h.0))?;
    facts.set_item("held_out_cfd_m_end", group.held_out.map(|h| h.1))?;
    facts.set_item("held_out_cfd_m_picked", group.held_out_picked)?;
    facts.set_item("distinct_anchors", group.distinct_anchors)?;
    facts.set_item("exchanged_rows", group.exchanged_rows)?;
    facts.set_item("swaps", group.swaps)?;
    Ok(facts)
}

/// Adds what this file defines to the module.
pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(check_request, m)?)?;
    m.add_function(wrap_pyfunction!(select, m)?)?;
    m.add_function(wrap_pyfunction!(rank, m)?)?;
    m.add("RANKED_SHARES", RANKED_SHARES)
}
