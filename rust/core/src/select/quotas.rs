//! How many rows each class, or each block of a class, gives.

use crate::options::{Balance, Params, Shares};
use crate::run::error::{Error, Result, counted};
use crate::select::group::Standing;

/// How many rows a class has, and how many of them may be selected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClassSize {
    /// Rows: what the share is in proportion to.
    pub rows: usize,
    /// Rows to select at least.
    pub least: usize,
    /// Rows to select at most.
    pub most: usize,
}

impl ClassSize {
    /// Of a class of `rows` rows, of the given standing (empty: all are free), which gives at least
    /// `least` rows where it can.
    ///
    /// ```
    /// use fast_select_core::select::group::Standing::{Excluded, Free, Included};
    /// use fast_select_core::select::quotas::ClassSize;
    ///
    /// let size = ClassSize::of(4, &[Included, Included, Free, Excluded], 1);
    /// assert_eq!((size.least, size.most), (2, 3));
    /// ```
    #[must_use]
    pub fn of(rows: usize, standing: &[Standing], least: usize) -> Self {
        let count = |kind| standing.iter().filter(|s| **s == kind).count();
        let most = rows - count(Standing::Excluded);
        Self {
            rows,
            least: least.min(most).max(count(Standing::Included)),
            most,
        }
    }
}

/// Rows to select of each class, `count` in all, given its rows and their standing (empty: all are
/// free). Where there are several, each gives `min_per_class` rows at least, as far as it has them;
/// where the rows of each are given, these they are.
///
/// ```
/// use fast_select_core::options::Params;
/// use fast_select_core::select::quotas::class_quotas;
///
/// // In proportion the last class would give half a row of 50.
/// let classes = [900, 90, 10].map(|rows| (rows, &[][..]));
/// let give = |min_per_class| {
///     let params = Params { min_per_class, ..Params::default() };
///     class_quotas(classes.into_iter(), 50, &params)
/// };
/// assert_eq!(give(0)?, [45, 5, 0]);
/// assert_eq!(give(4)?, [42, 4, 4]);
/// # Ok::<(), fast_select_core::Error>(())
/// ```
///
/// # Errors
/// Those of [`quotas`]; [`Error::Refused`] naming `balance` where what is given cannot be.
pub fn class_quotas<'a>(
    classes: impl Iterator<Item = (usize, &'a [Standing])>,
    count: usize,
    params: &Params,
) -> Result<Vec<usize>> {
    let (sizes, balance) = class_sizes(classes, count, params)?;
    quotas(&sizes, count, balance).map_err(|error| as_asked(error, count, params))
}

/// How many rows classes have and give, and how what is between is shared out, given their rows and their standing
/// (empty: all are free).
pub(crate) fn class_sizes<'a>(
    classes: impl Iterator<Item = (usize, &'a [Standing])>,
    count: usize,
    params: &Params,
) -> Result<(Vec<ClassSize>, Balance)> {
    let classes: Vec<_> = classes.collect();
    let sizes = |least| -> Vec<ClassSize> {
        let classes = classes.iter();
        classes
            .map(|(rows, standing)| ClassSize::of(*rows, standing, least))
            .collect()
    };
    match &params.balance {
        Shares::By(balance) => {
            let several = classes.len() > 1;
            let least = if several { params.min_per_class } else { 0 };
            Ok((sizes(least), *balance))
        }
        Shares::Given(asked) => {
            let sizes = given(&sizes(0), count, asked, params.min_per_class)?;
            Ok((sizes, Balance::Proportional))
        }
    }
}

/// Classes that give the rows `asked`, by their labels, if they can be had. Classes behind the last of
/// `sizes` have no rows.
fn given(
    sizes: &[ClassSize],
    count: usize,
    asked: &[(String, usize)],
    min_per_class: usize,
) -> Result<Vec<ClassSize>> {
    let refused = |fact: String, fix: &str| Err(Error::refused("balance", fact).fix(fix));
    if asked.len() < sizes.len() {
        let fact = format!("names {} classes of {}", asked.len(), sizes.len());
        return refused(fact, "Name all of them, with 0 for no rows");
    }
    let empty = ClassSize::of(0, &[], 0);
    for ((label, rows), size) in asked
        .iter()
        .zip(sizes.iter().chain(std::iter::repeat(&empty)))
    {
        let asks = format!(
            "asks for {} of class '{label}'",
            counted(*rows, "row", "rows")
        );
        if *rows > size.most {
            let fact = format!("{asks}, which has {} that can be selected", size.most);
            return refused(fact, "Ask for fewer");
        }
        if *rows < size.least {
            let fact = format!("{asks}, of which {} are included", size.least);
            return refused(fact, "Ask for more, or include fewer");
        }
        // One row at least, the default, gives way to what is asked.
        if min_per_class > 1 && *rows < min_per_class.min(size.most) {
            let fact = format!("{asks} where {min_per_class} are the least");
            return refused(fact, "Ask for more, or lower {min_per_class}");
        }
    }
    let total = asked.iter().map(|(_, rows)| rows).sum::<usize>();
    if total != count {
        let rows = counted(total, "row", "rows");
        let fact = format!("adds up to {rows} where {count} are asked for");
        return refused(fact, "Leave {ratio} and {count} out, or have them agree");
    }
    let given = sizes.iter().zip(asked).map(|(size, (_, rows))| ClassSize {
        rows: size.rows,
        least: *rows,
        most: *rows,
    });
    Ok(given.collect())
}

