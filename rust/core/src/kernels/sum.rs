//! The sum of a row, in lanes.

use pulp::NullaryFnOnce;

use crate::run::instruction_set;

/// Partial sums side by side.
const SUMS: usize = 16;

struct Sum<'a>(&'a [f32]);

impl NullaryFnOnce for Sum<'_> {
    type Output = f64;

    #[inline(always)]
    fn call(self) -> f64 {
        let (parts, rest) = self.0.as_chunks::<SUMS>();
        let mut sums = [0.0; SUMS];
        for part in parts {
            sums.iter_mut()
                .zip(part)
                .for_each(|(s, x)| *s += f64::from(*x));
        }
        let rest: f64 = rest.iter().map(|x| f64::from(*x)).sum();
        sums.iter().sum::<f64>() + rest
    }
}

/// The sum of `values`, (len,), in f64.
///
/// ```
/// use fast_select_core::kernels::sum::sum;
///
/// assert_eq!(sum(&[0.5; 40]), 20.0);
/// // In f32 the ones would be lost.
/// assert_eq!(sum(&[16_777_216.0, 1.0, 1.0, 1.0]), 16_777_219.0);
/// ```
#[must_use]
pub fn sum(values: &[f32]) -> f64 {
    instruction_set::arch().dispatch(Sum(values))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_a_plain_loop_at_every_length() {
        for len in 0..70 {
            // Whole numbers: every order of summation is exact.
            let values: Vec<f32> = (0..len).map(|i| (i * 7 % 11) as f32 - 5.0).collect();
            let plain: f64 = values.iter().map(|x| f64::from(*x)).sum();
            assert_eq!(sum(&values), plain);
        }
        assert!(sum(&[1.0, f32::NAN, 2.0]).is_nan());
    }
}
