//! How many rows each pick stands for: every row goes to its nearest pick.
//!
//! In Z, among the picks of the row's own class; rows of a class that gave no pick go to the nearest of all. A
//! pick stands for itself; other rows that lie as near to several picks go to the first of these. So each weight is 1
//! or more, and they sum to n.
//!
//! | file | what it is for |
//! |---|---|
//! | `search` | the nearest pick of each row of a group, cell by cell |
//! | `cell` | near rows, and the picks in their reach |
//! | `contraction` | short rows that lie no farther apart than those they stand for |
//!
//! # Numerics
//! Distances are of differences, summed in f64, so that which pick is nearest does not depend on the instruction
//! set; products only tell which pairs need no distance. Cost: O(n m p) at worst; of the pairs of rows and
//! picks, the contraction and the bounds of cells leave few where data has structure.

mod cell;
mod contraction;
mod search;

use crate::arrays::matrix::MatrixView;
use crate::run::error::{Error, Result};
use crate::run::monitor::Monitor;
use crate::run::parallel::{indexed, map_items};
use crate::weights::search::nearest;

pub(crate) use crate::weights::cell::ROWS;

/// The pick that stands for each row of `z`, (n, p), by its row, (n,); `classes`: rows of each, all of
/// them once; `picks`: ascending rows.
///
/// `monitor` advances by n.
///
/// ```
/// use fast_select_core::arrays::matrix::Matrix;
/// use fast_select_core::run::monitor::Monitor;
/// use fast_select_core::weights::{nearest_picks, weights};
///
/// // 1 lies as near to 0 as to 2; 5 is of a class without picks.
/// let z = Matrix::from_vec(vec![0.0, 1.0, 2.0, 5.0], 4, 1)?;
/// let (classes, picks) = ([vec![0, 1, 2], vec![3]], [0, 2]);
/// let assigned = nearest_picks(z.view(), &classes, &picks, &Monitor::default())?;
/// assert_eq!(assigned, [0, 0, 2, 2]);
/// assert_eq!(weights(&assigned, &picks), [2, 2]);
/// # Ok::<(), fast_select_core::Error>(())
/// ```
///
/// # Errors
/// [`Error::Refused`] without picks; [`Error::Interrupted`].
pub fn nearest_picks(
    z: MatrixView<'_>,
    classes: &[Vec<u32>],
    picks: &[u32],
    monitor: &Monitor,
) -> Result<Vec<u32>> {
    if picks.is_empty() {
        let fact = "is empty: no row can be assigned";
        return Err(Error::refused("indices", fact));
    }
    let mut class_of = vec![0; z.rows()];
    for (class, rows) in classes.iter().enumerate() {
        rows.iter()
            .for_each(|&i| class_of[i as usize] = class as u32);
    }
    let mut picks_of = vec![Vec::new(); classes.len()];
    let classed = picks.iter().map(|&i| (class_of[i as usize], i));
    classed.for_each(|(class, i)| picks_of[class as usize].push(i));
    drop(class_of);
    let (with, without): (Vec<_>, Vec<_>) = classes
        .iter()
        .zip(&picks_of)
        .partition(|(_, picks)| !picks.is_empty());
    let left = without.iter().flat_map(|(rows, _)| *rows);
    let mut left: Vec<u32> = left.copied().collect();
    left.sort_unstable();
    let mut groups: Vec<(&[u32], &[u32])> = with.iter().map(|(r, p)| (&r[..], &p[..])).collect();
    if !left.is_empty() {
        groups.push((&left, picks));
    }
    let found = map_items(indexed(&groups), |(_, (rows, picks))| {
        nearest(z, rows, picks, monitor)
    })?;
    let mut assigned = vec![0; z.rows()];
    for ((rows, _), found) in groups.iter().zip(found) {
        for (&row, pick) in rows.iter().zip(found) {
            assigned[row as usize] = pick;
        }
    }
    Ok(assigned)
}

