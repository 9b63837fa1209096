//! Single stages, for tests against independent implementations and for benchmarks.

use std::time::Instant;

use fast_select_core::Error;
use fast_select_core::arrays::matrix::{Matrix, MatrixView};
use fast_select_core::descent::cfd::{
    Batch, CharacteristicFunction, characteristic_function as core_cf,
    pd_cfd_gradient as core_gradient,
};
use fast_select_core::descent::diversity::Diversity;
use fast_select_core::exchange::block::Block;
use fast_select_core::exchange::residual::{Features, Pull};
use fast_select_core::exchange::rules::Rules;
use fast_select_core::graph::connect::connect;
use fast_select_core::graph::fuzzy::fuzzy_simplicial_set;
use fast_select_core::graph::knn::{Neighbors, knn as core_knn};
use fast_select_core::matching::assignment::Assignment;
use fast_select_core::matching::candidate_lists::CandidateLists;
use fast_select_core::numeric::partition::partition;
use fast_select_core::numeric::sample::sample_rows;
use fast_select_core::numeric::sparse::CsrMatrix;
use fast_select_core::options::ValidParams;
use fast_select_core::run::rng::{Purpose, Streams};
use fast_select_core::spectral::spectral_embedding as core_spectral;
use numpy::{
    IntoPyArray, PyArray1, PyArray2, PyArrayMethods, PyReadonlyArray1, PyReadonlyArray2, ToPyArray,
};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::error::to_py;
use crate::run::run;

/// Weight of the residual of the whole, as of dozens of blocks.
const PULL: f64 = 3.0;

/// Rows of an array of any strides; copied unless they are row-major.
enum RowMajor<'a> {
    Borrowed(MatrixView<'a>),
    Copied(Matrix),
}

impl RowMajor<'_> {
    fn view(&self) -> MatrixView<'_> {
        match self {
            Self::Borrowed(x) => *x,
            Self::Copied(x) => x.view(),
        }
    }
}

/// Rows as the stages expect them from `prepare`: some columns, and distances that are numbers.
fn matrix<'a>(x: &'a PyReadonlyArray2<'_, f32>) -> PyResult<RowMajor<'a>> {
    let x = x.as_array();
    if x.ncols() == 0 {
        return Err(to_py(Error::refused("rows", "have no columns")));
    }
    let square = |row: numpy::ndarray::ArrayView1<'_, f32>| row.iter().map(|v| v * v).sum::<f32>();
    if !x
        .rows()
        .into_iter()
        .all(|row| (4.0 * square(row)).is_finite())
    {
        let fact = "hold NaN, infinity or numbers whose squares are too large";
        return Err(to_py(Error::refused("rows", fact)));
    }
    // numpy calls Fortran order contiguous too, but ndarray has a slice of row-major arrays only.
    let rows = match x.to_slice() {
        Some(data) => MatrixView::new(data, x.nrows(), x.ncols()).map(RowMajor::Borrowed),
        None => {
            let data = x.iter().copied().collect();
            Matrix::from_vec(data, x.nrows(), x.ncols()).map(RowMajor::Copied)
        }
    };
    rows.map_err(to_py)
}

/// Offsets as the core takes them.
fn offsets(indptr: &PyReadonlyArray1<'_, i64>) -> PyResult<Vec<usize>> {
    let offset = |&p: &i64| usize::try_from(p);
    let offsets: Result<_, _> = indptr.as_array().iter().map(offset).collect();
    offsets.map_err(|_| to_py(Error::refused("indptr", "holds a negative number")))
}

fn rows<'py, T: numpy::Element + Clone>(
    py: Python<'py>,
    data: &[T],
    cols: usize,
) -> PyResult<Bound<'py, PyArray2<T>>> {
    let n = data.len().checked_div(cols).unwrap_or(0);
    data.to_pyarray(py).reshape([n, cols])
}

type NeighborArrays<'py> = (Bound<'py, PyArray2<u32>>, Bound<'py, PyArray2<f32>>);

