//! FAST coreset selection.
#![forbid(unsafe_code)]

pub mod error;
pub mod knn;
pub mod linalg;
pub mod monitor;
pub mod parallel;
pub mod rng;
pub mod sparse;

pub use error::{Error, Result};
