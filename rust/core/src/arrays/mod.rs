//! Dense rows of numbers in memory.
//!
//! | file | what it holds |
//! |---|---|
//! | [`matrix`] | [`Matrix`](matrix::Matrix), (n, p) of `f32`, owned, and [`MatrixView`](matrix::MatrixView), borrowed |
//! | `aligned` | the memory under it, which begins on a cache line |
//! | [`bytes`] | results as bytes, on their way from one process to another |
//! | [`room`] | numbers elsewhere than in the program's own memory |
//!
//! Input of any type, order and stride is read through [`crate::prepare::source`] instead.

mod aligned;
pub mod bytes;
pub mod matrix;
pub mod room;

pub use aligned::Aligned;
