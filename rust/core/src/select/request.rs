//! From what is asked, in numbers of input rows, to groups of rows of Z with their quotas.

use crate::exchange::rules::Caps;
use crate::options::{Shares, ValidParams};
use crate::prepare::Prepared;
use crate::run::error::{Error, Result, check_len};
use crate::select::group::{Group, Standing};
use crate::select::quotas::{as_asked, class_sizes, more_than, quotas};
use crate::select::shared_caps::SharedCaps;

/// What is asked of a selection, in numbers of input rows.
///
/// ```
/// use fast_select_core::options::ValidParams;
/// use fast_select_core::prepare::prepare;
/// use fast_select_core::run::monitor::Monitor;
/// use fast_select_core::select::request::{Request, groups};
///
/// let x = ndarray::Array2::from_shape_fn((6, 1), |(i, _)| i as f64);
/// let params = ValidParams::default();
/// let prepared = prepare(&x.view(), &params, &Monitor::default())?;
/// let request = Request {
///     labels: Some(&[0, 0, 0, 0, 1, 1]),
///     include: &[5],
///     ..Request::of(3)
/// };
/// let groups = groups(&prepared, request, &params)?;
/// assert_eq!((groups[0].quota, groups[1].quota), (2, 1));
/// # Ok::<(), fast_select_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request<'a> {
    /// Rows to select.
    pub count: usize,
    /// Class (0, 1, ...) of each row, (n,).
    pub labels: Option<&'a [i64]>,
    /// Group of siblings (0, 1, ...) of each row, (n,), of which at most `max_per_group` are selected.
    pub siblings: Option<&'a [i64]>,
    /// Rows to select in any case.
    pub include: &'a [i64],
    /// Rows not to select.
    pub exclude: &'a [i64],
}

impl Request<'_> {
    /// For `count` rows, whichever they are.
    #[must_use]
    pub fn of(count: usize) -> Self {
        Self {
            count,
            labels: None,
            siblings: None,
            include: &[],
            exclude: &[],
        }
    }
}

/// Checks that one of `ratio` and `count` is given, or rows of each class.
///
/// ```
/// use fast_select_core::options::Params;
/// use fast_select_core::select::request::check_size;
///
/// let refused = check_size(&Params::default().check()?).unwrap_err();
/// assert_eq!(refused.to_string(), "ratio and count: are both missing. Give one of them");
/// check_size(&Params { count: Some(9), ..Params::default() }.check()?)?;
/// # Ok::<(), fast_select_core::Error>(())
/// ```
///
/// # Errors
/// [`Error::Refused`] naming both.
pub fn check_size(params: &ValidParams) -> Result<()> {
    let both = match (params.ratio, params.count) {
        (Some(_), Some(_)) => "given",
        (None, None) if params.balance.total().is_none() => "missing",
        _ => return Ok(()),
    };
    let refused = Error::refused("ratio and count", format!("are both {both}"));
    Err(refused.fix("Give one of them"))
}

/// Checks that groups of siblings and `max_per_group` come together.
///
/// ```
/// use fast_select_core::options::Params;
/// use fast_select_core::select::request::check_caps;
///
/// let capped = Params { max_per_group: Some(1), ..Params::default() }.check()?;
/// check_caps(true, &capped)?;
/// let refused = check_caps(false, &capped).unwrap_err();
/// assert_eq!(refused.to_string(), "max_per_group: has no effect without groups. Give {groups} too");
/// # Ok::<(), fast_select_core::Error>(())
/// ```
///
/// # Errors
/// [`Error::Refused`] naming the one that is there alone.
pub fn check_caps(has_groups: bool, params: &ValidParams) -> Result<()> {
    let (alone, missing, fix) = match (has_groups, params.max_per_group) {
        (true, None) => (
            "groups",
            "a cap on what each gives",
            "Give {max_per_group} too",
        ),
        (false, Some(_)) => ("max_per_group", "groups", "Give {groups} too"),
        _ => return Ok(()),
    };
    Err(Error::refused(alone, format!("has no effect without {missing}")).fix(fix))
}

