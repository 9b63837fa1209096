//! The kNN graph of the rows, fuzzy and in one component.
//!
//! From Z, (n, p): for each row its k nearest others ([`knn()`](knn::knn), exact), strengths of
//! membership at three scales joined into one symmetric graph
//! ([`fuzzy_simplicial_set`](fuzzy::fuzzy_simplicial_set), McInnes et al. 2018), and the shortest
//! edges that join what is apart ([`connect()`](connect::connect), Borůvka 1926).
//!
//! | file | what it is for | cost |
//! |---|---|---|
//! | [`knn`] | the k nearest rows, exact | O(n^2 p) |
//! | `top_k` | the nearest rows seen so far of each row of a block | |
//! | [`fuzzy`] | memberships at several scales, fused | O(n k) |
//! | [`connect`] | components joined by their shortest cross edges | O(n s p) a round for s stray rows |

pub mod connect;
pub mod fuzzy;
pub mod knn;
pub(crate) mod top_k;

pub(crate) use knn::SLACK;
pub(crate) use top_k::ROOM;
