//! What every stage runs on: nothing here knows of rows or distances.
//!
//! | file | what it is for |
//! |---|---|
//! | [`error`] | what can go wrong, as fields |
//! | [`monitor`] | progress out, cancellation in |
//! | [`parallel`] | threads: the only place that starts them |
//! | [`rng`] | random streams by seed, group, purpose and block |
//! | [`instruction_set`] | which kernels the machine can run, and which were asked for |

pub mod error;
pub mod instruction_set;
pub mod monitor;
pub mod parallel;
pub mod rng;