/// The number of rows that `ratio`, `count` or, without them, what is given of each class asks for,
/// of the n that are kept: at least one.
///
/// ```
/// use fast_select_core::options::Params;
/// use fast_select_core::select::request::rows_wanted;
///
/// let of = |ratio| Params { ratio: Some(ratio), ..Params::default() }.check();
/// assert_eq!(rows_wanted(10, &of(0.25)?)?, 3);
/// assert_eq!(rows_wanted(10, &of(0.001)?)?, 1);
/// let params = Params { count: Some(11), ..Params::default() };
/// let refused = rows_wanted(10, &params.check()?).unwrap_err();
/// assert_eq!(refused.to_string(), "count: 11 is more than the 10 rows that can be selected");
/// # Ok::<(), fast_select_core::Error>(())
/// ```
///
/// # Errors
/// [`Error::Refused`] unless one of them is given, is not 0, and, of the first two, there are as many rows.
pub fn rows_wanted(n: usize, params: &ValidParams) -> Result<usize> {
    check_size(params)?;
    if let (None, None, Some(total)) = (params.count, params.ratio, params.balance.total()) {
        // Whether the classes have them is for their quotas to say.
        let refused = Error::refused("balance", "asks for no rows").fix("Ask for one or more");
        return if total > 0 { Ok(total) } else { Err(refused) };
    }
    let share = |ratio: f64| ((ratio * n as f64 + 0.5) as usize).max(1);
    let wanted = params.count.or(params.ratio.map(share)).unwrap_or(0);
    if wanted > n {
        return Err(as_asked(more_than(wanted, n), wanted, params));
    }
    Ok(wanted)
}

/// One group for each class, or of all rows, with its quota.
///
/// # Errors
/// [`Error::Refused`] for labels or rows that are not the input's, rows both included and excluded,
/// and a count that the classes cannot give.
pub fn groups(
    prepared: &Prepared,
    request: Request<'_>,
    params: &ValidParams,
) -> Result<Vec<Group>> {
    let classes = prepared.classes(request.labels)?;
    let standing = standings(prepared, &request)?;
    let of_class = |class: &Vec<u32>| -> Vec<Standing> {
        if standing.is_empty() {
            return vec![];
        }
        class.iter().map(|&i| standing[i as usize]).collect()
    };
    let standings: Vec<Vec<Standing>> = classes.iter().map(of_class).collect();
    let sizes = classes.iter().map(Vec::len);
    let sizes = sizes.zip(standings.iter().map(Vec::as_slice));
    let (sizes, balance) = class_sizes(sizes, request.count, params)?;
    let asked = |error| as_asked(error, request.count, params);
    let (quotas, caps) = match caps(prepared, &request, &standing, params)? {
        None => {
            let quotas = quotas(&sizes, request.count, balance);
            (quotas.map_err(asked)?, vec![None; sizes.len()])
        }
        Some(caps) => {
            let mut shares = SharedCaps::new(&caps, &classes, |i| standing_of(&standing, i));
            if let Shares::Given(rows) = &params.balance {
                shares.check_given(rows)?;
            }
            let quotas = shares.quotas(&sizes, request.count, balance);
            let quotas = quotas.map_err(asked)?;
            let of_class =
                |(class, rows): (usize, &Vec<u32>)| Some(shares.caps(class, &caps, rows));
            (quotas, classes.iter().enumerate().map(of_class).collect())
        }
    };
    let groups = classes.into_iter().zip(standings).zip(quotas).zip(caps);
    Ok(groups
        .map(|(((members, standing), quota), caps)| Group {
            members,
            quota,
            standing,
            caps,
        })
        .collect())
}

/// What may become of row `i`, given the standing of all (empty: all are free).
fn standing_of(standing: &[Standing], i: u32) -> Standing {
    let known = standing.get(i as usize).copied();
    known.unwrap_or(Standing::Free)
}

