//! What happened in a selection, group by group, and what came out.

/// What happened in one group.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct GroupFacts {
    /// Rows.
    pub n_rows: usize,
    /// Rows selected.
    pub quota: usize,
    /// Connected components of the fuzzy graph before they were joined; `None` without a graph.
    pub components_before_joining: Option<usize>,
    /// Largest residual of the eigenpairs, above [`crate::spectral::TOL`] where they could not be found
    /// better; `None` without them.
    pub eigen_residual: Option<f64>,
    /// Steps of the descent; `None` where there was nothing to choose.
    pub steps: Option<usize>,
    /// Whether the descent stopped before `max_steps`.
    pub stopped_early: bool,
    /// m times the held-out CF distance of the anchors, at the start and at the end.
    pub held_out: Option<(f64, f64)>,
    /// The same of the rows picked; no less than at the start where the descent did not help.
    pub held_out_picked: Option<f64>,
    /// Distinct rows nearest to the anchors; `None` without a descent.
    pub distinct_anchors: Option<usize>,
    /// Rows that the exchange chose from: fewer than there are where few picks are made from many,
    /// and blocks are sampled; `None` without it.
    pub exchanged_rows: Option<usize>,
    /// Swaps of the exchange; `None` without it.
    pub swaps: Option<usize>,
}

/// Selected rows and what led to them.
#[derive(Debug, Clone, PartialEq)]
pub struct Selected {
    /// Rows, ascending, distinct: of Z, or of the input where that was asked.
    pub rows: Vec<u32>,
    /// One entry a group, in the order given.
    pub groups: Vec<GroupFacts>,
}
