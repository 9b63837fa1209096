//! A crew: processes that share the work of one selection, and what earlier ones have left of it.
//!
//! Work is cut into pieces whose bounds depend on the problem alone. A process takes a piece that nobody has,
//! computes it and gives its result, which the others then read; so it does not matter how many they are, which
//! of them ends when, or whether they work at the same time. The results are kept by the caller, in files as it
//! may be: the core sees a [`Crew`]. Results travel as [`bytes`](crate::arrays::bytes).
//!
//! | file | what it is for |
//! |---|---|
//! | [`seal`] | arrays that are found as they were written, or not at all |
//! | `memory` | a crew whose results are in memory, for tests |

#[cfg(test)]
pub(crate) mod memory;
pub mod seal;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::sleep;
use std::time::Duration;

use crate::arrays::bytes::Bytes;
use crate::arrays::room::Room;
use crate::run::error::{Error, Result};
use crate::run::monitor::Monitor;
use crate::run::parallel::{map_items, n_threads};

/// Time between two looks at what others are working on.
const POLL: Duration = Duration::from_millis(20);

/// What a piece's result is for: the further down, the more it depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The prepared input.
    Input,
    /// Its graph.
    Graph,
    /// A selection from it.
    Selection,
}

impl Scope {
    /// Its name, for files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Input => "input",
            Self::Graph => "graph",
            Self::Selection => "selection",
        }
    }
}

/// A piece of work: its scope, and its name there.
pub type Piece<'a> = (Scope, &'a str);

/// Where a piece stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// Its result is there.
    Done,
    /// It is the caller's, until it gives the result or ends.
    Mine,
    /// Another process has it.
    Busy,
}

/// What processes with a share in the same work know of each other.
///
/// Errors are those of whatever keeps the results.
pub trait Crew: Sync {
    /// This process among how many, from 0: where it begins to look for pieces.
    fn place(&self) -> (usize, usize);

