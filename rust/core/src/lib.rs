//! FAST coreset selection.
#![forbid(unsafe_code)]

pub mod cfd;
pub mod diversity;
pub mod error;
pub mod exchange;
pub mod frequency;
pub mod kernels;
pub mod knn;
pub mod linalg;
pub mod losses;
pub mod monitor;
mod names;
pub mod parallel;
pub mod pdas;
pub mod rng;
pub mod sparse;

pub use error::{Error, Result};
