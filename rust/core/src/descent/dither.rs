//! Which anchors try for another row.
//!
//! Let s_i be the shift of anchor i from its row and d_i the way to other rows. Assigned to the nearest row,
//! anchors whose shifts are shorter than d_i/2 all go back, and with them the whole gain. Instead,
//! anchor i goes on to `s_i/f_i` with probability `f_i = min(1, |s_i|/d_i)`, and back to its row else: in the mean
//! it is where it was, and as few have moved, what their rows add is less than a nearest row would.
//! (Randomised rounding: Raghavan & Thompson 1987.)

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use crate::arrays::matrix::Matrix;
use crate::kernels::squared_distance::squared_distance;
use crate::matching::Matcher;
use crate::options::Space;
use crate::run::error::Result;
use crate::run::parallel::fill_blocks;

/// Anchors of a block.
const BLOCK: usize = 64;

/// How far an anchor goes, in mean distances of its row to that row's neighbours.
///
/// Where features count, few rows lie in the direction of a shift, and only beyond the neighbours are they
/// nearer than the anchor's own (CF distance over random's at 10 %, usps: .99 for half of the distance, .63
/// for it, .37 for twice and .41 for four times it; letter by class: .47, .17, .14, .18). Among spectral
/// components alone, rows beyond the neighbours are other rows in features (usps by class .80, .45, .54, .77;
/// letter .61, .42, .48, .68).
pub fn reach(space: Space) -> f32 {
    match space {
        Space::Features | Space::Joint => 2.0,
        Space::Spectral => 1.0,
    }
}

/// Moves some of the anchors `y`, (m, p), farther from the rows that `matcher` has for them, and the others
/// back to theirs. O(m k p), k neighbours; O(m n p) without a graph.
///
/// # Errors
/// None: the tasks cannot fail.
pub fn dither(
    y: &mut Matrix,
    matcher: &Matcher<'_>,
    reach: f32,
    rng: &mut ChaCha8Rng,
) -> Result<()> {
    let (u, own, p) = (matcher.rows(), matcher.col_ind(), y.cols());
    let draws: Vec<f32> = own.iter().map(|_| rng.random()).collect();
    fill_blocks(y.as_mut_slice(), p, BLOCK, |first, anchors| {
        for (i, y) in (first..).zip(anchors.chunks_exact_mut(p)) {
            let row = u.row(own[i] as usize);
            let shift = squared_distance(y, row).sqrt();
            // 1 and no NaN where a shift exceeds its reach, and where both are 0.
            let share = shift
                / (reach * matcher.spacing(own[i]))
                    .max(shift)
                    .max(f32::MIN_POSITIVE);
            if draws[i] < share {
                for (y, u) in y.iter_mut().zip(row) {
                    *y = u + (*y - u) / share;
                }
            } else {
                y.copy_from_slice(row);
            }
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::rng::test_stream;

    /// A thousand anchors on a line of rows one apart, all shifted by `shift`, after dithering.
    fn dithered(shift: f32, reach: f32) -> Vec<f32> {
        let x = Matrix::from_vec((0..3).map(|i| i as f32).collect(), 3, 1).unwrap();
        let mut rng = test_stream(5, 0, 0);
        let matcher = Matcher::new(x.view(), None, &[0]).unwrap();
        let moved = |_| {
            let mut y = Matrix::from_vec(vec![shift], 1, 1).unwrap();
            dither(&mut y, &matcher, reach, &mut rng).unwrap();
            y.as_slice()[0]
        };
        (0..1000).map(moved).collect()
    }

    #[test]
    fn few_go_far_and_their_mean_stays() {
        // The mean distance of row 0 to the rows is (0 + 1 + 2)/3.
        let moved = dithered(0.1, 2.0);
        assert!(moved.iter().all(|y| *y == 0.0 || (y - 2.0).abs() < 1e-6));
        let mean = moved.iter().sum::<f32>() / 1000.0;
        // Its standard error is 2 √(.05 · .95/1000) = .014.
        assert!((mean - 0.1).abs() < 0.05, "{mean}");
    }

    #[test]
    fn long_shifts_stay_and_no_shift_moves_nothing() {
        assert!(dithered(2.5, 2.0).iter().all(|y| *y == 2.5));
        assert!(dithered(0.0, 2.0).iter().all(|y| *y == 0.0));
        assert!(dithered(0.3, 0.0).iter().all(|y| *y == 0.3));
    }
}
