//! The pipeline: prepared rows in, exactly the rows asked for out.
//!
//! Stages run one after the other over all groups, so that time, energy and progress of a stage
//! mean the same with and without labels; inside a stage the groups run side by side. Cost: that of the
//! stages, of which [`plan`] has the formulas.
//!
//! | file | what it is for |
//! |---|---|
//! | [`request`] | from what is asked, in numbers of input rows, to groups with their quotas |
//! | [`group`] | rows that are selected together, and what may become of each |
//! | [`quotas`] | how many rows each class, or each block of a class, gives |
//! | `shared_caps` | the same where groups of siblings are capped, and their caps in each |
//! | `group_state` | a group on its way through the stages |
//! | `schedule` | which stages run |
//! | [`effect`] | options that were set and change nothing |
//! | `stages` | the stages, each for one group |
//! | `exchange_blocks` | the exchange in all blocks of all groups |
//! | `whole` | what holds these blocks together |
//! | [`ranking`] | the order in which to take the rows selected |
//! | [`facts`] | what happened, group by group |
//! | [`plan`] | what all that will take |
//! | `stage_costs` | bytes and multiply-adds of each stage |
//! | `crew_costs` | seconds and bytes where several processes share in them |

mod crew_costs;
pub mod effect;
mod exchange_blocks;
pub mod facts;
pub mod group;
mod group_state;
pub mod plan;
pub mod quotas;
pub mod ranking;
pub mod request;
mod schedule;
mod shared_caps;
mod stage_costs;
mod stages;
mod whole;

use crate::arrays::matrix::MatrixView;
use crate::crew::Crew;
use crate::options::{Choice, Method, ValidParams};
use crate::prepare::Prepared;
use crate::run::error::{Error, Result};
use crate::run::monitor::{Monitor, Stage};
use crate::run::parallel::map_items;
use crate::run::rng::Streams;
use crate::select::exchange_blocks::exchange;
use crate::select::facts::Selected;
use crate::select::group::Group;
use crate::select::group_state::GroupState;
use crate::select::request::{Request, groups};
use crate::select::schedule::runs;
use crate::select::stages::{
    baseline, build_graph, decode, embed, find_neighbors, move_anchors, set_target, share_graphs,
};

