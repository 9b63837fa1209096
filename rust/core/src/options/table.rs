//! The table of options.

use std::ops::Deref;

use crate::options::choices::{
    Balance, Choice, Init, Method, NonFinite, Scale, Schedule, Shares, Space, Weighting,
};
use crate::options::spec::Command::{Compare, Demo, Evaluate, Plan, Select, Verify};
use crate::options::spec::Effect::{Always, In, WithLabels};
use crate::options::spec::Section::{Advanced, Usual};
use crate::options::spec::{Command, Effect, Kind, OptionSpec, Section, Value};
use crate::run::error::{Error, Result};
use crate::run::monitor::Stage::{Exchange, Optimize, Spectral};

/// A type that option values have.
trait OptionValue: Sized {
    fn to_value(&self) -> Value;
    fn from_value(value: &Value) -> Option<Self>;
}

impl OptionValue for u64 {
    fn to_value(&self) -> Value {
        Value::Integer(*self)
    }

    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Integer(value) => Some(*value),
            _ => None,
        }
    }
}

impl OptionValue for bool {
    fn to_value(&self) -> Value {
        Value::Flag(*self)
    }

    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Flag(value) => Some(*value),
            _ => None,
        }
    }
}

impl OptionValue for usize {
    fn to_value(&self) -> Value {
        Value::Integer(*self as u64)
    }

    fn from_value(value: &Value) -> Option<Self> {
        u64::from_value(value)?.try_into().ok()
    }
}

impl OptionValue for f64 {
    fn to_value(&self) -> Value {
        Value::Real(*self)
    }

    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Real(value) => Some(*value),
            _ => None,
        }
    }
}

impl<T: Choice> OptionValue for T {
    fn to_value(&self) -> Value {
        Value::Text(self.name().to_owned())
    }

    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Text(name) => T::named(name),
            _ => None,
        }
    }
}

impl OptionValue for Shares {
    fn to_value(&self) -> Value {
        match self {
            Self::By(balance) => balance.to_value(),
            Self::Given(classes) => {
                let classes = classes.iter();
                let classes = classes.map(|(label, rows)| (label.clone(), *rows as u64));
                Value::Shares(classes.collect())
            }
        }
    }

    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Shares(classes) => {
                let classes = classes.iter();
                let classes = classes.map(|(label, rows)| {
                    let rows = usize::try_from(*rows).ok()?;
                    Some((label.clone(), rows))
                });
                classes.collect::<Option<_>>().map(Self::Given)
            }
            value => Balance::from_value(value).map(Self::By),
        }
    }
}

impl<T: OptionValue> OptionValue for Option<T> {
    fn to_value(&self) -> Value {
        self.as_ref().map_or(Value::Absent, T::to_value)
    }

    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Absent => Some(None),
            value => T::from_value(value).map(Some),
        }
    }
}

const fn integer(least: u64, most: u64) -> Kind {
    Kind::Integer {
        least,
        most: Some(most),
    }
}

/// At least so many.
const fn from(least: u64) -> Kind {
    Kind::Integer { least, most: None }
}

const fn above(least: f64) -> Kind {
    Kind::Real {
        least,
        above: true,
        most: f64::INFINITY,
    }
}

const fn weight() -> Kind {
    Kind::Real {
        least: 0.0,
        above: false,
        most: f64::INFINITY,
    }
}

const fn choice<T: Choice>() -> Kind {
    Kind::Choice(T::NAMES)
}

/// The default that a command has of its own.
macro_rules! own_default {
    () => {
        None
    };
    ($value:literal) => {
        Some($value)
    };
}

/// Where an option matters; everywhere, unless the entry says something else.
macro_rules! effect {
    () => {
        Always
    };
    ($effect:expr) => {
        $effect
    };
}

