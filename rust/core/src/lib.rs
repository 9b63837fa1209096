//! FAST coreset selection: the rows of a matrix whose distribution equals the whole one's.
//!
//! Cui et al. 2025, "FAST: Topology-Aware Frequency-Domain Distribution Matching for Coreset
//! Selection", arXiv:2511.19476, and the exchange that its ideas have become. n rows, d columns, m selected,
//! k neighbours, c spectral components, p dimensions (p0 of Z), q frequencies, b rows of a block.
//!
//! | stage | folder | what it makes | source | cost |
//! |---|---|---|---|---|
//! | prepare | [`prepare`] | Z, (n, p0), p0 at most 64: checked, centred, scaled, reduced | Halko et al. 2011 | O(n d p) |
//! | neighbors, graph | [`graph`] | B, fuzzy, three scales, one component | McInnes et al. 2018 | O(n^2 p) |
//! | spectral | [`spectral`] | V, (n, c), commute-time scaled | Eq. 1; Zhou & Saad 2007 | O(n k c) a step |
//! | frequencies, optimize | [`descent`] | anchors Y, (m, p), moved to the whole's distribution | Eq. 4 to 14 | O(m q p) a step, q frequencies a batch |
//! | decode | [`matching`] | m distinct rows | Eq. 3; Jonker & Volgenant 1987 | O(m n p) |
//! | exchange | [`exchange`] | better ones | ours; Schubert & Rousseeuw 2021 | O(n b p) |
//! | baseline | [`baselines`] | a rival's rows instead | see there | |
//! | rank | [`exchange::elimination`], [`select::ranking`] | the order in which to take them | reverse greedy: Chrobak, Kenyon & Young 2006 | O(n m p) in blocks |
//! | weights | [`weights`] | how many rows each pick stands for | ours | O(n m p) at worst |
//! | quality | [`quality`] | figures beside random picks | | O(n q p + n^2 p / cells) |
//!
//! [`select`] runs them. [`options`] is the table of what can be set. Below the stages lie [`numeric`],
//! [`kernels`], [`crew`] (processes that share the work), [`arrays`] and [`run`] (errors, threads, random streams,
//! progress), each of which uses only what stands after it here. The core knows no Python, prints nothing and opens
//! no file; a [`monitor`](run::monitor) carries progress out and cancellation in. Results are the same for any number
//! of threads, and for any number of processes.
//!
#![doc = include_str!("three_points.md")]
#![forbid(unsafe_code)]

pub mod arrays;
pub mod baselines;
pub mod crew;
pub mod descent;
pub mod exchange;
pub mod graph;
pub mod kernels;
pub mod matching;
pub mod numeric;
pub mod options;
pub mod prepare;
pub mod quality;
pub mod run;
pub mod select;
pub mod spectral;
pub mod weights;

pub use run::error::{Error, Result};