/// Indices and distances of the k nearest other rows, (n, k) each.
#[pyfunction]
#[pyo3(signature = (x, k, *, n_threads = 0))]
fn knn<'py>(
    py: Python<'py>,
    x: PyReadonlyArray2<'py, f32>,
    k: usize,
    n_threads: usize,
) -> PyResult<NeighborArrays<'py>> {
    let x = matrix(&x)?;
    let found = run(py, n_threads, None, |monitor| {
        core_knn(x.view(), k, monitor)
    })?;
    Ok((
        rows(py, &found.indices, found.k)?,
        rows(py, &found.dists, found.k)?,
    ))
}

/// The connected fuzzy graph of the rows of `x` and their neighbours, as [`knn`] returns them: CSR
/// arrays, rho and sigma by scale, joints.
#[pyfunction]
#[pyo3(signature = (x, indices, dists, scales, *, n_threads = 0))]
fn fuzzy_graph<'py>(
    py: Python<'py>,
    x: PyReadonlyArray2<'py, f32>,
    indices: PyReadonlyArray2<'py, u32>,
    dists: PyReadonlyArray2<'py, f32>,
    scales: Vec<usize>,
    n_threads: usize,
) -> PyResult<Bound<'py, PyDict>> {
    let x = matrix(&x)?;
    if !dists.as_array().iter().all(|d| *d >= 0.0 && d.is_finite()) {
        let fact = "hold a number that is no distance";
        return Err(to_py(Error::refused("dists", fact)));
    }
    let near = Neighbors {
        k: indices.as_array().ncols(),
        indices: indices.as_array().iter().copied().collect(),
        dists: dists.as_array().iter().copied().collect(),
    };
    let (fuzzy, connected) = run(py, n_threads, None, |monitor| {
        let fuzzy = fuzzy_simplicial_set(&near, x.view().rows(), &scales, monitor)?;
        let connected = connect(fuzzy.clone(), x.view(), monitor)?;
        Ok((fuzzy, connected))
    })?;
    let result = PyDict::new(py);
    let arrays = |graph: &CsrMatrix| {
        let indptr = PyArray1::from_iter(py, graph.indptr.iter().map(|&p| p as i64));
        (
            indptr,
            graph.indices.to_pyarray(py),
            graph.data.to_pyarray(py),
        )
    };
    result.set_item("fuzzy", arrays(&fuzzy.graph))?;
    result.set_item("connected", arrays(&connected.graph))?;
    result.set_item(
        "components_before_joining",
        connected.components_before_joining,
    )?;
    let joints: Vec<_> = connected
        .joints
        .iter()
        .map(|e| (e.i, e.j, e.dist, e.weight))
        .collect();
    result.set_item("joints", joints)?;
    let scales = fuzzy.scales.iter();
    let scales: Vec<_> = scales
        .map(|s| (s.k, s.rho.to_pyarray(py), s.sigma.to_pyarray(py)))
        .collect();
    result.set_item("scales", scales)?;
    Ok(result)
}

type Eigenpairs<'py> = (Vec<f64>, Bound<'py, PyArray2<f32>>, f64, usize);

/// Eigenvalues (c,), eigenvectors (n, c), largest residual and products of L_sym.
#[pyfunction]
#[pyo3(signature = (indptr, indices, data, n_components, *, tol = 1e-4, seed = 0, n_threads = 0))]
#[expect(clippy::too_many_arguments, reason = "keywords on the Python side")]
fn spectral_embedding<'py>(
    py: Python<'py>,
    indptr: PyReadonlyArray1<'py, i64>,
    indices: PyReadonlyArray1<'py, u32>,
    data: PyReadonlyArray1<'py, f32>,
    n_components: usize,
    tol: f64,
    seed: u64,
    n_threads: usize,
) -> PyResult<Eigenpairs<'py>> {
    let graph = CsrMatrix {
        indptr: offsets(&indptr)?,
        indices: indices.as_array().to_vec(),
        data: data.as_array().to_vec(),
    };
    graph.check().map_err(to_py)?;
    let found = run(py, n_threads, None, |monitor| {
        core_spectral(&graph, n_components, tol, Streams::new(seed), monitor)
    })?;
    let vectors = rows(py, found.vectors.as_slice(), found.vectors.cols())?;
    Ok((
        found.eigenvalues,
        vectors,
        found.max_residual,
        found.n_matvecs,
    ))
}

