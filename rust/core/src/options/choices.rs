//! Options that are chosen by name.

/// An enumeration that is chosen by name.
///
/// ```
/// use fast_select_core::options::{Choice, Method};
///
/// assert_eq!(Method::named("k-center"), Some(Method::KCenter));
/// assert_eq!(Method::KCenter.name(), "k-center");
/// assert_eq!(Method::named("k_center"), None);
/// ```
pub trait Choice: Sized + Copy + 'static {
    /// All names, in the order of the variants.
    const NAMES: &'static [&'static str];

    /// The name by which it is chosen.
    fn name(self) -> &'static str;

    /// The one of this name.
    fn named(name: &str) -> Option<Self>;
}

macro_rules! choice {
    (
        $(#[$outer:meta])*
        $type:ident { $( $(#[$inner:meta])* $variant:ident = $name:literal ),+ $(,)? }
    ) => {
        $(#[$outer])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $type {
            $( $(#[$inner])* $variant, )+
        }

        impl Choice for $type {
            const NAMES: &'static [&'static str] = &[$($name),+];

            fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name),+
                }
            }

            fn named(name: &str) -> Option<Self> {
                match name {
                    $($name => Some(Self::$variant),)+
                    _ => None,
                }
            }
        }
    };
}

choice! {
    /// Which stages run.
    Method {
        /// Ours: exchange along the graph, low frequencies hold the whole together.
        Fast = "fast",
        /// The paper's stages.
        Paper = "paper",
        /// A rival, to compare with.
        Random = "random",
        /// A rival: farthest-first traversal.
        KCenter = "k-center",
        /// A rival: rows nearest to k-means centres.
        KMeans = "k-means",
        /// A rival: kernel herding.
        Herding = "herding",
    }
}

impl Method {
    /// Whether it can select rows that must be in, and leave out rows that must not.
    #[must_use]
    pub fn takes_constraints(self) -> bool {
        match self {
            Self::Fast | Self::Random => true,
            Self::Paper | Self::KCenter | Self::KMeans | Self::Herding => false,
        }
    }

    /// Whether anchors move, on a graph.
    #[must_use]
    pub fn descends(self) -> bool {
        match self {
            Self::Paper => true,
            Self::Fast | Self::Random | Self::KCenter | Self::KMeans | Self::Herding => false,
        }
    }

    /// Whether rows are exchanged.
    #[must_use]
    pub fn exchanges(self) -> bool {
        match self {
            Self::Fast => true,
            Self::Paper | Self::Random | Self::KCenter | Self::KMeans | Self::Herding => false,
        }
    }
}

choice! {
    /// The space in which the descent matches distributions.
    Space {
        /// Features and spectral components side by side, each in units of its median distance.
        Joint = "joint",
        /// The prepared features Z.
        Features = "features",
        /// The spectral components V (the paper's).
        Spectral = "spectral",
    }
}

impl Space {
    /// Whether spectral components are part of it.
    #[must_use]
    pub fn needs_spectrum(self) -> bool {
        self != Self::Features
    }
}

choice! {
    /// Where the anchors start.
    Init {
        /// Distinct random rows; for the descent, one of each of as many cells of equal size.
        Random = "random",
        /// k-means++ (Arthur & Vassilvitskii 2007).
        KMeansPlusPlus = "k-means++",
        /// Rows nearest to k-means centres.
        KMeans = "k-means",
    }
}

choice! {
    /// In which order the frequencies take part in the descent.
    Schedule {
        /// From low to high (the paper's).
        Progressive = "progressive",
        /// All at once, from the first step.
        All = "all",
    }
}

choice! {
    /// How columns are scaled.
    Scale {
        /// `Standard` where columns have scales of their own, else `None`.
        Auto = "auto",
        /// One scale for all.
        None = "none",
        /// Each by its standard deviation.
        Standard = "standard",
    }
}

choice! {
    /// What happens to rows with NaN or infinity.
    NonFinite {
        /// They are refused.
        Error = "error",
        /// They are left out.
        Drop = "drop",
    }
}

choice! {
    /// How a count is shared out among classes.
    Balance {
        /// As large a share of each class.
        Proportional = "proportional",
        /// As many rows of each class, as far as it has them.
        Equal = "equal",
    }
}

/// Rows that classes give.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shares {
    /// Of a count, by a rule.
    By(Balance),
    /// So many of each class, by its label, in the order of the classes.
    Given(Vec<(String, usize)>),
}

impl Shares {
    /// Rows in all, where they are given.
    ///
    /// ```
    /// use fast_select_core::options::{Balance, Shares};
    ///
    /// let given = Shares::Given(vec![("cat".to_owned(), 3), ("dog".to_owned(), 4)]);
    /// assert_eq!((given.total(), Shares::By(Balance::Equal).total()), (Some(7), None));
    /// ```
    #[must_use]
    pub fn total(&self) -> Option<usize> {
        match self {
            Self::By(_) => None,
            Self::Given(classes) => {
                let rows = classes.iter().map(|(_, rows)| *rows);
                Some(rows.fold(0, usize::saturating_add))
            }
        }
    }
}

choice! {
    /// How much each pick counts.
    Weighting {
        /// Nothing is computed: all alike.
        None = "none",
        /// As many rows as have it as their nearest pick.
        Nearest = "nearest",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_back() {
        fn check<T: Choice + PartialEq + std::fmt::Debug>() {
            for name in T::NAMES {
                assert_eq!(T::named(name).unwrap().name(), *name);
            }
            assert_eq!(T::named("no such"), None);
        }
        check::<Method>();
        check::<Space>();
        check::<Init>();
        check::<Schedule>();
        check::<Scale>();
        check::<NonFinite>();
        check::<Balance>();
        check::<Weighting>();
    }
}
