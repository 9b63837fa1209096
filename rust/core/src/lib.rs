//! FAST coreset selection.
#![forbid(unsafe_code)]

pub mod assignment;
pub mod cfd;
pub mod connect;
pub mod diversity;
pub mod eigensolver;
pub mod error;
pub mod exchange;
pub mod frequency;
pub mod fuzzy;
pub mod groups;
pub mod kernels;
pub mod knn;
pub mod linalg;
pub mod losses;
pub mod monitor;
mod names;
pub mod parallel;
pub mod partition;
mod pca;
pub mod pdas;
pub mod prepare;
pub mod rng;
pub mod source;
pub mod sparse;
pub mod spectral;

pub use error::{Error, Result};
