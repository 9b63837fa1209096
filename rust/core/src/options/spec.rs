//! What an entry of the table of options says, and how a value is checked against it.

use crate::options::choices::Choice;
use crate::run::error::{Error, Result};
use crate::run::monitor::Stage;

/// What a value may be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// A whole number from `least` to `most`.
    Integer {
        /// The least.
        least: u64,
        /// The most, if there is one.
        most: Option<u64>,
    },
    /// A finite number.
    Real {
        /// The least, or what it must exceed.
        least: f64,
        /// Whether `least` itself is refused.
        above: bool,
        /// The most; infinite for no limit.
        most: f64,
    },
    /// Yes or no.
    Flag,
    /// One of these names.
    Choice(&'static [&'static str]),
    /// One of these names, or rows of each class: a mapping in Python, a file on the command line.
    Shares(&'static [&'static str]),
    /// A size in bytes; on the command line with a unit, such as 2GiB.
    Bytes,
    /// A class for each row: an array in Python, a file on the command line.
    Labels,
    /// Row numbers: an array in Python, a file on the command line.
    Rows,
}

/// The commands, by their names; `Select` is also what works in Python.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// `select`.
    Select,
    /// `demo`.
    Demo,
    /// `plan`.
    Plan,
    /// `evaluate`.
    Evaluate,
    /// `compare`.
    Compare,
    /// `verify`.
    Verify,
}

impl Choice for Command {
    const NAMES: &'static [&'static str] =
        &["select", "demo", "plan", "evaluate", "compare", "verify"];

    fn name(self) -> &'static str {
        Self::NAMES[self as usize]
    }

    fn named(name: &str) -> Option<Self> {
        use Command::{Compare, Demo, Evaluate, Plan, Select, Verify};
        let all = [Select, Demo, Plan, Evaluate, Compare, Verify];
        all.into_iter().find(|command| command.name() == name)
    }
}

/// Where a help page lists an option.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    /// Among those that most users meet.
    Usual,
    /// Apart, as they tune a method.
    Advanced,
}

/// Where an option matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// In every run.
    Always,
    /// In runs with labels.
    WithLabels,
    /// In runs that have this stage.
    In(Stage),
}

/// An entry of the table.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OptionSpec {
    /// Keyword in Python.
    pub name: &'static str,
    /// Flag on the command line.
    pub flag: &'static str,
    /// What the value may be.
    pub kind: Kind,
    /// Where help pages list it.
    pub section: Section,
    /// Where it matters.
    pub effect: Effect,
    /// The commands that have it, and the default where that is the command's own.
    pub commands: &'static [(Command, Option<u64>)],
    /// What it does: its documentation, line breaks and all.
    pub help: &'static str,
}

/// A value as it comes from outside.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Not given, where that means something.
    Absent,
    /// A whole number, 0 or more.
    Integer(u64),
    /// A number.
    Real(f64),
    /// Yes or no.
    Flag(bool),
    /// A name.
    Text(String),
    /// Rows of classes, by their labels.
    Shares(Vec<(String, u64)>),
}

impl std::fmt::Display for Value {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Absent => out.write_str("nothing"),
            Self::Integer(value) => value.fmt(out),
            Self::Real(value) => value.fmt(out),
            Self::Flag(value) => value.fmt(out),
            Self::Text(text) => write!(out, "'{text}'"),
            Self::Shares(classes) => write!(out, "{} classes", classes.len()),
        }
    }
}

impl Kind {
    /// What a value must be, in words.
    #[must_use]
    pub fn rule(self) -> String {
        match self {
            Self::Integer { least, most: None } => format!("an integer, {least} or more"),
            Self::Integer {
                least,
                most: Some(most),
            } => format!("an integer from {least} to {most}"),
            Self::Real { least, above, most } => {
                let low = if above { "above" } else { "from" };
                if most.is_finite() {
                    format!("a number {low} {least} and at most {most}")
                } else if above {
                    format!("a finite number above {least}")
                } else {
                    format!("a finite number, {least} or more")
                }
            }
            Self::Flag => "true or false".to_owned(),
            Self::Choice(names) => format!("one of {}", names.join(", ")),
            Self::Shares(names) => {
                format!(
                    "one of {}, or rows of each class by its label",
                    names.join(", ")
                )
            }
            Self::Bytes => "a number of bytes, 1 or more".to_owned(),
            Self::Labels => "one label for each row".to_owned(),
            Self::Rows => "row numbers".to_owned(),
        }
    }

    /// Whether a value fits; NaN fits nothing.
    fn admits(self, value: &Value) -> bool {
        match (self, value) {
            (Self::Integer { least, most }, Value::Integer(v)) => {
                *v >= least && most.is_none_or(|most| *v <= most)
            }
            (Self::Real { least, above, most }, Value::Real(v)) => {
                v.is_finite() && *v <= most && if above { *v > least } else { *v >= least }
            }
            (Self::Choice(names) | Self::Shares(names), Value::Text(v)) => {
                names.contains(&v.as_str())
            }
            (Self::Flag, Value::Flag(_)) | (Self::Shares(_), Value::Shares(_)) => true,
            (Self::Bytes, Value::Integer(v)) => *v > 0,
            _ => false,
        }
    }
}

impl OptionSpec {
    /// Checks a value that was given.
    ///
    /// # Errors
    /// [`Error::Refused`] naming the option, the value and what it must be.
    pub fn check(&self, value: &Value) -> Result<()> {
        if self.kind.admits(value) {
            Ok(())
        } else {
            Err(self.refusal(value))
        }
    }

    /// The error for a value that does not fit.
    #[must_use]
    pub fn refusal(&self, value: &dyn std::fmt::Display) -> Error {
        Error::refused(self.name, format!("{value} is not {}", self.kind.rule()))
    }

    /// Whether a command has it.
    #[must_use]
    pub fn is_of(&self, command: Command) -> bool {
        self.commands.iter().any(|(of, _)| *of == command)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_refuse_what_is_outside_and_not_a_number() {
        let real = |least, above, most| Kind::Real { least, above, most };
        for (kind, good, bad) in [
            (real(0.0, true, 1.0), [1e-9, 1.0], [0.0, 1.1]),
            (
                real(0.0, false, f64::INFINITY),
                [0.0, 1e300],
                [-1e-9, f64::INFINITY],
            ),
        ] {
            assert!(good.iter().all(|v| kind.admits(&Value::Real(*v))));
            assert!(!bad.iter().any(|v| kind.admits(&Value::Real(*v))));
            assert!(!kind.admits(&Value::Real(f64::NAN)));
            assert!(!kind.admits(&Value::Integer(1)) && !kind.admits(&Value::Absent));
        }
        let integer = Kind::Integer {
            least: 2,
            most: Some(5),
        };
        assert!(integer.admits(&Value::Integer(5)) && !integer.admits(&Value::Integer(6)));
    }

    #[test]
    fn commands_lead_back() {
        for name in Command::NAMES {
            assert_eq!(Command::named(name).unwrap().name(), *name);
        }
    }
}
