//! Numbers that lie elsewhere than in the program's own memory, such as in a mapped file.

use std::fmt::Debug;
use std::ops::DerefMut;

use crate::arrays::matrix::Matrix;
use crate::run::error::Result;

/// Room that the caller has for numbers.
pub trait Room: DerefMut<Target = [f32]> + Debug + Send + Sync {}

/// A matrix of zeros, in memory or where there is room: of as many zeros, or more.
///
/// # Errors
/// [`crate::Error::Refused`] for too little room.
pub fn zeros_in(room: Option<Box<dyn Room>>, rows: usize, cols: usize) -> Result<Matrix> {
    match room {
        None => Ok(Matrix::zeros(rows, cols)),
        Some(room) => Matrix::within(room, rows, cols),
    }
}
