//! Shortest alternating paths, the moves by which an assignment becomes optimal.
//!
//! Dijkstra's algorithm on the reduced costs `r_ij = c_ij - u_i - v_j >= 0`. [`augment`] leads a free
//! row to a free column, as Jonker & Volgenant's (1987) last phase does; [`vacate`] is its mirror
//! image, from a free column whose price is below 0 to the column that had better be free.
//!
//! A search goes no further than the shortest way out that it has seen. When rows are freed because
//! their costs changed a little, their old columns stay as they were: the way back is one edge
//! as long as the change, and nothing beyond that is ever looked at.

use crate::matching::candidate_lists::{CandidateRows, Transposed};
use crate::matching::duals::{Duals, FREE};
use crate::matching::search::PathSearch;
use crate::run::error::{Error, Result};
use crate::run::monitor::Monitor;

/// Extends the matching of `duals` by the free row `start` along a shortest path to a free column.
///
/// # Errors
/// [`Error::Refused`] where there is none; [`Error::Interrupted`].
pub fn augment(
    duals: &mut Duals,
    search: &mut PathSearch,
    start: u32,
    lists: &mut impl CandidateRows,
    monitor: &Monitor,
) -> Result<()> {
    search.begin();
    let (mut sink, mut length) = (FREE, f64::INFINITY);
    let (mut row, mut base) = (start, 0.0);
    loop {
        search.tick(monitor)?;
        let ui = duals.u[row as usize];
        let (columns, costs) = lists.row(row as usize);
        for (&j, &c) in columns.iter().zip(costs) {
            let dist = base + (c - ui - duals.v[j as usize]).max(0.0);
            if dist < length && search.label(j, dist, row) {
                if duals.row_of_col[j as usize] == FREE {
                    (sink, length) = (j, dist);
                } else {
                    search.push(j);
                }
            }
        }
        let Some(j) = search.pop(length) else { break };
        (row, base) = (duals.row_of_col[j as usize], search.dist(j));
    }
    if sink == FREE {
        let refused = Error::refused("candidate lists", "admit no matching of all rows");
        return Err(refused.fix("Widen them"));
    }
    duals.u[start as usize] += length;
    for &j in &search.scanned {
        let slack = length - search.dist(j);
        duals.v[j as usize] -= slack;
        duals.u[duals.row_of_col[j as usize] as usize] += slack;
    }
    let mut j = sink;
    loop {
        let i = search.from(j);
        let before = duals.col_of_row[i as usize];
        duals.pair(i, j);
        if i == start {
            return Ok(());
        }
        j = before;
    }
}

/// Raises the price of the free column `start` to 0; if that is too dear for rows which list
/// it, one takes it, and at the end of a shortest path another column is free, at price 0.
///
/// # Errors
/// [`Error::Interrupted`].
pub fn vacate(
    duals: &mut Duals,
    search: &mut PathSearch,
    start: u32,
    listed: &Transposed,
    lists: &mut impl CandidateRows,
    monitor: &Monitor,
) -> Result<()> {
    search.begin();
    search.label(start, 0.0, FREE);
    search.scanned.push(start);
    let (mut sink, mut length) = (start, -duals.v[start as usize]);
    let (mut column, mut base) = (start, 0.0);
    loop {
        for &i in listed.column(column) {
            search.tick(monitor)?;
            let own = duals.col_of_row[i as usize];
            if own == column {
                continue;
            }
            let (columns, costs) = lists.row(i as usize);
            let at = columns.iter().position(|&j| j == column);
            let cost = at.map_or(f64::INFINITY, |at| costs[at]);
            let reduced = cost - duals.u[i as usize] - duals.v[column as usize];
            let dist = base + reduced.max(0.0);
            if dist < length && search.label(own, dist, column) {
                search.push(own);
                if dist - duals.v[own as usize] < length {
                    (sink, length) = (own, dist - duals.v[own as usize]);
                }
            }
        }
        let Some(j) = search.pop(length) else { break };
        (column, base) = (j, search.dist(j));
    }
    for &j in &search.scanned {
        let slack = length - search.dist(j);
        let price = &mut duals.v[j as usize];
        *price = (*price + slack).min(0.0);
        if let Some(u) = duals.u.get_mut(duals.row_of_col[j as usize] as usize) {
            *u -= slack;
        }
    }
    duals.v[sink as usize] = 0.0;
    let (mut j, mut row) = (sink, duals.row_of_col[sink as usize]);
    duals.row_of_col[sink as usize] = FREE;
    while j != start {
        j = search.from(j);
        let next = duals.row_of_col[j as usize];
        duals.pair(row, j);
        row = next;
    }
    Ok(())
}