/// Real and imaginary part of the characteristic function of `x` at `freqs`, (q,) each.
#[pyfunction]
#[pyo3(signature = (x, freqs, *, n_threads = 0))]
fn characteristic_function(
    py: Python<'_>,
    x: PyReadonlyArray2<'_, f32>,
    freqs: PyReadonlyArray2<'_, f32>,
    n_threads: usize,
) -> PyResult<(Vec<f64>, Vec<f64>)> {
    let (x, freqs) = (matrix(&x)?, matrix(&freqs)?);
    let cf = run(py, n_threads, None, |monitor| {
        core_cf(x.view(), freqs.view(), |rows| monitor.advance(rows))
    })?;
    Ok((cf.re, cf.im))
}

/// Mean PD-CFD of `y`, (m, p), from the values (`re`, `im`), (q,) each, at `freqs`, (q, p), and its
/// gradient, (m, p); computed `steps` times in the same scratch, as a descent does.
#[pyfunction]
#[pyo3(signature = (y, freqs, re, im, phase_weights, *, steps = 1, n_threads = 0))]
#[expect(clippy::too_many_arguments, reason = "keywords on the Python side")]
fn pd_cfd_gradient<'py>(
    py: Python<'py>,
    y: PyReadonlyArray2<'py, f32>,
    freqs: PyReadonlyArray2<'py, f32>,
    re: Vec<f64>,
    im: Vec<f64>,
    phase_weights: Vec<f64>,
    steps: usize,
    n_threads: usize,
) -> PyResult<(f64, Bound<'py, PyArray2<f32>>)> {
    let (y, freqs) = (matrix(&y)?, matrix(&freqs)?);
    let target = CharacteristicFunction { re, im };
    let (m, p) = (y.view().rows(), y.view().cols());
    let mut grad = vec![0.0; m * p];
    let value = run(py, n_threads, None, |monitor| {
        let batch = Batch {
            freqs: freqs.view(),
            target: &target,
            phase_weights: &phase_weights,
        };
        let (mut value, mut phases) = (0.0, Vec::new());
        for _ in 0..steps {
            monitor.check()?;
            value = core_gradient(y.view(), batch, 1.0, &mut phases, &mut grad)?;
        }
        Ok(value)
    })?;
    let grad = grad.into_pyarray(py).reshape([m, p])?;
    Ok((value, grad))
}

/// Diversity of `y`: its random features Ψ, (m, r), and -logdet(ΨΨᵀ + δI).
#[pyfunction]
fn diversity<'py>(
    py: Python<'py>,
    y: PyReadonlyArray2<'py, f32>,
    length: f32,
    delta: f64,
) -> PyResult<(Bound<'py, PyArray2<f32>>, f64)> {
    let y = matrix(&y)?;
    let y = y.view();
    let map = Diversity::new(y.cols(), length, delta, Streams::new(0));
    let mut grad = vec![0.0; y.rows() * y.cols()];
    let value = map.gradient(y, 1.0, &mut grad).map_err(to_py)?;
    let psi = map.features(y);
    Ok((rows(py, psi.as_slice(), psi.cols())?, value))
}

/// Column of each row at least total cost on CSR candidate lists, (m,), for each of the cost
/// vectors, every one starting from the solution of the one before; and the searches that each
/// took.
#[pyfunction]
fn linear_sum_assignment<'py>(
    py: Python<'py>,
    indptr: PyReadonlyArray1<'py, i64>,
    indices: PyReadonlyArray1<'py, u32>,
    costs: Vec<PyReadonlyArray1<'py, f64>>,
    n: usize,
) -> PyResult<Vec<(Bound<'py, PyArray1<u32>>, usize)>> {
    let indptr = offsets(&indptr)?;
    let m = indptr.len().checked_sub(1);
    let m = m.ok_or_else(|| to_py(Error::refused("indptr", "is empty")))?;
    let mut assignment = Assignment::new(m, n).map_err(to_py)?;
    let mut solved = Vec::new();
    let mut lists = CandidateLists {
        indptr,
        indices: indices.as_array().to_vec(),
        costs: Vec::new(),
    };
    for costs in costs {
        lists.costs = costs.as_array().to_vec();
        let searches = run(py, 1, None, |monitor| assignment.solve(&lists, monitor))?;
        solved.push((assignment.col_ind().to_pyarray(py), searches));
    }
    Ok(solved)
}

