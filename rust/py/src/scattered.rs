//! Arrays that Rust has no references to: of the other byte order, unaligned, or with steps between entries that are
//! no multiple of their size, as a field of packed records has.

use std::marker::PhantomData;
use std::ops::Range;

use fast_select_core::kernels::columns::Affine;
use fast_select_core::kernels::element::{Element, Exact};
use fast_select_core::prepare::source::{RowHash, RowSource};
use numpy::ndarray::{Array2, Axis};
use numpy::{PyArrayDescrMethods, PyUntypedArray, PyUntypedArrayMethods};
use pyo3::prelude::*;

/// Entries of an (n, d) array at any address, in either byte order.
pub struct Scattered<'a, T> {
    data: *const u8,
    shape: [usize; 2],
    /// Bytes from a row to the next, and from a column to the next.
    strides: [isize; 2],
    is_swapped: bool,
    array: PhantomData<&'a T>,
}

// SAFETY: entries are only read, as with the shared borrow of an array.
unsafe impl<T: Sync> Sync for Scattered<'_, T> {}

impl<'a, T: Element> Scattered<'a, T> {
    /// The entries of `array`, two-dimensional, of items as large as T.
    pub fn new(array: &'a Bound<'_, PyUntypedArray>) -> Self {
        assert!(array.ndim() == 2 && array.dtype().itemsize() == size_of::<T>());
        let (shape, strides) = (array.shape(), array.strides());
        // SAFETY: the pointer is that of a live array object.
        let data = unsafe { (*array.as_array_ptr()).fields.data };
        Self {
            data: data.cast_const().cast(),
            shape: [shape[0], shape[1]],
            strides: [strides[0], strides[1]],
            is_swapped: array.dtype().is_native_byteorder() == Some(false),
            array: PhantomData,
        }
    }

    fn entry(&self, i: usize, j: usize) -> T {
        assert!(i < self.shape[0] && j < self.shape[1]);
        let offset = i as isize * self.strides[0] + j as isize * self.strides[1];
        let mut bytes = [0_u8; 16];
        let bytes = &mut bytes[..size_of::<T>()];
        // SAFETY: within the array, which `array` keeps alive; bytes have no alignment.
        unsafe {
            let at = self.data.offset(offset);
            at.copy_to_nonoverlapping(bytes.as_mut_ptr(), bytes.len());
        }
        if self.is_swapped {
            bytes.reverse();
        }
        bytemuck::pod_read_unaligned(bytes)
    }

    /// Rows in the processor's own way.
    fn gathered(&self, rows: Range<usize>, columns: Range<usize>) -> Array2<T> {
        let shape = (rows.len(), columns.len());
        Array2::from_shape_fn(shape, |(i, j)| {
            self.entry(rows.start + i, columns.start + j)
        })
    }
}

impl<T: Element> RowSource for Scattered<'_, T> {
    fn n_rows(&self) -> usize {
        self.shape[0]
    }

    fn n_cols(&self) -> usize {
        self.shape[1]
    }

    fn rounding(&self) -> f64 {
        T::ROUNDING
    }

    fn exact(&self, row: usize, columns: Range<usize>, out: &mut [Exact]) {
        let width = columns.len();
        self.gathered(row..row + 1, columns)
            .view()
            .exact(0, 0..width, out);
    }

    fn hashes(&self, rows: Range<usize>) -> Vec<RowHash> {
        let gathered = self.gathered(rows, 0..self.shape[1]);
        gathered.view().hashes(0..gathered.len_of(Axis(0)))
    }

    fn read(&self, rows: Range<usize>, affine: &Affine, out: &mut [f32]) {
        let gathered = self.gathered(rows, 0..self.shape[1]);
        gathered
            .view()
            .read(0..gathered.len_of(Axis(0)), affine, out);
    }
}