/// Rows to select of each class, `count` in all, within its bounds, by largest remainder (ties: the
/// lower class).
///
/// What a class cannot take or must have beyond its share is shared out among the others by the
/// same rule.
///
/// ```
/// use fast_select_core::options::Balance;
/// use fast_select_core::select::quotas::{ClassSize, quotas};
///
/// // At least one of each: the last class's half a row is made one, the rest shared out.
/// let classes = [60, 30, 10].map(|rows| ClassSize::of(rows, &[], 1));
/// assert_eq!(quotas(&classes, 10, Balance::Proportional)?, [6, 3, 1]);
/// assert_eq!(quotas(&classes, 5, Balance::Proportional)?, [3, 1, 1]);
/// assert_eq!(quotas(&classes, 36, Balance::Equal)?, [13, 13, 10]);
/// # Ok::<(), fast_select_core::Error>(())
/// ```
///
/// # Errors
/// [`Error::Refused`] naming `count` where the bounds leave no way.
pub fn quotas(classes: &[ClassSize], count: usize, balance: Balance) -> Result<Vec<usize>> {
    let (least, most) = classes.iter().fold((0, 0), |(least, most), class| {
        (least + class.least, most + class.most)
    });
    if count > most {
        return Err(more_than(count, most));
    }
    if count < least {
        let givers = classes.iter().filter(|c| c.least > 0).count();
        let (rows, givers) = (
            counted(least, "row", "rows"),
            counted(givers, "class", "classes"),
        );
        let fact = format!("{count} is less than the {rows} that {givers} must give");
        let fix = "Select more, include fewer, lower {min_per_class}, or leave the labels out";
        return Err(Error::refused("count", fact).fix(fix));
    }
    let weight = |c: usize| weight(&classes[c], balance);
    // Classes whose share falls outside their bounds are fixed there, the worse side first, and
    // the rest is shared out again.
    let mut fixed: Vec<Option<usize>> = classes
        .iter()
        .map(|c| (c.least == c.most).then_some(c.most))
        .collect();
    loop {
        let open = || (0..classes.len()).filter(|&c| fixed[c].is_none());
        let rest = count - fixed.iter().flatten().sum::<usize>();
        let total: f64 = open().map(weight).sum();
        let share = |c: usize| rest as f64 * weight(c) / total.max(f64::MIN_POSITIVE);
        let over: Vec<usize> = open()
            .filter(|&c| share(c) > classes[c].most as f64)
            .collect();
        let under: Vec<usize> = open()
            .filter(|&c| share(c) < classes[c].least as f64)
            .collect();
        let surplus: f64 = over
            .iter()
            .map(|&c| share(c) - classes[c].most as f64)
            .sum();
        let deficit: f64 = under
            .iter()
            .map(|&c| classes[c].least as f64 - share(c))
            .sum();
        if over.is_empty() && under.is_empty() {
            let mut quotas: Vec<usize> = (0..classes.len())
                .map(|c| fixed[c].unwrap_or_else(|| share(c) as usize))
                .collect();
            let mut order: Vec<usize> = open().collect();
            order.sort_by(|&a, &b| {
                let (x, y) = (share(a).fract(), share(b).fract());
                y.total_cmp(&x).then(a.cmp(&b))
            });
            let missing = count - quotas.iter().sum::<usize>();
            // Rounding may make a share of exactly `most` look open: those are passed over.
            let takers = order.iter().filter(|&&c| quotas[c] < classes[c].most);
            let takers: Vec<usize> = takers.take(missing).copied().collect();
            takers.into_iter().for_each(|c| quotas[c] += 1);
            return Ok(quotas);
        }
        if surplus >= deficit {
            over.into_iter()
                .for_each(|c| fixed[c] = Some(classes[c].most));
        } else {
            under
                .into_iter()
                .for_each(|c| fixed[c] = Some(classes[c].least));
        }
    }
}

/// What the share of a class is in proportion to.
pub(crate) fn weight(class: &ClassSize, balance: Balance) -> f64 {
    match balance {
        Balance::Proportional => class.rows as f64,
        Balance::Equal => f64::from(u8::from(class.most > 0)),
    }
}

/// An error on `count` in the words of what asks for so many rows, where that is another parameter.
pub(crate) fn as_asked(error: Error, count: usize, params: &Params) -> Error {
    let what = match (params.count, params.ratio, params.balance.total()) {
        (None, Some(_), _) => "ratio",
        (None, None, Some(_)) => "balance",
        _ => return error,
    };
    match error {
        Error::Refused(problem) if problem.what == "count" => {
            let rows = counted(count, "row", "rows");
            Error::refused(what, format!("asks for {rows}, and {}", problem.fact)).fix(problem.fix)
        }
        error => error,
    }
}