macro_rules! table {
    ($(
        $(#[doc = $help:literal])+
        $name:ident: $type:ty = $default:expr,
        $flag:literal, $kind:expr, $section:ident,
        [$($command:ident $(= $own:literal)?),+] $(, $effect:expr)?;
    )+) => {
        /// Options of a run that are single values, not checked yet.
        #[derive(Debug, Clone, PartialEq)]
        pub struct Params {
            $( $(#[doc = $help])+ pub $name: $type, )+
        }

        impl Default for Params {
            fn default() -> Self {
                Self { $($name: $default,)+ }
            }
        }

        /// The options that are single values.
        pub const OPTIONS: &[OptionSpec] = &[$(
            OptionSpec {
                name: stringify!($name),
                flag: $flag,
                kind: $kind,
                section: $section,
                effect: effect!($($effect)?),
                commands: &[$(($command, own_default!($($own)?))),+],
                help: concat!($($help),+),
            },
        )+];

        impl Params {
            /// The value of the option `name`; `Absent` where it is not set, or there is none.
            #[must_use]
            pub fn value(&self, name: &str) -> Value {
                match name {
                    $(stringify!($name) => self.$name.to_value(),)+
                    _ => Value::Absent,
                }
            }

            /// Puts a value into its place; `None` where it has none, or the value is of another kind.
            fn put(&mut self, name: &str, value: &Value) -> Option<()> {
                match name {
                    $(stringify!($name) => self.$name = OptionValue::from_value(value)?,)+
                    _ => return None,
                }
                Some(())
            }
        }
    };
}

table! {
    /// Share of the rows to select, rounded to whole rows.
    ratio: Option<f64> = None,
        "--ratio", Kind::Real { least: 0.0, above: true, most: 1.0 }, Usual,
        [Select, Plan, Compare];
    /// Number of rows to select.
    count: Option<usize> = None,
        "--count", from(1), Usual, [Select, Plan];
    /// How the count is shared out among the classes, each of which is selected on its own: in
    /// proportion to their rows, equally, or so many rows of each, which then add up to the count.
    balance: Shares = Shares::By(Balance::Proportional),
        "--balance", Kind::Shares(Balance::NAMES), Usual, [Select, Plan], WithLabels;
    /// Rows that each class gives at least, as far as it has them.
    min_per_class: usize = 1,
        "--min-per-class", from(0), Usual, [Select, Plan], WithLabels;
    /// Rows of a group that are selected at most.
    max_per_group: Option<usize> = None,
        "--max-per-group", from(1), Usual, [Select, Plan];
    /// Also find the order in which to take the rows, so that the first few of them, whatever their number, are as
    /// good as can be; it is compared with selections of 10, 25 and 50 % of them, unless there are no random ones.
    rank: bool = false,
        "--rank", Kind::Flag, Usual, [Select, Plan];
    /// Scaling of the columns.
    scale: Scale = Scale::Auto,
        "--scale", choice::<Scale>(), Usual, [Select, Plan, Evaluate, Compare];
    /// What to do with rows that hold NaN or infinity; where they are dropped, a ratio is of the
    /// others.
    nonfinite: NonFinite = NonFinite::Error,
        "--nonfinite", choice::<NonFinite>(), Usual, [Select, Plan, Evaluate];
    /// Weight of each selected row, in tables and in the report; nearest: how many rows (of its class) have it as
    /// their nearest selected row.
    weights: Weighting = Weighting::None,
        "--weights", choice::<Weighting>(), Usual, [Select, Plan];
    /// Memory that the process may take, the mapped input aside. Blocks become smaller to keep to
    /// it, which selects other rows (the same ones at any number of threads), then fewer threads run;
    /// what cannot be done within it is refused.
    max_memory: Option<u64> = None,
        "--max-memory", Kind::Bytes, Usual, [Select, Plan];
    /// Processes of a distributed run: the plan is of one, over a folder that all of them share.
    workers: Option<usize> = None,
        "--workers", integer(1, 1_000_000), Usual, [Plan];
    /// Memory that each of the workers may take, in the place of --max-memory.
    memory: Option<u64> = None,
        "--memory", Kind::Bytes, Usual, [Plan];
    /// Bytes a second that each of the workers reads and writes at; 500MB where not given.
    bandwidth: Option<u64> = None,
        "--bandwidth", Kind::Bytes, Usual, [Plan];
    /// Random selections to compare with.
    n_random: usize = 20,
        "--random", integer(0, 10_000), Usual, [Select, Demo, Plan, Evaluate = 100];
    // Server packages of 200 to 350 W have 24 to 64 cores, desktop ones of 65 to 125 W have 6 to 16.
    /// Power of a busy core in watts, for the estimate of energy where it cannot be measured.
    watts_per_core: f64 = 10.0,
        "--watts-per-core", above(0.0), Usual, [Select, Demo];
    /// Seed of every random draw; the same seed gives the same rows at any number of threads.
    seed: u64 = 0,
        "--seed", integer(0, u64::MAX), Usual, [Select, Demo, Evaluate, Compare];
    /// Threads; where not given, all that the process may use.
    threads: Option<usize> = None,
        "--threads", integer(1, 1024), Usual, [Select, Demo, Plan, Evaluate, Compare, Verify];
    /// fast: FAST's ideas as a search among the rows; paper: its graph, descent and assignment; the others
    /// are rivals to compare with.
    method: Method = Method::Fast,
        "--method", choice::<Method>(), Advanced, [Select, Plan];
    /// Space in which the descent matches distributions.
    space: Space = Space::Spectral,
        "--space", choice::<Space>(), Advanced, [Select, Plan], In(Optimize);
    /// Neighbours of a row in the graph.
    n_neighbors: usize = 32,
        "--neighbors", from(2), Advanced, [Select, Plan], In(Optimize);
    /// Spectral components.
    n_components: usize = 32,
        "--components", from(1), Advanced, [Select, Plan], In(Spectral);
    /// Frequencies of the library.
    n_freqs: usize = 2048,
        "--frequencies", from(3), Advanced, [Select, Plan], In(Optimize);
    /// Frequencies of a step of the descent.
    batch_size: usize = 256,
        "--batch", from(1), Advanced, [Select, Plan], In(Optimize);
    /// Steps of the descent at most.
    max_steps: usize = 200,
        "--steps", from(0), Advanced, [Select, Plan], In(Optimize);
    /// Length of a step of the descent, over the root of the CF distance that is left.
    learning_rate: f64 = 1.0,
        "--learning-rate", above(0.0), Advanced, [Select, Plan], In(Optimize);
    /// Weight of the diversity term.
    lambda_div: f64 = 0.001,
        "--lambda-div", weight(), Advanced, [Select, Plan], In(Optimize);
    /// Weight of the match term.
    lambda_match: f64 = 0.1,
        "--lambda-match", weight(), Advanced, [Select, Plan], In(Optimize);
    /// Weight of the graph term.
    lambda_graph: f64 = 0.01,
        "--lambda-graph", weight(), Advanced, [Select, Plan], In(Optimize);
    /// Strength of the phase term.
    lambda_phase: f64 = 0.3,
        "--lambda-phase", weight(), Advanced, [Select, Plan], In(Optimize);
    /// Rows to start from.
    init: Init = Init::Random,
        "--init", choice::<Init>(), Advanced, [Select, Plan], In(Optimize);
    /// Order in which frequencies take part.
    schedule: Schedule = Schedule::Progressive,
        "--schedule", choice::<Schedule>(), Advanced, [Select, Plan], In(Optimize);
    /// Coarsest radius of the exchange, in units of one over the median distance; each of the four
    /// is twice the one before.
    base_radius: f64 = 0.7,
        "--base-radius", above(0.0), Advanced, [Select, Plan], In(Exchange);
    /// Weight of the mean distance to the nearest pick in the exchange.
    lambda_cover: f64 = 1.0,
        "--lambda-cover", weight(), Advanced, [Select, Plan], In(Exchange);
    /// Rounds of the exchange at most.
    max_sweeps: usize = 4,
        "--sweeps", from(0), Advanced, [Select, Plan], In(Exchange);
    /// Rows exchanged among each other at most; larger groups are cut.
    block_rows: usize = 16_384,
        "--block-rows", from(64), Advanced, [Select, Plan];
}

/// The options that are arrays: they are no part of [`Params`].
pub const ARRAYS: &[OptionSpec] = &[
    OptionSpec {
        name: "labels",
        flag: "--labels",
        kind: Kind::Labels,
        section: Section::Usual,
        effect: Effect::Always,
        commands: &[
            (Select, None),
            (Plan, None),
            (Evaluate, None),
            (Compare, None),
            (Verify, None),
        ],
        help: " Class of each row.",
    },
    OptionSpec {
        name: "groups",
        flag: "--groups",
        kind: Kind::Labels,
        section: Section::Usual,
        effect: Effect::Always,
        commands: &[(Select, None), (Plan, None), (Verify, None)],
        help: " Group of each row, of which a few at most are selected: frames of a video, scans of a patient.",
    },
    OptionSpec {
        name: "include",
        flag: "--include",
        kind: Kind::Rows,
        section: Section::Usual,
        effect: Effect::Always,
        commands: &[(Select, None), (Verify, None)],
        help: " Rows to select in any case.",
    },
    OptionSpec {
        name: "exclude",
        flag: "--exclude",
        kind: Kind::Rows,
        section: Section::Usual,
        effect: Effect::Always,
        commands: &[(Select, None), (Verify, None)],
        help: " Rows not to select; they still count in the whole.",
    },
];

/// All options of a command, in the order in which help pages list them.
///
/// ```
/// use fast_select_core::options::Command;
/// use fast_select_core::options::table::options_of;
///
/// assert!(options_of(Command::Select).any(|spec| spec.name == "n_neighbors"));
/// ```
pub fn options_of(command: Command) -> impl Iterator<Item = &'static OptionSpec> {
    // How many rows, then of what, then how.
    let is_size = |spec: &&OptionSpec| matches!(spec.name, "ratio" | "count");
    let sizes = OPTIONS.iter().filter(is_size);
    let others = OPTIONS.iter().filter(move |spec| !is_size(spec));
    sizes
        .chain(ARRAYS)
        .chain(others)
        .filter(move |spec| spec.is_of(command))
}

impl Params {
    /// Sets the option `name`; whether the value lies in its range is for [`Params::check`] to say.
    ///
    /// ```
    /// use fast_select_core::options::{Params, Value};
    ///
    /// let mut params = Params::default();
    /// params.set("n_neighbors", &Value::Integer(8))?;
    /// assert_eq!(params.n_neighbors, 8);
    /// assert!(params.set("n_neighbors", &Value::Real(8.0)).is_err());
    /// # Ok::<(), fast_select_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Refused`] for a name that is none, or a value of another kind.
    pub fn set(&mut self, name: &str, value: &Value) -> Result<()> {
        let Some(spec) = OPTIONS.iter().find(|spec| spec.name == name) else {
            let fact = format!("there is no option '{name}'");
            return Err(Error::refused("options", fact));
        };
        self.put(name, value).ok_or_else(|| spec.refusal(value))
    }

    /// Checks every value against the table.
    ///
    /// ```
    /// use fast_select_core::options::Params;
    ///
    /// let params = Params { n_neighbors: 1, ..Params::default() };
    /// let refused = params.check().unwrap_err();
    /// assert_eq!(refused.to_string(), "n_neighbors: 1 is not an integer, 2 or more");
    /// ```
    ///
    /// # Errors
    /// [`Error::Refused`] naming the first one outside its range.
    pub fn check(self) -> Result<ValidParams> {
        for spec in OPTIONS {
            let value = self.value(spec.name);
            if value != Value::Absent {
                spec.check(&value)?;
            }
        }
        Ok(ValidParams(self))
    }
}

/// The default of an option for a command.
#[must_use]
pub fn default_value(spec: &OptionSpec, command: Command) -> Value {
    let own = spec.commands.iter().find(|(of, _)| *of == command);
    match own {
        Some((_, Some(value))) => Value::Integer(*value),
        _ => Params::default().value(spec.name),
    }
}

/// Options of a run, checked once: what every stage takes. (The defaults lie in their ranges: a test
/// checks them.)
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ValidParams(Params);

impl ValidParams {
    /// The same with blocks of `block_rows` rows and other threads.
    ///
    /// # Errors
    /// [`Error::Refused`] for numbers that the table does not allow.
    pub fn fitted(&self, block_rows: usize, threads: Option<usize>) -> Result<Self> {
        let params = Params {
            block_rows,
            threads,
            ..self.0.clone()
        };
        params.check()
    }
}

impl Deref for ValidParams {
    type Target = Params;

    fn deref(&self) -> &Params {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_in_range_and_names_and_flags_are_single() {
        assert_eq!(Params::default().check().unwrap(), ValidParams::default());
        for field in [|spec: &OptionSpec| spec.name, |spec: &OptionSpec| spec.flag] {
            let mut all: Vec<&str> = OPTIONS.iter().chain(ARRAYS).map(field).collect();
            let count = all.len();
            all.sort_unstable();
            all.dedup();
            assert_eq!(all.len(), count);
        }
        for spec in OPTIONS {
            for (command, own) in spec.commands {
                let value = default_value(spec, *command);
                assert!(value == Value::Absent || spec.check(&value).is_ok());
                assert!(own.is_none_or(|own| value == Value::Integer(own)));
            }
        }
    }

    #[test]
    fn what_is_set_is_read_back_and_what_does_not_fit_is_refused() {
        let mut params = Params::default();
        for spec in OPTIONS {
            let (good, bad) = match spec.kind {
                Kind::Integer { least, most } => {
                    let above = most.and_then(|most| most.checked_add(1));
                    let bad = above.or(least.checked_sub(1)).map(Value::Integer);
                    (Value::Integer(least), bad.unwrap_or(Value::Real(-1.0)))
                }
                Kind::Real { least, .. } => (Value::Real(least + 0.5), Value::Real(least - 1.0)),
                Kind::Choice(names) | Kind::Shares(names) => (
                    Value::Text(names[names.len() - 1].to_owned()),
                    Value::Text("no such".to_owned()),
                ),
                Kind::Flag => (Value::Flag(true), Value::Integer(2)),
                _ => (Value::Integer(1), Value::Integer(0)),
            };
            params.set(spec.name, &good).unwrap();
            assert_eq!(params.value(spec.name), good, "{}", spec.name);
            let mut outside = params.clone();
            let refused = outside.set(spec.name, &bad).and_then(|()| outside.check());
            let refused = refused.unwrap_err().to_string();
            assert!(refused.contains(&spec.kind.rule()), "{refused}");
            let other = match spec.kind {
                Kind::Choice(_) | Kind::Shares(_) => Value::Integer(1),
                _ => Value::Text("one".to_owned()),
            };
            assert!(params.set(spec.name, &other).is_err(), "{}", spec.name);
            assert_eq!(params.value(spec.name), good);
        }
        assert!(params.set("no_such", &Value::Integer(1)).is_err());
        assert!(params.set("seed", &Value::Absent).is_err());
        params.set("threads", &Value::Absent).unwrap();
        assert_eq!(params.threads, None);
    }
}