/// A stage for one group.
type Step = fn(&mut GroupState<'_>, &ValidParams, &Monitor) -> Result<()>;

/// Checks that a method takes account of included and excluded rows, and of selections in turn.
///
/// ```
/// use fast_select_core::options::Method;
/// use fast_select_core::select::check_takes_constraints;
///
/// assert!(check_takes_constraints(Method::Fast).is_ok());
/// let refused = check_takes_constraints(Method::Herding).unwrap_err();
/// assert!(refused.to_string().ends_with("Use one of fast, random"));
/// ```
///
/// # Errors
/// [`Error::Refused`] naming `method`.
pub fn check_takes_constraints(method: Method) -> Result<()> {
    if method.takes_constraints() {
        return Ok(());
    }
    let takers = Method::NAMES.iter().filter(|name| {
        let method = Method::named(name);
        method.is_some_and(Method::takes_constraints)
    });
    let takers: Vec<&str> = takers.copied().collect();
    let name = method.name();
    let fact = format!("{name} cannot include or exclude rows, cap groups, or nest several ratios");
    Err(Error::refused("method", fact).fix(format!("Use one of {}", takers.join(", "))))
}

/// Selects what is asked of prepared rows; the rows are numbers of input rows, ascending.
///
/// ```
/// use fast_select_core::options::ValidParams;
/// use fast_select_core::prepare::prepare;
/// use fast_select_core::run::monitor::Monitor;
/// use fast_select_core::select::request::Request;
/// use fast_select_core::select::select_rows;
///
/// let x = ndarray::Array2::from_shape_fn((100, 2), |(i, j)| ((i * 37 + j * 11) % 29) as f64);
/// let (params, monitor) = (ValidParams::default(), Monitor::default());
/// let prepared = prepare(&x.view(), &params, &monitor)?;
/// let selected = select_rows(&prepared, Request::of(10), &params, &monitor)?;
/// assert_eq!(selected.rows.len(), 10);
/// // Nested: the next selection is made of these rows alone, against all of them still.
/// let others: Vec<i64> = (0..100).filter(|i| !selected.rows.contains(&(*i as u32))).collect();
/// let inner = Request { exclude: &others, ..Request::of(3) };
/// let inner = select_rows(&prepared, inner, &params, &monitor)?;
/// assert!(inner.rows.iter().all(|row| selected.rows.contains(row)));
/// # Ok::<(), fast_select_core::Error>(())
/// ```
///
/// # Errors
/// Those of [`groups`] and [`select()`].
pub fn select_rows(
    prepared: &Prepared,
    request: Request<'_>,
    params: &ValidParams,
    monitor: &Monitor,
) -> Result<Selected> {
    select_shared(prepared, request, params, None, monitor)
}

/// [`select_rows`] together with the other members of a crew, if there is one; each of them gets all rows.
///
/// # Errors
/// Those of [`select_rows`] and of the crew.
pub fn select_shared(
    prepared: &Prepared,
    request: Request<'_>,
    params: &ValidParams,
    crew: Option<&dyn Crew>,
    monitor: &Monitor,
) -> Result<Selected> {
    let groups = groups(prepared, request, params)?;
    let mut selected = select_by(prepared.z.view(), &groups, params, crew, monitor)?;
    let input_row = |row: &mut u32| *row = prepared.rows[*row as usize];
    selected.rows.iter_mut().for_each(input_row);
    Ok(selected)
}

/// Selects rows of `z`, (n, p0), prepared (see [`crate::prepare`]). Groups must not overlap.
///
/// ```
/// use fast_select_core::arrays::matrix::Matrix;
/// use fast_select_core::options::ValidParams;
/// use fast_select_core::run::monitor::Monitor;
/// use fast_select_core::select::group::Group;
/// use fast_select_core::select::select;
///
/// // Three rows alike and one apart: one of each kind stands for all.
/// let z = Matrix::from_vec(vec![0.0, 0.1, 0.2, 1.1], 4, 1)?;
/// let all = Group { members: vec![0, 1, 2, 3], quota: 2, standing: vec![], caps: None };
/// let selected = select(z.view(), &[all], &ValidParams::default(), &Monitor::default())?;
/// assert_eq!(selected.rows, [1, 3]);
/// # Ok::<(), fast_select_core::Error>(())
/// ```
///
/// # Errors
/// [`Error::Refused`] for quotas out of range, or a method that takes no constraints where there are
/// some; [`Error::Failed`] where a stage does; [`Error::Interrupted`].
pub fn select(
    z: MatrixView<'_>,
    groups: &[Group],
    params: &ValidParams,
    monitor: &Monitor,
) -> Result<Selected> {
    select_by(z, groups, params, None, monitor)
}

fn select_by(
    z: MatrixView<'_>,
    groups: &[Group],
    params: &ValidParams,
    crew: Option<&dyn Crew>,
    monitor: &Monitor,
) -> Result<Selected> {
    let is_bound = |group: &Group| !group.standing.is_empty() || group.caps.is_some();
    if groups.iter().any(is_bound) {
        check_takes_constraints(params.method)?;
    }
    let streams = Streams::new(params.seed);
    let mut states = groups
        .iter()
        .enumerate()
        .map(|(id, group)| GroupState::new(streams.of_group(id), group, z))
        .collect::<Result<Vec<_>>>()?;
    let open = || states.iter().filter(|state| state.is_open());
    let rows: usize = open().map(GroupState::n).sum();
    let picks: usize = open().map(|state| state.quota).sum();
    let components = open().count() * params.n_components;
    let is_shared = |stage| crew.is_some() && matches!(stage, Stage::Neighbors | Stage::Graph);
    if let (Some(crew), true) = (crew, runs(Stage::Graph, params)) {
        monitor.begin(Stage::Neighbors, rows)?;
        share_graphs(&mut states, params, crew, monitor)?;
    }
    for (stage, total, step) in [
        (Stage::Neighbors, rows, find_neighbors as Step),
        (Stage::Graph, rows, build_graph),
        (Stage::Spectral, components, embed),
        (Stage::Frequencies, rows, set_target),
        (Stage::Optimize, picks, move_anchors),
        (Stage::Decode, picks, decode),
        (Stage::Baseline, picks, baseline),
    ] {
        if !runs(stage, params) || is_shared(stage) {
            continue;
        }
        monitor.begin(stage, total)?;
        map_items(&mut states, |state| {
            if state.is_open() {
                step(state, params, monitor)
            } else {
                Ok(())
            }
        })?;
    }
    if runs(Stage::Exchange, params) {
        monitor.begin(Stage::Exchange, rows * (1 + params.max_sweeps))?;
        exchange(z, &mut states, params, crew, monitor)?;
    }
    let mut rows = Vec::with_capacity(groups.iter().map(|g| g.quota).sum());
    let finished = states.into_iter().map(|state| state.finish(&mut rows));
    let groups = finished.collect();
    rows.sort_unstable();
    Ok(Selected { rows, groups })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arrays::matrix::random_matrix;
    use crate::crew::memory::Memory;
    use crate::options::Params;
    use crate::run::parallel::with_pool;

    /// A selection that many blocks make, which are held together, and one from classes.
    fn params(method: Method) -> ValidParams {
        let params = Params {
            method,
            block_rows: 64,
            max_steps: 3,
            ..Params::default()
        };
        params.check().unwrap()
    }

    fn in_two_groups(n: u32, quota: usize) -> Vec<Group> {
        let group = |members: Vec<u32>| Group {
            members,
            quota,
            standing: vec![],
            caps: None,
        };
        vec![group((0..n / 3).collect()), group((n / 3..n).collect())]
    }

    fn by_crew(
        z: MatrixView<'_>,
        groups: &[Group],
        method: Method,
        crew: &Memory,
    ) -> Result<Selected> {
        let monitor = Monitor::default();
        let selected = with_pool(2, || {
            select_by(z, groups, &params(method), Some(crew), &monitor)
        })?;
        if selected.is_ok() {
            assert_eq!(monitor.progress().0, monitor.progress().1);
        }
        selected
    }

    #[test]
    fn a_crew_selects_what_one_does_alone_however_often_it_ends() {
        let z = random_matrix(4800, 3, 5);
        for (method, quota) in [
            (Method::Fast, 1600),
            (Method::Fast, 40),
            (Method::Paper, 40),
        ] {
            let groups = in_two_groups(4800, quota.min(1500));
            let alone = select(z.view(), &groups, &params(method), &Monitor::default()).unwrap();
            let memory = Memory::default();
            let mut ends = 0;
            let found = loop {
                memory.end_after(7);
                match by_crew(z.view(), &groups, method, &memory) {
                    Ok(found) => break found,
                    Err(err) => assert_eq!(err, Error::Interrupted),
                }
                memory.end();
                ends += 1;
            };
            assert_eq!(found, alone);
            assert_eq!(ends > 3, quota > 1000, "{ends}");
        }
    }

    #[test]
    fn members_at_the_same_time_find_the_same_rows() {
        let z = random_matrix(4800, 3, 6);
        let groups = in_two_groups(4800, 1500);
        let alone = select(
            z.view(),
            &groups,
            &params(Method::Fast),
            &Monitor::default(),
        )
        .unwrap();
        let memory = Memory::default();
        std::thread::scope(|scope| {
            let member = || by_crew(z.view(), &groups, Method::Fast, &memory).unwrap();
            let members: Vec<_> = (0..3).map(|_| scope.spawn(member)).collect();
            for member in members {
                assert_eq!(member.join().unwrap(), alone);
            }
        });
    }
}
