//! Caps of groups of siblings shared out among classes, and among the blocks of a class, with the rows that each
//! of them gives.
//!
//! A group may lie in several parts (classes or blocks). Its cap is divided among them in proportion to the rows
//! that they have of it, so that parts can be searched apart from each other. Where that leaves a part
//! less than its quota, the room that another one has to spare is moved to it along a path of parts which have
//! groups in common: augmentation in a bipartite graph (Ford & Fulkerson 1956), so that what is feasible is found.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::ops::Range;

use crate::exchange::rules::Caps;
use crate::options::Balance;
use crate::run::error::{Error, Result, counted};
use crate::select::group::Standing;
use crate::select::quotas::{ClassSize, quotas, weight};

/// The rows of a group that a part has.
#[derive(Debug, Clone, Copy)]
struct Cell {
    part: usize,
    group: usize,
    /// Rows that may be selected, and those of them that must.
    rows: u32,
    included: u32,
    /// Rows that the part may give of the group.
    cap: u32,
}

/// Caps shared out among parts.
pub struct SharedCaps {
    cells: Vec<Cell>,
    /// The cells of each part, by ascending group.
    of_part: Vec<Range<usize>>,
    /// The cells of each group.
    of_group: Vec<Vec<u32>>,
    /// Rows that each part can give: the sum of its caps.
    room: Vec<usize>,
    /// The same if no other part wanted any.
    room_alone: Vec<usize>,
}

impl SharedCaps {
    /// Caps divided among `parts`, each a set of rows; `standing` says what may become of a row. No group may have
    /// more included rows than its cap.
    pub fn new(caps: &Caps, parts: &[Vec<u32>], standing: impl Fn(u32) -> Standing) -> Self {
        let mut shares = Self {
            cells: Vec::new(),
            of_part: Vec::with_capacity(parts.len()),
            of_group: vec![Vec::new(); caps.most.len()],
            room: vec![0; parts.len()],
            room_alone: Vec::with_capacity(parts.len()),
        };
        for (part, rows) in parts.iter().enumerate() {
            let first = shares.cells.len();
            let mut groups: Vec<(u32, Standing)> = rows
                .iter()
                .map(|&i| (caps.group[i as usize], standing(i)))
                .collect();
            groups.sort_unstable_by_key(|(group, _)| *group);
            for own in groups.chunk_by(|a, b| a.0 == b.0) {
                let count = |kind| own.iter().filter(|(_, s)| *s == kind).count() as u32;
                let (group, included) = (own[0].0 as usize, count(Standing::Included));
                shares.of_group[group].push(shares.cells.len() as u32);
                shares.cells.push(Cell {
                    part,
                    group,
                    rows: included + count(Standing::Free),
                    included,
                    cap: included,
                });
            }
            let own = first..shares.cells.len();
            let alone = shares.cells[own.clone()].iter();
            let alone = alone.map(|cell| cell.rows.min(caps.most[cell.group]) as usize);
            shares.room_alone.push(alone.sum());
            shares.of_part.push(own);
        }
        let contended: Vec<usize> = (0..caps.most.len())
            .filter(|&group| !shares.give_all(group, caps.most[group]))
            .collect();
        for (room, own) in shares.room.iter_mut().zip(&shares.of_part) {
            let caps = shares.cells[own.clone()]
                .iter()
                .map(|cell| cell.cap as usize);
            *room = caps.sum();
        }
        for group in contended {
            shares.divide(group, caps.most[group], parts);
        }
        shares
    }

    /// Lets every part give all rows that it has of a group, if its cap allows that.
    fn give_all(&mut self, group: usize, most: u32) -> bool {
        let own = self.of_group[group].iter().map(|&c| c as usize);
        let rows: u32 = own.clone().map(|c| self.cells[c].rows).sum();
        if rows <= most {
            own.for_each(|c| self.cells[c].cap = self.cells[c].rows);
        }
        rows <= most
    }

