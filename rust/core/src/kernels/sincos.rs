//! Sines and cosines of many phases at once, at the machine's vector width.
//!
//! `x = k π/2 + r` with |r| <= π/4 by a three-part π/2 (Cody & Waite 1980), then the Cephes minimax
//! polynomials of degree 7 (sine) and 8 (cosine) in r.
//!
//! # Numerics
//! Absolute error below 1.5e-7 for |x| <= 8,192, growing with |x| 2^-24 above, where the phase
//! itself is no longer known; never beyond 1 by more than rounding. NaN and infinity give NaN. The
//! scalar twin differs from the vector versions by fused rounding only.

use crate::kernels::{Loop, dispatch, mul_add};

/// 1.5 x 2^23: adding it rounds to the nearest integer and leaves that integer in the low bits.
const ROUND: f32 = 12_582_912.0;
/// A little more than π/4.
const REACH: f32 = 0.79;
const HALF_PI: [f32; 3] = [1.570_312_5, 4.837_513e-4, 7.549_79e-8];

#[inline(always)]
fn sincos_one<const FMA: bool>(x: f32) -> (f32, f32) {
    let rounded = mul_add::<FMA>(x, std::f32::consts::FRAC_2_PI, ROUND);
    let quadrant = rounded.to_bits();
    let k = rounded - ROUND;
    let r = mul_add::<FMA>(-k, HALF_PI[0], x);
    let r = mul_add::<FMA>(-k, HALF_PI[1], r);
    let r = mul_add::<FMA>(-k, HALF_PI[2], r);
    // Beyond 2^22 the quadrant is lost: r must not carry the polynomials away.
    let r = r.clamp(-REACH, REACH);
    let r2 = r * r;
    let s = mul_add::<FMA>(r2, -1.951_529_6e-4, 8.332_161e-3);
    let s = mul_add::<FMA>(s, r2, -1.666_665_5e-1);
    let s = mul_add::<FMA>(s * r2, r, r);
    let c = mul_add::<FMA>(r2, 2.443_315_7e-5, -1.388_731_6e-3);
    let c = mul_add::<FMA>(c, r2, 4.166_664_6e-2);
    let c = mul_add::<FMA>(c, r2, -0.5);
    let c = mul_add::<FMA>(c, r2, 1.0);
    let swap = quadrant & 1 != 0;
    let sin = if swap { c } else { s };
    let cos = if swap { s } else { c };
    let sin_sign = (quadrant & 2) << 30;
    let cos_sign = (quadrant.wrapping_add(1) & 2) << 30;
    (
        f32::from_bits(sin.to_bits() ^ sin_sign),
        f32::from_bits(cos.to_bits() ^ cos_sign),
    )
}

struct SinCos<'a> {
    phases: &'a [f32],
    sin: &'a mut [f32],
    cos: &'a mut [f32],
}

impl Loop for SinCos<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool>(self) {
        for ((x, s), c) in self.phases.iter().zip(self.sin).zip(self.cos) {
            (*s, *c) = sincos_one::<FMA>(*x);
        }
    }
}

/// Sine and cosine of each phase. All slices: (len,), phases in radians.
///
/// ```
/// use fast_select_core::kernels::sincos::sincos;
/// use std::f32::consts::{FRAC_PI_6, PI};
///
/// let (mut sin, mut cos) = ([0.0; 2], [0.0; 2]);
/// sincos(&[FRAC_PI_6, PI], &mut sin, &mut cos);
/// assert!((sin[0] - 0.5).abs() < 1e-6 && sin[1].abs() < 1e-6);
/// assert!((cos[0] - 0.75_f32.sqrt()).abs() < 1e-6 && (cos[1] + 1.0).abs() < 1e-6);
/// ```
pub fn sincos(phases: &[f32], sin: &mut [f32], cos: &mut [f32]) {
    dispatch(SinCos { phases, sin, cos });
}

struct AddSinCos<'a> {
    phases: &'a [f32],
    cos_sum: &'a mut [f32],
    sin_sum: &'a mut [f32],
}

impl Loop for AddSinCos<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool>(self) {
        let q = self.cos_sum.len();
        if q == 0 {
            return;
        }
        let sin_sum = &mut self.sin_sum[..q];
        for row in self.phases.chunks_exact(q) {
            for ((x, c), s) in row.iter().zip(&mut *self.cos_sum).zip(&mut *sin_sum) {
                let (sin, cos) = sincos_one::<FMA>(*x);
                *c += cos;
                *s += sin;
            }
        }
    }
}

/// Adds the cosines and sines of `phases`, (rows, q) row-major, to the column sums, (q,) each.
///
/// The sums are f32: give it at most some hundred rows at a time.
///
/// ```
/// use fast_select_core::kernels::sincos::add_sincos;
/// use std::f32::consts::FRAC_PI_2;
///
/// // Two rows of one phase, 0 and π/2.
/// let (mut cos_sum, mut sin_sum) = ([0.0], [0.0]);
/// add_sincos(&[0.0, FRAC_PI_2], &mut cos_sum, &mut sin_sum);
/// assert!((cos_sum[0] - 1.0).abs() < 1e-6 && (sin_sum[0] - 1.0).abs() < 1e-6);
/// ```
pub fn add_sincos(phases: &[f32], cos_sum: &mut [f32], sin_sum: &mut [f32]) {
    dispatch(AddSinCos {
        phases,
        cos_sum,
        sin_sum,
    });
}

