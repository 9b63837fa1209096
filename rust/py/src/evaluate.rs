//! `evaluate()`: figures of a selection beside random ones of the same size.

use fast_select_core::prepare::Prepared;
use fast_select_core::quality::COVERAGE_ROWS;
use fast_select_core::quality::evaluate::{Figures, Judging, Summary, evaluate as core_evaluate};
use fast_select_core::quality::map::{Map, Place};
use fast_select_core::quality::profile::{N_LEVELS, Profile};
use fast_select_core::quality::unseen::{N_FREQS, RADII};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::error::to_py;
use crate::options::PyParams;
use crate::prepare::PyPrepared;
use crate::run::run;
use crate::select::{Numbers, numbers};

/// Figures of the input rows `indices`, and of them by `weights`, beside those of random selections, with
/// `labels` of stratified ones, and where blocks are cut of ones that these stratify; curves and a map to
/// be drawn.
#[pyfunction]
#[pyo3(signature = (prepared, indices, params, *, weights = None, labels = None, n_random = None, with_discrepancies = false, progress = None))]
#[expect(clippy::too_many_arguments, reason = "keywords on the Python side")]
fn evaluate<'py>(
    py: Python<'py>,
    prepared: &PyPrepared,
    indices: Numbers<'py>,
    params: &PyParams,
    weights: Option<Numbers<'py>>,
    labels: Option<Numbers<'py>>,
    n_random: Option<usize>,
    with_discrepancies: bool,
    progress: Option<Py<PyAny>>,
) -> PyResult<Bound<'py, PyDict>> {
    let inner = &prepared.inner;
    let indices = numbers(Some(&indices)).unwrap_or_default();
    let weights: Option<Vec<f64>> =
        numbers(weights.as_ref()).map(|weights| weights.into_iter().map(|w| w as f64).collect());
    let classes = match numbers(labels.as_ref()) {
        None => None,
        Some(labels) => Some(inner.classes(Some(&labels)).map_err(to_py)?),
    };
    let judging = Judging {
        n_random: n_random.unwrap_or(params.inner.n_random),
        with_discrepancies,
        block_rows: params.inner.block_rows,
        seed: params.inner.seed,
    };
    let judged = run(py, params.n_threads(), progress, |monitor| {
        let classes = classes.as_deref();
        core_evaluate(
            inner,
            &indices,
            weights.as_deref(),
            classes,
            judging,
            monitor,
        )
    })?;
    let selection = figures(py, judged.selection)?;
    let weighted = match judged.weighted.is_empty() {
        true => None,
        false => Some(figures(py, judged.weighted)?),
    };
    let result = PyDict::new(py);
    result.set_item("n_freqs", N_FREQS)?;
    result.set_item("n_random", judging.n_random)?;
    result.set_item("coverage_rows", COVERAGE_ROWS.min(inner.z.rows()))?;
    result.set_item("selection", selection)?;
    result.set_item("weighted", weighted)?;
    result.set_item("random", summaries(py, judged.random)?)?;
    result.set_item("stratified", summaries(py, judged.stratified)?)?;
    result.set_item("n_blocks", judged.n_blocks)?;
    let by_blocks = summaries(py, judged.stratified_by_blocks)?;
    result.set_item("stratified_by_blocks", by_blocks)?;
    let Profile {
        modulus_whole,
        modulus,
        modulus_random,
        distances,
        distances_random,
        farthest,
    } = judged.profile;
    let moduli = PyDict::new(py);
    moduli.set_item("radii", RADII)?;
    moduli.set_item("whole", modulus_whole)?;
    moduli.set_item("selection", modulus)?;
    moduli.set_item("random", modulus_random)?;
    result.set_item("characteristic_function", moduli)?;
    let quantiles = PyDict::new(py);
    let levels = (0..N_LEVELS).map(|level| level as f64 / (N_LEVELS - 1) as f64);
    quantiles.set_item("levels", levels.collect::<Vec<_>>())?;
    quantiles.set_item("selection", distances)?;
    quantiles.set_item("random", distances_random)?;
    let farthest = farthest.into_iter().map(|far| {
        let named = PyDict::new(py);
        named.set_item("row", inner.rows[far.row as usize])?;
        named.set_item("pick", inner.rows[far.pick as usize])?;
        named.set_item("distance", far.distance)?;
        Ok(named)
    });
    quantiles.set_item("farthest", farthest.collect::<PyResult<Vec<_>>>()?)?;
    result.set_item("distances", quantiles)?;
    result.set_item("map", map(py, inner, &judged.map)?)?;
    Ok(result)
}

/// Where rows and picks lie, in shares of the input's variance and by their input rows.
fn map<'py>(py: Python<'py>, prepared: &Prepared, map: &Map) -> PyResult<Bound<'py, PyDict>> {
    let kept = prepared.facts.explained_variance;
    let places = |places: &[Place]| {
        let rows = places.iter().map(|place| prepared.rows[place.row as usize]);
        let named = PyDict::new(py);
        named.set_item("row", rows.collect::<Vec<_>>())?;
        for (axis, name) in ["x", "y"].into_iter().enumerate() {
            let coordinates = places.iter().map(|place| thousandths(place.at[axis]));
            named.set_item(name, coordinates.collect::<Vec<_>>())?;
        }
        Ok::<_, PyErr>(named)
    };
    let result = PyDict::new(py);
    result.set_item("method", "pca")?;
    result.set_item("explained", map.explained.map(|share| share * kept))?;
    result.set_item("rows", places(&map.rows)?)?;
    result.set_item("selected", places(&map.picks)?)?;
    Ok(result)
}

/// A coordinate as finely as it can be seen.
fn thousandths(x: f32) -> f64 {
    (f64::from(x) * 1e3).round() / 1e3
}

fn figures(py: Python<'_>, figures: Figures) -> PyResult<Bound<'_, PyDict>> {
    let result = PyDict::new(py);
    for (name, value) in figures {
        result.set_item(name, value)?;
    }
    Ok(result)
}

/// Mean, standard deviation and values of each figure; `None` without selections.
fn summaries(py: Python<'_>, summaries: Vec<Summary>) -> PyResult<Option<Bound<'_, PyDict>>> {
    if summaries.is_empty() {
        return Ok(None);
    }
    let all = PyDict::new(py);
    for summary in summaries {
        let one = PyDict::new(py);
        one.set_item("mean", summary.mean)?;
        one.set_item("std", summary.std)?;
        one.set_item("values", summary.values)?;
        all.set_item(summary.name, one)?;
    }
    Ok(Some(all))
}

/// Adds what this file defines to the module.
pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(evaluate, m)?)
}