/// The error for more rows than there are to select from.
pub(crate) fn more_than(count: usize, most: usize) -> Error {
    let rows = counted(most, "row", "rows");
    let fact = format!("{count} is more than the {rows} that can be selected");
    Error::refused("count", fact)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn by_hand() {
        let free = |sizes: &[usize]| -> Vec<_> {
            sizes.iter().map(|&s| ClassSize::of(s, &[], 1)).collect()
        };
        let p =
            |sizes: &[usize], count| quotas(&free(sizes), count, Balance::Proportional).unwrap();
        assert_eq!(p(&[60, 30, 10], 10), [6, 3, 1]);
        assert_eq!(p(&[50, 50, 50], 10), [4, 3, 3]);
        assert_eq!(p(&[1000, 3, 0, 1], 10), [8, 1, 0, 1]);
        assert_eq!(p(&[2, 2], 4), [2, 2]);
        let e = |sizes: &[usize], count| quotas(&free(sizes), count, Balance::Equal).unwrap();
        assert_eq!(e(&[100, 2, 50], 20), [9, 2, 9]);
        assert!(quotas(&free(&[5, 5]), 1, Balance::Equal).is_err());
        assert!(quotas(&free(&[5, 5]), 11, Balance::Equal).is_err());
    }

    #[test]
    fn each_of_several_classes_gives_the_least_that_is_asked() {
        let give = |sizes: &[usize], count, min_per_class| {
            let params = Params {
                min_per_class,
                ..Params::default()
            };
            class_quotas(sizes.iter().map(|&n| (n, &[][..])), count, &params)
        };
        assert_eq!(give(&[900, 90, 10], 10, 0), Ok(vec![9, 1, 0]));
        assert_eq!(give(&[900, 90, 10], 10, 1), Ok(vec![8, 1, 1]));
        assert_eq!(give(&[900, 90, 10], 20, 4), Ok(vec![12, 4, 4]));
        assert_eq!(give(&[900, 90, 2], 20, 4), Ok(vec![14, 4, 2]));
        assert!(give(&[900, 90, 10], 11, 4).is_err());
        assert_eq!(give(&[900], 3, 4), Ok(vec![3]));
    }

    #[test]
    fn given_rows_are_given_if_they_can_be() {
        use Standing::{Excluded, Free, Included};
        let standing = [Included, Included, Free, Excluded];
        let give = |rows: &[usize], min_per_class| {
            let labels = ["a", "b", "c"].map(str::to_owned);
            let params = Params {
                balance: Shares::Given(labels.into_iter().zip(rows.iter().copied()).collect()),
                min_per_class,
                ..Params::default()
            };
            let classes = [(4, &standing[..]), (9, &[][..])];
            class_quotas(classes.into_iter(), 5, &params)
        };
        let refused = |rows, min_per_class| give(rows, min_per_class).unwrap_err().to_string();
        assert_eq!(give(&[2, 3], 1), Ok(vec![2, 3]));
        assert_eq!(give(&[3, 2], 2), Ok(vec![3, 2]));
        assert_eq!(give(&[2, 3, 0], 1), Ok(vec![2, 3]));
        assert!(refused(&[4, 1], 1).contains("'a', which has 3 that can be selected"));
        assert!(refused(&[1, 4], 1).contains("1 row of class 'a', of which 2 are included"));
        assert!(refused(&[2, 3], 4).contains("'a' where 4 are the least"));
        assert!(refused(&[2, 3, 1], 1).contains("'c', which has 0"));
        assert!(refused(&[2, 4], 1).contains("adds up to 6 rows where 5 are asked for"));
        assert!(refused(&[5], 1).contains("names 1 classes of 2"));
    }

    proptest! {
        #[test]
        fn within_bounds_and_exact(
            sizes in prop::collection::vec((0_usize..60, 0.0..1.0_f64, 0.0..1.0_f64), 1..12),
            share in 0.0..1.0,
            equal: bool,
        ) {
            let classes: Vec<ClassSize> = sizes.iter().map(|&(rows, low, high): &(usize, f64, f64)| {
                let most = (rows as f64 * high).round() as usize;
                ClassSize { rows, least: (most as f64 * low) as usize, most }
            }).collect();
            let sum = |of: fn(&ClassSize) -> usize| classes.iter().map(of).sum::<usize>();
            let (least, most) = (sum(|c| c.least), sum(|c| c.most));
            let count = least + ((most - least) as f64 * share) as usize;
            let balance = if equal { Balance::Equal } else { Balance::Proportional };
            let quotas = quotas(&classes, count, balance).unwrap();
            prop_assert_eq!(quotas.iter().sum::<usize>(), count);
            for (q, c) in quotas.iter().zip(&classes) {
                prop_assert!((c.least..=c.most).contains(q));
            }
        }
    }
}
