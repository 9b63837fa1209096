//! Feature matrices from Python: any numeric type, byte order and strides, borrowed.

use fast_select_core::kernels::element::Element;
use fast_select_core::prepare::check_shape;
use fast_select_core::prepare::source::RowSource;
use fast_select_core::prepare::stacked::Stacked;
use fast_select_core::{Error, Result};
use half::{bf16, f16};
use numpy::{
    Element as Item, PyArrayDescrMethods, PyReadonlyArray2, PyUntypedArray, PyUntypedArrayMethods,
};
use pyo3::prelude::*;

use crate::error::to_py;
use crate::scattered::Scattered;

/// A borrowed (n, d) array of T.
enum Rows<'py, T: Item> {
    /// Entries that Rust can refer to.
    Plain(PyReadonlyArray2<'py, T>),
    /// Others.
    Scattered(Bound<'py, PyUntypedArray>),
}

impl<'py, T: Item + Element> Rows<'py, T> {
    fn borrow(array: &Bound<'py, PyUntypedArray>) -> Self {
        let size = size_of::<T>() as isize;
        let is_plain = array.is_aligned() && array.strides().iter().all(|step| step % size == 0);
        match array.extract() {
            Ok(plain) if is_plain => Self::Plain(plain),
            _ => Self::Scattered(array.clone()),
        }
    }

    fn source(&self) -> Box<dyn RowSource + '_> {
        match self {
            Self::Plain(array) => Box::new(array.as_array()),
            Self::Scattered(array) => Box::new(Scattered::<T>::new(array)),
        }
    }
}

macro_rules! part {
    ($($variant:ident($type:ty): $kind:tt, $size:literal);+ $(;)?) => {
        /// A borrowed (n, d) array.
        enum Part<'py> {
            $(
                #[doc = stringify!($type)]
                $variant(Rows<'py, $type>),
            )+
        }

        impl<'py> Part<'py> {
            fn of_kind(array: &Bound<'py, PyUntypedArray>, kind: u8, size: usize) -> Option<Self> {
                match (kind, size) {
                    $(($kind, $size) => Some(Self::$variant(Rows::borrow(array))),)+
                    _ => None,
                }
            }

            fn source(&self) -> Box<dyn RowSource + '_> {
                match self {
                    $(Self::$variant(rows) => rows.source(),)+
                }
            }
        }
    };
}

/// Kind of bfloat16, which numpy knows only from other packages.
const BFLOAT16: u8 = b'B';

part! {
    F32(f32): b'f', 4;
    F64(f64): b'f', 8;
    F16(f16): b'f', 2;
    Bf16(bf16): BFLOAT16, 2;
    U8(u8): b'u', 1;
    I8(i8): b'i', 1;
    U16(u16): b'u', 2;
    I16(i16): b'i', 2;
    U32(u32): b'u', 4;
    I32(i32): b'i', 4;
    U64(u64): b'u', 8;
    I64(i64): b'i', 8;
}

impl<'py> Part<'py> {
    fn borrow(x: &Bound<'py, PyAny>) -> Result<Self> {
        let Ok(array) = x.cast::<PyUntypedArray>() else {
            return Err(Error::refused("x", "is not an array"));
        };
        if array.ndim() != 2 {
            let many = if array.ndim() == 1 {
                "dimension"
            } else {
                "dimensions"
            };
            let fact = format!(
                "has {} {many} where rows and columns are needed",
                array.ndim()
            );
            return Err(Error::refused("x", fact).fix("Reshape it to (rows, columns)"));
        }
        let dtype = array.dtype();
        let kind = match dtype.kind() {
            // A byte of any value is no `bool` in Rust.
            b'b' => b'u',
            _ if dtype.to_string() == "bfloat16" => BFLOAT16,
            kind => kind,
        };
        Self::of_kind(array, kind, dtype.itemsize()).ok_or_else(|| {
            let fact = format!("holds {dtype}, not real numbers of up to 64 bits");
            Error::refused("x", fact).fix("Convert it to float32 or float64")
        })
    }
}

/// A borrowed (n, d) array, or several, one below the other.
pub struct Matrix<'py>(Vec<Part<'py>>);

impl<'py> Matrix<'py> {
    /// Borrows `x`, an array or what has `parts`, a sequence of arrays.
    ///
    /// # Errors
    /// `Refused` unless all are two-dimensional, of a numeric type and as wide, and not empty in
    /// all: the one place where that is checked.
    pub fn borrow(x: &Bound<'py, PyAny>) -> PyResult<Self> {
        let parts = match x.getattr_opt("parts")? {
            Some(parts) => parts
                .try_iter()?
                .map(|part| Part::borrow(&part?).map_err(to_py))
                .collect::<PyResult<_>>()?,
            None => vec![Part::borrow(x).map_err(to_py)?],
        };
        let matrix = Self(parts);
        let (n, d) = {
            let rows = matrix.source()?;
            (rows.n_rows(), rows.n_cols())
        };
        check_shape(n, d).map_err(to_py)?;
        Ok(matrix)
    }

    /// The rows.
    ///
    /// # Errors
    /// `Refused` for parts of several widths.
    pub fn source(&self) -> PyResult<Box<dyn RowSource + '_>> {
        match &self.0[..] {
            [array] => Ok(array.source()),
            parts => {
                let sources = parts.iter().map(Part::source).collect();
                Ok(Box::new(Stacked::new(sources).map_err(to_py)?))
            }
        }
    }
}

/// Refuses what is not an (n, d) array, or a stack, of real numbers with n, d >= 1.
#[pyfunction]
fn check_matrix(x: &Bound<'_, PyAny>) -> PyResult<()> {
    Matrix::borrow(x).map(|_| ())
}

/// Adds what this file defines to the module.
pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(check_matrix, m)?)
}
