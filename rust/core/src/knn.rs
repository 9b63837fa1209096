//! k nearest neighbours.

/// The k nearest neighbours of n rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Neighbors {
    /// Neighbours a row, k.
    pub k: usize,
    /// Row by row, nearest first, ties by index; (n, k).
    pub indices: Vec<u32>,
    /// Euclidean distances in the unit of the features; (n, k).
    pub dists: Vec<f32>,
}
