//! Groups: the rows that are selected together, and what may become of each.

use crate::exchange::rules::Caps;

/// Rows that are selected together, to their own distribution.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// Rows of Z, ascending.
    pub members: Vec<u32>,
    /// How many of them to select.
    pub quota: usize,
    /// What may become of each member; empty: all are free.
    pub standing: Vec<Standing>,
    /// How many of the members that are siblings may be selected; `None`: all.
    pub caps: Option<Caps>,
}

/// What may become of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It may be selected.
    Free,
    /// It is selected, whatever else is.
    Included,
    /// It is not selected, but counts as part of the whole.
    Excluded,
}
