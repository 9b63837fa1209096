//! Options that were set and change nothing.

use crate::options::spec::{Command, Effect};
use crate::options::table::{default_value, options_of};
use crate::options::{ValidParams, Value};
use crate::run::error::{Error, Result};
use crate::select::schedule::runs;

/// The options of `command`, by name, whose values are not the defaults and have no effect, as the
/// stages that they tune are no part of the run.
///
/// ```
/// use fast_select_core::options::{Command, Method, Params};
/// use fast_select_core::select::effect::without_effect;
///
/// let idle = |params: Params| without_effect(Command::Select, &params.check()?, false);
/// let params = Params { method: Method::Random, max_sweeps: 9, ..Params::default() };
/// assert_eq!(idle(params)?, ["max_sweeps"]);
/// assert!(idle(Params { max_sweeps: 9, ..Params::default() })?.is_empty());
/// let refused = idle(Params { min_per_class: 3, ..Params::default() }).unwrap_err();
/// assert_eq!(refused.to_string(), "min_per_class: has no effect without labels. Give labels");
/// # Ok::<(), fast_select_core::Error>(())
/// ```
///
/// # Errors
/// [`Error::Refused`] naming what is about classes where there are no labels: the selection would not be
/// the one that is meant.
pub fn without_effect(
    command: Command,
    params: &ValidParams,
    has_labels: bool,
) -> Result<Vec<&'static str>> {
    let mut idle = Vec::new();
    for spec in options_of(command) {
        let value = params.value(spec.name);
        if value == Value::Absent || value == default_value(spec, command) {
            continue;
        }
        match spec.effect {
            Effect::WithLabels if !has_labels => {
                let refused = Error::refused(spec.name, "has no effect without labels");
                return Err(refused.fix("Give labels"));
            }
            Effect::In(stage) if !runs(stage, params) => idle.push(spec.name),
            Effect::Always | Effect::WithLabels | Effect::In(_) => {}
        }
    }
    Ok(idle)
}
