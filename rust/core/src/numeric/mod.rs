//! Numerics that more than one stage needs.
//!
//! | file | what it does |
//! |---|---|
//! | [`centred`](mod@centred) | rows about their own centre |
//! | [`factorise`] | small dense eigenproblems, QR and Cholesky, by faer |
//! | [`sparse`] | compressed sparse rows, and their products with thin matrices |
//! | [`partition`] | cells of equal size by recursive bisection |
//! | [`median_distance`] | the unit of length |
//! | [`sample`] | rows drawn without replacement: the one way in which rows are drawn |
//! | [`signs`] | which of two opposite vectors is meant |

pub mod centred;
pub mod factorise;
pub mod median_distance;
pub mod partition;
pub mod sample;
pub mod signs;
pub mod sparse;
