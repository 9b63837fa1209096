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

    /// The value.
    fn exact(self) -> Exact;

    /// `self - from`, rounded once.
    fn minus(self, from: Exact) -> f64;

    /// Whether it is neither NaN nor infinite.
    fn is_finite(self) -> bool;

    /// The same number in the same bits: 0 for -0.
    fn canonical(self) -> Self;
}

macro_rules! floats {
    ($($type:ty: $rounding:expr, $zero:expr);+ $(;)?) => {
        $(impl Element for $type {
            const ROUNDING: f64 = $rounding;

            #[inline(always)]
            fn exact(self) -> Exact {
                Exact { value: f64::from(self), rest: 0.0 }
            }

            #[inline(always)]
            fn minus(self, from: Exact) -> f64 {
                f64::from(self) - from.value
            }

            #[inline(always)]
            fn is_finite(self) -> bool {
                <$type>::is_finite(self)
            }

            #[inline(always)]
            fn canonical(self) -> Self {
                if self == $zero { $zero } else { self }
            }
        })+
    };
}

floats! {
    f64: 64.0 * f64::EPSILON, 0.0;
    f32: 16.0 * f32::EPSILON as f64, 0.0;
    f16: 0.0, f16::ZERO;
    bf16: 0.0, bf16::ZERO;
}

macro_rules! integers {
    ($($type:ty),+ => |$x:ident| $exact:expr, |$y:ident, $from:ident| $minus:expr) => {
        $(impl Element for $type {
            const ROUNDING: f64 = 0.0;

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

            #[inline(always)]
            fn is_finite(self) -> bool {
                true
            }

            #[inline(always)]
            fn canonical(self) -> Self {
                self
            }
        })+
    };
}

integers!(u8, i8, u16, i16, u32, i32 =>
    |x| Exact { value: f64::from(x), rest: 0.0 },
    |x, from| f64::from(x) - from.value);

integers!(u64, i64 =>
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
    fn zeros_have_one_representation() {
        assert_eq!((-0.0_f32).canonical().to_bits(), 0);
        assert_eq!((-0.0_f64).canonical().to_bits(), 0);
        assert_eq!(f16::NEG_ZERO.canonical().to_bits(), 0);
        assert_eq!(bf16::NEG_ZERO.canonical().to_bits(), 0);
        assert_eq!((-1.5_f32).canonical(), -1.5);
    }
}
