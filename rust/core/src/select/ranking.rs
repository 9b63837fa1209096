//! The order in which to take the rows selected, so that every prefix stands for the whole.
//!
//! Blocks of classes are ordered each by itself ([`crate::exchange::elimination`]) and then merged so that a prefix
//! holds of every block what it holds of the whole: pick r of the m of a block comes at (r - u)/m, with u of
//! van der Corput's sequence, which spreads what is rounded over blocks that lie next to each other.

use crate::exchange::elimination::take_order;
use crate::numeric::centred::{centre, centred};
use crate::numeric::partition::n_blocks;
use crate::options::ValidParams;
use crate::prepare::Prepared;
use crate::run::error::{Error, Result};
use crate::run::monitor::{Monitor, Stage};
use crate::run::parallel::{indexed, map_items};
use crate::run::rng::{Purpose, Streams};
use crate::select::group::{Group, Standing};
use crate::select::group_state::{GroupState, with_picks};
use crate::select::request::{Request, standings};

/// Prefixes that reports compare with selections of their size, as shares of the rows selected.
pub const RANKED_SHARES: [f64; 3] = [0.1, 0.25, 0.5];

/// Ranks 1 to m of the rows `selected`, (m,) distinct input rows, whose labels and included rows `request` has.
/// Included rows come before all others.
///
/// `monitor` begins [`Stage::Rank`]. O(n m p) in each block.
///
/// ```
/// use fast_select_core::options::ValidParams;
/// use fast_select_core::prepare::prepare;
/// use fast_select_core::run::monitor::Monitor;
/// use fast_select_core::select::ranking::rank_rows;
/// use fast_select_core::select::request::Request;
///
/// let x = ndarray::array![[0.0], [0.1], [0.2], [9.0]];
/// let (params, monitor) = (ValidParams::default(), Monitor::default());
/// let prepared = prepare(&x.view(), &params, &monitor)?;
/// let rank = |request| rank_rows(&prepared, &[0, 1, 3], request, &params, &monitor);
/// assert_eq!(rank(Request::of(3))?, [3, 1, 2]);
/// assert_eq!(rank(Request { include: &[3], ..Request::of(3) })?[2], 1);
/// # Ok::<(), fast_select_core::Error>(())
/// ```
///
/// # Errors
/// [`Error::Refused`] for rows or labels that are not the input's; [`Error::Interrupted`].
pub fn rank_rows(
    prepared: &Prepared,
    selected: &[i64],
    request: Request<'_>,
    params: &ValidParams,
    monitor: &Monitor,
) -> Result<Vec<u32>> {
    monitor.begin(Stage::Rank, selected.len())?;
    let n = prepared.rows.len();
    // By row of Z, its place in `selected`.
    let mut place = vec![None; n];
    for (at, &row) in selected.iter().enumerate() {
        let Some(position) = prepared.position("selected", row)? else {
            let fact = format!("names row {row}, which holds NaN or infinity");
            return Err(Error::refused("selected", fact));
        };
        place[position as usize] = Some(at as u32);
    }
    let standing = standings(prepared, &request)?;
    let is_included = |i: u32| standing.get(i as usize) == Some(&Standing::Included);
    let group = |members: Vec<u32>| Group {
        quota: members
            .iter()
            .filter(|&&i| place[i as usize].is_some())
            .count(),
        members,
        standing: vec![],
        caps: None,
    };
    let classes = prepared.classes(request.labels)?;
    let groups: Vec<Group> = classes.into_iter().map(group).collect();
    let streams = Streams::new(params.seed);
    let orders = map_items(indexed(&groups), |(g, group)| {
        if group.quota == 0 {
            return Ok(vec![]);
        }
        let state = GroupState::new(streams.of_group(g), group, prepared.z.view())?;
        let is_picked = |i: u32| place[state.row_of_whole(i) as usize].is_some();
        let is_first = |i: u32| is_included(state.row_of_whole(i));
        let orders = block_orders(&state, is_picked, is_first, params, monitor)?;
        let of_whole = |order: Vec<u32>| order.into_iter().map(|i| state.row_of_whole(i)).collect();
        Ok(orders.into_iter().map(of_whole).collect::<Vec<Vec<u32>>>())
    })?;
    let orders = orders.into_iter().flatten().collect();
    let mut ranks = vec![0; selected.len()];
    let merged = merged(orders, is_included);
    for (row, rank) in merged.into_iter().zip(1..) {
        if let Some(at) = place[row as usize] {
            ranks[at as usize] = rank;
        }
    }
    Ok(ranks)
}