    /// Divides the cap of a group among its cells by Sainte-Laguë; ties: the part with less room for its rows, then
    /// the lower part.
    fn divide(&mut self, group: usize, most: u32, parts: &[Vec<u32>]) {
        let own: Vec<usize> = self.of_group[group].iter().map(|&c| c as usize).collect();
        let included: u32 = own.iter().map(|&c| self.cells[c].included).sum();
        for _ in included..most {
            let claim = |&c: &usize| {
                let cell = &self.cells[c];
                let of_group = f64::from(cell.rows) / f64::from(2 * cell.cap + 1);
                let room = self.room[cell.part] as f64 / parts[cell.part].len() as f64;
                // Numbers of 0 or more order as their bits.
                (of_group.to_bits(), Reverse(room.to_bits()), Reverse(c))
            };
            let open = own
                .iter()
                .copied()
                .filter(|&c| self.cells[c].cap < self.cells[c].rows);
            if let Some(taker) = open.max_by_key(claim) {
                self.cells[taker].cap += 1;
                self.room[self.cells[taker].part] += 1;
            }
        }
    }

    /// Checks that the caps leave each class the rows that are `asked` of it, by its label.
    ///
    /// # Errors
    /// [`Error::Refused`] naming `balance`.
    pub fn check_given(&self, asked: &[(String, usize)]) -> Result<()> {
        for ((label, rows), &most) in asked.iter().zip(&self.room_alone) {
            if *rows > most {
                let rows = counted(*rows, "row", "rows");
                let fact =
                    format!("asks for {rows} of class '{label}', of which the groups give {most}");
                let fix = "Ask for fewer, or raise {max_per_group}";
                return Err(Error::refused("balance", fact).fix(fix));
            }
        }
        Ok(())
    }

    /// Rows that each part gives, `count` in all: those of [`quotas`], as far as the caps allow; where groups that
    /// parts have in common do not give as much, by Sainte-Laguë within what they do. `sizes`: the parts, caps aside.
    ///
    /// # Errors
    /// [`Error::Refused`] naming `count` where the caps leave no way.
    pub fn quotas(
        &mut self,
        sizes: &[ClassSize],
        count: usize,
        balance: Balance,
    ) -> Result<Vec<usize>> {
        let sizes = sizes
            .iter()
            .zip(&self.room_alone)
            .map(|(size, &most)| ClassSize {
                rows: size.rows,
                least: size.least.min(most),
                most: size.most.min(most),
            });
        let sizes: Vec<ClassSize> = sizes.collect();
        let total = self.room.iter().sum();
        if count > total {
            let rows = counted(total, "row", "rows");
            let fact = format!("{count} is more than the {rows} that the groups give");
            let fix = "Select fewer, or raise {max_per_group}";
            return Err(Error::refused("count", fact).fix(fix));
        }
        let wanted = quotas(&sizes, count, balance)?;
        let mut search = Search::new(self);
        if (0..wanted.len()).all(|part| search.make_room(part, &wanted)) {
            return Ok(wanted);
        }
        let mut given = vec![0; sizes.len()];
        for (part, size) in sizes.iter().enumerate() {
            while given[part] < size.least {
                given[part] += 1;
                if !search.make_room(part, &given) {
                    let fact = format!("{count} rows are not there where classes share groups");
                    let fix = "Raise {max_per_group}, include fewer, or lower {min_per_class}";
                    return Err(Error::refused("count", fact).fix(fix));
                }
            }
        }
        let claim = |part: usize, given: usize| {
            let claim = weight(&sizes[part], balance) / (2 * given + 1) as f64;
            (claim.to_bits(), Reverse(part))
        };
        let mut claims: BinaryHeap<_> = (0..sizes.len()).map(|p| claim(p, given[p])).collect();
        let mut missing = count - given.iter().sum::<usize>();
        while missing > 0 {
            let Some((_, Reverse(part))) = claims.pop() else {
                let fact = format!("{count} rows are not there where classes share groups");
                return Err(Error::refused("count", fact));
            };
            given[part] += 1;
            // What cannot be had now cannot be had later.
            if given[part] <= sizes[part].most && search.make_room(part, &given) {
                claims.push(claim(part, given[part]));
                missing -= 1;
            } else {
                given[part] -= 1;
            }
        }
        Ok(given)
    }

    /// The caps of a part, and the rows of it, (b,), that these are about.
    pub fn caps(&self, part: usize, caps: &Caps, rows: &[u32]) -> Caps {
        let own = &self.cells[self.of_part[part].clone()];
        let place = |&i: &u32| {
            let group = caps.group[i as usize] as usize;
            own.partition_point(|cell| cell.group < group) as u32
        };
        Caps {
            group: rows.iter().map(place).collect(),
            most: own.iter().map(|cell| cell.cap).collect(),
        }
    }
}

