//! Rows that are copies of each other, and what a selection holds of them.
//!
//! Which of several copies is picked means nothing, yet cells cut through them. So the picks of a row's
//! copies are shared out among all of these: each holds (picks / copies) of a pick.

use xxhash_rust::xxh3::xxh3_64;

use crate::arrays::matrix::MatrixView;
use crate::run::error::Result;
use crate::run::monitor::Monitor;
use crate::run::parallel::fill_blocks;

/// Rows of a task.
const ROWS: usize = 4096;

/// The group of copies that each row belongs to.
#[derive(Default)]
pub struct Copies {
    /// Of each row, counted from 1; 0 for a row of its own, and empty where all are.
    groups: Vec<u32>,
    /// Copies of each group.
    sizes: Vec<u32>,
}

impl Copies {
    /// Of the rows of `z`, (n, p), equal bit by bit. O(n (p + log n)), memory 8 n.
    ///
    /// # Errors
    /// [`crate::Error::Interrupted`].
    pub fn of(z: MatrixView<'_>, monitor: &Monitor) -> Result<Self> {
        let hash = |i: usize| xxh3_64(bytemuck::cast_slice(z.row(i)));
        let mut hashes = vec![0; z.rows()];
        fill_blocks(&mut hashes, 1, ROWS, |first, out| {
            monitor.check()?;
            let rows = out.iter_mut().enumerate();
            rows.for_each(|(i, out)| *out = hash(first + i));
            Ok(())
        })?;
        hashes.sort_unstable();
        let repeated = hashes.chunk_by(|a, b| a == b).filter(|same| same.len() > 1);
        let (repeated, sizes): (Vec<u64>, Vec<u32>) =
            repeated.map(|same| (same[0], same.len() as u32)).unzip();
        drop(hashes);
        if repeated.is_empty() {
            return Ok(Self::default());
        }
        // Taken anew: a copy of them in the order of the rows would be the most that the quality holds.
        let mut groups = vec![0; z.rows()];
        fill_blocks(&mut groups, 1, ROWS, |first, out| {
            monitor.check()?;
            for (i, group) in out.iter_mut().enumerate() {
                let found = repeated.binary_search(&hash(first + i));
                *group = found.map_or(0, |at| at as u32 + 1);
            }
            Ok(())
        })?;
        Ok(Self { groups, sizes })
    }

    /// Whether a row has copies.
    fn group(&self, row: u32) -> Option<u32> {
        let group = self.groups.get(row as usize).copied();
        group.filter(|group| *group > 0)
    }

    /// What each row holds of `selection` (ascending rows).
    pub fn shares<'a>(&'a self, selection: &'a [u32]) -> Shares<'a> {
        let mut picked: Vec<u32> = selection.iter().filter_map(|&i| self.group(i)).collect();
        picked.sort_unstable();
        Shares {
            copies: self,
            selection,
            by_group: picked
                .chunk_by(|a, b| a == b)
                .map(|same| (same[0], same.len() as u32))
                .collect(),
        }
    }
}

/// What each row holds of a selection.
pub struct Shares<'a> {
    copies: &'a Copies,
    selection: &'a [u32],
    /// Picks of each group of copies, ascending; groups without are left out.
    by_group: Vec<(u32, u32)>,
}

impl Shares<'_> {
    /// The share of `row`: 1 for a pick without copies; `None` for nothing.
    pub fn of(&self, row: u32) -> Option<f64> {
        match self.copies.group(row) {
            None => self.selection.binary_search(&row).ok().map(|_| 1.0),
            Some(group) => {
                let at = self.by_group.binary_search_by_key(&group, |(of, _)| *of);
                let size = f64::from(self.copies.sizes[group as usize - 1]);
                at.ok().map(|at| f64::from(self.by_group[at].1) / size)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arrays::matrix::Matrix;

    #[test]
    fn picks_are_shared_among_copies() {
        let z = Matrix::from_vec(vec![5.0, 1.0, 5.0, 2.0, 1.0, 5.0], 6, 1).unwrap();
        let copies = Copies::of(z.view(), &Monitor::default()).unwrap();
        let shares = |rows: &[u32]| {
            let shares = copies.shares(rows);
            (0..6)
                .map(|i| shares.of(i).unwrap_or(0.0))
                .collect::<Vec<_>>()
        };
        let third = 1.0 / 3.0;
        assert_eq!(shares(&[0, 3]), [third, 0.0, third, 1.0, 0.0, third]);
        assert_eq!(shares(&[2, 3]), shares(&[0, 3]));
        assert_eq!(shares(&[0, 1, 2, 3, 4, 5]), [1.0; 6]);
        assert_eq!(shares(&[]), [0.0; 6]);
    }

    #[test]
    fn rows_of_their_own_are_picked_or_not() {
        let z = Matrix::from_vec(vec![5.0, 1.0, 4.0], 3, 1).unwrap();
        let copies = Copies::of(z.view(), &Monitor::default()).unwrap();
        assert!(copies.groups.is_empty());
        let shares = copies.shares(&[1]);
        assert_eq!([0, 1, 2].map(|i| shares.of(i)), [None, Some(1.0), None]);
    }
}