/// The picks of each block of a group that has any, in the order in which to take them.
fn block_orders(
    group: &GroupState<'_>,
    is_picked: impl Fn(u32) -> bool + Sync,
    is_first: impl Fn(u32) -> bool + Sync,
    params: &ValidParams,
    monitor: &Monitor,
) -> Result<Vec<Vec<u32>>> {
    let per_median = 1.0 / group.median_distance();
    let count = n_blocks(group.n(), group.quota, params.block_rows);
    let blocks = group.cells(count, monitor)?;
    map_items(indexed(&blocks), |(b, rows)| {
        let own: Vec<u32> = rows.iter().copied().filter(|&i| is_picked(i)).collect();
        let mut rng = group.streams.stream(Purpose::Ranking, b);
        let rows = with_picks(rows, &own, params.block_rows, &mut rng);
        let z = group.gather(&rows);
        let x = centred(z.view(), &centre(z.view())?, per_median);
        // Rows ascend, so that a row's place is found by bisection.
        let place = |i: &u32| rows.partition_point(|row| row < i) as u32;
        let picked: Vec<u32> = own.iter().map(place).collect();
        let first: Vec<bool> = own.iter().map(|&i| is_first(i)).collect();
        let order = take_order(x.view(), &picked, &first, params, &mut rng, monitor)?;
        Ok(order.into_iter().map(|slot| own[slot as usize]).collect())
    })
}

/// The rows of `orders`, each of a block, as one order; those that are `first` before all others.
fn merged(orders: Vec<Vec<u32>>, is_first: impl Fn(u32) -> bool) -> Vec<u32> {
    let mut places: Vec<(bool, f64, u32)> = Vec::with_capacity(orders.iter().map(Vec::len).sum());
    let picked = orders.into_iter().filter(|order| !order.is_empty());
    for (order, block) in picked.zip(1..) {
        let (m, shift) = (order.len() as f64, van_der_corput(block));
        let at = |(r, row): (usize, u32)| (!is_first(row), (r as f64 + shift) / m, row);
        places.extend(order.into_iter().enumerate().map(at));
    }
    places.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)).then(a.2.cmp(&b.2)));
    places.into_iter().map(|(_, _, row)| row).collect()
}

/// Number `i` of van der Corput's sequence in base 2: 1/2, 1/4, 3/4, 1/8, ... from 1 on.
fn van_der_corput(i: u32) -> f64 {
    f64::from(i.reverse_bits()) / 2.0_f64.powi(32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prepare::prepare;

    #[test]
    fn prefixes_hold_of_every_block_what_they_hold_of_the_whole() {
        let orders = vec![
            (0..40).collect(),
            vec![],
            (40..60).collect(),
            (60..100).collect(),
        ];
        let order = merged(orders, |row| row == 99);
        assert_eq!(order[0], 99);
        let mut sorted = order.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, (0..100).collect::<Vec<_>>());
        for len in [10, 25, 50, 75] {
            for block in [0..40, 40..60, 60..100] {
                let share = block.len() as f64 * len as f64 / 100.0;
                let held = order[..len]
                    .iter()
                    .filter(|row| block.contains(*row))
                    .count();
                assert!((held as f64 - share).abs() <= 1.5, "{held} {share}");
            }
        }
    }

    #[test]
    fn numbers_by_hand() {
        let found: Vec<f64> = (1..6).map(van_der_corput).collect();
        assert_eq!(found, [0.5, 0.25, 0.75, 0.125, 0.625]);
    }

    #[test]
    fn each_rank_is_there_once_in_any_order_of_the_selection() {
        let x = ndarray::Array2::from_shape_fn((300, 2), |(i, j)| ((i * 37 + j * 11) % 29) as f64);
        let params = ValidParams::default();
        let monitor = Monitor::default();
        let prepared = prepare(&x.view(), &params, &monitor).unwrap();
        let labels: Vec<i64> = (0..300).map(|i| i % 4).collect();
        let rank = |selected: &[i64], labels| {
            let request = Request {
                labels,
                ..Request::of(selected.len())
            };
            rank_rows(&prepared, selected, request, &params, &monitor).unwrap()
        };
        for labels in [None, Some(&labels[..])] {
            let selected: Vec<i64> = (0..60).map(|i| i * 5).collect();
            let ranks = rank(&selected, labels);
            let backwards: Vec<i64> = selected.iter().rev().copied().collect();
            let mut again = rank(&backwards, labels);
            again.reverse();
            assert_eq!(ranks, again);
            let mut sorted = ranks.clone();
            sorted.sort_unstable();
            assert_eq!(sorted, (1..=60).collect::<Vec<_>>());
        }
        assert!(rank(&[], None).is_empty());
        let refused = rank_rows(&prepared, &[300], Request::of(1), &params, &monitor);
        assert!(refused.unwrap_err().to_string().starts_with("selected"));
    }
}
