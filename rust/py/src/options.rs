//! The table of options, and the values of a run, checked against it once.

use fast_select_core::Error;
use fast_select_core::options::spec::{Command, Kind, OptionSpec, Section, Value};
use fast_select_core::options::table::{default_value, options_of};
use fast_select_core::options::{Choice, Params, ValidParams};
use fast_select_core::select::check_takes_constraints;
use fast_select_core::select::effect::without_effect;
use fast_select_core::select::request::{check_caps, check_size, rows_wanted};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyList, PyString};

use crate::error::to_py;

/// Characters of a refused value that are shown.
const SHOWN: usize = 60;

/// Checked options of a command.
#[pyclass(frozen, name = "Params", module = "fast_select._core")]
pub struct PyParams {
    command: Command,
    pub inner: ValidParams,
}

impl PyParams {
    /// Threads to run on; 0: all that the process may use.
    pub fn n_threads(&self) -> usize {
        self.inner.threads.unwrap_or(0)
    }
}

#[pymethods]
impl PyParams {
    /// The options given, and the command's defaults for the others.
    #[new]
    #[pyo3(signature = (command, **options))]
    fn new(command: &str, options: Option<&Bound<'_, PyDict>>) -> PyResult<Self> {
        let command = named(command)?;
        let mut params = Params::default();
        for spec in options_of(command) {
            let own = default_value(spec, command);
            if own != params.value(spec.name) {
                params.set(spec.name, &own).map_err(to_py)?;
            }
        }
        for (name, value) in options.into_iter().flatten() {
            let name = name.extract::<String>()?;
            let Some(spec) = options_of(command).find(|spec| spec.name == name) else {
                let fact = format!("has no option '{name}'");
                return Err(to_py(Error::refused(command.name(), fact)));
            };
            let value = value_of(spec, &value)?;
            params.set(spec.name, &value).map_err(to_py)?;
        }
        let inner = params.check().map_err(to_py)?;
        Ok(Self { command, inner })
    }

    /// The values of the command's options, by name; `None` where one is not set.
    fn values<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let values = PyDict::new(py);
        for spec in options_of(self.command) {
            if !matches!(spec.kind, Kind::Labels | Kind::Rows) {
                values.set_item(spec.name, to_object(py, self.inner.value(spec.name))?)?;
            }
        }
        Ok(values)
    }

    /// Refuses both or neither of `ratio` and `count`.
    fn check_size(&self) -> PyResult<()> {
        check_size(&self.inner).map_err(to_py)
    }

    /// The number of rows, of n, that `ratio` or `count` asks for.
    fn rows_wanted(&self, n: usize) -> PyResult<usize> {
        rows_wanted(n, &self.inner).map_err(to_py)
    }

    /// Refuses a method that takes no account of included and excluded rows.
    fn check_takes_constraints(&self) -> PyResult<()> {
        check_takes_constraints(self.inner.method).map_err(to_py)
    }

    /// Refuses one of groups and `max_per_group` without the other.
    fn check_caps(&self, has_groups: bool) -> PyResult<()> {
        check_caps(has_groups, &self.inner).map_err(to_py)
    }

    /// Names of the options that were set and have no effect; refuses those that need labels.
    fn without_effect(&self, has_labels: bool) -> PyResult<Vec<&'static str>> {
        without_effect(self.command, &self.inner, has_labels).map_err(to_py)
    }

    /// The same with blocks of `block_rows` rows and `threads` threads.
    fn fitted(&self, block_rows: usize, threads: usize) -> PyResult<Self> {
        let inner = self.inner.fitted(block_rows, Some(threads));
        let inner = inner.map_err(to_py)?;
        let command = self.command;
        Ok(Self { command, inner })
    }
}

fn named(command: &str) -> PyResult<Command> {
    Command::named(command).ok_or_else(|| {
        let fact = format!("'{command}' is not one of {}", Command::NAMES.join(", "));
        to_py(Error::refused("command", fact))
    })
}

