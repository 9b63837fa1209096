//! Enumerations that are chosen by name.

/// Gives an enumeration `name()`, `NAMES` and `FromStr`, whose error names the parameter, the value
/// and the choices.
macro_rules! named {
    ($type:ident, $parameter:literal, { $($variant:ident => $name:literal),+ $(,)? }) => {
        impl $type {
            /// All names, in the order of the variants.
            pub const NAMES: &'static [&'static str] = &[$($name),+];

            /// The name by which it is chosen.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name),+
                }
            }
        }

        impl std::str::FromStr for $type {
            type Err = $crate::error::Error;

            fn from_str(name: &str) -> $crate::error::Result<Self> {
                match name {
                    $($name => Ok(Self::$variant),)+
                    _ => Err($crate::error::Error::parameter(
                        $parameter,
                        name,
                        format!("must be one of {}", Self::NAMES.join(", ")),
                    )),
                }
            }
        }
    };
}

pub(crate) use named;
