//! From what is asked, in numbers of input rows, to groups of rows of Z with their quotas.

use crate::options::ValidParams;
use crate::prepare::Prepared;
use crate::run::error::{Error, Result};
use crate::select::group::{Group, Standing};
use crate::select::quotas::{class_quotas, more_than};

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
        return Err(more_than(wanted, n));
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
    let quotas = class_quotas(sizes, request.count, params)?;
    let groups = classes.into_iter().zip(standings).zip(quotas);
    Ok(groups
        .map(|((members, standing), quota)| Group {
            members,
            quota,
            standing,
        })
        .collect())
}

/// What may become of each row of Z; empty where nothing is asked.
fn standings(prepared: &Prepared, request: &Request<'_>) -> Result<Vec<Standing>> {
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
