//! Errors of the first four moments of selections.
//!
//! Of orders 1 to 4 about the whole's mean: length of the difference of means; relative Frobenius
//! error of the second moments; length of the error of the coordinates' third and fourth moments,
//! over the length of their standard deviations to that power.

use crate::arrays::matrix::MatrixView;
use crate::kernels::product::matmul_tn;
use crate::run::error::Result;
use crate::run::monitor::Monitor;
use crate::run::parallel::sum_blocks;

/// Rows of a block.
const ROWS: usize = 128;

/// Moments about a centre: means, second moments (p, p), third and fourth of each coordinate.
struct Moments {
    first: Vec<f64>,
    second: Vec<f64>,
    third: Vec<f64>,
    fourth: Vec<f64>,
}

impl Moments {
    /// Of the rows of `z` (ascending `rows`, or all), counted from `center`, (p,).
    fn of(
        z: MatrixView<'_>,
        rows: Option<&[u32]>,
        center: &[f32],
        monitor: &Monitor,
    ) -> Result<Self> {
        let p = z.cols();
        let n = rows.map_or(z.rows(), <[u32]>::len);
        let mut sums = sum_blocks(n, ROWS, p * p + 3 * p, |at, sums| {
            monitor.check()?;
            let mut part = match rows {
                Some(rows) => z.gather(&rows[at]),
                None => z.gather(&at.map(|i| i as u32).collect::<Vec<_>>()),
            };
            let (second, rest) = sums.split_at_mut(p * p);
            for i in 0..part.rows() {
                for (j, (x, c)) in part.row_mut(i).iter_mut().zip(center).enumerate() {
                    *x -= c;
                    let x = f64::from(*x);
                    rest[j] += x;
                    rest[p + j] += x * x * x;
                    rest[2 * p + j] += x * x * x * x;
                }
            }
            let mut outer = vec![0.0; p * p];
            matmul_tn(&mut outer, part.view(), part.view(), false);
            second
                .iter_mut()
                .zip(outer)
                .for_each(|(s, x)| *s += f64::from(x));
            Ok(())
        })?;
        sums.iter_mut().for_each(|s| *s /= n as f64);
        let fourth = sums.split_off(p * p + 2 * p);
        let third = sums.split_off(p * p + p);
        let first = sums.split_off(p * p);
        Ok(Self {
            first,
            second: sums,
            third,
            fourth,
        })
    }

    fn errors(&self, whole: &Self) -> [f64; 4] {
        let p = self.first.len();
        let length = |a: &[f64], b: &[f64]| {
            a.iter()
                .zip(b)
                .map(|(a, b)| (a - b).powi(2))
                .sum::<f64>()
                .sqrt()
        };
        let deviation = |j: usize| whole.second[j * p + j].max(0.0).sqrt();
        let relative = |a: &[f64], b: &[f64], order: i32| {
            let unit = (0..p)
                .map(|j| deviation(j).powi(2 * order))
                .sum::<f64>()
                .sqrt();
            if unit > 0.0 { length(a, b) / unit } else { 0.0 }
        };
        let zero = vec![0.0; p * p];
        let size = length(&whole.second, &zero);
        [
            length(&self.first, &whole.first),
            if size > 0.0 {
                length(&self.second, &whole.second) / size
            } else {
                0.0
            },
            relative(&self.third, &whole.third, 3),
            relative(&self.fourth, &whole.fourth, 4),
        ]
    }
}

/// The errors of each of `selections` (ascending rows of `z`, (n, p)). O((n + total selected) p^2).
///
/// # Errors
/// [`crate::Error::Interrupted`].
pub fn moment_errors(
    z: MatrixView<'_>,
    selections: &[Vec<u32>],
    monitor: &Monitor,
) -> Result<Vec<[f64; 4]>> {
    let center = means(z, monitor)?;
    let whole = Moments::of(z, None, &center, monitor)?;
    // One selection after the other: side by side, each would hold its lanes of partial sums.
    selections
        .iter()
        .map(|rows| Ok(Moments::of(z, Some(rows), &center, monitor)?.errors(&whole)))
        .collect()
}

/// Means of the columns of `z`, (n, p); (p,).
fn means(z: MatrixView<'_>, monitor: &Monitor) -> Result<Vec<f32>> {
    let sums = sum_blocks(z.rows(), ROWS, z.cols(), |at, sums| {
        monitor.check()?;
        for i in at {
            let pairs = sums.iter_mut().zip(z.row(i));
            pairs.for_each(|(s, x)| *s += f64::from(*x));
        }
        Ok(())
    })?;
    Ok(sums.iter().map(|s| (s / z.rows() as f64) as f32).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arrays::matrix::Matrix;

    #[test]
    fn by_hand() {
        // Mean 1; about it, second moment 2, third 2, fourth 6: of {0, 0, 3} at first.
        let z = Matrix::from_vec(vec![0.0, 0.0, 3.0], 3, 1).unwrap();
        let got = moment_errors(z.view(), &[vec![0, 2], vec![0, 1, 2]], &Monitor::default());
        let [some, all] = got.unwrap()[..] else {
            unreachable!("two selections");
        };
        // {0, 3} about 1: mean .5, second 2.5, third 3.5, fourth 8.5.
        let expected = [0.5, 0.5 / 2.0, 1.5 / 2.0_f64.powf(1.5), 2.5 / 4.0];
        for (got, expected) in some.into_iter().zip(expected) {
            assert!((got - expected).abs() < 1e-6, "{got} {expected}");
        }
        assert!(all.into_iter().all(|e| e < 1e-6));
    }
}