/// How many rows each of `picks` (ascending) stands for, (m,), given the pick of each row.
#[must_use]
pub fn weights(assigned: &[u32], picks: &[u32]) -> Vec<u64> {
    let mut counts = vec![0; picks.len()];
    for pick in assigned {
        if let Ok(at) = picks.binary_search(pick) {
            counts[at] += 1;
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arrays::matrix::{Matrix, random_matrix};
    use crate::kernels::squared_distance::squared_distance_f64;
    use crate::quality::draws::random_selections;
    use crate::run::monitor::Stage;
    use crate::run::parallel::with_pool;

    fn assigned(z: &Matrix, classes: &[Vec<u32>], picks: &[u32]) -> Vec<u32> {
        let monitor = Monitor::default();
        monitor.begin(Stage::Weights, z.rows()).unwrap();
        let got = nearest_picks(z.view(), classes, picks, &monitor).unwrap();
        assert_eq!(monitor.progress().0, z.rows() as u64);
        got
    }

    /// Every row beside every pick.
    fn plain(z: &Matrix, classes: &[Vec<u32>], picks: &[u32]) -> Vec<u32> {
        let mut expected = vec![0; z.rows()];
        for rows in classes {
            let own: Vec<u32> = picks.iter().copied().filter(|i| rows.contains(i)).collect();
            let own = if own.is_empty() { picks } else { &own };
            for &i in rows {
                let to = |j: u32| squared_distance_f64(z.row(i as usize), z.row(j as usize));
                let nearest = own.iter().copied();
                let nearest = nearest.min_by(|&a, &b| to(a).total_cmp(&to(b)).then(a.cmp(&b)));
                let is_pick = picks.binary_search(&i).is_ok();
                expected[i as usize] = if is_pick { i } else { nearest.unwrap() };
            }
        }
        expected
    }

    /// A few leading directions, far apart clusters of near rows, whole numbers, and copies.
    fn data(n: usize, p: usize, kind: usize) -> Matrix {
        let mut z = random_matrix(n, p, 71);
        for i in 0..n {
            let cluster = (i * 7 % 13) as f32;
            for (j, x) in z.row_mut(i).iter_mut().enumerate() {
                *x = match kind {
                    0 => *x,
                    1 => *x * 0.8_f32.powi(j as i32),
                    2 => *x * 1e-3 + cluster * ((j % 3) as f32),
                    3 => (*x * 2.0).round(),
                    _ => cluster,
                };
            }
        }
        z
    }

    #[test]
    fn matches_plain_loops_on_data_of_every_kind() {
        for kind in 0..5 {
            for (n, p, m) in [
                (1, 1, 1),
                (300, 1, 300),
                (1500, 3, 400),
                (1200, 40, 500),
                (900, 64, 3),
            ] {
                let z = data(n, p, kind);
                let picks = &random_selections(n, m, 1, 5)[0];
                let all = vec![(0..n as u32).collect::<Vec<_>>()];
                assert_eq!(
                    assigned(&z, &all, picks),
                    plain(&z, &all, picks),
                    "{kind} {n} {p}"
                );
                // Classes of which some give no picks.
                let mut classes = vec![Vec::new(); 9];
                (0..n).for_each(|i| classes[i * i % 9].push(i as u32));
                assert_eq!(
                    assigned(&z, &classes, picks),
                    plain(&z, &classes, picks),
                    "{kind} {n} {p}"
                );
            }
        }
    }

    #[test]
    fn short_rows_and_bounds_leave_nothing_out() {
        // So many picks and pairs that both take part.
        for kind in [0, 1, 2] {
            let (n, m) = (9000_u32, 4500);
            let z = data(n as usize, 50, kind);
            let picks = &random_selections(n as usize, m, 1, 5)[0];
            let got = assigned(&z, &[(0..n).collect()], picks);
            let others = (0..n).filter(|i| picks.binary_search(i).is_err());
            for i in others.step_by(29) {
                let to = |j: u32| squared_distance_f64(z.row(i as usize), z.row(j as usize));
                let nearest = picks.iter().map(|&j| to(j)).fold(f64::INFINITY, f64::min);
                assert_eq!(to(got[i as usize]), nearest, "{kind} {i}");
            }
        }
    }

    #[test]
    fn threads_do_not_matter_and_weights_sum_to_n() {
        let z = data(5000, 8, 1);
        let picks = &random_selections(5000, 250, 1, 1)[0];
        let all = vec![(0..5000).collect::<Vec<_>>()];
        let run = |threads| with_pool(threads, || assigned(&z, &all, picks)).unwrap();
        assert_eq!(run(1), run(4));
        let found = weights(&run(1), picks);
        assert_eq!(found.iter().sum::<u64>(), 5000);
        assert!(found.iter().all(|w| *w > 0));
    }

    #[test]
    fn without_picks_is_refused() {
        let z = Matrix::zeros(2, 1);
        assert!(nearest_picks(z.view(), &[vec![0, 1]], &[], &Monitor::default()).is_err());
    }
}
