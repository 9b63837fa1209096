//! Entries of the input, of any numeric type.

use bytemuck::Pod;
use half::{bf16, f16};

/// A number as the sum of two: integers above 2^53 need both.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default)]
pub struct Exact {
    /// The nearest double.
    pub value: f64,
    /// What it misses.
    pub rest: f64,
}

impl Exact {
    fn as_integer(self) -> i128 {
        self.value as i128 + self.rest as i128
    }
}

/// An entry of a matrix.
pub trait Element: Pod + Send + Sync {
    /// Spread, over the size of the numbers, that rounding alone leaves in a column: 16 to 64 steps of the type, as sums
    /// of some hundred terms have; 0 for types whose steps are so wide that they carry information.
    const ROUNDING: f64;

    /// Whether some of its numbers need a rest ([`Exact`]).
    const HAS_RESTS: bool;

    /// The value.
    fn exact(self) -> Exact;

    /// `self - from`, rounded once.
    fn minus(self, from: Exact) -> f64;

    /// The nearest double, in the same bits for the same number of any type: NaN is one, and 0 for -0.
    #[inline(always)]
    fn canonical(self) -> f64 {
        let value = self.exact().value;
        if value.is_nan() {
            f64::NAN
        } else {
            value + 0.0
        }
    }
}

macro_rules! floats {
    ($($type:ty: $rounding:expr);+ $(;)?) => {
        $(impl Element for $type {
            const ROUNDING: f64 = $rounding;
            const HAS_RESTS: bool = false;

            #[inline(always)]
            fn exact(self) -> Exact {
                Exact { value: f64::from(self), rest: 0.0 }
            }

            #[inline(always)]
            fn minus(self, from: Exact) -> f64 {
                f64::from(self) - from.value
            }
        })+
    };
}

floats! {
    f64: 64.0 * f64::EPSILON;
    f32: 16.0 * f32::EPSILON as f64;
    f16: 0.0;
    bf16: 0.0;
}

macro_rules! integers {
    ($($type:ty),+; $has_rests:literal => |$x:ident| $exact:expr, |$y:ident, $from:ident| $minus:expr) => {
        $(impl Element for $type {
            const ROUNDING: f64 = 0.0;
            const HAS_RESTS: bool = $has_rests;

            #[inline(always)]
            fn exact(self) -> Exact {
                let $x = self;
                $exact
            }

            #[inline(always)]
            fn minus(self, $from: Exact) -> f64 {
                let $y = self;
                $minus
            }
        })+
    };
}

integers!(u8, i8, u16, i16, u32, i32; false =>
    |x| Exact { value: f64::from(x), rest: 0.0 },
    |x, from| f64::from(x) - from.value);

integers!(u64, i64; true =>
|x| {
    let value = x as f64;
    Exact { value, rest: (i128::from(x) - value as i128) as f64 }
},
|x, from| {
    let difference = i128::from(x) - from.as_integer();
    i64::try_from(difference).map_or(difference as f64, |d| d as f64)
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_of_large_integers_are_exact() {
        for base in [0_i64, 1 << 60, -(1 << 60), i64::MAX - 9, i64::MIN] {
            for step in 0..9 {
                assert_eq!((base + step).minus(base.exact()), step as f64);
                assert_eq!(base.minus((base + step).exact()), -step as f64);
            }
        }
        assert_eq!(u64::MAX.minus((u64::MAX - 3).exact()), 3.0);
        assert_eq!(i64::MAX.minus(i64::MIN.exact()), 2.0_f64.powi(64));
    }

    #[test]
    fn the_same_number_has_the_same_bits() {
        assert_eq!((-0.0_f32).canonical().to_bits(), 0);
        assert_eq!((-0.0_f64).canonical().to_bits(), 0);
        assert_eq!(f16::NEG_ZERO.canonical().to_bits(), 0);
        assert_eq!(bf16::NEG_ZERO.canonical().to_bits(), 0);
        assert_eq!(((-1.5_f32).canonical(), (-3_i8).canonical()), (-1.5, -3.0));
        let nan = f64::NAN.canonical().to_bits();
        assert_eq!(f32::from_bits(0xffc0_0001).canonical().to_bits(), nan);
        assert_eq!(
            f64::from_bits(0xfff0_0000_0000_0001).canonical().to_bits(),
            nan
        );
        assert_eq!((1_u64 << 60).canonical(), 2.0_f64.powi(60));
    }
}