/// Seconds that cutting the rows of `x` into `n_cells` cells takes.
#[pyfunction]
#[pyo3(signature = (x, n_cells, *, n_threads = 0))]
fn partition_seconds(
    py: Python<'_>,
    x: PyReadonlyArray2<'_, f32>,
    n_cells: usize,
    n_threads: usize,
) -> PyResult<f64> {
    let x = matrix(&x)?;
    run(py, n_threads, None, |monitor| {
        let since = Instant::now();
        partition(x.view(), n_cells, monitor)?;
        Ok(since.elapsed().as_secs_f64())
    })
}

/// Seconds in which a block of the exchange, the rows of `x`, is made ready, and in which `count` of them are exchanged
/// where the whole pulls on it at `freqs`, (q, p), none where they are empty.
#[pyfunction]
#[pyo3(signature = (x, count, freqs, *, n_threads = 0))]
fn block_seconds(
    py: Python<'_>,
    x: PyReadonlyArray2<'_, f32>,
    count: usize,
    freqs: PyReadonlyArray2<'_, f32>,
    n_threads: usize,
) -> PyResult<(f64, f64)> {
    let (x, freqs) = (matrix(&x)?, matrix(&freqs)?);
    let freqs = freqs.view();
    let features = Features {
        freqs: Matrix::from_vec(freqs.as_slice().to_vec(), freqs.rows(), freqs.cols())
            .map_err(to_py)?,
    };
    let params = ValidParams::default();
    run(py, n_threads, None, |monitor| {
        let mut rng = Streams::new(0).stream(Purpose::Exchange, 0);
        let mut picked = sample_rows(x.view().rows(), count, &mut rng);
        let since = Instant::now();
        let block = Block::new(x.view(), count, params.base_radius, &mut rng, monitor)?;
        let ready = since.elapsed().as_secs_f64();
        let since = Instant::now();
        let pull = if features.width() > 0 {
            // As before the first block: what the picks are short of their share.
            let each = count as f32 / x.view().rows() as f32;
            let share = features.weighted_sum(x.view(), |_| each, |_| monitor.check())?;
            let start = x.view().gather(&picked);
            let own = features.weighted_sum(start.view(), |_| 1.0, |_| Ok(()))?;
            let weight = PULL / (count * features.width() / 2) as f64;
            let slope = own.iter().zip(&share);
            Some(Pull {
                features: &features,
                rows: x.view(),
                slope: slope
                    .map(|(own, share)| (weight * (own - share)) as f32)
                    .collect(),
                weight,
            })
        } else {
            None
        };
        let rules = Rules::default();
        block.exchange(&mut picked, rules, pull, &params, &mut rng, monitor)?;
        Ok((ready, since.elapsed().as_secs_f64()))
    })
}

/// Adds `_core.stages`, with what this file defines.
pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    let stages = PyModule::new(m.py(), "stages")?;
    for function in [
        wrap_pyfunction!(knn, &stages)?,
        wrap_pyfunction!(fuzzy_graph, &stages)?,
        wrap_pyfunction!(spectral_embedding, &stages)?,
        wrap_pyfunction!(characteristic_function, &stages)?,
        wrap_pyfunction!(pd_cfd_gradient, &stages)?,
        wrap_pyfunction!(diversity, &stages)?,
        wrap_pyfunction!(linear_sum_assignment, &stages)?,
        wrap_pyfunction!(partition_seconds, &stages)?,
        wrap_pyfunction!(block_seconds, &stages)?,
    ] {
        stages.add_function(function)?;
    }
    m.add_submodule(&stages)
}
