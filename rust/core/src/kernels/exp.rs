//! Gaussian kernels at doubling radii from squared distances.
//!
//! `exp(x) = 2^k exp(r)`, |r| <= ln(2)/2, by the Cephes polynomial of degree 7.
//!
//! # Numerics
//! Relative error of one exponential below 2e-7 for x in [-87, 0]; below -87 the value is 1.6e-38
//! instead of less, above 0 the argument counts as 0. Each squaring doubles the relative error.

use crate::kernels::{Loop, dispatch, mul_add};

/// 1.5 x 2^23: adding it rounds to the nearest integer and leaves that integer in the low bits.
const ROUND: f32 = 12_582_912.0;
const LN_2: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];

#[inline(always)]
fn exp_one<const FMA: bool>(x: f32) -> f32 {
    let x = x.clamp(-87.0, 0.0);
    let rounded = mul_add::<FMA>(x, std::f32::consts::LOG2_E, ROUND);
    let k = rounded - ROUND;
    let r = mul_add::<FMA>(-k, LN_2[0], x);
    let r = mul_add::<FMA>(-k, LN_2[1], r);
    let p = mul_add::<FMA>(r, 1.987_569_1e-4, 1.398_199_9e-3);
    let p = mul_add::<FMA>(p, r, 8.333_452e-3);
    let p = mul_add::<FMA>(p, r, 4.166_579_6e-2);
    let p = mul_add::<FMA>(p, r, 1.666_666_6e-1);
    let p = mul_add::<FMA>(p, r, 0.5);
    let p = mul_add::<FMA>(p * r, r, r) + 1.0;
    let power = (rounded.to_bits() << 23).wrapping_add(1.0_f32.to_bits());
    p * f32::from_bits(power)
}

/// Radii of the kernels that [`gaussian_powers`] adds: what it is at distance 0.
pub const N_RADII: usize = 4;

struct GaussianPowers<'a> {
    squared: &'a [f32],
    scale: f32,
    out: &'a mut [f32],
}

impl Loop for GaussianPowers<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool>(self) {
        let fourth = |e: f32| (e * e) * (e * e);
        for (d, out) in self.squared.iter().zip(self.out) {
            let e1 = exp_one::<FMA>(d * self.scale);
            let e2 = fourth(e1);
            let e3 = fourth(e2);
            let e4 = fourth(e3);
            *out = (e1 + e2) + (e3 + e4);
        }
    }
}

/// `e + e^4 + e^16 + e^64` with `e = exp(scale d)` for each squared distance d; scale <= 0.
///
/// ```
/// use fast_select_core::kernels::exp::gaussian_powers;
///
/// // With e = 1/2 at distance 1: 1/2 + 1/16 + 2^-16 + 2^-64.
/// let mut out = [0.0; 2];
/// gaussian_powers(&[0.0, 1.0], -std::f32::consts::LN_2, &mut out);
/// assert_eq!(out[0], 4.0);
/// assert!((out[1] - (0.5625 + 1.0 / 65_536.0)).abs() < 1e-6);
/// ```
pub fn gaussian_powers(squared: &[f32], scale: f32, out: &mut [f32]) {
    dispatch(GaussianPowers {
        squared,
        scale,
        out,
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accurate_at_every_length() {
        for len in (0..70).chain([1000]) {
            let squared: Vec<f32> = (0..len)
                .map(|i| (i as f32 * 0.618_034).fract() * 9.0)
                .collect();
            let mut out = vec![0.0; len];
            gaussian_powers(&squared, -0.5, &mut out);
            for (got, d) in out.iter().zip(&squared) {
                let e = (-0.5 * f64::from(*d)).exp();
                let expected = e + e.powi(4) + e.powi(16) + e.powi(64);
                assert!((f64::from(*got) - expected).abs() < 3e-6 * expected, "{d}");
            }
        }
    }

    #[test]
    fn ends_of_the_range() {
        for fma in [exp_one::<true>, exp_one::<false>] {
            assert_eq!(fma(0.0), 1.0);
            assert!((fma(-1.0) - (-1.0_f32).exp()).abs() < 1e-7);
            assert!(fma(-1e30) < 2e-38 && fma(-1e30) >= 0.0);
            assert!(fma(f32::NAN).is_nan());
        }
    }
}
