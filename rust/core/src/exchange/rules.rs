//! Which swaps are allowed: rows that stay as they are, and groups of siblings (frames of a video, scans of a
//! patient) of which only a few may be picked.

use crate::run::error::{Error, Result, check_len};

/// How many rows of each group of siblings may be picked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Caps {
    /// Group of each row, (n,).
    pub group: Vec<u32>,
    /// Rows of each group that may be picked, (g,).
    pub most: Vec<u32>,
}

/// What a search may not change.
#[derive(Debug, Clone, Copy, Default)]
pub struct Rules<'a> {
    /// Rows that stay as they are, in or out, (n,); empty for none.
    pub fixed: &'a [bool],
    /// What no group may exceed.
    pub caps: Option<&'a Caps>,
}

impl Rules<'_> {
    /// Checks that they are about `n` rows.
    ///
    /// # Errors
    /// [`Error::Refused`] naming what has another length, or a group without a cap.
    pub fn check(&self, n: usize) -> Result<()> {
        if !self.fixed.is_empty() {
            check_len("fixed", self.fixed.len(), n)?;
        }
        let Some(caps) = self.caps else { return Ok(()) };
        check_len("group", caps.group.len(), n)?;
        match caps.group.iter().find(|g| **g as usize >= caps.most.len()) {
            Some(group) => Err(Error::refused("group", format!("{group} has no cap"))),
            None => Ok(()),
        }
    }

    /// Whether row `i` may enter or leave.
    #[must_use]
    pub fn is_free(&self, i: u32) -> bool {
        self.fixed.get(i as usize).is_none_or(|fixed| !fixed)
    }
}

/// The slots that each group's picks are in, while picks change.
pub struct GroupSlots<'a> {
    caps: &'a Caps,
    /// By group, (g,).
    slots: Vec<Vec<u32>>,
}

impl<'a> GroupSlots<'a> {
    /// Those of `picked`, (m,) rows.
    #[must_use]
    pub fn new(caps: &'a Caps, picked: &[u32]) -> Self {
        let mut slots = vec![Vec::new(); caps.most.len()];
        for (slot, &row) in picked.iter().enumerate() {
            slots[caps.group[row as usize] as usize].push(slot as u32);
        }
        Self { caps, slots }
    }

    /// The slots of which one must be left for row `j` to enter; `None` where its group has room.
    #[must_use]
    pub fn in_the_way(&self, j: u32) -> Option<&[u32]> {
        let group = self.caps.group[j as usize] as usize;
        let slots = &self.slots[group];
        (slots.len() >= self.caps.most[group] as usize).then_some(slots)
    }

    /// Row `enters` takes the place of `leaves` in `slot`.
    pub fn replace(&mut self, slot: u32, leaves: u32, enters: u32) {
        let of = |row: u32| self.caps.group[row as usize] as usize;
        let (before, after) = (of(leaves), of(enters));
        self.slots[before].retain(|own| *own != slot);
        self.slots[after].push(slot);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_group_takes_a_row_only_for_one_of_its_own() {
        let caps = Caps {
            group: vec![0, 0, 0, 1, 1],
            most: vec![2, 1],
        };
        let mut slots = GroupSlots::new(&caps, &[0, 3]);
        assert_eq!(slots.in_the_way(1), None);
        assert_eq!(slots.in_the_way(4), Some(&[1][..]));
        slots.replace(1, 3, 1);
        assert_eq!(slots.in_the_way(2), Some(&[0, 1][..]));
        assert_eq!(slots.in_the_way(4), None);
    }

    #[test]
    fn rules_are_about_all_rows() {
        let caps = Caps {
            group: vec![0, 1],
            most: vec![1],
        };
        let rules = |fixed, caps| Rules { fixed, caps }.check(2).is_ok();
        assert!(rules(&[], None) && rules(&[true, false], None));
        assert!(!rules(&[true], None) && !rules(&[], Some(&caps)));
    }
}
