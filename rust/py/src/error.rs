//! Core errors as Python exceptions; the only place where they are told apart.

use fast_select_core::Error;
use fast_select_core::run::error::Problem;
use pyo3::exceptions::{PyKeyboardInterrupt, PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::{PyErr, create_exception};

create_exception!(
    _core,
    Refused,
    PyValueError,
    "A refused input or parameter; args are (what, fact, fix)."
);
create_exception!(
    _core,
    Failed,
    PyRuntimeError,
    "A computation that failed on input that is in order; args are (what, fact, fix)."
);

/// Adds the exception types to the module.
pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add("Refused", m.py().get_type::<Refused>())?;
    m.add("Failed", m.py().get_type::<Failed>())
}

/// The Python exception for a core error.
pub fn to_py(err: Error) -> PyErr {
    match err {
        Error::Refused(Problem { what, fact, fix }) => Refused::new_err((what, fact, fix)),
        Error::Failed(Problem { what, fact, fix }) => Failed::new_err((what, fact, fix)),
        Error::Interrupted => PyKeyboardInterrupt::new_err(()),
    }
}