/// A Python object as a value of the option's kind.
fn value_of(spec: &OptionSpec, object: &Bound<'_, PyAny>) -> PyResult<Value> {
    if object.is_none() {
        return Ok(Value::Absent);
    }
    let value = match spec.kind {
        Kind::Flag => object
            .cast::<PyBool>()
            .ok()
            .map(|flag| Value::Flag(flag.is_true())),
        _ if object.is_instance_of::<PyBool>() || is_array(object) => None,
        Kind::Integer { .. } | Kind::Bytes => object.extract().ok().map(Value::Integer),
        Kind::Real { .. } if object.is_instance_of::<PyString>() => None,
        Kind::Real { .. } => object.extract().ok().map(Value::Real),
        Kind::Choice(_) => object.extract().ok().map(Value::Text),
        Kind::Shares(_) => match object.cast::<PyDict>() {
            Ok(classes) => pairs(classes).map(Value::Shares),
            Err(_) => object.extract().ok().map(Value::Text),
        },
        Kind::Labels | Kind::Rows => None,
    };
    value.ok_or_else(|| {
        let shown = object
            .repr()
            .map_or_else(|_| "it".to_owned(), |r| shortened(&r.to_string_lossy()));
        to_py(spec.refusal(&shown))
    })
}

/// The entries of a dictionary of numbers by names, in order.
fn pairs(classes: &Bound<'_, PyDict>) -> Option<Vec<(String, u64)>> {
    let pairs = classes.iter();
    let pairs = pairs.map(|(label, rows)| Some((label.extract().ok()?, rows.extract().ok()?)));
    pairs.collect()
}

/// Whether an object is an array or a numpy scalar that is no number, which Python might convert.
fn is_array(object: &Bound<'_, PyAny>) -> bool {
    let holds = |name: &str, test: fn(&Bound<'_, PyAny>) -> bool| {
        object.getattr(name).is_ok_and(|value| test(&value))
    };
    let is_several = |shape: &Bound<'_, PyAny>| shape.len().is_ok_and(|ndim| ndim > 0);
    let is_no_number = |dtype: &Bound<'_, PyAny>| {
        let kind = dtype.getattr("kind").and_then(|k| k.extract::<String>());
        kind.is_ok_and(|kind| !"iuf".contains(&kind))
    };
    !object.is_instance_of::<PyString>()
        && (holds("shape", is_several) || holds("dtype", is_no_number))
}

/// A value on one line, of at most 60 characters.
fn shortened(text: &str) -> String {
    let line = one_line(text);
    match line.char_indices().nth(SHOWN) {
        Some((at, _)) => format!("{}...", &line[..at]),
        None => line,
    }
}

fn to_object(py: Python<'_>, value: Value) -> PyResult<Bound<'_, PyAny>> {
    Ok(match value {
        Value::Absent => py.None().into_bound(py),
        Value::Integer(value) => value.into_pyobject(py)?.into_any(),
        Value::Real(value) => value.into_pyobject(py)?.into_any(),
        Value::Flag(value) => PyBool::new(py, value).to_owned().into_any(),
        Value::Text(value) => value.into_pyobject(py)?.into_any(),
        Value::Shares(classes) => {
            let counts = PyDict::new(py);
            for (label, rows) in classes {
                counts.set_item(label, rows)?;
            }
            counts.into_any()
        }
    })
}

/// The options of a command: a dictionary each, in the order in which help pages list them.
#[pyfunction]
fn option_table<'py>(py: Python<'py>, command: &str) -> PyResult<Bound<'py, PyList>> {
    let command = named(command)?;
    let entries = options_of(command).map(|spec| {
        let entry = PyDict::new(py);
        entry.set_item("name", spec.name)?;
        entry.set_item("flag", spec.flag)?;
        entry.set_item("help", one_line(spec.help))?;
        entry.set_item("advanced", spec.section == Section::Advanced)?;
        entry.set_item("default", to_object(py, default_value(spec, command))?)?;
        entry.set_item("rule", spec.kind.rule())?;
        let (kind, choices) = match spec.kind {
            Kind::Integer { .. } => ("integer", None),
            Kind::Real { .. } => ("real", None),
            Kind::Choice(names) => ("choice", Some(names)),
            Kind::Flag => ("flag", None),
            Kind::Shares(names) => ("shares", Some(names)),
            Kind::Bytes => ("bytes", None),
            Kind::Labels => ("labels", None),
            Kind::Rows => ("rows", None),
        };
        entry.set_item("kind", kind)?;
        entry.set_item("choices", choices)?;
        Ok(entry)
    });
    PyList::new(py, entries.collect::<PyResult<Vec<_>>>()?)
}

/// A documentation comment without its line breaks.
fn one_line(help: &str) -> String {
    help.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Adds what this file defines to the module.
pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_class::<PyParams>()?;
    m.add_function(wrap_pyfunction!(option_table, m)?)
}
