//! `select()`, `quality()` and what they need.

use fast_select_core::discrepancy::{Discrepancy, discrepancies};
use fast_select_core::draws::{random_selections, stratified_selections};
use fast_select_core::groups::{Balance, ClassSize, members, quotas};
use fast_select_core::kernels::instruction_set;
use fast_select_core::monitor::Stage;
use fast_select_core::quality::{Quality, QualityOptions, qualities, work};
use fast_select_core::select::{Group, GroupFacts, Method, Standing, select as core_select};
use numpy::{PyArray1, PyReadonlyArray1};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use crate::error::{InvalidInput, to_py};
use crate::options::{default_options, select_options};
use crate::prepared::PyPrepared;
use crate::run::run;

type Labels<'py> = Option<PyReadonlyArray1<'py, i64>>;
type Rows<'py> = Option<PyReadonlyArray1<'py, i64>>;

/// Kept rows of each label, given labels of all input rows; one group of all rows without labels.
fn classes(prepared: &PyPrepared, labels: &Labels<'_>) -> PyResult<Vec<Vec<u32>>> {
    let rows = &prepared.inner.rows;
    let Some(labels) = labels else {
        return Ok(vec![(0..rows.len() as u32).collect()]);
    };
    let labels = labels.as_array();
    let n = prepared.inner.facts.n_rows;
    if labels.len() != n {
        let fact = format!(
            "labels has {} entries where {n} rows were given",
            labels.len()
        );
        return Err(InvalidInput::new_err(("labels", fact)));
    }
    let kept = rows.iter().map(|&i| u32::try_from(labels[i as usize]));
    let kept = kept.collect::<Result<Vec<_>, _>>().map_err(|_| {
        InvalidInput::new_err(("labels", "labels holds a code below 0 or above 2^32"))
    })?;
    let n_labels = kept.iter().max().map_or(0, |&l| l as usize + 1);
    members(&kept, n_labels).map_err(to_py)
}

/// What may become of each kept row; empty where nothing is given.
fn standings(
    prepared: &PyPrepared,
    include: &Rows<'_>,
    exclude: &Rows<'_>,
) -> PyResult<Vec<Standing>> {
    if include.is_none() && exclude.is_none() {
        return Ok(vec![]);
    }
    let (rows, n) = (&prepared.inner.rows, prepared.inner.facts.n_rows);
    let mut standing = vec![Standing::Free; rows.len()];
    for (name, given, kind) in [
        ("exclude", exclude, Standing::Excluded),
        ("include", include, Standing::Included),
    ] {
        let refuse = |fact: String| Err(InvalidInput::new_err((name, fact)));
        for &i in given.iter().flat_map(|given| given.as_array()) {
            let row = u32::try_from(i).ok().filter(|&i| (i as usize) < n);
            let Some(row) = row else {
                return refuse(format!("names row {i} of {n} (rows count from 0)"));
            };
            match rows.binary_search(&row) {
                Ok(at) if standing[at] == Standing::Excluded && kind == Standing::Included => {
                    return refuse(format!("names row {i}, which is excluded as well"));
                }
                Ok(at) => standing[at] = kind,
                Err(_) if kind == Standing::Included => {
                    return refuse(format!("names row {i}, which holds NaN or infinity"));
                }
                Err(_) => {}
            }
        }
    }
    Ok(standing)
}

/// The size of a class and the bounds that the standing of its rows gives.
fn class_size(members: &[u32], standing: &[Standing]) -> ClassSize {
    let mut size = ClassSize::free(members.len());
    if !standing.is_empty() {
        let count = |kind| {
            let of = |&&i: &&u32| standing[i as usize] == kind;
            members.iter().filter(of).count()
        };
        size.most -= count(Standing::Excluded);
        size.least = count(Standing::Included).max(size.most.min(1));
    }
    size
}