/// The caps of the groups of siblings of the rows of Z, if there are any.
fn caps(
    prepared: &Prepared,
    request: &Request<'_>,
    standing: &[Standing],
    params: &ValidParams,
) -> Result<Option<Caps>> {
    check_caps(request.siblings.is_some(), params)?;
    let (Some(groups), Some(most)) = (request.siblings, params.max_per_group) else {
        return Ok(None);
    };
    check_len("groups", groups.len(), prepared.facts.n_rows)?;
    let number = |&row: &u32| {
        let group = groups[row as usize];
        let known = u32::try_from(group).ok();
        known
            .filter(|group| (*group as usize) < groups.len())
            .ok_or_else(|| {
                let last = groups.len() - 1;
                let fact = format!("hold group {group}, which is not from 0 to {last}");
                Error::refused("groups", fact)
            })
    };
    let group = prepared
        .rows
        .iter()
        .map(number)
        .collect::<Result<Vec<u32>>>()?;
    let n_groups = group.iter().max().map_or(0, |last| *last as usize + 1);
    let mut included = vec![0; n_groups];
    for (at, &group) in group.iter().enumerate() {
        included[group as usize] +=
            usize::from(standing_of(standing, at as u32) == Standing::Included);
        if included[group as usize] > most {
            let row = prepared.rows[at];
            let fact = format!(
                "names row {row} and {most} before it of one group, which gives {most} at most"
            );
            return Err(
                Error::refused("include", fact).fix("Raise {max_per_group}, or include fewer")
            );
        }
    }
    let most = u32::try_from(most).unwrap_or(u32::MAX);
    Ok(Some(Caps {
        group,
        most: vec![most; n_groups],
    }))
}

/// What may become of each row of Z; empty where nothing is asked.
pub(crate) fn standings(prepared: &Prepared, request: &Request<'_>) -> Result<Vec<Standing>> {
    if request.include.is_empty() && request.exclude.is_empty() {
        return Ok(vec![]);
    }
    let mut standing = vec![Standing::Free; prepared.rows.len()];
    for &row in request.exclude {
        if let Some(at) = prepared.position("exclude", row)? {
            standing[at as usize] = Standing::Excluded;
        }
    }
    for &row in request.include {
        let refuse = |fact: &str| {
            let fact = format!("names row {row}, which {fact}");
            Err(Error::refused("include", fact))
        };
        match prepared.position("include", row)? {
            None => return refuse("holds NaN or infinity"),
            Some(at) if standing[at as usize] == Standing::Excluded => {
                return refuse("is excluded as well");
            }
            Some(at) => standing[at as usize] = Standing::Included,
        }
    }
    Ok(standing)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Params;
    use crate::prepare::prepare;
    use crate::run::monitor::Monitor;

    fn prepared(n: usize) -> Prepared {
        let x = ndarray::Array2::from_shape_fn((n, 1), |(i, _)| i as f64);
        prepare(&x.view(), &ValidParams::default(), &Monitor::default()).unwrap()
    }

    #[test]
    fn a_share_is_rounded_and_never_nothing() {
        let wanted = |n, ratio, count| {
            let params = Params {
                ratio,
                count,
                ..Params::default()
            };
            rows_wanted(n, &params.check().unwrap())
        };
        assert_eq!(wanted(10, Some(0.25), None), Ok(3));
        assert_eq!(wanted(10, Some(0.001), None), Ok(1));
        assert_eq!(wanted(10, None, Some(10)), Ok(10));
        for refused in [
            wanted(10, None, Some(11)),
            wanted(10, None, None),
            wanted(10, Some(0.1), Some(1)),
        ] {
            assert!(refused.is_err());
        }
    }

    #[test]
    fn what_cannot_be_both_or_is_not_there_is_refused() {
        let prepared = prepared(10);
        let ask = |include, exclude| {
            let request = Request {
                include,
                exclude,
                ..Request::of(2)
            };
            groups(&prepared, request, &ValidParams::default())
        };
        let group = &ask(&[3], &[4]).unwrap()[0];
        assert_eq!(group.standing[3], Standing::Included);
        assert_eq!(group.standing[4], Standing::Excluded);
        for (include, exclude, named) in [
            (&[3][..], &[3][..], "include"),
            (&[10], &[], "include"),
            (&[], &[-1], "exclude"),
            (&[1, 2, 3], &[], "count"),
        ] {
            let refused = ask(include, exclude).unwrap_err().to_string();
            assert!(refused.starts_with(named), "{refused}");
        }
    }
}
