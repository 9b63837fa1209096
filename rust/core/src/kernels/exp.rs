//! Gaussian kernels at doubling radii from squared distances.
//!
//! `exp(x) = 2^k exp(r)`, |r| <= ln(2)/2, by the Cephes polynomial of degree 7.
//!
//! # Numerics
//! Relative error of one exponential below 2e-7 for x in [-87, 0]; below -87 the value is 1.6e-38
//! instead of less, above 0 the argument counts as 0. Each squaring doubles the relative error.

use pulp::Simd;

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

/// `2^f - 1` over f, |f| <= 1/2: minimax for the relative error of `2^f`, 1.6e-7, and 1 at f = 0.
const POWER: [f32; 5] = [
    0.693_147_06,
    0.240_222_35,
    0.055_506_785,
    9.671_962e-3,
    1.327_463_3e-3,
];
/// Exponents below count as this: their kernels are 0 beside any other.
const LEAST_EXPONENT: f32 = -125.0;

/// `e + e^4 + e^16 + e^64` with `e = 2^exponent` for a vector of exponents; those above 0 count as 0.
///
/// To be inlined into loops over products that are in registers.
#[inline(always)]
pub fn gaussian_powers_of<S: Simd>(simd: S, exponent: S::f32s) -> S::f32s {
    let round = simd.splat_f32s(ROUND);
    let x = simd.max_f32s(exponent, simd.splat_f32s(LEAST_EXPONENT));
    let x = simd.min_f32s(x, simd.splat_f32s(0.0));
    let rounded = simd.add_f32s(x, round);
    let f = simd.sub_f32s(x, simd.sub_f32s(rounded, round));
    let mut p = simd.splat_f32s(POWER[4]);
    for c in [POWER[3], POWER[2], POWER[1], POWER[0], 1.0] {
        p = simd.mul_add_e_f32s(p, f, simd.splat_f32s(c));
    }
    let power = simd.wrapping_dyn_shl_u32s(simd.transmute_u32s_f32s(rounded), simd.splat_u32s(23));
    let e1 = simd.transmute_f32s_u32s(simd.add_u32s(simd.transmute_u32s_f32s(p), power));
    let fourth = |e: S::f32s| {
        let squared = simd.mul_f32s(e, e);
        simd.mul_f32s(squared, squared)
    };
    let e2 = fourth(e1);
    let e3 = fourth(e2);
    simd.add_f32s(simd.add_f32s(e1, e2), simd.add_f32s(e3, fourth(e3)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::instruction_set::twin::twins;

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

    struct Vectors<'a> {
        exponents: &'a [f32],
        out: &'a mut [f32],
    }

    impl pulp::WithSimd for Vectors<'_> {
        type Output = ();

        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) {
            let (exponents, _) = S::as_simd_f32s(self.exponents);
            let (out, _) = S::as_mut_simd_f32s(self.out);
            for (x, out) in exponents.iter().zip(out) {
                *out = gaussian_powers_of(simd, *x);
            }
        }
    }

    #[test]
    fn vectors_of_powers_are_accurate_at_every_width() {
        let mut exponents: Vec<f32> = (0..64).map(|i| -0.3 * (i * i) as f32 / 40.0).collect();
        (exponents[1], exponents[2], exponents[3]) = (1e-3, -1e30, -124.6);
        for twin in twins() {
            let mut out = vec![-1.0; 64];
            twin.run(Vectors {
                exponents: &exponents,
                out: &mut out,
            });
            for (got, x) in out.iter().zip(&exponents) {
                let e = f64::from(x.min(0.0)).exp2();
                let expected = e + e.powi(4) + e.powi(16) + e.powi(64);
                let error = (f64::from(*got) - expected).abs();
                assert!(error < 1e-5 * expected + 1e-37, "{x}: {got} {expected}");
            }
            assert_eq!(out[0], 4.0);
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
