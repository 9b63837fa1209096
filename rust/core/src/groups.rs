//! Groups and their quotas: how many rows each class gives.

use crate::error::{Error, Result};
use crate::names::named;

/// How a count is shared out among classes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Balance {
    /// As large a share of each class.
    Proportional,
    /// As many rows of each class, as far as it has them.
    Equal,
}

named!(Balance, "balance", {
    Proportional => "proportional",
    Equal => "equal",
});

/// Rows to select of each class, `count` in all, at least 1 and at most all of each class that has
/// any, by largest remainder (ties: the lower class).
///
/// What a class cannot take is shared out among the others by the same rule.
///
/// # Errors
/// [`Error::Parameter`] naming `count` where it is below the number of classes that have rows or
/// above the number of rows.
pub fn quotas(sizes: &[usize], count: usize, balance: Balance) -> Result<Vec<usize>> {
    let total: usize = sizes.iter().sum();
    let classes = sizes.iter().filter(|&&s| s > 0).count();
    if count > total {
        let rule = format!("is more than the {total} rows that can be selected");
        return Err(Error::parameter("count", count, rule));
    }
    if count < classes {
        let rule =
            format!("is less than the {classes} classes, each of which gives at least one row");
        return Err(Error::parameter("count", count, rule));
    }
    let weights: Vec<f64> = match balance {
        Balance::Proportional => sizes.iter().map(|&s| s as f64).collect(),
        Balance::Equal => sizes.iter().map(|&s| f64::from(u8::from(s > 0))).collect(),
    };
    // Classes whose share falls outside [1, size] are fixed there, the worst side first, and the
    // rest is shared out again.
    let mut fixed: Vec<Option<usize>> = sizes.iter().map(|&s| (s == 0).then_some(0)).collect();
    loop {
        let open = || (0..sizes.len()).filter(|&c| fixed[c].is_none());
        let rest = count - fixed.iter().flatten().sum::<usize>();
        let weight: f64 = open().map(|c| weights[c]).sum();
        let share = |c: usize| rest as f64 * weights[c] / weight;
        let over: Vec<usize> = open().filter(|&c| share(c) > sizes[c] as f64).collect();
        let under: Vec<usize> = open().filter(|&c| share(c) < 1.0).collect();
        let surplus: f64 = over.iter().map(|&c| share(c) - sizes[c] as f64).sum();
        let deficit: f64 = under.iter().map(|&c| 1.0 - share(c)).sum();
        if over.is_empty() && under.is_empty() {
            let mut quotas: Vec<usize> = (0..sizes.len())
                .map(|c| fixed[c].unwrap_or_else(|| share(c) as usize))
                .collect();
            let mut order: Vec<usize> = open().collect();
            order.sort_by(|&a, &b| {
                share(b)
                    .fract()
                    .total_cmp(&share(a).fract())
                    .then(a.cmp(&b))
            });
            let missing = count - quotas.iter().sum::<usize>();
            // Rounding may make a share of exactly `size` look open: those are passed over.
            let takers = order
                .iter()
                .filter(|&&c| quotas[c] < sizes[c])
                .take(missing);
            let takers: Vec<usize> = takers.copied().collect();
            takers.into_iter().for_each(|c| quotas[c] += 1);
            return Ok(quotas);
        }
        if surplus >= deficit {
            over.into_iter().for_each(|c| fixed[c] = Some(sizes[c]));
        } else {
            under.into_iter().for_each(|c| fixed[c] = Some(1));
        }
    }
}

/// Rows of each label, ascending; labels 0 to `n_labels` - 1.
///
/// # Errors
/// [`Error::Parameter`] naming `labels` for one out of range.
pub fn members(labels: &[u32], n_labels: usize) -> Result<Vec<Vec<u32>>> {
    let mut groups = vec![Vec::new(); n_labels];
    for (i, &label) in labels.iter().enumerate() {
        match groups.get_mut(label as usize) {
            Some(group) => group.push(i as u32),
            None => {
                let rule = format!("must lie below {n_labels}");
                return Err(Error::parameter("labels", label, rule));
            }
        }
    }
    Ok(groups)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn by_hand() {
        let p = |sizes: &[usize], count| quotas(sizes, count, Balance::Proportional).unwrap();
        assert_eq!(p(&[60, 30, 10], 10), [6, 3, 1]);
        assert_eq!(p(&[50, 50, 50], 10), [4, 3, 3]);
        assert_eq!(p(&[1000, 3, 0, 1], 10), [8, 1, 0, 1]);
        assert_eq!(p(&[2, 2], 4), [2, 2]);
        let e = |sizes: &[usize], count| quotas(sizes, count, Balance::Equal).unwrap();
        assert_eq!(e(&[100, 2, 50], 20), [9, 2, 9]);
        assert!(quotas(&[5, 5], 1, Balance::Equal).is_err());
        assert!(quotas(&[5, 5], 11, Balance::Equal).is_err());
    }

    proptest! {
        #[test]
        fn within_bounds_and_exact(
            sizes in prop::collection::vec(0_usize..60, 1..12), share in 0.0..1.0, equal: bool,
        ) {
            let total: usize = sizes.iter().sum();
            let classes = sizes.iter().filter(|s| **s > 0).count();
            let count = classes + ((total - classes) as f64 * share) as usize;
            let balance = if equal { Balance::Equal } else { Balance::Proportional };
            let quotas = quotas(&sizes, count, balance).unwrap();
            prop_assert_eq!(quotas.iter().sum::<usize>(), count);
            for (q, s) in quotas.iter().zip(&sizes) {
                prop_assert!(q <= s && (*q >= 1 || *s == 0));
            }
        }
    }

    #[test]
    fn members_ascend() {
        assert_eq!(
            members(&[1, 0, 1], 3).unwrap(),
            [vec![1], vec![0, 2], vec![]]
        );
        assert!(members(&[3], 3).is_err());
    }
}