/// Selects `count` rows.
#[pyfunction]
#[pyo3(signature = (prepared, count, *, labels = None, balance = "proportional", include = None, exclude = None, seed = 0, n_threads = 0, progress = None, **options))]
#[expect(clippy::too_many_arguments, reason = "keywords on the Python side")]
fn select<'py>(
    py: Python<'py>,
    prepared: &PyPrepared,
    count: usize,
    labels: Labels<'py>,
    balance: &str,
    include: Rows<'py>,
    exclude: Rows<'py>,
    seed: u64,
    n_threads: usize,
    progress: Option<Py<PyAny>>,
    options: Option<&Bound<'py, PyDict>>,
) -> PyResult<Bound<'py, PyDict>> {
    let options = select_options(seed, options)?;
    let classes = classes(prepared, &labels)?;
    let standing = standings(prepared, &include, &exclude)?;
    let sizes: Vec<ClassSize> = classes.iter().map(|c| class_size(c, &standing)).collect();
    let balance: Balance = balance.parse().map_err(to_py)?;
    if count == 0 {
        let fact = "count = 0 selects nothing: it must be 1 or more";
        return Err(InvalidInput::new_err(("count", fact)));
    }
    let quotas = quotas(&sizes, count, balance).map_err(to_py)?;
    let groups: Vec<Group> = classes
        .into_iter()
        .zip(quotas)
        .map(|(members, quota)| Group {
            standing: if standing.is_empty() {
                vec![]
            } else {
                members.iter().map(|&i| standing[i as usize]).collect()
            },
            members,
            quota,
        })
        .collect();
    let inner = &prepared.inner;
    let selected = run(py, n_threads, progress, |monitor| {
        core_select(inner.z.view(), &groups, &options, monitor)
    })?;
    let rows = selected
        .rows
        .iter()
        .map(|&i| i64::from(inner.rows[i as usize]));
    let result = PyDict::new(py);
    result.set_item("indices", PyArray1::from_iter(py, rows))?;
    let facts = selected.groups.iter().map(|facts| group_facts(py, facts));
    let facts = facts.collect::<PyResult<Vec<_>>>()?;
    let all = PyDict::new(py);
    all.set_item("groups", PyList::new(py, facts)?)?;
    result.set_item("facts", all)?;
    Ok(result)
}

fn group_facts<'py>(py: Python<'py>, group: &GroupFacts) -> PyResult<Bound<'py, PyDict>> {
    let facts = PyDict::new(py);
    facts.set_item("n_rows", group.n_rows)?;
    facts.set_item("quota", group.quota)?;
    facts.set_item("components_before_joining", group.n_components_before)?;
    facts.set_item("eigen_residual", group.eigen_residual)?;
    facts.set_item("steps", group.steps)?;
    facts.set_item("stopped_early", group.stopped_early)?;
    facts.set_item("held_out_cfd_m_start", group.held_out.map(|h| h.0))?;
    facts.set_item("held_out_cfd_m_end", group.held_out.map(|h| h.1))?;
    facts.set_item("distinct_anchors", group.distinct_anchors)?;
    facts.set_item("exchanged_rows", group.exchanged_rows)?;
    facts.set_item("swaps", group.swaps)?;
    Ok(facts)
}

/// Whether a method takes account of included and excluded rows.
#[pyfunction]
fn heeds_standing(method: &str) -> PyResult<bool> {
    let method: Method = method.parse().map_err(to_py)?;
    Ok(method.heeds_standing())
}

