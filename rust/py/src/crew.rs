//! A crew whose results Python keeps, in files.

use std::sync::{Mutex, PoisonError};

use fast_select_core::arrays::room::Room;
use fast_select_core::crew::{Crew, Piece, Taken};
use fast_select_core::{Error, Result};
use numpy::PyArray1;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::room::ArrayRoom;

/// What `fast_select._checkpoint.Checkpoint` keeps.
pub struct PyCrew {
    keeper: Py<PyAny>,
    place: (usize, usize),
    /// What it raised: the core knows no errors of Python's.
    raised: Mutex<Option<PyErr>>,
}

impl PyCrew {
    /// Calls `use_it` with the crew that `keeper` keeps, if there is one; what that raises is raised.
    pub fn with<R>(
        keeper: Option<&Bound<'_, PyAny>>,
        use_it: impl FnOnce(Option<&dyn Crew>) -> PyResult<R>,
    ) -> PyResult<R> {
        let Some(keeper) = keeper else {
            return use_it(None);
        };
        let crew = Self {
            keeper: keeper.clone().unbind(),
            place: keeper.getattr("place")?.extract()?,
            raised: Mutex::default(),
        };
        let result = use_it(Some(&crew));
        let raised = crew.raised.into_inner();
        match raised.unwrap_or_else(PoisonError::into_inner) {
            Some(err) => Err(err),
            None => result,
        }
    }

    fn ask<R>(&self, call: impl FnOnce(&Bound<'_, PyAny>) -> PyResult<R>) -> Result<R> {
        Python::attach(|py| call(self.keeper.bind(py))).map_err(|err| {
            let mut raised = self.raised.lock().unwrap_or_else(PoisonError::into_inner);
            raised.get_or_insert(err);
            Error::Interrupted
        })
    }
}

impl Crew for PyCrew {
    fn place(&self) -> (usize, usize) {
        self.place
    }

    fn take(&self, (scope, name): Piece<'_>) -> Result<Taken> {
        self.ask(|keeper| {
            let taken: Option<bool> = keeper
                .call_method1("take", (scope.name(), name))?
                .extract()?;
            Ok(match taken {
                None => Taken::Done,
                Some(true) => Taken::Mine,
                Some(false) => Taken::Busy,
            })
        })
    }

    fn result(&self, (scope, name): Piece<'_>) -> Result<Option<Vec<u8>>> {
        self.ask(|keeper| {
            keeper
                .call_method1("result", (scope.name(), name))?
                .extract()
        })
    }

    fn give(&self, (scope, name): Piece<'_>, result: &[u8]) -> Result<()> {
        self.ask(|keeper| {
            let bytes = PyBytes::new(keeper.py(), result);
            keeper.call_method1("give", (scope.name(), name, bytes))?;
            Ok(())
        })
    }

    fn leave(&self, (scope, name): Piece<'_>) -> Result<()> {
        self.ask(|keeper| {
            keeper
                .call_method1("leave", (scope.name(), name))
                .map(|_| ())
        })
    }

    fn write(
        &self,
        (scope, name): Piece<'_>,
        len: usize,
        first: usize,
        entries: &[f32],
    ) -> Result<()> {
        self.ask(|keeper| {
            let bytes = PyBytes::new(keeper.py(), bytemuck::cast_slice(entries));
            keeper.call_method1("write", (scope.name(), name, len, first, bytes))?;
            Ok(())
        })
    }

    fn read(&self, (scope, name): Piece<'_>, len: usize) -> Result<Option<Box<dyn Room>>> {
        self.ask(|keeper| {
            let array = keeper.call_method1("read", (scope.name(), name, len))?;
            let array: Option<Bound<'_, PyArray1<f32>>> = array.extract()?;
            array.as_ref().map(ArrayRoom::take).transpose()
        })
    }

    fn forget(&self, (scope, beginning): Piece<'_>) -> Result<()> {
        self.ask(|keeper| {
            keeper.call_method1("forget", (scope.name(), beginning))?;
            Ok(())
        })
    }
}