    /// Takes a piece, if nobody has.
    ///
    /// # Errors
    /// Where that cannot be found out.
    fn take(&self, piece: Piece<'_>) -> Result<Taken>;

    /// The result of a piece that is done; `None` once it is forgotten.
    ///
    /// # Errors
    /// Where it cannot be read.
    fn result(&self, piece: Piece<'_>) -> Result<Option<Vec<u8>>>;

    /// Gives the result of a piece that was taken.
    ///
    /// # Errors
    /// Where it cannot be kept.
    fn give(&self, piece: Piece<'_>, result: &[u8]) -> Result<()>;

    /// Leaves a piece that was taken to others.
    ///
    /// # Errors
    /// Where that cannot be done.
    fn leave(&self, piece: Piece<'_>) -> Result<()>;

    /// Writes entries from number `first` on of an array of `len` that all share.
    ///
    /// # Errors
    /// Where there is no room for it.
    fn write(&self, array: Piece<'_>, len: usize, first: usize, entries: &[f32]) -> Result<()>;

    /// An array of `len` entries that is written, to read; `None` once it is forgotten. What is put into it stays here.
    ///
    /// # Errors
    /// Where it cannot be read.
    fn read(&self, array: Piece<'_>, len: usize) -> Result<Option<Box<dyn Room>>>;

    /// Forgets what nobody needs any more: an array, or pieces by the beginning of their names.
    ///
    /// # Errors
    /// Where that cannot be done.
    fn forget(&self, beginning: Piece<'_>) -> Result<()>;
}

/// `task` of each piece 0..`count`, in order; pieces of a crew are named `name` and their number.
///
/// ```
/// use fast_select_core::crew::{Scope, share};
/// use fast_select_core::run::monitor::Monitor;
///
/// let monitor = Monitor::default();
/// let squares = share(None, (Scope::Input, "square"), 4, &monitor, |i| Ok((i * i) as u64))?;
/// assert_eq!(squares, [0, 1, 4, 9]);
/// # Ok::<(), fast_select_core::Error>(())
/// ```
///
/// # Errors
/// Those of `task` and of the crew; [`crate::Error::Interrupted`].
pub fn share<T: Bytes + Send>(
    crew: Option<&dyn Crew>,
    name: Piece<'_>,
    count: usize,
    monitor: &Monitor,
    task: impl Fn(usize) -> Result<T> + Sync + Send,
) -> Result<Vec<T>> {
    let Some(crew) = crew else {
        return map_items((0..count).collect::<Vec<_>>(), task);
    };
    work(crew, name, count, monitor, task)?;
    results(crew, name, count)
}

/// What `total` makes of the results of `count` pieces, `task`'s; of a crew one member makes it.
///
/// # Errors
/// Those of `task`, of `total` and of the crew; [`crate::Error::Interrupted`].
pub fn gather<T: Bytes + Send, U: Bytes>(
    crew: Option<&dyn Crew>,
    name: Piece<'_>,
    count: usize,
    monitor: &Monitor,
    task: impl Fn(usize) -> Result<T> + Sync + Send,
    total: impl FnOnce(Vec<T>) -> Result<U>,
) -> Result<U> {
    let Some(crew) = crew else {
        return total(map_items((0..count).collect::<Vec<_>>(), task)?);
    };
    if !is_done(crew, name)? {
        work(crew, name, count, monitor, task)?;
    }
    once(Some(crew), name, monitor, || {
        total(results(crew, name, count)?)
    })
}

/// The result of a piece: `task`'s, wherever it runs.
///
/// # Errors
/// Those of `task` and of the crew; [`crate::Error::Interrupted`].
pub fn once<T: Bytes>(
    crew: Option<&dyn Crew>,
    piece: Piece<'_>,
    monitor: &Monitor,
    task: impl FnOnce() -> Result<T>,
) -> Result<T> {
    let Some(crew) = crew else { return task() };
    loop {
        match crew.take(piece)? {
            Taken::Done => return result(crew, piece),
            Taken::Busy => wait(monitor)?,
            Taken::Mine => {
                let result = task()?;
                crew.give(piece, &result.bytes())?;
                return Ok(result);
            }
        }
    }
}

/// Whether a piece is done, which stays free if not.
///
/// # Errors
/// Those of the crew.
pub fn is_done(crew: &dyn Crew, piece: Piece<'_>) -> Result<bool> {
    let taken = crew.take(piece)?;
    if taken == Taken::Mine {
        crew.leave(piece)?;
    }
    Ok(taken == Taken::Done)
}

/// Sees to it that `count` pieces are done: `task`, of those that nobody has.
fn work<T: Bytes>(
    crew: &dyn Crew,
    name: Piece<'_>,
    count: usize,
    monitor: &Monitor,
    task: impl Fn(usize) -> Result<T> + Sync + Send,
) -> Result<()> {
    let (member, members) = crew.place();
    let first = count * member / members.max(1);
    let mut open: Vec<usize> = (0..count).map(|i| (first + i) % count).collect();
    loop {
        let next = AtomicUsize::new(0);
        let threads: Vec<usize> = (0..n_threads()).collect();
        let busy = map_items(threads, |_| {
            let mut busy = Vec::new();
            while let Some(&i) = open.get(next.fetch_add(1, Ordering::Relaxed)) {
                monitor.check()?;
                let own = numbered(name.1, i);
                let piece = (name.0, own.as_str());
                match crew.take(piece)? {
                    Taken::Done => {}
                    Taken::Busy => busy.push(i),
                    Taken::Mine => crew.give(piece, &task(i)?.bytes())?,
                }
            }
            Ok(busy)
        })?;
        open = busy.concat();
        if open.is_empty() {
            return Ok(());
        }
        wait(monitor)?;
    }
}

/// The results of `count` pieces that are done.
fn results<T: Bytes + Send>(crew: &dyn Crew, name: Piece<'_>, count: usize) -> Result<Vec<T>> {
    map_items((0..count).collect::<Vec<_>>(), |i| {
        result(crew, (name.0, &numbered(name.1, i)))
    })
}

/// The result of a piece that is done.
///
/// # Errors
/// Those of the crew; [`Error::Failed`] where it is forgotten.
pub fn result<T: Bytes>(crew: &dyn Crew, piece: Piece<'_>) -> Result<T> {
    T::of(&crew.result(piece)?.ok_or_else(forgotten)?)
}

fn forgotten() -> Error {
    Error::failed("checkpoint", "has lost what was done").fix("Run again, or name an empty folder")
}

/// The name of piece `i` of several: names of the same length ascend.
#[must_use]
pub fn numbered(name: &str, i: usize) -> String {
    format!("{name}-{i:06}")
}

/// Waits a moment for others.
///
/// # Errors
/// [`crate::Error::Interrupted`].
pub fn wait(monitor: &Monitor) -> Result<()> {
    sleep(POLL);
    monitor.check()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crew::memory::Memory;

    #[test]
    fn members_find_what_others_have_done() {
        let memory = Memory::default();
        let ran = AtomicUsize::new(0);
        let squares = |memory: &Memory| {
            share(
                Some(memory),
                (Scope::Input, "square"),
                5,
                &Monitor::default(),
                |i| {
                    ran.fetch_add(1, Ordering::Relaxed);
                    Ok((i * i) as u64)
                },
            )
        };
        let expected = [0, 1, 4, 9, 16];
        assert_eq!(squares(&memory).unwrap(), expected);
        assert_eq!(squares(&memory).unwrap(), expected);
        assert_eq!(ran.load(Ordering::Relaxed), 5);
    }

    #[test]
    fn pieces_of_members_that_ended_are_done_by_others() {
        let memory = Memory::default();
        let fails = |i: usize| {
            if i == 3 {
                Err(Error::Interrupted)
            } else {
                Ok(i as u64)
            }
        };
        let name = (Scope::Selection, "piece");
        let monitor = Monitor::default();
        assert_eq!(
            share(Some(&memory), name, 6, &monitor, fails),
            Err(Error::Interrupted)
        );
        memory.end();
        let found = share(Some(&memory), name, 6, &monitor, |i| Ok(i as u64));
        assert_eq!(found.unwrap(), [0, 1, 2, 3, 4, 5]);
    }

    #[test]
    fn a_piece_alone_is_done_once() {
        let (memory, monitor) = (Memory::default(), Monitor::default());
        let piece = (Scope::Graph, "graph");
        assert_eq!(
            once(Some(&memory), piece, &monitor, || Ok(7_u64)).unwrap(),
            7
        );
        assert_eq!(
            once(Some(&memory), piece, &monitor, || Ok(8_u64)).unwrap(),
            7
        );
        assert_eq!(once(None, piece, &monitor, || Ok(9_u64)).unwrap(), 9);
    }
}