/// Paths along which room is moved.
struct Search<'a> {
    shares: &'a mut SharedCaps,
    /// The search in which a part, a group was seen last.
    part_seen: Vec<u32>,
    group_seen: Vec<u32>,
    searches: u32,
    /// How each part was reached: the cell that takes a row, and that of the part, which gives it.
    step: Vec<(usize, usize)>,
}

impl<'a> Search<'a> {
    fn new(shares: &'a mut SharedCaps) -> Self {
        let (n_parts, n_groups) = (shares.of_part.len(), shares.of_group.len());
        Self {
            shares,
            part_seen: vec![0; n_parts],
            group_seen: vec![0; n_groups],
            searches: 0,
            step: vec![(0, 0); n_parts],
        }
    }

    /// Moves room to `part` until it can give its quota, each from a part with room to spare; whether that can be done.
    fn make_room(&mut self, part: usize, quotas: &[usize]) -> bool {
        while self.shares.room[part] < quotas[part] {
            let Some(giver) = self.find(part, quotas) else {
                return false;
            };
            let mut at = giver;
            while at != part {
                let (takes, gives) = self.step[at];
                self.shares.cells[takes].cap += 1;
                self.shares.cells[gives].cap -= 1;
                at = self.shares.cells[takes].part;
            }
            self.shares.room[giver] -= 1;
            self.shares.room[part] += 1;
        }
        true
    }

