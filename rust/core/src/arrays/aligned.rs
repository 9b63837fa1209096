//! Numbers in memory that begin on a cache line.
//!
//! A row of 16 `f32` is then one line, and a vector load never straddles two: products of sparse
//! matrices with 16 columns take three quarters of the time.

use std::ops::{Deref, DerefMut};

use crate::arrays::room::Room;

/// Bytes of a cache line.
const LINE: usize = 64;
/// Numbers of one.
const PER_LINE: usize = LINE / size_of::<f32>();

/// A vector; on a cache line where [`Aligned::zeros`] made it.
#[derive(Debug, Default)]
pub struct Aligned {
    /// The numbers, after up to a line of others.
    data: Data,
    start: usize,
    len: usize,
}

/// Whose the numbers are.
#[derive(Debug)]
enum Data {
    Own(Vec<f32>),
    Lent(Box<dyn Room>),
}

impl Default for Data {
    fn default() -> Self {
        Self::Own(Vec::new())
    }
}

impl Aligned {
    /// `len` zeros.
    pub fn zeros(len: usize) -> Self {
        let data = vec![0.0; len + PER_LINE];
        // The size of f32 divides that of a line, so that one of the next 16 begins a line.
        let start = data.as_ptr().align_offset(LINE).min(PER_LINE);
        let data = Data::Own(data);
        Self { data, start, len }
    }

    /// Keeps the first `len` numbers, and gives the memory of the others back.
    pub fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len);
        if let Data::Own(data) = &mut self.data {
            data.truncate(self.start + self.len);
            data.shrink_to_fit();
        }
    }
}

impl From<Box<dyn Room>> for Aligned {
    /// Takes the numbers where they are.
    fn from(room: Box<dyn Room>) -> Self {
        let len = room.len();
        Self {
            data: Data::Lent(room),
            start: 0,
            len,
        }
    }
}

impl From<Vec<f32>> for Aligned {
    /// Takes `data` where it is.
    fn from(data: Vec<f32>) -> Self {
        let len = data.len();
        Self {
            data: Data::Own(data),
            start: 0,
            len,
        }
    }
}

impl Deref for Aligned {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        let data: &[f32] = match &self.data {
            Data::Own(data) => data,
            Data::Lent(room) => room,
        };
        &data[self.start..self.start + self.len]
    }
}

impl DerefMut for Aligned {
    fn deref_mut(&mut self) -> &mut [f32] {
        let data: &mut [f32] = match &mut self.data {
            Data::Own(data) => data,
            Data::Lent(room) => room,
        };
        &mut data[self.start..self.start + self.len]
    }
}

impl AsRef<[f32]> for Aligned {
    fn as_ref(&self) -> &[f32] {
        self
    }
}

impl Clone for Aligned {
    fn clone(&self) -> Self {
        let mut copy = Self::zeros(self.len);
        copy.copy_from_slice(self);
        copy
    }
}

impl PartialEq for Aligned {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zeros_and_copies_begin_on_a_line() {
        for len in 0..70 {
            let mut made = Aligned::zeros(len);
            assert_eq!(*made, vec![0.0; len]);
            made.iter_mut().enumerate().for_each(|(i, x)| *x = i as f32);
            let copy = made.clone();
            assert_eq!(copy, made);
            for x in [&made, &copy] {
                assert_eq!(x.as_ptr().align_offset(LINE), 0);
            }
            assert_eq!(Aligned::from(made.to_vec()), made);
        }
    }
}