struct PhaseDerivative<'a> {
    phases: &'a mut [f32],
    by_cos: &'a [f32],
    by_sin: &'a [f32],
}

impl Loop for PhaseDerivative<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool>(self) {
        let q = self.by_cos.len();
        if q == 0 {
            return;
        }
        let by_sin = &self.by_sin[..q];
        for row in self.phases.chunks_exact_mut(q) {
            for ((x, a), b) in row.iter_mut().zip(self.by_cos).zip(by_sin) {
                let (sin, cos) = sincos_one::<FMA>(*x);
                *x = mul_add::<FMA>(*b, cos, -(*a * sin));
            }
        }
    }
}

/// Replaces each phase x of `phases`, (rows, q), by `by_sin cos x - by_cos sin x`: the derivative
/// by x of `by_cos cos x + by_sin sin x`, with one pair of coefficients a column, (q,) each.
///
/// ```
/// use fast_select_core::kernels::sincos::phase_derivative;
/// use std::f32::consts::FRAC_PI_2;
///
/// // Of 2 cos x + 3 sin x: 3 at 0, -2 at π/2.
/// let mut phases = [0.0, FRAC_PI_2];
/// phase_derivative(&mut phases, &[2.0], &[3.0]);
/// assert!((phases[0] - 3.0).abs() < 1e-6 && (phases[1] + 2.0).abs() < 1e-6);
/// ```
pub fn phase_derivative(phases: &mut [f32], by_cos: &[f32], by_sin: &[f32]) {
    dispatch(PhaseDerivative {
        phases,
        by_cos,
        by_sin,
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phases(len: usize, scale: f32) -> Vec<f32> {
        (0..len)
            .map(|i| (i as f32 * 0.618_034).fract() * 2.0 * scale - scale)
            .collect()
    }

    #[test]
    fn accurate_at_every_length_and_scale() {
        for len in (0..70).chain([4096]) {
            for scale in [1e-3, 1.0, 10.0, 8192.0] {
                let x = phases(len, scale);
                let (mut s, mut c) = (vec![0.0; len], vec![0.0; len]);
                sincos(&x, &mut s, &mut c);
                for i in 0..len {
                    let (es, ec) = f64::from(x[i]).sin_cos();
                    assert!((f64::from(s[i]) - es).abs() < 1.5e-7, "sin {}", x[i]);
                    assert!((f64::from(c[i]) - ec).abs() < 1.5e-7, "cos {}", x[i]);
                }
            }
        }
    }

    #[test]
    fn scalar_twin_agrees() {
        for x in phases(4096, 100.0) {
            let (s, c) = sincos_one::<false>(x);
            let (es, ec) = sincos_one::<true>(x);
            assert!((s - es).abs() < 2e-7 && (c - ec).abs() < 2e-7, "{x}");
        }
    }

    #[test]
    fn stays_within_one_at_any_phase() {
        let x: Vec<f32> = (0..39).map(|e| 1.7 * 10_f32.powi(e)).collect();
        let (mut s, mut c) = (vec![0.0; x.len()], vec![0.0; x.len()]);
        sincos(&x, &mut s, &mut c);
        assert!(s.iter().chain(&c).all(|v| v.abs() <= 1.01), "{s:?} {c:?}");
    }

    #[test]
    fn not_a_number_stays_one() {
        let x = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 0.0];
        let (mut s, mut c) = ([0.0; 4], [0.0; 4]);
        sincos(&x, &mut s, &mut c);
        assert!(s[..3].iter().chain(&c[..3]).all(|v| v.is_nan()));
        assert_eq!((s[3], c[3]), (0.0, 1.0));
    }

    #[test]
    fn sums_and_derivatives_match_single_values() {
        let q = 19;
        let x = phases(5 * q, 7.0);
        let (mut s, mut c) = (vec![0.0; x.len()], vec![0.0; x.len()]);
        sincos(&x, &mut s, &mut c);
        let (mut cos_sum, mut sin_sum) = (vec![1.0; q], vec![2.0; q]);
        add_sincos(&x, &mut cos_sum, &mut sin_sum);
        let (a, b) = (phases(q, 2.0), phases(q, 3.0));
        let mut derivative = x.clone();
        phase_derivative(&mut derivative, &a, &b);
        for k in 0..q {
            let column = |v: &[f32]| v.iter().skip(k).step_by(q).sum::<f32>();
            assert!((cos_sum[k] - 1.0 - column(&c)).abs() < 1e-5);
            assert!((sin_sum[k] - 2.0 - column(&s)).abs() < 1e-5);
            for row in 0..5 {
                let e = row * q + k;
                assert!((derivative[e] - (b[k] * c[e] - a[k] * s[e])).abs() < 1e-5);
            }
        }
    }
}
