//! What can go wrong, as data: which thing, which value, which rule.

use thiserror::Error;

/// `std::result::Result` with this crate's [`enum@Error`].
pub type Result<T> = std::result::Result<T, Error>;

/// A refused input, a failed computation or a request to stop.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum Error {
    /// Two arrays whose shapes must agree do not.
    #[error("{name} has {got} entries where {expected} are needed")]
    Shape {
        /// The array at fault.
        name: &'static str,
        /// The length that was needed.
        expected: usize,
        /// The length that was given.
        got: usize,
    },
    /// A parameter outside its range (NaN counts as outside).
    #[error("{name} = {value} {rule}")]
    Parameter {
        /// The parameter at fault.
        name: &'static str,
        /// Its value, as text.
        value: String,
        /// What it has to be.
        rule: String,
    },
    /// NaN or infinite entries in the input.
    #[error("{count} of {n_rows} rows hold NaN or infinity (first rows: {first:?})")]
    NonFinite {
        /// How many rows hold at least one such entry.
        count: usize,
        /// The number of rows in all.
        n_rows: usize,
        /// The first few of them.
        first: Vec<usize>,
    },
    /// An iteration ended before it met its tolerance.
    #[error("{stage}: residual {residual:.1e} after {iterations} iterations, above {tol:.1e}")]
    NotConverged {
        /// The computation.
        stage: &'static str,
        /// The residual it reached.
        residual: f64,
        /// The residual it had to reach.
        tol: f64,
        /// Iterations done.
        iterations: usize,
    },
    /// The caller asked to stop.
    #[error("interrupted")]
    Interrupted,
}

impl Error {
    /// A [`Error::Parameter`] from anything that prints.
    pub fn parameter(
        name: &'static str,
        value: impl std::fmt::Display,
        rule: impl Into<String>,
    ) -> Self {
        Self::Parameter {
            name,
            value: value.to_string(),
            rule: rule.into(),
        }
    }
}

/// Checks that `got == expected`.
///
/// # Errors
/// [`Error::Shape`] naming `name`.
pub fn check_len(name: &'static str, got: usize, expected: usize) -> Result<()> {
    if got == expected {
        Ok(())
    } else {
        Err(Error::Shape {
            name,
            expected,
            got,
        })
    }
}

/// Checks that `value > 0`; refuses NaN.
///
/// # Errors
/// [`Error::Parameter`] naming `name`.
pub fn check_positive(name: &'static str, value: f64) -> Result<()> {
    if value > 0.0 && value.is_finite() {
        Ok(())
    } else {
        Err(Error::parameter(
            name,
            value,
            "must be a finite number above 0",
        ))
    }
}

/// Checks that `value >= 0`; refuses NaN.
///
/// # Errors
/// [`Error::Parameter`] naming `name`.
pub fn check_non_negative(name: &'static str, value: f64) -> Result<()> {
    if value >= 0.0 && value.is_finite() {
        Ok(())
    } else {
        Err(Error::parameter(
            name,
            value,
            "must be a finite number, 0 or more",
        ))
    }
}
