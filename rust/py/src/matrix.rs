//! Feature matrices from Python: any numeric type, any strides, borrowed.

use fast_select_core::Error;
use fast_select_core::prepare::check_shape;
use fast_select_core::prepare::source::RowSource;
use half::{bf16, f16};
use numpy::{PyReadonlyArray2, PyUntypedArray, PyUntypedArrayMethods};
use pyo3::prelude::*;

use crate::error::to_py;

macro_rules! matrix {
    ($($variant:ident($type:ty)),+ $(,)?) => {
        /// A borrowed (n, d) array.
        pub enum Matrix<'py> {
            $(
                #[doc = stringify!($type)]
                $variant(PyReadonlyArray2<'py, $type>),
            )+
        }

        impl<'py> Matrix<'py> {
            /// Borrows `x`.
            ///
            /// # Errors
            /// `Refused` unless it is two-dimensional, of a numeric type and not empty: the one place where
            /// that is checked.
            pub fn borrow(x: &Bound<'py, PyAny>) -> PyResult<Self> {
                let is_bfloat16 = x.getattr("dtype").is_ok_and(|t| t.to_string() == "bfloat16");
                $(
                    // Asking numpy for bfloat16 panics where no package provides it.
                    if stringify!($type) == "bf16" && !is_bfloat16 {
                    } else if let Ok(array) = x.extract::<PyReadonlyArray2<'py, $type>>() {
                        let shape = array.shape();
                        check_shape(shape[0], shape[1]).map_err(to_py)?;
                        return Ok(Self::$variant(array));
                    }
                )+
                let refused = match x.cast::<PyUntypedArray>() {
                    Ok(array) if array.ndim() != 2 => {
                        let many = if array.ndim() == 1 { "dimension" } else { "dimensions" };
                        let fact = format!("has {} {many} where rows and columns are needed", array.ndim());
                        Error::refused("x", fact).fix("Reshape it to (rows, columns)")
                    }
                    Ok(array) => {
                        let fact = format!("holds {}, not real numbers", array.dtype());
                        Error::refused("x", fact).fix("Convert it to float32")
                    }
                    Err(_) => Error::refused("x", "is not an array"),
                };
                Err(to_py(refused))
            }

            /// Calls `use_it` with the rows.
            pub fn with<R>(&self, use_it: impl FnOnce(&dyn RowSource) -> R) -> R {
                match self {
                    $(Self::$variant(array) => use_it(&array.as_array()),)+
                }
            }
        }
    };
}

matrix! {
    F32(f32),
    F64(f64),
    F16(f16),
    Bf16(bf16),
    U8(u8),
    I8(i8),
    U16(u16),
    I16(i16),
    U32(u32),
    I32(i32),
    U64(u64),
    I64(i64),
    Bool(bool),
}

/// Refuses what is not an (n, d) array of real numbers with n, d >= 1.
#[pyfunction]
fn check_matrix(x: &Bound<'_, PyAny>) -> PyResult<()> {
    Matrix::borrow(x).map(|_| ())
}

/// Adds what this file defines to the module.
pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(check_matrix, m)?)
}