/// Figures of a selection beside random ones of the same size.
#[pyfunction]
#[pyo3(signature = (prepared, indices, *, labels = None, n_random = 20, thorough = false, seed = 0, n_threads = 0, progress = None))]
#[expect(clippy::too_many_arguments, reason = "keywords on the Python side")]
fn quality<'py>(
    py: Python<'py>,
    prepared: &PyPrepared,
    indices: PyReadonlyArray1<'py, i64>,
    labels: Labels<'py>,
    n_random: usize,
    thorough: bool,
    seed: u64,
    n_threads: usize,
    progress: Option<Py<PyAny>>,
) -> PyResult<Bound<'py, PyDict>> {
    let inner = &prepared.inner;
    let mut rows = Vec::with_capacity(indices.as_array().len());
    for &i in indices.as_array() {
        let found = u32::try_from(i)
            .ok()
            .and_then(|i| inner.rows.binary_search(&i).ok());
        let row = found.ok_or_else(|| {
            InvalidInput::new_err(("indices", format!("row {i} is not among the rows kept")))
        })?;
        rows.push(row as u32);
    }
    rows.sort_unstable();
    let given = rows.len();
    rows.dedup();
    if rows.len() < given {
        let fact = format!("indices holds {} rows twice", given - rows.len());
        return Err(InvalidInput::new_err(("indices", fact)));
    }
    let strata = match &labels {
        None => None,
        Some(_) => Some(classes(prepared, &labels)?),
    };
    let options = QualityOptions {
        seed,
        ..QualityOptions::default()
    };
    let count = rows.len();
    let n = inner.z.rows();
    // As many of each class as the selection has, in proportion or not.
    let shares = strata.iter().flatten().map(|class| {
        let is_selected = |i: &&u32| rows.binary_search(i).is_ok();
        class.iter().filter(is_selected).count()
    });
    let shares: Vec<usize> = shares.collect();
    let mut selections = vec![rows];
    let judged = run(py, n_threads, progress, |monitor| {
        selections.extend(random_selections(n, count, n_random, seed));
        if let Some(strata) = &strata {
            selections.extend(stratified_selections(strata, &shares, n_random, seed));
        }
        let units = work(n, selections.len()) + if thorough { n } else { 0 };
        monitor.begin(Stage::Quality, units)?;
        let z = inner.z.view();
        let further = if thorough {
            discrepancies(z, &selections, seed, monitor)?
        } else {
            vec![]
        };
        let judged = qualities(z, &selections, &options, monitor)?;
        let mut further = further.into_iter();
        Ok(judged
            .into_iter()
            .map(|q| figures(&q, further.next()))
            .collect::<Vec<_>>())
    })?;
    let (own, drawn) = judged.split_at(1);
    let (random, stratified) = drawn.split_at(n_random.min(drawn.len()));
    let result = PyDict::new(py);
    result.set_item("n_freqs", options.n_freqs)?;
    result.set_item("n_random", n_random)?;
    result.set_item("coverage_rows", options.coverage_rows.min(n))?;
    let own_figures = PyDict::new(py);
    for (name, value) in own.iter().flatten() {
        own_figures.set_item(name, value)?;
    }
    result.set_item("selection", own_figures)?;
    result.set_item("random", summary(py, random)?)?;
    result.set_item("stratified", summary(py, stratified)?)?;
    Ok(result)
}

type Figures = Vec<(&'static str, f64)>;

fn figures(quality: &Quality, further: Option<Discrepancy>) -> Figures {
    let [first, second, third, fourth] = quality.moments;
    let mut figures = vec![
        ("cfd_m", quality.cfd_m),
        ("cell_cfd_m", quality.cell_cfd_m),
        ("moment_1", first),
        ("moment_2", second),
        ("moment_3", third),
        ("moment_4", fourth),
        ("coverage_max", quality.coverage_max),
        ("coverage_mean", quality.coverage_mean),
    ];
    if let Some(further) = further {
        figures.extend([
            ("mmd2", further.mmd2),
            ("mmd2_se", further.mmd2_se),
            ("sliced_wasserstein", further.sliced_wasserstein),
        ]);
    }
    figures
}

/// Mean, standard deviation and values of each figure; `None` without selections.
fn summary<'py>(py: Python<'py>, judged: &[Figures]) -> PyResult<Option<Bound<'py, PyDict>>> {
    let Some(first) = judged.first() else {
        return Ok(None);
    };
    let all = PyDict::new(py);
    for (k, (name, _)) in first.iter().enumerate() {
        let values: Vec<f64> = judged.iter().map(|figures| figures[k].1).collect();
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let squares = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>();
        let one = PyDict::new(py);
        one.set_item("mean", mean)?;
        one.set_item("std", (squares / (count - 1.0).max(1.0)).sqrt())?;
        one.set_item("values", values)?;
        all.set_item(name, one)?;
    }
    Ok(Some(all))
}

/// Version, instruction set and threads.
#[pyfunction]
fn info(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
    let info = PyDict::new(py);
    info.set_item("version", env!("CARGO_PKG_VERSION"))?;
    info.set_item("instruction_set", instruction_set())?;
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    info.set_item("n_threads", threads)?;
    Ok(info)
}

/// Adds what this file defines to the module.
pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(select, m)?)?;
    m.add_function(wrap_pyfunction!(heeds_standing, m)?)?;
    m.add_function(wrap_pyfunction!(quality, m)?)?;
    m.add_function(wrap_pyfunction!(default_options, m)?)?;
    m.add_function(wrap_pyfunction!(info, m)?)
}
