//! Feature matrices from Python: any numeric type, any strides, borrowed.

use fast_select_core::source::RowSource;
use half::{bf16, f16};
use numpy::{PyReadonlyArray2, PyUntypedArray, PyUntypedArrayMethods};
use pyo3::prelude::*;

use crate::error::InvalidInput;

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
            /// `InvalidInput` unless it is two-dimensional and of a numeric type.
            pub fn borrow(x: &Bound<'py, PyAny>) -> PyResult<Self> {
                let is_bfloat16 = x.getattr("dtype").is_ok_and(|t| t.to_string() == "bfloat16");
                $(
                    // Asking numpy for bfloat16 panics where no package provides it.
                    if stringify!($type) == "bf16" && !is_bfloat16 {
                    } else if let Ok(array) = x.extract::<PyReadonlyArray2<'py, $type>>() {
                        return Ok(Self::$variant(array));
                    }
                )+
                let fact = match x.cast::<PyUntypedArray>() {
                    Ok(array) if array.ndim() != 2 => format!("has {} dimensions", array.ndim()),
                    Ok(array) => format!("holds {}", array.dtype()),
                    Err(_) => "is not an array".to_owned(),
                };
                Err(InvalidInput::new_err((
                    "x",
                    format!("x {fact} where a two-dimensional array of numbers is needed"),
                )))
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
