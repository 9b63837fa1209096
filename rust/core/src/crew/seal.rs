//! Arrays that are found as they were written, or not at all.

use xxhash_rust::xxh3::xxh3_64;

use crate::arrays::bytes::{Bytes, Reader, Writer};
use crate::arrays::room::Room;
use crate::crew::{Crew, Piece};
use crate::run::error::{Error, Result};
use crate::run::monitor::Monitor;
use crate::run::parallel::map_items;

/// What the pieces of an array held when they were written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seal {
    /// Entries of each piece, of the last one at most.
    entries: usize,
    /// XXH3-64 of each.
    hashes: Vec<u64>,
}

impl Seal {
    /// That of pieces of so many `entries`, by their [`hash`]es.
    #[must_use]
    pub fn new(entries: usize, hashes: Vec<u64>) -> Self {
        Self { entries, hashes }
    }

    fn is_of(&self, array: &[f32], monitor: &Monitor) -> Result<bool> {
        let pieces: Vec<&[f32]> = array.chunks(self.entries.max(1)).collect();
        let hashes = map_items(pieces, |piece| {
            monitor.check()?;
            Ok(hash(piece))
        })?;
        Ok(hashes == self.hashes)
    }
}

/// The hash of a piece's entries.
#[must_use]
pub fn hash(piece: &[f32]) -> u64 {
    xxh3_64(bytemuck::cast_slice(piece))
}

/// An array of `len` entries that bears the seal. One that does not is forgotten, and so is what says that it was
/// written: the pieces whose names begin with one of `said_by`.
///
/// # Errors
/// Those of the crew; [`Error::Failed`] where the array is lost or damaged; [`Error::Interrupted`].
pub fn sealed(
    crew: &dyn Crew,
    array: Piece<'_>,
    len: usize,
    seal: &Seal,
    said_by: &[&str],
    monitor: &Monitor,
) -> Result<Box<dyn Room>> {
    if let Some(room) = crew.read(array, len)?
        && seal.is_of(&room, monitor)?
    {
        return Ok(room);
    }
    for name in said_by.iter().copied().chain([array.1]) {
        crew.forget((array.0, name))?;
    }
    let fact = format!(
        "has lost or damaged '{}', and the rest of it is removed",
        array.1
    );
    Err(Error::failed("checkpoint", fact).fix("Run again, which makes it anew"))
}

impl Bytes for Seal {
    fn write(&self, to: &mut Writer) {
        to.number(self.entries as u64);
        to.list(&self.hashes);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self> {
        Ok(Self {
            entries: from.number::<u64>()? as usize,
            hashes: from.list()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crew::memory::Memory;
    use crate::crew::{Scope, once};

    const ARRAY: Piece<'_> = (Scope::Input, "array");

    #[test]
    fn an_array_is_as_it_was_written_or_made_anew() {
        let monitor = Monitor::default();
        let entries = [1.5, f32::NAN, -0.0, 7.0, 8.0];
        let seal = Seal::new(2, entries.chunks(2).map(hash).collect());
        assert_eq!(Seal::of(&seal.bytes()), Ok(seal.clone()));
        for at in 0..=5 {
            let memory = Memory::default();
            let written = (Scope::Input, "written-000000");
            once(Some(&memory), written, &monitor, || Ok(0_u64)).unwrap();
            memory.write(ARRAY, 5, 0, &entries).unwrap();
            let read = || sealed(&memory, ARRAY, 5, &seal, &["written"], &monitor);
            assert!(read().is_ok());
            if at < 5 {
                memory.write(ARRAY, 5, at, &[0.0]).unwrap();
            } else {
                memory.forget(ARRAY).unwrap();
            }
            assert!(matches!(read(), Err(Error::Failed { .. })), "{at}");
            assert_eq!(memory.n_done(), 0);
            assert!(memory.read(ARRAY, 5).unwrap().is_none());
        }
    }
}
