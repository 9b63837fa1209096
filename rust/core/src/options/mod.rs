//! What a user can set: one table, and the values of a run, checked once.
//!
//! | file | what it holds |
//! |---|---|
//! | [`table`] | the table: name, flag, kind, range, default, help and commands of every option; [`Params`] and [`ValidParams`] |
//! | [`spec`] | what an entry of it says, and how a value is checked against it |
//! | [`choices`] | the enumerations that are chosen by name |
//!
//! The seam to Python, the command line, docstrings and error texts read the table; an option is added
//! by an entry there and the line that uses it.

pub mod choices;
pub mod spec;
pub mod table;

pub use choices::{
    Balance, Choice, Init, Method, NonFinite, Scale, Schedule, Shares, Space, Weighting,
};
pub use spec::{Command, Kind, OptionSpec, Section, Value};
pub use table::{OPTIONS, Params, ValidParams};
