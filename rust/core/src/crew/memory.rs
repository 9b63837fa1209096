//! A crew whose results are in memory, for tests.

use std::collections::{HashMap, HashSet};
use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::arrays::room::Room;
use crate::crew::{Crew, Piece, Taken};
use crate::run::error::{Error, Result};

type Named = (&'static str, String);

/// What is known of the pieces.
#[derive(Debug, Default)]
struct Known {
    done: HashMap<Named, Vec<u8>>,
    taken: HashSet<Named>,
    arrays: HashMap<Named, Vec<f32>>,
    /// Results that may be given yet; `None`: any number.
    left: Option<usize>,
}

/// Results in memory.
#[derive(Debug, Default)]
pub struct Memory {
    known: Mutex<Known>,
}

/// Numbers of one's own.
#[derive(Debug)]
struct Own(Vec<f32>);

impl Deref for Own {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        &self.0
    }
}

impl DerefMut for Own {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut self.0
    }
}

impl Room for Own {}

impl Memory {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a process that ends leaves: nothing is taken any more.
    pub fn end(&self) {
        let mut known = self.known();
        known.taken.clear();
        known.left = None;
    }

    /// Ends the process, as it were, after `count` more results.
    pub fn end_after(&self, count: usize) {
        self.known().left = Some(count);
    }

    /// Results given so far.
    pub fn n_done(&self) -> usize {
        self.known().done.len()
    }
}

fn named((scope, name): Piece<'_>) -> Named {
    (scope.name(), name.to_owned())
}

impl Crew for Memory {
    fn place(&self) -> (usize, usize) {
        (0, 1)
    }

    fn take(&self, piece: Piece<'_>) -> Result<Taken> {
        let mut known = self.known();
        if known.done.contains_key(&named(piece)) {
            return Ok(Taken::Done);
        }
        let is_new = known.taken.insert(named(piece));
        Ok(if is_new { Taken::Mine } else { Taken::Busy })
    }

    fn result(&self, piece: Piece<'_>) -> Result<Option<Vec<u8>>> {
        Ok(self.known().done.get(&named(piece)).cloned())
    }

    fn leave(&self, piece: Piece<'_>) -> Result<()> {
        self.known().taken.remove(&named(piece));
        Ok(())
    }

    fn give(&self, piece: Piece<'_>, result: &[u8]) -> Result<()> {
        let mut known = self.known();
        if let Some(left) = &mut known.left {
            *left = left.checked_sub(1).ok_or(Error::Interrupted)?;
        }
        known.taken.remove(&named(piece));
        known.done.insert(named(piece), result.to_vec());
        Ok(())
    }

    fn write(&self, array: Piece<'_>, len: usize, first: usize, entries: &[f32]) -> Result<()> {
        let mut known = self.known();
        let numbers = known.arrays.entry(named(array)).or_default();
        numbers.resize(len, 0.0);
        numbers[first..first + entries.len()].copy_from_slice(entries);
        Ok(())
    }

    fn read(&self, array: Piece<'_>, len: usize) -> Result<Option<Box<dyn Room>>> {
        let found = self.known().arrays.get(&named(array)).cloned();
        let numbers = found.filter(|numbers| numbers.len() == len);
        Ok(numbers.map(|numbers| Box::new(Own(numbers)) as Box<dyn Room>))
    }

    fn forget(&self, (scope, beginning): Piece<'_>) -> Result<()> {
        let mut known = self.known();
        let is_other = |(own, name): &Named| *own != scope.name() || !name.starts_with(beginning);
        known.done.retain(|name, _| is_other(name));
        known.arrays.retain(|name, _| is_other(name));
        Ok(())
    }
}
