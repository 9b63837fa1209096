//! FAST coreset selection.
#![forbid(unsafe_code)]

pub mod cfd;
pub mod diversity;
pub mod error;
pub mod frequency;
pub mod kernels;
pub mod knn;
pub mod linalg;
pub mod monitor;
pub mod parallel;
pub mod rng;
pub mod sparse;

pub use error::{Error, Result};
