//! Keyword options of a selection: names, defaults and values.

use fast_select_core::pdas::Schedule;
use fast_select_core::select::{Init, Method, SelectOptions};
use fast_select_core::space::Space;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use crate::error::{InvalidInput, to_py};

fn invalid(name: &str, value: &Bound<'_, PyAny>, rule: &str) -> PyErr {
    InvalidInput::new_err((name.to_owned(), format!("{name} = {value} {rule}")))
}

fn parse<T: std::str::FromStr<Err = fast_select_core::Error>>(
    name: &str,
    value: &Bound<'_, PyAny>,
) -> PyResult<T> {
    let text = value.cast::<PyString>();
    let text = text.map_err(|_| invalid(name, value, "must be a string"))?;
    text.to_cow()?.parse().map_err(to_py)
}

fn count(name: &str, value: &Bound<'_, PyAny>) -> PyResult<usize> {
    let value_of = value.extract();
    value_of.map_err(|_| invalid(name, value, "must be an integer, 0 or more"))
}

fn real(name: &str, value: &Bound<'_, PyAny>) -> PyResult<f64> {
    let value_of = value.extract();
    value_of.map_err(|_| invalid(name, value, "must be a number"))
}

/// Options with the keywords given set.
///
/// # Errors
/// `InvalidInput` for an unknown name or a value of the wrong kind; ranges are the core's to check.
pub fn select_options(seed: u64, keywords: Option<&Bound<'_, PyDict>>) -> PyResult<SelectOptions> {
    let mut options = SelectOptions {
        seed,
        ..SelectOptions::default()
    };
    let (descent, exchange) = (&mut options.optimize, &mut options.exchange);
    for (key, value) in keywords.into_iter().flatten() {
        let name = key.extract::<String>()?;
        let (name, value) = (name.as_str(), &value);
        match name {
            "method" => options.method = parse::<Method>(name, value)?,
            "space" => options.space = parse::<Space>(name, value)?,
            "init" => options.init = parse::<Init>(name, value)?,
            "schedule" => descent.schedule = parse::<Schedule>(name, value)?,
            "n_neighbors" => options.n_neighbors = count(name, value)?,
            "n_components" => options.n_components = count(name, value)?,
            "n_freqs" => options.n_freqs = count(name, value)?,
            "batch_size" => descent.batch_size = count(name, value)?,
            "max_steps" => descent.max_steps = count(name, value)?,
            "learning_rate" => descent.learning_rate = real(name, value)?,
            "lambda_div" => descent.lambda_div = real(name, value)?,
            "lambda_match" => descent.lambda_match = real(name, value)?,
            "lambda_graph" => descent.lambda_graph = real(name, value)?,
            "lambda_phase" => descent.lambda_phase = real(name, value)?,
            "base_radius" => exchange.base_radius = real(name, value)?,
            "lambda_cover" => exchange.lambda_cover = real(name, value)?,
            "max_sweeps" => exchange.max_sweeps = count(name, value)?,
            "block_rows" => exchange.block_rows = count(name, value)?,
            _ => return Err(invalid(name, value, "is not an option")),
        }
    }
    Ok(options)
}

/// Names and defaults of the options.
#[pyfunction]
pub fn default_options(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
    let SelectOptions {
        method,
        space,
        n_neighbors,
        n_components,
        n_freqs,
        init,
        optimize,
        exchange,
        seed: _,
    } = SelectOptions::default();
    let options = PyDict::new(py);
    options.set_item("method", method.name())?;
    options.set_item("space", space.name())?;
    options.set_item("n_neighbors", n_neighbors)?;
    options.set_item("n_components", n_components)?;
    options.set_item("n_freqs", n_freqs)?;
    options.set_item("init", init.name())?;
    options.set_item("schedule", optimize.schedule.name())?;
    options.set_item("batch_size", optimize.batch_size)?;
    options.set_item("max_steps", optimize.max_steps)?;
    options.set_item("learning_rate", optimize.learning_rate)?;
    options.set_item("lambda_div", optimize.lambda_div)?;
    options.set_item("lambda_match", optimize.lambda_match)?;
    options.set_item("lambda_graph", optimize.lambda_graph)?;
    options.set_item("lambda_phase", optimize.lambda_phase)?;
    options.set_item("base_radius", exchange.base_radius)?;
    options.set_item("lambda_cover", exchange.lambda_cover)?;
    options.set_item("max_sweeps", exchange.max_sweeps)?;
    options.set_item("block_rows", exchange.block_rows)?;
    Ok(options)
}
