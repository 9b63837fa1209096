//! What can go wrong, as fields: which thing, what is the matter with it, what mends it.
//!
//! The message is made where the fact is known and is never taken apart again. `what` is a
//! parameter by its name in [`crate::options`], or an array by its letter or role. A fix may name a
//! parameter in braces, `{nonfinite}`: who shows it puts in what the user would type.

use std::fmt;

/// `std::result::Result` with this crate's [`enum@Error`].
pub type Result<T> = std::result::Result<T, Error>;

/// A refused input, a failed computation or a request to stop.
///
/// ```
/// use fast_select_core::Error;
///
/// let refused = Error::refused("count", "11 is more than the 10 rows").fix("Ask for fewer");
/// assert_eq!(refused.to_string(), "count: 11 is more than the 10 rows. Ask for fewer");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// Input or a parameter that cannot be used.
    Refused(Problem),
    /// A computation that failed on input that is in order.
    Failed(Problem),
    /// The caller asked to stop.
    Interrupted,
}

/// A thing, what is wrong with it, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The parameter, array or computation at fault.
    pub what: &'static str,
    /// What is the matter with it: goes on from "`what`: ".
    pub fact: String,
    /// What to do about it, a sentence without its full stop; empty where the fact says so.
    pub fix: String,
}

impl Error {
    /// [`Error::Refused`] without a fix.
    pub fn refused(what: &'static str, fact: impl Into<String>) -> Self {
        Self::Refused(Problem::new(what, fact))
    }

    /// [`Error::Failed`] without a fix.
    pub fn failed(what: &'static str, fact: impl Into<String>) -> Self {
        Self::Failed(Problem::new(what, fact))
    }

    /// The same with a fix.
    #[must_use]
    pub fn fix(mut self, fix: impl Into<String>) -> Self {
        match &mut self {
            Self::Refused(problem) | Self::Failed(problem) => problem.fix = fix.into(),
            Self::Interrupted => {}
        }
        self
    }
}

impl Problem {
    fn new(what: &'static str, fact: impl Into<String>) -> Self {
        Self {
            what,
            fact: fact.into(),
            fix: String::new(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, fact, fix } = self;
        write!(out, "{what}: {fact}")?;
        if fix.is_empty() {
            Ok(())
        } else {
            write!(out, ". {fix}")
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(problem) | Self::Failed(problem) => problem.fmt(out),
            Self::Interrupted => out.write_str("interrupted"),
        }
    }
}

impl std::error::Error for Error {}

/// A number and the noun that goes with it.
///
/// ```
/// use fast_select_core::run::error::counted;
///
/// assert_eq!(counted(1, "class", "classes"), "1 class");
/// assert_eq!(counted(0, "row", "rows"), "0 rows");
/// ```
#[must_use]
pub fn counted(n: usize, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

/// Checks that an array has `expected` entries.
///
/// # Errors
/// [`Error::Refused`] naming `what`.
pub fn check_len(what: &'static str, got: usize, expected: usize) -> Result<()> {
    if got == expected {
        Ok(())
    } else {
        let got = counted(got, "entry", "entries");
        let verb = if expected == 1 { "is" } else { "are" };
        let fact = format!("has {got} where {expected} {verb} needed");
        Err(Error::refused(what, fact))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_as_thing_fact_and_fix() {
        let plain = Error::refused("labels", "has 3 entries where 4 are needed");
        assert_eq!(check_len("labels", 3, 4), Err(plain.clone()));
        assert_eq!(
            plain.to_string(),
            "labels: has 3 entries where 4 are needed"
        );
        let mended = plain.fix("Give one for each row");
        assert!(
            mended
                .to_string()
                .ends_with("needed. Give one for each row")
        );
        assert_eq!(Error::Interrupted.fix("none").to_string(), "interrupted");
    }
}
