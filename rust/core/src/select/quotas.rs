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
    /// A class of which any number of rows but none may be selected.
    #[must_use]
    pub fn free(rows: usize) -> Self {
        Self {
            rows,
            least: rows.min(1),
            most: rows,
        }
    }
}

/// Rows to select of each class, `count` in all, within its bounds, by largest remainder (ties: the
/// lower class).
///
/// What a class cannot take or must have beyond its share is shared out among the others by the
/// same rule.
///
/// # Errors
/// [`Error::Parameter`] naming `count` where the bounds leave no way.
pub fn quotas(classes: &[ClassSize], count: usize, balance: Balance) -> Result<Vec<usize>> {
    let (least, most) = classes.iter().fold((0, 0), |(least, most), class| {
        (least + class.least, most + class.most)
    });
    if count > most {
        let rule = format!("is more than the {most} rows that can be selected");
        return Err(Error::parameter("count", count, rule));
    }
    if count < least {
        let rule = if classes.iter().all(|c| c.least <= 1) {
            format!("is less than the {least} classes, each of which gives at least one row")
        } else {
            format!("is less than the {least} rows that are included or the only one of a class")
        };
        return Err(Error::parameter("count", count, rule));
    }
    let weight = |c: usize| match balance {
        Balance::Proportional => classes[c].rows as f64,
        Balance::Equal => f64::from(u8::from(classes[c].most > 0)),
    };
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
        let free =
            |sizes: &[usize]| -> Vec<_> { sizes.iter().map(|&s| ClassSize::free(s)).collect() };
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

    #[test]
    fn members_ascend() {
        assert_eq!(
            members(&[1, 0, 1], 3).unwrap(),
            [vec![1], vec![0, 2], vec![]]
        );
        assert!(members(&[3], 3).is_err());
    }
}
