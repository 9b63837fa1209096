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

#[path = "arrays/aligned.rs"]
mod aligned;
#[path = "matching/assignment.rs"]
pub mod assignment;
#[path = "baselines/mod.rs"]
pub mod baselines;
#[path = "spectral/basis.rs"]
mod basis;
#[path = "exchange/potential.rs"]
pub mod block;
#[path = "matching/candidate_lists.rs"]
pub mod candidate_lists;
#[path = "quality/cell_distance.rs"]
pub mod cell_distance;
#[path = "descent/cfd.rs"]
pub mod cfd;
#[path = "prepare/scaled_rows.rs"]
mod columns;
#[path = "graph/connect.rs"]
pub mod connect;
#[path = "quality/coverage.rs"]
mod coverage;
#[path = "quality/discrepancy.rs"]
pub mod discrepancy;
#[path = "descent/diversity.rs"]
pub mod diversity;
#[path = "quality/draws.rs"]
pub mod draws;
#[path = "spectral/davidson.rs"]
pub mod eigensolver;
#[path = "run/error.rs"]
pub mod error;
#[path = "exchange/mod.rs"]
pub mod exchange;
#[path = "spectral/chebyshev.rs"]
mod filter;
#[path = "descent/frequency.rs"]
pub mod frequency;
#[path = "graph/fuzzy.rs"]
pub mod fuzzy;
#[path = "select/quotas.rs"]
pub mod groups;
pub mod kernels;
#[path = "baselines/kmeans.rs"]
pub mod kmeans;
#[path = "graph/knn.rs"]
pub mod knn;
#[path = "numeric/linalg.rs"]
pub mod linalg;
#[path = "descent/losses.rs"]
pub mod losses;
#[path = "matching/mod.rs"]
pub mod matching;
#[path = "quality/moments.rs"]
mod moments;
#[path = "run/monitor.rs"]
pub mod monitor;
#[path = "run/names.rs"]
mod names;
#[path = "matching/candidates.rs"]
mod nearby;
#[path = "exchange/nearest_picks.rs"]
mod nearest;
#[path = "descent/mod.rs"]
pub mod optimize;
#[path = "run/parallel.rs"]
pub mod parallel;
#[path = "numeric/partition.rs"]
pub mod partition;
#[path = "matching/augment.rs"]
mod paths;
#[path = "prepare/pca.rs"]
mod pca;
#[path = "descent/pdas.rs"]
pub mod pdas;
#[path = "select/plan.rs"]
pub mod plan;
#[path = "prepare/mod.rs"]
pub mod prepare;
#[path = "quality/mod.rs"]
pub mod quality;
#[path = "run/rng.rs"]
pub mod rng;
#[path = "baselines/kmeans_plus_plus.rs"]
pub mod seeding;
#[path = "select/mod.rs"]
pub mod select;
#[path = "spectral/count_sketch.rs"]
mod sketch;
#[path = "prepare/source.rs"]
pub mod source;
#[path = "descent/space.rs"]
pub mod space;
#[path = "numeric/sparse.rs"]
pub mod sparse;
#[path = "spectral/mod.rs"]
pub mod spectral;
#[path = "prepare/statistics.rs"]
mod statistics;
#[path = "exchange/swaps.rs"]
mod swaps;
#[path = "graph/top_k.rs"]
mod top_k;
#[path = "select/stages.rs"]
mod work;

pub use error::{Error, Result};
pub use optimize::optimize;
pub use select::select;
