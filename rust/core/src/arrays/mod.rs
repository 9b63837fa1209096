//! Dense rows of numbers in memory.
//!
//! | file | what it holds |
//! |---|---|
//! | [`matrix`] | [`Matrix`](matrix::Matrix), (n, p) of `f32`, owned, and [`MatrixView`](matrix::MatrixView), borrowed |
//! | `aligned` | the memory under it, which begins on a cache line |
//!
//! Input of any type, order and stride is read through [`crate::prepare::source`] instead.

mod aligned;
pub mod matrix;

pub use aligned::Aligned;
