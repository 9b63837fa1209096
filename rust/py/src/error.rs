//! Core errors as Python exceptions; the only place where they are told apart.

use fast_select_core::Error;
use pyo3::exceptions::{PyKeyboardInterrupt, PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::{PyErr, create_exception};

create_exception!(
    _core,
    InvalidInput,
    PyValueError,
    "A refused input or parameter; args are (name, fact and rule)."
);
create_exception!(
    _core,
    NonFinite,
    InvalidInput,
    "Rows with NaN or infinity; attributes count and first."
);
create_exception!(
    _core,
    NotConverged,
    PyRuntimeError,
    "An iteration ended before it met its tolerance."
);

/// Adds the exception types to the module.
pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add("InvalidInput", m.py().get_type::<InvalidInput>())?;
    m.add("NonFinite", m.py().get_type::<NonFinite>())?;
    m.add("NotConverged", m.py().get_type::<NotConverged>())
}

/// The Python exception for a core error.
pub fn to_py(err: Error) -> PyErr {
    let message = err.to_string();
    match err {
        Error::Shape { name, .. } => InvalidInput::new_err((name, message)),
        Error::Parameter { name, .. } => InvalidInput::new_err((name, message)),
        Error::NonFinite { count, first, .. } => {
            let err = NonFinite::new_err(("x", message));
            let set = Python::attach(|py| {
                let value = err.value(py);
                value.setattr("count", count)?;
                value.setattr("first", first)
            });
            set.err().unwrap_or(err)
        }
        Error::NotConverged { .. } => NotConverged::new_err(message),
        Error::Interrupted => PyKeyboardInterrupt::new_err(()),
    }
}