    /// The nearest part with room to spare that can be reached from `part`, breadth first.
    fn find(&mut self, part: usize, quotas: &[usize]) -> Option<usize> {
        self.searches += 1;
        self.part_seen[part] = self.searches;
        let mut waiting = VecDeque::from([part]);
        while let Some(at) = waiting.pop_front() {
            for takes in self.shares.of_part[at].clone() {
                let cell = self.shares.cells[takes];
                if cell.cap == cell.rows || self.group_seen[cell.group] == self.searches {
                    continue;
                }
                self.group_seen[cell.group] = self.searches;
                for &gives in &self.shares.of_group[cell.group] {
                    let other = self.shares.cells[gives as usize];
                    let seen = &mut self.part_seen[other.part];
                    if other.cap == other.included || *seen == self.searches {
                        continue;
                    }
                    *seen = self.searches;
                    self.step[other.part] = (takes, gives as usize);
                    if self.shares.room[other.part] > quotas[other.part] {
                        return Some(other.part);
                    }
                    waiting.push_back(other.part);
                }
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::select::group::Standing::{Excluded, Free, Included};
    use proptest::prelude::*;

    fn caps(group: &[u32], most: u32) -> Caps {
        let n_groups = group.iter().max().map_or(0, |last| last + 1) as usize;
        Caps {
            group: group.to_vec(),
            most: vec![most; n_groups],
        }
    }

    fn sizes(parts: &[Vec<u32>], standing: &[Standing], least: usize) -> Vec<ClassSize> {
        let size = |rows: &Vec<u32>| {
            let own: Vec<Standing> = rows.iter().map(|&i| standing[i as usize]).collect();
            ClassSize::of(rows.len(), &own, least)
        };
        parts.iter().map(size).collect()
    }

    #[test]
    fn a_group_in_two_classes_gives_to_the_one_that_has_no_other() {
        // Class 0 has groups 0 and 1, class 1 only group 0: its single row has to be class 1's.
        let caps = caps(&[0, 0, 0, 1, 0, 0], 1);
        let parts = [vec![0, 1, 2, 3], vec![4, 5]];
        let mut shares = SharedCaps::new(&caps, &parts, |_| Free);
        let classes = sizes(&parts, &[Free; 6], 1);
        let quotas = shares.quotas(&classes, 2, Balance::Proportional);
        assert_eq!(quotas, Ok(vec![1, 1]));
        assert_eq!(shares.caps(0, &caps, &parts[0]).most, [0, 1]);
        assert_eq!(shares.caps(1, &caps, &parts[1]).most, [1]);
        let refused = shares
            .quotas(&classes, 3, Balance::Proportional)
            .unwrap_err();
        assert_eq!(
            refused.to_string(),
            "count: 3 is more than the 2 rows that the groups give. Select fewer, or raise {max_per_group}"
        );
    }

    #[test]
    fn excluded_rows_give_nothing_and_included_ones_keep_their_place() {
        let caps = caps(&[0, 0, 1, 1], 1);
        let parts = [vec![0, 2], vec![1, 3]];
        let standing = [Excluded, Free, Free, Included];
        let mut shares = SharedCaps::new(&caps, &parts, |i| standing[i as usize]);
        let classes = sizes(&parts, &standing, 0);
        let quotas = shares.quotas(&classes, 2, Balance::Proportional);
        assert_eq!(quotas, Ok(vec![0, 2]));
        assert_eq!(shares.caps(0, &caps, &parts[0]).most, [0, 0]);
        assert_eq!(shares.caps(1, &caps, &parts[1]).most, [1, 1]);
    }

    /// The most rows that parts can give within the caps, by trying all of them.
    fn most_by_force(caps: &Caps, parts: &[Vec<u32>], quotas: &[usize]) -> bool {
        fn fits(left: &mut [u32], own: &[Vec<u32>], quotas: &[usize], from: usize) -> bool {
            let Some((quota, later)) = quotas.split_first() else {
                return true;
            };
            if *quota == 0 {
                return fits(left, &own[1..], later, 0);
            }
            (from..own[0].len()).any(|at| {
                let group = own[0][at] as usize;
                if left[group] == 0 {
                    return false;
                }
                left[group] -= 1;
                let mut rest = quotas.to_vec();
                rest[0] -= 1;
                let found = fits(left, own, &rest, at + 1);
                left[group] += 1;
                found
            })
        }
        let of = |rows: &Vec<u32>| rows.iter().map(|&i| caps.group[i as usize]).collect();
        let own: Vec<Vec<u32>> = parts.iter().map(of).collect();
        fits(&mut caps.most.clone(), &own, quotas, 0)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4000))]

        #[test]
        fn what_is_feasible_is_found_and_what_is_found_is_feasible(
            rows in prop::collection::vec((0_usize..3, 0_u32..4), 1..11),
            most in 1_u32..3,
            count in 0_usize..9,
            equal: bool,
        ) {
            let group: Vec<u32> = rows.iter().map(|(_, group)| *group).collect();
            let mut parts = vec![Vec::new(); 3];
            for (i, (part, _)) in rows.iter().enumerate() {
                parts[*part].push(i as u32);
            }
            let caps = caps(&group, most);
            let standing = vec![Free; rows.len()];
            let classes = sizes(&parts, &standing, 0);
            let balance = if equal { Balance::Equal } else { Balance::Proportional };
            let mut shares = SharedCaps::new(&caps, &parts, |_| Free);
            let in_group = |g: u32| group.iter().filter(|own| **own == g).count();
            let total: usize = (0..4).map(|g| in_group(g).min(most as usize)).sum();
            let found = shares.quotas(&classes, count, balance);
            prop_assert_eq!(found.is_ok(), count <= total);
            if let Ok(quotas) = found {
                prop_assert_eq!(quotas.iter().sum::<usize>(), count);
                prop_assert!(most_by_force(&caps, &parts, &quotas));
                // No row that can be moved from a class to another leaves it with the greater share.
                let share = |part: usize, given: usize| given as f64 / weight(&classes[part], balance);
                for (from, to) in [(0, 1), (0, 2), (1, 0), (1, 2), (2, 0), (2, 1)] {
                    if quotas[from] < 2 || share(from, quotas[from] - 1) <= share(to, quotas[to] + 1) {
                        continue;
                    }
                    let mut moved = quotas.clone();
                    (moved[from], moved[to]) = (moved[from] - 1, moved[to] + 1);
                    prop_assert!(!most_by_force(&caps, &parts, &moved), "{:?} {:?}", quotas, moved);
                }
                // Each part alone gives its quota within the caps that it got.
                let mut used = vec![0; caps.most.len()];
                for (part, rows) in parts.iter().enumerate() {
                    let own = shares.caps(part, &caps, rows);
                    let groups = 0..own.most.len() as u32;
                    let give = groups.map(|g| {
                        let has = own.group.iter().filter(|of| **of == g).count();
                        has.min(own.most[g as usize] as usize)
                    });
                    prop_assert!(give.sum::<usize>() >= quotas[part]);
                    let mut counted = std::collections::BTreeSet::new();
                    for (at, &row) in rows.iter().enumerate() {
                        let of = own.group[at];
                        if counted.insert(of) {
                            used[caps.group[row as usize] as usize] += own.most[of as usize];
                        }
                    }
                }
                prop_assert!(used.iter().all(|used| *used <= most));
            }
        }
    }
}
