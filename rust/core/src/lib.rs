//! FAST coreset selection: the rows of a matrix whose distribution equals the whole one's.
//!
//! Cui et al. 2025, "FAST: Topology-Aware Frequency-Domain Distribution Matching for Coreset
//! Selection", arXiv:2511.19476, and an exchange of our own. n rows, d columns, m selected,
//! k neighbours, c spectral components, p dimensions of the matching space, q frequencies.
//!
//! | stage | module | what it makes | source | cost |
//! |---|---|---|---|---|
//! | prepare | [`prepare`] | Z, (n, 64): checked, centred, scaled, reduced | Halko et al. 2011 | O(n d p) |
//! | neighbors | [`knn`] | k nearest rows, exact | | O(n^2 p) |
//! | graph | [`fuzzy`], [`connect`] | B, fuzzy, three scales, one component | McInnes et al. 2018 | O(n k), and O(n s p) to join s stray rows |
//! | spectral | [`spectral`], [`eigensolver`] | V, (n, c), commute-time scaled | Eq. 1; Zhou & Saad 2007 | O(n k c) a step |
//! | frequencies | [`space`], [`frequency`], [`cfd`] | U, (n, p); library; φ_X | Eq. 6, 13 | O(n q p) |
//! | optimize | [`optimize()`], [`cfd`], [`diversity`], [`losses`], [`pdas`], [`matching`] | anchors Y, (m, p) | Eq. 3 to 12, 14 | O(m b p) a step, b frequencies a batch |
//! | decode | [`matching`], [`assignment`] | m distinct rows | Eq. 3; Jonker & Volgenant 1987 | O(m n p) |
//! | exchange | [`partition`], [`block`], [`exchange`] | better ones | ours; Schubert & Rousseeuw 2021 | O(n b p), b rows a block |
//! | baseline | [`baselines`], [`kmeans`] | a rival's rows instead | see there | |
//! | quality | [`quality`], [`cell_distance`], [`discrepancy`], [`draws`] | figures beside random picks | | O(n q p + n^2 p / cells) |
//!
//! [`select()`] runs them. The core knows no Python, prints nothing and opens no file; a
//! [`monitor`] carries progress out and cancellation in. Results are the same for any number of
//! threads.
#![forbid(unsafe_code)]

mod aligned;
pub mod assignment;
pub mod baselines;
mod basis;
pub mod block;
pub mod candidate_lists;
pub mod cell_distance;
pub mod cfd;
mod columns;
pub mod connect;
mod coverage;
pub mod discrepancy;
pub mod diversity;
pub mod draws;
pub mod eigensolver;
pub mod error;
pub mod exchange;
mod filter;
pub mod frequency;
pub mod fuzzy;
pub mod groups;
pub mod kernels;
pub mod kmeans;
pub mod knn;
pub mod linalg;
pub mod losses;
pub mod matching;
mod moments;
pub mod monitor;
mod names;
mod nearby;
mod nearest;
pub mod optimize;
pub mod parallel;
pub mod partition;
mod paths;
mod pca;
pub mod pdas;
pub mod plan;
pub mod prepare;
pub mod quality;
pub mod rng;
pub mod seeding;
pub mod select;
mod sketch;
pub mod source;
pub mod space;
pub mod sparse;
pub mod spectral;
mod statistics;
mod swaps;
mod top_k;
mod work;

pub use error::{Error, Result};
pub use optimize::optimize;
pub use select::select;
