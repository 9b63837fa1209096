//! Results as bytes, and back: little-endian, each list after its length.

use bytemuck::Pod;

use crate::run::error::{Error, Result};

/// A result that can be kept as bytes.
pub trait Bytes: Sized {
    /// The bytes.
    fn bytes(&self) -> Vec<u8> {
        let mut writer = Writer::default();
        self.write(&mut writer);
        writer.bytes
    }

    /// The result that bytes hold.
    ///
    /// # Errors
    /// [`Error::Failed`] for others than [`Bytes::bytes`] made.
    fn of(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader { bytes };
        let read = Self::read(&mut reader)?;
        if reader.bytes.is_empty() {
            Ok(read)
        } else {
            Err(damaged())
        }
    }

    /// Adds it to what is written.
    fn write(&self, to: &mut Writer);

    /// Takes it from what is read.
    ///
    /// # Errors
    /// [`Error::Failed`] where that ends.
    fn read(from: &mut Reader<'_>) -> Result<Self>;
}

/// Bytes on their way out.
#[derive(Debug, Default)]
pub struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    /// Adds a number.
    pub fn number<T: Pod>(&mut self, number: T) {
        self.bytes.extend_from_slice(bytemuck::bytes_of(&number));
    }

    /// Adds a list of numbers.
    pub fn list<T: Pod>(&mut self, list: &[T]) {
        self.number(list.len() as u64);
        self.bytes.extend_from_slice(bytemuck::cast_slice(list));
    }
}

/// Bytes on their way in.
#[derive(Debug)]
pub struct Reader<'a> {
    bytes: &'a [u8],
}

impl Reader<'_> {
    /// The next number.
    ///
    /// # Errors
    /// [`Error::Failed`] at the end.
    pub fn number<T: Pod>(&mut self) -> Result<T> {
        let bytes = self.take(size_of::<T>())?;
        Ok(bytemuck::pod_read_unaligned(bytes))
    }

    /// The next list of numbers.
    ///
    /// # Errors
    /// [`Error::Failed`] at the end.
    pub fn list<T: Pod>(&mut self) -> Result<Vec<T>> {
        let len = usize::try_from(self.number::<u64>()?).map_err(|_| damaged())?;
        let bytes = self.take(len.checked_mul(size_of::<T>()).ok_or_else(damaged)?)?;
        Ok(bytemuck::allocation::pod_collect_to_vec(bytes))
    }

    fn take(&mut self, len: usize) -> Result<&[u8]> {
        let (taken, left) = self.bytes.split_at_checked(len).ok_or_else(damaged)?;
        self.bytes = left;
        Ok(taken)
    }
}

impl Bytes for () {
    fn write(&self, _: &mut Writer) {}

    fn read(_: &mut Reader<'_>) -> Result<Self> {
        Ok(())
    }
}

impl Bytes for Vec<Vec<u32>> {
    fn write(&self, to: &mut Writer) {
        to.number(self.len() as u64);
        self.iter().for_each(|list| to.list(list));
    }

    fn read(from: &mut Reader<'_>) -> Result<Self> {
        let len = from.number::<u64>()?;
        (0..len).map(|_| from.list()).collect()
    }
}

macro_rules! bytes_of {
    ($($number:ty),+) => {
        $(
            impl Bytes for $number {
                fn write(&self, to: &mut Writer) {
                    to.number(*self);
                }

                fn read(from: &mut Reader<'_>) -> Result<Self> {
                    from.number()
                }
            }

            impl Bytes for Vec<$number> {
                fn write(&self, to: &mut Writer) {
                    to.list(self);
                }

                fn read(from: &mut Reader<'_>) -> Result<Self> {
                    from.list()
                }
            }
        )+
    };
}

bytes_of!(u32, u64, f32, f64);

fn damaged() -> Error {
    Error::failed("checkpoint", "holds a result that cannot be read").fix("Name an empty folder")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_come_back_as_they_were() {
        let list = vec![1.5_f64, -0.0, f64::NAN];
        let back = Vec::<f64>::of(&list.bytes()).unwrap();
        assert!(
            list.iter()
                .zip(&back)
                .all(|(a, b)| a.to_bits() == b.to_bits())
        );
        assert_eq!(u32::of(&7_u32.bytes()), Ok(7));
    }

    #[test]
    fn what_is_cut_short_or_too_long_is_refused() {
        let bytes = vec![1_u32, 2].bytes();
        assert!(Vec::<u32>::of(&bytes[..bytes.len() - 1]).is_err());
        assert!(Vec::<u32>::of(&[&bytes[..], &[0]].concat()).is_err());
        assert!(Vec::<u64>::of(&u64::MAX.bytes()).is_err());
    }
}
