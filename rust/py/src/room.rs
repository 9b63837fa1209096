//! Room for Z in an array of Python's: a file that is mapped.

use std::ops::{Deref, DerefMut};

use fast_select_core::Error;
use fast_select_core::arrays::room::Room;
use numpy::{PyArray1, PyArrayMethods, PyUntypedArrayMethods};
use pyo3::prelude::*;

use crate::error::to_py;

/// The numbers of an array that nobody else uses while this lives.
#[derive(Debug)]
pub struct ArrayRoom {
    numbers: *mut f32,
    len: usize,
    /// Keeps the numbers alive.
    _array: Py<PyArray1<f32>>,
}

// SAFETY: the pointer is used as a slice that belongs to this value alone.
unsafe impl Send for ArrayRoom {}
// SAFETY: as above; shared access only reads.
unsafe impl Sync for ArrayRoom {}

impl ArrayRoom {
    /// Takes `array`, which its owner must not use any more.
    ///
    /// # Errors
    /// `Refused` unless it is contiguous and can be written.
    pub fn take(array: &Bound<'_, PyArray1<f32>>) -> PyResult<Box<dyn Room>> {
        let refused = || {
            to_py(Error::refused(
                "room",
                "is not contiguous, or cannot be written",
            ))
        };
        let taken = array.try_readwrite().map_err(|_| refused())?;
        if !array.is_c_contiguous() {
            return Err(refused());
        }
        Ok(Box::new(Self {
            numbers: taken.data(),
            len: taken.len(),
            _array: array.clone().unbind(),
        }))
    }
}

impl Deref for ArrayRoom {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        // SAFETY: `len` numbers of an array that is kept alive and that nobody else uses.
        unsafe { std::slice::from_raw_parts(self.numbers, self.len) }
    }
}

impl DerefMut for ArrayRoom {
    fn deref_mut(&mut self) -> &mut [f32] {
        // SAFETY: as above.
        unsafe { std::slice::from_raw_parts_mut(self.numbers, self.len) }
    }
}

impl Room for ArrayRoom {}
