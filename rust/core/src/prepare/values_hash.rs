//! One hash of all entries of the input, as numbers.

use xxhash_rust::xxh3::xxh3_128;

use crate::prepare::check_shape;
use crate::prepare::source::{RowSource, rows_at_a_time};
use crate::run::error::Result;
use crate::run::monitor::{Monitor, Stage};
use crate::run::parallel::map_blocks;

/// XXH3-128 of the rows' hashes, in order: changed by any entry that is another number, and by the
/// order of rows and columns, not by type, byte order, strides or files. O(n d), memory O(n).
///
/// Numbers are what they are worth: 0 equals -0, integers are exact, and every NaN is the same.
/// `monitor` begins [`Stage::Prepare`].
///
/// ```
/// use fast_select_core::prepare::values_hash;
/// use fast_select_core::run::monitor::Monitor;
///
/// let x = ndarray::array![[1.5, 0.0], [f64::NAN, 3.0]];
/// let narrow = x.mapv(|v| v as f32);
/// let monitor = Monitor::default();
/// assert_eq!(values_hash(&x.view(), &monitor)?, values_hash(&narrow.view(), &monitor)?);
/// # Ok::<(), fast_select_core::Error>(())
/// ```
///
/// # Errors
/// [`crate::Error::Refused`] for an empty input; [`crate::Error::Interrupted`].
pub fn values_hash(source: &dyn RowSource, monitor: &Monitor) -> Result<u128> {
    let (n, d) = (source.n_rows(), source.n_cols());
    check_shape(n, d)?;
    monitor.begin(Stage::Prepare, n)?;
    let parts = map_blocks(n, rows_at_a_time(d), |rows| {
        let hashes = source.hashes(rows.clone()).into_iter();
        let hashes: Vec<u64> = hashes.map(|row| row.hash).collect();
        monitor.advance(rows.len())?;
        Ok(hashes)
    })?;
    Ok(hash_of(&parts.concat()))
}

/// The hash of all entries from those of the rows.
pub(super) fn hash_of(rows: &[u64]) -> u128 {
    xxh3_128(bytemuck::cast_slice(rows))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array2, ShapeBuilder};

    fn of(x: &Array2<f64>) -> u128 {
        values_hash(&x.view(), &Monitor::default()).unwrap()
    }

    #[test]
    fn every_entry_counts_and_so_does_its_place() {
        let x = Array2::from_shape_fn((700, 300), |(i, j)| ((i * 7 + j * 3) % 101) as f64);
        let hash = of(&x);
        for at in [(0, 0), (0, 299), (350, 7), (699, 299)] {
            let mut other = x.clone();
            other[at] = f64::from_bits(other[at].to_bits() ^ 1);
            assert_ne!(of(&other), hash);
            other[at] = f64::NAN;
            assert_ne!(of(&other), hash);
        }
        let mut swapped = x.clone();
        swapped.swap((3, 4), (3, 5));
        assert_ne!(of(&swapped), hash);
        let reshaped = x.clone().into_shape_with_order((300, 700)).unwrap();
        assert_ne!(of(&reshaped), hash);
        let mut fortran = Array2::zeros((700, 300).f());
        fortran.assign(&x);
        assert_eq!(of(&fortran), hash);
    }
}
