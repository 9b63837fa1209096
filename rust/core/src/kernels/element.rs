//! Entries of the input, of any numeric type.

use half::{bf16, f16};

/// An entry of a matrix.
pub trait Element: Copy + Send + Sync {
    /// The value; integers above 2^53 are rounded.
    fn to_f64(self) -> f64;
}

macro_rules! elements {
    ($($type:ty => |$x:ident| $value:expr),+ $(,)?) => {
        $(impl Element for $type {
            #[inline]
            fn to_f64(self) -> f64 {
                let $x = self;
                $value
            }
        })+
    };
}

elements! {
    f64 => |x| x,
    f32 => |x| f64::from(x),
    f16 => |x| f64::from(x),
    bf16 => |x| f64::from(x),
    u8 => |x| f64::from(x),
    i8 => |x| f64::from(x),
    u16 => |x| f64::from(x),
    i16 => |x| f64::from(x),
    u32 => |x| f64::from(x),
    i32 => |x| f64::from(x),
    u64 => |x| x as f64,
    i64 => |x| x as f64,
    bool => |x| f64::from(u8::from(x)),
}
